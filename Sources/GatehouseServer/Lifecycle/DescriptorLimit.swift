import Glibc

/// The number of descriptors this process may have open: every connection takes one.
enum FileLimit {
  /// What the log, snapshots, event loops and listening take besides connections, generously.
  static let reserve = 128

  /// Raises the soft limit as far as the hard one allows.
  ///
  /// - Returns: how many descriptors may be open now.
  static func raise(to wanted: Int) -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
    if limit.rlim_cur < rlim_t(wanted), limit.rlim_cur < limit.rlim_max {
      limit.rlim_cur = min(rlim_t(wanted), limit.rlim_max)
      _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      _ = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
    return Int(clamping: limit.rlim_cur)
  }
}
