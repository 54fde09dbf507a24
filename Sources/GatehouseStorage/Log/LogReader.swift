internal import Glibc

/// Reads durable records, also while a writer adds more and a compaction removes segments. For one thread: a reader
/// remembers where it stopped, so that continuing needs no search.
package final class LogReader {
  private let location: LogLocation
  private var decoder: FrameDecoder
  private var position: Position?

  /// Smaller than recovery's window, because followers ask for a few records at a time.
  private static let windowBytes = 128 << 10

  /// Where the last reading stopped.
  private struct Position {
    var segment: UInt64
    var offset: UInt64
    var chain: ChainPosition
  }

  package init(_ location: LogLocation, dictionaries: [ZstdDictionary] = ZstdDictionary.known) {
    self.location = location
    decoder = FrameDecoder(cipher: location.cipher, dictionaries: dictionaries)
  }

  /// The log's segments, in order. The last one is being written, or was when the writer stopped.
  package func segments() throws(LogError) -> [SegmentInfo] {
    let listing = try LogListing(location).segments
    var segments: [SegmentInfo] = []
    for (index, lsn) in listing.enumerated() {
      let name = LogFormat.segmentName(lsn)
      do throws(DiskError) {
        let file = try location.disk.openFile(location.path(name), .read)
        defer { file.close() }
        let last = index + 1 < listing.count ? listing[index + 1] - 1 : nil
        segments.append(SegmentInfo(firstLSN: lsn, lastLSN: last, bytes: try file.size()))
      } catch {
        // A compaction may remove the oldest while they are listed.
        guard error.code == ENOENT else { throw LogError(error, segment: name) }
      }
    }
    return segments
  }

  /// Hands out records with their LSNs, in order. The bytes are valid during the call only.
  /// - Parameters:
  ///   - first: the first record wanted.
  ///   - last: the last one wanted, which must be durable.
  package func records(
    from first: UInt64, through last: UInt64, _ handle: (UInt64, UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try frames(from: first, through: last) { frame in
      try decoder.forEachRecord(frame.header, stored: frame.stored) { lsn, record in
        if lsn >= first, lsn <= last { try handle(lsn, record) }
      }
      return true
    }
  }

  /// Hands out a frame's records with their LSNs.
  package func records(
    of frame: LogFrame, _ handle: (UInt64, UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try decoder.forEachRecord(frame.header, stored: frame.stored, handle)
  }

  /// Hands out the checked frames that hold records of a range, in order, and the clean-end frames between them.
  /// - Parameter handle: returns false to stop.
  package func frames(
    from first: UInt64, through last: UInt64, _ handle: (LogFrame) throws -> Bool
  ) throws {
    guard first <= last else { return }
    var next = try start(for: first)
    while true {
      let segment = try OpenSegment(location, next.segment)
      defer { segment.file.close() }
      var scanner = SegmentScanner(
        segment, folderID: location.folderID, at: next.offset == 0 ? nil : (next.offset, next.chain),
        windowBytes: Self.windowBytes)
      if next.offset == 0, next.chain.nextLSN != 0, scanner.chain.hash != next.chain.hash {
        throw LogError(
          .corrupt, segment: LogFormat.segmentName(next.segment), offset: 0, lsn: next.segment,
          "the segment does not follow the one before")
      }
      while scanner.chain.nextLSN <= last {
        let step = try scanner.next(checkingFrom: first)
        guard case .frame(let frame) = step else { break }
        if frame.header.nextLSN > first, try !handle(frame) { return }
      }
      position = Position(segment: next.segment, offset: scanner.offset, chain: scanner.chain)
      guard scanner.chain.nextLSN <= last else { return }
      // The segment ends here if another one begins with the next record.
      let following = scanner.chain.nextLSN
      guard following > next.segment, location.disk.exists(location.path(LogFormat.segmentName(following))) else {
        throw LogError(
          .corrupt, segment: LogFormat.segmentName(next.segment), offset: scanner.offset, lsn: following,
          "there is no good frame where LSN \(following) should be")
      }
      next = Position(segment: following, offset: 0, chain: scanner.chain)
    }
  }

  /// Where to start: where the last reading stopped, if that is right before `lsn`, else at the beginning of a segment.
  private func start(for lsn: UInt64) throws(LogError) -> Position {
    if let position, position.chain.nextLSN == lsn,
      location.disk.exists(location.path(LogFormat.segmentName(position.segment)))
    {
      return position
    }
    let listing = try LogListing(location).segments
    guard let segment = listing.last(where: { $0 <= lsn }) else {
      throw LogError(.missing, lsn: lsn, "the log begins with LSN \(listing.first ?? 1)")
    }
    return Position(
      segment: segment, offset: 0, chain: ChainPosition(nextLSN: 0, hash: .zero, epoch: 0))
  }
}
