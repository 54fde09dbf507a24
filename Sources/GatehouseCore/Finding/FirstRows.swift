/// The first rows of a sorted list, found in any order: a heap with the last of them on top, which gives way to any row that
/// comes before it.
///
/// A partition is held while its rows are added, so each costs a few comparisons, however many rows are wanted; they are
/// sorted once no partition is held. Only keys and ids are kept: of a page of a thousand, six times as many rows are found
/// that later ones push out, and with their replies each of them would cost more than finding it. The replies are written
/// once the first rows of all partitions are known.
struct FirstRows: Sendable {
  private struct Entry {
    /// The first bytes of the sort key, most significant first.
    let head: UInt64
    let id: UInt64
    let key: ContiguousArray<UInt8>
  }

  private let most: Int
  private let isDescending: Bool
  /// Each entry comes behind the two at twice its index, plus 1 and plus 2.
  private var heap = ContiguousArray<Entry>()

  init(most: Int, isDescending: Bool) {
    precondition(most > 0)
    self.most = most
    self.isDescending = isDescending
  }

  /// The last row, once there are `most`: those behind it are not among the first.
  var worst: (key: ContiguousArray<UInt8>, id: UInt64)? {
    heap.count == most ? (heap[0].key, heap[0].id) : nil
  }

  mutating func add(_ key: ContiguousArray<UInt8>, _ id: UInt64) {
    let entry = Entry(head: key.withUnsafeBytes { WordIndex.key($0) }, id: id, key: key)
    if heap.count < most {
      heap.append(entry)
      riseLast()
    } else if isBefore(entry, heap[0]) {
      heap[0] = entry
      sinkFirst()
    }
  }

  /// The first rows in their order.
  func settled() -> [(key: ContiguousArray<UInt8>, id: UInt64)] {
    heap.sorted(by: isBefore).map { ($0.key, $0.id) }
  }

  private mutating func riseLast() {
    var index = heap.count - 1
    while index > 0 {
      let parent = (index - 1) / 2
      guard isBefore(heap[parent], heap[index]) else { return }
      heap.swapAt(parent, index)
      index = parent
    }
  }

  private mutating func sinkFirst() {
    var index = 0
    while true {
      var last = index
      for child in 2 * index + 1...2 * index + 2 where child < heap.count && isBefore(heap[last], heap[child]) {
        last = child
      }
      if last == index { return }
      heap.swapAt(last, index)
      index = last
    }
  }

  private func isBefore(_ one: Entry, _ other: Entry) -> Bool {
    let (one, other) = isDescending ? (other, one) : (one, other)
    if one.head != other.head { return one.head < other.head }
    if one.key == other.key { return one.id < other.id }
    return one.key.lexicographicallyPrecedes(other.key)
  }
}
