/// One durable fact. Only changes mutate state, both live and at replay.
///
/// A change contains the new value and, if somebody may ask for it later, the old one, which makes the log the audit
/// trail. Time, author and reason are stored once, in the header of the record's part.
///
/// Each change is a struct of its own, next to what it changes. It names its fields once, in `visit`; coding, the text
/// in the trail, the archive's keys and the owners are all derived from that. A new change needs a struct and a line in
/// `ChangeTable`.
///
/// A change conforms to one of `PartitionChange`, `DirectoryChange` and `FolderChange`.
public protocol Change: Sendable, Equatable {
  /// Identifies the kind in the log. A code is never reused.
  static var code: UInt8 { get }
  /// The name in the trail, such as `status-set`.
  static var name: String { get }
  /// Whether a program that does not know the kind must refuse the record instead of skipping the change.
  static var isCritical: Bool { get }

  /// A change whose fields are about to be read; fields that the record lacks keep these values.
  init()

  /// Shows all fields to a visitor, in coding order.
  ///
  /// The order is part of the format. Fields of later versions go to the end, after `later()`. Older programs skip
  /// them; if they must not, make a new kind of change.
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure)

  /// Whose rights the change may affect.
  var concern: Concern { get }
  /// Applies the change to a person's facts, while a decision checks what it will lead to.
  func apply(to person: inout PersonFacts)

  /// Whose personal data it holds: what is left out of the trail once that person is anonymised. nil for nobody's.
  var person: PersonSubject? { get }

  /// Under whose keys its texts are sealed in the log (`SealedChange`); nil if they are not. By default, those of the
  /// person.
  var sealing: SealedUnder? { get }
  /// Called on a change that was read after its keys were destroyed. What must be a name, such as a username, becomes the
  /// one that anonymising gives.
  mutating func forget()

  /// The facts that it changes, if decisions ask what they were in the past.
  var facts: [Fact] { get }

  /// What is true of all changes of the kind.
  static var ownTraits: ChangeTraits { get }
  /// Whether it moves the gate's counters.
  var movesCounters: Bool { get }
  /// Whether it changes where a person is reached or whether they log in, so that what was mailed to them must end.
  var endsMailedSecrets: Bool { get }
  /// How many seats of a pool it takes; negative if it frees some.
  func step(of key: SeatKey) -> Int
  /// Applies the change to the super administrators and to whether their logins are live.
  func move(_ superAdministrators: inout [UserID: Bool])

  /// The change as carried by records.
  var carried: AnyChange { get }

  // Derived from `visit`; requirements, so that they are specialised for each kind.
  func encodeFields(into writer: inout ByteWriter)
  static func read(from decoder: inout FieldDecoder) throws(CodingError) -> AnyChange
  func encodeSealed(into parts: inout SealingWriter)
  static func read(opening parts: inout OpeningReader) throws(CodingError) -> AnyChange
  func owners(_ partitioning: Partitioning) -> ChangeOwners
  func text(in directory: Directory?) -> ChangeText
  func addKeys(to keys: inout [UInt64])
  static func addKeys(from decoder: inout FieldDecoder, to keys: inout [UInt64]) throws(CodingError)
}

/// Whose rights a change may affect.
public enum Concern: Sendable {
  case nobody
  case user(UserID)
  case contact(ContactID)
  case owners(old: UserID?, new: UserID?)
}

/// Traits of the changes of a command, combined.
public struct ChangeTraits: OptionSet, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// They may affect somebody's rights.
  public static let concernsSomebody = ChangeTraits(rawValue: 1)
  /// They move the gate's counters.
  public static let movesCounters = ChangeTraits(rawValue: 2)
  /// They modify the directory.
  public static let changesDirectory = ChangeTraits(rawValue: 4)
  /// They may end what was mailed to somebody (`Turn.endMailedSecrets`).
  public static let endsMailedSecrets = ChangeTraits(rawValue: 8)
}

/// A change of something that belongs to a contact; it modifies partitions.
public protocol PartitionChange: Change {
  /// Applies the change to this partition.
  ///
  /// Live, the change was decided on this very state; at replay, it follows from the same log. So whatever it names
  /// exists; if not, the program must stop before it gives wrong answers.
  func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader)
}

/// A change of something that belongs to no one contact; it modifies the directory.
public protocol DirectoryChange: Change {
  func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds)
}

/// A fact that mutates nobody's state, and yet is part of the trail: about the data folder, or about what follows from
/// other changes.
public protocol FolderChange: Change {}

extension Change {
  public static var isCritical: Bool { true }
  public static var ownTraits: ChangeTraits { [] }
  public func apply(to person: inout PersonFacts) {}
  public var person: PersonSubject? { nil }
  public var facts: [Fact] { [] }
  public var movesCounters: Bool { false }
  public var endsMailedSecrets: Bool { false }
  public func step(of key: SeatKey) -> Int { 0 }
  public func move(_ superAdministrators: inout [UserID: Bool]) {}

  var traits: ChangeTraits {
    var traits = Self.ownTraits
    if case .nobody = concern {} else { traits.insert(.concernsSomebody) }
    if movesCounters { traits.insert(.movesCounters) }
    if endsMailedSecrets { traits.insert(.endsMailedSecrets) }
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
