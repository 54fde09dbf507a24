public import GatehouseCore
public import NIOCore

/// Writes replies in the form the connection speaks.
///
/// | node | RESP2 | RESP3 |
/// | --- | --- | --- |
/// | simple, error | `+text`, `-text`; CR and LF become blanks | same |
/// | integer | `:n` | same |
/// | text, secret | `$length`, bytes | same |
/// | verbatim | as text | `=length`, `txt:`, bytes |
/// | double | as text | `,n` |
/// | null | `$-1` | `_` |
/// | array | `*count` | same |
/// | push | `*count` | `>count` |
/// | map | `*count`, twice as many | `%pairs` |
public enum ReplyEncoder {
  /// Appends `reply` to `buffer`. Space is reserved once, for an upper bound of the whole reply.
  public static func encode(_ reply: Reply, _ version: ProtocolVersion, into buffer: inout ByteBuffer) {
    reply.withParts { encode($0, $1, version, into: &buffer) }
  }

  public static func encode(
    _ nodes: UnsafeBufferPointer<Reply.Node>, _ bytes: UnsafeRawBufferPointer, _ version: ProtocolVersion,
    into buffer: inout ByteBuffer
  ) {
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: upperBound(nodes)) {
      write(nodes, bytes, version, into: $0)
    }
  }

  /// Appends `reply` to a buffer without reference counting.
  public static func encode(_ reply: Reply, _ version: ProtocolVersion, into buffer: inout RawBuffer) {
    reply.withParts { encode($0, $1, version, into: &buffer) }
  }

  /// Appends a reply given by its parts (`Turn.replyParts`).
  public static func encode(
    _ nodes: UnsafeBufferPointer<Reply.Node>, _ bytes: UnsafeRawBufferPointer, _ version: ProtocolVersion,
    into buffer: inout RawBuffer
  ) {
    buffer.advance(write(nodes, bytes, version, into: buffer.room(upperBound(nodes))))
  }

  // MARK: Parts

  /// The most bytes that a node takes besides its text: a sign, the longest 64-bit number or double (24 bytes), the
  /// length of a double as text, the `txt:` of a verbatim text, and line ends.
  private static let maximumHeader = 48

  private static func upperBound(_ nodes: UnsafeBufferPointer<Reply.Node>) -> Int {
    var bound = nodes.count * maximumHeader
    for node in nodes where node.kind.isText { bound += Int(node.count) }
    return bound
  }

  @inline(__always)
  private static func write(
    _ nodes: UnsafeBufferPointer<Reply.Node>, _ bytes: UnsafeRawBufferPointer, _ version: ProtocolVersion,
    into target: UnsafeMutableRawBufferPointer
  ) -> Int {
    guard let start = target.baseAddress else { return 0 }
    var cursor = WireCursor(start)
    for node in nodes { write(node, bytes, version, &cursor) }
    precondition(cursor.written <= target.count)
    return cursor.written
  }

  @inline(__always)
  private static func write(
    _ node: Reply.Node, _ bytes: UnsafeRawBufferPointer, _ version: ProtocolVersion, _ cursor: inout WireCursor
  ) {
    switch node.kind {
    case .simple:
      cursor.line(UInt8(ascii: "+"), node.text(bytes))
    case .error:
      cursor.line(Byte.minus, node.text(bytes))
    case .integer:
      cursor.header(UInt8(ascii: ":"), Int(node.value))
    case .text, .secret:
      cursor.bulk(node.text(bytes))
    case .verbatim:
      if version == .resp3 { cursor.verbatim(node.text(bytes)) } else { cursor.bulk(node.text(bytes)) }
    case .double:
      cursor.double(Double(bitPattern: UInt64(bitPattern: node.value)), version)
    case .null:
      if version == .resp3 { cursor.raw("_\r\n") } else { cursor.raw("$-1\r\n") }
    case .array:
      cursor.header(Byte.asterisk, Int(node.count))
    case .push:
      cursor.header(version == .resp3 ? UInt8(ascii: ">") : Byte.asterisk, Int(node.count))
    case .map:
      if version == .resp3 {
        cursor.header(UInt8(ascii: "%"), Int(node.count))
      } else {
        cursor.header(Byte.asterisk, Int(node.count) * 2)
      }
    }
  }
}
