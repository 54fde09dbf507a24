/// Encodes values in the little-endian and variable-length forms of records and snapshots.
public struct ByteWriter: ~Copyable, Sendable {
  private var buffer = RawBuffer(capacity: 256, alignment: 16)
  /// Seals what is said of people; without it, all is plain.
  public var seals: (any SealKeeper)?

  public init() {}

  public var count: Int { buffer.count }

  /// The encoded bytes.
  @inline(__always)
  public func withBytes<Result, Failure>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(buffer.bytes)
  }

  /// A copy of the encoded bytes.
  public var bytes: ContiguousArray<UInt8> { ContiguousArray(buffer.bytes) }

  /// Makes room for that many more bytes.
  public mutating func reserve(_ count: Int) { _ = buffer.room(count) }

  public mutating func reset() { buffer.removeAll() }

  public mutating func byte(_ value: UInt8) {
    buffer.room(1)[0] = value
    buffer.advance(1)
  }

  /// Overwrites a byte that was written before its value was known.
  mutating func patch(_ value: UInt8, at offset: Int) { buffer.mutableBytes[offset] = value }

  /// LEB128: seven bits a byte, low bits first.
  @inline(__always)
  public mutating func varint(_ value: UInt64) {
    // Fast path: most numbers are lengths, counts and small ids.
    if value < 0x80 { byte(UInt8(truncatingIfNeeded: value)) } else { longVarint(value) }
  }

  private mutating func longVarint(_ value: UInt64) {
    let room = buffer.room(10)
    var rest = value
    var count = 0
    while rest >= 0x80 {
      room[count] = UInt8(truncatingIfNeeded: rest) | 0x80
      rest >>= 7
      count &+= 1
    }
    room[count] = UInt8(truncatingIfNeeded: rest)
    buffer.advance(count + 1)
  }

  @inline(__always)
  public mutating func varint(_ value: some FixedWidthInteger & UnsignedInteger) { varint(UInt64(value)) }

  public mutating func varint(_ value: Int) { varint(UInt64(value)) }

  /// A signed number, zigzag-coded so that small absolute values are short.
  public mutating func signed(_ value: Int64) {
    varint(UInt64(bitPattern: value << 1 ^ value >> 63))
  }

  public mutating func fixed64(_ value: UInt64) {
    buffer.room(8).storeBytes(of: value.littleEndian, as: UInt64.self)
    buffer.advance(8)
  }

  public mutating func fixed32(_ value: UInt32) {
    buffer.room(4).storeBytes(of: value.littleEndian, as: UInt32.self)
    buffer.advance(4)
  }

  public mutating func digest(_ value: Digest) {
    let room = buffer.room(32)
    room.storeBytes(of: value.a.littleEndian, toByteOffset: 0, as: UInt64.self)
    room.storeBytes(of: value.b.littleEndian, toByteOffset: 8, as: UInt64.self)
    room.storeBytes(of: value.c.littleEndian, toByteOffset: 16, as: UInt64.self)
    room.storeBytes(of: value.d.littleEndian, toByteOffset: 24, as: UInt64.self)
    buffer.advance(32)
  }

  public mutating func text(_ value: String) {
    var value = value
    value.withUTF8 { block(UnsafeRawBufferPointer($0)) }
  }

  /// A length and that many bytes.
  public mutating func block(_ value: UnsafeRawBufferPointer) {
    varint(value.count)
    buffer.append(value)
  }

  public mutating func block(_ value: ContiguousArray<UInt8>) { value.withUnsafeBytes { block($0) } }

  /// Bytes whose length is stored elsewhere.
  public mutating func raw(_ value: UnsafeRawBufferPointer) { buffer.append(value) }

  public mutating func flag(_ value: Bool) { byte(value ? 1 : 0) }

  public mutating func id<Entity>(_ id: Identifier<Entity>) { varint(id.raw) }

  /// Begins a block, preceded by one number with its length and, in the lowest bit, a flag.
  /// - Returns: the argument for `endBlock`.
  @inline(__always)
  mutating func beginBlock() -> Int {
    byte(0)
    return count
  }

  @inline(__always)
  mutating func endBlock(_ start: Int, flag: Bool) { endBlock(start, UInt64(count - start) << 1 | (flag ? 1 : 0)) }

  /// Ends a block that has a length only.
  @inline(__always)
  mutating func endBlock(_ start: Int) { endBlock(start, UInt64(count - start)) }

  @inline(__always)
  private mutating func endBlock(_ start: Int, _ word: UInt64) {
    if word < 0x80 { patch(UInt8(word), at: start - 1) } else { widen(start, word) }
  }

  /// Begins a long block, preceded by a length of eight bytes, so that the block need not be moved when it ends.
  mutating func beginSection() -> Int {
    fixed64(0)
    return count
  }

  mutating func endSection(_ start: Int) {
    let length = UInt64(count - start)
    for index in 0..<8 { patch(UInt8(truncatingIfNeeded: length >> (8 * UInt64(index))), at: start - 8 + index) }
  }

  /// Makes room for a length of more than one byte, and writes it.
  @inline(never)
  private mutating func widen(_ start: Int, _ word: UInt64) {
    let extra = (63 - word.leadingZeroBitCount) / 7
    let length = count - start
    _ = buffer.room(extra)
    buffer.advance(extra)
    let bytes = buffer.mutableBytes
    let source = UnsafeRawBufferPointer(rebasing: bytes[start..<start + length])
    UnsafeMutableRawBufferPointer(rebasing: bytes[(start + extra)...]).copyMemory(from: source)
    var rest = word
    for index in 0...extra {
      bytes[start - 1 + index] = UInt8(truncatingIfNeeded: rest & 0x7f) | (index < extra ? 0x80 : 0)
      rest >>= 7
    }
  }

  public mutating func optional<T>(_ value: T?, _ write: (inout ByteWriter, T) -> Void) {
    flag(value != nil)
    if let value { write(&self, value) }
  }

  public mutating func list<T>(_ values: some Collection<T>, _ write: (inout ByteWriter, T) -> Void) {
    varint(values.count)
    for value in values { write(&self, value) }
  }
}

/// Bytes that violate the format. They have passed their checksum, so either the program that wrote them had a bug, or
/// the format is newer.
public struct CodingError: Error, Equatable, CustomStringConvertible {
  public let what: String
  public let offset: Int

  public init(_ what: String, at offset: Int) {
    self.what = what
    self.offset = offset
  }

  public var description: String { "\(what) at byte \(offset)" }
}

/// Decodes what `ByteWriter` wrote; every read is bounds-checked.
public struct ByteReader {
  public private(set) var bytes: UnsafeRawBufferPointer
  public private(set) var offset = 0
  /// Whether something was skipped that only a newer version knows: a change, a section of a snapshot, the last fields of
  /// either's values, or a part of a value. Whoever writes the values again would lose it.
  public private(set) var hasSkipped = false

  public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// Something of a newer version is skipped.
  mutating func skip() { hasSkipped = true }

  /// The reader of a block, or of another part, has read all that this version knows; what is left is skipped.
  @inline(__always)
  mutating func end(_ part: ByteReader) {
    if !part.isAtEnd || part.hasSkipped { hasSkipped = true }
  }

  public var isAtEnd: Bool { offset >= bytes.count }

  public func failure(_ what: String) -> CodingError { CodingError(what, at: offset) }

  public mutating func byte() throws(CodingError) -> UInt8 {
    guard offset < bytes.count else { throw failure("the end inside a value") }
    defer { offset += 1 }
    return bytes[offset]
  }

  @inline(__always)
  public mutating func varint() throws(CodingError) -> UInt64 {
    // Fast path: most numbers are lengths, counts and small ids.
    if offset < bytes.count, bytes[offset] < 0x80 {
      offset += 1
      return UInt64(bytes[offset - 1])
    }
    return try longVarint()
  }

  private mutating func longVarint() throws(CodingError) -> UInt64 {
    var result: UInt64 = 0
    var shift: UInt64 = 0
    var end = offset
    defer { offset = end }
    while end < bytes.count {
      let next = bytes[end]
      end += 1
      guard shift < 63 || next <= 1 else { throw CodingError("a number of more than 64 bits", at: end) }
      result |= UInt64(next & 0x7f) << shift
      if next < 0x80 { return result }
      shift += 7
    }
    throw CodingError("the end inside a value", at: end)
  }

  /// A number that must fit `T`.
  public mutating func number<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(CodingError) -> T {
    guard let value = T(exactly: try varint()) else { throw failure("a number too large for its field") }
    return value
  }

  /// A count of elements of at least one byte each, which therefore cannot exceed the bytes left.
  public mutating func count() throws(CodingError) -> Int {
    let value = try varint()
    guard value <= UInt64(bytes.count - offset) else { throw failure("a count past the end") }
    return Int(value)
  }

  public mutating func signed() throws(CodingError) -> Int64 {
    let raw = try varint()
    return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
  }

  public mutating func fixed64() throws(CodingError) -> UInt64 {
    guard bytes.count - offset >= 8 else { throw failure("the end inside a value") }
    defer { offset += 8 }
    return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  public mutating func fixed32() throws(CodingError) -> UInt32 {
    guard bytes.count - offset >= 4 else { throw failure("the end inside a value") }
    defer { offset += 4 }
    return UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }

  public mutating func digest() throws(CodingError) -> Digest {
    Digest(try fixed64(), try fixed64(), try fixed64(), try fixed64())
  }

  public mutating func block() throws(CodingError) -> UnsafeRawBufferPointer {
    let count = try count()
    defer { offset += count }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
  }

  /// The next `count` bytes.
  public mutating func raw(_ count: Int) throws(CodingError) -> UnsafeRawBufferPointer {
    guard count <= bytes.count - offset else { throw failure("the end inside a value") }
    defer { offset += count }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
  }

  /// The remaining bytes.
  var restBytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[min(offset, bytes.count)...]) }

  /// A copy of the remaining bytes.
  var rest: ContiguousArray<UInt8> { ContiguousArray(restBytes) }

  /// A block with a flag, written by `beginBlock` and `endBlock`: a reader that ends with the block, and the flag.
  @inline(__always)
  mutating func flaggedBlock() throws(CodingError) -> (reader: ByteReader, flag: Bool) {
    let word = try varint()
    return (try block(of: word >> 1), word & 1 != 0)
  }

  /// A block without a flag, written by `beginBlock` and `endBlock`.
  @inline(__always)
  mutating func measuredBlock() throws(CodingError) -> ByteReader { try block(of: try varint()) }

  /// A block written by `beginSection` and `endSection`.
  mutating func section() throws(CodingError) -> ByteReader { try block(of: try fixed64()) }

  @inline(__always)
  private mutating func block(of length: UInt64) throws(CodingError) -> ByteReader {
    guard length <= UInt64(bytes.count - offset) else { throw failure("a length past the end") }
    let end = offset + Int(length)
    var reader = self
    reader.bytes = UnsafeRawBufferPointer(rebasing: bytes[..<end])
    offset = end
    return reader
  }

  public mutating func id<Entity>() throws(CodingError) -> Identifier<Entity> { Identifier(raw: try varint()) }

  /// A value of an enumeration that is stored by raw value.
  public mutating func choice<T: RawRepresentable>(_ type: T.Type = T.self) throws(CodingError) -> T
  where T.RawValue == UInt8 {
    guard let value = T(rawValue: try byte()) else { throw failure("an unknown value of \(T.self)") }
    return value
  }

  public mutating func text() throws(CodingError) -> String { String(decoding: try block(), as: UTF8.self) }

  public mutating func flag() throws(CodingError) -> Bool { try byte() != 0 }

  public mutating func optional<T>(_ read: (inout ByteReader) throws(CodingError) -> T) throws(CodingError) -> T? {
    try flag() ? try read(&self) : nil
  }

  public mutating func list<T>(_ read: (inout ByteReader) throws(CodingError) -> T) throws(CodingError) -> [T] {
    let count = try count()
    var values: [T] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(try read(&self)) }
    return values
  }
}
