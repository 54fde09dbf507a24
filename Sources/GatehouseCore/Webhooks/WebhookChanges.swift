/// The feed is pushed to an address from now on, or from an earlier record.
public struct WebhookCreated: DirectoryChange {
  public static var code: UInt8 { 140 }
  public static var name: String { "webhook-created" }

  public var workspace: WorkspaceID = 0
  public var webhook: WebhookID = 0
  public var name = ""
  public var url = ""
  public var types: [UInt8] = []
  public var secret = WebhookSecret()
  /// The record after which the feed is pushed; nil for this one.
  public var from: LSN?
  /// Whether it was read after its key was destroyed. It is not stored.
  private var isForgotten = false

  public init() {}

  init(
    _ webhook: WebhookID, of workspace: WorkspaceID, name: String, url: String, types: [UInt8],
    secret: WebhookSecret, from: LSN?
  ) {
    self.workspace = workspace
    self.webhook = webhook
    self.name = name
    self.url = url
    self.types = types
    self.secret = secret
    self.from = from
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&workspace, as: WebhookPlaceForm.self)
    try visitor.value(&webhook, as: NumberForm<WebhookID>.self)
    try visitor.field("webhook", &name, as: TextForm.self)
    try visitor.field("url", &url, as: TextForm.self)
    try visitor.field("types", &types, as: ListForm<ChangeKindForm>.self)
    try visitor.secret(&secret, as: WebhookSecretForm.self)
    try visitor.field("from", &from, as: OptionalForm<NumberForm<LSN>>.self)
  }

  public var concern: Concern { .nobody }
  public var sealing: SealedUnder? { .one(.webhook(webhook)) }

  public mutating func forget() { isForgotten = true }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    if isForgotten { return directory.webhooks.pass(webhook) }
    var row = Webhook(id: webhook)
    row.workspace = workspace
    row.name = name
    row.created = time
    row.url = url
    row.types = types
    row.secret = secret
    row.progress.cursor = min(from ?? lsn, lsn)
    directory.webhooks.add(row)
  }
}

/// Where a webhook's events go, or which, changes.
public struct WebhookSet: DirectoryChange {
  public static var code: UInt8 { 141 }
  public static var name: String { "webhook-set" }

  public var workspace: WorkspaceID = 0
  public var webhook: WebhookID = 0
  public var oldURL = ""
  public var newURL = ""
  public var oldTypes: [UInt8] = []
  public var newTypes: [UInt8] = []

  public init() {}

  init(_ webhook: Webhook, url: String, types: [UInt8]) {
    workspace = webhook.workspace
    self.webhook = webhook.id
    (oldURL, newURL) = (webhook.url, url)
    (oldTypes, newTypes) = (webhook.types, types)
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&workspace, as: WebhookPlaceForm.self)
    try visitor.field("webhook", &webhook, as: WebhookForm.self)
    try visitor.change("url", old: &oldURL, new: &newURL, as: TextForm.self)
    try visitor.change("types", old: &oldTypes, new: &newTypes, as: ListForm<ChangeKindForm>.self)
  }

  public var concern: Concern { .nobody }
  public var sealing: SealedUnder? { .one(.webhook(webhook)) }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.webhooks.change(webhook) {
      $0.url = newURL
      $0.types = newTypes
    }
  }
}

/// A webhook's secret is replaced. For a while requests are signed with the one before, too.
public struct WebhookRotated: DirectoryChange {
  public static var code: UInt8 { 142 }
  public static var name: String { "webhook-rotated" }

  public var workspace: WorkspaceID = 0
  public var webhook: WebhookID = 0
  public var secret = WebhookSecret()
  /// 0 if the one before is not used any more.
  public var until: Milliseconds = 0

  public init() {}

  init(_ webhook: Webhook, secret: WebhookSecret, until: Milliseconds) {
    workspace = webhook.workspace
    self.webhook = webhook.id
    self.secret = secret
    self.until = until
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&workspace, as: WebhookPlaceForm.self)
    try visitor.field("webhook", &webhook, as: WebhookForm.self)
    try visitor.secret(&secret, as: WebhookSecretForm.self)
    try visitor.field("old-until", &until, as: FilledTimeForm.self)
  }

  public var concern: Concern { .nobody }
  public var sealing: SealedUnder? { .one(.webhook(webhook)) }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.webhooks.change(webhook) {
      $0.oldSecret = until > 0 ? $0.secret : WebhookSecret()
      $0.oldUntil = until
      $0.secret = secret
    }
  }
}

/// A webhook delivers nothing any more, or does again. What happens meanwhile waits in the log.
public struct WebhookPaused: DirectoryChange {
  public static var code: UInt8 { 143 }
  public static var name: String { "webhook-paused" }

  public var workspace: WorkspaceID = 0
  public var webhook: WebhookID = 0
  public var old = ""
  public var new = ""

  public init() {}

  init(_ webhook: Webhook, why: String) {
    workspace = webhook.workspace
    self.webhook = webhook.id
    old = webhook.pause
    new = why
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&workspace, as: WebhookPlaceForm.self)
    try visitor.field("webhook", &webhook, as: WebhookForm.self)
    try visitor.change("pause", old: &old, new: &new, as: FilledTextForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.webhooks.change(webhook) {
      $0.pause = new
      if new.isEmpty { $0.progress.failures = 0 }
    }
  }
}

/// A webhook is to deliver at once, from where it is or from another record.
public struct WebhookRetried: DirectoryChange {
  public static var code: UInt8 { 144 }
  public static var name: String { "webhook-retried" }

  public var workspace: WorkspaceID = 0
  public var webhook: WebhookID = 0
  /// Whether it goes on elsewhere.
  public var moves = false
  /// The record after which it goes on; nil for this one.
  public var from: LSN?

  public init() {}

  init(_ webhook: Webhook, moves: Bool, from: LSN?) {
    workspace = webhook.workspace
    self.webhook = webhook.id
    self.moves = moves
    self.from = from
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&workspace, as: WebhookPlaceForm.self)
    try visitor.field("webhook", &webhook, as: WebhookForm.self)
    try visitor.value(&moves, as: FlagForm.self)
    try visitor.field("from", &from, as: OptionalForm<NumberForm<LSN>>.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.webhooks.change(webhook) {
      $0.retries &+= 1
      guard moves else { return }
      $0.moves &+= 1
      $0.progress.cursor = min(from ?? lsn, lsn)
    }
  }
}

/// A webhook is deleted. Its address and its secret are to be forgotten with it (`Directory.keysOfDeletedWebhooks`), so the
/// record does not have them.
public struct WebhookDeleted: DirectoryChange {
  public static var code: UInt8 { 145 }
  public static var name: String { "webhook-deleted" }

  public var workspace: WorkspaceID = 0
  public var webhook: WebhookID = 0
  public var name = ""
  public var types: [UInt8] = []

  public init() {}

  init(_ webhook: Webhook) {
    workspace = webhook.workspace
    self.webhook = webhook.id
    name = webhook.name
    types = webhook.types
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&workspace, as: WebhookPlaceForm.self)
    try visitor.value(&webhook, as: NumberForm<WebhookID>.self)
    try visitor.removed("webhook", &name, as: TextForm.self)
    try visitor.later()
    try visitor.former("types", &types, as: FilledListForm<ChangeKindForm>.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.webhooks.delete(webhook)
  }
}

/// How far a webhook has come. The feed does not show it unless it is asked for, because it would be an event about the
/// delivery of events.
public struct WebhookProgressed: DirectoryChange {
  public static var code: UInt8 { 146 }
  public static var name: String { "webhook-progressed" }

  public var workspace: WorkspaceID = 0
  public var webhook: WebhookID = 0
  public var progress = WebhookProgress()

  public init() {}

  init(_ webhook: Webhook, _ progress: WebhookProgress) {
    workspace = webhook.workspace
    self.webhook = webhook.id
    self.progress = progress
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&workspace, as: WebhookPlaceForm.self)
    try visitor.field("webhook", &webhook, as: WebhookForm.self)
    try progress.visit(&visitor)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.webhooks.change(webhook) { $0.progress = progress }
  }
}
