import GatehouseCore
import GatehouseWire
import NIOCore

/// A command that reads all partitions, one after the other, without holding them.
struct Gathering: Sendable {
  let request: OwnedArguments
  let facts: ConnectionFacts
  let version: ProtocolVersion
  let now: Milliseconds

  /// All partitions on one lane that nobody holds are read at once; nil where that is not so.
  func runHere(_ lane: Lane) -> EncodedReply? {
    var gathered = Gathered()
    return visit(lane, lane.services.partitions, &gathered, nil) == .held ? nil : finish(lane, &gathered, nil)
  }

  private enum Visit {
    case finished, held
  }

  /// Reads partitions of one lane in order, from the first that has not been read.
  private func visit(
    _ lane: Lane, _ partitions: [Partition], _ gathered: inout Gathered, _ principal: Principal?
  ) -> Visit {
    let turn = lane.turn!
    return request.withView { request in
      var place: Int?
      _ = turn.begin(request, on: facts, now: now, place: &place)
      if let principal { turn.adopt(principal) }
      defer { turn.letGo() }
      for partition in partitions where !gathered.isComplete {
        guard let cell = partition.free else { return .held }
        guard turn.collect(cell, into: &gathered) else {
          gathered.refusal = turn.reply
          return .finished
        }
      }
      return .finished
    }
  }

  private func finish(_ lane: Lane, _ gathered: inout Gathered, _ principal: Principal?) -> EncodedReply {
    if let refusal = gathered.refusal { return EncodedReply(refusal, horizon: 0, version: version) }
    let turn = lane.turn!
    return request.withView { request in
      var place: Int?
      _ = turn.begin(request, on: facts, now: now, place: &place)
      if let principal { turn.adopt(principal) }
      turn.finish(&gathered)
      return EncodedReply(turn.reply, horizon: turn.horizon, version: version)
    }
  }

  func run(_ context: ServerContext) async -> EncodedReply {
    let principal: Principal?
    let authority = Authority(request: request, facts: facts, version: version, now: now)
    switch await authority.principal(context) {
    case .success(let found): principal = found
    case .failure(let refused): return refused.reply
    }
    var gathered = Gathered()
    for partition in context.partitions where !gathered.isComplete && gathered.refusal == nil {
      gathered = await collect(partition, gathered, principal)
    }
    let lane = context.lanes[0]
    let result = gathered
    let reply = try? await lane.loop.submit {
      var result = result
      return finish(lane, &result, principal)
    }.get()
    return reply ?? EncodedReply(.stopping, version: version)
  }

  /// Reads one partition on its lane, when nobody holds it.
  private func collect(_ partition: Partition, _ gathered: Gathered, _ principal: Principal?) async -> Gathered {
    await withCheckedContinuation { continuation in
      let lane = partition.lane
      lane.loop.execute {
        partition.assumeIsolated { isolated in
          isolated.whenFree { cell in
            var result = gathered
            let turn = lane.turn!
            request.withView { request in
              var place: Int?
              _ = turn.begin(request, on: facts, now: now, place: &place)
              if let principal { turn.adopt(principal) }
              if !turn.collect(cell, into: &result) { result.refusal = turn.reply }
              turn.letGo()
            }
            continuation.resume(returning: result)
          }
        }
      }
    }
  }
}
