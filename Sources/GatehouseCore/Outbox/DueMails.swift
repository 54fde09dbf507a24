/// The mails of many orders that are due, earliest first: whoever takes ten looks at ten and at the first of each order,
/// however many wait.
struct DueMails {
  private struct Head {
    var item: MailOrder.Item
    var rank: Int
    let order: MailOrder
    let cell: HeldPartition
  }

  /// The first mail of each order that was not taken yet, the latest first.
  private var heads: [Head] = []

  /// Adds the orders of a partition that have mails which are due.
  mutating func add(_ cell: HeldPartition, _ reach: Reach, at now: Milliseconds) {
    for order in cell.state.outbox.orders(in: reach) {
      guard let first = order.first, first.time <= now else { continue }
      insert(Head(item: first, rank: 0, order: order, cell: cell))
    }
  }

  /// The next mail.
  mutating func next(at now: Milliseconds) -> (id: MailID, cell: HeldPartition)? {
    guard let head = heads.popLast() else { return nil }
    if let following = head.order[head.rank + 1], following.time <= now {
      insert(Head(item: following, rank: head.rank + 1, order: head.order, cell: head.cell))
    }
    return (head.item.id, head.cell)
  }

  private mutating func insert(_ head: Head) {
    var (low, high) = (0, heads.count)
    while low < high {
      let middle = (low + high) / 2
      if heads[middle].item > head.item { low = middle + 1 } else { high = middle }
    }
    heads.insert(head, at: low)
  }
}
