import Synchronization

/// The longest time that an owner was held. Of holds of a single partition, only every 64th is timed, because two clock
/// readings cost as much as some of the commands; all others are timed.
final class HoldFigures: Sendable {
  private let longest = Atomic<UInt64>(0)

  func reset() { longest.store(0, ordering: .relaxed) }

  var longestNanoseconds: UInt64 { longest.load(ordering: .relaxed) }

  func note(_ nanoseconds: UInt64) {
    if nanoseconds > longest.load(ordering: .relaxed) { longest.max(nanoseconds, ordering: .relaxed) }
  }
}

/// Measures one hold, or skips it.
struct HoldWatch {
  private let start: UInt64

  init() { start = Clock.nanoseconds() }

  /// - Parameter count: counts the holds of this kind; every 64th is timed.
  @inline(__always)
  init(_ count: inout UInt) {
    count &+= 1
    start = count & 63 == 0 ? Clock.nanoseconds() : 0
  }

  /// Whether this hold is timed.
  @inline(__always)
  var isOn: Bool { start != 0 }

  func end(_ figures: HoldFigures) {
    figures.note(Clock.nanoseconds(since: start))
  }
}
