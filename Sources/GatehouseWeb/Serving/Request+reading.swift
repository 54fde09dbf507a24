import HTTPTypes
import Hummingbird

extension Request {
  /// How the client reaches this server: `https://host`. A proxy in front says by which scheme; where several stand in a
  /// row, the first of them met the client.
  func origin(_ context: WebContext) -> String {
    "\(isSealed(context) ? "https" : "http")://\(head.authority ?? "localhost")"
  }

  /// Whether the client speaks TLS, with this server or with a proxy in front of it.
  func isSealed(_ context: WebContext) -> Bool {
    let told = headers[.forwardedProto].flatMap { $0.split(separator: ",").first }?.filter { $0 != " " }.lowercased()
    return told.map { $0 == "https" } ?? context.isSealed
  }

  /// Refuses a compressed body, instead of taking it for a broken one.
  ///
  /// - Throws: `Problem` 415.
  func requirePlainBody() throws {
    guard let encoding = headers[.contentEncoding], !encoding.isEmpty, encoding.lowercased() != "identity" else {
      return
    }
    throw Problem(
      .unsupportedMediaType, "ERR", "the body is encoded as \(encoding); send it without Content-Encoding")
  }
}

extension HTTPField.Name {
  fileprivate static let forwardedProto = Self("X-Forwarded-Proto")!
}
