import GatehouseCore
import GatehouseStorage
import GatehouseWire

/// `EXEC`: several commands that take effect together.
extension CommandExecutor {
  /// The result of one command of a group.
  enum GroupAnswer {
    case decided(Reply, horizon: LSN, commandIndex: Int?)
    /// A gate refused it.
    case rejected(Reply, commandIndex: Int?)
    /// It concerns the connection or the server, or needs work off the thread: the front carries it out when its turn
    /// to be answered comes.
    case front

    /// nil if the front has yet to answer.
    var reply: Reply? {
      switch self {
      case .decided(let reply, _, _), .rejected(let reply, _): reply
      case .front: nil
      }
    }

    /// The record that the answer waits for.
    var horizon: LSN {
      switch self {
      case .decided(_, let horizon, _): horizon
      case .rejected, .front: 0
      }
    }
  }

  /// The result of a group.
  enum GroupOutcome {
    /// Each command has its answer.
    case done([GroupAnswer], Outcome)
    /// Nothing was done.
    case refused(Refusal)
    /// Nothing was done, because one of the commands was refused: its answer, and its number.
    case undone(by: GroupAnswer, at: Int)
  }

  /// What becomes of a group of which a command is refused.
  enum GroupRule {
    /// The others take effect, as with `EXEC`.
    case each
    /// None takes effect.
    case allOrNone
  }

  /// After this many rounds of finding out which owners a group needs, it takes all of them.
  private static let mostRounds = 4

  /// Carries out commands as one: nothing runs in between, and all their changes are one record.
  func carryOut(
    together requests: [OwnedArguments], on facts: ConnectionFacts, now: Milliseconds, _ rule: GroupRule = .each
  ) -> GroupOutcome {
    var owners = homes(of: requests, facts, now)
    var round = 1
    var mayFree = true
    while true {
      if round > Self.mostRounds { owners = .all(turn.partitioning.count) }
      switch decide(requests, facts, now, holding: owners, mayFree: mayFree, rule) {
      case .again(let more): owners = owners.union(more)
      case .isFull(let violation):
        mayFree = false
        _ = freeEndedSeats(violation)
      case .done(let decided, let outcome): return .done(decided.map { answer(to: $0) }, outcome)
      case .refused(let refusal): return .refused(refusal)
      case .undone(let decision, let index): return .undone(by: answer(to: decision), at: index)
      }
      round += 1
    }
  }

  /// The result of one round of decisions over the owners at hand.
  fileprivate enum GroupStep {
    case done([GroupDecision], Outcome)
    /// Decide again, with these owners and the current directory.
    case again(OwnerSet)
    /// A pool is full, and no seats were freed yet: nothing was done. Decide again after that.
    case isFull(CounterViolation)
    case refused(Refusal)
    case undone(GroupDecision, at: Int)
  }

  fileprivate enum GroupDecision {
    case answered(GroupAnswer)
    /// A pool is full or a bound is broken. Who holds the seats is looked up later, when no owner is held.
    case refused(CounterViolation, horizon: LSN, commandIndex: Int?)
  }

  /// The partitions in which the commands begin; most groups need no more than these.
  private func homes(of requests: [OwnedArguments], _ facts: ConnectionFacts, _ now: Milliseconds) -> OwnerSet {
    var owners = OwnerSet()
    for request in requests {
      request.withView { request in
        var commandIndex: Int?
        if case .partition(let home) = turn.begin(request, on: facts, now: now, commandIndex: &commandIndex) {
          owners.insert(home)
        }
      }
    }
    return owners
  }

  private func decide(
    _ requests: [OwnedArguments], _ facts: ConnectionFacts, _ now: Milliseconds, holding owners: OwnerSet,
    mayFree: Bool, _ rule: GroupRule
  ) -> GroupStep {
    let holds = Holds(owners, handles, owner, addingWaitTo: &waited)
    let watch = HoldWatch()
    adoptDirectory(turn)
    let base = turn.directory
    let gate = gate
    var isStale = false
    let group = CommandGroup(holds.cells, holds.directory, base) {
      let (counters, isCurrent) = gate.currentCounters(beside: base.lsn)
      if !isCurrent { isStale = true }
      return counters
    }
    turn.use(group.counters)
    var needed = owners
    let decisions = decide(requests, facts, now, in: group, &needed)
    turn.leaveGroup(reading: gate)
    turn.directory = base
    let step: GroupStep
    if isStale {
      // Counters beside an outdated directory, such as seats used beside an old number of seats bought. A directory
      // change is about to be published; wait for it.
      owner.passThrough()
      step = .again(needed)
    } else if needed != owners {
      step = .again(needed)
    } else if mayFree, let violation = decisions?.lazy.compactMap(\.violation).first {
      step = .isFull(violation)
    } else if rule == .allOrNone, let decisions, let index = decisions.firstIndex(where: \.isRefusal) {
      // What the refusal tells of other commands of the group waits for nothing; what it tells of others' was appended.
      step = .undone(decisions[index].recorded(services.log.appendedLSN, group), at: index)
    } else if let decisions {
      step = commit(group, decisions, now: now, holds.directory)
    } else {
      step = .refused(Self.tooMuchToSay)
    }
    watch.end(services.holdFigures)
    holds.leave()
    return step
  }

  /// - Parameter needed: collects the owners that the commands turn out to need. Commands after one that lacks an owner
  ///   are decided too, so that one round finds all of them.
  /// - Returns: nil if the replies exceed what a transaction may have.
  private func decide(
    _ requests: [OwnedArguments], _ facts: ConnectionFacts, _ now: Milliseconds, in group: CommandGroup,
    _ needed: inout OwnerSet
  ) -> [GroupDecision]? {
    var decisions: [GroupDecision] = []
    decisions.reserveCapacity(requests.count)
    var size = 0
    for request in requests {
      let decision = request.withView { decide($0, facts, now, in: group, &needed) }
      if case .answered(.decided(let reply, _, _)) = decision { size += reply.size }
      if size > WireLimits.standard.transactionReplyBytes { return nil }
      decisions.append(decision)
    }
    return decisions
  }

  private func decide(
    _ request: Arguments, _ facts: ConnectionFacts, _ now: Milliseconds, in group: CommandGroup,
    _ needed: inout OwnerSet
  ) -> GroupDecision {
    var commandIndex: Int?
    switch begin(request, on: facts, now: now, commandIndex: &commandIndex) {
    case .refused, .later: return .answered(.rejected(turn.reply, commandIndex: commandIndex))
    case .server: return .answered(.front)
    case .partition, .anywhere, .everywhere:
      switch turn.decide(in: group) {
      case .decided: break
      case .needs(let owners): needed = needed.union(owners)
      case .needsWork: return .answered(.front)
      case .refused(let violation): return .refused(violation, horizon: turn.horizon, commandIndex: commandIndex)
      }
      return .answered(.decided(turn.reply, horizon: turn.horizon, commandIndex: commandIndex))
    }
  }

  private static var tooMuchToSay: Refusal {
    .limit("transaction: its replies would have more than \(WireLimits.standard.transactionReplyBytes) bytes")
  }

  // MARK: Committing

  /// Logs what the group decided and applies it, all or nothing.
  private func commit(
    _ group: CommandGroup, _ decisions: [GroupDecision], now: Milliseconds, _ directory: DirectoryCell?
  ) -> GroupStep {
    guard !group.parts.isEmpty else {
      group.commit(nil, now: now, turn.partitioning)
      return .done(decisions, .read)
    }
    var time = now
    var result = append(group, at: time)
    while case .failure(.log(.early(let newest))) = result {
      time = newest
      result = append(group, at: time)
    }
    switch result {
    case .success(let lsn):
      group.commit(lsn, now: now, turn.partitioning)
      if let changed = directory?.state.view, changed !== turn.directory { services.publish(changed, turn) }
      return .done(decisions.map { $0.recorded(lsn, group) }, .written)
    case .failure(.staleDirectory):
      owner.passThrough()
      return .again(OwnerSet())
    case .failure(.bound):
      // Somebody took the seat since the commands were decided. Deciding them again gives the refusal.
      return .again(OwnerSet())
    case .failure(.log(let refusal)):
      guard group.parts.allSatisfy(\.isNotedInPassing) else {
        return .refused(Refusal(logRefusal: refusal, services))
      }
      group.commit(nil, now: now, turn.partitioning)
      return .done(decisions.map { $0.recorded(services.log.appendedLSN, group) }, .read)
    }
  }

  private func append(_ group: CommandGroup, at time: Milliseconds) -> Result<LSN, Gate.Objection> {
    record.reset()
    group.record(at: time).encode(into: &record)
    return record.withBytes { gate.append($0, at: time, of: group) }
  }

  private func answer(to decision: GroupDecision) -> GroupAnswer {
    switch decision {
    case .answered(let answer): return answer
    case .refused(let violation, let horizon, let commandIndex):
      _ = refuse(violation, horizon)
      return .decided(turn.reply, horizon: horizon, commandIndex: commandIndex)
    }
  }
}

extension CommandExecutor.GroupDecision {
  fileprivate var violation: CounterViolation? {
    if case .refused(let violation, _, _) = self { violation } else { nil }
  }

  /// Whether the command is refused, or cannot be carried out with others.
  fileprivate var isRefusal: Bool {
    switch self {
    case .answered(.decided(let reply, _, _)): reply.isError
    case .answered(.rejected), .answered(.front), .refused: true
    }
  }

  /// The same decision, with the LSN that its reply must wait for.
  fileprivate func recorded(_ lsn: LSN, _ group: CommandGroup) -> Self {
    switch self {
    case .answered(.decided(let reply, let horizon, let commandIndex)):
      .answered(.decided(reply, horizon: group.horizon(horizon, recorded: lsn), commandIndex: commandIndex))
    case .answered: self
    case .refused(let violation, let horizon, let commandIndex):
      .refused(violation, horizon: group.horizon(horizon, recorded: lsn), commandIndex: commandIndex)
    }
  }
}
