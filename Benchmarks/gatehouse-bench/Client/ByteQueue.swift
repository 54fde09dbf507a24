import Glibc

/// A queue of bytes in one block of memory.
struct ByteQueue: ~Copyable {
  private var storage: UnsafeMutableRawPointer
  private var capacity: Int
  private var start = 0
  private var end = 0

  init(capacity: Int) {
    precondition(capacity > 0)
    self.capacity = capacity
    storage = .allocate(byteCount: capacity, alignment: 16)
  }

  deinit { storage.deallocate() }

  var count: Int { end - start }
  var isEmpty: Bool { start == end }

  /// What was appended and not consumed yet; valid until the next mutation.
  var unread: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: storage + start, count: end - start)
  }

  @inline(__always)
  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    reserve(bytes.count)
    if let base = bytes.baseAddress { memcpy(storage + end, base, bytes.count) }
    end += bytes.count
  }

  /// Lets `body` fill free space of at least `minimum` bytes; it returns how many it wrote.
  mutating func fill(minimum: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
    reserve(minimum)
    let written = body(UnsafeMutableRawBufferPointer(start: storage + end, count: capacity - end))
    if written > 0 {
      precondition(written <= capacity - end)
      end += written
    }
    return written
  }

  @inline(__always)
  mutating func consume(_ bytes: Int) {
    precondition(bytes >= 0 && bytes <= end - start)
    start += bytes
    if start == end {
      start = 0
      end = 0
    }
  }

  @inline(__always)
  private mutating func reserve(_ bytes: Int) {
    if capacity - end < bytes { makeRoom(bytes) }
  }

  @inline(never)
  private mutating func makeRoom(_ bytes: Int) {
    let used = end - start
    if capacity - used >= bytes {
      memmove(storage, storage + start, used)
    } else {
      capacity = max(capacity * 2, used + bytes)
      let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
      memcpy(larger, storage + start, used)
      storage.deallocate()
      storage = larger
    }
    start = 0
    end = used
  }
}
