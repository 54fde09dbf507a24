import Synchronization

/// How long holds last. Of commands over one partition every 64th is timed, for two looks at the clock would cost as
/// much as some of them; of everything else, all.
final class HoldFigures: Sendable {
  private let longest = Atomic<UInt64>(0)

  var longestNanoseconds: UInt64 { longest.load(ordering: .relaxed) }

  func note(_ nanoseconds: UInt64) {
    if nanoseconds > longest.load(ordering: .relaxed) { longest.max(nanoseconds, ordering: .relaxed) }
  }
}

/// Times one hold, or does not.
struct HoldWatch {
  private let start: UInt64

  init() { start = Clock.nanoseconds() }

  /// - Parameter count: counts the holds of this kind, of which every 64th is timed.
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
