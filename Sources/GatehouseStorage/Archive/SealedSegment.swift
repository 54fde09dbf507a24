/// A segment that is complete: the next one was begun after it.
struct SealedSegment: Sendable, Equatable {
  let firstLSN: UInt64
  let lastLSN: UInt64

  var name: String { LogFormat.segmentName(firstLSN) }
}

extension DataFolder {
  /// Where the log's own code finds the log.
  package var logLocation: LogLocation {
    LogLocation(disk: disk, directory: logPath, folderID: manifest.folderID)
  }

  /// The segments that will not change again, in order: all but the last.
  func sealedSegments() throws(LogError) -> [SealedSegment] {
    let firsts = try LogListing(logLocation).segments
    return zip(firsts, firsts.dropFirst()).map { SealedSegment(firstLSN: $0, lastLSN: $1 - 1) }
  }
}

/// Reads the frames of a sealed segment, each checked, and at the end that the next segment follows on them.
struct SealedSegmentReader: ~Copyable {
  private var scanner: SegmentScanner
  private let segment: SealedSegment
  private let next: SegmentHeader

  init(_ segment: SealedSegment, in folder: DataFolder) throws(LogError) {
    let location = folder.logLocation
    let next = try OpenSegment(location, segment.lastLSN + 1)
    next.file.close()
    let open = try OpenSegment(location, segment.firstLSN)
    self.segment = segment
    self.next = next.header
    // The file is closed with the last reference to it.
    scanner = SegmentScanner(open, folderID: location.folderID)
  }

  var header: SegmentHeader { scanner.header }

  /// - Returns: nil at the end.
  mutating func nextFrame() throws(LogError) -> LogFrame? {
    if case .frame(let frame) = try scanner.next() { return frame }
    guard scanner.chain.nextLSN == next.firstLSN, scanner.chain.hash == next.previousHash else {
      throw LogError(
        .corrupt, segment: segment.name, offset: scanner.offset, lsn: scanner.chain.nextLSN,
        "there is no good frame where one must be: the next segment was begun after it was durable")
    }
    return nil
  }
}
