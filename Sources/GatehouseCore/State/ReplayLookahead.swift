/// Looks ahead at records before replay applies them, and prefetches the memory that applying reads. Of a million users,
/// the row and the details of each are cold in the cache, and replay would wait for them one after another. As with
/// `Lookahead`, it is only a hint about memory.
extension Record {
  /// How many records are looked at together.
  public static let lookAhead = 64

  /// Prefetches the rows of the users that the record concerns.
  public func prefetchRows(in partitions: [PartitionCell], _ partitioning: Partitioning) {
    for change in first.changes {
      guard let user = change.frequentUser else { continue }
      let state = partitions[partitioning.partition(of: user)].held
      state.state.people.users.prefetch(partitioning.serial(of: user))
    }
  }

  /// Prefetches the details of those rows, once the rows have arrived.
  public func prefetchDetails(in partitions: [PartitionCell], _ partitioning: Partitioning) {
    for change in first.changes {
      guard let user = change.frequentUser else { continue }
      let state = partitions[partitioning.partition(of: user)].held
      state.state.people.users.prefetchDetails(partitioning.serial(of: user))
    }
  }
}

extension AnyChange {
  /// The user of a change of the hot path; nil for other changes.
  fileprivate var frequentUser: UserID? {
    switch self {
    case .sessionOpened(let change): change.user
    case .sessionEnded(let change): change.user
    case .sessionSeen(let change): change.user
    case .timerStarted(let change): change.user
    case .timerStopped(let change): change.user
    case .partition, .directory, .folder, .unknown: nil
    }
  }
}
