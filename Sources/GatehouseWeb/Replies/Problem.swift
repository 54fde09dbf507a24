import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1

/// An error as `application/problem+json` (RFC 9457): what was wrong, and what to do.
struct Problem: Error, Equatable {
  let status: HTTPResponse.Status
  /// The code of the refusal (`NOPERM`, `REFUSED`), or of HTTP's own errors (`BODY-TOO-LARGE`).
  let code: String
  let detail: String
  /// The rule that refuses, for `REFUSED rule: why`.
  var rule: String?
  /// What was wrong, without the rule and the remedy.
  var why: String { Self.parts(explanation).why }
  /// What to do instead, where the text says so after a semicolon.
  var remedy: String? { Self.parts(explanation).remedy }
  /// In how many seconds to try again.
  var retryAfter: Int?

  init(_ status: HTTPResponse.Status, _ code: String, _ detail: String) {
    self.status = status
    self.code = code
    self.detail = detail
  }

  /// An error that a command was answered with.
  init(error text: String) {
    let code = text.head(before: " ")
    let detail = String(decoding: text.utf8.dropFirst(code.utf8.count + 1), as: UTF8.self)
    self.init(Self.status(of: code), code, detail)
    if code == "REFUSED", detail.utf8.contains(UInt8(ascii: ":")) { rule = detail.head(before: ":") }
    if status == .tooManyRequests || status == .serviceUnavailable { retryAfter = 1 }
  }

  private var explanation: String {
    guard let rule, detail.utf8.starts(with: (rule + ":").utf8) else { return detail }
    return String(decoding: detail.utf8.dropFirst(rule.utf8.count + 1), as: UTF8.self).trimmed
  }

  private static func parts(_ text: String) -> (why: String, remedy: String?) {
    // By bytes: what somebody has typed may stand there, and join with the blank behind the semicolon.
    let bytes = Array(text.utf8)
    let end = bytes.indices.dropLast().first { bytes[$0] == UInt8(ascii: ";") && bytes[$0 + 1] == UInt8(ascii: " ") }
    guard let end else { return (text, nil) }
    return (String(decoding: bytes[..<end], as: UTF8.self), String(decoding: bytes[(end + 2)...], as: UTF8.self))
  }

  private static func status(of code: String) -> HTTPResponse.Status {
    switch code {
    case "NOAUTH", "WRONGPASS": .unauthorized
    case "NOPERM": .forbidden
    case "NOTFOUND": .notFound
    case "CONFLICT", "NOSEATS", "REFUSED": .conflict
    case "STALE": .preconditionFailed
    case "LIMIT": .tooManyRequests
    case "BUSY", "LOADING", "READONLY", "MASTERDOWN": .serviceUnavailable
    default: .badRequest
    }
  }

  static let unauthenticated = Problem(
    .unauthorized, "NOAUTH", "this needs a service's secret; send `Authorization: Bearer <secret>`")
  static let unauthenticatedProxy = Problem(
    .unauthorized, "NOAUTH",
    "this needs the secret of the proxy's service; have the proxy send it as `X-Gatehouse-Secret: <secret>`")
  static let malformedAuthorization = Problem(
    .unauthorized, "NOAUTH",
    "the Authorization header is neither `Bearer <secret>` nor `Basic` with base64 of name:secret")
  static let brokenBody = Problem(
    .badRequest, "ERR", "the body ends, or its chunks are not as HTTP/1.1 has them (RFC 9112, 7.1); send it anew")
  static let nothingThere = Problem(.notFound, "NOTFOUND", "there is nothing at this address")

  private var members: [JSON.Member] {
    var members: [JSON.Member] = [
      ("type", .string("about:blank")), ("title", .string(status.reasonPhrase)),
      ("status", .integer(Int64(status.code))),
      ("detail", .string(detail)), ("code", .string(code)),
    ]
    if let rule { members.append(("rule", .string(rule))) }
    if let remedy { members.append(("remedy", .string(remedy))) }
    return members
  }

  /// The body.
  var json: JSON { .object(members) }

  var response: Response {
    var response = Response(json: json, status: status, type: "application/problem+json")
    response.headers[.cacheControl] = "no-store"
    if status == .unauthorized { response.headers[.wwwAuthenticate] = #"Bearer realm="gatehouse""# }
    if let retryAfter { response.headers[.retryAfter] = String(retryAfter) }
    return response
  }
}

/// Answers what goes wrong with a request as a problem, also what Hummingbird refuses by itself.
struct ProblemMiddleware: RouterMiddleware {
  func handle(
    _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch let problem as Problem {
      return problem.response
    } catch let error as HTTPError {
      return Problem(error).response
    } catch is HTTPParserError {
      return Problem.brokenBody.response
    } catch let error as any HTTPResponseError {
      return Problem(error.status, "ERR", error.status.reasonPhrase).response
    }
  }
}

extension Problem {
  fileprivate init(_ error: HTTPError) {
    switch error.status {
    case .notFound: self = .nothingThere
    case .contentTooLarge: self.init(.contentTooLarge, "LIMIT", "the body is larger than this route takes")
    default: self.init(error.status, "ERR", error.body ?? error.status.reasonPhrase)
    }
  }
}
