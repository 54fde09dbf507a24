/// A change of any kind, as decisions and records carry it.
///
/// The kinds of the hot path are stored inline; the others are boxed, which costs an allocation each.
public enum AnyChange: Sendable {
  case sessionOpened(SessionOpened)
  case sessionEnded(SessionEnded)
  case sessionSeen(SessionSeen)
  case timerStarted(TimerStarted)
  case timerStopped(TimerStopped)
  case partition(any PartitionChange)
  case directory(any DirectoryChange)
  case folder(any FolderChange)
  case unknown(UnknownChange)
}

/// A change written by a newer program, which this one may skip.
public struct UnknownChange: Sendable, Equatable {
  /// Its kind, also if it is sealed.
  public let code: UInt8
  /// Its encoded fields; if it is sealed, the form around them, too (`SealedChange`).
  public let payload: ContiguousArray<UInt8>
  var isSealed = false

  /// What stands for the name of its kind.
  public var name: String { Self.name(code) }

  static func name(_ code: UInt8) -> String { "unknown-\(code)" }
}

extension AnyChange {
  /// The change itself; nil if this program does not know its kind.
  public var known: (any Change)? {
    switch self {
    case .sessionOpened(let change): change
    case .sessionEnded(let change): change
    case .sessionSeen(let change): change
    case .timerStarted(let change): change
    case .timerStopped(let change): change
    case .partition(let change): change
    case .directory(let change): change
    case .folder(let change): change
    case .unknown: nil
    }
  }

  /// The change as a given kind; nil if it is of another.
  public func `as`<Kind: Change>(_ kind: Kind.Type) -> Kind? { known as? Kind }

  /// Whose rights the change may affect.
  public var concern: Concern {
    switch self {
    case .sessionOpened, .sessionEnded, .sessionSeen, .timerStarted, .timerStopped, .folder, .unknown: .nobody
    case .partition(let change): change.concern
    case .directory(let change): change.concern
    }
  }

  /// Whether it moves the gate's counters.
  public var movesCounters: Bool {
    switch self {
    case .sessionOpened, .sessionEnded, .sessionSeen, .timerStarted, .timerStopped, .folder, .unknown: false
    case .partition(let change): change.movesCounters
    case .directory(let change): change.movesCounters
    }
  }

  public var changesDirectory: Bool { if case .directory = self { true } else { false } }

  /// Calls `partition` for each partition that the change modifies, and `directory` if it modifies the directory.
  /// `movesCounters` tells about the gate's counters.
  public func forEachOwner(
    _ partitioning: Partitioning, partition: (Int) -> Void, directory: () -> Void
  ) {
    let owners: ChangeOwners
    switch self {
    case .sessionOpened(let change): owners = change.owners(partitioning)
    case .sessionEnded(let change): owners = change.owners(partitioning)
    case .sessionSeen(let change): owners = change.owners(partitioning)
    case .timerStarted(let change): owners = change.owners(partitioning)
    case .timerStopped(let change): owners = change.owners(partitioning)
    case .partition(let change): owners = change.owners(partitioning)
    case .directory: return directory()
    case .folder, .unknown: return
    }
    owners.forEach(partition)
  }

  /// Applies the change to every owner that it modifies.
  ///
  /// Performance: the kind is looked up once here, because each look at a kind of the hot path copies the change.
  @inline(__always)
  func applyToOwners(
    _ partitioning: Partitioning, lsn: LSN, header: RecordHeader, on partition: (Int) -> HeldPartition,
    directory: () -> DirectoryCell
  ) {
    switch self {
    case .sessionOpened(let change): change.applyToOwners(partitioning, lsn: lsn, header: header, on: partition)
    case .sessionEnded(let change): change.applyToOwners(partitioning, lsn: lsn, header: header, on: partition)
    case .sessionSeen(let change): change.applyToOwners(partitioning, lsn: lsn, header: header, on: partition)
    case .timerStarted(let change): change.applyToOwners(partitioning, lsn: lsn, header: header, on: partition)
    case .timerStopped(let change): change.applyToOwners(partitioning, lsn: lsn, header: header, on: partition)
    case .partition(let change): change.applyToOwners(partitioning, lsn: lsn, header: header, on: partition)
    case .directory: directory().state.apply(self, lsn: lsn, header: header)
    case .folder, .unknown: break
    }
  }

  /// Applies the change to one partition.
  func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    switch self {
    case .sessionOpened(let change): change.apply(to: &state, lsn: lsn, header: header)
    case .sessionEnded(let change): change.apply(to: &state, lsn: lsn, header: header)
    case .sessionSeen(let change): change.apply(to: &state, lsn: lsn, header: header)
    case .timerStarted(let change): change.apply(to: &state, lsn: lsn, header: header)
    case .timerStopped(let change): change.apply(to: &state, lsn: lsn, header: header)
    case .partition(let change): change.apply(to: &state, lsn: lsn, header: header)
    case .directory, .folder, .unknown: preconditionFailure("a change of no partition was applied to one")
    }
  }
}

extension AnyChange: Equatable {
  public static func == (one: AnyChange, other: AnyChange) -> Bool {
    switch (one.known, other.known) {
    case (let one?, let other?): return one.isEqual(to: other)
    case (nil, nil):
      guard case .unknown(let one) = one, case .unknown(let other) = other else { return false }
      return one == other
    default: return false
    }
  }
}

extension PartitionChange {
  @inline(__always)
  fileprivate func applyToOwners(
    _ partitioning: Partitioning, lsn: LSN, header: RecordHeader, on partition: (Int) -> HeldPartition
  ) {
    owners(partitioning).forEach { partition($0).state.apply(self, lsn: lsn, header: header) }
  }
}

extension Change {
  fileprivate func isEqual(to other: any Change) -> Bool { other as? Self == self }
}
