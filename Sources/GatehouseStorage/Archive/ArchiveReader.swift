/// Reads an archive file. Opening it checks that the file is complete; each block is checked when it is read.
package struct ArchiveReader: Sendable {
  /// Memory reused from block to block, for one thread.
  struct Buffers: ~Copyable {
    fileprivate var scratch: [UInt8] = []
    fileprivate var raw: [UInt8] = []
    fileprivate var heads: [UInt8] = []
    fileprivate var decompressor = ZstdDecompressor()

    init() {}
  }

  package let info: ArchiveInfo
  let blocks: [ArchiveBlock]
  private let pages: [UInt64]
  private let file: BlockFileReader
  private let folderID: Hash128
  private let cipher: FolderCipher
  /// Whether headers and bodies of frames are in blocks of their own, as in an encrypted archive.
  private let isSplit: Bool
  private let pageCount: Int

  /// - Parameter records: the records that the file's name promises; its table must agree.
  init(path: String, records: ClosedRange<UInt64>, folder: DataFolder) throws(BlockFileError) {
    folderID = folder.manifest.folderID
    cipher = folder.cipher
    file = try BlockFileReader(
      path: path, disk: folder.disk, kind: Archive.kind, folderID: folderID, cipher: folder.cipher)
    isSplit = file.header.encryption != nil
    let ids = isSplit && !file.isLocked ? try file.content(ofBlock: file.entries.count - 1) : nil
    var table: ArchiveTable
    do throws(MalformedBytes) {
      table = try ArchiveTable(decoding: file.table, blockCount: file.entries.count, isSplit: isSplit)
      if let ids { try table.setPages(decoding: ids) }
      guard records == table.firstLSN...table.lastLSN else { throw MalformedBytes() }
    } catch {
      throw .damaged(path: path, offset: file.tableOffset, reason: "its table does not fit its blocks or its name")
    }
    blocks = table.blocks
    pages = table.pages
    pageCount = table.pageCount
    info = ArchiveInfo(
      path: path, records: records, previousHash: table.previousHash, lastHash: table.lastHash, times: table.times,
      fileBytes: file.length, hash: file.hash)
  }

  package func close() { file.close() }

  /// Whether the content is encrypted and the key for it is not at hand.
  var isLocked: Bool { file.isLocked }

  /// The number of the data key that the file is encrypted with; 0 for none.
  var dataKey: UInt32 { file.header.encryption?.dataKey ?? 0 }

  /// The archive's format version.
  var format: UInt16 { file.format }

  /// Calls `body` for each frame of a block, in order: header, the header's bytes, body. They are valid during the call
  /// only.
  func forEachFrame(
    in number: Int, _ buffers: inout Buffers,
    _ body: (FrameHeader, UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let entry = entry(ofBlock: number)
    if isSplit {
      try load(entry + 1, &buffers)
      swap(&buffers.heads, &buffers.raw)
    }
    try load(entry, &buffers)
    if isSplit { return try forEachSplitFrame(in: number, buffers, body) }
    let count = file.entries[entry].rawLength
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

  private func forEachSplitFrame(
    in number: Int, _ buffers: borrowing Buffers,
    _ body: (FrameHeader, UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let count = file.entries[2 * number].rawLength
    try buffers.raw.withUnsafeBytes { buffer in
      var offset = 0
      try forEachHeader(in: number, buffers.heads) { header, headerBytes in
        let end = offset + Int(header.bodyLength)
        guard end <= count else { throw misfit(number) }
        try body(header, headerBytes, UnsafeRawBufferPointer(rebasing: buffer[offset..<end]))
        offset = end
      }
      guard offset == count else { throw misfit(number) }
    }
  }

  /// - Parameter heads: the content of the block with the headers.
  private func forEachHeader(
    in number: Int, _ heads: [UInt8], _ body: (FrameHeader, UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let block = blocks[number]
    let count = Int(block.frameCount) * LogFormat.headerSize
    guard file.entries[2 * number + 1].rawLength == count else { throw misfit(number) }
    try heads.withUnsafeBytes { heads in
      var next = block.firstLSN
      for start in stride(from: 0, to: count, by: LogFormat.headerSize) {
        let bytes = UnsafeRawBufferPointer(rebasing: heads[start..<start + LogFormat.headerSize])
        guard let header = try? FrameHeader(loading: bytes, folderID: folderID), header.firstLSN == next else {
          throw misfit(number)
        }
        try body(header, bytes)
        next = header.nextLSN
      }
      guard next == block.nextLSN else { throw misfit(number) }
    }
  }

  /// The headers of the frames of a block, in order; nil if they are encrypted and the key is not at hand.
  func headers(in number: Int, _ buffers: inout Buffers) throws -> [FrameHeader]? {
    var headers: [FrameHeader] = []
    guard isLocked else {
      try forEachFrame(in: number, &buffers) { header, _, _ in headers.append(header) }
      return headers
    }
    guard !file.entries[2 * number + 1].isSealed else { return nil }
    try load(2 * number + 1, &buffers)
    try forEachHeader(in: number, buffers.raw) { header, _ in headers.append(header) }
    return headers
  }

  /// The blocks that have records about `id`, in order.
  func blocks(about id: UInt64, _ buffers: inout Buffers) throws -> [Int] {
    guard let page = pages.lastIndex(where: { $0 <= id }) else { return [] }
    return try blocks(about: id, page: page, &buffers)
  }

  private func blocks(about id: UInt64, page: Int, _ buffers: inout Buffers) throws -> [Int] {
    let number = entry(ofBlock: blocks.count) + page
    try load(number, &buffers)
    do throws(MalformedBytes) {
      return try ArchiveIndexPage.blocks(
        about: id, in: Array(buffers.raw.prefix(file.entries[number].rawLength)), blockCount: blocks.count)
    } catch {
      throw misfit(entry: number)
    }
  }

  /// Reads everything and follows the chain through it: every header matches its hash and names the frame before it,
  /// every body is the one that the chain covers, the records are numbered without a gap, and the index is readable.
  ///
  /// Without the key, every block is checked against its hash, and the chain is followed through the headers that are in
  /// clear.
  func verify(fromDisk: Bool = false, _ progress: (_ done: Int, _ of: Int) throws -> Void = { _, _ in }) throws {
    if fromDisk { try file.forgetCached() }
    if isLocked { return try verifyLocked(progress) }
    var buffers = Buffers()
    var hash = info.previousHash
    let steps = blocks.count + pageCount
    for number in 0..<steps {
      if number < blocks.count {
        try forEachFrame(in: number, &buffers) { header, _, body in
          guard header.previousHash == hash, try cipher.covers(body, of: header) else { throw misfit(number) }
          hash = header.hash
          guard RecordCoding.forEach(in: body, count: Int(header.recordCount), { _ in }) else { throw misfit(number) }
        }
      } else {
        // Searching for the largest id reads the page to its end.
        _ = try blocks(about: .max, page: number - blocks.count, &buffers)
      }
      try progress(number + 1, steps)
    }
    guard hash == info.lastHash else { throw misfit(max(blocks.count - 1, 0)) }
  }

  private func verifyLocked(_ progress: (_ done: Int, _ of: Int) throws -> Void) throws {
    var buffers = Buffers()
    for number in file.entries.indices {
      try file.check(number, scratch: &buffers.scratch)
      try progress(number + 1, file.entries.count)
    }
    // Behind a block whose headers are encrypted the chain is taken up where the next one begins.
    var hash: Hash128? = info.previousHash
    for number in blocks.indices {
      guard let headers = try headers(in: number, &buffers) else {
        hash = nil
        continue
      }
      for header in headers {
        guard hash == nil || header.previousHash == hash else { throw misfit(number) }
        hash = header.hash
      }
    }
    guard hash == nil || hash == info.lastHash else { throw misfit(max(blocks.count - 1, 0)) }
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

  /// The place in the file of a block of frames, or of the first page if there are as many blocks.
  private func entry(ofBlock number: Int) -> Int { isSplit ? 2 * number : number }

  private func misfit(_ number: Int) -> BlockFileError { misfit(entry: entry(ofBlock: number)) }

  private func misfit(entry number: Int) -> BlockFileError {
    .damaged(
      path: info.path, offset: file.entries[number].offset, reason: "block \(number) does not hold what it should")
  }
}
