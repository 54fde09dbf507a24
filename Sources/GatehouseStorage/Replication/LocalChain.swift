/// The frames in a folder's log, by their hashes: where another node's log and this one part.
struct LocalChain {
  struct Position: Sendable, Equatable {
    /// The last record up to here.
    var lsn: UInt64
    var hash: Hash128
    /// The segment, by its first record, and the offset behind the frame in it.
    var segment: UInt64
    var offset: UInt64
  }

  /// Where the log's first segment begins; nil if there is none.
  private(set) var base: Position?
  /// The frames in order.
  private(set) var frames: [Position] = []
  private var places: [Hash128: Int] = [:]
  /// The last record of which a frame says that it was acknowledged.
  private(set) var acknowledged: UInt64 = 0

  /// Reads the headers of all frames up to the first that is not good. Whether that one is damage is for recovery to say.
  init(_ location: LogLocation) throws {
    for lsn in try LogListing(location).segments {
      let segment = try OpenSegment(location, lsn)
      defer { segment.file.close() }
      let start = Position(
        lsn: lsn - 1, hash: segment.header.previousHash, segment: lsn, offset: LogFormat.segmentStart)
      if base == nil { base = start }
      guard last?.hash == start.hash else { return }
      var scanner = SegmentScanner(segment, folderID: location.folderID)
      while case .frame(let frame) = try scanner.next(checkingFrom: .max) {
        places[frame.header.hash] = frames.count
        acknowledged = max(acknowledged, frame.header.durableLSN)
        frames.append(
          Position(lsn: frame.header.nextLSN - 1, hash: frame.header.hash, segment: lsn, offset: scanner.offset))
      }
    }
  }

  /// The end of the log.
  var last: Position? { frames.last ?? base }

  /// The place of the frame with a hash, -1 for what is before the first one; nil if there is none.
  func place(of hash: Hash128) -> Int? { places[hash] ?? (base?.hash == hash ? -1 : nil) }

  /// The position behind the frame at a place.
  func position(_ place: Int) -> Position? { place < 0 ? base : frames[place] }

  /// The frames behind a place.
  func count(after place: Int) -> Int { frames.count - place - 1 }
}
