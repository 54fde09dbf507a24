internal import struct GatehouseCore.RawBuffer

/// Writes a segment of a copied or cut log: some frames as they were, others encoded anew.
struct SegmentCopy: ~Copyable {
  private let file: any DiskFile
  private let alignment: UInt64
  private let cipher: FolderCipher
  private var encoder: FrameEncoder
  private var frame = RawBuffer()
  private var offset = LogFormat.segmentStart
  /// The position that the next frame must continue.
  private(set) var chain: ChainPosition

  init(_ header: SegmentHeader, in folder: DataFolder) throws {
    let location = folder.logLocation
    let file = try location.disk.openFile(location.path(LogFormat.segmentName(header.firstLSN)), .create)
    try header.encoded().withRawBytes { bytes throws(DiskError) in try file.writeAll(bytes, at: 0) }
    self.file = file
    alignment = UInt64(header.alignment)
    cipher = location.cipher
    // Without a dictionary, so that readers of the copy need none for these frames.
    encoder = FrameEncoder(folderID: location.folderID, cipher: cipher, level: 1, dictionary: nil)
    chain = ChainPosition(nextLSN: header.firstLSN, hash: header.previousHash, epoch: header.epoch)
  }

  deinit { file.close() }

  /// Writes a frame as it was.
  mutating func put(_ header: FrameHeader, bytes: UnsafeRawBufferPointer) throws {
    precondition(chain.continues(with: header))
    try file.writeAll(bytes, at: offset)
    chain.advance(over: header)
    offset = LogFormat.aligned(offset + UInt64(bytes.count), alignment)
  }

  /// Encodes a frame anew: with the same records, which leaves the chain unchanged, or with only the first of them,
  /// which begins a new chain.
  mutating func remake(_ header: FrameHeader, through last: UInt64, body: UnsafeRawBufferPointer) throws {
    let contentKey: DataKey?
    do {
      guard try cipher.covers(body, of: header) else {
        throw LogError(.corrupt, lsn: header.firstLSN, "the records are not those that the chain of hashes covers")
      }
      contentKey = header.contentKey == 0 ? nil : try cipher.key(header.contentKey)
    } catch let error as EncryptionError {
      throw LogError(error, lsn: header.firstLSN)
    }
    var plain = RawBuffer(capacity: max(body.count, 1))
    var count: UInt32 = 0
    let isWhole = RecordCoding.forEach(in: body, count: Int(header.recordCount)) { record in
      guard header.firstLSN + UInt64(count) <= last else { return }
      RecordCoding.append(record, to: &plain)
      count += 1
    }
    guard isWhole else {
      throw LogError(.corrupt, lsn: header.firstLSN, "the frame does not hold \(header.recordCount) records")
    }
    var remade = header
    remade.recordCount = count
    remade.previousHash = chain.hash
    remade.epoch = max(header.epoch, chain.epoch)
    remade = encoder.encode(
      remade, body: plain.bytes, alignment: Int(alignment), content: .kept(contentKey), into: &frame)
    precondition(chain.continues(with: remade))
    try file.writeAll(frame.bytes, at: offset)
    chain.advance(over: remade)
    offset += UInt64(frame.count)
  }

  /// Ends the segment after its last frame, and syncs it.
  mutating func finish() throws {
    try file.truncate(to: offset)
    try file.sync()
  }
}
