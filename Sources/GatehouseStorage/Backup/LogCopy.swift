internal import Glibc

/// Where a copied log ends.
struct LogCopyEnd: Equatable {
  /// The first record of the copied segments; nil if there are none.
  var firstLSN: UInt64?
  var lastLSN: UInt64
  var epoch: UInt64
}

/// Copies a log up to a record. The log may be in use.
struct LogCopy {
  let source: DataFolder
  let target: DataFolder
  /// The first record wanted; the copy begins with the frame that has it. nil for all.
  var first: UInt64?
  /// The last record wanted; nil for all.
  let last: UInt64?
  /// Whether to cut the frame with the last record after that record. If not, a frame that has later records too is
  /// left out.
  let cutsFrames: Bool
  let dictionaries: [ZstdDictionary]
  let progress: (CopyProgress) throws -> Void

  /// How often segments may move into the archive during one copy before that counts as a fault.
  private static let moveLimit = 16

  func run() throws -> LogCopyEnd {
    var moves = 0
    while true {
      do {
        return try copySegments()
      } catch is FileGone where moves < Self.moveLimit {
        moves += 1
        try removeSegments()
      }
    }
  }

  private func copySegments() throws -> LogCopyEnd {
    // Read the witness first, so that the copy contains at least what it says is durable, whatever a live writer adds
    // meanwhile.
    let witness = try WitnessFile.read(source.logLocation)
    let listing = try LogListing(source.logLocation).segments
    if last == nil {
      let archive = try ArchiveReach(source)
      if let objection = source.objection(hasSegments: !listing.isEmpty, witness, archive) { throw objection }
    }
    let start = listing.lastIndex { $0 <= first ?? 0 } ?? 0
    let wanted = listing.dropFirst(start).filter { $0 <= last ?? .max }
    var end = LogCopyEnd(
      firstLSN: wanted.first, lastLSN: (wanted.first ?? 1) - 1, epoch: witness?.epoch ?? 0)
    var before: ChainPosition?
    for (index, lsn) in wanted.enumerated() {
      let segment = try open(lsn)
      defer { segment.file.close() }
      if let before, before.nextLSN != lsn || before.hash != segment.header.previousHash {
        throw LogError(
          .corrupt, segment: LogFormat.segmentName(lsn), offset: 0, lsn: before.nextLSN,
          "the segment does not follow the one before")
      }
      let (begin, chain, stop) = try copy(segment, isFirst: index == 0)
      if index == 0 { end.firstLSN = begin }
      let next = start + index + 1
      // Unless the copy was cut, the frames of a segment must reach the next one.
      if next < listing.count, !stop.isCut, chain.nextLSN != listing[next] {
        throw LogError(
          .corrupt, segment: LogFormat.segmentName(lsn), offset: stop.offset, lsn: chain.nextLSN,
          "there is no good frame where one must be: the next segment was begun after it was durable")
      }
      before = chain
      end.lastLSN = chain.nextLSN - 1
      end.epoch = max(end.epoch, chain.epoch)
      if stop.isCut { break }
      if next == listing.count { try check(chain, stop, witness) }
    }
    if last == nil, let objection = source.objection(toEnd: end.lastLSN) { throw objection }
    return end
  }

  /// Everything durable when the copy began must be in it, as far as it is wanted.
  private func check(_ chain: ChainPosition, _ stop: Stop, _ witness: Witness?) throws {
    let durable = min(witness?.durableLSN ?? 0, last ?? .max)
    guard durable >= chain.nextLSN else { return }
    throw LogError(
      .corrupt, segment: LogFormat.segmentName(stop.segment), offset: stop.offset, lsn: chain.nextLSN,
      "there is no good frame, and the witness says that LSN \(durable) was durable")
  }

  /// Where copying a segment ended, and whether that was because no more was wanted.
  private struct Stop {
    var segment: UInt64
    var offset: UInt64
    var isCut: Bool
  }

  /// - Returns: the first record of the copied segment, and where its frames end.
  private func copy(
    _ segment: OpenSegment, isFirst: Bool
  ) throws -> (firstLSN: UInt64, chain: ChainPosition, stop: Stop) {
    var header = segment.header
    var position: (offset: UInt64, chain: ChainPosition)?
    if isFirst, let first, first > header.firstLSN {
      // The frames before it are left out, and may be damaged.
      let found = try segment.position(of: first, folderID: source.manifest.folderID)
      header.firstLSN = found.chain.nextLSN
      header.previousHash = found.chain.hash
      header.epoch = found.chain.epoch
      position = found
    }
    var scanner = SegmentScanner(segment, folderID: source.manifest.folderID, at: position)
    var copy = try SegmentCopy(header, in: target)
    var bodies = FrameBodies(cipher: source.cipher, dictionaries: dictionaries)
    var stop = Stop(segment: segment.header.firstLSN, offset: scanner.offset, isCut: false)
    while true {
      // A clean-end frame after the last record wanted is left out too.
      if let last, scanner.chain.nextLSN > last {
        stop.isCut = true
        break
      }
      guard case .frame(let frame) = try scanner.next() else { break }
      if let last, frame.header.nextLSN > last + 1 {
        stop.isCut = true
        if cutsFrames {
          let body = try bodies.body(of: frame.header, stored: frame.stored)
          try copy.remake(frame.header, through: last, body: body)
        }
        break
      }
      try copy.put(frame.header, bytes: frame.bytes)
      try progress(CopyProgress(part: .log, done: UInt64(frame.bytes.count)))
    }
    stop.offset = scanner.offset
    try copy.finish()
    return (header.firstLSN, copy.chain, stop)
  }

  private func open(_ lsn: UInt64) throws -> OpenSegment {
    do throws(LogError) {
      return try OpenSegment(source.logLocation, lsn)
    } catch {
      if !source.disk.exists(source.logLocation.path(LogFormat.segmentName(lsn))) { throw FileGone() }
      throw error
    }
  }

  /// Deletes the copied segments.
  func removeSegments() throws {
    for lsn in try LogListing(target.logLocation).segments {
      try target.disk.remove(target.logLocation.path(LogFormat.segmentName(lsn)))
    }
  }
}

extension LogCopy {
  /// Unpacks an archive into a segment, up to a record. Needed because a log must have a segment after its archive, and
  /// an archive cannot be cut. The frames are encoded anew, because the archive does not keep their stored bytes; their
  /// chain hashes stay the same.
  func unpack(_ entry: ArchiveCatalog.Entry, through last: UInt64) throws -> LogCopyEnd {
    let reader = try ArchiveCatalog(source).open(entry)
    defer { reader.close() }
    let alignment = UInt32(LogOptions().alignment)
    var copy = try SegmentCopy(
      SegmentHeader(
        alignment: alignment, folderID: source.manifest.folderID, firstLSN: entry.records.lowerBound, epoch: 0,
        previousHash: reader.info.previousHash), in: target)
    var buffers = ArchiveReader.Buffers()
    for (number, block) in reader.blocks.enumerated() where block.firstLSN <= last {
      var frames: [(header: FrameHeader, body: [UInt8])] = []
      try reader.forEachFrame(in: number, &buffers) { header, _, body in
        if header.firstLSN <= last { frames.append((header, Array(body))) }
      }
      for frame in frames {
        try frame.body.withUnsafeBytes { try copy.remake(frame.header, through: last, body: $0) }
        try progress(CopyProgress(part: .log, done: UInt64(frame.body.count)))
      }
    }
    try copy.finish()
    return LogCopyEnd(
      firstLSN: entry.records.lowerBound, lastLSN: copy.chain.nextLSN - 1, epoch: copy.chain.epoch)
  }
}
