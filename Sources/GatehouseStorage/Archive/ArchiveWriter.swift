internal import struct GatehouseCore.RawBuffer

/// Writes one archive file under a temporary name.
struct ArchiveWriter: ~Copyable {
  private var file: BlockFileWriter
  private let keys: RecordKeys
  private var table: ArchiveTable
  private var index = ArchiveIndexBuilder()
  /// The frames of the next block, its table entry, and the ids that its records concern.
  private var raw = RawBuffer(capacity: Archive.blockSize * 2)
  /// In an encrypted archive, the frames' headers, and whether they may be in clear.
  private var heads = RawBuffer()
  private var areHeadsSafe = true
  private var block: ArchiveBlock
  private var ids: Set<UInt64> = []
  private var recordIDs: [UInt64] = []

  var path: String { file.path }

  /// - Parameters:
  ///   - firstLSN: the first record that will be appended.
  ///   - previousHash: the hash of the frame before that.
  ///   - createdAt: unix milliseconds.
  init(
    path: String, folder: DataFolder, firstLSN: UInt64, previousHash: Hash128, createdAt: UInt64, level: Int32,
    keys: @escaping RecordKeys
  ) throws(BlockFileError) {
    file = try BlockFileWriter(
      path: path, disk: folder.disk, kind: Archive.kind,
      header: BlockFileHeader(folderID: folder.manifest.folderID, createdAt: createdAt), level: level,
      cipher: folder.cipher)
    self.keys = keys
    table = ArchiveTable(firstLSN: firstLSN, previousHash: previousHash, isSplit: file.isSealed)
    block = ArchiveBlock(firstLSN: firstLSN)
  }

  /// Adds a frame.
  /// - Parameters:
  ///   - headerBytes: the header as it is in the log.
  ///   - body: the decompressed body.
  mutating func append(
    _ header: FrameHeader, headerBytes: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer
  ) throws(BlockFileError) {
    precondition(headerBytes.count == LogFormat.headerSize && body.count == Int(header.bodyLength))
    precondition(header.previousHash == table.lastHash && header.firstLSN == table.lastLSN + 1)
    if table.isSplit {
      heads.append(headerBytes)
      areHeadsSafe = areHeadsSafe && (header.contentKey != 0 || body.isEmpty)
    } else {
      raw.append(headerBytes)
    }
    raw.append(body)
    let isWhole = RecordCoding.forEach(in: body, count: Int(header.recordCount)) { record in
      recordIDs.removeAll(keepingCapacity: true)
      let time = keys(record, &recordIDs)
      ids.formUnion(recordIDs)
      block.earliest = min(block.earliest, time)
      block.latest = max(block.latest, time)
    }
    precondition(isWhole, "the body's records were counted when it was read")
    block.frameCount += 1
    block.recordCount += header.recordCount
    table.lastLSN = header.nextLSN - 1
    table.lastHash = header.hash
    if raw.count + heads.count >= Archive.blockSize { try endBlock() }
  }

  private mutating func endBlock() throws(BlockFileError) {
    guard block.frameCount > 0 else { return }
    let number = table.blocks.count
    try file.append(raw.bytes)
    if table.isSplit { try file.append(heads.bytes, inClear: areHeadsSafe) }
    precondition(file.entries.count == (table.isSplit ? 2 : 1) * (number + 1))
    index.add(ids, block: number)
    table.blocks.append(block)
    block = ArchiveBlock(firstLSN: block.nextLSN)
    ids.removeAll(keepingCapacity: true)
    raw.removeAll()
    heads.removeAll()
    areHeadsSafe = true
  }

  /// Writes the index and the table, and syncs.
  /// - Returns: the records in the file.
  mutating func finish() throws(BlockFileError) -> ClosedRange<UInt64> {
    try endBlock()
    precondition(table.firstLSN <= table.lastLSN, "an archive has records")
    var pages: [(first: UInt64, bytes: [UInt8])] = []
    try index.forEachPage { (first, bytes) throws(BlockFileError) in pages.append((first, bytes)) }
    for page in pages {
      try page.bytes.withRawBytes { bytes throws(BlockFileError) in _ = try file.append(bytes) }
      table.pages.append(page.first)
    }
    if table.isSplit {
      try table.encodedPages().withRawBytes { bytes throws(BlockFileError) in _ = try file.append(bytes) }
    }
    _ = try file.finish(table: table.encoded())
    return table.firstLSN...table.lastLSN
  }
}
