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
  public mutating func next() throws(ReplyError) -> RESPValue? {
    let outcome = bytes.withUnsafeBytes { scanner.next(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    let consumed: Int
    switch outcome {
    case .reply(let count, _), .push(let count): consumed = count
    case .incomplete: return nil
    case .malformed: throw .malformed
    }
    var decoder = ReplyDecoder(bytes[start..<start + consumed])
    let value = try decoder.value()
    start += consumed
    return value
  }
}
