// Both, because the members of `timespec` count as those of whichever module the compiler has met first.
import CEpoll
import Glibc

/// Monotonic time in nanoseconds.
enum MonotonicClock {
  @inline(__always)
  static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }
}

/// The processor time of another process on this machine, as the kernel counts it.
enum ProcessorTime {
  /// User and system time of process `pid` with all its threads, in microseconds; nil if there is no such process.
  ///
  /// The kernel counts in clock ticks (usually 10 ms), so the difference over a second or less is coarse.
  static func microseconds(of pid: Int32) -> Double? {
    guard let file = fopen("/proc/\(pid)/stat", "r") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = fread(&bytes, 1, bytes.count, file)
    // The program's name is in parentheses and may contain spaces, so count fields from the last `)`.
    guard let nameEnd = bytes[..<count].lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = bytes[(nameEnd + 1)..<count].split(separator: UInt8(ascii: " "))
    guard fields.count > 12,
      let user = Double(String(decoding: fields[11], as: UTF8.self)),
      let system = Double(String(decoding: fields[12], as: UTF8.self))
    else { return nil }
    return (user + system) * 1_000_000 / Double(sysconf(Int32(_SC_CLK_TCK)))
  }
}
