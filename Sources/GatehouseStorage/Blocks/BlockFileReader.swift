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
  /// Decrypts the blocks; nil if they are in clear.
  private let seal: Result<BlockSeal, BlockFileError>?

  /// - Parameters:
  ///   - folderID: the folder that the file must belong to.
  ///   - cipher: the folder's. A file can be opened and its hashes checked without its key.
  init(
    path: String, disk: any Disk, kind: BlockFileKind, folderID: Hash128, cipher: FolderCipher
  ) throws(BlockFileError) {
    self.path = path
    self.kind = kind
    file = try blockFile { () throws(DiskError) in try disk.openFile(path, .read) }
    length = try blockFile { [file] () throws(DiskError) in try file.size() }
    let parts = BlockFileParts(path: path, file: file, length: length)
    let (header, format, headerHash) = try parts.header(kind)
    self.header = header
    self.format = format
    let trailer = try parts.trailer(header, headerHash: headerHash)
    let (entries, table) = try parts.table(trailer, header, kind)
    self.entries = entries
    hash = trailer.hash
    self.table = table
    tableOffset = trailer.tableOffset + trailer.tableLength - UInt64(table.count)
    if let encryption = header.encryption {
      do throws(EncryptionError) {
        seal = .success(BlockSeal(try cipher.secret(encryption.dataKey), salt: encryption.salt))
      } catch {
        seal = .failure(.locked(path: path, error))
      }
    } else {
      seal = nil
    }
    guard header.folderID == folderID else { throw .otherFolder(path: path) }
  }

  /// Whether the blocks are encrypted and the key for it is not at hand.
  var isLocked: Bool {
    if case .failure = seal { return true }
    return false
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
    if entry.isSealed { try open(number, &scratch) }
    let restored = scratch.withRawBytes { bytes in
      let stored = UnsafeRawBufferPointer(rebasing: bytes[..<entry.clearLength])
      if entry.isStoredRaw {
        raw.copyMemory(from: stored)
        return true
      }
      return decompressor.decompress(stored, into: raw)
    }
    guard restored else { throw damaged(entry, "block \(number) cannot be decompressed") }
  }

  /// Decrypts the stored bytes in place.
  private func open(_ number: Int, _ scratch: inout [UInt8]) throws(BlockFileError) {
    let entry = entries[number]
    guard let seal = try seal?.get() else { throw damaged(entry, "block \(number) is not encrypted as its file says") }
    let isSound = scratch.withUnsafeMutableBytes { bytes in
      seal.open(
        UnsafeRawBufferPointer(rebasing: bytes[..<entry.storedLength]),
        into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<entry.clearLength]), number: number,
        rawLength: entry.rawLength)
    }
    guard isSound else {
      throw damaged(entry, "block \(number) was not encrypted with this folder's keys, or was changed since")
    }
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

  /// Reads, decrypts and decompresses block `number`, to see that it is possible. Without its key, only its hash is
  /// checked.
  func restore(_ number: Int, _ buffers: inout Buffers) throws(BlockFileError) {
    if isLocked, entries[number].isSealed { return try check(number, scratch: &buffers.scratch) }
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

  /// The content of a block that is read once.
  func content(ofBlock number: Int) throws(BlockFileError) -> [UInt8] {
    guard entries.indices.contains(number) else {
      throw .damaged(path: path, offset: tableOffset, reason: "it has no block \(number)")
    }
    var raw = [UInt8](repeating: 0, count: entries[number].rawLength)
    var scratch: [UInt8] = []
    var decompressor = ZstdDecompressor()
    try raw.withMutableRawBytes { bytes throws(BlockFileError) in
      try read(number, into: bytes, scratch: &scratch, &decompressor)
    }
    return raw
  }

  /// Makes the next reads come from the disk instead of the page cache. What is not synced may be lost by this.
  func forgetCached() throws(BlockFileError) {
    try blockFile { () throws(DiskError) in try file.forgetCached() }
  }
}
