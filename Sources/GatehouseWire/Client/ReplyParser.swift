/// Collects the bytes that a server sends, and returns them reply by reply.
public struct ReplyParser: Sendable {
  private var bytes: [UInt8] = []
  /// Where the bytes start that were not returned yet.
  private var start = 0
  private var scanner = ReplyScanner()

  /// Returned bytes are dropped once there are this many, not after every reply.
  private static let compactionThreshold = 64 * 1024

  public init() {}

  /// How many bytes were not returned yet.
  public var pendingBytes: Int { bytes.count - start }

  public mutating func append(_ more: some Sequence<UInt8>) {
    if start == bytes.count {
      bytes.removeAll(keepingCapacity: true)
      start = 0
    } else if start >= Self.compactionThreshold {
      bytes.removeSubrange(..<start)
      start = 0
    }
    bytes.append(contentsOf: more)
  }

  /// Returns all undecoded bytes as they are.
  public mutating func takeRest() -> [UInt8] {
    defer { self = ReplyParser() }
    return Array(bytes[start...])
  }

  /// The next reply or push, or nil until more bytes are appended.
  public mutating func next() throws(ReplyError) -> RESPValue? { try nextEncoded()?.decoded() }

  /// The next reply or push as it was sent, or nil until more bytes are appended.
  public mutating func nextEncoded() throws(ReplyError) -> EncodedReply? {
    let outcome = bytes.withUnsafeBytes { scanner.next(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    let reply: EncodedReply
    switch outcome {
    case .reply(let count, let isError): reply = EncodedReply(bytes: bytes[start..<start + count], isError: isError)
    case .push(let count): reply = EncodedReply(bytes: bytes[start..<start + count], isPush: true)
    case .incomplete: return nil
    case .malformed: throw .malformed
    }
    start += reply.bytes.count
    return reply
  }
}

/// One reply as it was sent. Decoding makes a value of every part, so who sends thousands of commands decodes only what
/// matters.
public struct EncodedReply: Sendable {
  public let bytes: ArraySlice<UInt8>
  public let isError: Bool
  public let isPush: Bool

  public init(bytes: ArraySlice<UInt8>, isError: Bool = false, isPush: Bool = false) {
    self.bytes = bytes
    self.isError = isError
    self.isPush = isPush
  }

  public func decoded() throws(ReplyError) -> RESPValue {
    var decoder = ReplyDecoder(bytes)
    return try decoder.value()
  }
}
