import GatehouseCore
import GatehouseWire
import NIOCore

/// Requests of one connection for partitions of another lane.
struct LaneJob: @unchecked Sendable {
  let requests: RequestBatch
  let facts: ConnectionFacts
  let version: ProtocolVersion
  /// Touched on its own lane only.
  let connection: ConnectionHandler
  let home: Lane
}

extension Lane {
  /// Carries out requests that came from another lane, or that had to wait for a partition, and sends all
  /// answers back in one message.
  func carryOut(_ job: LaneJob) {
    beginRead()
    var answers: [(ticket: UInt64, reply: EncodedReply)] = []
    answers.reserveCapacity(job.requests.items.count)
    job.requests.forEach { item, request in
      let partition = services.partitions[item.partition]
      if let cell = partition.free {
        if let reply = carryOut(request, on: cell, job, item.ticket) { answers.append((item.ticket, reply)) }
      } else {
        postpone(request, on: partition, job, item.ticket)
      }
    }
    endRead()
    guard !answers.isEmpty else { return }
    let finished = answers
    let connection = Answer.Target(connection: job.connection)
    job.home.loop.execute { connection.deliver(finished) }
  }

  /// The reply of one request; nil where it needs more owners, and the answer comes by itself.
  private func carryOut(
    _ request: Arguments, on cell: HeldPartition, _ job: LaneJob, _ ticket: UInt64
  ) -> EncodedReply? {
    var place: Int?
    if case .refused = turn.begin(request, on: job.facts, now: now, place: &place) {
      metrics.reject(place, turn.reply.errorCode)
      return EncodedReply(turn.reply, horizon: 0, version: job.version)
    }
    if let place { count(place) }
    defer { turn.letGo() }
    if case .needs(let owners) = turn.decide(home: cell) {
      let command = HeldCommand(
        work: .request(OwnedArguments(copying: request), job.facts), owners: owners, version: job.version)
      let answer = Answer(ticket: ticket, connection: job.connection, home: job.home, place: place)
      let services = services!
      services.start { answer.give(await command.run(services)) }
      return nil
    }
    let isWrite = !turn.changes.isEmpty
    if isWrite, let refusal = commit() {
      failed(place, refusal.code.rawValue)
      return EncodedReply(refusal, version: job.version)
    }
    turn.noteSeen()
    if turn.reply.isError { failed(place, turn.reply.errorCode) }
    return EncodedReply(turn.reply, horizon: turn.horizon, isWrite: isWrite, version: job.version)
  }

  /// Leaves a request with a partition that is held.
  func postpone(_ request: Arguments, on partition: Partition, _ job: LaneJob, _ ticket: UInt64) {
    let owned = OwnedArguments(copying: request)
    let answer = Answer(ticket: ticket, connection: job.connection, home: job.home)
    partition.assumeIsolated { isolated in
      isolated.whenFree { cell in
        self.beginRead()
        if let reply = owned.withView({ self.carryOut($0, on: cell, job, ticket) }) { answer.give(reply) }
        self.endRead()
      }
    }
  }
}
