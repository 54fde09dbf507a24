/// What an archive adds to the table of its block file.
struct ArchiveTable: Sendable, Equatable {
  var firstLSN: UInt64
  var lastLSN: UInt64
  var previousHash: Hash128
  var lastHash: Hash128
  var blocks: [ArchiveBlock]
  /// The first id of each page of the index. The pages are the file's blocks after those of frames.
  var pages: [UInt64]
  /// Whether it is the table of an encrypted archive: each block has a second one of headers, and `pages` are in the
  /// last block.
  var isSplit: Bool
  /// How many pages a decoded table has.
  private(set) var pageCount = 0

  init(firstLSN: UInt64, previousHash: Hash128, isSplit: Bool) {
    self.firstLSN = firstLSN
    lastLSN = firstLSN - 1
    self.previousHash = previousHash
    lastHash = previousHash
    blocks = []
    pages = []
    self.isSplit = isSplit
  }

  func encoded() -> [UInt8] {
    var bytes = FieldWriter()
    bytes.put(firstLSN)
    bytes.put(lastLSN)
    bytes.put(previousHash)
    bytes.put(lastHash)
    bytes.put(UInt32(blocks.count))
    bytes.put(UInt32(pages.count))
    for block in blocks {
      bytes.put(block.firstLSN)
      bytes.put(block.recordCount)
      bytes.put(block.frameCount)
      bytes.put(block.earliest)
      bytes.put(block.latest)
    }
    if !isSplit { bytes.put(contentsOf: encodedPages()) }
    return bytes.bytes
  }

  func encodedPages() -> [UInt8] {
    var bytes = FieldWriter()
    for first in pages { bytes.put(first) }
    return bytes.bytes
  }
}

extension ArchiveTable {
  /// Decodes the table of a file with `blockCount` blocks. The blocks must be contiguous from the first record to the
  /// last.
  /// - Parameter isSplit: of an encrypted archive, whose `pages` are not in its table: `setPages` adds them.
  init(decoding bytes: [UInt8], blockCount: Int, isSplit: Bool) throws(MalformedBytes) {
    var reader = FieldReader(bytes)
    firstLSN = try reader.take()
    lastLSN = try reader.take()
    previousHash = try reader.takeHash()
    lastHash = try reader.takeHash()
    let frameBlocks: UInt32 = try reader.take()
    let pageBlocks: UInt32 = try reader.take()
    let count = isSplit ? 2 * Int(frameBlocks) + Int(pageBlocks) + 1 : Int(frameBlocks) + Int(pageBlocks)
    guard firstLSN > 0, firstLSN <= lastLSN, count == blockCount else { throw MalformedBytes() }
    self.isSplit = isSplit
    blocks = []
    var next = firstLSN
    for _ in 0..<frameBlocks {
      let block = ArchiveBlock(
        firstLSN: try reader.take(), recordCount: try reader.take(), frameCount: try reader.take(),
        earliest: try reader.take(), latest: try reader.take())
      guard block.firstLSN == next, block.frameCount > 0 else { throw MalformedBytes() }
      next = block.nextLSN
      blocks.append(block)
    }
    pages = []
    if !isSplit { pages = try Self.pages(&reader, count: pageBlocks) }
    pageCount = Int(pageBlocks)
    guard next == lastLSN + 1, reader.remaining == 0 else { throw MalformedBytes() }
  }

  /// Adds the first ids of the pages, from the last block of an encrypted archive.
  mutating func setPages(decoding bytes: [UInt8]) throws(MalformedBytes) {
    var reader = FieldReader(bytes)
    pages = try Self.pages(&reader, count: UInt32(pageCount))
    guard reader.remaining == 0 else { throw MalformedBytes() }
  }

  private static func pages(_ reader: inout FieldReader, count: UInt32) throws(MalformedBytes) -> [UInt64] {
    var pages: [UInt64] = []
    for _ in 0..<count {
      let first: UInt64 = try reader.take()
      if let last = pages.last, last >= first { throw MalformedBytes() }
      pages.append(first)
    }
    return pages
  }

  /// The time range of all records, or nil if none has a time.
  var times: ClosedRange<UInt64>? {
    let earliest = blocks.lazy.map(\.earliest).min() ?? .max
    let latest = blocks.lazy.map(\.latest).max() ?? 0
    return earliest <= latest ? earliest...latest : nil
  }
}
