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

/// The replies to one job on their way back, all in one buffer.
struct LaneAnswers: @unchecked Sendable {
  struct Item: Sendable {
    let ticket: UInt64
    let count: Int
    let done: Done
  }

  /// What is to be known of a command beside its reply.
  struct Done: Sendable {
    let horizon: LSN
    let isWrite: Bool
  }

  /// Touched on its own lane only.
  let connection: ConnectionHandler
  private let version: ProtocolVersion
  private(set) var bytes = ByteBuffer()
  private(set) var items: ContiguousArray<Item> = []

  init(to job: LaneJob) {
    connection = job.connection
    version = job.version
    items.reserveCapacity(job.requests.items.count)
  }

  mutating func append(_ ticket: UInt64, _ reply: Reply, _ done: Done) {
    let before = bytes.readableBytes
    ReplyEncoder.encode(reply, version, into: &bytes)
    items.append(Item(ticket: ticket, count: bytes.readableBytes - before, done: done))
  }
}

extension Lane {
  /// Carries out requests that came from another lane, and sends all answers back together.
  func carryOut(_ job: LaneJob) {
    beginRead()
    let turn = turn!
    var answers = LaneAnswers(to: job)
    let items = job.requests.items
    job.requests.withRequests { request in
      lookAhead(items.count, turn, request)
      for place in items.indices {
        let item = items[place]
        guard let cell = free[item.partition] else {
          postpone(request(place), on: services.partitions[item.partition], job, item.ticket)
          continue
        }
        if let done = carryOut(request(place), on: cell, job, item.ticket, foresights[place]) {
          answers.append(item.ticket, turn.reply, done)
        }
        turn.letGo()
      }
    }
    endRead()
    send(answers, to: job.home)
  }

  /// Carries out one request; its reply is the turn's. Nil where it needs more owners, and the answer comes by itself.
  private func carryOut(
    _ request: Arguments, on cell: HeldPartition, _ job: LaneJob, _ ticket: UInt64, _ foresight: Foresight
  ) -> LaneAnswers.Done? {
    var place: Int?
    if case .refused = turn.begin(request, on: job.facts, now: now, place: &place, foresight) {
      metrics.reject(place, turn.reply.errorCode)
      return LaneAnswers.Done(horizon: 0, isWrite: false)
    }
    if let place { count(place) }
    if case .needs(let owners) = turn.decide(home: cell) {
      let command = HeldCommand(
        work: .request(OwnedArguments(copying: request), job.facts), owners: owners, version: job.version)
      let answer = Answer(ticket: ticket, connection: job.connection, home: job.home, place: place)
      let services = services!
      services.start { answer.give(await command.run(services)) }
      return nil
    }
    var conclusion = turn.conclusion
    let isWrite = conclusion.hasChanges
    if isWrite {
      if let refusal = commit() {
        failed(place, refusal.code.rawValue)
        turn.answer(refusal)
        return LaneAnswers.Done(horizon: 0, isWrite: false)
      }
      conclusion = turn.conclusion
    }
    turn.noteSeen()
    if conclusion.isError { failed(place, turn.reply.errorCode) }
    return LaneAnswers.Done(horizon: conclusion.horizon, isWrite: isWrite)
  }

  /// Leaves a request with a partition that is held.
  func postpone(_ request: Arguments, on partition: Partition, _ job: LaneJob, _ ticket: UInt64) {
    let owned = OwnedArguments(copying: request)
    let answer = Answer(ticket: ticket, connection: job.connection, home: job.home)
    partition.assumeIsolated { isolated in
      isolated.whenFree { cell in
        self.beginRead()
        owned.withView { request in
          guard let done = self.carryOut(request, on: cell, job, ticket, .none) else { return }
          answer.give(
            EncodedReply(self.turn.reply, horizon: done.horizon, isWrite: done.isWrite, version: job.version))
        }
        self.turn.letGo()
        self.endRead()
      }
    }
  }
}
