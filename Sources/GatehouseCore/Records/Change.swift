/// One durable fact. Changes are the only thing that mutates state, live and at replay alike.
///
/// A change says what is new and, where somebody may ask for it later, what was there before, so that the
/// log is the audit trail. When, who and why stand once, in the header of the part of a record that it belongs to.
///
/// Each change is a struct of its own, next to what it changes. It names its fields once, in `visit`; how it is coded,
/// what people read of it, by which keys it is found and whose state it mutates all follow from that. A new one needs a
/// struct, and its line in `ChangeTable`.
///
/// A change conforms to one of `PartitionChange`, `DirectoryChange` and `FolderChange`.
public protocol Change: Sendable, Equatable {
  /// Stands for the kind in the log. A code is never given a second meaning.
  static var code: UInt8 { get }
  /// `status-set`, as the trail shows it.
  static var name: String { get }
  /// Whether a program that does not know the kind must refuse the record, rather than step over the change.
  static var isCritical: Bool { get }

  /// A change whose fields are yet to be read; those that the record does not have stay as they are here.
  init()

  /// Shows a visitor all fields, in the order in which they are coded.
  ///
  /// The order is part of the format. A field of a later version goes to the end, behind `later()`; older programs step
  /// over it, so where they must not, it is a new kind of change.
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure)

  /// Of whom it says something that a right can rest on.
  var concern: Concern { get }
  /// Carries out what it means for the rights of a person, while a decision looks ahead.
  func carryOut(on person: inout PersonFacts)

  /// What is true of all changes of the kind.
  static var ownTraits: ChangeTraits { get }
  /// Whether the gate's counters move by it.
  var movesCounters: Bool { get }
  /// How many seats of a pool it takes; negative where it gives some back.
  func step(of key: SeatKey) -> Int
  /// Carries out what it means for who is super administrator, and whether that login is live.
  func move(_ superAdministrators: inout [UserID: Bool])

  /// The change as records carry it.
  var carried: AnyChange { get }

  // What follows from `visit`, here so that each kind has it compiled for itself.
  func encodeFields(into writer: inout ByteWriter)
  static func read(from decoder: inout FieldDecoder) throws(CodingError) -> AnyChange
  func owners(_ partitioning: Partitioning) -> ChangeOwners
  func text(in directory: Directory?) -> ChangeText
  func addKeys(to keys: inout [UInt64])
}

/// Of whom a change says something that a right can rest on.
public enum Concern: Sendable {
  case nobody
  case user(UserID)
  case contact(ContactID)
  case owners(old: UserID?, new: UserID?)
}

/// What has to be known of all changes of a command together.
public struct ChangeTraits: OptionSet, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Somebody's rights may rest on what they say.
  public static let concernsSomebody = ChangeTraits(rawValue: 1)
  /// The gate's counters move.
  public static let movesCounters = ChangeTraits(rawValue: 2)
  /// The directory is mutated.
  public static let changesDirectory = ChangeTraits(rawValue: 4)
}

/// A change of what belongs to a contact: it mutates partitions.
public protocol PartitionChange: Change {
  /// Carries out what concerns this partition.
  ///
  /// A change was decided on this very state, live, or follows from the same log, at replay: what it names is there, and
  /// a program in which it is not must stop before it answers anything wrong.
  func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader)
}

/// A change of what belongs to no one contact: it mutates the directory.
public protocol DirectoryChange: Change {
  func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds)
}

/// A fact about the data folder: nobody's state, and yet part of the trail.
public protocol FolderChange: Change {}

extension Change {
  public static var isCritical: Bool { true }
  public static var ownTraits: ChangeTraits { [] }
  public func carryOut(on person: inout PersonFacts) {}
  public var movesCounters: Bool { false }
  public func step(of key: SeatKey) -> Int { 0 }
  public func move(_ superAdministrators: inout [UserID: Bool]) {}

  var traits: ChangeTraits {
    var traits = Self.ownTraits
    if case .nobody = concern {} else { traits.insert(.concernsSomebody) }
    if movesCounters { traits.insert(.movesCounters) }
    return traits
  }
}

extension PartitionChange {
  public var carried: AnyChange { .partition(self) }
}

extension DirectoryChange {
  public static var ownTraits: ChangeTraits { .changesDirectory }
  public var carried: AnyChange { .directory(self) }
}

extension FolderChange {
  public static var isCritical: Bool { false }
  public var concern: Concern { .nobody }
  public var carried: AnyChange { .folder(self) }
}
