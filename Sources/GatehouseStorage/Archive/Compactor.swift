/// How a compaction goes about it.
package struct CompactionOptions: Sendable {
  /// zstd's level: the archive is written once, by a thread that nobody waits for.
  package var level: Int32 = 12
  /// An archive file ends with the segment that takes it to so many bytes of log. Files are deleted whole when
  /// their retention is over, so a larger file is kept a little longer.
  package var archiveBytes: UInt64 = 256 << 20
  /// Milliseconds for which a record is kept after it was written; nil for ever.
  package var retention: UInt64?
  /// Unix milliseconds.
  package var now: UInt64
  /// The dictionaries that the log's frames may have been written with.
  package var dictionaries = ZstdDictionary.known

  package init(now: UInt64) { self.now = now }
}

/// What a compaction is about to do, or how far it is.
package enum CompactionStep: Sendable, Equatable {
  /// Log bytes read into a new archive, of how many.
  case archiving(done: UInt64, of: UInt64)
  /// Blocks of the new archive read back, of how many.
  case verifying(done: Int, of: Int)
  /// A segment that an archive has is removed.
  case removing(String)
  /// An archive whose retention is over is deleted.
  case expiring(String)
}

/// What a compaction has done.
package struct CompactionReport: Sendable, Equatable {
  package var archived: [ArchiveInfo] = []
  /// The names of the segments that are gone from the log.
  package var removed: [String] = []
  package var expired: [ArchiveInfo] = []
  package var warnings: [String] = []
}

/// Moves the part of the log that both kept snapshots cover into the archive, and deletes what is there for
/// longer than it must be kept.
///
/// Whole segments are moved, the oldest first, in this order: the archive is written under a temporary name,
/// synced, read back from the disk and followed through its chain up to the segment behind it; then it gets
/// its name, which is synced; then the segments are removed one by one, each removal synced before the next.
/// A crash at any moment leaves a record in the log, in the archive, or in both. Readers take it from
/// the archive where both have it, and the next compaction finishes the removal.
///
/// It touches only what is complete, so it runs beside a log that is being written, on a thread of its own.
package struct Compactor: Sendable {
  private let folder: DataFolder
  private let options: CompactionOptions
  private let keys: RecordKeys

  private static let temporaryName = "archive" + FolderName.temporarySuffix

  /// - Parameter folder: owned by this process, which runs one compaction at a time.
  package init(_ folder: DataFolder, options: CompactionOptions, keys: @escaping RecordKeys) {
    precondition(folder.isOwned)
    self.folder = folder
    self.options = options
    self.keys = keys
  }

  /// Compacts.
  /// - Parameters:
  ///   - lsn: the record through which segments may go; never further than the older of the two kept snapshots.
  ///   - progress: may throw to stop; what was begun is then finished by another compaction.
  package func compact(
    coveredThrough lsn: UInt64 = .max, progress: (CompactionStep) throws -> Void = { _ in }
  ) throws -> CompactionReport {
    var report = CompactionReport()
    try ArchiveCatalog(folder).deleteTemporaries()
    if let covered = try SnapshotCatalog(folder).coveredThrough() {
      let bound = min(lsn, covered)
      var segments = try folder.sealedSegments().filter { $0.lastLSN <= bound }
      try removeArchived(&segments, &report, progress)
      for group in try grouped(segments) {
        do {
          report.archived.append(try archive(group, progress))
        } catch {
          // Half an archive takes room that a full disk may need.
          try? ArchiveCatalog(folder).deleteTemporaries()
          throw error
        }
        for segment in group { try remove(segment, &report, progress) }
      }
    }
    try expire(&report, progress)
    return report
  }

  /// Takes from `segments` those that an archive has already, and removes them.
  private func removeArchived(
    _ segments: inout [SealedSegment], _ report: inout CompactionReport, _ progress: (CompactionStep) throws -> Void
  ) throws {
    let entries = try ArchiveCatalog(folder).entries()
    while let segment = segments.first, let entry = entries.first(where: { $0.records.contains(segment.firstLSN) }) {
      let covered = segments.prefix { entry.records.contains($0.lastLSN) }
      guard covered.last?.lastLSN == entry.records.upperBound else {
        throw LogError(
          .corrupt, segment: segment.name, lsn: segment.firstLSN,
          "\(DiskPath.name(of: entry.path)) has a part of the segment, but not to the end of one")
      }
      let reader = try ArchiveCatalog(folder).open(entry)
      defer { reader.close() }
      try reader.verify(fromDisk: true) { try progress(.verifying(done: $0, of: $1)) }
      try check(reader.info, precedes: covered.last!)
      for segment in covered { try remove(segment, &report, progress) }
      segments.removeFirst(covered.count)
    }
    if let last = entries.last, let segment = segments.first, segment.firstLSN != last.records.upperBound + 1 {
      report.warnings.append(
        "the archive ends with record \(last.records.upperBound), and the log begins with \(segment.firstLSN)")
    }
  }

  /// An archive that ends where the segment does must end in the hash that the next segment begins with: that
  /// one hash says that the archive has all frames before it, as they were.
  private func check(_ info: ArchiveInfo, precedes last: SealedSegment) throws {
    let next = try OpenSegment(folder.logLocation, last.lastLSN + 1)
    defer { next.file.close() }
    guard info.lastHash == next.header.previousHash, info.records.upperBound == last.lastLSN else {
      throw BlockFileError.damaged(
        path: info.path, offset: 0, reason: "the log does not go on from its last frame")
    }
  }

  /// Segments that share an archive.
  private func grouped(_ segments: [SealedSegment]) throws -> [[SealedSegment]] {
    var groups: [[SealedSegment]] = []
    var bytes: UInt64 = 0
    for segment in segments {
      if groups.isEmpty || bytes >= options.archiveBytes {
        groups.append([])
        bytes = 0
      }
      groups[groups.count - 1].append(segment)
      bytes += try self.bytes(of: segment)
    }
    return groups
  }

  private func bytes(of segment: SealedSegment) throws -> UInt64 {
    let file = try folder.disk.openFile(folder.logLocation.path(segment.name), .read)
    defer { file.close() }
    return try file.size()
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
    var bodies = FrameBodies(dictionaries: options.dictionaries)
    let total = try segments.reduce(0) { $0 + (try bytes(of: $1)) }
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

  /// Each removal is durable before the next, so that a crash never leaves a hole between two segments.
  private func remove(
    _ segment: SealedSegment, _ report: inout CompactionReport, _ progress: (CompactionStep) throws -> Void
  ) throws {
    try progress(.removing(segment.name))
    try folder.disk.remove(folder.logLocation.path(segment.name))
    try folder.disk.syncDirectory(folder.logPath)
    report.removed.append(segment.name)
  }

  /// Deletes the oldest archives for as long as every record in them has been kept for long enough.
  private func expire(_ report: inout CompactionReport, _ progress: (CompactionStep) throws -> Void) throws {
    guard let retention = options.retention, options.now > retention else { return }
    let catalog = ArchiveCatalog(folder)
    for entry in try catalog.entries() {
      let info: ArchiveInfo
      do throws(BlockFileError) {
        let reader = try catalog.open(entry)
        info = reader.info
        reader.close()
      } catch {
        // What cannot be read may be young. It stays until somebody has looked at it.
        report.warnings.append("\(error): it is kept, and so is all that follows")
        return
      }
      guard let times = info.times, times.upperBound < options.now - retention else { return }
      try progress(.expiring(DiskPath.name(of: entry.path)))
      try folder.disk.remove(entry.path)
      try folder.disk.syncDirectory(folder.archivePath)
      report.expired.append(info)
    }
  }
}
