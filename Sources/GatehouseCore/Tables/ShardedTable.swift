/// A dictionary in parts. A copy shares all of them, and a change copies the one part it touches: after a snapshot, the
/// first change to a large dictionary would otherwise copy it whole while its partition is held.
struct ShardedTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  /// 64 parts: of 100,000 entries a change copies about 1,600.
  private static var shift: Int { 6 }

  /// Empty until the first entry, because most tables never get one.
  private var shards: ContiguousArray<[Key: Value]> = []
  private(set) var count = 0

  init() {}

  var isEmpty: Bool { count == 0 }

  subscript(key: Key) -> Value? {
    get { shards.isEmpty ? nil : shards[Self.shard(of: key)][key] }
    set {
      if shards.isEmpty {
        if newValue == nil { return }
        shards = ContiguousArray(repeating: [:], count: 1 << Self.shift)
      }
      let shard = Self.shard(of: key)
      let before = shards[shard].count
      shards[shard][key] = newValue
      count += shards[shard].count - before
    }
  }

  /// All values, in no order.
  var values: [Value] { shards.flatMap(\.values) }

  /// All keys, in no order.
  var keys: [Key] { shards.flatMap(\.keys) }

  // By the high bits: a dictionary places its entries by the low bits of a hash with another seed.
  private static func shard(of key: Key) -> Int { Int(UInt(bitPattern: key.hashValue) >> (UInt.bitWidth - shift)) }
}
