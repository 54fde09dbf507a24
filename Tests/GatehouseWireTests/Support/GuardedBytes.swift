import Glibc

/// Memory that ends at an inaccessible page: reading one byte too far ends the test program.
final class GuardedBytes {
  private let mapping: UnsafeMutableRawPointer
  private let mapped: Int
  private let usable: Int

  init(capacity: Int) {
    let page = Int(getpagesize())
    usable = (capacity + page - 1) / page * page
    mapped = usable + page
    mapping = mmap(nil, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
    precondition(mapping != MAP_FAILED)
    precondition(mprotect(mapping + usable, page, PROT_NONE) == 0)
  }

  deinit { munmap(mapping, mapped) }

  /// Calls `body` with a copy of `bytes` that ends where the inaccessible page starts.
  func with<Result>(_ bytes: some Collection<UInt8>, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    precondition(bytes.count <= usable)
    let start = mapping + (usable - bytes.count)
    let target = UnsafeMutableRawBufferPointer(start: start, count: bytes.count)
    target.copyBytes(from: bytes)
    return body(UnsafeRawBufferPointer(target))
  }
}
