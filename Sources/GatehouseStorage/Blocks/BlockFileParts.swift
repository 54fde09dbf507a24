/// Reads header, trailer and table of a block file, each checked before it is trusted.
struct BlockFileParts {
  struct Trailer {
    let tableOffset: UInt64
    let tableLength: UInt64
    let tableHash: Hash128
    let hash: Hash128
  }

  let path: String
  let file: any DiskFile
  let length: UInt64

  func header(_ kind: BlockFileKind) throws(BlockFileError) -> (BlockFileHeader, format: UInt16, hash: Hash128) {
    guard length >= UInt64(BlockFile.headerSize + BlockFile.trailerSize) else {
      throw .damaged(path: path, offset: length, reason: "it ends too early")
    }
    // The flag only says how much to read. It is believed once the header's hash was checked.
    let start = try bytes(at: 0, BlockFile.headerSize)
    let mayBeSealed = start.withUnsafeBytes { $0.littleEndian(12, as: UInt32.self) } & BlockFile.sealedFlag != 0
    let bytes = try mayBeSealed ? bytes(at: 0, BlockFile.sealedHeaderSize) : start
    let (hash, holds) = lastHash(of: bytes)
    guard holds else { throw .damaged(path: path, offset: 0, reason: "the header does not have its hash") }
    return try decode(bytes, at: 0) { (reader) throws(MalformedBytes) in
      let magic: UInt64 = try reader.take()
      let format: UInt16 = try reader.take()
      let needed: UInt16 = try reader.take()
      let flags: UInt32 = try reader.take()
      guard magic == kind.magic else { throw MalformedBytes() }
      // An unknown flag may change how the rest is read.
      guard needed <= kind.format, flags & ~BlockFile.sealedFlag == 0 else {
        return .failure(.newer(path: path, reader: needed))
      }
      var header = BlockFileHeader(folderID: try reader.takeHash(), createdAt: try reader.take())
      if mayBeSealed {
        let dataKey: UInt32 = try reader.take()
        _ = try reader.take(count: 4)
        header.encryption = .init(dataKey: dataKey, salt: Array(try reader.take(count: BlockSeal.saltSize)))
      }
      return .success((header, format, hash))
    }
  }

  func trailer(_ header: BlockFileHeader, headerHash: Hash128) throws(BlockFileError) -> Trailer {
    let start = length - UInt64(BlockFile.trailerSize)
    let bytes = try bytes(at: start, BlockFile.trailerSize)
    let (hash, holds) = lastHash(of: bytes)
    guard holds else {
      throw .damaged(path: path, offset: start, reason: "there is no sound trailer: the file is cut or overwritten")
    }
    return try decode(bytes, at: start) { (reader) throws(MalformedBytes) in
      let magic: UInt64 = try reader.take()
      let tableOffset: UInt64 = try reader.take()
      let tableLength: UInt64 = try reader.take()
      let fileLength: UInt64 = try reader.take()
      let tableHash = try reader.takeHash()
      guard magic == BlockFile.trailerMagic, fileLength == length, try reader.takeHash() == headerHash,
        tableOffset >= UInt64(header.size), tableLength <= UInt64(BlockFile.tableLimit),
        tableOffset.addingReportingOverflow(tableLength) == (start, false)
      else { throw MalformedBytes() }
      return .success(Trailer(tableOffset: tableOffset, tableLength: tableLength, tableHash: tableHash, hash: hash))
    }
  }

  /// The blocks, and what the kind of file added to the table.
  func table(
    _ trailer: Trailer, _ header: BlockFileHeader, _ kind: BlockFileKind
  ) throws(BlockFileError) -> (blocks: [BlockEntry], addition: [UInt8]) {
    let start = trailer.tableOffset
    let bytes = try bytes(at: start, Int(trailer.tableLength))
    guard bytes.withRawBytes({ Hash128(of: $0) }) == trailer.tableHash else {
      throw .damaged(path: path, offset: start, reason: "the table does not have its hash")
    }
    return try decode(bytes, at: start) { (reader) throws(MalformedBytes) in
      let count: UInt32 = try reader.take()
      var blocks: [BlockEntry] = []
      var offset = UInt64(header.size)
      for _ in 0..<count {
        let stored: UInt32 = try reader.take()
        let raw: UInt32 = try reader.take()
        let block = BlockEntry(
          offset: offset, storedLength: Int(stored & ~(BlockFile.storedRawBit | BlockFile.storedClearBit)),
          rawLength: Int(raw), isStoredRaw: stored & BlockFile.storedRawBit != 0,
          isSealed: header.encryption != nil && stored & BlockFile.storedClearBit == 0, hash: try reader.takeHash())
        guard block.rawLength <= kind.blockLimit, (0...block.rawLength).contains(block.clearLength),
          !block.isStoredRaw || block.clearLength == block.rawLength
        else { throw MalformedBytes() }
        offset += UInt64(block.storedLength)
        blocks.append(block)
      }
      guard offset == start else { throw MalformedBytes() }
      return .success((blocks, Array(try reader.take(count: reader.remaining))))
    }
  }

  private func bytes(at offset: UInt64, _ count: Int) throws(BlockFileError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let done = try bytes.withMutableRawBytes { buffer throws(BlockFileError) in
      try blockFile { () throws(DiskError) in try file.readAll(into: buffer, at: offset) }
    }
    guard done == count else { throw .damaged(path: path, offset: offset + UInt64(done), reason: "it ends too early") }
    return bytes
  }

  /// The hash in the last bytes, and whether it matches all bytes before it.
  private func lastHash(of bytes: [UInt8]) -> (hash: Hash128, holds: Bool) {
    bytes.withRawBytes { buffer in
      let body = UnsafeRawBufferPointer(rebasing: buffer.dropLast(Hash128.size))
      let hash = Hash128(loading: UnsafeRawBufferPointer(rebasing: buffer.suffix(Hash128.size)))
      return (hash, Hash128(of: body) == hash)
    }
  }

  /// Decodes values from bytes whose hash was correct. Values that do not fit were written that way.
  private func decode<Value>(
    _ bytes: [UInt8], at offset: UInt64,
    _ body: (inout FieldReader) throws(MalformedBytes) -> Result<Value, BlockFileError>
  ) throws(BlockFileError) -> Value {
    var reader = FieldReader(bytes)
    let result: Result<Value, BlockFileError>
    do throws(MalformedBytes) {
      result = try body(&reader)
    } catch {
      throw .damaged(path: path, offset: offset + UInt64(reader.offset), reason: "the values there do not fit")
    }
    return try result.get()
  }
}
