/// A frame, and its location.
package struct FrameInfo: Sendable, Equatable {
  /// Relative to the folder.
  package var file: String
  /// nil in an archive, where frames share compressed blocks.
  package var offset: UInt64?
  package var header: FrameHeader
}

extension History {
  /// The last record that exists: of the last segment's good frames, or of the archive if there is no log; 0 if there
  /// is nothing. This does not prove that it is durable (see the witness) or that nothing before it is missing (see the
  /// verification).
  package func lastLSN() throws -> UInt64 {
    let archived = try ArchiveCatalog(folder).all().last?.entry.records.upperBound ?? 0
    guard let lsn = try LogListing(folder.logLocation).segments.last else { return archived }
    let segment = try OpenSegment(folder.logLocation, lsn)
    defer { segment.file.close() }
    var scanner = SegmentScanner(segment, folderID: folder.manifest.folderID)
    while case .frame = try scanner.next() {}
    return max(scanner.chain.nextLSN - 1, archived)
  }

  /// Calls `handle` for the frames that hold some of `records`, in order, and for clean-end frames beside them.
  package func forEachFrame(_ records: ClosedRange<UInt64>, _ handle: (FrameInfo) throws -> Bool) throws {
    guard let first = try firstLSN(), first <= records.upperBound else { return }
    var next = max(first, records.lowerBound)
    var moves = 0
    while next <= records.upperBound {
      do {
        let part = try part(of: next)
        guard try forEachFrame(of: part, next...records.upperBound, handle) else { return }
        guard part.records.upperBound < records.upperBound else { return }
        next = part.records.upperBound + 1
      } catch  where Self.isGone(error) && moves < Self.moveLimit {
        // A compaction has just removed the segment. No frame of it was handed out yet.
        moves += 1
      }
    }
  }

  private func forEachFrame(
    of part: HistoryPart, _ records: ClosedRange<UInt64>, _ handle: (FrameInfo) throws -> Bool
  ) throws -> Bool {
    switch part {
    case .archive(let entry):
      let file = DiskPath.join(FolderName.archive, DiskPath.name(of: entry.path))
      let reader = try ArchiveCatalog(folder).open(entry)
      defer { reader.close() }
      var buffers = ArchiveReader.Buffers()
      for (number, block) in reader.blocks.enumerated()
      where block.firstLSN <= records.upperBound && block.nextLSN >= records.lowerBound {
        guard let headers = try reader.headers(in: number, &buffers) else {
          throw BlockFileError.locked(path: entry.path, .keyNeeded(master: folder.cipher.masterID ?? ""))
        }
        for header in headers where header.holds(records) {
          guard try handle(FrameInfo(file: file, offset: nil, header: header)) else { return false }
        }
      }
    case .segment(let range, let path):
      let segment = try openSegment(range.lowerBound, path: path)
      defer { segment.file.close() }
      var scanner = SegmentScanner(segment, folderID: folder.manifest.folderID)
      while true {
        // Frames before the wanted records are skipped by their headers.
        guard case .frame(let frame) = try scanner.next(checkingFrom: records.lowerBound) else {
          if scanner.chain.nextLSN > min(range.upperBound, records.upperBound) { break }
          throw LogError(
            .corrupt, segment: scanner.name, offset: scanner.offset, lsn: scanner.chain.nextLSN,
            "there is no good frame")
        }
        if frame.header.recordCount > 0, frame.header.firstLSN > records.upperBound { break }
        guard frame.header.holds(records) else { continue }
        let info = FrameInfo(
          file: DiskPath.join(DiskPath.name(of: DiskPath.parent(of: path)), segment.name), offset: frame.offset,
          header: frame.header)
        guard try handle(info) else { return false }
      }
    }
    return true
  }
}

extension FrameHeader {
  /// Whether the frame holds some of the records, or is an empty frame next to one of them.
  fileprivate func holds(_ records: ClosedRange<UInt64>) -> Bool {
    recordCount == 0
      ? records.contains(firstLSN) || records.contains(firstLSN - 1)
      : firstLSN <= records.upperBound && nextLSN > records.lowerBound
  }
}
