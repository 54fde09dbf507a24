internal import struct GatehouseCore.RawBuffer

/// Takes the bodies out of frames whose hashes were checked, for those who keep bodies and not records. One
/// thread's, with the memory of the frame before.
struct FrameBodies: ~Copyable {
  private var decompressor = ZstdDecompressor()
  private var body = RawBuffer()
  private let dictionaries: [UInt32: ZstdDictionary]

  init(dictionaries: [ZstdDictionary]) {
    self.dictionaries = Dictionary(dictionaries.map { ($0.id, $0) }) { first, _ in first }
  }

  /// The frame's decompressed body, which the chain covers; valid until the next frame's is asked for, and no longer than
  /// `stored`.
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
    // The header has bounded the length already; its hash was right, so this is no stranger's number.
    body.removeAll()
    let room = body.room(Int(header.bodyLength))
    guard decompressor.decompress(stored, into: room, dictionary: dictionary) else {
      throw LogError(.corrupt, lsn: header.firstLSN, "the frame's body cannot be decompressed")
    }
    guard header.covers(UnsafeRawBufferPointer(room)) else { throw Self.misfit(header) }
    return UnsafeRawBufferPointer(room)
  }

  private static func misfit(_ header: FrameHeader) -> LogError {
    LogError(.corrupt, lsn: header.firstLSN, "the frame's records are not those that the chain of hashes covers")
  }

  /// The time of the newest record in a frame, as `keys` tells it; 0 in a frame without any.
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
