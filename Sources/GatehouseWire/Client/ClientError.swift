/// Why a client cannot continue. After any of these its connection is unusable.
public enum ClientError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The host has no address.
  case unknownHost(String, reason: String)
  /// No address of the host accepted the connection; the reason is that of the last one.
  case refused(String, reason: String)
  case timedOut
  /// The server closed the connection.
  case closed
  /// … before it said anything, on a connection without TLS.
  case closedUnanswered
  /// Reading or writing failed.
  case broken(reason: String)
  case malformedReply(ReplyError)
  /// TLS could not be agreed on, such as a certificate that is not believed.
  case untrusted(reason: String)
  /// What answered speaks no TLS.
  case notTLS

  public var description: String {
    switch self {
    case .unknownHost(let host, let reason): "cannot find \(host): \(reason)"
    case .refused(let address, let reason): "cannot connect to \(address): \(reason)"
    case .timedOut: "the server did not answer in time"
    case .closed: "the server closed the connection"
    case .closedUnanswered:
      "the server closed the connection without an answer; if the port is one for TLS, connect with TLS (--tls)"
    case .broken(let reason): "the connection broke: \(reason)"
    case .malformedReply(let error): error.description
    case .untrusted(let reason): "no TLS connection: \(reason)"
    case .notTLS:
      "no TLS connection: the port answers without TLS; connect without it (leave --tls out), or name the port for TLS"
    }
  }
}
