/// Options of a compaction.
package struct CompactionOptions: Sendable {
  /// zstd's level. It is high because the archive is written once, in the background.
  package var level: Int32 = 12
  /// An archive ends with the segment that brings it to this many bytes of log. Files are deleted as a whole when their
  /// retention is over, so in a larger file records are kept a little longer.
  package var archiveBytes: UInt64 = 256 << 20
  /// How long a record is kept after it was written, in milliseconds; nil for ever.
  package var retention: UInt64?
  /// Whether archives that are not encrypted as new files are, are written anew.
  package var rewritesArchives = false
  /// Unix milliseconds.
  package var now: UInt64
  /// The dictionaries that the log's frames may have been compressed with.
  package var dictionaries = ZstdDictionary.known

  package init(now: UInt64) { self.now = now }
}

/// Progress of a compaction.
package enum CompactionStep: Sendable, Equatable {
  /// Bytes of log read so far to check it, and the total.
  case checking(done: UInt64, of: UInt64)
  /// Bytes of log read so far into a new archive, and the total.
  case archiving(done: UInt64, of: UInt64)
  /// Blocks of the new archive read back so far, and the total.
  case verifying(done: Int, of: Int)
  /// An archive is about to be replaced by one with the same frames, encrypted anew. Its hash must be durable in the
  /// log before: whoever verifies the folder takes an archive whose hash was never recorded for a forgery.
  case replacing(ArchiveInfo)
  /// A segment that has been archived is about to be removed.
  case removing(String)
  /// A damaged segment is about to be set aside.
  case settingAside(String)
  /// An archive whose retention is over is about to be deleted; `latest` is the time of its newest record, nil if it
  /// cannot be read.
  case expiring(CompactionFile, latest: UInt64?)
}

/// A file of the archive, existing or planned.
package struct CompactionFile: Sendable, Equatable {
  package var name: String
  package var records: ClosedRange<UInt64>
  package var bytes: UInt64

  package init(name: String, records: ClosedRange<UInt64>, bytes: UInt64) {
    self.name = name
    self.records = records
    self.bytes = bytes
  }
}

/// The result of a compaction.
package struct CompactionReport: Sendable, Equatable {
  package var archived: [ArchiveInfo] = []
  /// The archives that were encrypted anew.
  package var rewritten: [ArchiveInfo] = []
  /// The names of the segments removed from the log.
  package var removed: [String] = []
  package var expired: [CompactionFile] = []
  /// What is wrong with each segment that this compaction has set aside.
  package var setAside: [String] = []
  /// Everything that is damaged and so could not be archived, now or by an earlier compaction.
  package var damage: [String] = []
  package var warnings: [String] = []
}

/// Moves the part of the log that both kept snapshots cover into the archive, and deletes archives whose retention is
/// over.
///
/// Whole segments are moved, oldest first, crash-safely: the archive is written under a temporary name, synced, read
/// back from the disk, and its chain followed up to the next segment. Then it is renamed, and the rename is synced.
/// Then the segments are removed one by one, each removal synced before the next. A crash at any moment leaves each
/// record in the log, in the archive, or in both. Readers prefer the archive, and the next compaction finishes the
/// removal.
///
/// A damaged segment is set aside unchanged, and the segments after it are archived all the same. Nothing is thrown
/// away: most of it may be sound, and a disk may read tomorrow what it cannot read today.
///
/// It touches only complete segments, so it can run beside a log that is being written, on a thread of its own.
package struct Compactor: Sendable {
  private let folder: DataFolder
  private let options: CompactionOptions
  private let keys: RecordKeys

  private static let temporaryName = "archive" + FolderName.temporarySuffix

  /// - Parameter folder: owned by this process, which must run only one compaction at a time.
  package init(_ folder: DataFolder, options: CompactionOptions, keys: @escaping RecordKeys) {
    precondition(folder.isOwned)
    self.folder = folder
    self.options = options
    self.keys = keys
  }

  /// Compacts.
  /// - Parameters:
  ///   - lsn: the last record that may leave the log; never beyond the older of the two kept snapshots.
  ///   - progress: may throw to stop; the next compaction finishes what was begun.
  package func compact(
    coveredThrough lsn: UInt64 = .max, progress: (CompactionStep) throws -> Void = { _ in }
  ) throws -> CompactionReport {
    var report = CompactionReport()
    try ArchiveCatalog(folder).deleteTemporaries()
    if let covered = try SnapshotCatalog(folder).coveredThrough() {
      let bound = min(lsn, covered)
      let segments = try folder.sealedSegments().filter { $0.lastLSN <= bound }
      let total = try segments.reduce(0) { $0 + (try folder.bytes(of: $1)) }
      var done: UInt64 = 0
      let plan = try CompactionSteps(segments, in: folder, archiveBytes: options.archiveBytes) { _, frame in
        done += UInt64(frame.bytes.count)
        try progress(.checking(done: done, of: total))
      }
      report.warnings += plan.warnings
      if let obstacle = plan.obstacle { report.damage.append(obstacle) }
      for step in plan.steps {
        guard try carryOut(step, &report, progress) else { break }
      }
    }
    try expire(&report, progress)
    if options.rewritesArchives { try rewriteArchives(&report, progress) }
    for entry in try ArchiveCatalog(folder).setAside() {
      report.damage.append(
        "records \(entry.records.lowerBound) to \(entry.records.upperBound) are damaged: \(entry.path)")
    }
    return report
  }

  /// - Returns: false if the steps after it cannot be carried out either, because the log would get a hole.
  private func carryOut(
    _ step: CompactionSteps.Step, _ report: inout CompactionReport, _ progress: (CompactionStep) throws -> Void
  ) throws -> Bool {
    switch step {
    case .remove(let segments, let entry):
      do {
        try checkArchived(segments, in: entry, progress)
      } catch  where isDamage(error) {
        report.damage.append(
          "\(error); the log still has records \(segments[0].firstLSN) to \(entry.records.upperBound) of it: once the file "
            + "is moved out of archive/, they are archived again")
        return false
      }
      for segment in segments { try remove(segment, &report, progress) }
    case .archive(let segments):
      do {
        report.archived.append(try archive(segments, progress))
      } catch {
        // Half an archive takes up room that a full disk may need.
        try? ArchiveCatalog(folder).deleteTemporaries()
        throw error
      }
      for segment in segments { try remove(segment, &report, progress) }
    case .setAside(let segment, let why):
      try setAside(segment, progress)
      report.setAside.append(why)
    }
    return true
  }

  /// Moves a damaged segment next to the archives. A crash leaves it in one place or the other.
  private func setAside(_ segment: SealedSegment, _ progress: (CompactionStep) throws -> Void) throws {
    try progress(.settingAside(segment.name))
    let name = Archive.name(segment.firstLSN...segment.lastLSN, suffix: Archive.damagedSuffix)
    try folder.disk.rename(folder.logLocation.path(segment.name), to: DiskPath.join(folder.archivePath, name))
    try folder.disk.syncDirectory(folder.archivePath)
    try folder.disk.syncDirectory(folder.logPath)
  }

  /// Checks that an archive contains everything in the segments.
  private func checkArchived(
    _ segments: [SealedSegment], in entry: ArchiveCatalog.Entry, _ progress: (CompactionStep) throws -> Void
  ) throws {
    let reader = try ArchiveCatalog(folder).open(entry)
    defer { reader.close() }
    try reader.verify(fromDisk: true) { try progress(.verifying(done: $0, of: $1)) }
    try check(reader.info, precedes: segments.last!)
  }

  /// The last hash of an archive must equal the previous hash in the header of the segment after it. Because hashes are
  /// chained, this one comparison proves that the archive has all frames before it, unchanged.
  private func check(_ info: ArchiveInfo, precedes last: SealedSegment) throws {
    let next = try SealedSegmentReader.header(after: last, folder.logLocation)
    guard next.map({ info.lastHash == $0.previousHash }) ?? true, info.records.upperBound == last.lastLSN else {
      throw BlockFileError.damaged(
        path: info.path, offset: 0, reason: "the log does not go on from its last frame")
    }
  }

  private func archive(
    _ segments: [SealedSegment], _ progress: (CompactionStep) throws -> Void
  ) throws -> ArchiveInfo {
    let location = folder.logLocation
    let first = try OpenSegment(location, segments[0].firstLSN)
    first.file.close()
    var writer = try ArchiveWriter(
      path: DiskPath.join(folder.archivePath, Self.temporaryName), folder: folder, firstLSN: first.header.firstLSN,
      previousHash: first.header.previousHash, createdAt: options.now, level: options.level, keys: keys)
    var bodies = FrameBodies(cipher: folder.cipher, dictionaries: options.dictionaries)
    let total = try segments.reduce(0) { $0 + (try folder.bytes(of: $1)) }
    var done: UInt64 = 0
    for segment in segments {
      var reader = try SealedSegmentReader(segment, in: folder)
      while let frame = try reader.nextFrame() {
        let body = try bodies.body(of: frame.header, stored: frame.stored)
        let headerBytes = UnsafeRawBufferPointer(rebasing: frame.bytes[..<LogFormat.headerSize])
        try writer.append(frame.header, headerBytes: headerBytes, body: body)
        done += UInt64(frame.bytes.count)
        try progress(.archiving(done: done, of: total))
      }
    }
    let records = try writer.finish()
    let written = try ArchiveReader(path: writer.path, records: records, folder: folder)
    defer { written.close() }
    try written.verify(fromDisk: true) { try progress(.verifying(done: $0, of: $1)) }
    try check(written.info, precedes: segments.last!)
    let path = DiskPath.join(folder.archivePath, Archive.name(records))
    try folder.disk.rename(writer.path, to: path)
    try folder.disk.syncDirectory(folder.archivePath)
    let reader = try ArchiveReader(path: path, records: records, folder: folder)
    defer { reader.close() }
    return reader.info
  }

  /// Writes the archives anew that are not encrypted with the current data key, one after the other. A crash leaves the
  /// old one or the new one.
  private func rewriteArchives(
    _ report: inout CompactionReport, _ progress: (CompactionStep) throws -> Void
  ) throws {
    for entry in try ArchiveCatalog(folder).entries() {
      do {
        let reader = try ArchiveCatalog(folder).open(entry)
        defer { reader.close() }
        guard reader.dataKey != folder.cipher.currentNumber else { continue }
        report.rewritten.append(try rewrite(reader, entry, progress))
      } catch {
        try? ArchiveCatalog(folder).deleteTemporaries()
        guard isDamage(error) else { throw error }
        report.damage.append("\(error)")
      }
    }
  }

  private func rewrite(
    _ reader: ArchiveReader, _ entry: ArchiveCatalog.Entry, _ progress: (CompactionStep) throws -> Void
  ) throws -> ArchiveInfo {
    var writer = try ArchiveWriter(
      path: DiskPath.join(folder.archivePath, Self.temporaryName), folder: folder,
      firstLSN: entry.records.lowerBound, previousHash: reader.info.previousHash, createdAt: options.now,
      level: options.level, keys: keys)
    var buffers = ArchiveReader.Buffers()
    for number in reader.blocks.indices {
      try reader.forEachFrame(in: number, &buffers) { header, headerBytes, body in
        try writer.append(header, headerBytes: headerBytes, body: body)
      }
      try progress(.archiving(done: UInt64(number + 1), of: UInt64(reader.blocks.count)))
    }
    let records = try writer.finish()
    let written = try ArchiveReader(path: writer.path, records: records, folder: folder)
    defer { written.close() }
    try written.verify(fromDisk: true) { try progress(.verifying(done: $0, of: $1)) }
    guard written.info.lastHash == reader.info.lastHash, records == entry.records else {
      throw BlockFileError.damaged(path: entry.path, offset: 0, reason: "its chain does not end as its table says")
    }
    try progress(.replacing(written.info))
    try folder.disk.rename(writer.path, to: entry.path)
    try folder.disk.syncDirectory(folder.archivePath)
    let final = try ArchiveReader(path: entry.path, records: records, folder: folder)
    defer { final.close() }
    return final.info
  }

  /// Each removal is made durable before the next, so that a crash cannot leave a hole in the log.
  private func remove(
    _ segment: SealedSegment, _ report: inout CompactionReport, _ progress: (CompactionStep) throws -> Void
  ) throws {
    try progress(.removing(segment.name))
    try folder.disk.remove(folder.logLocation.path(segment.name))
    try folder.disk.syncDirectory(folder.logPath)
    report.removed.append(segment.name)
  }

  /// Deletes the oldest archives while every record in them is older than the retention.
  private func expire(_ report: inout CompactionReport, _ progress: (CompactionStep) throws -> Void) throws {
    guard options.retention != nil else { return }
    let files = try folder.agedFiles()
    let expired = files.prefix(Retention(options).expired(files.map(\.latest)))
    for file in files.dropFirst(expired.count) {
      if let why = file.unreadable { report.warnings.append("\(why): it is kept until what follows on it need not be") }
    }
    guard let last = expired.last else { return }
    // Recorded before deleting, so that missing records are known to be deleted and not lost.
    try folder.note { $0?.keep(from: last.file.records.upperBound + 1) }
    for aged in expired {
      let file = aged.file
      try progress(.expiring(file, latest: aged.latest))
      try folder.disk.remove(DiskPath.join(folder.archivePath, file.name))
      try folder.disk.syncDirectory(folder.archivePath)
      report.expired.append(file)
    }
  }
}
