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
  /// Encrypts the blocks; nil to leave them in clear.
  private let seal: BlockSeal?
  private var sealed: [UInt8] = []

  /// How many bytes are written between two syncs. One sync of the whole file at the end would block the log's syncs on
  /// the same disk for that long.
  private static let syncInterval: UInt64 = 4 << 20

  /// - Parameters:
  ///   - path: the temporary name; a file that a crash left there is removed.
  ///   - cipher: the folder's, whose current key encrypts the file, if it has one.
  init(
    path: String, disk: any Disk, kind: BlockFileKind, header: BlockFileHeader, level: Int32, cipher: FolderCipher
  ) throws(BlockFileError) {
    var header = header
    if let key = cipher.current, let secret = key.secret {
      var salt = [UInt8](repeating: 0, count: BlockSeal.saltSize)
      salt.withUnsafeMutableBytes { fillRandom($0) }
      header.encryption = .init(dataKey: key.number, salt: salt)
      seal = BlockSeal(secret, salt: salt)
    } else {
      seal = nil
    }
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

  /// Whether the blocks are encrypted.
  var isSealed: Bool { seal != nil }

  /// Adds a block and returns its number.
  /// - Parameter inClear: whether to leave the block in clear in an encrypted file.
  @discardableResult
  mutating func append(_ raw: UnsafeRawBufferPointer, inClear: Bool = false) throws(BlockFileError) -> Int {
    precondition(raw.count <= kind.blockLimit && raw.count + Sealing.tagSize < BlockFile.storedClearBit)
    let file = file
    let offset = offset
    let seal = inClear ? nil : seal
    let number = entries.count
    // Two fields of one value cannot be accessed at once, so move the buffer out meanwhile.
    var sealed: [UInt8] = []
    swap(&sealed, &self.sealed)
    defer { swap(&sealed, &self.sealed) }
    let entry = try compressor.store(raw) { (clear, isRaw) throws(BlockFileError) in
      func write(_ stored: UnsafeRawBufferPointer) throws(BlockFileError) -> BlockEntry {
        let hash = Hash128(of: stored)
        try blockFile { () throws(DiskError) in try file.writeAll(stored, at: offset) }
        return BlockEntry(
          offset: offset, storedLength: stored.count, rawLength: raw.count, isStoredRaw: isRaw,
          isSealed: seal != nil, hash: hash)
      }
      guard let seal else { return try write(clear) }
      let count = clear.count + Sealing.tagSize
      if sealed.count < count { sealed = [UInt8](repeating: 0, count: count) }
      return try sealed.withMutableRawBytes { target throws(BlockFileError) in
        let target = UnsafeMutableRawBufferPointer(rebasing: target[..<count])
        seal.seal(clear, into: target, number: number, rawLength: raw.count)
        return try write(UnsafeRawBufferPointer(target))
      }
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
      table.put(
        UInt32(entry.storedLength) | (entry.isStoredRaw ? BlockFile.storedRawBit : 0)
          | (isSealed && !entry.isSealed ? BlockFile.storedClearBit : 0))
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
    bytes.put(header.encryption == nil ? 0 : BlockFile.sealedFlag)
    bytes.put(header.folderID)
    bytes.put(header.createdAt)
    if let encryption = header.encryption {
      bytes.put(encryption.dataKey)
      bytes.put(UInt32(0))
      bytes.put(contentsOf: encryption.salt)
    }
    bytes.pad(to: header.size - Hash128.size)
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
