internal import Glibc

/// The result of a backup or a restore.
package struct CopyReport: Sendable, Equatable {
  package var path: String
  /// The LSN of its newest snapshot; nil if it has none.
  package var snapshot: UInt64?
  package var firstLSN: UInt64
  package var lastLSN: UInt64
  package var warnings: [String] = []
}

/// Copies a data folder with its keys, or its state as of an earlier record, into a new folder that opens like any other.
///
/// The source may be in use. Files that do not change once they have their name are copied as they are; of the log,
/// whole frames are copied. The order is snapshots, then log, then archive: if a compaction moves segments meanwhile,
/// they are in the archive by the time it is copied. So the copy may have records twice, but never a gap.
struct FolderCopy {
  let source: DataFolder
  let target: CopyTarget
  /// The last record wanted; nil for all.
  let last: UInt64?
  let cutsFrames: Bool
  /// Whether everything before the snapshots is left out, because it may be damaged.
  let leavesOutHistory: Bool
  let dictionaries: [ZstdDictionary]
  let progress: (CopyProgress) throws -> Void

  func run() throws -> CopyReport {
    do {
      let (report, mark, copied) = try copy()
      try target.finish(mark, copied)
      return report
    } catch {
      target.discard()
      throw error
    }
  }

  private func copy() throws -> (CopyReport, LogMark, DataFolder) {
    var warnings: [String] = []
    var snapshots = try copySnapshots(&warnings)
    let end: LogCopyEnd
    if leavesOutHistory {
      end = try copyAfterSnapshots(&snapshots, &warnings)
    } else {
      do {
        end = try copyRecords(from: nil)
      } catch  where isDamage(error) {
        throw damaged("\(error)", lsn: (error as? LogError)?.lsn, snapshots)
      }
    }
    if end.firstLSN != nil {
      try WitnessFile.create(
        target.folder.logLocation, Witness(epoch: end.epoch, durableLSN: end.lastLSN))
    }
    for name in [FolderName.log, FolderName.snapshots, FolderName.archive] {
      try source.disk.syncDirectory(DiskPath.join(target.folder.path, name))
    }
    let copied = try target.settleKeys()
    let report = try checked(copied, end, snapshots, warnings)
    guard end.firstLSN != nil else { return (report, LogMark(), copied) }
    return (report, LogMark(epoch: end.epoch, firstLSN: report.firstLSN, durableLSN: end.lastLSN), copied)
  }

  /// Copies log and archive.
  /// - Parameter first: the first record wanted; nil for all.
  private func copyRecords(from first: UInt64?) throws -> LogCopyEnd {
    let log = LogCopy(
      source: source, target: target.folder, first: first, last: last, cutsFrames: cutsFrames,
      dictionaries: dictionaries, progress: progress)
    var end = try log.run()
    try copyArchives(log, &end, from: first ?? 1)
    if let last, end.firstLSN == nil {
      throw CopyError.unreachable(
        lsn: last, first: try LogListing(source.logLocation).segments.first ?? 1,
        snapshots: try SnapshotCatalog(source).entries().map(\.lsn))
    }
    return end
  }

  /// Copies the records after the older snapshot; or, if records between the snapshots are damaged, those after the
  /// newer one.
  private func copyAfterSnapshots(
    _ snapshots: inout [SnapshotCatalog.Entry], _ warnings: inout [String]
  ) throws -> LogCopyEnd {
    while let oldest = snapshots.last {
      do {
        return try copyRecords(from: oldest.lsn + 1)
      } catch  where isDamage(error) && snapshots.count > 1 {
        warnings.append("\(error): the snapshot of record \(oldest.lsn) is left out, too")
        try target.remove(FolderName.snapshots, where: { $0 == DiskPath.name(of: oldest.path) })
        try target.remove(FolderName.log)
        try target.remove(FolderName.archive)
        snapshots.removeLast()
      }
    }
    throw CopyError.noSnapshot(last: last, snapshots: try SnapshotCatalog(source).entries().map(\.lsn))
  }

  /// The error for damage in the source.
  private func damaged(_ reason: String, lsn: UInt64?, _ snapshots: [SnapshotCatalog.Entry]) -> CopyError {
    let newest = snapshots.first?.lsn
    return .damaged(reason: reason, snapshot: newest.flatMap { $0 >= lsn ?? 0 ? $0 : nil })
  }

  /// Copies the newest sound snapshots that contain no record after the last one wanted.
  /// - Returns: those that were copied, newest first.
  private func copySnapshots(_ warnings: inout [String]) throws -> [SnapshotCatalog.Entry] {
    let catalog = SnapshotCatalog(source)
    var copied: [SnapshotCatalog.Entry] = []
    for entry in try catalog.entries() where copied.count < Snapshot.kept && entry.lsn <= last ?? .max {
      do {
        let reader = try catalog.open(entry)
        defer { reader.close() }
        try reader.checkHashes { try progress(CopyProgress(part: .snapshots, done: 0)) }
        guard reader.largestLSN <= last ?? .max else { continue }
      } catch let error as BlockFileError {
        // If a newer snapshot has just replaced it, nothing is lost.
        if source.disk.exists(entry.path) { warnings.append("\(error): it is not copied") }
        continue
      }
      do {
        try target.copy(entry.path, to: DiskPath.join(FolderName.snapshots, DiskPath.name(of: entry.path))) { count in
          try progress(CopyProgress(part: .snapshots, done: count))
        }
        copied.append(entry)
      } catch let error as DiskError where error.code == ENOENT && !source.disk.exists(entry.path) {
        continue
      }
    }
    return copied
  }

  /// Copies the archives up to the last record. The last archive is unpacked into a segment if it goes further, or if
  /// no segment follows it.
  /// - Parameter first: the first record wanted; archives that end before it are left out.
  private func copyArchives(_ log: LogCopy, _ end: inout LogCopyEnd, from first: UInt64) throws {
    let entries = try ArchiveCatalog(source).entries().filter { $0.records.upperBound >= first }
    let hasLog = end.firstLSN != nil
    // Without a limit and without a log, the whole archive is wanted.
    let wanted = last ?? (hasLog ? end.lastLSN : .max)
    let some = entries.filter { $0.records.lowerBound <= wanted }
    if let hole = try ArchiveCatalog(source).setAside().first(where: { $0.records.overlaps(first...max(first, wanted)) }
    ) {
      throw LogError(
        .corrupt, segment: DiskPath.name(of: hole.path), lsn: hole.records.lowerBound,
        "the segment was set aside because it is damaged")
    }
    var unpacked: ArchiveCatalog.Entry?
    if let final = some.last, !hasLog || final.records.upperBound > wanted { unpacked = final }
    for entry in some where entry != unpacked {
      do {
        try target.copy(entry.path, to: DiskPath.join(FolderName.archive, DiskPath.name(of: entry.path))) { count in
          try progress(CopyProgress(part: .archive, done: count))
        }
      } catch let error as DiskError where error.code == ENOENT && !source.disk.exists(entry.path) {
        // Its retention has just ended.
        continue
      }
    }
    guard let unpacked else { return }
    try log.removeSegments()
    let epoch = end.epoch
    end = try log.unpack(unpacked, through: min(wanted, unpacked.records.upperBound))
    end.epoch = max(end.epoch, epoch)
  }

  /// Reads the copy back, with the keys that it has, and checks that a state can be restored from it.
  private func checked(
    _ copy: DataFolder, _ end: LogCopyEnd, _ snapshots: [SnapshotCatalog.Entry], _ warnings: [String]
  ) throws -> CopyReport {
    let found = try Verification.run(copy, dictionaries: dictionaries, manifest: false, progress: noteReading)
    let archived = try ArchiveReach(copy)
    let first = archived.firstLSN(before: end.firstLSN ?? end.lastLSN + 1)
    let snapshot = found.snapshots.first?.lsn
    if !found.problems.isEmpty || (snapshot ?? 0) + 1 < first {
      // The damage may have been in the source already.
      let before = try Verification.run(source, dictionaries: dictionaries, manifest: false, progress: noteReading)
      if let problem = before.problems.first(where: { problem in found.problems.contains { $0.file == problem.file } })
      {
        throw damaged("\(problem)", lsn: problem.lsn, snapshots)
      }
    }
    guard (snapshot ?? 0) + 1 >= first else {
      throw CopyError.unreachable(
        lsn: last ?? end.lastLSN, first: first, snapshots: try SnapshotCatalog(source).entries().map(\.lsn))
    }
    guard found.problems.isEmpty else { throw CopyError.unsound(found.problems) }
    if let last, cutsFrames, end.lastLSN != last {
      throw CopyError.noSuchRecord(wanted: .lsn(last), last: RecordMoment(lsn: end.lastLSN, time: nil), nil)
    }
    var warnings = warnings
    if leavesOutHistory, first > 1 {
      warnings.append("the history is left out: the copy has no records before \(first)")
    } else if let kept = source.logMark?.firstLSN, kept < first {
      warnings.append("records \(kept) to \(first - 1) are gone from the source, and so from the copy")
    }
    return CopyReport(path: copy.path, snapshot: snapshot, firstLSN: first, lastLSN: end.lastLSN, warnings: warnings)
  }

  private func noteReading(_ done: UInt64) throws { try progress(CopyProgress(part: .verification, done: done)) }
}
