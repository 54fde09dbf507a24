/// Records to be handed out in reverse order. They are copied, because the memory they were read from is reused.
struct RecordStack {
  private var bytes: [UInt8] = []
  private var records: [(lsn: UInt64, range: Range<Int>)] = []

  mutating func push(_ lsn: UInt64, _ record: UnsafeRawBufferPointer) {
    let start = bytes.count
    bytes.append(contentsOf: record)
    records.append((lsn, start..<bytes.count))
  }

  /// Hands out and removes all records, last pushed first.
  /// - Returns: false if the handler has stopped.
  mutating func popAll(_ handle: History.Handler) throws -> Bool {
    defer {
      bytes.removeAll(keepingCapacity: true)
      records.removeAll(keepingCapacity: true)
    }
    return try bytes.withUnsafeBytes { bytes in
      for record in records.reversed() {
        guard try handle(record.lsn, UnsafeRawBufferPointer(rebasing: bytes[record.range])) else { return false }
      }
      return true
    }
  }
}

/// Thrown to leave the loops once the handler has stopped.
private struct Enough: Error {}

/// The wanted part of an archive.
struct ArchivePart {
  let reader: ArchiveReader
  let range: ClosedRange<UInt64>
  let filter: HistoryFilter
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
    var stack = RecordStack()
    do {
      for number in newestFirst ? numbers.reversed() : numbers {
        if let keys = keys[number], !keys.contains(where: filter.wanted.keys.contains) { continue }
        onBlock()
        try forEachRecord(in: number, filter.wanted.marks(of: keys[number]), &buffers) { lsn, record in
          if newestFirst {
            stack.push(lsn, record)
          } else if try !handle(lsn, record) {
            throw Enough()
          }
        }
        guard try stack.popAll(handle) else { return false }
      }
      return true
    } catch is Enough {
      return false
    }
  }

  private func forEachRecord(
    in number: Int, _ marks: RecordMarks, _ buffers: inout ArchiveReader.Buffers,
    _ handle: (UInt64, UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try reader.forEachFrame(in: number, &buffers) { header, _, body in
      var lsn = header.firstLSN
      let isWhole = try RecordCoding.forEach(in: body, count: Int(header.recordCount)) { record in
        if range.contains(lsn), marks.mayBe(in: record), filter.wants(record) { try handle(lsn, record) }
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
  let onBlock: @Sendable () -> Void

  func read(newestFirst: Bool, _ handle: History.Handler) throws -> Bool {
    do {
      // If all records are wanted, the index only helps to find the first; without it, frames are looked for from the
      // beginning of the segment.
      let isIndexed = index.map {
        !filter.isOpen || $0.known(segment.header.firstLSN, through: range.upperBound) != nil
      }
      if newestFirst || isIndexed ?? false {
        let wanted = try stretches().filter { stretch in
          stretch.chain.nextLSN <= range.upperBound && stretch.nextLSN > range.lowerBound && filter.mayWant(stretch)
        }
        return try read(newestFirst ? wanted.reversed() : wanted, newestFirst: newestFirst, handle)
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

  private func read(_ stretches: [LogStretch], newestFirst: Bool, _ handle: History.Handler) throws -> Bool {
    var stack = RecordStack()
    var decoder = FrameDecoder(cipher: cipher, dictionaries: dictionaries)
    for stretch in stretches where filter.mayWant(stretch) {
      onBlock()
      let marks = filter.wanted.marks(in: stretch.contents?.ids)
      var scanner = SegmentScanner(
        segment, folderID: folderID, at: (stretch.offset, stretch.chain), windowBytes: Int(LogStretch.bytes))
      while scanner.offset < stretch.end, let frame = try next(&scanner, checkingFrom: 0) {
        try forEachRecord(of: frame, marks, &decoder) { lsn, record in
          if newestFirst {
            stack.push(lsn, record)
          } else if try !handle(lsn, record) {
            throw Enough()
          }
        }
      }
      guard try stack.popAll(handle) else { return false }
    }
    return true
  }

  /// The stretches up to the last wanted record: from the index, or by reading the frame headers.
  private func stretches() throws -> [LogStretch] {
    if let index {
      if filter.isOpen {
        // If all records are wanted, the index's filters are not needed, so do not wait for them.
        if let known = index.known(segment.header.firstLSN, through: range.upperBound) { return known }
      } else {
        // Damage elsewhere in the segment must not prevent reading the rest of it.
        do { return try index.stretches(of: segment, through: range.upperBound) } catch  where isDamage(error) {}
      }
    }
    return try framed()
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
