import GatehouseCore
import GatehouseWire
import Synchronization

/// Periodic work of a lane.
extension Lane {
  /// How many sessions are ended under one hold.
  private static let expiryBatch = 128
  /// How many users with something that has ended are handled under one hold.
  private static let endingBatch = 16
  /// How long a lane ends sessions before it serves its connections again. Every request that comes meanwhile waits so long,
  /// and twice a second there are milliseconds of it.
  private static let expiryNanoseconds: UInt64 = 200_000
  /// Connections are checked at every second upkeep, once a second: there may be thousands.
  private static let upkeepsALook = 2

  /// Milliseconds between two upkeeps.
  static let upkeepInterval = 500

  /// Ends expired sessions and checks connections, twice a second. So a lane needs one timer, however many sessions
  /// there are; an expired session is refused by its deadline even before it is ended here.
  func doUpkeep() {
    guard let services, !services.isStopping else { return }
    // What is left of the last time comes first.
    if unfinishedUpkeep == nil { endExpiredSessions(from: index) }
    closeOverdueConnections()
    // A disk that stays full does not wake the lane, so ask here.
    if services.isLogStuck { logAdvanced() }
    upkeeps += 1
    if upkeeps % Self.upkeepsALook == 0 { lookAfterWaiting() }
  }

  /// Closes connections that take longer than the settings allow: for the handshake, to authenticate, or to send
  /// anything.
  private func closeOverdueConnections() {
    let times = ConnectionTimes(facts)
    let now = Clock.monotonicMilliseconds()
    for connection in connections.values { connection.endIfOverdue(now, times) }
  }

  /// Ends the expired sessions of this lane's share of the partitions. If the time runs out, it continues in the next tick.
  func endExpiredSessions(from first: Int) {
    unfinishedUpkeep = nil
    guard let services, !services.isStopping else { return }
    beginRead()
    var partition = first
    let count = services.partitions.count
    while partition < count {
      let upkeep = executor.tend(partition, now: now)
      // A follower ends nothing: what is to end ends on the leader, whose records say so here.
      let hasMore = !executor.isFollowing && endWhatIsDue(partition, upkeep)
      if !hasMore { partition += services.lanes.count }
      if elapsedInRead > Self.expiryNanoseconds { break }
    }
    endRead()
    if partition < count { unfinishedUpkeep = partition }
  }

  /// - Returns: whether more of the partition may be due.
  private func endWhatIsDue(_ partition: Int, _ upkeep: Upkeep) -> Bool {
    var hasMore = false
    if upkeep.contains(.sessions) {
      let (hasMoreSessions, outcome) = executor.endDueSessions(partition, now: now, most: Self.expiryBatch)
      if outcome == .written { commitSoon() }
      hasMore = hasMoreSessions
    }
    if upkeep.contains(.users) {
      let (hasMoreRights, outcome) = executor.endDueRights(partition, now: now, most: Self.endingBatch)
      if outcome == .written { commitSoon() }
      hasMore = hasMore || hasMoreRights
    }
    return hasMore
  }

  // MARK: Stopping

  /// Stops taking requests from all connections.
  func drain() {
    for connection in connections.values { connection.stopRequests() }
  }

  func closeConnections() {
    for connection in connections.values { connection.finish() }
  }
}
