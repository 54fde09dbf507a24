import GatehouseCore
import GatehouseStorage
import GatehouseWire

/// `EXEC`: commands that take effect together.
extension CommandExecutor {
  /// What became of a command of a group.
  enum GroupAnswer {
    case decided(Reply, horizon: LSN, place: Int?)
    /// It was turned away before it could be decided.
    case rejected(Reply, place: Int?)
    /// It is about the connection or the server, or needs work off the thread: it is the front's to carry out in its
    /// place.
    case front

    /// The record that the answer must wait for.
    var horizon: LSN {
      switch self {
      case .decided(_, let horizon, _): horizon
      case .rejected, .front: 0
      }
    }
  }

  /// What became of a group.
  enum GroupOutcome {
    /// Each command has its answer.
    case done([GroupAnswer], Outcome)
    /// Nothing was done.
    case refused(Refusal)
  }

  /// Rounds in which a group finds out what owners it needs; after them it takes all.
  private static let mostRounds = 4

  /// Carries out commands together: nobody comes in between, and what they change is one record.
  func carryOut(together requests: [OwnedArguments], on facts: ConnectionFacts, now: Milliseconds) -> GroupOutcome {
    var owners = homes(of: requests, facts, now)
    var round = 1
    while true {
      if round > Self.mostRounds { owners = .all(turn.partitioning.count) }
      switch decide(requests, facts, now, holding: owners) {
      case .again(let more): owners = owners.union(more)
      case .done(let decided, let outcome): return .done(decided.map { answer(to: $0) }, outcome)
      case .refused(let refusal): return .refused(refusal)
      }
      round += 1
    }
  }

  /// How the decisions of a group went over the owners it had.
  fileprivate enum GroupStep {
    case done([GroupDecision], Outcome)
    /// Over these owners, and the directory as it is by then.
    case again(OwnerSet)
    case refused(Refusal)
  }

  fileprivate enum GroupDecision {
    case answered(GroupAnswer)
    /// Who has the seats is looked up when nothing is held any more.
    case refused(CounterViolation, horizon: LSN, place: Int?)
  }

  /// Where the commands begin, so that most groups take the right owners at once.
  private func homes(of requests: [OwnedArguments], _ facts: ConnectionFacts, _ now: Milliseconds) -> OwnerSet {
    var owners = OwnerSet()
    for request in requests {
      request.withView { request in
        var place: Int?
        if case .partition(let home) = turn.begin(request, on: facts, now: now, place: &place) { owners.insert(home) }
      }
    }
    return owners
  }

  private func decide(
    _ requests: [OwnedArguments], _ facts: ConnectionFacts, _ now: Milliseconds, holding owners: OwnerSet
  ) -> GroupStep {
    let holds = Holds(owners, handles, owner, addingWaitTo: &waited)
    let watch = HoldWatch()
    adoptDirectory(turn)
    let base = turn.directory
    let gate = gate
    var isStale = false
    let group = CommandGroup(holds.cells, holds.directory, base) {
      let (counters, isCurrent) = gate.counters(beside: base.lsn)
      if !isCurrent { isStale = true }
      return counters
    }
    turn.use(group.counters)
    var needed = owners
    let decisions = decide(requests, facts, now, in: group, &needed)
    turn.use(gate)
    turn.letGo()
    turn.directory = base
    let step: GroupStep
    if isStale {
      // Seats used by now beside an old number of seats bought: whoever changes the directory is about to publish.
      owner.passThrough()
      step = .again(needed)
    } else if needed != owners {
      step = .again(needed)
    } else if let decisions {
      step = commit(group, decisions, now: now, holds.directory)
    } else {
      step = .refused(Self.tooMuchToSay)
    }
    watch.end(services.holdFigures)
    holds.leave()
    return step
  }

  /// - Parameter needed: takes the owners that the commands turn out to need. Those behind a command that lacks one are
  ///   decided all the same, so that what they need is found in one go.
  /// - Returns: nil where the replies would be more than a transaction may have.
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
    var place: Int?
    switch turn.begin(request, on: facts, now: now, place: &place) {
    case .refused: return .answered(.rejected(turn.reply, place: place))
    case .server: return .answered(.front)
    case .partition, .anywhere, .everywhere:
      switch turn.decide(in: group) {
      case .decided: break
      case .needs(let owners): needed = needed.union(owners)
      case .needsWork: return .answered(.front)
      case .refused(let violation): return .refused(violation, horizon: turn.horizon, place: place)
      }
      return .answered(.decided(turn.reply, horizon: turn.horizon, place: place))
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
      // Somebody took the seat since the commands were decided: they are told so when they are decided again.
      return .again(OwnerSet())
    case .failure(.log(let refusal)):
      guard group.parts.allSatisfy(\.isNotedInPassing) else {
        return .refused(Refusal(logRefusal: refusal, services.log))
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
    case .refused(let violation, let horizon, let place):
      _ = refuse(violation, horizon)
      return .decided(turn.reply, horizon: horizon, place: place)
    }
  }
}

extension CommandExecutor.GroupDecision {
  /// The same, with what its reply must wait for.
  fileprivate func recorded(_ lsn: LSN, _ group: CommandGroup) -> Self {
    switch self {
    case .answered(.decided(let reply, let horizon, let place)):
      .answered(.decided(reply, horizon: group.horizon(horizon, recorded: lsn), place: place))
    case .answered: self
    case .refused(let violation, let horizon, let place):
      .refused(violation, horizon: group.horizon(horizon, recorded: lsn), place: place)
    }
  }
}
