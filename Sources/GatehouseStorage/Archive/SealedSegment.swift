/// A segment that is complete: the next one has been started.
struct SealedSegment: Sendable, Equatable {
  let firstLSN: UInt64
  let lastLSN: UInt64

  var name: String { LogFormat.segmentName(firstLSN) }
}

extension DataFolder {
  /// The location of the log's files.
  package var logLocation: LogLocation {
    LogLocation(disk: disk, directory: logPath, folderID: manifest.folderID, cipher: cipher, watch: watch)
  }

  /// The segments that will not change again, in order: all but the last.
  func sealedSegments() throws(LogError) -> [SealedSegment] {
    let firsts = try LogListing(logLocation).segments
    return zip(firsts, firsts.dropFirst()).map { SealedSegment(firstLSN: $0, lastLSN: $1 - 1) }
  }

  /// The size of a segment's file.
  func bytes(of segment: SealedSegment) throws(DiskError) -> UInt64 {
    let file = try disk.openFile(logLocation.path(segment.name), .read)
    defer { file.close() }
    return try file.size()
  }
}

/// Reads and checks the frames of a sealed segment, and checks at the end that the next segment continues the chain. If
/// the next segment's header is damaged, its name still tells how many records there must be.
struct SealedSegmentReader: ~Copyable {
  private var scanner: SegmentScanner
  private let segment: SealedSegment
  private let next: SegmentHeader?
  private let file: any DiskFile

  init(_ segment: SealedSegment, in folder: DataFolder) throws(LogError) {
    let location = folder.logLocation
    let next = try Self.header(after: segment, location)
    let open = try OpenSegment(location, segment.firstLSN)
    self.segment = segment
    self.next = next
    file = open.file
    // The file is closed with the last reference to it.
    scanner = SegmentScanner(open, folderID: location.folderID)
  }

  var header: SegmentHeader { scanner.header }

  /// The header of the next segment; nil if it is damaged.
  static func header(after segment: SealedSegment, _ location: LogLocation) throws(LogError) -> SegmentHeader? {
    do throws(LogError) {
      let next = try OpenSegment(location, segment.lastLSN + 1)
      next.file.close()
      return next.header
    } catch {
      guard error.isDamage else { throw error }
      return nil
    }
  }

  /// Makes the next reads come from the disk instead of the page cache.
  func forgetCached() throws(LogError) {
    do throws(DiskError) { try file.forgetCached() } catch { throw LogError(error, segment: segment.name) }
  }

  /// - Returns: nil at the end.
  mutating func nextFrame() throws(LogError) -> LogFrame? {
    if case .frame(let frame) = try scanner.next() { return frame }
    guard scanner.chain.nextLSN == segment.lastLSN + 1, next.map({ scanner.chain.hash == $0.previousHash }) ?? true
    else {
      throw LogError(
        .corrupt, segment: segment.name, offset: scanner.offset, lsn: scanner.chain.nextLSN,
        "there is no good frame where one must be: the next segment was begun after it was durable")
    }
    return nil
  }
}
