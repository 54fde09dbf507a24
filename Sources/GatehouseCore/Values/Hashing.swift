/// The key of a `sipHash`.
public struct HashKey: Sendable, Equatable {
  public let low: UInt64
  public let high: UInt64

  public init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }
}

/// SipHash-1-3, the keyed hash that spreads names over partitions and index slots. No file contains its results, but
/// they select the partition, so the function must never change for a folder.
///
/// Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012).
public func sipHash(_ bytes: UnsafeRawBufferPointer, key: HashKey) -> UInt64 {
  var v0 = key.low ^ 0x736f_6d65_7073_6575
  var v1 = key.high ^ 0x646f_7261_6e64_6f6d
  var v2 = key.low ^ 0x6c79_6765_6e65_7261
  var v3 = key.high ^ 0x7465_6462_7974_6573

  @inline(__always) func rotate(_ x: UInt64, _ n: UInt64) -> UInt64 { x << n | x >> (64 - n) }
  @inline(__always) func round() {
    v0 &+= v1
    v1 = rotate(v1, 13) ^ v0
    v0 = rotate(v0, 32)
    v2 &+= v3
    v3 = rotate(v3, 16) ^ v2
    v0 &+= v3
    v3 = rotate(v3, 21) ^ v0
    v2 &+= v1
    v1 = rotate(v1, 17) ^ v2
    v2 = rotate(v2, 32)
  }

  let count = bytes.count
  var offset = 0
  while offset + 8 <= count {
    let word = Words.load(bytes, at: offset)
    v3 ^= word
    round()
    v0 ^= word
    offset += 8
  }
  var last = UInt64(truncatingIfNeeded: count) << 56
  if offset < count { last |= Words.load(bytes, at: offset) }
  v3 ^= last
  round()
  v0 ^= last
  v2 ^= 0xff
  round()
  round()
  round()
  return v0 ^ v1 ^ v2 ^ v3
}

/// A SHA-256 digest as four words, so that it is stored inline in a row and compared without a branch.
public struct Digest: Sendable, Hashable, BitwiseCopyable {
  public let a: UInt64
  public let b: UInt64
  public let c: UInt64
  public let d: UInt64

  public init(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64) {
    self.a = a
    self.b = b
    self.c = c
    self.d = d
  }

  public static let zero = Digest(0, 0, 0, 0)

  /// Compares in constant time.
  public func matches(_ other: Digest) -> Bool {
    (a ^ other.a) | (b ^ other.b) | (c ^ other.c) | (d ^ other.d) == 0
  }

  /// An arbitrary but fixed order, for writing what has digests as keys.
  func isOrdered(before other: Digest) -> Bool { (a, b, c, d) < (other.a, other.b, other.c, other.d) }
}
