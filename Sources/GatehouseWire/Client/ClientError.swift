/// Why a client cannot continue. After any of these its connection is unusable.
public enum ClientError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The host has no address.
  case unknownHost(String, reason: String)
  /// No address of the host accepted the connection; the reason is that of the last one.
  case refused(String, reason: String)
  case timedOut
  /// The server closed the connection.
  case closed
  /// Reading or writing failed.
  case broken(reason: String)
  case malformedReply(ReplyError)
  /// TLS could not be agreed on, such as a certificate that is not believed.
  case untrusted(reason: String)

  public var description: String {
    switch self {
    case .unknownHost(let host, let reason): "cannot find \(host): \(reason)"
    case .refused(let address, let reason): "cannot connect to \(address): \(reason)"
    case .timedOut: "the server did not answer in time"
    case .closed: "the server closed the connection"
    case .broken(let reason): "the connection broke: \(reason)"
    case .malformedReply(let error): error.description
    case .untrusted(let reason): "no TLS connection: \(reason)"
    }
  }
}
