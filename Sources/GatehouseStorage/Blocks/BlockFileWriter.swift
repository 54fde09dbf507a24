/// Writes a block file under a temporary name; after `finish` the caller renames it.
struct BlockFileWriter: ~Copyable, Sendable {
  let path: String
  private let kind: BlockFileKind
  private let file: any DiskFile
  private var compressor: BlockCompressor
  private(set) var entries: [BlockEntry] = []
  private let headerHash: Hash128
  private var offset: UInt64
  private var unsynced: UInt64 = 0

  /// How many bytes are written between two syncs. One sync of the whole file at the end would block the log's syncs on
  /// the same disk for that long.
  private static let syncInterval: UInt64 = 4 << 20

  /// - Parameter path: the temporary name; a file that a crash left there is removed.
  init(
    path: String, disk: any Disk, kind: BlockFileKind, header: BlockFileHeader, level: Int32
  ) throws(BlockFileError) {
    let bytes = Self.encoded(header, kind)
    file = try blockFile { () throws(DiskError) in
      if disk.exists(path) { try disk.remove(path) }
      let file = try disk.openFile(path, .create)
      do throws(DiskError) {
        try bytes.withRawBytes { buffer throws(DiskError) in try file.writeAll(buffer, at: 0) }
      } catch {
        // No other code knows of the file yet, so remove it here.
        file.close()
        try? disk.remove(path)
        throw error
      }
      return file
    }
    self.path = path
    self.kind = kind
    compressor = BlockCompressor(level: level)
    headerHash = bytes.withRawBytes { Hash128(of: UnsafeRawBufferPointer(rebasing: $0.dropLast(Hash128.size))) }
    offset = UInt64(bytes.count)
  }

  deinit { file.close() }

  /// Adds a block and returns its number.
  @discardableResult
  mutating func append(_ raw: UnsafeRawBufferPointer) throws(BlockFileError) -> Int {
    precondition(raw.count <= kind.blockLimit && raw.count < BlockFile.storedRawBit)
    let file = file
    let offset = offset
    let entry = try compressor.store(raw) { (stored, isRaw) throws(BlockFileError) in
      let hash = Hash128(of: stored)
      try blockFile { () throws(DiskError) in try file.writeAll(stored, at: offset) }
      return BlockEntry(
        offset: offset, storedLength: stored.count, rawLength: raw.count, isStoredRaw: isRaw, hash: hash)
    }
    entries.append(entry)
    try advance(by: entry.storedLength)
    return entries.count - 1
  }

  /// Writes table and trailer, and syncs.
  /// - Parameter table: what the kind of file adds to the table.
  /// - Returns: the file's length.
  mutating func finish(table addition: [UInt8]) throws(BlockFileError) -> UInt64 {
    var table = FieldWriter()
    table.put(UInt32(entries.count))
    for entry in entries {
      table.put(UInt32(entry.storedLength) | (entry.isStoredRaw ? BlockFile.storedRawBit : 0))
      table.put(UInt32(entry.rawLength))
      table.put(entry.hash)
    }
    table.put(contentsOf: addition)
    precondition(table.bytes.count <= BlockFile.tableLimit)

    let end = offset + UInt64(table.bytes.count) + UInt64(BlockFile.trailerSize)
    var trailer = FieldWriter()
    trailer.put(BlockFile.trailerMagic)
    trailer.put(offset)
    trailer.put(UInt64(table.bytes.count))
    trailer.put(end)
    trailer.put(table.hash)
    trailer.put(headerHash)
    trailer.pad(to: BlockFile.trailerSize - Hash128.size)
    trailer.put(trailer.hash)
    try write(table.bytes)
    try write(trailer.bytes)
    precondition(offset == end)
    try blockFile { () throws(DiskError) in try file.sync() }
    return end
  }

  private static func encoded(_ header: BlockFileHeader, _ kind: BlockFileKind) -> [UInt8] {
    var bytes = FieldWriter()
    bytes.put(kind.magic)
    bytes.put(kind.format)
    bytes.put(kind.reader)
    bytes.put(UInt32(0))
    bytes.put(header.folderID)
    bytes.put(header.createdAt)
    bytes.pad(to: BlockFile.headerSize - Hash128.size)
    bytes.put(bytes.hash)
    return bytes.bytes
  }

  private mutating func write(_ bytes: [UInt8]) throws(BlockFileError) {
    let file = file
    let offset = offset
    try blockFile { () throws(DiskError) in
      try bytes.withRawBytes { buffer throws(DiskError) in try file.writeAll(buffer, at: offset) }
    }
    try advance(by: bytes.count)
  }

  private mutating func advance(by count: Int) throws(BlockFileError) {
    offset += UInt64(count)
    unsynced += UInt64(count)
    guard unsynced >= Self.syncInterval else { return }
    unsynced = 0
    try blockFile { () throws(DiskError) in try file.sync() }
  }
}
