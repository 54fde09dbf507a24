import GatehouseCore

/// Requests on their way to another lane: the words of all of them in one allocation each.
struct RequestBatch: Sendable {
  struct Item: Sendable {
    let partition: Int
    let ticket: UInt64
    fileprivate let start: Int
    fileprivate let firstRange: Int
    fileprivate let rangeCount: Int
  }

  private var bytes = ContiguousArray<UInt8>()
  private var ranges = ContiguousArray<ArgumentRange>()
  private(set) var items: ContiguousArray<Item> = []

  init() {}

  var isEmpty: Bool { items.isEmpty }

  mutating func append(_ request: Arguments, partition: Int, ticket: UInt64) {
    items.append(
      Item(
        partition: partition, ticket: ticket, start: bytes.count, firstRange: ranges.count, rangeCount: request.count))
    // In one go, with what frames the words.
    bytes.append(contentsOf: request.extent)
    for index in 0..<request.count { ranges.append(request.rangeInExtent(index)) }
  }

  /// Calls `body` with a way to each request by its place among the items; the views are valid during the call.
  func withRequests(_ body: ((Int) -> Arguments) -> Void) {
    ranges.withUnsafeBufferPointer { ranges in
      bytes.withUnsafeBytes { bytes in
        body { place in
          let item = items[place]
          let own = UnsafeBufferPointer(rebasing: ranges[item.firstRange..<item.firstRange + item.rangeCount])
          // A request has a name, so there are bytes.
          return Arguments(base: bytes.baseAddress! + item.start, ranges: own)
        }
      }
    }
  }
}
