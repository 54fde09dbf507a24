/// Follows the hash chain from a record on, through the archive and the log, and checks every body on the way. Works
/// beside a log that is being written and beside a compaction.
///
/// A sound chain proves that nothing in it was changed, unless somebody rebuilt the whole chain. A head noted elsewhere
/// (`LogHead`) reveals that too, because no other chain leads to its hash.
package struct ChainWalk: ~Copyable {
  /// How far the chain was followed, and where it breaks.
  package struct Report: Sendable, Equatable {
    /// The first record that was checked: the first of the file that has the record asked for.
    package var from: UInt64
    /// The last record up to which everything is sound.
    package var through: UInt64
    package var frames: UInt64 = 0
    package var records: UInt64 = 0
    /// The last record that was deleted because its retention was over; nil if there is none.
    package var deletedThrough: UInt64?
    /// What is wrong, and where; nil if nothing is.
    package var problem: String?
  }

  private let folder: DataFolder
  private let asked: UInt64
  private let last: UInt64
  /// The first record that exists.
  private var first: UInt64 = 1
  private var report: Report
  /// The previous hash that the next frame must have; nil before the first file.
  private var hash: Hash128?
  private var bodies: FrameBodies

  /// Walks the chain.
  /// - Parameters:
  ///   - first: the first record to check.
  ///   - last: the last one, which must be durable.
  ///   - head: a head noted elsewhere, to check the chain against.
  package static func run(
    _ folder: DataFolder, from first: UInt64, through last: UInt64, against head: LogHead? = nil
  ) -> Report {
    var walk = ChainWalk(folder, max(first, 1), last)
    do {
      try walk.walk()
      walk.report.problem = walk.gap
      walk.report.deletedThrough = walk.deletedThrough
      if let head, walk.report.problem == nil {
        walk.report.problem = try History(folder) { _, _ in 0 }.objection(to: head, through: last)
      }
    } catch {
      walk.report.problem = "\(error)"
    }
    return walk.report
  }

  private init(_ folder: DataFolder, _ first: UInt64, _ last: UInt64) {
    self.folder = folder
    bodies = FrameBodies(cipher: folder.cipher, dictionaries: ZstdDictionary.known)
    asked = first
    self.last = last
    report = Report(from: first, through: first - 1)
  }

  /// How often a file may move from log to archive during one walk before that counts as a fault.
  private static let moveLimit = 16

  private mutating func walk() throws {
    let history = History(folder) { _, _ in 0 }
    first = try history.firstLSN() ?? 1
    if report.from < first { report.through = first - 1 }
    report.from = report.through + 1
    var moves = 0
    while report.through < last {
      do {
        switch try history.part(of: report.through + 1) {
        case .archive(let entry): try check(entry)
        case .segment(let records, let path):
          try check(segment: records, try history.openSegment(records.lowerBound, path: path))
        }
      } catch let error as FileGone {
        // Nothing of it was counted yet, and the archive has it now.
        moves += 1
        if moves > Self.moveLimit { throw error }
      }
    }
  }

  /// What the folder knows to be deleted, which it notes before it deletes anything.
  private var deletedThrough: UInt64? {
    guard first > 1, let kept = folder.readLogMark()?.firstLSN, kept > 1 else { return nil }
    return min(kept, first) - 1
  }

  /// The beginning of the history that is missing but should not be.
  private var gap: String? {
    guard asked < first, let kept = folder.readLogMark()?.firstLSN, kept < first else { return nil }
    return "the records from \(kept) to \(first - 1) are gone, and no retention has deleted them"
  }

  private mutating func check(_ entry: ArchiveCatalog.Entry) throws {
    let reader: ArchiveReader
    do {
      reader = try ArchiveCatalog(folder).open(entry)
    } catch {
      if !folder.disk.exists(entry.path) { throw FileGone() }
      throw error
    }
    defer { reader.close() }
    try check(reader.info.previousHash, before: entry.records.lowerBound, in: DiskPath.name(of: entry.path))
    try reader.verify()
    for block in reader.blocks {
      report.frames += UInt64(block.frameCount)
      report.records += UInt64(block.recordCount)
    }
    hash = reader.info.lastHash
    report.through = entry.records.upperBound
  }

  private mutating func check(segment records: ClosedRange<UInt64>, _ segment: OpenSegment) throws {
    defer { segment.file.close() }
    try check(segment.header.previousHash, before: records.lowerBound, in: segment.name)
    var scanner = SegmentScanner(segment, folderID: folder.manifest.folderID)
    let end = min(last, records.upperBound)
    while scanner.chain.nextLSN <= end {
      let step = try scanner.next()
      guard case .frame(let frame) = step else {
        throw LogError(
          .corrupt, segment: scanner.name, offset: scanner.offset, lsn: scanner.chain.nextLSN,
          "there is no good frame, but record \(end) was durable")
      }
      _ = try bodies.body(of: frame.header, stored: frame.stored)
      report.frames += 1
      report.records += UInt64(frame.header.recordCount)
      report.through = max(report.through, scanner.chain.nextLSN - 1)
    }
    hash = scanner.chain.hash
  }

  /// Checks a file's first previous hash against the end of the file before it, or against the genesis hash.
  private mutating func check(_ previous: Hash128, before lsn: UInt64, in file: String) throws {
    if hash == nil { report.from = lsn }
    let beginning = lsn == 1 ? LogFormat.genesis(folder.manifest.folderID) : nil
    let expected = hash ?? beginning
    guard expected == nil || previous == expected else {
      throw LogError(.corrupt, segment: file, offset: 0, lsn: lsn, "it does not follow on what is before it")
    }
  }
}
