/// What a field of a message holds.
enum ProtobufValue {
  case number(UInt64)
  /// Bytes, text or a nested message; valid only while the message's bytes are.
  case bytes(UnsafeRawBufferPointer)
}

/// Bytes that are no message of protobuf.
struct ProtobufError: Error, Equatable {
  var what: String
}

/// A message that can be read from protobuf's wire format. A field that is not there keeps its default, and one that is
/// not known is passed over, as protobuf wants it.
protocol ProtobufReadable {
  init()
  mutating func set(_ field: Int, _ value: ProtobufValue) throws(ProtobufError)
}

extension ProtobufReadable {
  init(reading bytes: UnsafeRawBufferPointer) throws(ProtobufError) {
    self.init()
    var reader = ProtobufReader(bytes)
    while let (field, value) = try reader.next() { try set(field, value) }
  }
}

/// Takes a message apart. Whatever the bytes are, it reads none outside of them.
private struct ProtobufReader {
  private let bytes: UnsafeRawBufferPointer
  private var at = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// The next field; nil at the end. Fixed-width numbers, which etcd does not use, are passed over.
  mutating func next() throws(ProtobufError) -> (field: Int, value: ProtobufValue)? {
    while at < bytes.count {
      let tag = try varint()
      guard let field = Int(exactly: tag >> 3), field > 0 else { throw ProtobufError(what: "a field without a number") }
      switch tag & 7 {
      case 0: return (field, .number(try varint()))
      case 1: try skip(8)
      case 2:
        guard let count = Int(exactly: try varint()) else { throw ProtobufError(what: "a length beyond all bounds") }
        let start = at
        try skip(count)
        return (field, .bytes(UnsafeRawBufferPointer(rebasing: bytes[start..<at])))
      case 5: try skip(4)
      default: throw ProtobufError(what: "a field of an unknown kind")
      }
    }
    return nil
  }

  private mutating func skip(_ count: Int) throws(ProtobufError) {
    guard count <= bytes.count - at else { throw ProtobufError(what: "a field longer than the message") }
    at += count
  }

  private mutating func varint() throws(ProtobufError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard at < bytes.count else { throw ProtobufError(what: "the message ends within a number") }
      let byte = bytes[at]
      at += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return value }
    }
    throw ProtobufError(what: "a number of more than ten bytes")
  }
}

extension ProtobufValue {
  func unsigned() throws(ProtobufError) -> UInt64 {
    guard case .number(let value) = self else { throw ProtobufError(what: "bytes where a number belongs") }
    return value
  }

  /// No index, epoch or number of bytes gets here in any time, and a few such numbers can be added.
  static let greatestCount: UInt64 = 1 << 60

  /// A number that may be added to.
  func count() throws(ProtobufError) -> UInt64 {
    let value = try unsigned()
    guard value <= Self.greatestCount else { throw ProtobufError(what: "a number beyond all bounds") }
    return value
  }

  func signed() throws(ProtobufError) -> Int64 { Int64(bitPattern: try unsigned()) }

  func flag() throws(ProtobufError) -> Bool { try unsigned() != 0 }

  func bytes() throws(ProtobufError) -> [UInt8] { Array(try raw()) }

  func text() throws(ProtobufError) -> String { String(decoding: try raw(), as: UTF8.self) }

  func message<Message: ProtobufReadable>(_: Message.Type = Message.self) throws(ProtobufError) -> Message {
    try Message(reading: try raw())
  }

  private func raw() throws(ProtobufError) -> UnsafeRawBufferPointer {
    guard case .bytes(let bytes) = self else { throw ProtobufError(what: "a number where bytes belong") }
    return bytes
  }
}
