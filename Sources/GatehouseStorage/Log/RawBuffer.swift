/// Bytes that grow as they are appended and are used again: the log allocates nothing for a record.
package struct RawBuffer: ~Copyable, @unchecked Sendable {
  private var base: UnsafeMutableRawPointer
  private(set) package var capacity: Int
  private(set) package var count = 0

  /// Pages are moved to and from the disk whole, so the buffers begin at one.
  private static let alignment = 4096

  package init(capacity: Int = 64 << 10) {
    self.capacity = max(capacity, 64)
    base = .allocate(byteCount: self.capacity, alignment: Self.alignment)
  }

  deinit { base.deallocate() }

  /// What was appended; valid until the buffer is next changed.
  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
  package var mutableBytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: base, count: count) }

  package mutating func removeAll() { count = 0 }

  /// Drops the bytes from `count` on.
  package mutating func truncate(to count: Int) {
    precondition(count <= self.count)
    self.count = count
  }

  /// Makes room for `more` bytes and returns it; what of it was filled is then claimed with `advance`.
  @inline(__always)
  package mutating func room(_ more: Int) -> UnsafeMutableRawBufferPointer {
    if count + more > capacity { grow(to: count + more) }
    return UnsafeMutableRawBufferPointer(start: base + count, count: more)
  }

  @inline(__always)
  package mutating func advance(_ filled: Int) {
    precondition(count + filled <= capacity)
    count += filled
  }

  @inline(__always)
  package mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress else { return }
    room(bytes.count).baseAddress!.copyMemory(from: source, byteCount: bytes.count)
    count += bytes.count
  }

  package mutating func appendZeros(_ zeros: Int) {
    room(zeros).initializeMemory(as: UInt8.self, repeating: 0)
    count += zeros
  }

  /// Drops the first bytes and moves the others to the front.
  package mutating func removeFirst(_ first: Int) {
    precondition(first <= count)
    count -= first
    base.copyMemory(from: base + first, byteCount: count)
  }

  @inline(never)
  private mutating func grow(to needed: Int) {
    capacity = max(needed, capacity * 2)
    let grown = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: Self.alignment)
    grown.copyMemory(from: base, byteCount: count)
    base.deallocate()
    base = grown
  }
}

extension UnsafeRawBufferPointer {
  /// How many bytes there are up to the last that is not zero. Whole words at a time: segments end in
  /// many megabytes of zeros.
  var countWithoutTrailingZeros: Int {
    var end = count
    while end >= 8, loadUnaligned(fromByteOffset: end - 8, as: UInt64.self) == 0 { end -= 8 }
    while end > 0, self[end - 1] == 0 { end -= 1 }
    return end
  }
}
