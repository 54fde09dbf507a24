/// Why the bytes of a client are not a request. The connection must be closed: what follows cannot be framed.
public enum ProtocolError: Error, Sendable, Equatable {
  /// A line without an end, longer than `WireLimits.inlineBytes`.
  case inlineTooLong
  case unbalancedQuotes
  /// The count of an array is not a number, or above `WireLimits.words`.
  case invalidMultibulkLength
  /// The length of a word is not a number, is negative, or above `WireLimits.wordBytes`.
  case invalidBulkLength
  /// A word of an array starts with another byte than `$`.
  case expectedDollar(UInt8)
  /// A word is not followed by CR LF, so its announced length was wrong.
  case expectedLineEnd
  case requestTooLong
  case unauthenticatedMultibulkLength
  case unauthenticatedBulkLength
  /// The first word belongs to HTTP: a browser was made to talk to this port. It gets no answer.
  case crossProtocol

  /// The text of the error reply to send before closing, or nil where the connection closes silently.
  public var reply: String? {
    guard let reason else { return nil }
    return "ERR Protocol error: " + reason
  }

  private var reason: String? {
    switch self {
    case .inlineTooLong: "too big inline request"
    case .unbalancedQuotes: "unbalanced quotes in request"
    case .invalidMultibulkLength: "invalid multibulk length"
    case .invalidBulkLength: "invalid bulk length"
    case .expectedDollar(let byte): "expected '$', got '\(Self.shown(byte))'"
    case .expectedLineEnd: "expected CRLF after bulk"
    case .requestTooLong: "too big request"
    case .unauthenticatedMultibulkLength: "unauthenticated multibulk length"
    case .unauthenticatedBulkLength: "unauthenticated bulk length"
    case .crossProtocol: nil
    }
  }

  /// A line end inside an error would end it early, so control bytes are shown as blanks.
  private static func shown(_ byte: UInt8) -> Character {
    byte < 0x20 || byte == 0x7f ? " " : Character(UnicodeScalar(byte))
  }
}
