/// The first 128 bits of a SHA-256, which storage uses to identify, check and chain its data.
///
/// It is a cryptographic hash and not a checksum, so that the log's chain also proves that nobody has changed the past.
/// 128 bits rule out accidents, and twice as many hashes fit into a header.
package struct Hash128: Hashable, Sendable, BitwiseCopyable {
  package let high: UInt64
  package let low: UInt64

  /// The bytes that a stored hash takes.
  package static let size = 16
  package static let zero = Hash128(high: 0, low: 0)

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The hash of `bytes`.
  package init(of bytes: UnsafeRawBufferPointer) {
    var state = HashState()
    state.update(bytes)
    self = state.finish { Hash128(loading: $0) }
  }

  /// The hash of `prefix` and then `bytes`.
  package init(of prefix: UnsafeRawBufferPointer, then bytes: UnsafeRawBufferPointer) {
    var state = HashState()
    state.update(prefix)
    state.update(bytes)
    self = state.finish { Hash128(loading: $0) }
  }

  /// A hash as it was stored, in 16 bytes.
  package init(loading bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count >= Self.size)
    high = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
    low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
  }

  /// Stores the hash in the first 16 of `bytes`, in the order in which SHA-256 is printed.
  package func store(to bytes: UnsafeMutableRawBufferPointer) {
    precondition(bytes.count >= Self.size)
    bytes.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
    bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
  }
}

extension Hash128: CustomStringConvertible {
  /// Reads 32 hexadecimal digits, as `description` writes them.
  package init?(_ text: some StringProtocol) {
    guard let bytes = Hexadecimal.bytes(text), bytes.count == Self.size else { return nil }
    self = bytes.withUnsafeBytes { Hash128(loading: $0) }
  }

  /// 32 hexadecimal digits.
  package var description: String {
    [high, low].map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}
