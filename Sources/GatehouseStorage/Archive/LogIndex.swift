internal import Synchronization

/// An index of the live log: which parts can have records about a person or thing, as `ArchiveIndexBuilder` does for
/// the archive. With it, a page of the trail costs about what it shows, instead of a scan of the whole log.
///
/// A segment is divided into stretches of about 16 KiB, and a Bloom filter holds the ids of each stretch. Another holds
/// those of each eight stretches, so that few are asked: 1 of 300 eights is looked at in vain, and of these one stretch in
/// fourteen is read. It takes 22 bits an id in memory: 16 bytes a record if each record creates a person, less than 2 if the
/// same people come again. The memory is bounded; if it runs out, the oldest segments are not indexed.
///
/// Appending does not know of the index. It is built from the durable part of the files, by a low-priority thread that
/// follows the log, and by any reader that needs a part that thread has not reached. It is rebuilt after a start, so a
/// crash leaves nothing to repair. Archived segments are dropped.
package final class LogIndex: Sendable {
  private struct State {
    var segments: [UInt64: SegmentIndex] = [:]
    var bytes = 0
  }

  private let location: LogLocation
  private let dictionaries: [ZstdDictionary]
  private let keys: RecordKeys
  /// How many bytes all filters together may take.
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

  /// Bytes of memory in use.
  package var bytes: Int { state.withLock(\.bytes) }

  /// Indexes what is durable and not indexed yet, newest segment first, because it is read most.
  /// - Parameters:
  ///   - last: the last durable record.
  ///   - goesOn: asked now and then whether to continue; the rest is left to another call.
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

  /// The stretches of a segment; nil if the index does not have all of them.
  func known(_ segment: UInt64, through last: UInt64) -> LogStretches? {
    state.withLock { $0.segments[segment] }.flatMap { $0.chain.nextLSN > last ? $0.stretches : nil }
  }

  /// The stretches of a segment, indexed now if they are not yet.
  func stretches(of segment: OpenSegment, through last: UInt64) throws -> LogStretches {
    if let known = known(segment.header.firstLSN, through: last) { return known }
    return try build(segment, through: last) { true }
  }

  /// Builds on a copy, so that nobody waits for a lock held by a low-priority thread (priority inversion).
  @discardableResult
  private func build(
    _ segment: OpenSegment, through last: UInt64, while goesOn: () -> Bool
  ) throws -> LogStretches {
    let lsn = segment.header.firstLSN
    var index = state.withLock { $0.segments[lsn] } ?? SegmentIndex(segment)
    // Kept even if damage is found: the part before it is indexed then.
    defer { keep(index, of: lsn) }
    try index.extend(
      segment, folderID: location.folderID, cipher: location.cipher, through: last, dictionaries: dictionaries,
      keys: keys, while: goesOn)
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

  /// Whether a segment would stay in the index. If not, the index is full of newer segments.
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

/// A run of consecutive frames in a segment.
struct LogStretch: Sendable {
  /// Where the first frame begins, and the chain position that it must continue.
  let offset: UInt64
  let chain: ChainPosition
  var end: UInt64
  var nextLSN: UInt64
  /// What is known of its records; nil if only the frame headers were read.
  var contents: Contents?

  struct Contents: Sendable {
    /// The times of the records, in unix milliseconds; earliest > latest if none has a time.
    var earliest: UInt64 = .max
    var latest: UInt64 = 0
    var ids = BloomFilter(of: [])
  }

  /// A stretch ends with the frame that brings it to this many bytes. What a page of the trail shows is in a few stretches,
  /// each of which is decoded whole.
  static let bytes: UInt64 = 16 << 10

  init(at offset: UInt64, _ chain: ChainPosition, _ contents: Contents? = nil) {
    self.contents = contents
    self.offset = offset
    self.chain = chain
    end = offset
    nextLSN = chain.nextLSN
  }
}

/// Consecutive stretches of a segment.
struct LogStretches: Sendable {
  var all: [LogStretch]
  /// The ids of the first eight stretches, of the next eight, and so on; the last stretches may have none.
  var groups: [BloomFilter]

  static let ofGroup = 8

  /// Calls `body` with each that can have a wanted record of a range, until it returns false.
  ///
  /// - Returns: false if `body` has stopped.
  func forEach(
    wantedBy filter: HistoryFilter, in range: ClosedRange<UInt64>, newestFirst: Bool,
    _ body: (LogStretch) throws -> Bool
  ) rethrows -> Bool {
    let count = (all.count + Self.ofGroup - 1) / Self.ofGroup
    for number in 0..<count {
      let group = newestFirst ? count - 1 - number : number
      let places = group * Self.ofGroup..<min((group + 1) * Self.ofGroup, all.count)
      guard all[places.lowerBound].chain.nextLSN <= range.upperBound,
        all[places.upperBound - 1].nextLSN > range.lowerBound,
        !filter.hasKeys || group >= groups.count || filter.wanted.mayBe(in: groups[group])
      else { continue }
      for place in newestFirst ? Array(places.reversed()) : Array(places) {
        let stretch = all[place]
        guard stretch.chain.nextLSN <= range.upperBound, stretch.nextLSN > range.lowerBound, filter.mayWant(stretch),
          try !body(stretch)
        else { continue }
        return false
      }
    }
    return true
  }
}

/// The index of one segment.
private struct SegmentIndex: Sendable {
  private(set) var stretches = LogStretches(all: [], groups: [])
  private var offset = LogFormat.segmentStart
  private(set) var chain: ChainPosition
  /// The ids in the last stretch, which may not be complete yet. Duplicates are removed by sorting when the filter is
  /// made; a `Set` hashes each again.
  private var ids: [UInt64] = []
  /// Those of the stretches before it that have no group yet.
  private var idsOfGroup: [UInt64] = []

  init(_ segment: OpenSegment) { chain = segment.chainStart }

  var bytes: Int {
    let own = (ids.capacity + idsOfGroup.capacity) * MemoryLayout<UInt64>.stride
    let groups = stretches.groups.reduce(0) { $0 + $1.bytes }
    return stretches.all.reduce(own + groups) {
      $0 + MemoryLayout<LogStretch>.stride + ($1.contents?.ids.bytes ?? 0)
    }
  }

  mutating func extend(
    _ segment: OpenSegment, folderID: Hash128, cipher: FolderCipher, through last: UInt64,
    dictionaries: [ZstdDictionary], keys: RecordKeys, while goesOn: () -> Bool
  ) throws {
    var scanner = SegmentScanner(
      segment, folderID: folderID, at: (offset, chain), windowBytes: 256 << 10)
    var decoder = FrameDecoder(cipher: cipher, dictionaries: dictionaries, checksContent: false)
    defer { noteIDs() }
    while chain.nextLSN <= last {
      if stretches.all.last.map({ offset - $0.offset >= LogStretch.bytes }) ?? true {
        guard goesOn() else { return }
        begin()
      }
      guard case .frame(let frame) = try scanner.next() else {
        throw LogError(
          .corrupt, segment: scanner.name, offset: scanner.offset, lsn: chain.nextLSN,
          "there is no good frame, but record \(last) was durable")
      }
      let index = stretches.all.count - 1
      var contents = stretches.all[index].contents ?? LogStretch.Contents()
      try decoder.forEachRecord(frame.header, stored: frame.stored) { _, record in
        let time = keys(record, &ids)
        contents.earliest = min(contents.earliest, time)
        contents.latest = max(contents.latest, time)
      }
      stretches.all[index].contents = contents
      offset = scanner.offset
      chain = scanner.chain
      stretches.all[index].end = offset
      stretches.all[index].nextLSN = chain.nextLSN
    }
  }

  /// Begins a stretch, after the last one is complete.
  private mutating func begin() {
    noteIDs()
    idsOfGroup += ids
    ids = []
    if !stretches.all.isEmpty, stretches.all.count.isMultiple(of: LogStretches.ofGroup) {
      stretches.groups.append(BloomFilter(of: Self.distinct(idsOfGroup)))
      idsOfGroup = []
    }
    stretches.all.append(LogStretch(at: offset, chain, LogStretch.Contents()))
  }

  private mutating func noteIDs() {
    guard !stretches.all.isEmpty else { return }
    ids = Self.distinct(ids)
    stretches.all[stretches.all.count - 1].contents?.ids = BloomFilter(of: ids, .small)
  }

  private static func distinct(_ ids: [UInt64]) -> [UInt64] {
    var ids = ids.sorted()
    var distinct = 0
    for place in ids.indices where distinct == 0 || ids[distinct - 1] != ids[place] {
      ids[distinct] = ids[place]
      distinct += 1
    }
    ids.removeLast(ids.count - distinct)
    return ids
  }
}
