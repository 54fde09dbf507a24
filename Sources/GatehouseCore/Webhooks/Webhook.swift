/// The number of a webhook.
public typealias WebhookID = UInt32

/// An address to which the feed is pushed, in order, one event after another.
///
/// It belongs to a workspace, and sees what a reader of the feed with that reach would (W4), whoever has created it; or it
/// belongs to the whole server. What is known of its deliveries here is noted now and then, not for each of them.
public struct Webhook: Sendable, Equatable {
  public internal(set) var id: WebhookID
  /// 0 for the whole server.
  public internal(set) var workspace: WorkspaceID = 0
  public internal(set) var name = ""
  public internal(set) var created: Milliseconds = 0
  public internal(set) var url = ""
  /// The codes of the kinds of changes that it wants; all if empty.
  public internal(set) var types: [UInt8] = []
  public internal(set) var secret = WebhookSecret()
  /// The secret before the last rotation: until then requests are signed with both.
  public internal(set) var oldSecret = WebhookSecret()
  public internal(set) var oldUntil: Milliseconds = 0
  /// Why nothing is delivered; empty if it is.
  public internal(set) var pause = ""
  /// How often somebody has asked to deliver at once.
  public internal(set) var retries: UInt32 = 0
  /// How often somebody has set the cursor. What was noted before that is not believed.
  public internal(set) var moves: UInt32 = 0
  /// Only of rows as they were stored at first: nothing is left of those that are deleted now.
  public internal(set) var isDeleted = false
  public internal(set) var progress = WebhookProgress()

  init(id: WebhookID) { self.id = id }

  /// The names of the kinds of changes that it wants; all if empty.
  public var typeNames: [String] { types.map(ChangeKindForm.name) }

  /// What somebody has said of it, without how far it has come.
  public var orders: Webhook {
    var orders = self
    orders.progress = WebhookProgress()
    return orders
  }

  public var isPaused: Bool { !pause.isEmpty }

  /// The secrets to sign with at a time.
  public func secrets(at now: Milliseconds) -> [WebhookSecret] {
    now < oldUntil && !oldSecret.bytes.isEmpty ? [secret, oldSecret] : [secret]
  }

  /// What becomes of its events.
  public enum Condition: String, Sendable {
    case active
    /// It has failed so often in a row that somebody should look at it. It is tried again nevertheless.
    case failing
    case paused
  }

  public var condition: Condition {
    if isPaused { return .paused }
    return progress.failures >= Limits.webhookFailures ? .failing : .active
  }
}

/// How far a webhook has come.
public struct WebhookProgress: Sendable, Equatable {
  /// Everything up to this record was delivered, or was not for it.
  public var cursor: LSN = 0
  /// Failed attempts since the last that succeeded.
  public var failures: UInt32 = 0
  /// Why the last failed; empty if none has.
  public var lastError = ""
  /// When; 0 for never.
  public var lastErrorTime: Milliseconds = 0
  public var lastSuccess: Milliseconds = 0

  public init() {}
}

extension Webhook: StoredValue {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&workspace, as: NumberForm<WorkspaceID>.self)
    try visitor.value(&name, as: TextForm.self)
    try visitor.value(&created, as: TimeForm.self)
    try visitor.value(&url, as: TextForm.self)
    try visitor.value(&types, as: ListForm<ByteForm>.self)
    try visitor.secret(&secret, as: WebhookSecretForm.self)
    try visitor.secret(&oldSecret, as: WebhookSecretForm.self)
    try visitor.value(&oldUntil, as: TimeForm.self)
    try visitor.value(&pause, as: TextForm.self)
    try visitor.value(&retries, as: NumberForm<UInt32>.self)
    try visitor.value(&moves, as: NumberForm<UInt32>.self)
    try visitor.value(&isDeleted, as: FlagForm.self)
    try progress.visit(&visitor)
  }
}

extension WebhookProgress {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("cursor", &cursor, as: NumberForm<LSN>.self)
    try visitor.field("failures", &failures, as: NumberForm<UInt32>.self)
    try visitor.field("last-error", &lastError, as: FilledTextForm.self)
    try visitor.field("last-error-time", &lastErrorTime, as: FilledTimeForm.self)
    try visitor.field("last-success", &lastSuccess, as: FilledTimeForm.self)
  }
}

/// The place of a webhook: a workspace, or 0 for the whole server.
enum WebhookPlaceForm: SubjectForm {
  static func write(_ value: WorkspaceID, to writer: inout ByteWriter) { writer.varint(value) }
  static func read(from reader: inout ByteReader) throws(CodingError) -> WorkspaceID { try reader.number() }

  static func text(_ value: WorkspaceID, in directory: Directory?) -> String? {
    WorkspaceForm.text(value, in: directory)
  }

  static func entity(_ value: WorkspaceID, in directory: Directory?) -> String {
    value == 0 ? "server" : WorkspaceForm.entity(value, in: directory)
  }

  static func home(_ value: WorkspaceID, _ partitioning: Partitioning) -> Int? { nil }

  static func addKeys(of value: WorkspaceID, to keys: inout [UInt64]) { WorkspaceForm.addKeys(of: value, to: &keys) }
}

/// A webhook by number, shown by name.
enum WebhookForm: FieldForm {
  static func write(_ value: WebhookID, to writer: inout ByteWriter) { writer.varint(value) }
  static func read(from reader: inout ByteReader) throws(CodingError) -> WebhookID { try reader.number() }

  static func text(_ value: WebhookID, in directory: Directory?) -> String? {
    directory?.webhook(value)?.name ?? "#\(value)"
  }
}

/// Kinds of changes by code, shown by name.
enum ChangeKindForm: FieldForm {
  static func write(_ value: UInt8, to writer: inout ByteWriter) { writer.byte(value) }
  static func read(from reader: inout ByteReader) throws(CodingError) -> UInt8 { try reader.byte() }
  static func text(_ value: UInt8, in directory: Directory?) -> String? { Self.name(value) }

  static func name(_ code: UInt8) -> String { ChangeTable.kind(code)?.name ?? UnknownChange.name(code) }
}
