/// Reads a block file. Opening it checks header, table and trailer; each block is checked when it is read.
/// Several threads may read at once.
struct BlockFileReader: Sendable {
  let path: String
  let kind: BlockFileKind
  let header: BlockFileHeader
  let entries: [BlockEntry]
  /// What the kind of file added to the table, and where in the file that begins.
  let table: [UInt8]
  let tableOffset: UInt64
  let length: UInt64
  /// The trailer's hash, which stands for the whole file.
  let hash: Hash128
  private let file: any DiskFile

  /// - Parameter folderID: the folder that the file must belong to.
  init(path: String, disk: any Disk, kind: BlockFileKind, folderID: Hash128) throws(BlockFileError) {
    self.path = path
    self.kind = kind
    file = try blockFile { () throws(DiskError) in try disk.openFile(path, .read) }
    length = try blockFile { [file] () throws(DiskError) in try file.size() }
    let parts = BlockFileParts(path: path, file: file, length: length)
    let (header, headerHash) = try parts.header(kind)
    self.header = header
    let trailer = try parts.trailer(headerHash: headerHash)
    let (entries, table) = try parts.table(trailer, kind)
    self.entries = entries
    hash = trailer.hash
    self.table = table
    tableOffset = trailer.tableOffset + trailer.tableLength - UInt64(table.count)
    guard header.folderID == folderID else { throw .otherFolder(path: path) }
  }

  /// Gives the file back to the system; nothing can be read afterwards.
  func close() { file.close() }

  /// Reads block `number` into `raw`, which has just its raw length.
  /// - Parameter scratch: room for the stored bytes, kept by the caller from block to block.
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

  /// Holds the stored bytes of block `number` against its hash.
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

  /// Reads and restores every block.
  func verify(_ progress: (_ done: Int) throws(BlockFileError) -> Void = { _ in }) throws(BlockFileError) {
    var decompressor = ZstdDecompressor()
    var scratch: [UInt8] = []
    var raw: [UInt8] = []
    for number in entries.indices {
      let count = entries[number].rawLength
      if raw.count < count { raw = [UInt8](repeating: 0, count: count) }
      try raw.withMutableRawBytes { buffer throws(BlockFileError) in
        let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        try read(number, into: target, scratch: &scratch, &decompressor)
      }
      try progress(number + 1)
    }
  }

  /// Holds every block against its hash, without restoring it.
  func checkHashes() throws(BlockFileError) {
    var scratch: [UInt8] = []
    for number in entries.indices { try check(number, scratch: &scratch) }
  }

  /// Has the next read come from the disk. Only what is synced may be forgotten so.
  func forgetCached() throws(BlockFileError) {
    try blockFile { () throws(DiskError) in try file.forgetCached() }
  }
}
