import GatehouseCore
import Glibc

/// Readings of the machine's clocks. What time it is for the server, `ServerClock` says.
enum Clock {
  /// Microseconds since 1970 by the clock that people and time servers set. Before 1970 it is negative.
  static func wallMicroseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    // Within the years that can be counted in microseconds, whatever the clock was set to.
    let seconds = min(max(Int64(time.tv_sec), -Self.farthest), Self.farthest)
    return seconds * 1_000_000 + Int64(time.tv_nsec) / 1000
  }

  private static let farthest: Int64 = Limits.latestTime / 1000

  /// Nanoseconds since some moment, by a clock that nobody sets and that counts on while the machine sleeps.
  static func nanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return UInt64(clamping: time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Nanoseconds since a reading of `nanoseconds()`. None where the clock went back after all, as it does on a virtual
  /// machine that is set back to an earlier state.
  @inline(__always)
  static func nanoseconds(since start: UInt64) -> UInt64 {
    let now = nanoseconds()
    return now > start ? now - start : 0
  }

  /// `nanoseconds()` in milliseconds.
  static func monotonicMilliseconds() -> Milliseconds { Milliseconds(nanoseconds() / 1_000_000) }

  /// The moment of `nanoseconds()` that lies so far ahead, or the last there is where it lies beyond that.
  static func deadline(milliseconds: UInt64) -> UInt64 {
    let (length, isTooLong) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    let (moment, isTooLate) = nanoseconds().addingReportingOverflow(length)
    return isTooLong || isTooLate ? .max : moment
  }
}
