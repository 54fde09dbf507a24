import GatehouseCore
import GatehouseWire
import NIOCore
import Synchronization

/// What a lane does without being asked.
extension Lane {
  /// How many sessions one look may end: more wait for the next.
  private static let expiryBatch = 512

  /// Ends sessions whose time is up. Looked after twice a second: that is one scheduled callback a lane,
  /// however many sessions there are, and a session that is over is refused by its deadline in any case.
  func startUpkeep() {
    loop.scheduleRepeatedTask(initialDelay: .milliseconds(500), delay: .milliseconds(500)) { task in
      if self.services.isStopping { return task.cancel() }
      self.endExpiredSessions()
      self.closeIdleConnections()
    }
  }

  /// Closes connections that have sent nothing for longer than the setting allows. Those that watch all commands
  /// or wait for an answer are not idle.
  private func closeIdleConnections() {
    let limit = services.facts.idleTimeout.load(ordering: .relaxed)
    guard limit > 0 else { return }
    let now = Clock.milliseconds()
    for connection in connections.values
    where !connection.isMonitor && connection.queue.isEmpty && now - connection.client.lastCommand > Milliseconds(limit)
    {
      connection.close()
    }
  }

  private func endExpiredSessions() {
    beginRead()
    for partition in services.partitions where partition.lane === self {
      guard let cell = partition.free,
        let deadline = cell.state.nextDeadline, deadline <= now
      else { continue }
      let due = cell.state.dueSessions(at: now, limit: Self.expiryBatch)
      if !due.isEmpty { expire(due, cell) }
    }
    endRead()
  }

  private func expire(_ sessions: [SessionID], _ cell: HeldPartition) {
    turn.beginExpiry(now: now)
    var outcome = turn.decideExpiry(sessions, home: cell, holding: [])
    while case .needs(let owners) = outcome {
      guard let cells = cellsAtHand(owners) else {
        let command = HeldCommand(work: .expiry(sessions), owners: owners, version: .resp2)
        let services = services!
        turn.letGo()
        services.start { _ = await command.run(services) }
        return
      }
      outcome = turn.decideExpiry(sessions, home: nil, holding: cells)
    }
    if !turn.changes.isEmpty, commit() != nil { cell.state.putBack(sessions) }
    turn.letGo()
  }

  // MARK: Stopping

  /// Lets no connection ask for more.
  func drain() {
    for connection in connections.values { connection.stopReading() }
  }

  func closeConnections() {
    for connection in connections.values { connection.finishAndClose() }
  }
}
