/// A snapshot that covers the log through a record was taken.
public struct SnapshotTaken: FolderChange {
  public static var code: UInt8 { 70 }
  public static var name: String { "snapshot-taken" }

  public var lsn: LSN = 0

  public init() {}

  public init(_ lsn: LSN) { self.lsn = lsn }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    visitor.about("data folder")
    try visitor.field("lsn", &lsn, as: NumberForm<LSN>.self)
  }
}

/// The log's records from `first` to `last` were moved into an archive. The archive's hash is stored here, so that the
/// hash chain of the log covers its contents.
public struct LogArchived: FolderChange {
  public static var code: UInt8 { 71 }
  public static var name: String { "log-archived" }

  public var first: LSN = 0
  public var last: LSN = 0
  public var hash = ""

  public init() {}

  public init(first: LSN, last: LSN, hash: String) {
    self.first = first
    self.last = last
    self.hash = hash
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    visitor.about("data folder")
    try visitor.field("first", &first, as: NumberForm<LSN>.self)
    try visitor.field("last", &last, as: NumberForm<LSN>.self)
    try visitor.field("hash", &hash, as: TextForm.self)
  }
}

/// Archived records from `first` to `last` are deleted, for even the newest of them, of `latest`, is older than they are
/// to be kept. Logged before the file goes, so that the trail tells for good what is missing from it and why.
public struct ArchiveDeleted: FolderChange {
  public static var code: UInt8 { 73 }
  public static var name: String { "archive-deleted" }

  public var first: LSN = 0
  public var last: LSN = 0
  public var latest: Milliseconds = 0
  /// The setting `archive-retention`.
  public var retention: Milliseconds = 0

  public init() {}

  public init(first: LSN, last: LSN, latest: Milliseconds, retention: Milliseconds) {
    self.first = first
    self.last = last
    self.latest = latest
    self.retention = retention
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    visitor.about("data folder")
    try visitor.field("first", &first, as: NumberForm<LSN>.self)
    try visitor.field("last", &last, as: NumberForm<LSN>.self)
    try visitor.field("latest", &latest, as: TimeForm.self)
    try visitor.field("retention", &retention, as: SpanForm.self)
  }
}

/// The keys of the data folder's encryption were changed: what is written from now on is encrypted with the data key, which
/// the master key wraps. Neither is shown; the master key goes by its id, which is the beginning of a hash of it.
public struct EncryptionChanged: FolderChange, Equatable {
  public static var code: UInt8 { 74 }
  public static var name: String { "encryption-changed" }
  /// It tells people something, and changes no state.
  public static var isCritical: Bool { false }

  /// The number of the data key; 0 if what is written is in clear.
  public var dataKey: UInt64 = 0
  public var master = ""

  public init() {}

  public init(dataKey: UInt64, master: String) {
    self.dataKey = dataKey
    self.master = master
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    visitor.about("data folder")
    try visitor.field("data-key", &dataKey, as: NumberForm<UInt64>.self)
    try visitor.field("master", &master, as: TextForm.self)
  }
}

/// A span of time in milliseconds.
enum SpanForm: FieldForm {
  static func write(_ value: Milliseconds, to writer: inout ByteWriter) { writer.signed(value) }
  static func read(from reader: inout ByteReader) throws(CodingError) -> Milliseconds { try reader.signed() }
  static func text(_ value: Milliseconds, in directory: Directory?) -> String? { "\(value) ms" }
}

/// An operator has declared that the machine's clock is right and that the newest record's time, `old`, was not. Only
/// this change lets time go back. Everything with an old deadline ends: all sessions, and answers kept for `IDEM`.
public struct ClockSet: PartitionChange {
  public static var code: UInt8 { 72 }
  public static var name: String { "clock-set" }

  public var old: Milliseconds = 0
  public var new: Milliseconds = 0

  public init() {}

  public init(old: Milliseconds, new: Milliseconds) {
    self.old = old
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    visitor.about("data folder")
    visitor.everywhere()
    try visitor.change("time", old: &old, new: &new, as: TimeForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    state.endAllSessions()
    state.secondFactors.setBack(to: new)
    state.answers.beginEra()
  }
}
