import GatehouseCore
import GatehouseWire
import Synchronization

/// What a lane does without being asked.
extension Lane {
  /// How many sessions are ended under one hold.
  private static let expiryBatch = 128
  /// How long a lane ends sessions before it looks after its connections again.
  private static let expiryNanoseconds: UInt64 = 2_000_000
  /// Connections are looked at every second: there may be thousands.
  private static let upkeepsALook = 2

  /// Milliseconds between two upkeeps.
  static let upkeepInterval = 500

  /// Ends sessions whose time is up, and looks after connections. Done twice a second: that is one timer a lane, however
  /// many sessions there are, and a session that is over is refused by its deadline in any case.
  func doUpkeep() {
    guard let services, !services.isStopping else { return }
    endExpiredSessions()
    closeIdleConnections()
    // A disk that is full for long wakes nobody.
    if services.isLogStuck { logAdvanced() }
    upkeeps += 1
    if upkeeps % Self.upkeepsALook == 0 { lookAfterWaiting() }
  }

  /// Closes connections that have sent nothing for longer than the setting allows. Those that watch all commands
  /// or wait for an answer are not idle.
  private func closeIdleConnections() {
    let limit = services.facts.idleTimeout.load(ordering: .relaxed)
    guard limit > 0 else { return }
    let now = Clock.monotonicMilliseconds()
    for connection in connections.values
    where !connection.isMonitor && connection.queue.isEmpty && now - connection.client.lastCommand > Milliseconds(limit)
    {
      connection.close()
    }
  }

  /// Goes over this lane's share of the partitions. Where the time does not suffice, it goes on in the lane's
  /// line.
  private func endExpiredSessions(from first: Int? = nil) {
    beginRead()
    var partition = first ?? index
    let count = services.partitions.count
    while partition < count {
      let (hasMore, outcome) = executor.endDueSessions(partition, now: now, most: Self.expiryBatch)
      if outcome == .written { commitSoon() }
      if !hasMore { partition += services.lanes.count }
      if elapsedInRead > Self.expiryNanoseconds { break }
    }
    endRead()
    guard partition < count, !services.isStopping else { return }
    let next = partition
    wait(.task { self.endExpiredSessions(from: next) })
  }

  // MARK: Stopping

  /// Lets no connection ask for more.
  func drain() {
    for connection in connections.values { connection.stopRequests() }
  }

  func closeConnections() {
    for connection in connections.values { connection.finish() }
  }
}
