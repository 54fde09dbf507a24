/// Why a client's bytes are not a request. The connection must be closed, because the start of the next request is
/// unknown.
public enum ProtocolError: Error, Sendable, Equatable {
  /// A line longer than `WireLimits.inlineBytes`.
  case inlineTooLong
  case unbalancedQuotes
  /// The count of an array is not a number, or above `WireLimits.words`.
  case invalidMultibulkLength
  /// The length of a word is not a number, is negative, or above `WireLimits.wordBytes`.
  case invalidBulkLength
  /// A bulk string of an array does not start with `$`.
  case expectedDollar(UInt8)
  /// A bulk string is not followed by CR LF, so its announced length was wrong.
  case expectedLineEnd
  case requestTooLong
  case unauthenticatedMultibulkLength
  case unauthenticatedBulkLength
  /// The first word belongs to HTTP: a browser was tricked into talking to this port. It gets no answer.
  case crossProtocol

  /// The error reply to send before closing, or nil to close silently.
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

  /// Control bytes become blanks, because a line end would end the error early.
  private static func shown(_ byte: UInt8) -> Character {
    byte < 0x20 || byte == 0x7f ? " " : Character(UnicodeScalar(byte))
  }
}
