/// One command's run: its words, its principal, the owners it holds, and its decision.
///
/// A body reads state through the turn, declares changes with `emit` and the answer in `reply`; it changes nothing
/// itself. A lane has one turn and reuses it for every command.
///
/// `@exclusivity(unchecked)`: overlapping access is not checked at run time, because a turn belongs to one thread, and
/// no accessor of it calls back.
public final class Turn {
  public let partitioning: Partitioning
  public let digest: @Sendable (UnsafeRawBufferPointer) -> Digest
  /// For the codes of second factors.
  let hmacSHA1: MessageAuthentication
  @exclusivity(unchecked) var counters: any CounterReader
  @exclusivity(unchecked) public var entropy: Entropy

  let table = CommandTable.index

  // The command.
  @exclusivity(unchecked) public internal(set) var spec: CommandSpec
  @exclusivity(unchecked) var gate: CommandGate
  /// The body of a `decide` command; kept here because reaching it through the spec would cost reference counting.
  @exclusivity(unchecked) var decision: (@Sendable (Turn) throws(Halt) -> Void)?
  /// The command's index in the table; -1 if it is not in it.
  @exclusivity(unchecked) var commandIndex = -1
  @exclusivity(unchecked) public internal(set) var arguments: Arguments
  /// The token of `AS token COMMAND …`, as a word of the whole request.
  @exclusivity(unchecked) var authority: UnsafeRawBufferPointer?
  @exclusivity(unchecked) var chosen: ContiguousArray<ChosenOption> = []
  @exclusivity(unchecked) public internal(set) var now: Milliseconds = 0
  @exclusivity(unchecked) public internal(set) var connection = ConnectionFacts(id: 0, service: nil, rights: [])
  /// The session's user for whom the command runs; nil if it runs for the service.
  @exclusivity(unchecked) var userPrincipal: UserPrincipal?
  /// The sides whose rights the command needs; none for a service that is not bound.
  @exclusivity(unchecked) var sides: [Side] = []

  // The owners that are held.
  @exclusivity(unchecked) public internal(set) var home: HeldPartition?
  @exclusivity(unchecked) public internal(set) var others: [HeldPartition] = []
  @exclusivity(unchecked) public internal(set) var directoryCell: DirectoryCell?
  /// The view of the directory that the decision reads.
  @exclusivity(unchecked) public var directory: Directory {
    didSet {
      directoryLSN = directory.lsn
      borrowedDirectory = Unmanaged.passUnretained(directory)
    }
  }
  /// The same, for `withDirectory`.
  @exclusivity(unchecked) private var borrowedDirectory: Unmanaged<Directory>
  /// The last change of `directory`, kept here so that it need not be dereferenced.
  @exclusivity(unchecked) public private(set) var directoryLSN: LSN

  // The decision.
  @exclusivity(unchecked) public var reply = Reply()
  @exclusivity(unchecked) public private(set) var changes: [AnyChange] = []
  /// Collected as changes are emitted: looking through the changes would copy each.
  @exclusivity(unchecked) private(set) var traits: ChangeTraits = []
  /// The conditions on the counters under which the changes may be made.
  @exclusivity(unchecked) public internal(set) var bounds: ContiguousArray<CounterBound> = []
  /// The largest LSN read: the reply must wait until the log is durable through it.
  @exclusivity(unchecked) public internal(set) var horizon: LSN = 0
  /// Sessions and keys that were used; recorded in memory later.
  @exclusivity(unchecked) var seen: [(cell: HeldPartition, login: UsedLogin)] = []
  /// The API key after `AS`.
  @exclusivity(unchecked) var authorityKey: APIKeyReference?
  /// Sessions that this turn ends, so that a cascade ends each only once.
  @exclusivity(unchecked) var endedSessions: Set<SessionID> = []
  /// Sessions that have lost their right, and end even if the command is refused.
  @exclusivity(unchecked) var lapsed: [(id: SessionID, cause: SessionEnd)] = []
  @exclusivity(unchecked) var isVersionChecked = false
  /// Whether the command is decided as one of a group, and what it needs is held until the group has ended.
  @exclusivity(unchecked) var isGrouped = false
  /// What needs a second person, if the decision has used such a permission.
  @exclusivity(unchecked) var demand: ApprovalDemand?
  /// What the words were found to name, where the decision may need a second person or its answer is kept.
  @exclusivity(unchecked) var named: NamedInWords?
  /// The users to whom words of a command lead that reads all partitions.
  @exclusivity(unchecked) var namedPeople: [String: NamedUser] = [:]
  /// What a dry run has done so far (`noteTried`).
  @exclusivity(unchecked) var tried: [PermissionUse] = []
  /// The request that the decision has made of the command, or that there was already.
  @exclusivity(unchecked) var askedFor: ApprovalID?
  /// The request that the decision approves.
  @exclusivity(unchecked) var approval: Approval?
  /// Whether other machines can connect to the server, so that there must always be a service to authenticate as.
  @exclusivity(unchecked) public var isExposed = false
  /// Whether the server only follows another: what is used is not noted, because only the leader may extend its time.
  @exclusivity(unchecked) public var isFollower = false
  /// The record that the command needs to be applied (`MINLSN`); 0 for none.
  @exclusivity(unchecked) public internal(set) var minimumLSN: LSN = 0
  /// Where the command starts once that record is applied.
  @exclusivity(unchecked) public internal(set) var deferred = Start.refused
  /// By how many milliseconds the wall clock is behind the server's time; 0 if it is not.
  @exclusivity(unchecked) public var wallLag: @Sendable () -> Milliseconds = { 0 }
  /// The data folder's secret, from which tokens of idempotent commands are derived.
  let folderSecret: Digest
  /// Serial numbers given out in this turn, beyond those in the state.
  @exclusivity(unchecked) var taken: [TakenIDs] = []

  /// The work that a stopped decision needs, and its outcome when the decision is made again.
  @exclusivity(unchecked) public internal(set) var neededWork: (any Work)?
  @exclusivity(unchecked) var finishedWorks = FinishedWorks()
  /// While a body runs whose passwords are hashed together.
  @exclusivity(unchecked) var gathering: GatheredPasswords?
  /// Whether there is either. Checking an existential calls the runtime, which every command would pay for.
  @exclusivity(unchecked) var hasWork = false

  /// A login that the command refuses, if any.
  @exclusivity(unchecked) var refusal = RefusedLogin()
  @exclusivity(unchecked) var hasRefusal = false
  let refusals: any RefusalKeeper

  /// The product of the login that the command lets in, if any.
  @exclusivity(unchecked) var admitted: ProductID = 0
  @exclusivity(unchecked) var hasAdmission = false
  public let admissions = Admissions()

  let guesses: any GuessKeeper
  /// Where a guess came from that the command found wrong; empty if it found none.
  @exclusivity(unchecked) var wrongGuess: [GuessSource] = []
  /// … and those of earlier commands of its group, which are counted when the group has ended.
  @exclusivity(unchecked) var pendingGuesses: [GuessSource] = []

  @exclusivity(unchecked) var lookahead = Lookahead.none

  // The folded name of the routed user, computed once.
  let foldedName: UnsafeMutableRawBufferPointer
  @exclusivity(unchecked) var foldedCount = 0
  @exclusivity(unchecked) var foldedWord = -1
  @exclusivity(unchecked) var foldedKey: NameKey?

  public init(
    partitioning: Partitioning, directory: Directory, counters: any CounterReader, refusals: any RefusalKeeper,
    guesses: any GuessKeeper = NoGuesses(), folderSecret: Digest, entropy: Entropy,
    digest: @escaping @Sendable (UnsafeRawBufferPointer) -> Digest, hmacSHA1: @escaping MessageAuthentication
  ) {
    self.partitioning = partitioning
    self.directory = directory
    directoryLSN = directory.lsn
    borrowedDirectory = Unmanaged.passUnretained(directory)
    self.counters = counters
    self.refusals = refusals
    self.guesses = guesses
    self.folderSecret = folderSecret
    self.entropy = entropy
    self.digest = digest
    self.hmacSHA1 = hmacSHA1
    self.spec = CommandTable.unknown
    self.gate = CommandGate(CommandTable.unknown)
    self.arguments = Arguments.none
    self.foldedName = UnsafeMutableRawBufferPointer.allocate(byteCount: FoldedName.bytes, alignment: 8)
  }

  deinit { foldedName.deallocate() }

  struct ChosenOption {
    /// The index in the spec's options.
    let option: Int
    /// The index of the word with its first value.
    let word: Int
    /// The number of values.
    let count: Int
  }

  /// How many serial numbers of a kind this turn has given out in a partition. Nearly every command creates one thing of
  /// a kind, and none does so in more than a few hundred partitions, so a list that is searched is enough.
  struct TakenIDs {
    /// The kind of entity.
    let kind: ObjectIdentifier
    let partition: Int
    /// The last serial number that the partition has given out.
    let last: Int
    var count = 0
  }
}

extension Turn {
  /// Calls `body` with the directory, without reference counting. In a command that reads it several times, counting
  /// would cost a login check as much as reading the user's row. The turn keeps the directory alive meanwhile.
  @inline(__always)
  func withDirectory<Result, Failure>(
    _ body: (Directory) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // `_withUnsafeGuaranteedRef` has no typed throws.
    try borrowedDirectory._withUnsafeGuaranteedRef { directory in
      Swift.Result { () throws(Failure) in try body(directory) }
    }.get()
  }

  /// The user for whom the command runs; nil for a service.
  public var asUser: UserPrincipal? { userPrincipal }

  public var principal: Principal {
    userPrincipal.map { .user($0) } ?? .service(connection.service ?? 0, connection.rights)
  }
}

// MARK: - Owners

extension Turn {
  /// The state of a partition. If it is not held, the decision stops, and starts over when it is.
  @inline(__always)
  public func cell(_ partition: Int) throws(Halt) -> HeldPartition {
    if let home, home.index == partition { return home }
    return try otherCell(partition)
  }

  /// A partition if it is held.
  func held(_ partition: Int) -> HeldPartition? {
    if let home, home.index == partition { return home }
    return others.first { $0.index == partition }
  }

  private func otherCell(_ partition: Int) throws(Halt) -> HeldPartition {
    if let found = others.first(where: { $0.index == partition }) { return found }
    var needed = heldOwners
    needed.insert(partition)
    throw .needs(needed)
  }

  /// The directory's own state, for commands that change it.
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

  /// Asks for several partitions at once, so that the decision starts over only once.
  public func hold(_ partitions: some Sequence<Int>) throws(Halt) {
    let held = heldOwners
    var needed = held
    for partition in partitions { needed.insert(partition) }
    guard needed == held else { throw .needs(needed) }
  }

  /// The owners that the command holds now.
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

  /// Whether the decision has changes.
  public var hasChanges: Bool { !changes.isEmpty }

  /// Drops the changes and keeps the answer.
  public func dropChanges() {
    changes.removeAll(keepingCapacity: true)
    traits = []
  }

  /// Adds a bound: the gate refuses the changes if it would not hold after them.
  public func require(_ bound: CounterBound) { bounds.append(bound) }

  /// Notes that the decision depends on a change.
  @inline(__always)
  public func read(_ lsn: LSN) { if lsn > horizon { horizon = lsn } }

  /// Notes that a session was used.
  public func see(_ cell: HeldPartition, slot: Int) { seen.append((cell, .session(slot: slot))) }

  /// Notes that a session was used. With an impersonation its actor uses the own login.
  func use(_ cell: HeldPartition, slot: Int) throws(Halt) {
    see(cell, slot: slot)
    guard let login = cell.state.sessions.impersonation(ofSlot: slot)?.actorSession else { return }
    let actors = try self.cell(partitioning.partition(of: login))
    if let slot = actors.state.slot(of: login) { see(actors, slot: slot) }
  }

  /// Notes that a key was used.
  func use(_ key: APIKeyReference) { seen.append((key.cell, .key(key.serial))) }

  // MARK: New ids

  /// The id of something that this decision creates in a partition that it holds.
  ///
  /// - Parameter last: the last serial number of this kind that the partition has given out.
  func newID<Entity>(in cell: HeldPartition, after last: Int) -> Identifier<Entity> {
    let kind = Identifier<Entity>.kind
    let index = taken.firstIndex { $0.kind == kind && $0.partition == cell.index } ?? taken.endIndex
    if index == taken.endIndex { taken.append(TakenIDs(kind: kind, partition: cell.index, last: last)) }
    taken[index].count += 1
    return cell.state.id(last + taken[index].count)
  }

  /// Whether this decision has given out an id by `newID`.
  func isTaken(_ id: any EntityIdentifier) -> Bool {
    // Serial number and partition lie alike in ids of all kinds.
    let place = UserID(raw: id.raw)
    let (kind, partition) = (type(of: id).kind, partitioning.partition(of: place))
    return taken.contains { ids in
      ids.kind == kind && ids.partition == partition && partitioning.serial(of: place) > ids.last
    }
  }
}

/// What a command was sent or checked with, and when it was last used is remembered of.
enum UsedLogin: BitwiseCopyable, Sendable {
  case session(slot: Int)
  case key(Int)
}

extension PartitionState {
  /// Notes in memory that something was used.
  mutating func use(_ login: UsedLogin, at now: Milliseconds) {
    switch login {
    case .session(let slot): sessions.see(slot: slot, at: now)
    case .key(let key): apiKeys.use(key, at: now)
    }
  }
}

/// A user that a decision found: the partition and the serial number in it.
public struct UserReference {
  public let id: UserID
  public let cell: HeldPartition
  public let serial: Int

  public var row: UserRow {
    @inline(__always) unsafeAddress { cell.state.people.users.address(of: serial) }
  }
  public var username: String { cell.state.people.username(serial) }

  /// Calls `body` with the username without making a string.
  func withUsername<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    cell.state.people.users.withDetails(of: serial) { details in
      body(Details.field(UserTag.username, in: details) ?? UnsafeRawBufferPointer(start: nil, count: 0))
    }
  }
  public var contact: Int { Int(row.contact) }

  /// Whether nobody else may take the user's name: of a live user, and of one who leads to another (L13).
  var holdsName: Bool { row.status != .deleted || cell.state.people.successor(ofUser: serial) != nil }
}
