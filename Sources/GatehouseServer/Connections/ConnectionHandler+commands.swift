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
  func handle(_ request: Arguments) -> Bool {
    guard serverFacts.phase.load(ordering: .acquiring) == .ready, lane.isReady else { return handleEarly(request) }
    if facts.service == nil, isOpenToAll { authenticate(as: 0, .all, name: "") }
    let turn = lane.turn!
    var place: Int?
    let start = turn.begin(request, on: facts, now: lane.now, place: &place)
    if lane.services.monitors.isWatched { tellMonitors(request) }
    switch start {
    case .refused:
      lane.metrics.reject(place, turn.reply.errorCode)
      add(turn.reply, horizon: 0)
    case .partition(let index):
      let partition = lane.services.partitions[index]
      guard partition.lane === lane else {
        send(request, to: partition)
        count(place)
        return true
      }
      guard decide(in: partition, place, request) else { return false }
    case .anywhere:
      guard conclude(lane.turn.decide(home: nil), place, request) else { return false }
    case .everywhere:
      guard queue.awaited == 0, outgoing.allSatisfy(\.isEmpty) else { return false }
      lane.single(place, request, client) { gather(request) }
      note(place)
      return true
    case .server(let command):
      guard queue.awaited == 0 else { return false }
      lane.single(place, request, client) { serve(command, request) }
      note(place)
      return true
    }
    count(place)
    return true
  }

  @inline(__always)
  private func count(_ place: Int?) {
    guard let place else { return }
    lane.count(place)
    note(place)
  }

  private func note(_ place: Int?) {
    guard let place else { return }
    client.lastPlace = place
    client.commands &+= 1
  }

  // MARK: One partition

  @inline(__always)
  private func decide(in partition: Partition, _ place: Int?, _ request: Arguments) -> Bool {
    let cell = partition.assumeIsolated { PartitionCellBox($0.free) }.cell
    guard let cell else {
      wait(for: partition, request)
      return true
    }
    return conclude(lane.turn.decide(home: cell), place, request)
  }

  /// Commits and answers what was decided, or finds the owners that are missing.
  private func conclude(_ outcome: Outcome, _ place: Int?, _ request: Arguments) -> Bool {
    let turn = lane.turn!
    var outcome = outcome
    while case .needs(let owners) = outcome {
      // Whatever is under way may concern the same people: it comes first.
      guard queue.awaited == 0, outgoing.allSatisfy(\.isEmpty) else { return false }
      guard let next = lane.decideHolding(owners) else {
        escalate(request, owners)
        return true
      }
      outcome = next
    }
    if !turn.changes.isEmpty {
      if let refusal = lane.commit() {
        turn.letGo()
        var reply = Reply()
        reply.error(refusal.text)
        lane.failed(place, refusal.code.rawValue)
        add(reply, horizon: 0)
        return true
      }
      lastWrite = turn.horizon
    }
    turn.noteSeen()
    if turn.reply.isError { lane.failed(place, turn.reply.errorCode) }
    add(turn.reply, horizon: turn.horizon)
    turn.letGo()
    return true
  }

  // MARK: Elsewhere

  /// Puts a request among those that go to another lane at the end of the read.
  private func send(_ request: Arguments, to partition: Partition) {
    if outgoing.isEmpty { outgoing = Array(repeating: RequestBatch(), count: lane.services.lanes.count) }
    outgoing[partition.lane.index].append(request, partition: partition.index, ticket: queue.reserve())
  }

  /// Sends off what goes to other lanes: one message a lane, whose answers come back in one.
  func sendOutgoing() {
    for index in outgoing.indices where !outgoing[index].isEmpty {
      let job = LaneJob(
        requests: outgoing[index], facts: facts, version: client.version, connection: self, home: lane)
      outgoing[index] = RequestBatch()
      let target = lane.services.lanes[index]
      target.loop.execute { target.carryOut(job) }
    }
  }

  /// Leaves a request with a partition that is held; it runs when its turn comes.
  private func wait(for partition: Partition, _ request: Arguments) {
    var batch = RequestBatch()
    batch.append(request, partition: partition.index, ticket: queue.reserve())
    let job = LaneJob(requests: batch, facts: facts, version: client.version, connection: self, home: lane)
    lane.carryOut(job)
  }

  /// Hands a command over to one that waits for all its owners.
  private func escalate(_ request: Arguments, _ owners: OwnerSet) {
    let command = HeldCommand(
      work: .request(OwnedArguments(copying: request), facts), owners: owners, version: client.version)
    let answer = Answer(ticket: queue.reserve(), connection: self, home: lane)
    let services = lane.services!
    isPaused = true
    Task { answer.give(await command.run(services)) }
  }

  private func gather(_ request: Arguments) {
    let gathering = Gathering(
      request: OwnedArguments(copying: request), facts: facts, version: client.version, now: lane.now)
    let answer = Answer(ticket: queue.reserve(), connection: self, home: lane)
    let services = lane.services!
    isPaused = true
    if services.lanes.count == 1, lane.turn.authorityPartition == nil, let result = gathering.runHere(lane) {
      return answer.give(result)
    }
    Task { answer.give(await gathering.run(services)) }
  }

  // MARK: Identity

  func authenticate(as service: ServiceID, _ rights: ServiceRights, name: String) {
    facts.service = service
    facts.rights = rights
    client.service = name
  }
}

/// Carries the cell out of the partition's isolation, to the connection of the same lane.
struct PartitionCellBox: @unchecked Sendable {
  let cell: PartitionCell?

  @inline(__always)
  init(_ cell: PartitionCell?) { self.cell = cell }
}

extension Reply {
  /// The first word of an error.
  var errorCode: String {
    guard let first = nodes.first, first.kind == .error else { return "" }
    return String(text(of: first).prefix { $0 != " " })
  }
}
