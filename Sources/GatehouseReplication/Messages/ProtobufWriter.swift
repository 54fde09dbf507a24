/// Writes a message in protobuf's wire format.
///
/// Of protobuf, etcd's interface uses only varints, bytes and nested messages. Writing these by hand takes two small
/// files, while the runtime and the generated code would be the largest part of the program's build.
struct ProtobufWriter {
  private(set) var bytes: [UInt8] = []

  /// How many bytes the length of a nested message takes. It is written before the message is, so always at this width.
  private static let lengthWidth = 4

  mutating func reserve(_ count: Int) { bytes.reserveCapacity(bytes.count + count) }

  /// A number; zero is what a missing field means.
  mutating func number(_ field: Int, _ value: UInt64) {
    guard value != 0 else { return }
    tag(field, wireType: 0)
    varint(value)
  }

  mutating func number(_ field: Int, _ value: Int64) { number(field, UInt64(bitPattern: value)) }

  /// A number in a `oneof`, where even a zero says which case it is.
  mutating func chosenNumber(_ field: Int, _ value: Int64) {
    tag(field, wireType: 0)
    varint(UInt64(bitPattern: value))
  }

  mutating func flag(_ field: Int, _ value: Bool) { number(field, value ? 1 as UInt64 : 0) }

  mutating func bytes(_ field: Int, _ value: [UInt8]) {
    guard !value.isEmpty else { return }
    chosenBytes(field, value)
  }

  /// Bytes in a `oneof`, where even none say which case it is.
  mutating func chosenBytes(_ field: Int, _ value: [UInt8]) {
    tag(field, wireType: 2)
    varint(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  mutating func text(_ field: Int, _ value: String) { bytes(field, Array(value.utf8)) }

  /// A nested message, written in place. Its length is padded to a fixed width, so that nothing is copied.
  mutating func message(_ field: Int, _ write: (inout ProtobufWriter) -> Void) {
    tag(field, wireType: 2)
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: Self.lengthWidth))
    write(&self)
    var length = bytes.count - start - Self.lengthWidth
    precondition(length < 1 << (7 * Self.lengthWidth), "no message is that long")
    for at in 0..<Self.lengthWidth {
      bytes[start + at] = UInt8(length & 0x7F) | (at + 1 < Self.lengthWidth ? 0x80 : 0)
      length >>= 7
    }
  }

  private mutating func tag(_ field: Int, wireType: UInt64) { varint(UInt64(field) << 3 | wireType) }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
