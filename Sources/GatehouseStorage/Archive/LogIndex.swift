internal import Synchronization

/// Tells which parts of the live log can have records about somebody or something, as `ArchiveIndexBuilder` does for the
/// archive: a page of the trail then costs what is on it, and not a look at the whole log.
///
/// A segment is divided into stretches of about 64 KiB. Of the ids in each a Bloom filter is kept: 1 of 100 stretches is
/// read in vain. That takes 12 bits an id in memory: 9 bytes a record where each makes somebody, less than 1 where the same
/// people come again (measured: 35,000 sessions of 900 people). What it takes is bounded, and the oldest segments go without
/// where that is not enough.
///
/// Appending knows nothing of it. It is made of what the files say, through a record that is durable, by a thread that
/// follows the log at low priority, and by whoever reads what that thread has not come to yet. So it is made anew after a
/// start, and nothing needs to be put right after a crash. A segment that is archived is forgotten.
package final class LogIndex: Sendable {
  private struct State {
    var segments: [UInt64: SegmentIndex] = [:]
    var bytes = 0
  }

  private let location: LogLocation
  private let dictionaries: [ZstdDictionary]
  private let keys: RecordKeys
  /// What all filters may take.
  private let limit: Int
  private let state = Mutex(State())

  package init(
    _ folder: DataFolder, dictionaries: [ZstdDictionary] = ZstdDictionary.known, limit: Int = 64 << 20,
    keys: @escaping RecordKeys
  ) {
    location = folder.logLocation
    self.dictionaries = dictionaries
    self.limit = limit
    self.keys = keys
  }

  /// What it takes in memory.
  package var bytes: Int { state.withLock(\.bytes) }

  /// Takes in what is durable and not in it yet, the newest segment first, as that is asked for most.
  /// - Parameters:
  ///   - last: the last record that is durable.
  ///   - goesOn: asked now and then; what is left is taken in another time.
  package func follow(through last: UInt64, while goesOn: () -> Bool = { true }) throws {
    let listing = try LogListing(location).segments
    forget { !listing.contains($0) }
    var end = last
    for lsn in listing.reversed() where lsn <= end {
      guard goesOn() else { return }
      if known(lsn, through: end) == nil, isRoom(for: lsn) {
        let segment = try OpenSegment(location, lsn)
        defer { segment.file.close() }
        try build(segment, through: end, while: goesOn)
      }
      end = lsn - 1
    }
  }

  /// The stretches of a segment; nil where not all are in the index.
  func known(_ segment: UInt64, through last: UInt64) -> [LogStretch]? {
    state.withLock { $0.segments[segment] }.flatMap { $0.chain.nextLSN > last ? $0.stretches : nil }
  }

  /// The stretches of a segment, which are found out where they are not known yet.
  func stretches(of segment: OpenSegment, through last: UInt64) throws -> [LogStretch] {
    if let known = known(segment.header.firstLSN, through: last) { return known }
    return try build(segment, through: last) { true }
  }

  /// Works on a copy: nobody waits for a thread that others keep from its core.
  @discardableResult
  private func build(
    _ segment: OpenSegment, through last: UInt64, while goesOn: () -> Bool
  ) throws -> [LogStretch] {
    let lsn = segment.header.firstLSN
    var index = state.withLock { $0.segments[lsn] } ?? SegmentIndex(segment)
    // Also where it comes to damage: what lies before that is known then.
    defer { keep(index, of: lsn) }
    try index.extend(
      segment, folderID: location.folderID, through: last, dictionaries: dictionaries, keys: keys, while: goesOn)
    return index.stretches
  }

  private func keep(_ index: SegmentIndex, of lsn: UInt64) {
    state.withLock { state in
      let before = state.segments[lsn]
      guard index.chain.nextLSN > before?.chain.nextLSN ?? 0 else { return }
      state.bytes += index.bytes - (before?.bytes ?? 0)
      state.segments[lsn] = index
      while state.bytes > limit, let oldest = state.segments.keys.min() {
        state.bytes -= state.segments.removeValue(forKey: oldest)?.bytes ?? 0
      }
    }
  }

  /// Whether a segment would stay in the index: it is full of newer ones otherwise.
  private func isRoom(for lsn: UInt64) -> Bool {
    state.withLock { $0.bytes < limit / 8 * 7 || $0.segments.keys.contains { $0 < lsn } }
  }

  private func forget(_ isGone: (UInt64) -> Bool) {
    state.withLock { state in
      for lsn in state.segments.keys where isGone(lsn) {
        state.bytes -= state.segments.removeValue(forKey: lsn)?.bytes ?? 0
      }
    }
  }
}

/// Some frames of a segment one after the other.
struct LogStretch: Sendable {
  /// Where the first begins, and what it must say of itself.
  let offset: UInt64
  let chain: ChainPosition
  var end: UInt64
  var nextLSN: UInt64
  /// What is known of the records in it; nil where only the headers of the frames were looked at.
  var contents: Contents?

  struct Contents: Sendable {
    /// The times of the records, in unix milliseconds; the earliest is above the latest where there is none.
    var earliest: UInt64 = .max
    var latest: UInt64 = 0
    var ids = BloomFilter(of: [])
  }

  /// How much of a file a stretch is, and a frame more.
  static let bytes: UInt64 = 64 << 10

  init(at offset: UInt64, _ chain: ChainPosition, _ contents: Contents? = nil) {
    self.contents = contents
    self.offset = offset
    self.chain = chain
    end = offset
    nextLSN = chain.nextLSN
  }
}

/// What is known of a segment.
private struct SegmentIndex: Sendable {
  private(set) var stretches: [LogStretch] = []
  private var offset = LogFormat.segmentStart
  private(set) var chain: ChainPosition
  /// The ids in the last stretch, which may not be full yet.
  private var ids: Set<UInt64> = []

  init(_ segment: OpenSegment) { chain = segment.chainStart }

  var bytes: Int {
    stretches.reduce(ids.capacity * MemoryLayout<UInt64>.stride) {
      $0 + MemoryLayout<LogStretch>.stride + ($1.contents?.ids.bytes ?? 0)
    }
  }

  mutating func extend(
    _ segment: OpenSegment, folderID: Hash128, through last: UInt64, dictionaries: [ZstdDictionary], keys: RecordKeys,
    while goesOn: () -> Bool
  ) throws {
    var scanner = SegmentScanner(
      segment, folderID: folderID, at: (offset, chain), windowBytes: Int(4 * LogStretch.bytes))
    var decoder = FrameDecoder(dictionaries: dictionaries)
    var found: [UInt64] = []
    defer { noteIDs() }
    while chain.nextLSN <= last {
      if stretches.last.map({ offset - $0.offset >= LogStretch.bytes }) ?? true {
        guard goesOn() else { return }
        noteIDs()
        ids = []
        stretches.append(LogStretch(at: offset, chain, LogStretch.Contents()))
      }
      guard case .frame(let frame) = try scanner.next() else {
        throw LogError(
          .corrupt, segment: scanner.name, offset: scanner.offset, lsn: chain.nextLSN,
          "there is no good frame, but record \(last) was durable")
      }
      var contents = stretches.last?.contents ?? LogStretch.Contents()
      try decoder.forEachRecord(frame.header, stored: frame.stored) { _, record in
        found.removeAll(keepingCapacity: true)
        let time = keys(record, &found)
        ids.formUnion(found)
        contents.earliest = min(contents.earliest, time)
        contents.latest = max(contents.latest, time)
      }
      let place = stretches.count - 1
      stretches[place].contents = contents
      offset = scanner.offset
      chain = scanner.chain
      stretches[place].end = offset
      stretches[place].nextLSN = chain.nextLSN
    }
  }

  private mutating func noteIDs() {
    if !stretches.isEmpty { stretches[stretches.count - 1].contents?.ids = BloomFilter(of: ids) }
  }
}
