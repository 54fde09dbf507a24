/// Collects which blocks have records about which ids, and lays them out in pages.
struct ArchiveIndexBuilder {
  private struct Mention: Comparable {
    var id: UInt64
    var block: UInt32

    static func < (one: Self, other: Self) -> Bool { (one.id, one.block) < (other.id, other.block) }
  }

  private var mentions: [Mention] = []

  /// Adds the ids that a block has records about.
  mutating func add(_ ids: Set<UInt64>, block: Int) {
    mentions.append(contentsOf: ids.lazy.map { Mention(id: $0, block: UInt32(block)) })
  }

  /// Produces the pages in order, each with its first id.
  mutating func forEachPage(
    _ body: (_ first: UInt64, _ page: [UInt8]) throws(BlockFileError) -> Void
  ) throws(BlockFileError) {
    mentions.sort()
    var at = 0
    while at < mentions.count {
      var page = FieldWriter()
      var count = 0
      let first = mentions[at].id
      var previous: UInt64 = 0
      while at < mentions.count, count < Archive.pageSize {
        let id = mentions[at].id
        let end = mentions[at...].prefix { $0.id == id }.endIndex
        page.putVarint(id - previous)
        page.putVarint(UInt64(end - at))
        var previousBlock: UInt32 = 0
        for mention in mentions[at..<end] {
          page.putVarint(UInt64(mention.block - previousBlock))
          previousBlock = mention.block
        }
        previous = id
        count += 1
        at = end
      }
      var head = FieldWriter()
      head.putVarint(UInt64(count))
      try body(first, head.bytes + page.bytes)
    }
  }
}

/// Reads a page of the index.
enum ArchiveIndexPage {
  /// The blocks that have records about `id`, in order; empty if the page does not contain it.
  static func blocks(about wanted: UInt64, in page: [UInt8], blockCount: Int) throws(MalformedBytes) -> [Int] {
    var reader = FieldReader(page)
    var id: UInt64 = 0
    for _ in 0..<(try reader.takeVarint()) {
      id &+= try reader.takeVarint()
      let count = try reader.takeVarint()
      guard count <= UInt64(blockCount) else { throw MalformedBytes() }
      var blocks: [Int] = []
      var block: UInt64 = 0
      for _ in 0..<count {
        block &+= try reader.takeVarint()
        guard block < UInt64(blockCount) else { throw MalformedBytes() }
        if id == wanted { blocks.append(Int(block)) }
      }
      if id >= wanted { return blocks }
    }
    return []
  }
}
