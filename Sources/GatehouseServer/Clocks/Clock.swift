// Both, because the members of `timespec` count as those of whichever module the compiler has met first.
import CEpoll
import GatehouseCore
import Glibc

/// Reads the machine's clocks. `ServerClock` turns the readings into the server's time.
enum Clock {
  /// Microseconds since 1970 by the wall clock, which people and time servers set. Negative before 1970.
  static func wallMicroseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    // Clamped to the range that fits in microseconds, whatever the clock was set to.
    let seconds = min(max(Int64(time.tv_sec), -Self.farthest), Self.farthest)
    return seconds * 1_000_000 + Int64(time.tv_nsec) / 1000
  }

  private static let farthest: Int64 = Limits.latestTime / 1000

  /// Nanoseconds of the monotonic clock: nobody can set it, and it goes on while the machine sleeps.
  static func nanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return UInt64(clamping: time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Nanoseconds since an earlier reading of `nanoseconds()`. Zero if the clock went back, as it does on a virtual
  /// machine that was restored from an earlier state.
  @inline(__always)
  static func nanoseconds(since start: UInt64) -> UInt64 {
    let now = nanoseconds()
    return now > start ? now - start : 0
  }

  /// Nanoseconds that this thread has run. A reading costs a system call.
  static func threadNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(clamping: time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// `nanoseconds()` in milliseconds.
  static func monotonicMilliseconds() -> Milliseconds { Milliseconds(nanoseconds() / 1_000_000) }

  /// The reading of `nanoseconds()` that many milliseconds from now, or `.max` on overflow.
  static func deadline(milliseconds: UInt64) -> UInt64 {
    let (length, isTooLong) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    let (moment, isTooLate) = nanoseconds().addingReportingOverflow(length)
    return isTooLong || isTooLate ? .max : moment
  }
}
