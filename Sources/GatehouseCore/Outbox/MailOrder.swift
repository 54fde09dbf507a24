internal import DequeModule

/// Mails in the order of a time: when they are due, or when they died. What comes in is nearly always the latest, and what
/// leaves the earliest.
struct MailOrder: Sendable {
  struct Item: Comparable, Sendable {
    let time: Milliseconds
    let id: MailID

    static func < (one: Item, other: Item) -> Bool { (one.time, one.id) < (other.time, other.id) }
  }

  private var items: Deque<Item> = []

  init() {}

  init(_ items: [Item]) { self.items = Deque(items.sorted()) }

  var count: Int { items.count }
  var first: Item? { items.first }

  subscript(rank: Int) -> Item? { rank < items.count ? items[rank] : nil }

  mutating func insert(_ item: Item) { items.insert(item, at: rank(of: item)) }

  mutating func remove(_ item: Item) {
    let rank = rank(of: item)
    precondition(rank < items.count && items[rank] == item, "a mail that is in no order")
    items.remove(at: rank)
  }

  /// How many items come before this one.
  private func rank(of item: Item) -> Int {
    guard let last = items.last, item <= last else { return items.count }
    var (low, high) = (0, items.count)
    while low < high {
      let middle = (low + high) / 2
      if items[middle] < item { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
