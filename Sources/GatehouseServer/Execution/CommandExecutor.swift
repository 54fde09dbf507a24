import GatehouseCore
import GatehouseStorage
import Synchronization

/// The one door: carries out commands on the calling thread. It enters the owners that a command needs, decides, logs,
/// applies and leaves, all in one go and without waiting.
///
/// An executor holds what one thread needs for this; each lane has one. The fronts, such as connections, contain no
/// rules.
final class CommandExecutor {
  let services: ServerContext
  let gate: Gate
  @exclusivity(unchecked) let turn: Turn
  @exclusivity(unchecked) let handles: ContiguousArray<PartitionHandle>
  let owner: DirectoryHandle
  private let publishedLSN: UnsafePointer<Atomic<LSN>>
  /// The buffer for a record's bytes, reused.
  @exclusivity(unchecked) var record = ByteWriter()
  @exclusivity(unchecked) private var decisions: UInt = 0
  /// How many nanoseconds commands have waited for owners that other threads were in. Whoever reports the figure resets
  /// it.
  @exclusivity(unchecked) var waited: UInt64 = 0

  /// Whether the server follows another. Read for every command, so it is kept here and asked for once a read.
  @exclusivity(unchecked) private(set) var isFollowing = false

  /// - Parameter refusals: records the logins that this executor refuses.
  init(_ services: ServerContext, refusals: RefusalRing) {
    self.services = services
    gate = services.gate
    turn = services.makeTurn(refusals: refusals)
    handles = services.handles
    owner = services.directory.handle
    publishedLSN = services.gate.publishedLSN
    record.seals = services.folder.keys
  }

  /// Asks whether the server leads or follows.
  @inline(__always)
  func noteRole() {
    let isFollowing = services.facts.node.isFollowing
    if isFollowing == self.isFollowing { return }
    self.isFollowing = isFollowing
    turn.isFollower = isFollowing
  }

  /// How a command ended.
  enum Outcome {
    /// It changed nothing.
    case read
    /// It is in the log, but not yet durable.
    case written
    /// It has changed nothing yet. The turn's `neededWork` must be done first, then the command is carried out again.
    case needsWork
  }

  // MARK: Deciding

  /// Carries out the turn's command. The reply is then in the turn; the caller calls `turn.letGo()` when done with it.
  ///
  /// - Parameters:
  ///   - home: the partition to begin in; nil if the directory's view is enough to begin with.
  ///   - turn: the executor's own turn, passed in so that no command retains and releases it.
  @inline(__always)
  func carryOut(_ turn: Turn, home: Int?) -> Outcome {
    guard let home else { return carryOut(OwnerSet()) }
    switch carryOutAlone(turn, home) {
    case .done(let outcome): return outcome
    case .again(let owners): return carryOut(owners)
    case .refused(let violation, let horizon):
      if freeEndedSeats(violation) { return carryOut(OwnerSet(partition: home), mayFree: false) }
      return refuse(violation, horizon)
    }
  }

  /// The result of a decision over the owners at hand.
  private enum Step {
    case done(Outcome)
    /// Decide again, with these owners and the current directory.
    case again(OwnerSet)
    case refused(CounterViolation, horizon: LSN)
  }

  /// The usual path: nearly all commands concern one partition.
  @inline(__always)
  private func carryOutAlone(_ turn: Turn, _ home: Int) -> Step {
    let hold = handles[home].enter(addingWaitTo: &waited)
    let watch = HoldWatch(&decisions)
    adoptDirectory(turn)
    let step = conclude(turn, turn.decide(home: hold.cell))
    if watch.isOn { watch.end(services.holdFigures) }
    hold.leave()
    return step
  }

  /// - Parameter mayFree: whether seats may be freed once before the command is refused for want of one.
  private func carryOut(_ first: OwnerSet, mayFree: Bool = true) -> Outcome {
    var owners = first
    var mayFree = mayFree
    while true {
      switch carryOut(holding: owners) {
      case .done(let outcome): return outcome
      case .again(let more): owners = owners.union(more)
      case .refused(let violation, let horizon):
        guard mayFree, freeEndedSeats(violation) else { return refuse(violation, horizon) }
        mayFree = false
      }
    }
  }

  private func carryOut(holding owners: OwnerSet) -> Step {
    let holds = Holds(owners, handles, owner, addingWaitTo: &waited)
    let watch = HoldWatch()
    adoptDirectory(turn)
    let step = conclude(turn, turn.decide(holding: holds.cells, directory: holds.directory))
    watch.end(services.holdFigures)
    holds.leave()
    return step
  }

  /// Commits the decision, while the owners are held.
  @inline(__always)
  private func conclude(_ turn: Turn, _ outcome: GatehouseCore.Outcome) -> Step {
    switch outcome {
    case .decided: break
    case .needs(let owners):
      // The command needs no further owner, only a current directory: a change is about to be published; wait for it.
      if owners == turn.heldOwners { owner.passThrough() }
      return .again(owners)
    case .needsWork: return .done(.needsWork)
    case .refused(let violation): return .refused(violation, horizon: turn.horizon)
    }
    guard turn.hasChanges else {
      turn.noteInMemory()
      return .done(.read)
    }
    return commit()
  }

  // MARK: Committing

  /// Logs what the turn decided and applies it. If the log refuses it, nothing is applied.
  private func commit() -> Step {
    var header = turn.recordHeader
    var result = append(header)
    // Another lane read the clock later but appended first. Times must not decrease in LSN order, so take its time.
    while case .failure(.log(.early(let newest))) = result {
      header.time = newest
      result = append(header)
    }
    switch result {
    case .success(let lsn):
      turn.commit(lsn, header)
      if let changed = turn.changedDirectory { services.publish(changed, turn) }
      turn.noteInMemory()
      return .done(.written)
    case .failure(.staleDirectory):
      // A directory change is about to be published; wait for it. Its owner needs nothing that is held here.
      owner.passThrough()
      return .again(turn.heldOwners)
    case .failure(.bound(let violation, let horizon)):
      if violation.isOutOfDate { return .again(turn.heldOwners) }
      return .refused(violation, horizon: horizon)
    case .failure(.log(let refusal)):
      if turn.isNotedInPassing {
        turn.dropChanges()
        turn.noteInMemory()
      } else {
        turn.answer(Refusal(logRefusal: refusal, services))
      }
      return .done(.read)
    }
  }

  private func append(_ header: RecordHeader) -> Result<LSN, Gate.Objection> {
    record.reset()
    turn.encodeRecord(header, into: &record)
    return record.withBytes { gate.append($0, at: header.time, of: turn) }
  }

  /// Whether the directory has changed since the turn read it.
  var isDirectoryStale: Bool { turn.directoryLSN != publishedLSN.pointee.load(ordering: .acquiring) }

  /// Gives the turn the current directory. Call it while holding the owners, so that the directory contains everything
  /// that their state refers to.
  @inline(__always)
  func adoptDirectory(_ turn: Turn) {
    if turn.directoryLSN != publishedLSN.pointee.load(ordering: .acquiring) { turn.directory = gate.directory }
  }

  // MARK: Refusing

  /// Has accesses that have ended give back their seats, before a command is refused because a pool is full. The upkeep
  /// would do so within half a second, but whoever asks in between must not be told that there are none. Call it after
  /// the command's owners were left.
  ///
  /// - Returns: whether anything has ended, so that the command should be decided again.
  func freeEndedSeats(_ violation: CounterViolation) -> Bool {
    guard case .seats(_, _, isForTaking: true) = violation.bound else { return false }
    let now = turn.now
    // With another turn: this one has the command.
    let hasEnded = services.withExecutor { executor in
      var hasEnded = false
      for partition in handles.indices {
        var hasMore = true
        while hasMore {
          let ended = executor.endDueRights(partition, now: now, most: Self.endedAtOnce)
          if ended.outcome == .written { hasEnded = true }
          hasMore = ended.hasMore
        }
      }
      return hasEnded
    }
    if hasEnded { services.log.wake() }
    return hasEnded
  }

  /// How many users one such record ends something of.
  private static let endedAtOnce = 16

  /// Refuses because a bound would be broken. If a pool is full, the refusal names some holders of its seats; they are
  /// looked up here, partition by partition, after the command's owners were left.
  func refuse(_ violation: CounterViolation, _ horizon: LSN) -> Outcome {
    var names: [String] = []
    if let pool = violation.fullPool {
      for handle in handles where names.count < Self.namedHolders {
        var next: Int? = 1
        while let first = next {
          let hold = handle.enter(addingWaitTo: &waited)
          next = turn.addHolders(
            of: pool, in: hold.cell, from: first, rows: Limits.rowsOfSlice, most: Self.namedHolders, to: &names)
        }
      }
    }
    turn.answer(violation, holders: names)
    turn.read(horizon)
    return .read
  }

  /// How many holders of seats a refusal names.
  private static let namedHolders = 5

  // MARK: Authority

  /// Determines the principal of a command that reads all partitions, and whom its words name.
  ///
  /// - Returns: false if the command may not run; the reply says why.
  func authorise() -> Bool {
    guard turn.needsPreparing else { return true }
    var owners = OwnerSet()
    while true {
      let holds = Holds(owners, handles, owner, addingWaitTo: &waited)
      adoptDirectory(turn)
      switch conclude(turn, turn.prepare(holding: holds.cells)) {
      case .again(let more): owners = owners.union(more)
      case .done(let outcome):
        // The session had lost its right, and the decision ended it.
        if outcome == .written { services.log.wake() }
        return !turn.reply.isError
      case .refused: preconditionFailure("ending a session moves no counter")
      }
    }
  }

  // MARK: Prefetching

  /// Prefetches the memory that the next requests will read. A partition that another thread is in is skipped: a guess
  /// is not worth waiting for.
  @inline(__always)
  func lookAhead(_ lookaheads: UnsafeMutableBufferPointer<Lookahead>) {
    for _ in 0..<Lookahead.steps {
      for index in lookaheads.indices where lookaheads[index].partition >= 0 {
        guard let hold = handles[lookaheads[index].partition].tryEnter() else { continue }
        lookaheads[index].advance(hold.cell)
      }
    }
  }

  // MARK: Scans

  /// Adds one slice of a partition's rows to the result of a command that reads all partitions.
  ///
  /// - Returns: false if the command is refused; the reply says why.
  func collect(_ partition: Int, into gathered: inout Gathered) -> Bool {
    let hold = handles[partition].enter(addingWaitTo: &waited)
    let watch = HoldWatch()
    adoptDirectory(turn)
    let isDone = turn.collect(hold.cell, into: &gathered)
    watch.end(services.holdFigures)
    hold.leave()
    return isDone
  }

  /// Looks up what the answer of a scan still lacks, such as the people whom it names, in the partitions where they live.
  ///
  /// - Parameter goesOn: asked after each partition whether there is time for another.
  /// - Returns: whether nobody is left to be looked up.
  func lookUpPeople(for gathered: inout Gathered, while goesOn: () -> Bool) -> Bool {
    for partition in gathered.unfinished(turn.partitioning).sorted() {
      let hold = handles[partition].enter(addingWaitTo: &waited)
      let watch = HoldWatch()
      adoptDirectory(turn)
      turn.lookUp(hold.cell, for: &gathered)
      watch.end(services.holdFigures)
      hold.leave()
      if !goesOn() { break }
    }
    return !gathered.isUnfinished
  }

  // MARK: Upkeep

  /// Ends expired sessions of a partition, at most `most` of them.
  ///
  /// - Returns: whether there may be more, and whether a record was written.
  func endDueSessions(_ partition: Int, now: Milliseconds, most: Int) -> (hasMore: Bool, outcome: Outcome) {
    let due = dueSessions(partition, now: now, most: most)
    if due.isEmpty { return (false, .read) }
    let outcome = end(due, OwnerSet(partition: partition), now: now) { cells in
      // The log did not take the change, so the sessions are due again.
      for cell in cells where cell.index == partition { cell.state.putBack(due) }
    }
    return (outcome == .written && due.count == most, outcome)
  }

  /// Ends sessions that a scan found to have lost their right, if they still have. This replaces the scan's command in
  /// the turn, so save its reply first.
  ///
  /// - Returns: the LSN of the record that ends them, or 0 if there is none.
  func endLapsed(_ sessions: [SessionID], now: Milliseconds) -> LSN {
    var owners = OwnerSet()
    for id in sessions { owners.insert(turn.partitioning.partition(of: id)) }
    guard end(sessions, owners, now: now) == .written else { return 0 }
    services.log.wake()
    return turn.horizon
  }

  /// - Parameter orElse: called with the held partitions if nothing was logged.
  private func end(
    _ sessions: [SessionID], _ first: OwnerSet, now: Milliseconds, orElse: ([HeldPartition]) -> Void = { _ in }
  ) -> Outcome {
    turn.beginExpiry(now: now)
    defer { turn.letGo() }
    var owners = first
    while true {
      let holds = Holds(owners, handles, owner, addingWaitTo: &waited)
      adoptDirectory(turn)
      switch conclude(turn, turn.decideExpiry(sessions, home: nil, holding: holds.cells)) {
      case .again(let more): owners = owners.union(more)
      case .done(.written): return .written
      case .done(.read), .done(.needsWork), .refused:
        orElse(holds.cells)
        return .read
      }
    }
  }

  /// Ends for good what has ended by itself of users of a partition, at most `most` of them.
  ///
  /// - Returns: as above.
  func endDueRights(_ partition: Int, now: Milliseconds, most: Int) -> (hasMore: Bool, outcome: Outcome) {
    let due = dueUsers(partition, now: now, most: most)
    if due.isEmpty { return (false, .read) }
    turn.beginEnding(now: now)
    defer { turn.letGo() }
    var owners = OwnerSet(partition: partition)
    while true {
      let holds = Holds(owners, handles, owner, addingWaitTo: &waited)
      adoptDirectory(turn)
      let step = conclude(turn, turn.decideEnds(of: due, holding: holds.cells))
      if case .again(let more) = step {
        owners = owners.union(more)
        continue
      }
      for cell in holds.cells where cell.index == partition { cell.state.putBack(due, at: now) }
      guard case .done(.written) = step else { return (false, .read) }
      return (due.count == most, .written)
    }
  }

  /// Records that keys of a partition were destroyed. If the log takes no record, they stay pending, and are destroyed
  /// again.
  func recordDestroyed(_ keys: [SealKey], generation: UInt64, of partition: Int, now: Milliseconds) {
    turn.beginForgetting(now: now)
    defer { turn.letGo() }
    var owners = OwnerSet(partition: partition)
    while true {
      let holds = Holds(owners, handles, owner, addingWaitTo: &waited)
      adoptDirectory(turn)
      let step = conclude(
        turn, turn.decideDestroyed(keys, generation: generation, of: partition, holding: holds.cells))
      guard case .again(let more) = step else { return }
      owners = owners.union(more)
    }
  }

  private func dueUsers(_ partition: Int, now: Milliseconds, most: Int) -> [UserID] {
    visit(partition) { $0.dueUsers(at: now, limit: most) }
  }

  /// Does a partition's upkeep that changes nothing durable, in visits of their own, so that others come in between.
  ///
  /// - Returns: what there was to do, including what is left to `endDueSessions` and `endDueRights`.
  func tend(_ partition: Int, now: Milliseconds) -> Upkeep {
    let upkeep = visit(partition) { $0.beginUpkeep(at: now) }
    if !upkeep.isDisjoint(with: [.words, .orders, .people]) { FreeMemory.makeRoom() }
    // Within one and a half minutes all contacts of a million have been entered, and the first search need not do it.
    if upkeep.contains(.words) { for _ in 0..<3 { visit(partition) { $0.enterWords() } } }
    if upkeep.contains(.orders) { visit(partition) { $0.enterOrders() } }
    if upkeep.contains(.people) { visit(partition) { $0.filePeople() } }
    return upkeep
  }

  private func dueSessions(_ partition: Int, now: Milliseconds, most: Int) -> [SessionID] {
    visit(partition) { $0.dueSessions(at: now, limit: most) }
  }

  private func visit<Result>(_ partition: Int, _ body: (inout PartitionState) -> Result) -> Result {
    let hold = handles[partition].enter(addingWaitTo: &waited)
    let watch = VisitWatch()
    defer { watch.end(services.holdFigures) }
    let cell = hold.cell
    return body(&cell.state)
  }
}
