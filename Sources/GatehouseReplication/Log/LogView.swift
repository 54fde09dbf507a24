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

  /// How many bytes of frames are kept.
  var keptBytes: UInt64 { (tail?.bytes ?? 0) - min(start.bytes, tail?.bytes ?? 0) }

  static func operations(_ keys: LogKeys) -> [Operation] {
    [keys.epoch, keys.tail, keys.start, keys.leader, keys.handover, keys.ended].map { .get($0) }
  }

  init(_ response: TransactionResponse, from: Int = 0) throws(SharedLogError) {
    let pairs = response.results[from..<from + 6].map(\.pairs.first)
    revision = response.header.revision
    epoch = try StoredEpoch.read(pairs[0])
    tail = try StoredTail(pairs[1], as: "tail")
    tailRevision = pairs[1]?.modRevision ?? 0
    start = try StoredStart(pairs[2], as: "start") ?? StoredStart(index: 1, bytes: 0)
    leader = try StoredLeader(pairs[3], as: "leader")
    heartbeat = pairs[3]?.modRevision ?? 0
    handover = try StoredHandover(pairs[4], as: "handover")
    handoverRevision = pairs[4]?.modRevision ?? 0
    ended = try StoredEpoch.read(pairs[5])
  }
}
