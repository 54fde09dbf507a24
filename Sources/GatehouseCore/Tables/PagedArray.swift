/// An array in pages (copy-on-write): a changed copy shares all other pages with the original.
///
/// The directory is a value that is replaced as a whole while others read the previous one. With its tables in pages, a
/// change costs one page and a reference for every 64 elements: with 10,000 workspaces, one page and 157 references
/// instead of a copy of the whole array.
public struct PagedArray<Element: Sendable>: Sendable {
  private static var shift: Int { 6 }
  private static var size: Int { 1 << shift }

  private var pages: ContiguousArray<ContiguousArray<Element>> = []
  public private(set) var count = 0

  public init() {}

  public init(_ elements: some Sequence<Element>) {
    for element in elements { append(element) }
  }

  public init(repeating element: Element, count: Int) {
    self.count = count
    pages.reserveCapacity((count + Self.size - 1) >> Self.shift)
    var rest = count
    while rest > 0 {
      pages.append(ContiguousArray(repeating: element, count: Swift.min(rest, Self.size)))
      rest -= Self.size
    }
  }

  public mutating func append(_ element: Element) {
    if count & (Self.size - 1) == 0 {
      var page = ContiguousArray<Element>()
      page.reserveCapacity(count == 0 ? 1 : Self.size)
      pages.append(page)
    }
    pages[pages.count - 1].append(element)
    count += 1
  }
}

extension PagedArray: RandomAccessCollection, MutableCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { count }

  public subscript(index: Int) -> Element {
    @inline(__always) get { pages[index >> Self.shift][index & (Self.size - 1)] }
    @inline(__always) _modify { yield &pages[index >> Self.shift][index & (Self.size - 1)] }
  }
}

extension PagedArray where Element == ContiguousArray<UInt8> {
  /// The bytes of an element, valid as long as this value lives; without reference counting.
  @inline(__always)
  func bytes(at index: Int) -> UnsafeRawBufferPointer {
    pages[index >> Self.shift][index & (Self.size - 1)].withUnsafeBytes { $0 }
  }
}
