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

  /// The frame's decompressed body; valid until the next frame's is asked for, and no longer than `stored`.
  mutating func body(
    of header: FrameHeader, stored: UnsafeRawBufferPointer
  ) throws(LogError) -> UnsafeRawBufferPointer {
    guard header.isCompressed else { return stored }
    var dictionary: ZstdDictionary?
    if header.dictionaryID != 0 {
      dictionary = dictionaries[header.dictionaryID]
      guard dictionary != nil else {
        throw LogError(.dictionary, lsn: header.firstLSN, "dictionary \(header.dictionaryID) is not known")
      }
    }
    body.removeAll()
    let room = body.room(Int(header.bodyLength))
    guard decompressor.decompress(stored, into: room, dictionary: dictionary) else {
      throw LogError(.corrupt, lsn: header.firstLSN, "the frame's body cannot be decompressed")
    }
    return UnsafeRawBufferPointer(room)
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
