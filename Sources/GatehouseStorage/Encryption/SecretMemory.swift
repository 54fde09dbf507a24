internal import Glibc

/// 32 secret bytes in a page of their own: kept out of core dumps and, where the limits allow it, out of the swap; not
/// inherited by a forked child; wiped before the page is given back.
///
/// A key passes through ordinary memory only for the length of one call, in a `SymmetricKey`, which wipes itself.
package final class SecretMemory: @unchecked Sendable, CustomStringConvertible, CustomReflectable {
  static let size = 32
  private static let pageSize = 4096

  // Written by the initialiser only. Reading from several threads is safe, and the last reference frees it.
  private let page: UnsafeMutableRawPointer

  /// - Parameter fill: writes the 32 bytes, which are zero before.
  init(_ fill: (UnsafeMutableRawBufferPointer) -> Void) {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS
    guard let page = mmap(nil, Self.pageSize, PROT_READ | PROT_WRITE, flags, -1, 0), page != MAP_FAILED else {
      fatalError("out of memory")
    }
    // A kernel that does not know the advice, or a limit on locked memory, must not keep the server from starting.
    _ = madvise(page, Self.pageSize, Int32(MADV_DONTDUMP))
    _ = madvise(page, Self.pageSize, Int32(MADV_WIPEONFORK))
    _ = mlock(page, Self.pageSize)
    self.page = page
    fill(UnsafeMutableRawBufferPointer(start: page, count: Self.size))
  }

  convenience init(_ bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count == Self.size)
    self.init { $0.copyMemory(from: bytes) }
  }

  /// Drawn from the kernel's random generator.
  static func random() -> SecretMemory { SecretMemory { fillRandom($0) } }

  deinit {
    explicit_bzero(page, Self.pageSize)
    munmap(page, Self.pageSize)
  }

  /// The bytes; valid during the call only.
  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try body(UnsafeRawBufferPointer(start: page, count: Self.size))
  }

  package var description: String { "(\(Self.size) secret bytes)" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

extension Array where Element == UInt8 {
  /// Overwrites the bytes with zeros, in a way that the compiler does not leave out.
  mutating func wipe() {
    withUnsafeMutableBytes { bytes in
      if let start = bytes.baseAddress { explicit_bzero(start, bytes.count) }
    }
  }
}
