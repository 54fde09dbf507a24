internal import Glibc

/// Reads records from the archive and the log as if they were one, forwards or backwards. Works beside a log that is
/// being written and beside a compaction.
package struct History: Sendable {
  /// Receives a record with its LSN; returns false to stop. The bytes are valid during the call only.
  package typealias Handler = (_ lsn: UInt64, _ record: UnsafeRawBufferPointer) throws -> Bool

  let folder: DataFolder
  /// The keys that open what is sealed in the records.
  package var seals: KeyStore? { folder.keys }
  let keys: RecordKeys
  let dictionaries: [ZstdDictionary]
  /// The index of the live log; without it, the whole log is read.
  let index: LogIndex?
  /// What was decoded lately; without it, each reading decodes anew.
  package let cache: HistoryCache?
  /// Called for each block of the archive and each stretch of the log that is read, so that tests can count them.
  var onBlock: @Sendable () -> Void = {}

  package init(
    _ folder: DataFolder, dictionaries: [ZstdDictionary] = ZstdDictionary.known, index: LogIndex? = nil,
    cache: HistoryCache? = nil, keys: @escaping RecordKeys
  ) {
    self.folder = folder
    self.dictionaries = dictionaries
    self.index = index
    self.cache = cache
    self.keys = keys
  }

  /// Which records are wanted.
  package struct Query: Sendable {
    /// The log must be durable through the upper bound; the lower bound may be before the first record kept.
    package var records: ClosedRange<UInt64>
    /// Only records with one of these keys; all records if empty.
    package var keys: [UInt64]
    /// Bytes that every record with a key has (`WantedKeys`).
    package var marks: [UInt64: [UInt8]] = [:]
    /// The first archive format (`Archive.kind`) whose index contains these keys.
    package var indexedSince: UInt16 = 1
    /// Only records with times in this range, in unix milliseconds.
    package var times: ClosedRange<UInt64>?

    package init(_ records: ClosedRange<UInt64>, about keys: [UInt64] = [], times: ClosedRange<UInt64>? = nil) {
      self.records = records
      self.keys = keys
      self.times = times
    }
  }

  /// The first record that is kept; nil if the folder has none.
  package func firstLSN() throws -> UInt64? {
    let archived = try ArchiveCatalog(folder).all().first?.entry.records.lowerBound
    return try archived ?? LogListing(folder.logLocation).segments.first
  }

  /// Reads the oldest record first.
  package func forEach(_ query: Query, _ handle: Handler) throws {
    try read(query, WantedKeys(query.keys, marks: query.marks), newestFirst: false, handle)
  }

  /// Reads the newest record first.
  package func forEachNewestFirst(_ query: Query, _ handle: Handler) throws {
    try read(query, WantedKeys(query.keys, marks: query.marks), newestFirst: true, handle)
  }

  /// Reads records with some keys, where the handler says which of them it still needs. So if it needs one record of
  /// each, it costs about what it finds, even if there are many records of some.
  ///
  /// - Parameter wanted: at least one key.
  package func forEach(
    wanted: WantedKeys, in records: ClosedRange<UInt64>, times: ClosedRange<UInt64>? = nil, indexedSince: UInt16,
    newestFirst: Bool, _ handle: Handler
  ) throws {
    var query = Query(records, about: Array(wanted.keys), times: times)
    query.indexedSince = indexedSince
    try read(query, wanted, newestFirst: newestFirst, handle)
  }

  /// How often a file may move from log to archive during one reading before that counts as a fault.
  static let moveLimit = 16

  private func read(_ query: Query, _ wantedKeys: WantedKeys, newestFirst: Bool, _ handle: Handler) throws {
    guard let first = try firstLSN(), first <= query.records.upperBound else { return }
    var wanted = max(first, query.records.lowerBound)...query.records.upperBound
    var moves = 0
    while true {
      let covered: ClosedRange<UInt64>
      do {
        let part = try part(of: newestFirst ? wanted.upperBound : wanted.lowerBound)
        covered = wanted.clamped(to: part.records)
        let filter = HistoryFilter(query: query, wanted: wantedKeys, keys: keys)
        guard try part.read(covered, filter, newestFirst: newestFirst, in: self, handle) else { return }
      } catch  where Self.isGone(error) && moves < Self.moveLimit {
        // A compaction has just removed the segment: now the archive has it. No record of it was handed out yet.
        moves += 1
        continue
      }
      if newestFirst {
        guard covered.lowerBound > wanted.lowerBound else { return }
        wanted = wanted.lowerBound...(covered.lowerBound - 1)
      } else {
        guard covered.upperBound < wanted.upperBound else { return }
        wanted = (covered.upperBound + 1)...wanted.upperBound
      }
    }
  }

  /// Whether a file disappeared between listing and opening it.
  static func isGone(_ error: any Error) -> Bool { error is FileGone }

  /// The file that has a record. If both archive and log have it, the archive, which is faster to search.
  func part(of lsn: UInt64) throws -> HistoryPart {
    if let entry = try ArchiveCatalog(folder).entries().first(where: { $0.records.contains(lsn) }) {
      return .archive(entry)
    }
    let segments = try LogListing(folder.logLocation).segments
    if let at = segments.lastIndex(where: { $0 <= lsn }) {
      let records = segments[at]...(at + 1 < segments.count ? segments[at + 1] - 1 : .max)
      return .segment(records, path: folder.logLocation.path(LogFormat.segmentName(segments[at])))
    }
    if let entry = try ArchiveCatalog(folder).setAside().first(where: { $0.records.contains(lsn) }) {
      return .segment(entry.records, path: entry.path)
    }
    // Its retention has just ended, or records are missing.
    throw LogError(.missing, lsn: lsn, "neither archive nor log have the record")
  }
}

extension History {
  /// Opens a segment, in the log or set aside.
  func openSegment(_ lsn: UInt64, path: String) throws -> OpenSegment {
    do {
      return try OpenSegment(folder.logLocation, lsn, path: path)
    } catch {
      if !folder.disk.exists(path) { throw FileGone() }
      throw error
    }
  }
}

/// A file was listed but no longer exists.
struct FileGone: Error {}

/// One file that holds a part of the history.
enum HistoryPart {
  case archive(ArchiveCatalog.Entry)
  /// A segment, in the log or set aside. The one that is being written has no upper bound.
  case segment(ClosedRange<UInt64>, path: String)

  var records: ClosedRange<UInt64> {
    switch self {
    case .archive(let entry): entry.records
    case .segment(let records, _): records
    }
  }

  /// - Returns: false if the handler has stopped.
  func read(
    _ range: ClosedRange<UInt64>, _ filter: HistoryFilter, newestFirst: Bool, in history: History,
    _ handle: History.Handler
  ) throws -> Bool {
    switch self {
    case .archive(let entry):
      let reader: ArchiveReader
      do throws(BlockFileError) {
        reader = try ArchiveCatalog(history.folder).open(entry)
      } catch .failed(let error) where error.code == ENOENT {
        throw FileGone()
      }
      defer { reader.close() }
      let part = ArchivePart(
        reader: reader, range: range, filter: filter, cache: history.cache, onBlock: history.onBlock)
      return try part.read(newestFirst: newestFirst, handle)
    case .segment(let records, let path):
      let segment = try history.openSegment(records.lowerBound, path: path)
      defer { segment.file.close() }
      // The index covers segments in the log only, not those set aside.
      let isInLog = path == history.folder.logLocation.path(LogFormat.segmentName(records.lowerBound))
      let part = SegmentPart(
        segment: segment, folderID: history.folder.manifest.folderID, cipher: history.folder.cipher, range: range,
        filter: filter, dictionaries: history.dictionaries, index: isInLog ? history.index : nil,
        cache: history.cache, onBlock: history.onBlock)
      return try part.read(newestFirst: newestFirst, handle)
    }
  }
}

/// Decides which records are wanted by their content.
struct HistoryFilter {
  let query: History.Query
  /// Those of the query that are still needed.
  let wanted: WantedKeys
  let keys: RecordKeys

  var hasKeys: Bool { !query.keys.isEmpty }

  /// Whether all records are wanted, whatever their content.
  var isOpen: Bool { !hasKeys && query.times == nil }

  func wants(_ record: UnsafeRawBufferPointer) -> Bool {
    if isOpen { return true }
    var found: [UInt64] = []
    let time = keys(record, &found)
    return (!hasKeys || found.contains(where: wanted.keys.contains)) && (query.times?.contains(time) ?? true)
  }

  /// Whether a block of an archive can contain wanted records.
  func mayWant(_ block: ArchiveBlock) -> Bool { mayWant(block.earliest, block.latest) }

  /// Whether a stretch of the log can.
  func mayWant(_ stretch: LogStretch) -> Bool {
    guard let contents = stretch.contents else { return true }
    return mayWant(contents.earliest, contents.latest)
      && (!hasKeys || wanted.mayBe(in: contents.ids))
  }

  private func mayWant(_ earliest: UInt64, _ latest: UInt64) -> Bool {
    query.times.map { earliest <= $0.upperBound && latest >= $0.lowerBound } ?? true
  }
}
