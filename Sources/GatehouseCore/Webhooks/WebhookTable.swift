/// The webhooks with their index.
struct WebhookTable: Sendable {
  struct Key: Hashable, Sendable {
    /// 0 for the whole server.
    let workspace: WorkspaceID
    let name: String
  }

  /// By number. Numbers are given once; of a webhook that was deleted nothing is left.
  private(set) var rows: [WebhookID: Webhook] = [:]
  /// The last number that was given.
  private(set) var last: WebhookID = 0
  private(set) var byName: [Key: WebhookID] = [:]

  mutating func add(_ webhook: Webhook) {
    precondition(webhook.id > last, "a webhook's number was given before")
    last = webhook.id
    rows[webhook.id] = webhook
    byName[Key(workspace: webhook.workspace, name: webhook.name)] = webhook.id
  }

  /// A number was given that no webhook has any more.
  mutating func pass(_ id: WebhookID) { last = max(last, id) }

  /// - Parameter isForgotten: whether its key is destroyed: then the snapshot is from before its end.
  fileprivate mutating func restore(_ webhook: Webhook, isForgotten: Bool) {
    if webhook.isDeleted || isForgotten { pass(webhook.id) } else { add(webhook) }
  }

  /// Changes a webhook. One that is deleted is left alone: its key is destroyed, and so it is deleted from the start where
  /// the records are read again, those from before its end among them.
  mutating func change(_ id: WebhookID, _ body: (inout Webhook) -> Void) {
    if rows[id] == nil { return }
    body(&rows[id]!)
  }

  mutating func delete(_ id: WebhookID) {
    guard let before = rows.removeValue(forKey: id) else { return }
    byName[Key(workspace: before.workspace, name: before.name)] = nil
  }
}

extension WebhookTable: DirectoryTable {
  static let sections: [StoredSection<StoredDirectory>] = [
    // As they were stored at first: without numbers, and with a blank row for each that was deleted.
    .list(17) { _ in
      EmptyCollection<Webhook>()
    } write: { _, _ in
    } read: { (directory, reader, layout) throws(CodingError) in
      let id = directory.tables.webhooks.last + 1
      let webhook = try reader.sealed(Webhook(id: id), under: .webhook(id), layout)
      directory.tables.webhooks.restore(webhook, isForgotten: layout.seals?.isDestroyed(.webhook(id)) ?? false)
    },
    StoredSection(55) { directory, writer in
      let table = directory.tables.webhooks
      writer.varint(table.last)
      writer.list(table.rows.values.sorted { $0.id < $1.id }) { writer, webhook in
        writer.varint(webhook.id)
        writer.sealed(webhook, under: .webhook(webhook.id))
      }
    } read: { (directory, reader, layout) throws(CodingError) in
      let last: WebhookID = try reader.number()
      for _ in 0..<(try reader.count()) {
        let id: WebhookID = try reader.number()
        guard id > directory.tables.webhooks.last, id <= last else { throw reader.failure("webhooks out of order") }
        let webhook = try reader.sealed(Webhook(id: id), under: .webhook(id), layout)
        directory.tables.webhooks.restore(webhook, isForgotten: layout.seals?.isDestroyed(.webhook(id)) ?? false)
      }
      directory.tables.webhooks.pass(last)
    },
  ]

  static func check(_ directory: Directory, _ checker: InvariantChecker) {
    let live = directory.webhooks
    checker.expect(
      Set(live.map { Key(workspace: $0.workspace, name: $0.name) }).count == live.count,
      "two webhooks of one place have the same name")
    for webhook in live {
      checker.expect(
        webhook.workspace == 0 || checker.isWorkspace(webhook.workspace),
        "the webhook \(webhook.name) is of no workspace")
      checker.expect(!webhook.secret.bytes.isEmpty, "the webhook \(webhook.name) has no secret")
    }
  }
}

extension Directory {
  /// By number.
  public var webhooks: [Webhook] { tables.webhooks.rows.values.sorted { $0.id < $1.id } }

  /// nil if it was deleted.
  public func webhook(_ id: WebhookID) -> Webhook? { tables.webhooks.rows[id] }

  /// The keys of those that are deleted: nothing is to be known of them any more, neither address nor secret.
  public var keysOfDeletedWebhooks: [SealKey] {
    let table = tables.webhooks
    // Most servers have deleted none.
    if table.rows.count == Int(table.last) { return [] }
    return (1...table.last).lazy.filter { table.rows[$0] == nil }.map { .webhook($0) }
  }

  /// - Parameter workspace: 0 for one of the whole server.
  func webhook(named name: String, of workspace: WorkspaceID) -> Webhook? {
    tables.webhooks.byName[WebhookTable.Key(workspace: workspace, name: name)].flatMap(webhook)
  }

  /// How many numbers of webhooks were given.
  public var webhookNumbers: Int { Int(tables.webhooks.last) }

  func webhookCount(of workspace: WorkspaceID) -> Int {
    tables.webhooks.byName.keys.count { $0.workspace == workspace }
  }

  var webhookCount: Int { tables.webhooks.rows.count }
}
