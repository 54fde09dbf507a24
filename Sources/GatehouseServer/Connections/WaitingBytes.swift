import GatehouseCore
import Logging
import Synchronization

/// What waits for clients that do not read, counted by lane and bounded for each client and for all together.
///
/// A client that does not take its replies is not answered further, but its requests are still read: a client that writes
/// a whole pipeline before it reads would otherwise block for ever, as neither side could go on. What it has sent and what
/// it has not taken count together.
enum WaitingBytes {
  /// How long a client over the limit must have taken nothing until it is disconnected. Who goes on reading, however
  /// slowly, is only not read from.
  static let grace: Milliseconds = 3000
}

extension ServerContext {
  /// Bytes that wait for all clients.
  var waitingBytes: Int { lanes.reduce(0) { $0 + $1.waitingBytes.load(ordering: .relaxed) } }
}

extension Lane {
  /// Whether all clients together leave room for more.
  var mayReadAhead: Bool {
    guard let services else { return true }
    return services.waitingBytes < services.facts.totalOutputLimit.load(ordering: .relaxed)
  }

  /// Notes that more or less waits for the lane's clients.
  func noteWaiting(_ change: Int) {
    // Only the lane writes it.
    waitingBytes.store(waitingBytes.load(ordering: .relaxed) + change, ordering: .relaxed)
    guard change > 0, !mayReadAhead else { return }
    // Later, as a client in the middle of its requests cannot be disconnected; and where the most waits.
    let worst = services.lanes.max {
      $0.waitingBytes.load(ordering: .relaxed) < $1.waitingBytes.load(ordering: .relaxed)
    }!
    if worst.mustRelieve.exchange(true, ordering: .relaxed) { return }
    worst.loop.execute {
      worst.mustRelieve.store(false, ordering: .relaxed)
      worst.relieve()
    }
  }

  /// Disconnects clients until what waits for all is well within the limit again: first those that have taken nothing for a
  /// while, and of these the ones for which the most waits. `CLIENT NO-EVICT` spares a client.
  private func relieve() {
    guard !mayReadAhead else { return }
    let limit = services.facts.totalOutputLimit.load(ordering: .relaxed)
    // A little more, so that not every further request costs a client its connection.
    var excess = services.waitingBytes - limit + limit / 8
    let now = Clock.monotonicMilliseconds()
    let candidates = connections.values.filter { $0.waitingBytes > 0 && !$0.client.isNotEvicted }
      .map { (connection: $0, isStalled: $0.isStalled(at: now), bytes: $0.waitingBytes) }
      .sorted { ($0.isStalled ? 1 : 0, $0.bytes) > ($1.isStalled ? 1 : 0, $1.bytes) }
    var closed = 0
    for candidate in candidates where excess > 0 {
      excess -= candidate.bytes
      closed += 1
      candidate.connection.close()
    }
    services.facts.evictedClients.add(closed, ordering: .relaxed)
    services.logger.warning(
      "clients were disconnected: more waits for all clients than total-output-limit",
      metadata: ["clients": "\(closed)", "limit": "\(limit)"])
  }

  /// Looks which clients take their replies, and disconnects those that do not and for which too much waits.
  func lookAfterWaiting() {
    guard waitingBytes.load(ordering: .relaxed) > 0 else { return }
    let now = Clock.monotonicMilliseconds()
    let limit = services.facts.clientOutputLimit.load(ordering: .relaxed)
    for connection in connections.values {
      connection.noteProgress(at: now)
      if connection.waitingBytes >= limit, connection.isStalled(at: now) { connection.disconnectOverLimit() }
      // What waits for others may be less by now.
      connection.updateReading()
    }
    relieve()
  }
}
