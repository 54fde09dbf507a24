import Glibc

/// What a crash writes to the log.
enum Backtraces {
  /// Has the backtrace of a crash tell nothing of what is in memory: by itself it shows the registers, and the bytes at
  /// which they point, which may be somebody's data.
  ///
  /// Swift reads this once, when the program starts, so the program starts itself again; where that cannot be done it goes
  /// on as it is. Whoever has set `SWIFT_BACKTRACE` decides.
  static func leaveOutMemory() {
    guard getenv("SWIFT_BACKTRACE") == nil else { return }
    var path = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    guard readlink("/proc/self/exe", &path, path.count - 1) > 0 else { return }
    setenv("SWIFT_BACKTRACE", "registers=none", 1)
    execv(path, CommandLine.unsafeArgv)
  }
}
