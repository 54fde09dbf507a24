/// A Bloom filter of ids (Bloom, 1970): it may contain an id by mistake, but never misses one.
struct BloomFilter: Sendable, Equatable {
  private let words: [UInt64]
  private let looks: Int

  /// How many bits an id takes, and so how often an id that was not added is found by mistake.
  struct Size {
    fileprivate let bitsAnID: Int
    /// The number of hash functions.
    fileprivate let looks: Int

    /// About 1 of 300.
    static let usual = Size(bitsAnID: 12, looks: 8)
    /// About 1 of 110.
    static let small = Size(bitsAnID: 10, looks: 6)
  }

  /// - Parameter ids: without duplicates.
  init(of ids: [UInt64], _ size: Size = .usual) {
    var words = [UInt64](repeating: 0, count: (ids.count * size.bitsAnID + 63) / 64)
    looks = size.looks
    for id in ids { Self.forEachBit(of: id, in: words.count, looks) { word, bit in words[word] |= bit } }
    self.words = words
  }

  func mayContain(_ id: UInt64) -> Bool {
    guard !words.isEmpty else { return false }
    var hasAll = true
    Self.forEachBit(of: id, in: words.count, looks) { word, bit in hasAll = hasAll && words[word] & bit != 0 }
    return hasAll
  }

  var bytes: Int { words.count * MemoryLayout<UInt64>.stride }

  /// The bit positions are derived from two halves of one hash (Kirsch and Mitzenmacher, 2006).
  private static func forEachBit(of id: UInt64, in count: Int, _ looks: Int, _ body: (Int, UInt64) -> Void) {
    var hash = (id ^ id >> 30) &* 0xbf58_476d_1ce4_e5b9
    hash = (hash ^ hash >> 27) &* 0x94d0_49bb_1331_11eb
    hash ^= hash >> 31
    let step = hash >> 32 | 1
    for _ in 0..<looks {
      hash &+= step
      let bit = ((hash & 0xffff_ffff) &* UInt64(count * 64)) >> 32
      body(Int(bit >> 6), 1 << (bit & 63))
    }
  }
}
