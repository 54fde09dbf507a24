internal import COpenSSL

/// Why TLS cannot be used, or a connection over it cannot go on: what is wrong, and what to do if that is known.
package struct TLSError: Error, Sendable, Equatable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

extension TLSError {
  /// The oldest error in OpenSSL's queue of this thread, which is emptied: another connection's failure must not be
  /// taken for the next one's.
  static func takeReason() -> String? {
    let code = ERR_get_error()
    guard code != 0 else { return nil }
    defer { ERR_clear_error() }
    return ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(code)"
  }
}
