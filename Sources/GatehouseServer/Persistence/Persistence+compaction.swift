import GatehouseCore
import GatehouseStorage
import Glibc
import Logging
import Synchronization

extension Persistence {
  /// The result of `COMPACT`.
  struct Compaction: Sendable {
    var snapshotLSN: LSN = 0
    var archivedThrough: LSN = 0
    var segmentsRemoved = 0
    var archives = 0
    var expired = 0
    /// What is damaged and could not be archived; trying again does not help.
    var damage: [String] = []
  }

  /// Moves the log that both kept snapshots cover into the archive, and deletes archives older than the retention, on a
  /// thread of lower priority than the lanes.
  ///
  /// - Parameter everything: whether to end the open segment and take snapshots first, so that everything written so
  ///   far is archived.
  @discardableResult
  func compact(
    _ context: ServerContext, everything: Bool = false, rewrites: Bool = false
  ) async throws -> Compaction {
    guard !isEnding else { throw Failure.stopping }
    while true {
      let isFree = state.withLock { status in
        defer { status.isCompacting = true }
        return !status.isCompacting
      }
      if isFree { break }
      // One that was asked for waits for the one under way, which may leave out what it is asked for.
      guard everything else { throw Failure.alreadyCompacting }
      try await pauseForOther()
    }
    defer { state.withLock { $0.isCompacting = false } }
    do {
      if everything {
        try await context.forget()
        try await coverLog(context)
        try await renew(context)
      }
      let done = try await archive(context, rewrites: rewrites)
      state.withLock { $0.mustCompact = false }
      return done
    } catch {
      state.withLock {
        $0.mustCompact = true
        $0.compactAt = Clock.deadline(milliseconds: Self.compactionPause)
      }
      if !isEnding { context.logger.error("the log was not archived", metadata: ["error": "\(error)"]) }
      throw error
    }
  }

  /// Milliseconds until a failed compaction is tried again by itself.
  private static let compactionPause: UInt64 = 600_000

  /// Encrypts everything anew that is not encrypted with the current data key: what is in the log and in archives, and,
  /// by taking new ones, snapshots. Then data keys that no file needs are retired.
  func rewrite(_ context: ServerContext) async throws {
    let done = try await compact(context, everything: true, rewrites: true)
    guard done.damage.isEmpty else { throw Failure.damaged(done.damage) }
    // The compaction has taken new snapshots already, if there was anything to cover.
    for _ in 0..<Snapshot.kept where try !SnapshotCatalog(context.folder).areCurrent() { try await saveAnew(context) }
    let left = try await onOwnThread(priority: .low) {
      _ = try context.folder.retireKeys()
      return try EncryptionSurvey(context.folder).leftBehind(context.folder.cipher.currentNumber)
    }
    guard left.isEmpty else { throw Failure.leftBehind(left) }
  }

  private func archive(_ context: ServerContext, rewrites: Bool) async throws -> Compaction {
    var options = CompactionOptions(now: UInt64(clamping: context.clock.milliseconds))
    options.rewritesArchives = rewrites
    // What is deleted is recorded, which only the leader can: a follower's archive stays until it leads.
    if !context.facts.node.isFollowing, case .atLeast(let duration) = context.facts.current.archiveRetention {
      // Deleting cannot be undone, so time by which the clock was set ahead does not make an archive older.
      options.retention = UInt64(clamping: duration.milliseconds + context.clock.stepsFollowed)
    }
    let retention = Milliseconds(clamping: options.retention ?? 0)
    let compactor = Compactor(context.folder, options: options, keys: RecordIndex.keys(of: context.folder))
    let report = try await onOwnThread(priority: .low) { [self] in
      try compactor.compact { step in
        if isEnding { throw Failure.stopping }
        if case .replacing(let info) = step {
          guard noteDurably(LogArchived(info), context) else { throw Failure.logStopped }
        }
        guard case .expiring(let file, let latest) = step else { return }
        let deletion = ArchiveDeleted(
          first: file.records.lowerBound, last: file.records.upperBound, latest: Milliseconds(clamping: latest ?? 0),
          retention: retention)
        // What the trail cannot tell to be deleted stays.
        guard noteDurably(deletion, context) else { throw Failure.logStopped }
      }
    }
    for warning in report.warnings { context.logger.warning("\(warning)") }
    for why in report.setAside {
      context.logger.error("a segment of the log is damaged and was set aside", metadata: ["error": "\(why)"])
    }
    // Each node has archives of its own, and one log with all: a hash in it would not be that of the others' files.
    if !context.facts.node.isReplicated { for info in report.archived { note(LogArchived(info), context) } }
    let archive = ArchiveCatalog(context.folder)
    let (last, archiveBytes) = (try archive.lastLSN() ?? 0, try archive.storedBytes())
    state.withLock {
      $0.archivedThrough = last
      $0.archiveBytes = archiveBytes
    }
    let done = Compaction(
      snapshotLSN: status.lastSavedLSN, archivedThrough: last, segmentsRemoved: report.removed.count,
      archives: report.archived.count, expired: report.expired.count, damage: report.damage)
    if !report.removed.isEmpty || !report.expired.isEmpty {
      context.logger.info(
        "log archived",
        metadata: ["through": "\(last)", "segments": "\(done.segmentsRemoved)", "expired": "\(done.expired)"])
    }
    return done
  }

  /// Whether snapshots that know people who were forgotten since are to be replaced.
  var isRenewalDue: Bool {
    state.withLock {
      !$0.isSaving && $0.renewAt != 0 && Clock.nanoseconds() >= $0.renewAt && Clock.nanoseconds() >= $0.retryAt
    }
  }

  /// Takes snapshots until none is left that knows people who were forgotten since.
  func renew(_ context: ServerContext) async throws {
    let target = state.withLock { status in
      // Who is forgotten from now on makes it due again.
      status.renewAt = 0
      return status.forgottenThrough
    }
    do {
      let catalog = SnapshotCatalog(context.folder)
      for _ in 0..<Snapshot.kept where try catalog.entries().contains(where: { $0.lsn < target }) {
        try await saveAnew(context)
      }
      state.withLock { $0.renewedThrough = max($0.renewedThrough, target) }
    } catch {
      state.withLock { $0.renewAt = max($0.renewAt, Clock.deadline(milliseconds: Self.renewalPause)) }
      throw error
    }
  }

  /// Takes a snapshot, of a record of its own: two snapshots as of the same record would be one. Waits for one that is
  /// being taken, which may have begun too early.
  private func saveAnew(_ context: ServerContext) async throws {
    while true {
      if status.isSaving {
        try await pauseForOther()
        continue
      }
      if context.log.appendedLSN == status.lastSavedLSN { note(SnapshotTaken(status.lastSavedLSN), context) }
      do {
        try await save(context)
        return
      } catch Failure.alreadySaving {
        // Another began in between.
      }
    }
  }

  /// Waits a moment for a snapshot or a compaction that somebody else has begun.
  private func pauseForOther() async throws {
    if isEnding { throw Failure.stopping }
    try await Task.sleep(for: .milliseconds(20))
  }

  /// Ends the open segment, and takes snapshots until both kept ones cover everything before its end.
  private func coverLog(_ context: ServerContext) async throws {
    let target = try await endSegment(context)
    let catalog = SnapshotCatalog(context.folder)
    for _ in 0..<Snapshot.kept where try catalog.coveredThrough() ?? 0 < target { try await saveAnew(context) }
  }

  /// - Returns: the last record of the complete segments.
  private func endSegment(_ context: ServerContext) async throws -> LSN {
    let last = context.log.appendedLSN
    if context.log.statistics.currentSegment <= last { context.log.rotate() }
    while context.log.statistics.currentSegment <= last {
      switch context.log.state {
      case .open, .following: break
      case .full, .failed, .closed: throw Failure.logStopped
      }
      if isEnding { throw Failure.stopping }
      try await Task.sleep(for: .milliseconds(5))
    }
    return context.log.statistics.currentSegment - 1
  }

  /// Logs a record about the data folder itself. If the log does not take it, the trail only lacks this note.
  ///
  /// - Returns: its number; nil if the log does not take it.
  @discardableResult
  private func note(_ change: some Change, _ context: ServerContext) -> LSN? {
    var header = RecordHeader(
      time: context.clock.milliseconds, service: 0, actor: nil, subject: nil, connection: 0, command: "COMPACT",
      reason: "")
    return try? context.log.append(&header, [change.carried])
  }

  /// The same, and waits until the record is durable, on a thread that may block.
  ///
  /// - Returns: whether it is.
  private func noteDurably(_ change: some Change, _ context: ServerContext) -> Bool {
    guard let lsn = note(change, context) else { return false }
    context.log.wake()
    while context.log.durableLSN < lsn, !context.isLogStuck, !isEnding { usleep(1000) }
    return context.log.durableLSN >= lsn
  }
}
