/// The author of an action. It names the actor permanently, even after a rename or after the login is deleted.
public enum Author: Sendable, Equatable {
  /// An application acting for itself.
  case service(ServiceID)
  /// A user; in an impersonation the actor, who really did it.
  case user(UserID)

  public func encode(_ writer: inout ByteWriter) {
    switch self {
    case .service(let id):
      writer.byte(0)
      writer.varint(id)
    case .user(let id):
      writer.byte(1)
      writer.varint(id.raw)
    }
  }

  public init(from reader: inout ByteReader) throws(CodingError) {
    switch try reader.byte() {
    case 0: self = .service(try reader.number())
    case 1: self = .user(UserID(raw: try reader.varint()))
    default: throw reader.failure("an unknown kind of author")
    }
  }
}

/// Key of a running timer: a user has at most one in a workspace.
public struct TimerKey: Sendable, Hashable {
  /// Serial number of the user.
  public let user: UInt32
  public let workspace: WorkspaceID

  public init(user: Int, workspace: WorkspaceID) {
    self.user = UInt32(user)
    self.workspace = workspace
  }

  /// Hashes both as one number: one round instead of two.
  public func hash(into hasher: inout Hasher) { hasher.combine(UInt64(user) << 32 | UInt64(workspace)) }
}

/// A running time record.
public struct RunningTimer: Sendable {
  public var start: Milliseconds
  public var project: String
  public var note: String
  public var startedBy: Author
  /// As whom, in an impersonation (B3).
  public var startedAs: UserID?
  public var lsn: LSN

  public init(
    start: Milliseconds, project: String, note: String, startedBy: Author, as startedAs: UserID? = nil, lsn: LSN
  ) {
    self.start = start
    self.project = project
    self.note = note
    self.startedBy = startedBy
    self.startedAs = startedAs
    self.lsn = lsn
  }
}

/// A finished time record: half-open `[start, end)`.
public struct EntryRow: TableRow {
  public var lsn: LSN = 0
  public var created: Milliseconds = 0
  public var start: Milliseconds = 0
  public var end: Milliseconds = 0
  /// Serial number of the contact: recorded time belongs to the person, not to the login (S2).
  public var contact: UInt32 = 0
  /// Serial number of the user for whom it was recorded.
  public var user: UInt32 = 0
  public var version: UInt32 = 0
  public var workspace: WorkspaceID = 0
  public var isDeleted = false
  public var details = DetailRange()

  public init() {}

  public static var vacant: EntryRow { EntryRow() }

  public var isUsed: Bool { version > 0 }
}

/// The content of an entry, without its owner.
public struct EntryContent: Sendable, Equatable {
  public var start: Milliseconds
  public var end: Milliseconds
  public var project: String
  public var note: String

  static let none = EntryContent(start: 0, end: 0, project: "", note: "")

  public init(start: Milliseconds, end: Milliseconds, project: String, note: String) {
    self.start = start
    self.end = end
    self.project = project
    self.note = note
  }

  public func encode(_ writer: inout ByteWriter) {
    writer.signed(start)
    writer.signed(end - start)
    writer.text(project)
    writer.text(note)
  }

  public init(from reader: inout ByteReader) throws(CodingError) {
    start = try reader.signed()
    end = start &+ (try reader.signed())
    project = try reader.text()
    note = try reader.text()
  }
}

public enum EntryTag {
  public static let project: UInt8 = 1
  public static let note: UInt8 = 2
  public static let startedBy: UInt8 = 3
  public static let stoppedBy: UInt8 = 4
  /// Why the entry was made, if a reason was given.
  public static let reason: UInt8 = 5
  /// The versions that were made in impersonations, each with the user as whom (B3).
  public static let impersonated: UInt8 = 6
  /// As whom the timer was started, in an impersonation.
  public static let startedAs: UInt8 = 7
}

/// An earlier version of an entry, and who corrected it, when and why.
public struct EntryVersion: Sendable, Equatable {
  public private(set) var version: UInt32
  /// When it was corrected.
  public private(set) var time: Milliseconds
  public private(set) var by: Author
  public private(set) var reason: String
  /// The content before the correction.
  public private(set) var content: EntryContent
  public private(set) var isDeleted: Bool

  public init(
    version: UInt32, time: Milliseconds, by: Author, reason: String, content: EntryContent, isDeleted: Bool
  ) {
    self.version = version
    self.time = time
    self.by = by
    self.reason = reason
    self.content = content
    self.isDeleted = isDeleted
  }
}

extension EntryRow: StoredValue {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&version, as: NumberForm<UInt32>.self)
    guard isUsed else { return }
    try visitor.value(&lsn, as: NumberForm<LSN>.self)
    try visitor.value(&created, as: TimeForm.self)
    try visitor.value(&start, as: TimeForm.self)
    try visitor.distance(of: &end, from: start)
    try visitor.value(&contact, as: NumberForm<UInt32>.self)
    try visitor.value(&user, as: NumberForm<UInt32>.self)
    // Unused: entries were once a linked list, newest first; `EntryOrder` replaced it.
    var previous: UInt32 = 0
    try visitor.value(&previous, as: NumberForm<UInt32>.self)
    try visitor.value(&workspace, as: WorkspaceForm.self)
    try visitor.value(&isDeleted, as: FlagForm.self)
  }
}

extension RunningTimer: StoredValue {
  static let none = RunningTimer(start: 0, project: "", note: "", startedBy: .service(0), lsn: 0)

  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&start, as: TimeForm.self)
    try visitor.value(&project, as: TextForm.self)
    try visitor.value(&note, as: TextForm.self)
    try visitor.value(&startedBy, as: AuthorForm.self)
    try visitor.value(&lsn, as: NumberForm<LSN>.self)
    try visitor.later()
    try visitor.value(&startedAs, as: LastForm<UserForm>.self)
  }
}

extension EntryVersion: StoredValue {
  static let none = EntryVersion(
    version: 0, time: 0, by: .service(0), reason: "", content: .none, isDeleted: false)

  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&version, as: NumberForm<UInt32>.self)
    try visitor.value(&time, as: TimeForm.self)
    try visitor.value(&by, as: AuthorForm.self)
    try visitor.value(&reason, as: TextForm.self)
    try visitor.value(&content, as: EntryContentForm.self)
    try visitor.value(&isDeleted, as: FlagForm.self)
  }
}

enum AuthorForm: FieldForm {
  static func write(_ value: Author, to writer: inout ByteWriter) { value.encode(&writer) }
  static func read(from reader: inout ByteReader) throws(CodingError) -> Author { try Author(from: &reader) }
}
