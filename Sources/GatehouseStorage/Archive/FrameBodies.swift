internal import struct GatehouseCore.RawBuffer

/// Decompresses the bodies of frames whose hashes were checked, for callers that keep whole bodies and not records. For
/// one thread; it reuses the memory of the previous frame.
struct FrameBodies: ~Copyable {
  private var decompressor = ZstdDecompressor()
  private var body = RawBuffer()
  private let dictionaries: [UInt32: ZstdDictionary]
  private let checksContent: Bool

  /// - Parameter checksContent: whether decompressed bodies are checked against the chain. An index may skip that: the
  ///   stored bytes were checked, and whoever reads the records checks again.
  init(dictionaries: [ZstdDictionary], checksContent: Bool = true) {
    self.checksContent = checksContent
    self.dictionaries = Dictionary(dictionaries.map { ($0.id, $0) }) { first, _ in first }
  }

  /// The frame's decompressed body. Valid until the next call, and not longer than `stored`.
  mutating func body(
    of header: FrameHeader, stored: UnsafeRawBufferPointer
  ) throws(LogError) -> UnsafeRawBufferPointer {
    guard header.isCompressed else {
      guard header.contentHash.map({ $0 == header.bodyHash }) ?? true else { throw Self.misfit(header) }
      return stored
    }
    var dictionary: ZstdDictionary?
    if header.dictionaryID != 0 {
      dictionary = dictionaries[header.dictionaryID]
      guard dictionary != nil else {
        throw LogError(.dictionary, lsn: header.firstLSN, "dictionary \(header.dictionaryID) is not known")
      }
    }
    // The header's hash was correct and its length bounded, so this much memory can be allocated.
    body.removeAll()
    let room = body.room(Int(header.bodyLength))
    guard decompressor.decompress(stored, into: room, dictionary: dictionary) else {
      throw LogError(.corrupt, lsn: header.firstLSN, "the frame's body cannot be decompressed")
    }
    guard !checksContent || header.covers(UnsafeRawBufferPointer(room)) else { throw Self.misfit(header) }
    return UnsafeRawBufferPointer(room)
  }

  private static func misfit(_ header: FrameHeader) -> LogError {
    LogError(.corrupt, lsn: header.firstLSN, "the frame's records are not those that the chain of hashes covers")
  }

  /// The time of the newest record in a frame, as `keys` returns it; 0 if the frame has no records.
  mutating func latestTime(of frame: LogFrame, _ keys: RecordKeys) throws(LogError) -> UInt64 {
    let body = try body(of: frame.header, stored: frame.stored)
    var latest: UInt64 = 0
    var ids: [UInt64] = []
    _ = RecordCoding.forEach(in: body, count: Int(frame.header.recordCount)) { record in
      ids.removeAll(keepingCapacity: true)
      latest = max(latest, keys(record, &ids))
    }
    return latest
  }
}
