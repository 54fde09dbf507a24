import Glibc

/// The limit of open files (`ulimit -n`), and how many connections it leaves room for: each takes one descriptor.
enum DescriptorLimit {
  /// Descriptors for the log, snapshots, archive, readers of the history and standard streams, with room to spare.
  private static let ofFiles = 64
  /// Of those, descriptors held in reserve for writing when no others are left: two segments of the log, their folder,
  /// the witness, a snapshot and an archive, and the folders that are listed meanwhile, which may take only half of them.
  static let heldForWriting = 10
  /// Descriptors of a lane's loop, with room to spare.
  private static let ofLane = 8

  /// How many descriptors the server needs besides its connections.
  static func reserve(lanes: Int) -> Int { ofFiles + ofLane * lanes }

  /// Raises the process's limit as far as possible.
  ///
  /// - Returns: how many connections fit: `wanted`, or fewer if the limit does not allow as many; 0 or less if it is
  ///   too low even for the files.
  static func connections(wanted: Int, lanes: Int) -> Int {
    let reserve = reserve(lanes: lanes)
    return min(wanted, raise(to: wanted + reserve) - reserve)
  }

  /// Raises the soft limit as far as the hard one allows.
  ///
  /// - Returns: how many descriptors may be open now.
  private static func raise(to wanted: Int) -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return wanted }
    if limit.rlim_cur < rlim_t(wanted), limit.rlim_cur < limit.rlim_max {
      limit.rlim_cur = min(rlim_t(wanted), limit.rlim_max)
      _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      _ = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
    return Int(clamping: limit.rlim_cur)
  }
}

extension ServerFacts {
  /// Lowers `max-connections` to what the limit of open files leaves room for.
  ///
  /// - Returns: the configuration, and whether it was lowered.
  func fitting(_ configuration: ServerConfiguration) -> (ServerConfiguration, isLowered: Bool) {
    let lanes = configuration.laneCount(cores: coreCount)
    let fitting = DescriptorLimit.connections(wanted: configuration.maxConnections, lanes: lanes)
    guard fitting < configuration.maxConnections else { return (configuration, false) }
    var lowered = configuration
    lowered.maxConnections = max(0, fitting)
    return (lowered, true)
  }
}
