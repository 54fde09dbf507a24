import Synchronization

/// The longest time that an owner was held. Of holds of a single partition, only every 64th is timed, because two clock
/// readings cost as much as some of the commands; all others are timed.
final class HoldFigures: Sendable {
  private let longest = Atomic<UInt64>(0)
  private let longestVisit = Atomic<UInt64>(0)

  func reset() {
    longest.store(0, ordering: .relaxed)
    longestVisit.store(0, ordering: .relaxed)
  }

  var longestNanoseconds: UInt64 { longest.load(ordering: .relaxed) }

  /// The longest that a visit of the upkeep has worked, not counting the time that its thread waited for a core: others
  /// who use the core make a hold longer, but not the work.
  var longestVisitNanoseconds: UInt64 { longestVisit.load(ordering: .relaxed) }

  func note(_ nanoseconds: UInt64) { Self.raise(longest, to: nanoseconds) }

  func noteVisit(_ nanoseconds: UInt64) { Self.raise(longestVisit, to: nanoseconds) }

  private static func raise(_ figure: borrowing Atomic<UInt64>, to value: UInt64) {
    if value > figure.load(ordering: .relaxed) { figure.max(value, ordering: .relaxed) }
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

/// Measures the hold of a visit of the upkeep, and the work in it. Too costly for commands: it takes two system calls.
struct VisitWatch {
  private let hold = HoldWatch()
  private let start = Clock.threadNanoseconds()

  func end(_ figures: HoldFigures) {
    figures.noteVisit(Clock.threadNanoseconds() - start)
    hold.end(figures)
  }
}
