/// One command's run: its words, its authority, the owners it holds, and what it decides.
///
/// A body reads state through the turn, says what is to change with `emit` and what to answer in `reply`;
/// it changes nothing itself. A lane has one turn and uses it again for every command.
///
/// Its properties are not checked for overlapping access at run time: a turn belongs to one thread, and no
/// accessor of it calls back.
public final class Turn {
  public let partitioning: Partitioning
  public let digest: (UnsafeRawBufferPointer) -> Digest
  @exclusivity(unchecked) var counters: any CounterReader
  @exclusivity(unchecked) public var entropy: Entropy

  let table = CommandTable.index

  // The command.
  @exclusivity(unchecked) public internal(set) var spec: CommandSpec
  @exclusivity(unchecked) var gate: CommandGate
  /// The body of a command that decides; at hand without the spec, whose reference would be counted for it.
  @exclusivity(unchecked) var decision: (@Sendable (Turn) throws(Halt) -> Void)?
  /// The command's place in the table; -1 for one that does not stand there.
  @exclusivity(unchecked) var specPlace = -1
  @exclusivity(unchecked) public internal(set) var arguments: Arguments
  /// The token in front of `AS token COMMAND …`, as a word of the whole request.
  @exclusivity(unchecked) var authority: UnsafeRawBufferPointer?
  @exclusivity(unchecked) var chosen: ContiguousArray<ChosenOption> = []
  @exclusivity(unchecked) public internal(set) var now: Milliseconds = 0
  @exclusivity(unchecked) public internal(set) var connection = ConnectionFacts(id: 0, service: nil, rights: [])
  /// The session on whose authority the command runs; nil where it runs for the service.
  @exclusivity(unchecked) var userPrincipal: UserPrincipal?
  /// Those whose rights the command needs; none where a service that is bound to nothing runs it by itself.
  @exclusivity(unchecked) var sides: [Side] = []

  // The owners that are held.
  @exclusivity(unchecked) public internal(set) var home: HeldPartition?
  @exclusivity(unchecked) public internal(set) var others: [HeldPartition] = []
  @exclusivity(unchecked) public internal(set) var directoryCell: DirectoryCell?
  /// The directory as it is read.
  @exclusivity(unchecked) public var directory: Directory {
    didSet {
      directoryLSN = directory.lsn
      borrowedDirectory = Unmanaged.passUnretained(directory)
    }
  }
  /// The same, for `withDirectory`.
  @exclusivity(unchecked) private var borrowedDirectory: Unmanaged<Directory>
  /// The last change of `directory`, at hand without following it.
  @exclusivity(unchecked) public private(set) var directoryLSN: LSN

  // The decision.
  @exclusivity(unchecked) public var reply = Reply()
  @exclusivity(unchecked) public private(set) var changes: [AnyChange] = []
  /// Gathered as they come: a look through the changes copies each.
  @exclusivity(unchecked) private(set) var traits: ChangeTraits = []
  /// What must hold of the counters for the changes to be made.
  @exclusivity(unchecked) public internal(set) var bounds: ContiguousArray<CounterBound> = []
  /// The largest LSN that was read: the reply must not leave before the log is durable through it.
  @exclusivity(unchecked) public internal(set) var horizon: LSN = 0
  /// Sessions that were used, to be noted in memory.
  @exclusivity(unchecked) var seen: [(cell: HeldPartition, slot: Int)] = []
  /// Sessions that this turn ends, so that a cascade ends each once.
  @exclusivity(unchecked) var endedSessions: Set<SessionID> = []
  /// Sessions that were found to have lost their right, and end whatever the command comes to.
  @exclusivity(unchecked) var lapsed: [(id: SessionID, cause: SessionEnd)] = []
  @exclusivity(unchecked) var isVersionChecked = false
  /// The data folder's own secret, a part of what the tokens of idempotent commands are made of.
  let folderSecret: Digest
  /// Serial numbers given out in this turn, beyond those in the state.
  @exclusivity(unchecked) var taken: [TakenKey: Int] = [:]

  /// What a decision that stopped needs done, and what came of it when it is made again.
  @exclusivity(unchecked) public internal(set) var neededWork: (any Work)?
  @exclusivity(unchecked) var finishedWork: (any Sendable)?
  /// Whether there is either: to look at an existential costs a call of the runtime, and every command would pay for it.
  @exclusivity(unchecked) var hasWork = false

  /// A login that the command refuses, and whether there is one.
  @exclusivity(unchecked) var refusal = RefusedLogin()
  @exclusivity(unchecked) var hasRefusal = false
  let refusals: any RefusalKeeper

  @exclusivity(unchecked) var foresight = Foresight.none

  // The folded name of the routed user, computed once.
  let foldedName: UnsafeMutableRawBufferPointer
  @exclusivity(unchecked) var foldedCount = 0
  @exclusivity(unchecked) var foldedWord = -1
  @exclusivity(unchecked) var foldedKey: NameKey?

  public init(
    partitioning: Partitioning, directory: Directory, counters: any CounterReader, refusals: any RefusalKeeper,
    folderSecret: Digest, entropy: Entropy, digest: @escaping (UnsafeRawBufferPointer) -> Digest
  ) {
    self.partitioning = partitioning
    self.directory = directory
    directoryLSN = directory.lsn
    borrowedDirectory = Unmanaged.passUnretained(directory)
    self.counters = counters
    self.refusals = refusals
    self.folderSecret = folderSecret
    self.entropy = entropy
    self.digest = digest
    self.spec = CommandTable.unknown
    self.gate = CommandGate(CommandTable.unknown)
    self.arguments = Arguments.none
    self.foldedName = UnsafeMutableRawBufferPointer.allocate(byteCount: FoldedName.bytes, alignment: 8)
  }

  deinit { foldedName.deallocate() }

  struct ChosenOption {
    /// Place in the spec's options.
    let option: Int
    /// The word of its first value.
    let word: Int
    /// How many values.
    let count: Int
  }

  struct TakenKey: Hashable {
    /// The entity of the ids.
    let kind: ObjectIdentifier
    let partition: Int
  }
}

extension Turn {
  /// Calls `body` with the directory. Where a command looks at it several times this counts no reference, which would
  /// cost a login check as much as its look at the user's row; the turn keeps the directory meanwhile.
  @inline(__always)
  func withDirectory<Result>(_ body: (Directory) throws(Halt) -> Result) throws(Halt) -> Result {
    // It throws no typed errors.
    try borrowedDirectory._withUnsafeGuaranteedRef { directory in
      Swift.Result { () throws(Halt) in try body(directory) }
    }.get()
  }

  /// On whose authority the command runs.
  /// The user on whose authority the command runs, nil for a service.
  public var asUser: UserPrincipal? { userPrincipal }

  public var principal: Principal {
    userPrincipal.map { .user($0) } ?? .service(connection.service ?? 0, connection.rights)
  }
}

// MARK: - Owners

extension Turn {
  /// The state of a partition. Where it is not held the decision stops, and begins again when it is.
  @inline(__always)
  public func cell(_ partition: Int) throws(Halt) -> HeldPartition {
    if let home, home.index == partition { return home }
    return try otherCell(partition)
  }

  private func otherCell(_ partition: Int) throws(Halt) -> HeldPartition {
    if let found = others.first(where: { $0.index == partition }) { return found }
    var needed = heldOwners
    needed.insert(partition)
    throw .needs(needed)
  }

  /// The directory's own state, for those who change it.
  public func directoryState() throws(Halt) -> DirectoryCell {
    if let directoryCell { return directoryCell }
    var needed = heldOwners
    needed.directory = true
    throw .needs(needed)
  }

  /// Asks for all partitions and the directory at once.
  public func everything() throws(Halt) -> [HeldPartition] {
    guard others.count == partitioning.count else { throw .needs(.all(partitioning.count)) }
    return others
  }

  /// Asks for several partitions at once, so that a decision over many begins again only once.
  public func hold(_ partitions: some Sequence<Int>) throws(Halt) {
    let held = heldOwners
    var needed = held
    for partition in partitions { needed.insert(partition) }
    guard needed == held else { throw .needs(needed) }
  }

  /// The owners that the command has now.
  public var heldOwners: OwnerSet {
    var set = OwnerSet()
    if let home { set.insert(home.index) }
    for cell in others { set.insert(cell.index) }
    set.directory = directoryCell != nil
    return set
  }

  // MARK: Deciding

  public func emit(_ change: some Change) {
    changes.append(change.carried)
    traits.formUnion(change.traits)
  }

  /// Whether the command is to change anything.
  public var hasChanges: Bool { !changes.isEmpty }

  /// Changes nothing, and leaves the answer as it is.
  public func dropChanges() {
    changes.removeAll(keepingCapacity: true)
    traits = []
  }

  /// Has the gate refuse the changes where a bound would not hold after them.
  public func require(_ bound: CounterBound) { bounds.append(bound) }

  /// Notes that what was decided depends on a change.
  @inline(__always)
  public func read(_ lsn: LSN) { if lsn > horizon { horizon = lsn } }

  /// Notes that a session was used.
  public func see(_ cell: HeldPartition, slot: Int) { seen.append((cell, slot)) }

  // MARK: New ids

  /// The id of what this decision makes, in a partition that it holds.
  ///
  /// - Parameter last: the last serial number of its kind that the partition has given out.
  func newID<Entity>(in cell: HeldPartition, after last: Int) -> Identifier<Entity> {
    let key = TakenKey(kind: ObjectIdentifier(Entity.self), partition: cell.index)
    taken[key, default: 0] += 1
    return cell.state.id(last + taken[key, default: 0])
  }
}

/// A user that a decision found: where it lives and its place there.
public struct UserReference {
  public let id: UserID
  public let cell: HeldPartition
  public let serial: Int

  public var row: UserRow { cell.state.people.users[serial] }
  public var username: String { cell.state.people.username(serial) }

  /// Calls `body` with the username, of which no string is made.
  func withUsername(_ body: (UnsafeRawBufferPointer) -> Void) {
    cell.state.people.users.withDetails(of: serial) { details in
      body(Details.field(UserTag.username, in: details) ?? UnsafeRawBufferPointer(start: nil, count: 0))
    }
  }
  public var contact: Int { Int(row.contact) }
}
