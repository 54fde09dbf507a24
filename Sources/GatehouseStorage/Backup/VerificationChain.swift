internal import Glibc

// The chain: log and archive, and how they and the snapshots fit together.
extension Verification {
  /// How often segments may move into the archive during one reading before that counts as a fault.
  static let moveLimit = 16
  /// How many records of the log are read between two calls of `progress`, which can stop the reading.
  static let progressRecords: UInt64 = 1 << 10

  mutating func checkLog() throws {
    var moves = 0
    while true {
      do {
        // An empty log continues from the archive.
        let archive = try ArchiveReach(folder)
        let log = try LogRecovery(
          folder.logLocation, options: options, forWriting: false,
          firstLSN: archive.records.map { $0.upperBound + 1 } ?? 1, previousHash: archive.lastHash)
        let end = try folder.cipher.isLocked ? log.verify() : read(log)
        report.segments = log.segments.count
        report.firstLSN = log.firstLSN
        report.tornBytes = end.tornBytes
        logFirst = log.segments.first?.firstLSN
        report.lastLSN = end.lastLSN
        report.head = try? History(folder, dictionaries: options.dictionaries) { _, _ in 0 }.head(through: end.lastLSN)
        checkMark(log, archive, end)
        return
      } catch let stop as Stopped {
        throw stop
      } catch {
        if moves < Self.moveLimit, hasMoved(error) {
          moves += 1
          continue
        }
        note(error, at: folder.logPath)
        try checkEachSegment()
        if let objection = folder.objection(toEnd: report.lastLSN) { note(FolderName.log, "\(objection)") }
        return
      }
    }
  }

  /// Reads every record.
  private func read(_ log: LogRecovery) throws -> LogEnd {
    var records: UInt64 = 0
    let end = try log.replay(from: log.firstLSN) { _, _ in
      records += 1
      if records.isMultiple(of: Self.progressRecords) { try progress(Self.progressRecords) }
    }
    try progress(records % Self.progressRecords)
    return end
  }

  /// Checks the log against what the manifest says of it.
  private mutating func checkMark(_ log: LogRecovery, _ archive: ArchiveReach, _ end: LogEnd) {
    let objection = folder.objection(hasSegments: !log.segments.isEmpty, log.witness, archive)
    if let objection = objection ?? folder.objection(toEnd: end.lastLSN) {
      return note(FolderName.log, "\(objection)")
    }
    guard let mark = folder.logMark, mark.isClosed, log.witness?.epoch == mark.epoch, let segment = end.segment else {
      return
    }
    if !end.isClean || end.tornBytes > 0 {
      note(
        DiskPath.join(FolderName.log, LogFormat.segmentName(segment)), offset: end.offset, lsn: end.lastLSN + 1,
        "the log was closed in order, and does not end so; no record is missing")
    }
  }

  /// Whether a segment was removed between listing and reading it.
  func hasMoved(_ error: any Error) -> Bool {
    guard let error = error as? LogError, error.code == .disk, let segment = error.segment else { return false }
    return !folder.disk.exists(folder.logLocation.path(segment))
  }

  /// After one problem was found: looks for more behind it.
  private mutating func checkEachSegment() throws {
    let listing: [UInt64]
    do throws(LogError) {
      let found = try LogListing(folder.logLocation)
      listing = found.segments
      for name in found.strangers {
        note(DiskPath.join(FolderName.log, name), "the file does not belong to the log")
      }
    } catch {
      return note(error, at: folder.logPath)
    }
    report.segments = listing.count
    report.firstLSN = listing.first ?? 1
    logFirst = listing.first
    for (index, lsn) in listing.enumerated() {
      do {
        guard index + 1 < listing.count else {
          try checkLast(lsn)
          break
        }
        let segment = SealedSegment(firstLSN: lsn, lastLSN: listing[index + 1] - 1)
        var reader = try SealedSegmentReader(segment, in: folder)
        while try reader.nextFrame() != nil { try progress(0) }
        report.lastLSN = segment.lastLSN
      } catch let stop as Stopped {
        throw stop
      } catch {
        note(error, at: folder.logLocation.path(LogFormat.segmentName(lsn)))
      }
    }
  }

  private mutating func checkLast(_ lsn: UInt64) throws {
    let segment = try OpenSegment(folder.logLocation, lsn)
    defer { segment.file.close() }
    var scanner = SegmentScanner(segment, folderID: folder.manifest.folderID)
    while case .frame = try scanner.next() {}
    report.lastLSN = scanner.chain.nextLSN - 1
  }

  /// Checks padding. It holds no data, so damage there loses no record, but it must be zero if the disk keeps what was
  /// written.
  mutating func checkPadding() throws {
    do {
      for fault in try WitnessFile.faults(folder.logLocation) {
        note(DiskPath.join(FolderName.log, LogFormat.witnessName), offset: fault.offset, fault.text)
      }
      let listing = try LogListing(folder.logLocation).segments
      for (index, lsn) in listing.enumerated() { try checkPadding(ofSegment: lsn, isSealed: index + 1 < listing.count) }
    } catch let stop as Stopped {
      throw stop
    } catch {
      note(error, at: folder.logPath)
    }
  }

  private mutating func checkPadding(ofSegment lsn: UInt64, isSealed: Bool) throws {
    let file = DiskPath.join(FolderName.log, LogFormat.segmentName(lsn))
    do {
      let segment = try OpenSegment(folder.logLocation, lsn)
      defer { segment.file.close() }
      var scanner = SegmentScanner(segment, folderID: folder.manifest.folderID)
      try checkZeros(&scanner, UInt64(LogFormat.headerSize)..<LogFormat.segmentStart, file)
      // The bodies were checked before.
      while case .frame(let frame) = try scanner.next(checkingFrom: .max) {
        try checkZeros(&scanner, (frame.offset + UInt64(frame.header.frameLength))..<scanner.offset, file)
        try progress(0)
      }
      // After the last frame of the log there may be a torn write, and after a damaged frame nothing is known.
      guard isSealed, case .stop(.nothing) = try scanner.next() else { return }
      try checkZeros(&scanner, scanner.offset..<UInt64.max, file)
    } catch let error as LogError where error.code != .disk {
      // This damage was reported when the log was read.
      return
    } catch  where hasMoved(error) {
      return
    }
  }

  private mutating func checkZeros(_ scanner: inout SegmentScanner, _ range: Range<UInt64>, _ file: String) throws {
    guard let at = try scanner.firstNonZero(in: range) else { return }
    note(file, offset: at, "there is something between the frames, where nothing should be; no record is damaged")
  }

  mutating func checkArchives() throws {
    let catalog = ArchiveCatalog(folder)
    do {
      var before: Link?
      for (entry, isSetAside) in try catalog.all() {
        if isSetAside {
          try checkSetAside(entry)
          before = Link(lastLSN: entry.records.upperBound, hash: nil)
          continue
        }
        do {
          let reader = try catalog.open(entry)
          defer { reader.close() }
          try reader.verify { _, _ in try progress(0) }
          check(reader.info, after: before)
          before = Link(lastLSN: entry.records.upperBound, hash: reader.info.lastHash)
          report.archives.append(reader.info)
        } catch let stop as Stopped {
          throw stop
        } catch {
          note(error, at: entry.path)
          before = Link(lastLSN: entry.records.upperBound, hash: nil)
        }
      }
      if let before { try checkLog(after: before) }
    } catch let stop as Stopped {
      throw stop
    } catch {
      note(error, at: folder.archivePath)
    }
  }

  /// Where a file of the archive ends: its last record, and the hash of its last frame if readable.
  private struct Link {
    var lastLSN: UInt64
    var hash: Hash128?
  }

  /// Reports what cannot be read of a segment that a compaction has set aside.
  private mutating func checkSetAside(_ entry: ArchiveCatalog.Entry) throws {
    let file = relative(entry.path)
    do {
      let segment = try OpenSegment(folder.logLocation, entry.records.lowerBound, path: entry.path)
      defer { segment.file.close() }
      var scanner = SegmentScanner(segment, folderID: folder.manifest.folderID)
      while case .frame = try scanner.next() { try progress(0) }
      let next = scanner.chain.nextLSN
      note(
        file, offset: scanner.offset, lsn: next,
        next > entry.records.upperBound
          ? "the segment was set aside as damaged, but can be read"
          : "there is no good frame: the segment was set aside as damaged, and the records from \(next) on are not all there"
      )
    } catch let stop as Stopped {
      throw stop
    } catch {
      note(error, at: entry.path)
    }
    report.lastLSN = max(report.lastLSN, entry.records.upperBound)
  }

  /// Checks an archive against the file before it, or against the genesis hash.
  private mutating func check(_ info: ArchiveInfo, after before: Link?) {
    let file = relative(info.path)
    let first = info.records.lowerBound
    if first == 1, info.previousHash != LogFormat.genesis(folder.manifest.folderID) {
      note(file, lsn: 1, "its first frame does not begin the folder's chain")
    }
    guard let before else { return }
    if first != before.lastLSN + 1 {
      note(file, lsn: before.lastLSN + 1, "the archive before it ends with \(before.lastLSN)")
    } else if let hash = before.hash, info.previousHash != hash {
      note(file, lsn: first, "it does not follow on the archive before it")
    }
  }

  /// Checks the archive's end against the log, if a segment begins right after it.
  private mutating func checkLog(after before: Link) throws {
    let next = before.lastLSN + 1
    let segments = try LogListing(folder.logLocation).segments
    if segments.contains(next) {
      let segment = try OpenSegment(folder.logLocation, next)
      defer { segment.file.close() }
      if let hash = before.hash, segment.header.previousHash != hash {
        note(
          DiskPath.join(FolderName.log, LogFormat.segmentName(next)), offset: 0, lsn: next,
          "it does not follow on the archive")
      }
    } else if let logFirst, logFirst > next {
      note(FolderName.log, lsn: next, "the archive ends with \(next - 1), and the log begins with \(logFirst)")
    }
    report.firstLSN = min(report.firstLSN, report.archives.first?.records.lowerBound ?? .max)
    report.lastLSN = max(report.lastLSN, before.lastLSN)
  }

  /// Checks the chain against a head that was noted elsewhere. If the chain has problems already, it proves nothing.
  mutating func check(_ head: LogHead) {
    let file = FolderName.log
    guard report.problems.isEmpty else {
      return note(file, lsn: head.lsn, "the head cannot be held against a chain that is not sound")
    }
    do {
      let history = History(folder, dictionaries: options.dictionaries) { _, _ in 0 }
      if let objection = try history.objection(to: head, through: report.lastLSN) {
        note(file, lsn: head.lsn, objection)
      }
    } catch {
      note(error, at: folder.logPath)
    }
  }

  /// Checks that the history begins where the manifest says.
  private mutating func checkHistory() {
    // Read the manifest again, after the files: a server updates it before it deletes an archive.
    guard let first = try? History(folder, keys: { _, _ in 0 }).firstLSN(), let kept = folder.readLogMark()?.firstLSN,
      kept < first
    else { return }
    note(
      FolderName.archive, lsn: kept,
      "the records from \(kept) to \(first - 1) are gone, and no retention has deleted them")
  }

  /// Checks that the newest snapshot and the log after it lead to a state.
  mutating func checkReach() {
    if looksAtManifest { checkHistory() }
    guard let newest = report.snapshots.first else {
      if report.firstLSN > 1 {
        note(
          FolderName.snapshots, lsn: 1, "there is no sound snapshot, and the records before \(report.firstLSN) are gone"
        )
      }
      return
    }
    let file = relative(newest.path)
    if newest.lsn + 1 < report.firstLSN {
      note(file, lsn: newest.lsn + 1, "the records after it are gone: the first is \(report.firstLSN)")
    }
    if newest.largestLSN > report.lastLSN {
      note(
        file, lsn: newest.largestLSN, "it has applied records that the log does not have: the last is \(report.lastLSN)"
      )
    }
  }
}
