/// Bytes that grow as they are appended and are used again: nothing is allocated for what is put in.
public struct RawBuffer: ~Copyable, @unchecked Sendable {
  private var base: UnsafeMutableRawPointer
  public private(set) var capacity: Int
  public private(set) var count = 0
  private let alignment: Int

  /// - Parameter alignment: what the address of the bytes is a multiple of.
  public init(capacity: Int, alignment: Int) {
    self.capacity = max(capacity, 64)
    self.alignment = alignment
    base = .allocate(byteCount: self.capacity, alignment: alignment)
  }

  deinit { base.deallocate() }

  /// What was appended; valid until the buffer is next changed.
  public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
  public var mutableBytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: base, count: count) }

  public mutating func removeAll() { count = 0 }

  /// Drops the bytes from `count` on.
  public mutating func truncate(to count: Int) {
    precondition(count <= self.count)
    self.count = count
  }

  /// Makes room for `more` bytes and returns it; what of it was filled is then claimed with `advance`.
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

  /// Drops the first bytes and moves the others to the front.
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
