package import GatehouseCore
internal import Glibc

/// Checks the content of a folder's records and snapshots, after `Verification` has checked their bytes: every section
/// and every record can be decoded, and the state that they lead to keeps the invariants.
///
/// It changes nothing and works beside a running server. It checks the state as of the last record that `Verification`
/// saw.
package struct StateVerification {
  package struct Report: Sendable {
    package var problems: [Verification.Problem] = []
    /// How many records were decoded and, if asked for, how many changes of each kind they have.
    package var records: UInt64 = 0
    package var changes: [String: Int] = [:]
    /// nil if damage, or a key that is not at hand, prevents a state from being restored.
    package var figures: RestoredFigures?
    /// Names that several live users share and that older versions told apart. This is no damage, but somebody should
    /// rename users.
    package var namesakes: [[NameHolder]] = []
    /// The first that was skipped, and so not checked, because a newer version has written it.
    package var skipped: SkippedPart?
  }

  private let folder: DataFolder
  private let bytes: Verification.Report
  private let dictionaries: [ZstdDictionary]
  private let countsChanges: Bool
  private let progress: (UInt64) throws -> Void
  private var report = Report()
  private var state: Restoration
  /// The hashes that the log has recorded for the archives that exist, by their first records. An archive that is
  /// encrypted anew gets a new one, which is recorded before the archive is replaced.
  private var recorded: [UInt64: (hashes: Set<String>, lsn: UInt64)] = [:]

  /// Verifies a folder.
  /// - Parameters:
  ///   - report: the result of verifying the folder's bytes just now.
  ///   - countsChanges: whether to count the changes of each kind, which takes longer than everything else.
  ///   - progress: receives how many records were read since the last call; may throw to stop.
  /// - Throws: only what `progress` throws.
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
    try readAll()
    checkArchives()
  }

  private mutating func readAll() throws {
    // Without the key there is nothing to decode.
    guard !folder.cipher.isLocked else { return }
    let base = loadNewestSnapshot()
    guard bytes.lastLSN >= bytes.firstLSN else {
      if base != nil || bytes.lastLSN == 0 { checkState() }
      return
    }
    let first = (base ?? 0) + 1
    // Damage before the snapshot does not prevent restoring the state.
    if first > bytes.firstLSN { _ = try read(bytes.firstLSN...min(first - 1, bytes.lastLSN), applies: false) }
    guard first >= bytes.firstLSN else { return }
    if try first > bytes.lastLSN || read(first...bytes.lastLSN, applies: true) { checkState() }
  }

  private mutating func note(_ file: String, lsn: UInt64? = nil, _ text: String) {
    report.problems.append(Verification.Problem(file: file, offset: nil, lsn: lsn, text: text))
  }

  /// Decodes all snapshots, and keeps the newest that leads to a state.
  /// - Returns: its LSN.
  private mutating func loadNewestSnapshot() -> UInt64? {
    var found: UInt64?
    // Oldest first, so that the newest one is kept.
    for info in bytes.snapshots.reversed() where info.largestLSN <= bytes.lastLSN {
      var candidate = Restoration(folder)
      do {
        let reader = try SnapshotCatalog(folder).open(SnapshotCatalog.Entry(lsn: info.lsn, path: info.path))
        defer { reader.close() }
        try candidate.load(reader)
        state = candidate
        found = info.lsn
      } catch BlockFileError.failed(let error) where error.code == ENOENT {
        // The server has replaced it by a newer one meanwhile.
        continue
      } catch {
        note(DiskPath.join(FolderName.snapshots, DiskPath.name(of: info.path)), lsn: info.lsn, "\(error)")
      }
    }
    return found
  }

  /// Decodes records, and applies them if wanted.
  /// - Returns: whether all of them exist and could be decoded.
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
      // Do not report again what the verification of the bytes has reported.
      if !known { note(FolderName.log, lsn: next, "\(error)") }
      return false
    }
    return isWhole && next == records.upperBound + 1
  }

  private mutating func decode(_ lsn: UInt64, _ bytes: UnsafeRawBufferPointer, applies: Bool) -> Bool {
    do {
      var reader = ByteReader(bytes)
      let record = try Record(from: &reader, folder.keys)
      guard reader.isAtEnd else { throw reader.failure("more bytes than the record has") }
      if !record.isWhole, report.skipped == nil { report.skipped = .record(lsn) }
      if countsChanges {
        record.forEachPart { part in
          for change in part.changes { report.changes[ChangeText(change).kind, default: 0] += 1 }
        }
      }
      for archived in record.changes(of: LogArchived.self) { note(archived, lsn) }
      report.records += 1
      if applies { state.apply(record, lsn: lsn) }
      return true
    } catch {
      note(FolderName.log, lsn: lsn, "the record cannot be read: \(error)")
      return false
    }
  }

  private mutating func note(_ archived: LogArchived, _ lsn: UInt64) {
    let (first, last) = (archived.first, archived.last)
    guard bytes.archives.contains(where: { $0.records.lowerBound == first && $0.records.upperBound == last }) else {
      return
    }
    recorded[first, default: ([], 0)].hashes.insert(archived.hash)
    recorded[first]?.lsn = lsn
  }

  /// Compares the hashes that the log has recorded for archives with the archives themselves.
  private mutating func checkArchives() {
    for info in bytes.archives {
      guard let (hashes, lsn) = recorded[info.records.lowerBound], !hashes.contains("\(info.hash)") else { continue }
      note(
        DiskPath.join(FolderName.archive, DiskPath.name(of: info.path)), lsn: info.records.lowerBound,
        "it is not the archive whose hash record \(lsn) has")
    }
  }

  private mutating func checkState() {
    for problem in Invariants.check(state.partitions, state.directory) {
      note("state", lsn: bytes.lastLSN, problem)
    }
    for person in state.peopleWithoutKeys {
      note(
        FolderName.keys, lsn: bytes.lastLSN,
        "\(person) is there, and the key of what is said of them was destroyed: take what is known of them from here "
          + "before a snapshot is taken, because the next start forgets them")
    }
    report.figures = RestoredFigures(state)
    report.namesakes = state.namesakes
    report.skipped = report.skipped ?? state.firstSkipped
  }
}
