internal import GatehouseStorage

/// The small keys of a shared log, all as of one revision.
struct LogView {
  var revision: Int64
  var epoch: UInt64
  /// Nil if the log was not begun yet.
  var tail: StoredTail?
  var tailRevision: Int64
  var start: StoredStart
  var leader: StoredLeader?
  /// The revision of the newest heartbeat; 0 if nobody leads.
  var heartbeat: Int64
  var handover: StoredHandover?
  var handoverRevision: Int64
  var ended: UInt64
  /// What is wrong with keys without which nodes can go on.
  var oddities: [String] = []

  /// How many bytes of frames are kept.
  var keptBytes: UInt64 { (tail?.bytes ?? 0) - min(start.bytes, tail?.bytes ?? 0) }

  static func operations(_ keys: LogKeys) -> [Operation] {
    [keys.epoch, keys.tail, keys.start, keys.leader, keys.handover, keys.ended].map { .get($0) }
  }

  init(_ response: TransactionResponse, from: Int = 0) throws(SharedLogError) {
    let pairs = response.results[from..<from + 6].map(\.pairs.first)
    revision = response.header.revision
    epoch = try StoredEpoch.read(pairs[0], as: "epoch")
    tail = try StoredTail(pairs[1], as: "tail")
    guard tail == nil || pairs[0] != nil else {
      throw .damaged(
        """
        the key "epoch" is gone, so somebody has deleted keys: stop all nodes, put a number there that is greater than \
        that of any epoch before, and start them again
        """)
    }
    tailRevision = pairs[1]?.modRevision ?? 0
    start = try StoredStart(pairs[2], as: "start") ?? StoredStart(index: 1, bytes: 0)
    heartbeat = pairs[3]?.modRevision ?? 0
    handoverRevision = pairs[4]?.modRevision ?? 0
    var oddities: [String] = []
    // The next heartbeat, or the next leader, writes it anew.
    leader = Self.passingOver(&oddities, .unreadable) { () throws(SharedLogError) in
      try StoredLeader(pairs[3], as: "leader")
    }
    handover = Self.passingOver(&oddities, nil) { () throws(SharedLogError) in
      try StoredHandover(pairs[4], as: "handover")
    }
    // Whoever waits for it then waits longer.
    ended = Self.passingOver(&oddities, 0) { () throws(SharedLogError) in
      try StoredEpoch.read(pairs[5], as: "ended")
    }
    // Only a leader that has ended takes its key away.
    if tail != nil, leader == nil, ended < epoch {
      oddities.append("the key \"leader\" is gone, though the leader of epoch \(epoch) has not said that it stopped")
      leader = .unreadable
    }
    self.oddities = oddities
  }

  /// A value, or what stands for it if it cannot be read.
  static func passingOver<Value>(
    _ oddities: inout [String], _ substitute: Value, _ read: () throws(SharedLogError) -> Value
  ) -> Value {
    do throws(SharedLogError) {
      return try read()
    } catch {
      oddities.append("\(error)")
      return substitute
    }
  }
}
