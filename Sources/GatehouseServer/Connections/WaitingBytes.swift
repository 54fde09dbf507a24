import GatehouseCore
import Logging
import Synchronization

/// Limits on the bytes that wait for clients that do not read: counted per lane, bounded per client and for all
/// together.
///
/// A client that does not read its replies gets no further answers, but its requests are still read. Otherwise a client
/// that writes a whole pipeline before it reads would deadlock with us. So unread requests and untaken replies count
/// together.
enum WaitingBytes {
  /// How long a client over the limit must have read nothing before it is disconnected. A client that still reads,
  /// however slowly, is only throttled by backpressure.
  static let grace: Milliseconds = 3000
  /// How often a lane logs that it disconnects clients because of the total: those of the meantime are one line.
  static let reportInterval: Milliseconds = 10_000
}

extension ServerContext {
  /// Bytes that wait for all clients of all lanes.
  var waitingBytes: Int { lanes.reduce(0) { $0 + $1.waitingBytes.load(ordering: .relaxed) } }
}

extension Lane {
  /// Whether the total of all clients is below its limit.
  var mayReadAhead: Bool {
    guard let services else { return true }
    return services.waitingBytes < services.facts.totalOutputLimit.load(ordering: .relaxed)
  }

  /// Adds to, or subtracts from, the bytes that wait for the lane's clients.
  func noteWaiting(_ change: Int) {
    // Only the lane writes this, so a load and a store suffice.
    waitingBytes.store(waitingBytes.load(ordering: .relaxed) + change, ordering: .relaxed)
    guard change > 0, !mayReadAhead else { return }
    // Deferred, because a client cannot be disconnected in the middle of its requests; and done on the lane with the
    // most waiting bytes.
    let worst = services.lanes.max {
      $0.waitingBytes.load(ordering: .relaxed) < $1.waitingBytes.load(ordering: .relaxed)
    }!
    if worst.mustRelieve.exchange(true, ordering: .relaxed) { return }
    worst.loop.execute {
      worst.mustRelieve.store(false, ordering: .relaxed)
      worst.relieve()
    }
  }

  /// Disconnects clients until the total is well within its limit again: first those that have stalled, and among them
  /// the one with the most bytes first. `CLIENT NO-EVICT` spares a client.
  private func relieve() {
    guard !mayReadAhead else { return }
    let limit = services.facts.totalOutputLimit.load(ordering: .relaxed)
    // Free an eighth more, so that not every further request costs a client its connection.
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
    services.facts.limits.add(.totalOutput, closed)
    unreportedEvictions += closed
    reportEvictions(at: now)
  }

  /// Logs how many clients were disconnected since the last line. Where nobody can be, because `CLIENT NO-EVICT` spares
  /// them all, there is nothing to say.
  private func reportEvictions(at now: Milliseconds) {
    guard unreportedEvictions > 0, evictionsReported.map({ now - $0 >= WaitingBytes.reportInterval }) ?? true else {
      return
    }
    services.logger.warning(
      "clients were disconnected: more waits for all clients than total-output-limit",
      metadata: [
        "clients": "\(unreportedEvictions)",
        "limit": "\(facts.totalOutputLimit.load(ordering: .relaxed))",
      ])
    unreportedEvictions = 0
    evictionsReported = now
  }

  /// Checks whether a client reads its replies, and disconnects it if it has stalled over its limit.
  func lookAfterWaiting(_ connection: Connection, at now: Milliseconds) {
    guard waitingBytes.load(ordering: .relaxed) > 0 else { return }
    connection.noteProgress(at: now)
    if connection.waitingBytes >= services.facts.clientOutputLimit.load(ordering: .relaxed),
      connection.isStalled(at: now)
    {
      connection.disconnectOverLimit()
    }
    // The total may have dropped, so reading may resume.
    connection.updateReading()
  }

  /// Disconnects clients if the total is still over its limit, and logs those that were disconnected.
  func relieveIfWaiting() {
    if waitingBytes.load(ordering: .relaxed) > 0 { relieve() }
    reportEvictions(at: Clock.monotonicMilliseconds())
  }
}
