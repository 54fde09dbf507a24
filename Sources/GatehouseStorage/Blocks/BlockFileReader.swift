/// Reads a block file. Opening it checks header, table and trailer; each block is checked when it is read. Several
/// threads may read at once.
struct BlockFileReader: Sendable {
  let path: String
  let kind: BlockFileKind
  let header: BlockFileHeader
  /// The version that the file was written in.
  let format: UInt16
  let entries: [BlockEntry]
  /// What the kind of file added to the table, and the offset of that in the file.
  let table: [UInt8]
  let tableOffset: UInt64
  let length: UInt64
  /// The trailer's hash, which covers the whole file.
  let hash: Hash128
  private let file: any DiskFile

  /// - Parameter folderID: the folder that the file must belong to.
  init(path: String, disk: any Disk, kind: BlockFileKind, folderID: Hash128) throws(BlockFileError) {
    self.path = path
    self.kind = kind
    file = try blockFile { () throws(DiskError) in try disk.openFile(path, .read) }
    length = try blockFile { [file] () throws(DiskError) in try file.size() }
    let parts = BlockFileParts(path: path, file: file, length: length)
    let (header, format, headerHash) = try parts.header(kind)
    self.header = header
    self.format = format
    let trailer = try parts.trailer(headerHash: headerHash)
    let (entries, table) = try parts.table(trailer, kind)
    self.entries = entries
    hash = trailer.hash
    self.table = table
    tableOffset = trailer.tableOffset + trailer.tableLength - UInt64(table.count)
    guard header.folderID == folderID else { throw .otherFolder(path: path) }
  }

  /// Closes the file; nothing can be read afterwards.
  func close() { file.close() }

  /// Reads block `number` into `raw`, which must have exactly its raw length.
  /// - Parameter scratch: a buffer for the stored bytes, reused by the caller.
  func read(
    _ number: Int, into raw: UnsafeMutableRawBufferPointer, scratch: inout [UInt8],
    _ decompressor: inout ZstdDecompressor
  ) throws(BlockFileError) {
    let entry = entries[number]
    precondition(raw.count == entry.rawLength)
    try load(entry, &scratch)
    let restored = scratch.withRawBytes { bytes in
      let stored = UnsafeRawBufferPointer(rebasing: bytes[..<entry.storedLength])
      if entry.isStoredRaw {
        raw.copyMemory(from: stored)
        return true
      }
      return decompressor.decompress(stored, into: raw)
    }
    guard restored else { throw damaged(entry, "block \(number) cannot be decompressed") }
  }

  /// Checks the stored bytes of block `number` against its hash.
  func check(_ number: Int, scratch: inout [UInt8]) throws(BlockFileError) {
    try load(entries[number], &scratch)
  }

  private func load(_ entry: BlockEntry, _ scratch: inout [UInt8]) throws(BlockFileError) {
    if scratch.count < entry.storedLength { scratch = [UInt8](repeating: 0, count: entry.storedLength) }
    let isSound = try scratch.withMutableRawBytes { buffer throws(BlockFileError) in
      let stored = UnsafeMutableRawBufferPointer(rebasing: buffer[..<entry.storedLength])
      let count = try blockFile { () throws(DiskError) in try file.readAll(into: stored, at: entry.offset) }
      return count == stored.count && Hash128(of: UnsafeRawBufferPointer(stored)) == entry.hash
    }
    guard isSound else { throw damaged(entry, "a block does not have its hash") }
  }

  private func damaged(_ entry: BlockEntry, _ reason: String) -> BlockFileError {
    .damaged(path: path, offset: entry.offset, reason: reason)
  }

  /// Memory reused between calls of `restore`, for one thread.
  struct Buffers: ~Copyable {
    fileprivate var decompressor = ZstdDecompressor()
    fileprivate var scratch: [UInt8] = []
    fileprivate var raw: [UInt8] = []

    init() {}
  }

  /// Reads and decompresses block `number`, to see that it is possible.
  func restore(_ number: Int, _ buffers: inout Buffers) throws(BlockFileError) {
    let count = entries[number].rawLength
    if buffers.raw.count < count { buffers.raw = [UInt8](repeating: 0, count: count) }
    // Two fields of one value cannot be accessed at once, so move the raw bytes out meanwhile.
    var raw: [UInt8] = []
    swap(&raw, &buffers.raw)
    defer { swap(&raw, &buffers.raw) }
    try raw.withMutableRawBytes { buffer throws(BlockFileError) in
      try read(
        number, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), scratch: &buffers.scratch,
        &buffers.decompressor)
    }
  }

  /// Makes the next reads come from the disk instead of the page cache. What is not synced may be lost by this.
  func forgetCached() throws(BlockFileError) {
    try blockFile { () throws(DiskError) in try file.forgetCached() }
  }
}
