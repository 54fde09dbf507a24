import GatehouseCore
import GatehouseWire
import NIOCore
import Synchronization

/// The way of a command: gates, then its partition, then the log, then the reply.
extension ConnectionHandler {
  /// Carries out one request, or sees to it that it is carried out elsewhere.
  ///
  /// - Returns: false where the request must wait until everything under way has been answered; it is then
  ///   brought again.
  func handle(_ request: Arguments, _ lane: Lane, _ turn: Turn, _ foresight: Foresight) -> Bool {
    if facts.service == nil, isOpenToAll { authenticate(as: 0, .all, name: "") }
    var place: Int?
    let start = turn.begin(request, on: facts, now: lane.now, place: &place, foresight)
    switch start {
    case .partition(let index):
      if !hasNothingUnderWay, turn.isBarrier { return false }
      if let cell = lane.free[index] {
        guard conclude(turn.decide(home: cell), lane, turn, place, request) else { return false }
      } else {
        // The lane that carries it out counts it.
        runElsewhere(request, lane.services.partitions[index], isBarrier: turn.isBarrier)
        note(place)
        return true
      }
    case .anywhere:
      guard conclude(turn.decide(home: nil), lane, turn, place, request) else { return false }
    case .refused:
      lane.metrics.reject(place, turn.reply.errorCode)
      add(turn.reply, horizon: 0)
      return true
    case .everywhere:
      guard hasNothingUnderWay else { return false }
      lane.single(place, request, client) { gather(request) }
      note(place)
      return true
    case .server(let command):
      guard hasNothingUnderWay else { return false }
      lane.single(place, request, client) { serve(command, request) }
      note(place)
      return true
    }
    if let place {
      lane.count(place)
      client.lastPlace = place
    }
    return true
  }

  private func note(_ place: Int?) {
    guard let place else { return }
    client.lastPlace = place
    client.commands &+= 1
  }

  // MARK: One partition

  /// Commits and answers what was decided, or finds the owners that are missing.
  @inline(__always)
  private func conclude(
    _ outcome: Outcome, _ lane: Lane, _ turn: Turn, _ place: Int?, _ request: Arguments
  ) -> Bool {
    if case .needs(let owners) = outcome {
      switch concludeHolding(owners, request, place) {
      case .decided: break
      case .underWay: return true
      case .mustWait: return false
      }
    }
    var conclusion = turn.conclusion
    if conclusion.hasChanges {
      if let refusal = lane.commit() {
        refuse(refusal, place)
        turn.letGo()
        return true
      }
      conclusion = turn.conclusion
      lastWrite = conclusion.horizon
    }
    turn.noteSeen()
    if conclusion.isError { lane.failed(place, turn.reply.errorCode) }
    addReply(of: turn, on: lane, horizon: conclusion.horizon)
    turn.letGo()
    return true
  }

  /// Whether no command of this connection is on its way to another lane or waits for its owners.
  private var hasNothingUnderWay: Bool { queue.awaited == 0 }

  private enum Holding {
    case decided
    /// The command waits for its owners elsewhere.
    case underWay
    /// What is under way may concern the same people: it comes first.
    case mustWait
  }

  /// Decides again over all the owners that were asked for.
  private func concludeHolding(_ owners: OwnerSet, _ request: Arguments, _ place: Int?) -> Holding {
    guard hasNothingUnderWay else { return .mustWait }
    var owners = owners
    while let outcome = lane.decideHolding(owners) {
      guard case .needs(let more) = outcome else { return .decided }
      owners = more
    }
    escalate(request, owners, place)
    return .underWay
  }

  private func refuse(_ refusal: Refusal, _ place: Int?) {
    lane.failed(place, refusal.code.rawValue)
    var reply = Reply()
    reply.error(refusal.text)
    add(reply, horizon: 0)
  }

  // MARK: Elsewhere

  /// The command's partition is another lane's, or held.
  private func runElsewhere(_ request: Arguments, _ partition: Partition, isBarrier: Bool) {
    if partition.lane === lane { wait(for: partition, request) } else { send(request, to: partition) }
    if isBarrier { isPaused = true }
  }

  /// Puts a request among those that go to another lane at the end of the read.
  private func send(_ request: Arguments, to partition: Partition) {
    if outgoing.isEmpty { outgoing = Array(repeating: RequestBatch(), count: lane.services.lanes.count) }
    outgoing[partition.lane.index].append(request, partition: partition.index, ticket: queue.reserve())
  }

  /// Sends off what goes to other lanes: one job a lane, whose answers come back together.
  func sendOutgoing() {
    for index in outgoing.indices where !outgoing[index].isEmpty {
      let job = LaneJob(
        requests: outgoing[index], facts: facts, version: client.version, connection: self, home: lane)
      outgoing[index] = RequestBatch()
      lane.send(job, to: lane.services.lanes[index])
      jobsUnderWay += 1
    }
  }

  /// Leaves a request with a partition that is held; it runs when its turn comes.
  private func wait(for partition: Partition, _ request: Arguments) {
    let ticket = queue.reserve()
    let job = LaneJob(requests: RequestBatch(), facts: facts, version: client.version, connection: self, home: lane)
    lane.postpone(request, on: partition, job, ticket)
  }

  /// Hands a command over to one that waits for all its owners.
  private func escalate(_ request: Arguments, _ owners: OwnerSet, _ place: Int?) {
    let command = HeldCommand(
      work: .request(OwnedArguments(copying: request), facts), owners: owners, version: client.version)
    let answer = Answer(ticket: queue.reserve(), connection: self, home: lane, place: place)
    let services = lane.services!
    isPaused = true
    services.start { answer.give(await command.run(services)) }
  }

  private func gather(_ request: Arguments) {
    let gathering = Gathering(
      request: OwnedArguments(copying: request), facts: facts, version: client.version, now: lane.now)
    let answer = Answer(ticket: queue.reserve(), connection: self, home: lane, place: lane.singlePlace)
    let services = lane.services!
    isPaused = true
    if services.lanes.count == 1, lane.turn.authorityPartition == nil, let result = gathering.runHere(lane) {
      return answer.give(result)
    }
    services.start { answer.give(await gathering.run(services)) }
  }

  // MARK: Identity

  func authenticate(as service: ServiceID, _ rights: ServiceRights, name: String) {
    facts.service = service
    facts.rights = rights
    client.service = name
  }

  func forgetService() {
    facts.service = nil
    facts.rights = []
    client.service = ""
  }
}

extension Reply {
  /// The first word of an error.
  var errorCode: String {
    guard let first = nodes.first, first.kind == .error else { return "" }
    return String(text(of: first).prefix { $0 != " " })
  }
}
