/// A list in manually managed memory, so that using it costs no reference counting.
struct FlatList<Element: BitwiseCopyable & Sendable>: ~Copyable, @unchecked Sendable {
  private(set) var count = 0
  private var capacity: Int
  private var storage: UnsafeMutablePointer<Element>

  private static var usual: Int { 16 }
  /// A list that grew beyond this is rare, and gets its usual capacity back.
  private static var kept: Int { 1024 }

  init() {
    capacity = Self.usual
    storage = .allocate(capacity: Self.usual)
  }

  deinit { storage.deallocate() }

  var isEmpty: Bool { count == 0 }

  /// Valid until the list changes.
  @inline(__always)
  var all: UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: storage, count: count) }

  @inline(__always)
  mutating func append(_ element: Element) {
    if count == capacity { resize(to: capacity * 2) }
    (storage + count).initialize(to: element)
    count += 1
  }

  @inline(__always)
  mutating func removeAll() {
    count = 0
    if capacity > Self.kept { resize(to: Self.usual) }
  }

  private mutating func resize(to newCapacity: Int) {
    let other = UnsafeMutablePointer<Element>.allocate(capacity: newCapacity)
    other.initialize(from: storage, count: count)
    storage.deallocate()
    storage = other
    capacity = newCapacity
  }
}
