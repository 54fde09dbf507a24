/// Appends numbers, hashes and bytes, little-endian and without gaps.
struct FieldWriter {
  private(set) var bytes: [UInt8] = []

  mutating func put(_ value: some FixedWidthInteger & BitwiseCopyable) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func put(_ hash: Hash128) {
    withUnsafeTemporaryAllocation(byteCount: Hash128.size, alignment: 1) { buffer in
      hash.store(to: buffer)
      bytes.append(contentsOf: buffer)
    }
  }

  mutating func put(contentsOf other: some Sequence<UInt8>) { bytes.append(contentsOf: other) }

  /// LEB128: groups of seven bits, lowest first, as many as needed.
  mutating func putVarint(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(value))
  }

  /// Zeros up to a length in bytes.
  mutating func pad(to count: Int) {
    precondition(bytes.count <= count)
    bytes.append(contentsOf: repeatElement(0, count: count - bytes.count))
  }

  mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// The hash of what has been put so far.
  var hash: Hash128 { bytes.withUnsafeBytes { Hash128(of: $0) } }
}

/// The bytes are too few, or not what the format requires.
struct MalformedBytes: Error, Equatable {}

/// Reads what a `FieldWriter` wrote.
struct FieldReader {
  private let bytes: [UInt8]
  private(set) var offset = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var remaining: Int { bytes.count - offset }

  mutating func take<Value: FixedWidthInteger & BitwiseCopyable>(
    _: Value.Type = Value.self
  ) throws(MalformedBytes) -> Value {
    let start = try advance(by: MemoryLayout<Value>.size)
    return bytes.withUnsafeBytes {
      Value(littleEndian: $0.loadUnaligned(fromByteOffset: start, as: Value.self))
    }
  }

  mutating func takeHash() throws(MalformedBytes) -> Hash128 {
    let start = try advance(by: Hash128.size)
    return bytes.withUnsafeBytes { Hash128(loading: UnsafeRawBufferPointer(rebasing: $0[start...])) }
  }

  mutating func take(count: Int) throws(MalformedBytes) -> ArraySlice<UInt8> {
    let start = try advance(by: count)
    return bytes[start..<offset]
  }

  mutating func takeVarint() throws(MalformedBytes) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      let byte: UInt8 = try take()
      // Only one bit is left for the tenth group.
      guard shift < 63 || byte <= 1 else { throw MalformedBytes() }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw MalformedBytes()
  }

  /// Skips `count` bytes and returns where they begin.
  private mutating func advance(by count: Int) throws(MalformedBytes) -> Int {
    guard count >= 0, count <= remaining else { throw MalformedBytes() }
    defer { offset += count }
    return offset
  }
}

/// The standard library's `withUnsafeBytes` loses the type of the thrown error; these keep it.
extension Array where Element == UInt8 {
  func withRawBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withUnsafeBufferPointer { buffer throws(Failure) in try body(UnsafeRawBufferPointer(buffer)) }
  }

  mutating func withMutableRawBytes<Result, Failure: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withUnsafeMutableBufferPointer { buffer throws(Failure) in try body(UnsafeMutableRawBufferPointer(buffer)) }
  }
}
