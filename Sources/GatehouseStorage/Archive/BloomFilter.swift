/// A Bloom filter of ids (Bloom, 1970): it may contain an id by mistake, but never misses one.
struct BloomFilter: Sendable, Equatable {
  private let words: [UInt64]

  /// With 12 bits an id and 8 hash functions, about 1 of 300 ids that were not added is a false positive.
  private static let bitsAnID = 12
  private static let looks = 8

  /// - Parameter ids: without duplicates.
  init(of ids: [UInt64]) {
    var words = [UInt64](repeating: 0, count: (ids.count * Self.bitsAnID + 63) / 64)
    for id in ids { Self.forEachBit(of: id, in: words.count) { word, bit in words[word] |= bit } }
    self.words = words
  }

  func mayContain(_ id: UInt64) -> Bool {
    guard !words.isEmpty else { return false }
    var hasAll = true
    Self.forEachBit(of: id, in: words.count) { word, bit in hasAll = hasAll && words[word] & bit != 0 }
    return hasAll
  }

  var bytes: Int { words.count * MemoryLayout<UInt64>.stride }

  /// The bit positions are derived from two halves of one hash (Kirsch and Mitzenmacher, 2006).
  private static func forEachBit(of id: UInt64, in count: Int, _ body: (Int, UInt64) -> Void) {
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
