/// The first rows of a sorted list, found in any order.
///
/// Only keys and ids are kept, in flat memory: of a page of a thousand, six times as many rows are found that later ones push
/// out, and with their replies each of them would cost more than finding it. The replies are written once the first rows of
/// all partitions are known.
struct FirstRows: Sendable {
  /// A row: the first bytes of its sort key, most significant first, where the whole key is, and its id.
  private struct Entry {
    let head: UInt64
    let id: UInt64
    let start: Int32
    let count: Int32
  }

  private let most: Int
  private let isDescending: Bool
  private var entries = ContiguousArray<Entry>()
  private var bytes = ContiguousArray<UInt8>()
  /// The last row, once there are `most`: those behind it are not among the first.
  private(set) var worst: (key: ContiguousArray<UInt8>, id: UInt64)?

  /// How many more than `most` are kept before the rest is dropped.
  private var slack: Int { max(32, most / 4) }

  init(most: Int, isDescending: Bool) {
    self.most = most
    self.isDescending = isDescending
    entries.reserveCapacity(most + slack + 1)
  }

  mutating func add(_ key: ContiguousArray<UInt8>, _ id: UInt64) {
    let entry = Entry(
      head: key.withUnsafeBytes { WordIndex.key($0) }, id: id, start: Int32(bytes.count), count: Int32(key.count))
    bytes.append(contentsOf: key)
    entries.append(entry)
    if entries.count > most + slack || worst == nil && entries.count == most { settle() }
  }

  /// The first rows in their order.
  mutating func settled() -> [(key: ContiguousArray<UInt8>, id: UInt64)] {
    settle()
    return entries.map { (key($0), $0.id) }
  }

  private func key(_ entry: Entry) -> ContiguousArray<UInt8> {
    ContiguousArray(bytes[Int(entry.start)..<Int(entry.start + entry.count)])
  }

  /// Sorts, and drops what is behind the first.
  private mutating func settle() {
    var sorted = entries
    entries = []
    let isDescending = isDescending
    bytes.withUnsafeBytes { bytes in
      sorted.sort { isDescending ? Self.isBefore($1, $0, bytes) : Self.isBefore($0, $1, bytes) }
    }
    entries = sorted
    guard entries.count >= most else { return }
    entries.removeLast(entries.count - most)
    var kept = ContiguousArray<UInt8>()
    kept.reserveCapacity(bytes.count)
    for index in entries.indices {
      let entry = entries[index]
      entries[index] = Entry(head: entry.head, id: entry.id, start: Int32(kept.count), count: entry.count)
      kept.append(contentsOf: bytes[Int(entry.start)..<Int(entry.start + entry.count)])
    }
    bytes = kept
    worst = entries.last.map { (key($0), $0.id) }
  }

  private static func isBefore(_ one: Entry, _ other: Entry, _ bytes: UnsafeRawBufferPointer) -> Bool {
    if one.head != other.head { return one.head < other.head }
    let keys = (
      UnsafeRawBufferPointer(rebasing: bytes[Int(one.start)..<Int(one.start + one.count)]),
      UnsafeRawBufferPointer(rebasing: bytes[Int(other.start)..<Int(other.start + other.count)])
    )
    if keys.0.lexicographicallyPrecedes(keys.1) { return true }
    return keys.0.elementsEqual(keys.1) && one.id < other.id
  }
}
