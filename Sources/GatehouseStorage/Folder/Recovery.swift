package import GatehouseCore

/// Why a folder's state cannot be restored. Each text says what to do about it.
package enum RecoveryError: Error, Equatable {
  /// A snapshot or a record, whose checksums are right, has something in it that this version cannot read.
  case unknown(what: String, CodingError)
  /// A part of what a newer version has written was skipped, and this would be written without it.
  case lossy(SkippedPart)
  /// There is no sound snapshot, or records after it are missing.
  case unreachable(from: UInt64, first: UInt64, warnings: [String])
  /// The snapshot contains durable records that the log no longer has.
  case behind(snapshot: UInt64, log: UInt64)
  /// By its numbers the log continues the archive, but its hash chain does not.
  case unchained(at: UInt64)
  /// There is no log, though records were written: through `made` at least, as far as the manifest knows.
  case emptied(path: String, made: UInt64?, archived: ClosedRange<UInt64>?)
  /// The log is older than the manifest: what the log says, and what the manifest says.
  case setBack(path: String, log: String, manifest: String)
}

extension RecoveryError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unknown(let what, let why):
      "\(what) cannot be read: \(why); if a newer version of Gatehouse has written to this folder, start that one; else run "
        + "`gatehousectl verify` for all damage, and `gatehousectl restore` to go back to a backup"
    case .lossy(let skipped): "\(skipped.loss()): use the programs of the newer version on this folder"
    case .unreachable(let from, let first, let warnings):
      "records from \(from) on are needed, but archive and log begin with \(first)"
        + warnings.map { "; \($0)" }.joined()
        + "; run `gatehousectl verify` for all damage, and `gatehousectl restore` to go back to a backup"
    case .behind(let snapshot, let log):
      "the log ends with record \(log), but a snapshot has applied \(snapshot), which was durable: the end of the log is "
        + "gone; bring it back, or run `gatehousectl restore` to go back to a backup"
    case .unchained(let lsn):
      "the log does not follow on the archive at record \(lsn); run `gatehousectl verify`, and move what belongs to "
        + "another folder out of this one"
    case .emptied(let path, let made, let archived):
      "\(path): records were made" + (made.map { $0 > 0 ? ", through \($0) at least" : "" } ?? "")
        + ", but log/ is empty: it was taken away, or another disk is mounted there; bring it back, or go back to a "
        + "backup with `gatehousectl restore`"
        + (archived.map {
          "; what the archive still has can be had with `gatehousectl restore --until \($0.upperBound)`"
        } ?? "; if this folder never held anything, delete it, and a new one is made")
    case .setBack(let path, let log, let manifest):
      "\(path): the log \(log), but the manifest knows of \(manifest): log/ was replaced by an older copy, or its end is "
        + "gone; bring it back, or go back to a backup with `gatehousectl restore`; what is there can be had with "
        + "`gatehousectl restore --until` and the number of the last record wanted"
    }
  }
}

/// What was found when a folder was opened, for the server's log.
package struct RecoveryReport: Sendable, Equatable {
  package var snapshot: SnapshotInfo?
  /// The first record of archive and log together.
  package var firstLSN: UInt64 = 1
  /// The first record to replay.
  package var replayFrom: UInt64 = 1
  /// How many of them come from the archive because the log no longer has them.
  package var fromArchive: UInt64 = 0
  package var warnings: [String] = []
}

/// Recovers a folder's state: the newest sound snapshot, then the records after it.
///
/// A damaged snapshot is skipped with a warning in favour of the one before it. Both kept snapshots connect to the log,
/// because compaction keeps everything that the older one does not cover. If neither is sound, the archive may still
/// have everything from the first record on. The folder is refused only if every way has a gap.
package struct Recovery: LogSource, Sendable {
  private let folder: DataFolder
  private let log: LogRecovery
  /// The newest sound snapshot, with every block's hash checked; nil if the log is replayed from its first record.
  package let snapshot: SnapshotReader?
  package let report: RecoveryReport

  /// Finds the snapshot and the records to replay.
  /// - Parameters:
  ///   - folder: owned by this process.
  ///   - options: how the log is read, and will be written.
  /// - Throws: `RecoveryError`, `LogError`, `BlockFileError` or `DiskError`.
  package static func open(_ folder: DataFolder, log options: LogOptions = LogOptions()) throws -> Recovery {
    precondition(folder.isOwned)
    try SnapshotCatalog(folder).deleteTemporaries()
    try ArchiveCatalog(folder).deleteTemporaries()
    let archives = try ArchiveReach(folder)
    let log = try LogRecovery(
      folder.logLocation, options: options, forWriting: true, firstLSN: archives.records.map { $0.upperBound + 1 } ?? 1,
      previousHash: archives.lastHash)
    if let objection = folder.objection(hasSegments: !log.segments.isEmpty, log.witness, archives) { throw objection }
    var report = RecoveryReport()
    let first = archives.firstLSN(before: log.firstLSN)
    report.firstLSN = first
    var failure: DiskError?
    let snapshot = try newestSound(in: folder, first: first, &report, &failure)
    report.replayFrom = (snapshot?.lsn ?? 0) + 1
    guard report.replayFrom >= first else {
      // A snapshot that the disk failed to read may be whole.
      if let failure { throw failure }
      throw RecoveryError.unreachable(from: report.replayFrom, first: first, warnings: report.warnings)
    }
    if report.replayFrom < log.firstLSN {
      report.fromArchive = log.firstLSN - report.replayFrom
      report.warnings.append("\(report.fromArchive) records are replayed from the archive: the log begins after them")
    }
    if let kept = folder.logMark?.firstLSN, kept < first {
      report.warnings.append(
        "the history before record \(first) is gone or cannot be read, though it is kept from record \(kept) on; the "
          + "state is whole: run `gatehousectl verify` for all damage")
    }
    try archives.checkChain(into: folder, at: log.firstLSN)
    return Recovery(folder: folder, log: log, snapshot: snapshot, report: report)
  }

  /// - Parameters:
  ///   - first: the first record from which on there is no gap.
  ///   - failure: set if the disk failed to read a snapshot.
  private static func newestSound(
    in folder: DataFolder, first: UInt64, _ report: inout RecoveryReport, _ failure: inout DiskError?
  ) throws -> SnapshotReader? {
    let catalog = SnapshotCatalog(folder)
    for entry in try catalog.entries() {
      do throws(BlockFileError) {
        let reader = try catalog.openSound(entry)
        guard reader.lsn + 1 >= first else {
          reader.close()
          report.warnings.append("\(entry.path) is sound, but the records after it are gone")
          continue
        }
        report.snapshot = reader.info
        return reader
      } catch {
        // It is no damage that its key is not at hand: an older snapshot would not help.
        if case .locked = error { throw error }
        if case .failed(let cause) = error {
          // Without permission or a descriptor, the snapshot may be sound; do not fall back to an older one.
          guard cause.trouble == .failed else { throw cause }
          failure = cause
        }
        report.warnings.append("\(error): it is passed over")
      }
    }
    return nil
  }

  /// Hands out the records after the snapshot, in order. Partitions skip those that their section of the snapshot
  /// already contains.
  /// - Parameter handle: receives a record with its LSN; the bytes are valid during the call only.
  /// - Returns: the end of the log, where the writer continues.
  package func read(_ handle: (UInt64, UnsafeRawBufferPointer) throws -> Void) throws -> LogEnd {
    let from = report.replayFrom
    if from < log.firstLSN {
      let history = History(folder, dictionaries: log.options.dictionaries) { _, _ in 0 }
      var next = from
      try history.forEach(History.Query(from...(log.firstLSN - 1))) { lsn, record in
        try handle(lsn, record)
        next = lsn + 1
        return true
      }
      guard next == log.firstLSN else {
        throw RecoveryError.unreachable(from: next, first: log.firstLSN, warnings: report.warnings)
      }
    }
    let end = try log.replay(from: max(from, log.firstLSN), handle)
    if let snapshot, snapshot.largestLSN > end.lastLSN {
      throw RecoveryError.behind(snapshot: snapshot.largestLSN, log: end.lastLSN)
    }
    if let objection = folder.objection(toEnd: end.lastLSN) { throw objection }
    return end
  }
}

/// The records at the end of the archive that have no gap between them.
struct ArchiveReach {
  private(set) var records: ClosedRange<UInt64>?
  private(set) var lastHash: Hash128?

  init(_ folder: DataFolder) throws {
    let catalog = ArchiveCatalog(folder)
    for entry in try catalog.entries().reversed() {
      // A damaged archive ends the range: what lies before it is not connected.
      guard let reader = try? catalog.open(entry) else { break }
      defer { reader.close() }
      if let records {
        guard entry.records.upperBound + 1 == records.lowerBound else { break }
        self.records = entry.records.lowerBound...records.upperBound
      } else {
        records = entry.records
        lastHash = reader.info.lastHash
      }
    }
  }

  /// The first record of archive and log together, if the log begins with `logFirst`.
  func firstLSN(before logFirst: UInt64) -> UInt64 {
    // After an interrupted compaction the two may overlap.
    guard let records, records.upperBound + 1 >= logFirst else { return logFirst }
    return min(records.lowerBound, logFirst)
  }

  /// Checks that the hash chain continues from the archive's end to the log's first segment, if the segment comes right
  /// after it.
  func checkChain(into folder: DataFolder, at logFirst: UInt64) throws {
    guard let records, let lastHash, records.upperBound + 1 == logFirst,
      folder.disk.exists(folder.logLocation.path(LogFormat.segmentName(logFirst)))
    else { return }
    let segment = try OpenSegment(folder.logLocation, logFirst)
    defer { segment.file.close() }
    guard segment.header.previousHash == lastHash else { throw RecoveryError.unchained(at: logFirst) }
  }
}
