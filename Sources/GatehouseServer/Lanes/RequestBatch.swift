import GatehouseCore

/// Requests on their way to another lane: the words of all of them in one allocation each.
struct RequestBatch: Sendable {
  struct Item: Sendable {
    let firstRange: Int
    let rangeCount: Int
    let partition: Int
    let ticket: UInt64
  }

  private var bytes = ContiguousArray<UInt8>()
  private var ranges = ContiguousArray<ArgumentRange>()
  private(set) var items: [Item] = []

  init() {}

  var isEmpty: Bool { items.isEmpty }

  mutating func append(_ request: Arguments, partition: Int, ticket: UInt64) {
    let first = ranges.count
    for index in 0..<request.count {
      let word = request[index]
      ranges.append(ArgumentRange(offset: bytes.count, count: word.count))
      bytes.append(contentsOf: word)
    }
    items.append(Item(firstRange: first, rangeCount: request.count, partition: partition, ticket: ticket))
  }

  /// Calls `body` with each request; the view is valid during the call.
  func forEach(_ body: (Item, Arguments) -> Void) {
    ranges.withUnsafeBufferPointer { ranges in
      bytes.withUnsafeBytes { bytes in
        for item in items {
          let own = UnsafeBufferPointer(rebasing: ranges[item.firstRange..<item.firstRange + item.rangeCount])
          // A request has a name, so there are bytes.
          body(item, Arguments(base: bytes.baseAddress!, ranges: own))
        }
      }
    }
  }
}
