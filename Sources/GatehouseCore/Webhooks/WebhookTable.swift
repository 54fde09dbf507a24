/// The webhooks with their index.
struct WebhookTable: Sendable {
  struct Key: Hashable, Sendable {
    /// 0 for the whole server.
    let workspace: WorkspaceID
    let name: String
  }

  private(set) var rows = PagedArray<Webhook>()
  /// Those that are not deleted.
  private(set) var byName: [Key: WebhookID] = [:]

  mutating func add(_ webhook: Webhook) {
    precondition(Int(webhook.id) == rows.count + 1, "webhook numbers have a gap")
    rows.append(webhook)
    if !webhook.isDeleted { byName[Key(workspace: webhook.workspace, name: webhook.name)] = webhook.id }
  }

  /// Changes a webhook. One that is deleted is left alone: its key is destroyed, and so it is deleted from the start where
  /// the records are read again, those from before its end among them.
  mutating func change(_ id: WebhookID, _ body: (inout Webhook) -> Void) {
    if rows[Int(id) - 1].isDeleted { return }
    body(&rows[Int(id) - 1])
  }

  /// Only the number is left of it.
  mutating func delete(_ id: WebhookID) {
    let before = rows[Int(id) - 1]
    if before.isDeleted { return }
    byName[Key(workspace: before.workspace, name: before.name)] = nil
    rows[Int(id) - 1] = .deleted(id)
  }
}

extension WebhookTable: DirectoryTable {
  static let sections: [StoredSection<StoredDirectory>] = [
    .list(17) { directory in
      directory.tables.webhooks.rows
    } write: { writer, webhook in
      writer.sealed(webhook, under: .webhook(webhook.id))
    } read: { (directory, reader, layout) throws(CodingError) in
      let id = WebhookID(directory.tables.webhooks.rows.count + 1)
      let webhook = try reader.sealed(Webhook(id: id), under: .webhook(id), layout)
      // The snapshot may be from before its end.
      let isForgotten = layout.seals?.isDestroyed(.webhook(id)) ?? false
      directory.tables.webhooks.add(isForgotten ? .deleted(id) : webhook)
    }
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
  /// Those that are not deleted, by number.
  public var webhooks: [Webhook] { tables.webhooks.byName.values.sorted().map { tables.webhooks.rows[Int($0) - 1] } }

  /// One that is not deleted.
  public func webhook(_ id: WebhookID) -> Webhook? {
    guard id > 0, Int(id) <= tables.webhooks.rows.count else { return nil }
    let webhook = tables.webhooks.rows[Int(id) - 1]
    return webhook.isDeleted ? nil : webhook
  }

  /// The keys of those that are deleted: nothing is to be known of them any more, neither address nor secret.
  public var keysOfDeletedWebhooks: [SealKey] {
    // Asked for every second, and most servers have deleted none.
    if tables.webhooks.byName.count == tables.webhooks.rows.count { return [] }
    return tables.webhooks.rows.filter(\.isDeleted).map { .webhook($0.id) }
  }

  /// - Parameter workspace: 0 for one of the whole server.
  func webhook(named name: String, of workspace: WorkspaceID) -> Webhook? {
    tables.webhooks.byName[WebhookTable.Key(workspace: workspace, name: name)].flatMap(webhook)
  }

  /// How many numbers of webhooks were given.
  public var webhookNumbers: Int { tables.webhooks.rows.count }

  func webhookCount(of workspace: WorkspaceID) -> Int {
    tables.webhooks.byName.keys.count { $0.workspace == workspace }
  }

  var webhookCount: Int { tables.webhooks.byName.count }
}
