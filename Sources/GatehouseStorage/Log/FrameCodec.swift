internal import struct GatehouseCore.RawBuffer

/// Makes frames of bodies. One thread's, with the memory of the frame before.
struct FrameEncoder: ~Copyable {
  private var compressor: ZstdCompressor
  private let dictionaryID: UInt32
  private let folderID: Hash128

  init(folderID: Hash128, level: Int, dictionary: ZstdDictionary?) {
    self.folderID = folderID
    dictionaryID = dictionary?.id ?? 0
    compressor = ZstdCompressor(level: level, dictionary: dictionary)
  }

  /// Puts a frame in place of what `output` has.
  /// - Parameters:
  ///   - header: of which everything is set but lengths, flags and hashes.
  ///   - alignment: zeros are added up to a multiple of it.
  /// - Returns: the header as it was written.
  mutating func encode(
    _ header: FrameHeader, body: UnsafeRawBufferPointer, alignment: Int, into output: inout RawBuffer
  ) -> FrameHeader {
    precondition(body.count <= LogFormat.maximumBody)
    output.removeAll()
    output.appendZeros(LogFormat.headerSize)
    var header = header
    header.bodyLength = UInt32(body.count)
    // Room for one byte less than the body: a body that does not become smaller is stored as it is.
    let room = output.room(max(body.count, 1))
    let smaller = UnsafeMutableRawBufferPointer(rebasing: room[..<max(body.count - 1, 0)])
    if body.count > 1, let size = compressor.compress(body, into: smaller) {
      header.isCompressed = true
      header.dictionaryID = dictionaryID
      header.storedLength = UInt32(size)
      output.advance(size)
    } else {
      header.isCompressed = false
      header.dictionaryID = 0
      header.storedLength = UInt32(body.count)
      output.append(body)
    }
    let stored = UnsafeRawBufferPointer(rebasing: output.bytes[LogFormat.headerSize...])
    header.bodyHash = Hash128(of: stored)
    header.contentHash = header.isCompressed ? Hash128(of: body) : header.bodyHash
    header.store(to: output.mutableBytes, folderID: folderID)
    let rest = output.count % alignment
    if rest > 0 { output.appendZeros(alignment - rest) }
    return header
  }
}

/// Takes the records out of frames whose hashes were checked. One thread's, with the memory of the frame before.
package struct FrameDecoder: ~Copyable {
  private var bodies: FrameBodies

  package init(dictionaries: [ZstdDictionary] = ZstdDictionary.known) {
    bodies = FrameBodies(dictionaries: dictionaries)
  }

  /// Hands out a frame's records with their LSNs, in order. The bytes are valid during the call alone.
  package mutating func forEachRecord(
    _ header: FrameHeader, stored: UnsafeRawBufferPointer, _ handle: (UInt64, UnsafeRawBufferPointer) throws -> Void
  ) throws {
    guard header.type == .records else { return }
    let plain = try bodies.body(of: header, stored: stored)
    var lsn = header.firstLSN
    let isWhole = try RecordCoding.forEach(in: plain, count: Int(header.recordCount)) { record in
      try handle(lsn, record)
      lsn += 1
    }
    guard isWhole else {
      throw LogError(.corrupt, lsn: header.firstLSN, "the frame does not hold \(header.recordCount) records")
    }
  }
}
