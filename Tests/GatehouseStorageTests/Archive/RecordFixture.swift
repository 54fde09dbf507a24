import struct GatehouseCore.RawBuffer
@testable import GatehouseStorage

/// Records for tests; storage knows only what `keys` returns: a time and ids. The rest is noise.
enum RecordFixture {
  static let firstTime: UInt64 = 1_763_755_200_000

  /// Record `lsn` is of second `lsn`, and about up to three ids derived from its number.
  static func record(_ lsn: UInt64) -> [UInt8] {
    var random = SplitMix64(seed: lsn)
    let ids = ids(lsn)
    var bytes = FieldWriter()
    bytes.put(time(lsn))
    bytes.put(UInt8(ids.count))
    for id in ids { bytes.put(id) }
    for _ in 0..<(random.next() % 20) { bytes.put(UInt8(truncatingIfNeeded: random.next())) }
    return bytes.bytes
  }

  static func time(_ lsn: UInt64) -> UInt64 { firstTime + lsn * 1000 }

  static func ids(_ lsn: UInt64) -> [UInt64] {
    var random = SplitMix64(seed: lsn ^ 0xABCD)
    return (0..<(random.next() % 4)).map { _ in random.next() % 40 + 1 }
  }

  static let keys: RecordKeys = { record, ids in
    for at in 0..<Int(record[8]) { ids.append(record.littleEndian(9 + at * 8, as: UInt64.self)) }
    return record.littleEndian(0, as: UInt64.self)
  }

  /// Yields a chain of frames with the records from `first` on; some frames have none, like a clean end.
  static func frames(
    folderID: Hash128, cipher: FolderCipher = FolderCipher(), from first: UInt64, count: Int, recordsPerFrame: Int = 5,
    after hash: Hash128,
    _ handle: (_ header: FrameHeader, _ headerBytes: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer) throws ->
      Void
  ) rethrows {
    var encoder = FrameEncoder(folderID: folderID, cipher: cipher, level: 1, dictionary: nil)
    var body = RawBuffer()
    var frame = RawBuffer()
    var lsn = first
    var previous = hash
    for number in 0..<count {
      body.removeAll()
      let records = number % 5 == 3 ? 0 : recordsPerFrame
      for at in 0..<records {
        record(lsn + UInt64(at)).withUnsafeBytes { RecordCoding.append($0, to: &body) }
      }
      let header = encoder.encode(
        FrameHeader(
          type: records == 0 ? .cleanEnd : .records, isCompressed: false, epoch: 1, firstLSN: lsn,
          recordCount: UInt32(records), bodyLength: 0, storedLength: 0, dictionaryID: 0, durableLSN: lsn - 1,
          previousHash: previous, bodyHash: .zero),
        body: body.bytes, alignment: 512, into: &frame)
      try handle(header, UnsafeRawBufferPointer(rebasing: frame.bytes[..<LogFormat.headerSize]), body.bytes)
      lsn = header.nextLSN
      previous = header.hash
    }
  }
}
