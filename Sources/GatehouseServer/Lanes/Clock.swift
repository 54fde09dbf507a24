import GatehouseCore
import Glibc

/// The server's readings of time. The core reads none.
enum Clock {
  /// Milliseconds since 1970.
  static func milliseconds() -> Milliseconds {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Milliseconds(time.tv_sec) * 1000 + Milliseconds(time.tv_nsec) / 1_000_000
  }

  /// Microseconds since 1970.
  static func microseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }

  /// Nanoseconds since some moment; never goes back.
  static func nanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// The moment of `nanoseconds()` that lies so far ahead, or the last there is where it lies beyond that.
  static func deadline(milliseconds: UInt64) -> UInt64 {
    let (length, isTooLong) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    let (moment, isTooLate) = nanoseconds().addingReportingOverflow(length)
    return isTooLong || isTooLate ? .max : moment
  }
}
