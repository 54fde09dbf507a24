import GatehouseCore
import GatehouseWire
import Synchronization

/// A round of a lane's upkeep: what is left of it.
struct LaneUpkeep {
  /// The ids of connections, at every second round: there may be thousands. Some may have closed meanwhile.
  var connections: [UInt64]
  /// The next partition of the lane's share.
  var partition: Int
}

/// Periodic work of a lane.
///
/// It is done a little in each tick, because every request that comes meanwhile waits so long, and twice a second there are
/// milliseconds of it: thousands of connections, hundreds of partitions.
extension Lane {
  /// How many sessions are ended under one hold.
  private static let expiryBatch = 128
  /// How many users with something that has ended are handled under one hold.
  private static let endingBatch = 16
  /// How long a tick may spend on it: about as long as a request takes on its way through the kernel. With four times as
  /// much, one request in a hundred waited for all of it where there were thousands of connections.
  private static let upkeepNanoseconds: UInt64 = 50_000
  /// After so many connections the clock is asked.
  private static let connectionBatch = 32

  /// Milliseconds between the beginnings of two rounds.
  static let upkeepInterval = 500

  /// Begins a round, unless one is under way. So a lane needs one timer, however many sessions there are; an expired
  /// session is refused by its deadline even before it is ended here.
  func beginUpkeep() {
    guard let services, !services.isStopping, upkeep == nil else { return }
    // A disk that stays full does not wake the lane, so ask here.
    if services.isLogStuck { logAdvanced() }
    upkeeps += 1
    let looksAtConnections = upkeeps.isMultiple(of: 2)
    if looksAtConnections { relieveIfWaiting() }
    upkeep = LaneUpkeep(connections: looksAtConnections ? Array(connections.keys) : [], partition: index)
  }

  /// Goes on with the round that is under way.
  func continueUpkeep() {
    guard var round = upkeep else { return }
    upkeep = nil
    guard let services, !services.isStopping else { return }
    let start = Clock.nanoseconds()
    func mayGoOn() -> Bool { Clock.nanoseconds(since: start) <= Self.upkeepNanoseconds }
    while !round.connections.isEmpty, mayGoOn() { lookAtConnections(of: &round) }
    beginRead()
    while round.connections.isEmpty, round.partition < services.partitions.count, mayGoOn() {
      let work = executor.tend(round.partition, now: now)
      // A follower ends nothing: what is to end ends on the leader, whose records say so here.
      let hasMore = !executor.isFollowing && endWhatIsDue(round.partition, work)
      if !hasMore { round.partition += services.lanes.count }
    }
    endRead()
    forgetClock()
    if !round.connections.isEmpty || round.partition < services.partitions.count { upkeep = round }
  }

  /// Closes connections that take longer than the settings allow: for the handshake, to authenticate, or to send
  /// anything; and those that do not read.
  private func lookAtConnections(of round: inout LaneUpkeep) {
    let times = ConnectionTimes(facts)
    let now = Clock.monotonicMilliseconds()
    for _ in 0..<min(Self.connectionBatch, round.connections.count) {
      guard let connection = connections[round.connections.removeLast()] else { continue }
      connection.endIfOverdue(now, times)
      if !connection.hasClosed { lookAfterWaiting(connection, at: now) }
    }
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
