/// A growable byte buffer that keeps its memory for reuse, so that appending rarely allocates.
public struct RawBuffer: ~Copyable, @unchecked Sendable {
  private var base: UnsafeMutableRawPointer
  public private(set) var capacity: Int
  public private(set) var count = 0
  private let alignment: Int

  /// - Parameter alignment: the alignment of the bytes' address.
  public init(capacity: Int, alignment: Int) {
    self.capacity = max(capacity, 64)
    self.alignment = alignment
    base = .allocate(byteCount: self.capacity, alignment: alignment)
  }

  deinit { base.deallocate() }

  /// The appended bytes; valid until the buffer changes.
  public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
  public var mutableBytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: base, count: count) }

  public mutating func removeAll() { count = 0 }

  /// Drops the bytes from `count` on.
  public mutating func truncate(to count: Int) {
    precondition(count <= self.count)
    self.count = count
  }

  /// Makes room for `more` bytes and returns it; the caller fills it and claims the filled part with `advance`.
  @inline(__always)
  public mutating func room(_ more: Int) -> UnsafeMutableRawBufferPointer {
    if count + more > capacity { grow(to: count + more) }
    return UnsafeMutableRawBufferPointer(start: base + count, count: more)
  }

  @inline(__always)
  public mutating func advance(_ filled: Int) {
    precondition(count + filled <= capacity)
    count += filled
  }

  @inline(__always)
  public mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress else { return }
    room(bytes.count).baseAddress!.copyMemory(from: source, byteCount: bytes.count)
    count += bytes.count
  }

  public mutating func appendZeros(_ zeros: Int) {
    room(zeros).initializeMemory(as: UInt8.self, repeating: 0)
    count += zeros
  }

  /// Drops the first bytes and moves the rest to the front.
  public mutating func removeFirst(_ first: Int) {
    precondition(first <= count)
    count -= first
    base.copyMemory(from: base + first, byteCount: count)
  }

  @inline(never)
  private mutating func grow(to needed: Int) {
    capacity = max(needed, capacity * 2)
    let grown = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: alignment)
    grown.copyMemory(from: base, byteCount: count)
    base.deallocate()
    base = grown
  }
}
