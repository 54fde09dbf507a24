/// Thrown to leave the loops once the handler has stopped.
private struct Enough: Error {}

/// The wanted part of an archive.
struct ArchivePart {
  let reader: ArchiveReader
  let range: ClosedRange<UInt64>
  let filter: HistoryFilter
  let cache: HistoryCache?
  let onBlock: @Sendable () -> Void

  func read(newestFirst: Bool, _ handle: History.Handler) throws -> Bool {
    var buffers = ArchiveReader.Buffers()
    let isIndexed = filter.hasKeys && reader.format >= filter.query.indexedSince
    // Which keys each block has; not known without an index.
    var keys: [Int: [UInt64]] = [:]
    if isIndexed {
      for key in filter.wanted.keys {
        for number in try reader.blocks(about: key, &buffers) { keys[number, default: []].append(key) }
      }
    }
    let numbers = (isIndexed ? keys.keys.sorted() : Array(reader.blocks.indices)).filter { number in
      let block = reader.blocks[number]
      return block.recordCount > 0 && block.firstLSN <= range.upperBound && block.nextLSN > range.lowerBound
        && filter.mayWant(block)
    }
    do {
      for number in newestFirst ? numbers.reversed() : numbers {
        if let keys = keys[number], !keys.contains(where: filter.wanted.keys.contains) { continue }
        onBlock()
        let marks = filter.wanted.marks(of: keys[number])
        if newestFirst || isIndexed {
          let isWhole = try part(number, &buffers).forEachRecord(marks, in: range, newestFirst: newestFirst) {
            try !filter.wants($1) || handle($0, $1)
          }
          guard isWhole else { return false }
        } else {
          try forEachRecord(in: number, marks, &buffers) { lsn, record in
            if try !handle(lsn, record) { throw Enough() }
          }
        }
      }
      return true
    } catch is Enough {
      return false
    }
  }

  /// All records of a block.
  private func part(_ number: Int, _ buffers: inout ArchiveReader.Buffers) throws -> DecodedPart {
    func decode(_ buffers: inout ArchiveReader.Buffers) throws -> DecodedPart {
      try DecodedPart(from: reader.blocks[number].firstLSN) { add in
        try forEachRecord(in: number, &buffers) { _, record in add(record) }
      }
    }
    let key = HistoryCache.Key(hash: reader.info.hash, place: UInt64(number), end: 0)
    guard let cache else { return try decode(&buffers) }
    return try cache.part(key) { try decode(&buffers) }
  }

  private func forEachRecord(
    in number: Int, _ marks: RecordMarks, _ buffers: inout ArchiveReader.Buffers,
    _ handle: (UInt64, UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try forEachRecord(in: number, &buffers) { lsn, record in
      if range.contains(lsn), marks.mayBe(in: record), filter.wants(record) { try handle(lsn, record) }
    }
  }

  private func forEachRecord(
    in number: Int, _ buffers: inout ArchiveReader.Buffers, _ handle: (UInt64, UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try reader.forEachFrame(in: number, &buffers) { header, _, body in
      var lsn = header.firstLSN
      let isWhole = try RecordCoding.forEach(in: body, count: Int(header.recordCount)) { record in
        try handle(lsn, record)
        lsn += 1
      }
      guard isWhole else {
        throw LogError(.corrupt, lsn: header.firstLSN, "the frame does not hold \(header.recordCount) records")
      }
    }
  }
}

/// The wanted part of a segment.
struct SegmentPart {
  let segment: OpenSegment
  let folderID: Hash128
  let cipher: FolderCipher
  let range: ClosedRange<UInt64>
  let filter: HistoryFilter
  let dictionaries: [ZstdDictionary]
  let index: LogIndex?
  let cache: HistoryCache?
  let onBlock: @Sendable () -> Void

  func read(newestFirst: Bool, _ handle: History.Handler) throws -> Bool {
    do {
      // If all records are wanted, the index only helps to find the first; without it, frames are looked for from the
      // beginning of the segment.
      let isIndexed = index.map {
        !filter.isOpen || $0.known(segment.header.firstLSN, through: range.upperBound) != nil
      }
      if newestFirst || isIndexed ?? false {
        var decoder = FrameDecoder(cipher: cipher, dictionaries: dictionaries)
        return try stretches().forEach(wantedBy: filter, in: range, newestFirst: newestFirst) { stretch in
          try read(stretch, newestFirst: newestFirst, &decoder, handle)
        }
      }
      var decoder = FrameDecoder(cipher: cipher, dictionaries: dictionaries)
      let marks = filter.wanted.marks(in: nil)
      // Frames before the first wanted record are not checked, and may be damaged.
      let isWithin = range.lowerBound > segment.header.firstLSN
      let position = isWithin ? try segment.position(of: range.lowerBound, folderID: folderID) : nil
      var scanner = SegmentScanner(segment, folderID: folderID, at: position)
      while let frame = try next(&scanner, checkingFrom: range.lowerBound) {
        try forEachRecord(of: frame, marks, &decoder) { lsn, record in
          guard try handle(lsn, record) else { throw Enough() }
        }
      }
      return true
    } catch is Enough {
      return false
    }
  }

  private func read(
    _ stretch: LogStretch, newestFirst: Bool, _ decoder: inout FrameDecoder, _ handle: History.Handler
  ) throws -> Bool {
    onBlock()
    let marks = filter.wanted.marks(in: stretch.contents?.ids)
    if newestFirst || filter.hasKeys {
      return try part(stretch, &decoder).forEachRecord(marks, in: range, newestFirst: newestFirst) {
        try !filter.wants($1) || handle($0, $1)
      }
    }
    try forEachFrame(of: stretch) { frame in
      try forEachRecord(of: frame, marks, &decoder) { lsn, record in
        if try !handle(lsn, record) { throw Enough() }
      }
    }
    return true
  }

  /// All records of a stretch.
  private func part(_ stretch: LogStretch, _ decoder: inout FrameDecoder) throws -> DecodedPart {
    func decode(_ decoder: inout FrameDecoder) throws -> DecodedPart {
      try DecodedPart(from: stretch.chain.nextLSN) { add in
        try forEachFrame(of: stretch) { frame in
          try decoder.forEachRecord(frame.header, stored: frame.stored) { _, record in add(record) }
        }
      }
    }
    let key = HistoryCache.Key(hash: stretch.chain.hash, place: stretch.offset, end: stretch.end)
    guard let cache else { return try decode(&decoder) }
    return try cache.part(key) { try decode(&decoder) }
  }

  private func forEachFrame(of stretch: LogStretch, _ body: (LogFrame) throws -> Void) throws {
    var scanner = SegmentScanner(
      segment, folderID: folderID, at: (stretch.offset, stretch.chain), windowBytes: Int(LogStretch.bytes))
    // All of them, whatever is asked for: others will ask for the rest.
    while scanner.offset < stretch.end { try body(try frame(&scanner, checkingFrom: 0)) }
  }

  /// The stretches up to the last wanted record: from the index, or by reading the frame headers.
  private func stretches() throws -> LogStretches {
    if let index {
      if filter.isOpen {
        // If all records are wanted, the index's filters are not needed, so do not wait for them.
        if let known = index.known(segment.header.firstLSN, through: range.upperBound) { return known }
      } else {
        // Damage elsewhere in the segment must not prevent reading the rest of it.
        do { return try index.stretches(of: segment, through: range.upperBound) } catch  where isDamage(error) {}
      }
    }
    return LogStretches(all: try framed(), groups: [])
  }

  /// Finds the frames by following their headers. Bodies are not checked here, but when they are read.
  private func framed() throws(LogError) -> [LogStretch] {
    var stretches: [LogStretch] = []
    var scanner = SegmentScanner(segment, folderID: folderID)
    var before = scanner.chain
    while let frame = try next(&scanner, checkingFrom: .max) {
      if stretches.last.map({ frame.offset - $0.offset >= LogStretch.bytes }) ?? true {
        stretches.append(LogStretch(at: frame.offset, before))
      }
      stretches[stretches.count - 1].end = scanner.offset
      stretches[stretches.count - 1].nextLSN = scanner.chain.nextLSN
      before = scanner.chain
    }
    return stretches
  }

  /// The next frame, up to the last wanted record; nil after that.
  private func next(
    _ scanner: inout SegmentScanner, checkingFrom lsn: UInt64
  ) throws(LogError) -> LogFrame? {
    guard scanner.chain.nextLSN <= range.upperBound else { return nil }
    return try frame(&scanner, checkingFrom: lsn)
  }

  private func frame(_ scanner: inout SegmentScanner, checkingFrom lsn: UInt64) throws(LogError) -> LogFrame {
    if case .frame(let frame) = try scanner.next(checkingFrom: lsn) { return frame }
    throw LogError(
      .corrupt, segment: scanner.name, offset: scanner.offset, lsn: scanner.chain.nextLSN,
      "there is no good frame, but record \(range.upperBound) was durable")
  }

  private func forEachRecord(
    of frame: LogFrame, _ marks: RecordMarks, _ decoder: inout FrameDecoder,
    _ handle: (UInt64, UnsafeRawBufferPointer) throws -> Void
  ) throws {
    guard frame.header.nextLSN > range.lowerBound else { return }
    try decoder.forEachRecord(frame.header, stored: frame.stored) { lsn, record in
      if range.contains(lsn), marks.mayBe(in: record), filter.wants(record) { try handle(lsn, record) }
    }
  }
}
