/// Commands that take effect together, as those of one `EXEC`. Each is decided on the results of those before it, in
/// isolation from other clients, and all their changes are one record with a part for each.
///
/// The caller holds the owners until the group is committed or dropped. The owners do not change before the log has
/// taken the record: commands are decided over copy-on-write copies of the owners that earlier commands have changed. A
/// refused command changes nothing, and the others continue.
public final class CommandGroup {
  /// Placeholder for the record's LSN until it has one: greater than every real one.
  private static let futureLSN = LSN.max

  /// The changes of one command.
  public struct Part {
    public fileprivate(set) var record: RecordPart
    public let bounds: ContiguousArray<CounterBound>
    /// Whether it only records what the command noticed in passing. The command's answer is the same if that cannot be
    /// logged.
    public let isNotedInPassing: Bool

    public var movesCounters: Bool { !bounds.isEmpty || record.changes.contains(where: \.movesCounters) }
  }

  /// The result of deciding one command.
  public enum Step {
    /// The reply is complete.
    case decided
    /// It needs these owners: hold them, and start over with a new group.
    case needs(OwnerSet)
    /// It needs work that must not be done here.
    case needsWork
    /// A bound would not hold after it. The caller of the group answers, once it holds nothing.
    case refused(CounterViolation)
  }

  private let owners: [HeldPartition]
  private let directoryOwner: DirectoryCell?
  /// The directory on which the group is based.
  public let directory: Directory
  public let counters: GroupCounters
  public private(set) var parts: [Part] = []

  /// The owners as the next command sees them.
  fileprivate private(set) var cells: [HeldPartition]
  fileprivate private(set) var directoryCell: DirectoryCell?
  private var copies: [PartitionCell?]
  /// How many parts were applied to the copies.
  private var appliedParts = 0
  private var seen: [(owner: Int, login: UsedLogin)] = []
  private var refusals: [(refusal: RefusedLogin, keeper: any RefusalKeeper)] = []
  private var admissions: [(product: ProductID, keeper: Admissions)] = []
  private var guesses: [(sources: [GuessSource], keeper: any GuessKeeper)] = []

  /// - Parameters:
  ///   - owners: partitions in ascending order, held until the group has ended.
  ///   - directoryOwner: the directory, if it is held.
  ///   - directory: the current view.
  ///   - counters: loads the gate's counters; called at most once, when something depends on them.
  public init(
    _ owners: [HeldPartition], _ directoryOwner: DirectoryCell?, _ directory: Directory,
    counters: @escaping () -> Counters
  ) {
    self.owners = owners
    self.directoryOwner = directoryOwner
    self.directory = directory
    self.counters = GroupCounters(counters)
    cells = owners
    directoryCell = directoryOwner
    copies = Array(repeating: nil, count: owners.count)
  }

  public var changesDirectory: Bool { parts.contains { $0.record.changes.contains(where: \.changesDirectory) } }

  /// The record, at a time not earlier than that of the previous record.
  public func record(at time: Milliseconds) -> Record {
    for index in parts.indices { parts[index].record.header.time = time }
    return Record(parts[0].record, others: parts.dropFirst().map(\.record))
  }

  /// Brings the copies up to date for the next command.
  fileprivate func applyParts(_ partitioning: Partitioning) {
    while appliedParts < parts.count {
      let part = parts[appliedParts].record
      appliedParts += 1
      part.apply(
        lsn: Self.futureLSN, partitioning, partition: { cells[copy($0)] }, directory: { copyOfDirectory() })
    }
  }

  /// - Returns: the index of a partition's copy.
  private func copy(_ partition: Int) -> Int {
    let index = index(of: partition)
    if copies[index] == nil {
      let copy = PartitionCell(owners[index].state.copy())
      copies[index] = copy
      cells[index] = copy.held
    }
    return index
  }

  private func index(of partition: Int) -> Int {
    guard let index = owners.firstIndex(where: { $0.index == partition }) else {
      preconditionFailure("a command changes partition \(partition) without holding it")
    }
    return index
  }

  private func copyOfDirectory() -> DirectoryCell {
    guard let directoryOwner, let directoryCell else {
      preconditionFailure("a command changes the directory without holding it")
    }
    guard directoryCell === directoryOwner else { return directoryCell }
    let copy = DirectoryCell(directoryOwner.state)
    self.directoryCell = copy
    return copy
  }

  /// The sources of the wrong guesses of its commands so far.
  fileprivate var pendingGuesses: [GuessSource] { guesses.flatMap(\.sources) }

  /// Adds what a turn has decided.
  fileprivate func take(_ turn: Turn) -> CounterViolation? {
    if !turn.changes.isEmpty {
      let part = Part(
        record: RecordPart(header: turn.recordHeader, changes: turn.changes), bounds: turn.bounds,
        isNotedInPassing: turn.isNotedInPassing)
      if part.movesCounters, let violation = counters.move(by: part, lsn: Self.futureLSN) {
        turn.read(counters.lsn)
        return violation
      }
      parts.append(part)
      turn.read(Self.futureLSN)
    }
    if !turn.isFollower { for use in turn.seen { seen.append((index(of: use.cell.index), use.login)) } }
    if turn.hasRefusal { refusals.append((turn.refusal, turn.refusals)) }
    if turn.hasAdmission { admissions.append((turn.admitted, turn.admissions)) }
    if !turn.wrongGuess.isEmpty { guesses.append((turn.wrongGuess, turn.guesses)) }
    return nil
  }

  /// The LSN that a reply must wait for, once the record has its own.
  public func horizon(_ horizon: LSN, recorded lsn: LSN) -> LSN { horizon == Self.futureLSN ? lsn : horizon }

  /// Applies the record to the owners.
  /// - Parameter lsn: the record's number; nil if there is none because nothing changes.
  public func commit(_ lsn: LSN?, now: Milliseconds, _ partitioning: Partitioning) {
    // Drop the copies first: they share pages with the owners, which would otherwise be copied once more on write.
    cells = owners
    directoryCell = directoryOwner
    copies = []
    if let lsn {
      for part in parts {
        part.record.apply(
          lsn: lsn, partitioning, partition: { owners[index(of: $0)] }, directory: { copyOfDirectoryOwner() })
      }
    }
    for use in seen { owners[use.owner].state.use(use.login, at: now) }
    for (refusal, keeper) in refusals { keeper.keep(refusal) }
    for (product, admissions) in admissions { admissions.count(product) }
    for (sources, keeper) in guesses { keeper.count(sources, at: now) }
  }

  private func copyOfDirectoryOwner() -> DirectoryCell {
    guard let directoryOwner else { preconditionFailure("a command changes the directory without holding it") }
    return directoryOwner
  }
}

extension Record {
  /// Applies the changes to every owner that they modify.
  public func apply(
    lsn: LSN, _ partitioning: Partitioning, partition: (Int) -> HeldPartition, directory: () -> DirectoryCell
  ) {
    first.apply(lsn: lsn, partitioning, partition: partition, directory: directory)
    for part in others { part.apply(lsn: lsn, partitioning, partition: partition, directory: directory) }
  }
}

extension RecordPart {
  fileprivate func apply(
    lsn: LSN, _ partitioning: Partitioning, partition: (Int) -> HeldPartition, directory: () -> DirectoryCell
  ) {
    for change in changes {
      change.applyToOwners(partitioning, lsn: lsn, header: header, on: partition, directory: directory)
    }
  }
}

/// The gate's counters, with the changes of the group's commands so far.
public final class GroupCounters: CounterReader, @unchecked Sendable {
  private let load: () -> Counters
  // Touched only by the thread that decides the group.
  private var loaded: Counters?

  init(_ load: @escaping () -> Counters) { self.load = load }

  private var current: Counters {
    if let loaded { return loaded }
    let counters = load()
    loaded = counters
    return counters
  }

  var lsn: LSN { current.lsn }

  public func used(_ pools: [SeatKey], directory: LSN) -> (seats: [Int], lsn: LSN)? {
    let counters = current
    return (pools.map { counters.used($0) }, counters.lsn)
  }

  public func counters(beside directory: LSN) -> Counters? { current }

  fileprivate func move(by part: CommandGroup.Part, lsn: LSN) -> CounterViolation? {
    var counters = current
    loaded = nil
    let violation = counters.move(by: part.record.changes, bounds: part.bounds, lsn: lsn)
    loaded = counters
    return violation
  }
}

// MARK: - Deciding

extension Turn {
  /// Decides the command that the turn has begun, as the next one of a group.
  public func decide(in group: CommandGroup) -> CommandGroup.Step {
    group.applyParts(partitioning)
    isGrouped = true
    pendingGuesses = group.pendingGuesses
    defer {
      isGrouped = false
      pendingGuesses = []
    }
    if case .gather = spec.body { return gather(in: group) }
    return conclude(decide(holding: group.cells, directory: group.directoryCell), in: group)
  }

  private func conclude(_ outcome: Outcome, in group: CommandGroup) -> CommandGroup.Step {
    switch outcome {
    case .needs(let owners): .needs(owners)
    case .needsWork: .needsWork
    case .refused(let violation): .refused(violation)
    case .decided: group.take(self).map { .refused($0) } ?? .decided
    }
  }

  /// A command that reads all partitions. The group holds them all meanwhile, so the number of rows is limited.
  private func gather(in group: CommandGroup) -> CommandGroup.Step {
    guard group.cells.count == partitioning.count else {
      var all = OwnerSet.all(partitioning.count)
      all.directory = group.directoryCell != nil
      return .needs(all)
    }
    if needsPreparing {
      let step = conclude(prepare(holding: group.cells), in: group)
      guard case .decided = step, !reply.isError else { return step }
      group.applyParts(partitioning)
    }
    others.removeAll(keepingCapacity: true)
    var gathered = Gathered()
    let isSmall = group.cells.reduce(0) { $0 + $1.state.people.contacts.last } <= Limits.rowsOfTransaction
    var rows = 0
    repeat {
      rows -= Limits.rowsOfSlice * partitioning.count
      for cell in group.cells where !gathered.isComplete {
        repeat {
          rows += Limits.rowsOfSlice
          guard rows <= Limits.rowsOfTransaction else {
            answer(.limit("transaction: \(spec.name) would read more rows than \(Limits.rowsOfTransaction) at once"))
            return .decided
          }
          guard collect(cell, into: &gathered) else { return .decided }
          // Before the first row, people are filed for the indexes.
          if isSmall, gathered.nextRow == 1 { rows -= Limits.rowsOfSlice }
        } while !gathered.isAtStart && !gathered.isComplete
      }
      finish(&gathered)
    } while gathered.beginsAgain()
    while gathered.isUnfinished {
      for cell in group.cells { lookUp(cell, for: &gathered) }
      finish(&gathered)
    }
    return gathered.lapsed.isEmpty ? .decided : end(gathered.lapsed, in: group)
  }

  /// Ends sessions that a list found to have lost their right, before it is answered.
  private func end(_ sessions: [SessionID], in group: CommandGroup) -> CommandGroup.Step {
    let (answer, before) = (reply, horizon)
    beginExpiry(now: now)
    let step = conclude(decideExpiry(sessions, home: nil, holding: group.cells), in: group)
    restore(answer, horizon: max(before, horizon))
    return step
  }

  /// Lets decisions read these counters until it is called again.
  public func use(_ counters: any CounterReader) { self.counters = counters }

  /// Ends the deciding of a group. What was read of it is of a record that may never be written, so no later command
  /// must wait for that.
  public func leaveGroup(reading counters: any CounterReader) {
    use(counters)
    letGo()
    horizon = 0
  }
}
