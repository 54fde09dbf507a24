import GatehouseCore
import GatehouseStorage
import Logging
import NIOCore
import Synchronization

/// Takes snapshots while the server runs, and moves the log that they cover into the archive.
///
/// A partition's state is a value, so a snapshot copies only a few references under the partition's hold. The copy is
/// then encoded and written without the hold, one partition after the other. Commands that change the state meanwhile
/// copy the pages they write (copy-on-write).
final class Persistence: Sendable {
  struct Status: Sendable {
    var isSaving = false
    /// Seconds since 1970; 0 for never.
    var lastSave: Int64 = 0
    /// The same in `Clock.nanoseconds()`; the start if none was taken since.
    var lastSaveAt = Clock.nanoseconds()
    var lastSaveSucceeded = true
    var lastSaveSeconds: Double = -1
    var lastSaveBytes: UInt64 = 0
    var lastSavedLSN: LSN = 0
    var lastError = ""
    /// How many snapshots have failed in a row.
    var failures = 0
    /// When a failed snapshot is tried again by itself, in `Clock.nanoseconds()`.
    var retryAt: UInt64 = 0
    /// Bytes of log written before the last snapshot was taken.
    var loggedBytes: UInt64 = 0
    var savesTaken = 0
    var longestCopyNanoseconds: UInt64 = 0
    var isCompacting = false
    /// Whether the last compaction failed, and when it is tried again by itself, in `Clock.nanoseconds()`.
    var mustCompact = false
    var compactAt: UInt64 = 0
    var archivedThrough: LSN = 0
    /// The bytes of the archive, as of the start or the last compaction.
    var archiveBytes: UInt64 = 0
    /// Keys of anonymised people that are still to be destroyed.
    var pendingKeys = 0
    /// The last record that anonymised or purged somebody, and through which no snapshot knows such people any more.
    var forgottenThrough: LSN = 0
    var renewedThrough: LSN = 0
    /// When snapshots that still know them are replaced, in `Clock.nanoseconds()`; 0 if there are none.
    var renewAt: UInt64 = 0
  }

  enum Failure: Error, CustomStringConvertible {
    case alreadySaving
    case logStopped
    case noRoom(needed: UInt64, free: UInt64)
    case alreadyCompacting
    case stopping
    case damaged([String])
    case leftBehind([String])
    case lossy(String)

    var description: String {
      switch self {
      case .alreadySaving: "a snapshot is being taken already"
      case .alreadyCompacting: "the log is being archived already"
      case .stopping: "the server is stopping"
      case .damaged(let damage): "some of the history is damaged: \(damage.joined(separator: "; "))"
      case .leftBehind(let files): "these files are as they were: \(files.joined(separator: ", "))"
      case .noRoom(let needed, let free):
        "a snapshot may take \(needed) bytes, and the disk has \(free) left; make room"
      case .lossy(let why): why
      case .logStopped: "the log takes no changes, so nothing new can become durable"
      }
    }
  }

  let state = Mutex(Status())
  private let isStopping = Atomic(false)

  init() {}

  var status: Status { state.withLock { $0 } }

  var isEnding: Bool { isStopping.load(ordering: .acquiring) }

  /// Starts no further compaction, and has a running one end soon.
  func stop() { isStopping.store(true, ordering: .releasing) }

  /// Records what is known of people who are to be forgotten. Snapshots that know them are due to be replaced.
  func note(pendingKeys: Int, forgottenThrough: LSN) {
    state.withLock {
      $0.pendingKeys = pendingKeys
      guard forgottenThrough > $0.forgottenThrough else { return }
      $0.forgottenThrough = forgottenThrough
      if $0.renewAt == 0 { $0.renewAt = Clock.deadline(milliseconds: Self.renewalPause) }
    }
  }

  /// Milliseconds until snapshots that know a forgotten person are replaced: several people may be anonymised after each
  /// other, and each time takes two snapshots.
  static let renewalPause: UInt64 = 60_000

  /// Records what the server started from. Without a snapshot the start counts as the last save, as in Redis, so that
  /// monitoring for overdue snapshots does not see one of 1970.
  func began(from snapshot: SnapshotInfo?, in folder: DataFolder, at started: Milliseconds) {
    let archive = ArchiveCatalog(folder)
    let (archived, archiveBytes) = (try? archive.lastLSN(), try? archive.storedBytes())
    state.withLock {
      $0.archivedThrough = archived ?? 0
      $0.archiveBytes = archiveBytes ?? 0
      $0.lastSavedLSN = snapshot?.lsn ?? 0
      $0.lastSave = snapshot.map { Int64($0.createdAt / 1000) } ?? started / 1000
      $0.lastSaveBytes = snapshot?.fileBytes ?? 0
    }
  }

  /// Takes a snapshot. It counts only once it was written, synced and read back.
  @discardableResult
  func save(_ context: ServerContext) async throws -> SnapshotInfo {
    if let why = context.snapshotObstacle { throw Failure.lossy(why) }
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

  /// Milliseconds until a failed snapshot is tried again: half a minute, doubled each time, at most an hour.
  private static func pause(afterFailures failures: Int) -> UInt64 {
    min(30_000 << UInt64(min(failures, 7)), 3_600_000)
  }

  /// The disk has room again: snapshots and compactions that failed are tried again soon.
  func tryAgain() {
    state.withLock {
      $0.retryAt = 0
      $0.compactAt = 0
    }
  }

  /// Refuses a snapshot that could use up the room that the log needs: it would fail half written, and fill the disk
  /// meanwhile.
  private func checkRoom(_ context: ServerContext) throws {
    let last = status.lastSaveBytes
    let needed = last + last / 2 + UInt64(context.facts.current.segmentBytes)
    let free = try context.folder.disk.freeBytes(context.folder.snapshotsPath)
    // After the log has failed, the folder may no longer be the one that was opened, so nothing more is written into
    // it.
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
      // Whoever waits for the end of this server need not wait for what is of no use any more.
      guard !context.hasLogFailed else { throw Failure.logStopped }
      // Copied by this task and not by the slow thread, which could be preempted while it holds the partition.
      let began = Clock.nanoseconds()
      let copy = await partition.copy(context.log)
      let took = Clock.nanoseconds(since: began)
      state.withLock { $0.longestCopyNanoseconds = max($0.longestCopyNanoseconds, took) }
      try await slowly(since: start) { try writer.add(copy.cell.state, lsn: copy.lsn) }
      // Keeps the copy alive until here, so that replaced pages are freed by this task: other threads allocated them.
      withExtendedLifetime(copy) {}
    }
    // A follower notes what it skips before it applies the rest, so whatever a copy lacks is known by now.
    if let why = context.snapshotObstacle { throw Failure.lossy(why) }
    // A snapshot must not be ahead of the synced log, or it would bring back records that a crash has lost. It is not
    // enough that they were written.
    let isSynced = await context.sync(through: writer.largestLSN) {
      // A full disk may stay full for long, and shutdown does not wait for room.
      !(isEnding && context.log.state == .full)
    }
    guard isSynced else { throw Failure.logStopped }
    let synced = context.log.syncedLSN
    return try await slowly(since: start) { try writer.finish(durable: synced) }
  }

  /// Runs a part of a snapshot on a thread that gets only idle time. If all cores stay busy, that could be never, so a
  /// snapshot that takes too long continues with low priority, and one that the end of the server waits for with the usual
  /// one.
  private func slowly<Result: Sendable>(
    since start: UInt64, _ work: @escaping @Sendable () throws -> Result
  ) async throws -> Result {
    let isLate = Clock.nanoseconds(since: start) > Self.idleNanoseconds
    return try await onOwnThread(priority: isEnding ? .normal : isLate ? .low : .idle, work)
  }

  /// How long a snapshot runs in idle time only.
  private static let idleNanoseconds: UInt64 = 60_000_000_000

  /// Whether a failed compaction is due again.
  var isCompactionDue: Bool {
    state.withLock { $0.mustCompact && !$0.isCompacting && Clock.nanoseconds() >= $0.compactAt }
  }

  /// Whether a snapshot is due by size or by time.
  func isDue(_ context: ServerContext) -> Bool {
    let configuration = context.facts.current
    let status = status
    guard context.snapshotObstacle == nil, !status.isSaving, Clock.nanoseconds() >= status.retryAt,
      context.log.appendedLSN > status.lastSavedLSN
    else { return false }
    let logged = context.log.statistics.storedBytes
    if let bytes = Self.bytesPerSnapshot(configuration), logged >= status.loggedBytes + bytes { return true }
    let every = UInt64(configuration.snapshotEvery.milliseconds)
    return every > 0 && Clock.nanoseconds(since: status.lastSaveAt) / 1_000_000 >= every
  }

  /// After how many bytes of log a snapshot is due; nil for any number. A shared log is deleted only as far as snapshots
  /// go, so some must be taken before it slows writes down, whatever the setting for snapshots says.
  static func bytesPerSnapshot(_ configuration: ServerConfiguration) -> UInt64? {
    let set = configuration.snapshotEveryBytes > 0 ? UInt64(configuration.snapshotEveryBytes) : nil
    guard configuration.replication != nil else { return set }
    let shared = UInt64(configuration.replicationSlow / 2)
    return min(set ?? shared, shared)
  }
}
