internal import Synchronization

/// Until when a leader may believe that it leads.
///
/// The promise: nobody takes over before a heartbeat has been seen unchanged for a whole lease. A heartbeat cannot be
/// seen before it was sent. So a leader is safe for a lease from when the last heartbeat was *sent* that is known to be
/// committed, less what the clocks of two machines may part in that time.
final class LeaderLease: Sendable {
  let duration: UInt64
  private let margin: UInt64
  /// In `LeaseClock`'s time; 0 once it is over.
  private let deadline: Atomic<UInt64>

  /// - Parameter sent: when the first heartbeat was sent.
  init(milliseconds: UInt64, sent: UInt64) {
    duration = milliseconds * 1_000_000
    margin = duration / 10
    deadline = Atomic(sent + duration - margin)
  }

  /// A heartbeat is committed that was sent at a time.
  func extend(sent: UInt64) {
    let new = sent + duration - margin
    var old = deadline.load(ordering: .relaxed)
    while old != 0, old < new {
      let (isExchanged, current) = deadline.compareExchange(
        expected: old, desired: new, ordering: .sequentiallyConsistent)
      if isExchanged { return }
      old = current
    }
  }

  func end() { deadline.store(0, ordering: .sequentiallyConsistent) }

  var validUntil: UInt64 { deadline.load(ordering: .sequentiallyConsistent) }

  /// Whether the deadline has passed longer ago than a whole lease.
  func isLongOver(at now: UInt64) -> Bool { now > validUntil + duration }
}

/// What a node has seen of the leader's heartbeats, to find out whether it is silent.
///
/// Only time in which etcd answered counts. So a leader that could not reach etcd, because nobody could, has a whole
/// lease afterwards to say that it is still there.
struct LeaderSight {
  private var revision: Int64 = 0
  private var since: UInt64 = 0
  private var last: UInt64 = 0

  /// A look at etcd was answered.
  ///
  /// - Parameters:
  ///   - heartbeat: the revision of the leader's key, 0 if it is not there.
  ///   - now: a time, in nanoseconds, after the answer.
  ///   - gap: how long may lie between two looks.
  mutating func note(_ heartbeat: Int64, at now: UInt64, gap: UInt64) {
    if heartbeat != revision || now > last + gap {
      revision = heartbeat
      since = now
    }
    last = max(last, now)
  }

  /// Whether this heartbeat was the last one for a whole lease.
  func isSilent(_ heartbeat: Int64, at now: UInt64, lease: UInt64) -> Bool {
    heartbeat == revision && now >= since + lease
  }
}
