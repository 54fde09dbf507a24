import GatehouseCore

/// Replies that a lane has made in its tick and not sent yet: those of one connection after those of the other, in memory
/// that is used again and again.
struct LaneReplies: ~Copyable {
  /// How many bytes may gather before they leave ahead of the tick's end.
  static let most = 256 * 1024
  /// How much memory is kept.
  private static let kept = 1024 * 1024

  var bytes = LaneReplies.memory()
  /// Where the replies of the connection at hand begin.
  private var start = 0
  private var parts: ContiguousArray<(connection: Unmanaged<Connection>, end: Int)> = []

  init() {}

  private static func memory() -> RawBuffer { RawBuffer(capacity: most, alignment: 16) }

  /// How many bytes the connection at hand has added.
  @inline(__always)
  var added: Int { bytes.count - start }

  /// What was added since the last such call is a connection's.
  @inline(__always)
  mutating func end(of connection: Connection) {
    parts.append((Unmanaged.passUnretained(connection), bytes.count))
    start = bytes.count
  }

  /// Hands all replies over, in order, and forgets them.
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
