import GatehouseCore
import GatehouseStorage
import Logging
import NIOCore
import Synchronization

/// Takes snapshots while the server serves, and moves what they cover into the archive.
///
/// A partition's state is a value: taking it is copying a few references under its hold. The copy is encoded and
/// written without the hold, one partition after the other; what a command changes meanwhile it changes in pages of
/// its own.
final class Persistence: Sendable {
  struct Status: Sendable {
    var isSaving = false
    /// Seconds since 1970; 0 for never.
    var lastSave: Int64 = 0
    /// The same in `Clock.nanoseconds()`, or the start where none was taken since.
    var lastSaveAt = Clock.nanoseconds()
    var lastSaveSucceeded = true
    var lastSaveSeconds: Double = -1
    var lastSaveBytes: UInt64 = 0
    var lastSavedLSN: LSN = 0
    var lastError = ""
    /// Snapshots that failed since the last that did not.
    var failures = 0
    /// When the next one is tried without being asked for, in `Clock.nanoseconds()`.
    var retryAt: UInt64 = 0
    /// Bytes of log written when the last snapshot was taken.
    var loggedBytes: UInt64 = 0
    var savesTaken = 0
    var longestCopyNanoseconds: UInt64 = 0
    var isCompacting = false
    /// Whether the last compaction failed, and when it is tried again, in `Clock.nanoseconds()`.
    var mustCompact = false
    var compactAt: UInt64 = 0
    var archivedThrough: LSN = 0
  }

  enum Failure: Error, CustomStringConvertible {
    case alreadySaving
    case logStopped
    case noRoom(needed: UInt64, free: UInt64)
    case alreadyCompacting
    case stopping

    var description: String {
      switch self {
      case .alreadySaving: "a snapshot is being taken already"
      case .alreadyCompacting: "the log is being archived already"
      case .stopping: "the server is stopping"
      case .noRoom(let needed, let free):
        "a snapshot may take \(needed) bytes, and the disk has \(free) left; make room"
      case .logStopped: "the log takes no changes, so nothing new can become durable"
      }
    }
  }

  let state = Mutex(Status())
  private let isStopping = Atomic(false)

  init() {}

  var status: Status { state.withLock { $0 } }

  var isEnding: Bool { isStopping.load(ordering: .acquiring) }

  /// Begins no further compaction, and lets one that goes on end soon.
  func stop() { isStopping.store(true, ordering: .releasing) }

  /// Notes what the server started from. Without a snapshot the last save counts as the start, as Redis has it,
  /// so that whoever watches for overdue snapshots does not see one of 1970.
  func began(from snapshot: SnapshotInfo?, in folder: DataFolder, at started: Milliseconds) {
    let archived = try? ArchiveCatalog(folder).lastLSN()
    state.withLock {
      $0.archivedThrough = archived ?? 0
      $0.lastSavedLSN = snapshot?.lsn ?? 0
      $0.lastSave = snapshot.map { Int64($0.createdAt / 1000) } ?? started / 1000
      $0.lastSaveBytes = snapshot?.fileBytes ?? 0
    }
  }

  /// Takes a snapshot. It counts only once it was written, synced and read back.
  @discardableResult
  func save(_ context: ServerContext) async throws -> SnapshotInfo {
    let isFree = state.withLock { status in
      defer { status.isSaving = true }
      return !status.isSaving
    }
    guard isFree else { throw Failure.alreadySaving }
    let start = Clock.nanoseconds()
    let logged = context.log.statistics.storedBytes
    do {
      let info = try await write(context)
      state.withLock {
        $0.isSaving = false
        $0.lastSave = context.clock.milliseconds / 1000
        $0.lastSaveAt = Clock.nanoseconds()
        $0.lastSaveSucceeded = true
        $0.failures = 0
        $0.retryAt = 0
        $0.lastSaveSeconds = Double(Clock.nanoseconds(since: start)) / 1e9
        $0.lastSaveBytes = info.fileBytes
        $0.lastSavedLSN = info.lsn
        $0.loggedBytes = logged
        $0.savesTaken += 1
      }
      context.logger.info(
        "snapshot taken",
        metadata: ["lsn": "\(info.lsn)", "bytes": "\(info.fileBytes)", "seconds": "\(status.lastSaveSeconds)"])
      return info
    } catch {
      state.withLock {
        $0.isSaving = false
        $0.lastSaveSucceeded = false
        $0.lastError = "\(error)"
        $0.retryAt = Clock.deadline(milliseconds: Self.pause(afterFailures: $0.failures))
        $0.failures += 1
      }
      context.logger.error("no snapshot was taken", metadata: ["error": "\(error)"])
      throw error
    }
  }

  /// Milliseconds until a snapshot that failed is tried again: half a minute, doubling, an hour at most.
  private static func pause(afterFailures failures: Int) -> UInt64 {
    min(30_000 << UInt64(min(failures, 7)), 3_600_000)
  }

  /// There is room again: what failed for want of it is tried again soon.
  func tryAgain() {
    state.withLock {
      $0.retryAt = 0
      $0.compactAt = 0
    }
  }

  /// Refuses where a snapshot would take the room that the log needs: it would fail half written, and have filled the
  /// disk meanwhile.
  private func checkRoom(_ context: ServerContext) throws {
    let last = status.lastSaveBytes
    let needed = last + last / 2 + UInt64(context.facts.current.segmentBytes)
    let free = try context.folder.disk.freeBytes(context.folder.snapshotsPath)
    // Nothing more is put into a folder whose log has failed: it may no longer be the one that was opened.
    guard !context.hasLogFailed else { throw Failure.logStopped }
    guard free >= needed else { throw Failure.noRoom(needed: needed, free: free) }
  }

  private func write(_ context: ServerContext) async throws -> SnapshotInfo {
    try checkRoom(context)
    let start = Clock.nanoseconds()
    let created = UInt64(clamping: context.clock.milliseconds)
    let writer = try await slowly(since: start) { try SnapshotWriter(in: context.folder, createdAt: created) }
    let directory = await context.directory.copy(context.gate)
    try await slowly(since: start) { try writer.add(directory.state, lsn: directory.lsn) }
    for partition in context.partitions {
      // The copy is made here, and not by the slow thread: that could be preempted while it is in the partition.
      let began = Clock.nanoseconds()
      let copy = await partition.copy(context.log)
      let took = Clock.nanoseconds(since: began)
      state.withLock { $0.longestCopyNanoseconds = max($0.longestCopyNanoseconds, took) }
      try await slowly(since: start) { try writer.add(copy.cell.state, lsn: copy.lsn) }
      // The pages that have been replaced meanwhile are freed here, too: they are of other threads' memory.
      withExtendedLifetime(copy) {}
    }
    // A snapshot must not know more than the log: it would bring back what a crash took. Written is not enough.
    let isSynced = await context.sync(through: writer.largestLSN) {
      // A full log may be so for long, and a stop does not wait for room.
      !(isEnding && context.log.state == .full)
    }
    guard isSynced else { throw Failure.logStopped }
    let synced = context.log.syncedLSN
    return try await slowly(since: start) { try writer.finish(durable: synced) }
  }

  /// Carries out a part of a snapshot on a thread that runs when no other wants its core. Where all cores are wanted all
  /// the time, that may be never: a snapshot that takes long gets a share of one.
  private func slowly<Result: Sendable>(
    since start: UInt64, _ work: @escaping @Sendable () throws -> Result
  ) async throws -> Result {
    let isLate = Clock.nanoseconds(since: start) > Self.idleNanoseconds
    return try await onOwnThread(priority: isLate ? .low : .idle, work)
  }

  /// How long a snapshot is content with cores that nobody else wants.
  private static let idleNanoseconds: UInt64 = 60_000_000_000

  /// Whether a compaction that failed is due again.
  var isCompactionDue: Bool {
    state.withLock { $0.mustCompact && !$0.isCompacting && Clock.nanoseconds() >= $0.compactAt }
  }

  /// Whether a snapshot is due by size or by time.
  func isDue(_ context: ServerContext) -> Bool {
    let configuration = context.facts.current
    let status = status
    guard !status.isSaving, Clock.nanoseconds() >= status.retryAt, context.log.appendedLSN > status.lastSavedLSN else {
      return false
    }
    let logged = context.log.statistics.storedBytes
    if configuration.snapshotEveryBytes > 0,
      logged >= status.loggedBytes + UInt64(configuration.snapshotEveryBytes)
    {
      return true
    }
    let every = UInt64(configuration.snapshotEvery.milliseconds)
    return every > 0 && Clock.nanoseconds(since: status.lastSaveAt) / 1_000_000 >= every
  }
}
