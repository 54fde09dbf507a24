/// Reads an archive file. Opening it checks that the file is complete; each block is checked when it is read.
package struct ArchiveReader: Sendable {
  /// Memory reused from block to block, for one thread.
  struct Buffers: ~Copyable {
    fileprivate var scratch: [UInt8] = []
    fileprivate var raw: [UInt8] = []
    fileprivate var decompressor = ZstdDecompressor()

    init() {}
  }

  package let info: ArchiveInfo
  let blocks: [ArchiveBlock]
  private let pages: [UInt64]
  private let file: BlockFileReader
  private let folderID: Hash128

  /// - Parameter records: the records that the file's name promises; its table must agree.
  init(path: String, records: ClosedRange<UInt64>, folder: DataFolder) throws(BlockFileError) {
    folderID = folder.manifest.folderID
    file = try BlockFileReader(path: path, disk: folder.disk, kind: Archive.kind, folderID: folderID)
    let table: ArchiveTable
    do throws(MalformedBytes) {
      table = try ArchiveTable(decoding: file.table, blockCount: file.entries.count)
      guard records == table.firstLSN...table.lastLSN else { throw MalformedBytes() }
    } catch {
      throw .damaged(path: path, offset: file.tableOffset, reason: "its table does not fit its blocks or its name")
    }
    blocks = table.blocks
    pages = table.pages
    info = ArchiveInfo(
      path: path, records: records, previousHash: table.previousHash, lastHash: table.lastHash, times: table.times,
      fileBytes: file.length, hash: file.hash)
  }

  package func close() { file.close() }

  /// The archive's format version.
  var format: UInt16 { file.format }

  /// Calls `body` for each frame of a block, in order: header, the header's bytes, body. They are valid during the call
  /// only.
  func forEachFrame(
    in number: Int, _ buffers: inout Buffers,
    _ body: (FrameHeader, UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try load(number, &buffers)
    let count = file.entries[number].rawLength
    try buffers.raw.withUnsafeBytes { buffer in
      var rest = UnsafeRawBufferPointer(rebasing: buffer[..<count])
      var next = blocks[number].firstLSN
      for _ in 0..<blocks[number].frameCount {
        guard rest.count >= LogFormat.headerSize else { throw misfit(number) }
        let headerBytes = UnsafeRawBufferPointer(rebasing: rest[..<LogFormat.headerSize])
        guard let header = try? FrameHeader(loading: headerBytes, folderID: folderID), header.firstLSN == next,
          rest.count >= LogFormat.headerSize + Int(header.bodyLength)
        else { throw misfit(number) }
        let end = LogFormat.headerSize + Int(header.bodyLength)
        try body(header, headerBytes, UnsafeRawBufferPointer(rebasing: rest[LogFormat.headerSize..<end]))
        rest = UnsafeRawBufferPointer(rebasing: rest[end...])
        next = header.nextLSN
      }
      guard rest.isEmpty, next == blocks[number].nextLSN else { throw misfit(number) }
    }
  }

  /// The blocks that have records about `id`, in order.
  func blocks(about id: UInt64, _ buffers: inout Buffers) throws -> [Int] {
    guard let page = pages.lastIndex(where: { $0 <= id }) else { return [] }
    return try blocks(about: id, page: page, &buffers)
  }

  private func blocks(about id: UInt64, page: Int, _ buffers: inout Buffers) throws -> [Int] {
    let number = blocks.count + page
    try load(number, &buffers)
    do throws(MalformedBytes) {
      return try ArchiveIndexPage.blocks(
        about: id, in: Array(buffers.raw.prefix(file.entries[number].rawLength)), blockCount: blocks.count)
    } catch {
      throw misfit(number)
    }
  }

  /// Reads everything and follows the chain through it: every header matches its hash and names the frame before it,
  /// every body is the one that the chain covers, the records are numbered without a gap, and the index is readable.
  func verify(fromDisk: Bool = false, _ progress: (_ done: Int, _ of: Int) throws -> Void = { _, _ in }) throws {
    if fromDisk { try file.forgetCached() }
    var buffers = Buffers()
    var hash = info.previousHash
    for number in file.entries.indices {
      if number < blocks.count {
        try forEachFrame(in: number, &buffers) { header, _, body in
          guard header.previousHash == hash, header.covers(body) else { throw misfit(number) }
          hash = header.hash
          guard RecordCoding.forEach(in: body, count: Int(header.recordCount), { _ in }) else { throw misfit(number) }
        }
      } else {
        // Searching for the largest id reads the page to its end.
        _ = try blocks(about: .max, page: number - blocks.count, &buffers)
      }
      try progress(number + 1, file.entries.count)
    }
    guard hash == info.lastHash else { throw misfit(max(blocks.count - 1, 0)) }
  }

  private func load(_ number: Int, _ buffers: inout Buffers) throws(BlockFileError) {
    let count = file.entries[number].rawLength
    if buffers.raw.count < count { buffers.raw = [UInt8](repeating: 0, count: count) }
    // Two fields of one value cannot be accessed at once, so move the raw bytes out meanwhile.
    var raw: [UInt8] = []
    swap(&raw, &buffers.raw)
    defer { swap(&raw, &buffers.raw) }
    try raw.withMutableRawBytes { bytes throws(BlockFileError) in
      try file.read(
        number, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]), scratch: &buffers.scratch,
        &buffers.decompressor)
    }
  }

  private func misfit(_ number: Int) -> BlockFileError {
    .damaged(
      path: info.path, offset: file.entries[number].offset, reason: "block \(number) does not hold what it should")
  }
}
