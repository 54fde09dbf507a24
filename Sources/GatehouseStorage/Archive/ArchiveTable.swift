/// What an archive adds to the table of its block file.
struct ArchiveTable: Sendable, Equatable {
  var firstLSN: UInt64
  var lastLSN: UInt64
  var previousHash: Hash128
  var lastHash: Hash128
  var blocks: [ArchiveBlock]
  /// The first id of each page of the index. The pages are the file's blocks after those of frames.
  var pages: [UInt64]

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
    for first in pages { bytes.put(first) }
    return bytes.bytes
  }
}

extension ArchiveTable {
  /// Decodes the table of a file with `blockCount` blocks. The blocks must be contiguous from the first record to the
  /// last.
  init(decoding bytes: [UInt8], blockCount: Int) throws(MalformedBytes) {
    var reader = FieldReader(bytes)
    firstLSN = try reader.take()
    lastLSN = try reader.take()
    previousHash = try reader.takeHash()
    lastHash = try reader.takeHash()
    let frameBlocks: UInt32 = try reader.take()
    let pageBlocks: UInt32 = try reader.take()
    guard firstLSN > 0, firstLSN <= lastLSN, Int(frameBlocks) + Int(pageBlocks) == blockCount else {
      throw MalformedBytes()
    }
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
    for _ in 0..<pageBlocks {
      let first: UInt64 = try reader.take()
      if let last = pages.last, last >= first { throw MalformedBytes() }
      pages.append(first)
    }
    guard next == lastLSN + 1, reader.remaining == 0 else { throw MalformedBytes() }
  }

  /// The time range of all records, or nil if none has a time.
  var times: ClosedRange<UInt64>? {
    let earliest = blocks.lazy.map(\.earliest).min() ?? .max
    let latest = blocks.lazy.map(\.latest).max() ?? 0
    return earliest <= latest ? earliest...latest : nil
  }
}
