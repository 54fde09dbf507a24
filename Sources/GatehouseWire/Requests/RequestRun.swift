public import GatehouseCore

/// A run of complete array requests in a client's bytes, parsed in one go so that a lane can prefetch for all of them.
public struct RequestRun: ~Copyable, Sendable {
  /// How many requests a run has at most: enough to overlap memory accesses, few enough to stay in the cache.
  public static let most = 16

  struct Item: BitwiseCopyable, Sendable {
    let start: Int
    let end: Int
    let firstRange: Int
    let rangeCount: Int
  }

  private var items = FlatList<Item>()
  private var ranges = FlatList<ArgumentRange>()

  public init() {}

  public var count: Int { items.count }

  /// Finds the run at the start of `bytes`. If it ends before the bytes do, ask the parser about the rest.
  public mutating func fill(_ bytes: UnsafeRawBufferPointer, _ parser: inout RequestParser) {
    items.removeAll()
    ranges.removeAll()
    var start = 0
    while items.count < Self.most, start < bytes.count, bytes[start] == Byte.asterisk {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
      guard case .request(let consumed) = parser.next(rest) else { return }
      items.append(
        Item(start: start, end: start + consumed, firstRange: ranges.count, rangeCount: parser.ranges.count))
      for range in parser.ranges.all { ranges.append(range) }
      start += consumed
    }
  }

  /// The words of a request; `bytes` are those in which the run was found. Valid until the run is filled again.
  @inline(__always)
  public func request(_ index: Int, in bytes: UnsafeRawBufferPointer) -> Arguments {
    let item = items.all[index]
    let words = UnsafeBufferPointer(rebasing: ranges.all[item.firstRange..<item.firstRange + item.rangeCount])
    return Arguments(base: bytes.baseAddress! + item.start, ranges: words)
  }

  /// The offset after a request.
  @inline(__always)
  public func end(of index: Int) -> Int { items.all[index].end }
}
