import GatehouseCore

/// Replies that a lane has made in its tick and not sent yet, one connection after the other, in a reused buffer.
struct LaneReplies: ~Copyable {
  /// Once this many bytes have gathered they are sent before the tick ends.
  static let most = 256 * 1024
  /// A buffer that has grown beyond this is freed.
  private static let kept = 1024 * 1024

  var bytes = LaneReplies.memory()
  /// Where the replies of the current connection begin.
  private var start = 0
  private var parts: ContiguousArray<(connection: Unmanaged<Connection>, end: Int)> = []

  init() {}

  private static func memory() -> RawBuffer { RawBuffer(capacity: most, alignment: 16) }

  /// How many bytes the current connection has added.
  @inline(__always)
  var added: Int { bytes.count - start }

  /// Assigns what was added since the last call to this connection.
  @inline(__always)
  mutating func end(of connection: Connection) {
    parts.append((Unmanaged.passUnretained(connection), bytes.count))
    start = bytes.count
  }

  /// Hands over all replies, in order, and empties the buffer.
  @inline(__always)
  mutating func empty(_ send: (Connection, UnsafeRawBufferPointer) -> Void) {
    precondition(start == bytes.count, "replies are nobody's")
    var from = 0
    for part in parts {
      part.connection._withUnsafeGuaranteedRef {
        send($0, UnsafeRawBufferPointer(rebasing: bytes.bytes[from..<part.end]))
      }
      from = part.end
    }
    parts.removeAll(keepingCapacity: true)
    bytes.removeAll()
    start = 0
    if bytes.capacity > Self.kept { bytes = Self.memory() }
  }
}

extension Lane {
  /// Sends all replies that were made.
  @inline(__always)
  func sendReplies() {
    if replies.bytes.count == 0 { return }
    replies.empty { $0.send($1) }
  }
}
