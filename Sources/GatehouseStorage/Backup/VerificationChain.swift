internal import Glibc

// The chain: log, archive, and how they and the snapshots fit together.
extension Verification {
  /// How often segments may move into the archive under the reader's eyes before that counts as a fault.
  static let moveLimit = 16

  mutating func checkLog() {
    var moves = 0
    while true {
      do {
        // Where the log is empty, it goes on from the archive.
        let archive = try ArchiveReach(folder)
        let log = try LogRecovery(
          folder.logLocation, options: options, forWriting: false,
          firstLSN: archive.records.map { $0.upperBound + 1 } ?? 1, previousHash: archive.lastHash)
        var records: UInt64 = 0
        let end = try log.replay(from: log.firstLSN) { _, _ in
          records += 1
          if records.isMultiple(of: 1 << 16) { try progress(1 << 16) }
        }
        report.segments = log.segments.count
        report.firstLSN = log.firstLSN
        logFirst = log.segments.first?.firstLSN
        report.lastLSN = end.lastLSN
        report.lastHash = end.lastHash
        return
      } catch {
        if moves < Self.moveLimit, hasMoved(error) {
          moves += 1
          continue
        }
        note(error, at: folder.logPath)
        checkEachSegment()
        return
      }
    }
  }

  /// Whether a segment was taken away between its being listed and its being read.
  func hasMoved(_ error: any Error) -> Bool {
    guard let error = error as? LogError, error.code == .disk, let segment = error.segment else { return false }
    return !folder.disk.exists(folder.logLocation.path(segment))
  }

  /// After one problem was found: looks for those that lie behind it.
  private mutating func checkEachSegment() {
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
        while try reader.nextFrame() != nil {}
        report.lastLSN = segment.lastLSN
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
    report.lastHash = scanner.chain.hash
  }

  mutating func checkArchives() {
    let catalog = ArchiveCatalog(folder)
    do {
      var before: ArchiveInfo?
      for entry in try catalog.entries() {
        do {
          let reader = try catalog.open(entry)
          defer { reader.close() }
          try reader.verify { _, _ in try progress(1) }
          check(reader.info, after: before)
          before = reader.info
          report.archives.append(reader.info)
        } catch {
          note(error, at: entry.path)
          before = nil
        }
      }
      if let last = report.archives.last { try checkLog(after: last) }
    } catch {
      note(error, at: folder.archivePath)
    }
  }

  /// Holds an archive against the one before it, or against the beginning of all.
  private mutating func check(_ info: ArchiveInfo, after before: ArchiveInfo?) {
    let file = relative(info.path)
    let first = info.records.lowerBound
    if first == 1, info.previousHash != LogFormat.genesis(folder.manifest.folderID) {
      note(file, lsn: 1, "its first frame does not begin the folder's chain")
    }
    guard let before else { return }
    if first != before.records.upperBound + 1 {
      note(file, lsn: before.records.upperBound + 1, "the archive before it ends with \(before.records.upperBound)")
    } else if info.previousHash != before.lastHash {
      note(file, lsn: first, "it does not follow on the archive before it")
    }
  }

  /// Holds the archive's end against the log, wherever a segment begins right after it.
  private mutating func checkLog(after info: ArchiveInfo) throws {
    let next = info.records.upperBound + 1
    let segments = try LogListing(folder.logLocation).segments
    if segments.contains(next) {
      let segment = try OpenSegment(folder.logLocation, next)
      defer { segment.file.close() }
      if segment.header.previousHash != info.lastHash {
        note(
          DiskPath.join(FolderName.log, LogFormat.segmentName(next)), offset: 0, lsn: next,
          "it does not follow on the archive")
      }
    } else if let logFirst, logFirst > next {
      note(FolderName.log, lsn: next, "the archive ends with \(next - 1), and the log begins with \(logFirst)")
    }
    report.firstLSN = min(report.firstLSN, report.archives.first?.records.lowerBound ?? .max)
    report.lastLSN = max(report.lastLSN, info.records.upperBound)
  }

  /// Whether the newest snapshot leads, through the log, to a state.
  mutating func checkReach() {
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
