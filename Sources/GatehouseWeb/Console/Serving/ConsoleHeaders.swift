import HTTPTypes
import Hummingbird
import NIOCore

/// The headers of all pages: nothing may be run, shown or framed but what comes from here.
enum ConsoleHeaders {
  private static let policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

  private static let frameOptions = HTTPField.Name("X-Frame-Options")!
  private static let contentTypeOptions = HTTPField.Name("X-Content-Type-Options")!
  private static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
  private static let openerPolicy = HTTPField.Name("Cross-Origin-Opener-Policy")!
  private static let resourcePolicy = HTTPField.Name("Cross-Origin-Resource-Policy")!

  /// `Referrer-Policy: same-origin` tells other sites nothing. With `no-referrer` browsers would send `Origin: null` with
  /// our own forms, and a form of another site could not be told from them.
  static func set(on response: inout Response, isKept: Bool = false) {
    response.headers[.contentSecurityPolicy] = policy
    response.headers[frameOptions] = "DENY"
    response.headers[contentTypeOptions] = "nosniff"
    response.headers[referrerPolicy] = "same-origin"
    response.headers[openerPolicy] = "same-origin"
    response.headers[resourcePolicy] = "same-origin"
    response.headers[.cacheControl] = isKept ? "public, max-age=31536000, immutable" : "no-store"
  }
}

extension Response {
  static func html(_ text: String, status: HTTPResponse.Status = .ok, cookies: [String] = []) -> Response {
    .console(text, type: "text/html; charset=utf-8", status: status, cookies: cookies)
  }

  static func redirect(toPage address: String, cookies: [String] = []) -> Response {
    var response = Response.console("", type: "text/plain; charset=utf-8", status: .seeOther, cookies: cookies)
    response.headers[.location] = address
    return response
  }

  static func console(
    _ text: String, type: String, status: HTTPResponse.Status = .ok, cookies: [String] = []
  ) -> Response {
    var response = Response(
      status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    ConsoleHeaders.set(on: &response)
    for cookie in cookies { response.headers.append(HTTPField(name: .setCookie, value: cookie)) }
    return response
  }
}
