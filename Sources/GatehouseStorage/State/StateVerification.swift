package import GatehouseCore
internal import Glibc

/// Reads what the records and snapshots of a folder say, after `Verification` has found that their bytes are whole:
/// every section and every record can be decoded, and the state that they lead to keeps the rules.
///
/// It changes nothing and works beside a running server: the state is that of the last record which the
/// verification before has seen.
package struct StateVerification {
  package struct Report: Sendable {
    package var problems: [Verification.Problem] = []
    /// Records that were decoded, and, where that was asked for, how many changes of each kind they have.
    package var records: UInt64 = 0
    package var changes: [String: Int] = [:]
    /// nil where damage stands between the files and a state.
    package var figures: RestoredFigures?
    /// Names that several live users have, which older versions told apart: no damage, but somebody's to put right.
    package var namesakes: [[NameHolder]] = []
  }

  private let folder: DataFolder
  private let bytes: Verification.Report
  private let dictionaries: [ZstdDictionary]
  private let countsChanges: Bool
  private let progress: (UInt64) throws -> Void
  private var report = Report()
  private var state: Restoration

  /// Verifies.
  /// - Parameters:
  ///   - report: what the verification of the folder's bytes has just found.
  ///   - countsChanges: whether the changes of each kind are counted, which takes longer than all the rest.
  ///   - progress: is told how many records were read since it was called before; may throw to stop.
  /// - Throws: what `progress` throws, and nothing else.
  package static func run(
    _ folder: DataFolder, after report: Verification.Report, dictionaries: [ZstdDictionary] = ZstdDictionary.known,
    countsChanges: Bool = false, progress: (UInt64) throws -> Void = { _ in }
  ) throws -> Report {
    try Stopped.unwrapping(progress) { progress in
      var verification = StateVerification(
        folder: folder, bytes: report, dictionaries: dictionaries, countsChanges: countsChanges, progress: progress,
        state: Restoration(folder))
      try verification.run()
      return verification.report
    }
  }

  private mutating func run() throws {
    let base = loadNewestSnapshot()
    guard bytes.lastLSN >= bytes.firstLSN else {
      if base != nil || bytes.lastLSN == 0 { checkState() }
      return
    }
    let first = (base ?? 0) + 1
    // Damage before the snapshot does not keep the state from being had.
    if first > bytes.firstLSN { _ = try read(bytes.firstLSN...min(first - 1, bytes.lastLSN), applies: false) }
    guard first >= bytes.firstLSN else { return }
    if try first > bytes.lastLSN || read(first...bytes.lastLSN, applies: true) { checkState() }
  }

  private mutating func note(_ file: String, lsn: UInt64? = nil, _ text: String) {
    report.problems.append(Verification.Problem(file: file, offset: nil, lsn: lsn, text: text))
  }

  /// Decodes all snapshots, and keeps the newest that leads to a state.
  /// - Returns: its record number.
  private mutating func loadNewestSnapshot() -> UInt64? {
    var found: UInt64?
    // The oldest first, so that the newest one stays.
    for info in bytes.snapshots.reversed() where info.largestLSN <= bytes.lastLSN {
      var candidate = Restoration(folder)
      do {
        let reader = try SnapshotCatalog(folder).open(SnapshotCatalog.Entry(lsn: info.lsn, path: info.path))
        defer { reader.close() }
        try candidate.load(reader)
        state = candidate
        found = info.lsn
      } catch BlockFileError.failed(let error) where error.code == ENOENT {
        // The server has replaced it meanwhile by newer ones.
        continue
      } catch {
        note(DiskPath.join(FolderName.snapshots, DiskPath.name(of: info.path)), lsn: info.lsn, "\(error)")
      }
    }
    return found
  }

  /// Decodes records, and applies them where that is wanted.
  /// - Returns: whether all of them were there and could be decoded.
  private mutating func read(_ records: ClosedRange<UInt64>, applies: Bool) throws -> Bool {
    let history = History(folder, dictionaries: dictionaries) { _, _ in 0 }
    var isWhole = true
    var next = records.lowerBound
    do {
      try history.forEach(History.Query(records)) { lsn, bytes in
        if lsn != next {
          note(FolderName.log, lsn: next, "records from \(next) to \(lsn - 1) are not there")
          isWhole = false
        }
        next = lsn + 1
        isWhole = decode(lsn, bytes, applies: applies && isWhole) && isWhole
        if lsn.isMultiple(of: Verification.progressRecords) { try progress(Verification.progressRecords) }
        return true
      }
    } catch let stop as Stopped {
      throw stop
    } catch {
      let known = self.bytes.problems.contains { $0.lsn == (error as? LogError)?.lsn && $0.lsn != nil }
      // What the bytes have told already need not be told again.
      if !known { note(FolderName.log, lsn: next, "\(error)") }
      return false
    }
    return isWhole && next == records.upperBound + 1
  }

  private mutating func decode(_ lsn: UInt64, _ bytes: UnsafeRawBufferPointer, applies: Bool) -> Bool {
    do {
      var reader = ByteReader(bytes)
      let record = try Record(from: &reader)
      guard reader.isAtEnd else { throw reader.failure("more bytes than the record has") }
      if countsChanges {
        record.forEachPart { part in
          for change in part.changes { report.changes[ChangeText(change).kind, default: 0] += 1 }
        }
      }
      for archived in record.changes(of: LogArchived.self) { check(archived, lsn) }
      report.records += 1
      if applies { state.apply(record, lsn: lsn) }
      return true
    } catch {
      note(FolderName.log, lsn: lsn, "the record cannot be read: \(error)")
      return false
    }
  }

  /// Holds what the log says of an archive that was written against the archive that is there, if it still is.
  private mutating func check(_ archived: LogArchived, _ lsn: UInt64) {
    let (first, last) = (archived.first, archived.last)
    guard let info = bytes.archives.first(where: { $0.records.lowerBound == first && $0.records.upperBound == last }),
      "\(info.hash)" != archived.hash
    else { return }
    note(
      DiskPath.join(FolderName.archive, DiskPath.name(of: info.path)), lsn: first,
      "it is not the archive whose hash record \(lsn) has")
  }

  private mutating func checkState() {
    for problem in Invariants.check(state.partitions, state.directory) {
      note("state", lsn: bytes.lastLSN, problem)
    }
    report.figures = RestoredFigures(state)
    report.namesakes = state.namesakes
  }
}
