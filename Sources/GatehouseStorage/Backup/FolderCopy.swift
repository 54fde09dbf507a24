internal import Glibc

/// What a backup or a restore has made.
package struct CopyReport: Sendable, Equatable {
  package var path: String
  /// The records of its newest snapshot; nil where it has none.
  package var snapshot: UInt64?
  package var firstLSN: UInt64
  package var lastLSN: UInt64
  package var warnings: [String] = []
}

/// Copies a data folder, or its state as of an earlier record, into a new one that opens as any other.
///
/// The source may be in use. What is copied from it are files that do not change once they have their name, and a
/// log of which whole frames are taken. Snapshots are copied first, then the log, then the archive: what a
/// compaction moves meanwhile is then in the archive when it is copied, so the copy may have records twice, but
/// never a gap.
struct FolderCopy {
  let source: DataFolder
  let target: CopyTarget
  let last: UInt64?
  let cutsFrames: Bool
  let dictionaries: [ZstdDictionary]
  let progress: (CopyProgress) throws -> Void

  func run() throws -> CopyReport {
    do {
      let report = try copy()
      try target.finish()
      return report
    } catch {
      target.discard()
      throw error
    }
  }

  private func copy() throws -> CopyReport {
    var warnings: [String] = []
    try copySnapshots(&warnings)
    let log = LogCopy(
      source: source, target: target.folder, last: last, cutsFrames: cutsFrames, dictionaries: dictionaries,
      progress: progress)
    var end = try log.run()
    try copyArchives(log, &end)
    if let last, end.firstLSN == nil {
      throw CopyError.unreachable(
        lsn: last, first: try LogListing(source.logLocation).segments.first ?? 1,
        snapshots: try SnapshotCatalog(source).entries().map(\.lsn))
    }
    if end.firstLSN != nil {
      try WitnessFile.create(
        target.folder.logLocation, Witness(epoch: end.epoch, durableLSN: end.lastLSN))
    }
    for name in [FolderName.log, FolderName.snapshots, FolderName.archive] {
      try source.disk.syncDirectory(DiskPath.join(target.folder.path, name))
    }
    return try checked(end, warnings)
  }

  /// The newest sound snapshots that know of no record after the last one wanted.
  private func copySnapshots(_ warnings: inout [String]) throws {
    let catalog = SnapshotCatalog(source)
    var copied = 0
    for entry in try catalog.entries() where copied < Snapshot.kept && entry.lsn <= last ?? .max {
      do throws(BlockFileError) {
        let reader = try catalog.openSound(entry)
        reader.close()
        guard reader.largestLSN <= last ?? .max else { continue }
      } catch {
        // One that a newer one has just replaced is no loss.
        if source.disk.exists(entry.path) { warnings.append("\(error): it is not copied") }
        continue
      }
      do {
        try target.copy(entry.path, to: DiskPath.join(FolderName.snapshots, DiskPath.name(of: entry.path))) { count in
          try progress(CopyProgress(part: .snapshots, done: count))
        }
        copied += 1
      } catch let error as DiskError where error.code == ENOENT && !source.disk.exists(entry.path) {
        continue
      }
    }
  }

  /// The archives up to the last record. One that goes further, or that no segment follows, is laid out as a segment.
  private func copyArchives(_ log: LogCopy, _ end: inout LogCopyEnd) throws {
    let entries = try ArchiveCatalog(source).entries()
    let hasLog = end.firstLSN != nil
    // Without a limit, and without a log, everything that the archive has is wanted.
    let wanted = last ?? (hasLog ? end.lastLSN : .max)
    let some = entries.filter { $0.records.lowerBound <= wanted }
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

  /// Reads the copy, and makes sure that it leads to a state.
  private func checked(_ end: LogCopyEnd, _ warnings: [String]) throws -> CopyReport {
    let copy = target.folder
    let found = Verification.run(copy, dictionaries: dictionaries, manifest: false) { done in
      try progress(CopyProgress(part: .verification, done: done))
    }
    let first = try ArchiveReach(copy).firstLSN(before: end.firstLSN ?? end.lastLSN + 1)
    let snapshot = found.snapshots.first?.lsn
    guard (snapshot ?? 0) + 1 >= first else {
      let snapshots = try SnapshotCatalog(source).entries().map(\.lsn)
      throw CopyError.unreachable(lsn: last ?? end.lastLSN, first: first, snapshots: snapshots)
    }
    guard found.problems.isEmpty else { throw CopyError.unsound(found.problems) }
    if let last, cutsFrames, end.lastLSN != last {
      throw CopyError.noSuchRecord(wanted: String(last), last: end.lastLSN)
    }
    return CopyReport(path: copy.path, snapshot: snapshot, firstLSN: first, lastLSN: end.lastLSN, warnings: warnings)
  }
}
