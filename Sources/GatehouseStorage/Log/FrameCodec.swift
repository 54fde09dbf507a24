internal import struct GatehouseCore.RawBuffer

/// Encodes bodies into frames. For one thread; it reuses the memory of the previous frame.
struct FrameEncoder: ~Copyable {
  /// Bodies of at least this many bytes are compressed without the dictionary. They contain enough repetition
  /// themselves, and zstd copies the dictionary's tables for every frame: with it, frames of 220 sessions (17 KB) were
  /// 5 % longer and took 190 ns a record instead of 160.
  static let selfSufficient = 4096

  private var compressor: ZstdCompressor
  private var primed: ZstdCompressor
  private let dictionaryID: UInt32
  private let folderID: Hash128

  init(folderID: Hash128, level: Int, dictionary: ZstdDictionary?) {
    self.folderID = folderID
    dictionaryID = dictionary?.id ?? 0
    compressor = ZstdCompressor(level: level)
    primed = ZstdCompressor(level: level, dictionary: dictionary)
  }

  /// Replaces the content of `output` with a frame.
  /// - Parameters:
  ///   - header: everything is set except lengths, flags and hashes.
  ///   - alignment: the frame is padded with zeros to a multiple of this.
  /// - Returns: the header as it was written.
  mutating func encode(
    _ header: FrameHeader, body: UnsafeRawBufferPointer, alignment: Int, into output: inout RawBuffer
  ) -> FrameHeader {
    precondition(body.count <= LogFormat.maximumBody)
    output.removeAll()
    output.appendZeros(LogFormat.headerSize)
    var header = header
    header.bodyLength = UInt32(body.count)
    // One byte less than the body: a body that does not get smaller is stored raw.
    let room = output.room(max(body.count, 1))
    let smaller = UnsafeMutableRawBufferPointer(rebasing: room[..<max(body.count - 1, 0)])
    let isPrimed = body.count < Self.selfSufficient
    if body.count > 1,
      let size = isPrimed ? primed.compress(body, into: smaller) : compressor.compress(body, into: smaller)
    {
      header.isCompressed = true
      header.dictionaryID = isPrimed ? dictionaryID : 0
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

/// Decodes the records of frames whose hashes were checked. For one thread; it reuses the memory of the previous frame.
package struct FrameDecoder: ~Copyable {
  private var bodies: FrameBodies

  /// - Parameter checksContent: see `FrameBodies`.
  package init(dictionaries: [ZstdDictionary] = ZstdDictionary.known, checksContent: Bool = true) {
    bodies = FrameBodies(dictionaries: dictionaries, checksContent: checksContent)
  }

  /// Hands out a frame's records with their LSNs, in order. The bytes are valid during the call only.
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
