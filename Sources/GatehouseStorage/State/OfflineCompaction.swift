package import GatehouseCore

/// Compacts a folder that no server uses: restores its state, takes the snapshots that cover the log, and moves the
/// covered segments into the archive.
///
/// Only what the older of the two kept snapshots covers may go into the archive. So it takes two if needed: one of the
/// state at the end of the last complete segment, and one of the state at the log's end.
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
  /// - Throws: what `Recovery.open` throws, and `SnapshotError`, `CodingError`, `BlockFileError`.
  package static func run(
    _ folder: DataFolder, options: CompactionOptions, progress: (Step) throws -> Void = { _ in }
  ) throws -> Report {
    try withoutActuallyEscaping(progress) { progress in
      try OfflineCompaction(folder: folder, options: options, progress: progress).run()
    }
  }

  private func run() throws -> Report {
    var log = LogOptions()
    log.dictionaries = options.dictionaries
    let recovery = try Recovery.open(folder, log: log)
    defer { recovery.snapshot?.close() }
    var report = Report()
    report.compaction.warnings = recovery.report.warnings
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
      if lsn < last, wanted.contains(lsn) { try save(state, lsn: lsn, durable: last, &report) }
    }
    report.lastLSN = end.lastLSN
    if wanted.contains(end.lastLSN) { try save(state, lsn: end.lastLSN, durable: end.lastLSN, &report) }
    let warnings = report.compaction.warnings
    var options = options
    options.now = UInt64(clamping: try time(after: state.newestTime))
    var notes: LogWriter?
    defer { if let notes { folder.closeLog(notes) } }
    report.compaction = try Compactor(folder, options: options, keys: RecordIndex.keys(of: folder)).compact { step in
      if case .replacing(let info) = step {
        let log = try notes ?? folder.openLog(continuing: end, keptFrom: recovery.report.firstLSN, isDriven: true)
        notes = log
        try note(info, in: log, time: Milliseconds(clamping: options.now))
      }
      try progress(.compacting(step))
    }
    if options.rewritesArchives {
      try SnapshotCatalog(folder).rewrite(durable: end.lastLSN)
      report.retired = try folder.retireKeys()
    }
    report.compaction.warnings = warnings + report.compaction.warnings
    return report
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

  /// Logs the hash of an archive that was encrypted anew.
  private func note(_ info: ArchiveInfo, in log: LogWriter, time: Milliseconds) throws {
    var header = RecordHeader(
      time: time, service: 0, actor: nil, subject: nil, connection: 0, command: "COMPACT", reason: "")
    let lsn: LSN
    do throws(LogRefusal) {
      lsn = try log.append(&header, [LogArchived(info).carried])
    } catch {
      throw OfflineCommand.NotLogged(description: "the log takes no record: \(error)")
    }
    _ = log.turn()
    guard log.durableLSN >= lsn else {
      throw OfflineCommand.NotLogged(description: "the record could not be written: \(log.state)")
    }
  }

  private func save(_ state: Restoration, lsn: UInt64, durable: UInt64, _ report: inout Report) throws {
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
