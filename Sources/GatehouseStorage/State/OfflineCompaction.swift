package import GatehouseCore

/// Compacts a folder that no server uses: restores its state, destroys the keys of people who were forgotten, takes the
/// snapshots that cover the log, and moves the covered segments into the archive.
///
/// Only what the older of the two kept snapshots covers may go into the archive. So it takes two if needed: one of the
/// state at the end of the last complete segment, and one of the state at the log's end. If somebody was forgotten since
/// the older one, or everything is to be written anew, both are of the log's end.
package struct OfflineCompaction {
  /// The current step, and its progress.
  package enum Step: Sendable, Equatable {
    case loading(snapshot: UInt64)
    case replaying(done: UInt64, of: UInt64)
    case saving(lsn: UInt64)
    case compacting(CompactionStep)
  }

  package struct Report: Sendable {
    /// The LSNs of the snapshots taken.
    package var snapshots: [UInt64] = []
    /// The last record.
    package var lastLSN: UInt64 = 0
    /// How many keys of people who were anonymised or purged were destroyed.
    package var destroyedKeys = 0
    package var compaction = CompactionReport()
    /// The numbers of the data keys that no file needs any more.
    package var retired: [UInt32] = []
  }

  /// The clock is so far behind the newest record that it cannot be decided which records are old enough to delete.
  package struct ClockConflict: Error, Equatable, CustomStringConvertible {
    package let newest: Milliseconds
    package let now: Milliseconds

    package var description: String {
      "the newest record is of \(TimeText.text(of: newest)) and the clock says \(TimeText.text(of: now)): nothing is "
        + "deleted for its age while they are more than a day apart; set the clock, or leave --retention out"
    }
  }

  private let folder: DataFolder
  private let options: CompactionOptions
  private let progress: (Step) throws -> Void

  /// Compacts.
  /// - Parameters:
  ///   - folder: owned by this process.
  ///   - progress: may throw to stop; the next compaction finishes what was begun.
  /// - Throws: what `Recovery.open` throws, `RecoveryError` also if a newer version has written to the folder, and
  ///   `SnapshotError`, `BlockFileError`, `FolderError` if the log is shared.
  package static func run(
    _ folder: DataFolder, options: CompactionOptions, progress: (Step) throws -> Void = { _ in }
  ) throws -> Report {
    try withoutActuallyEscaping(progress) { progress in
      try OfflineCompaction(folder: folder, options: options, progress: progress).run()
    }
  }

  private func run() throws -> Report {
    try folder.requireOwnLog()
    var logOptions = LogOptions()
    logOptions.dictionaries = options.dictionaries
    let recovery = try Recovery.open(folder, log: logOptions)
    defer { recovery.snapshot?.close() }
    var report = Report()
    var state = Restoration(folder)
    let last = try History(folder, dictionaries: options.dictionaries, keys: RecordIndex.keys(of: folder)).lastLSN()
    let wanted = try CompactionPlan.snapshots(of: folder, after: recovery.report.snapshot, last: last)
    if let snapshot = recovery.snapshot {
      try progress(.loading(snapshot: snapshot.lsn))
      try state.load(snapshot)
    }
    let end = try recovery.read { lsn, bytes in
      try state.replay(lsn, bytes)
      if lsn.isMultiple(of: 1 << 14) { try progress(.replaying(done: lsn, of: last)) }
      let isWanted = lsn < last && wanted.contains(lsn) && !self.options.rewritesArchives
      if isWanted { try save(state, lsn: lsn, durable: last, &report) }
    }
    try requireWhole(state)
    var options = options
    options.now = UInt64(clamping: try time(after: state.newestTime))
    let log = OfflineLog(folder, after: end, keptFrom: recovery.report.firstLSN, newest: state.newestTime)
    defer { log.close() }
    try forget(&state, log, Milliseconds(clamping: options.now), &report)
    try cover(&state, log, isWanted: wanted.contains(end.lastLSN), Milliseconds(clamping: options.now), &report)
    report.compaction = try compact(log, options)
    if options.rewritesArchives {
      try SnapshotCatalog(folder).rewrite(durable: log.lastLSN)
      log.close()
      report.retired = try folder.retireKeys()
    }
    report.lastLSN = log.lastLSN
    report.compaction.warnings = recovery.report.warnings + report.compaction.warnings
    return report
  }

  private func compact(_ log: OfflineLog, _ options: CompactionOptions) throws -> CompactionReport {
    let time = Milliseconds(clamping: options.now)
    return try Compactor(folder, options: options, keys: RecordIndex.keys(of: folder)).compact { step in
      switch step {
      case .replacing(let info): try log.record([LogArchived(info)], command: "COMPACT", time: time)
      case .expiring(let file, let latest):
        let deletion = ArchiveDeleted(
          first: file.records.lowerBound, last: file.records.upperBound, latest: Milliseconds(clamping: latest ?? 0),
          retention: Milliseconds(clamping: options.retention ?? 0))
        try log.record([deletion], command: "COMPACT", time: time)
      case .checking, .archiving, .verifying, .removing, .settingAside: break
      }
      try progress(.compacting(step))
    }
  }

  /// Destroys the keys that are pending, as the server does (`ForgottenPeople`). What made them so is durable: recovery
  /// has synced the log.
  private func forget(_ state: inout Restoration, _ log: OfflineLog, _ now: Milliseconds, _ report: inout Report) throws
  {
    guard let store = folder.keys else { return }
    let era = state.partitions.map { $0.state.answers.era }.max() ?? 0
    try store.destroyAnswers(through: KeyStore.oldAnswers(at: now, era: era))
    // A store that was brought back from an older copy has the keys of everybody who was forgotten since.
    let newest = state.partitions.map { $0.state.forgotten.generation }.max() ?? 0
    let isOlder = newest > store.generation
    let due = state.partitions.map { isOlder ? $0.state.forgottenKeys : $0.state.forgotten.pending.sorted() }
    let webhooks = state.directory.view.keysOfDeletedWebhooks.filter { !store.isDestroyed($0) }
    let people = due.flatMap { $0 }
    if people.isEmpty, webhooks.isEmpty { return }
    let generation = try store.destroy(people + webhooks)
    report.destroyedKeys = people.count
    for (partition, keys) in due.enumerated() {
      let pending = state.partitions[partition].state.forgotten.pending
      let settled = keys.filter(pending.contains)
      if settled.isEmpty { continue }
      let (record, lsn) = try log.record(
        [KeysDestroyed(partition: partition, keys: settled, generation: generation)], command: "COMPACT", time: now)
      state.apply(record, lsn: lsn)
    }
  }

  /// Takes the snapshots as of the log's end.
  /// - Parameter isWanted: whether one is to be taken that covers the log.
  private func cover(
    _ state: inout Restoration, _ log: OfflineLog, isWanted: Bool, _ now: Milliseconds, _ report: inout Report
  ) throws {
    // Both kept snapshots must be of this record or later.
    var target = state.partitions.map { $0.state.forgotten.last }.max() ?? 0
    if options.rewritesArchives {
      if let change = folder.unnotedKeyChange { try log.record(change, clock: now) }
      // What is in the open segment would stay as it is.
      try log.endSegment()
      target = log.lastLSN
    }
    var newest = try SnapshotCatalog(folder).entries().first?.lsn ?? 0
    if isWanted, newest < log.lastLSN {
      try save(state, lsn: log.lastLSN, durable: log.lastLSN, &report)
      newest = log.lastLSN
    }
    for _ in 0..<Snapshot.kept where try SnapshotCatalog(folder).coveredThrough() ?? 0 < target {
      if newest == log.lastLSN {
        let (record, lsn) = try log.record([SnapshotTaken(newest)], command: "COMPACT", time: now)
        state.apply(record, lsn: lsn)
      }
      try save(state, lsn: log.lastLSN, durable: log.lastLSN, &report)
      newest = log.lastLSN
    }
  }

  /// The clock's time, but never before the newest record's.
  private func time(after newest: Milliseconds?) throws(ClockConflict) -> Milliseconds {
    let now = Milliseconds(clamping: options.now)
    guard let newest else { return now }
    if options.retention != nil, SteadyClock.isConflict(newest: newest, wall: now) {
      throw ClockConflict(newest: newest, now: now)
    }
    return max(now, newest)
  }

  /// A snapshot would be without what was skipped, and what replaces the log, too.
  private func requireWhole(_ state: Restoration) throws(RecoveryError) {
    if let skipped = state.firstSkipped { throw .lossy(skipped) }
  }

  private func save(_ state: Restoration, lsn: UInt64, durable: UInt64, _ report: inout Report) throws {
    try requireWhole(state)
    try progress(.saving(lsn: lsn))
    // A server that starts from the snapshot continues from its time, so it must be the records' time and not a
    // clock's.
    let time = state.newestTime.map { UInt64(clamping: $0) } ?? options.now
    let writer = try SnapshotWriter(in: folder, createdAt: time)
    try state.save(to: writer, lsn: lsn)
    _ = try writer.finish(durable: durable)
    report.snapshots.append(lsn)
  }
}
