import HTTPTypes
import Hummingbird

/// An error in the form of SCIM (RFC 7644, section 3.12).
struct SCIMError: Error, Equatable {
  /// The kinds that SCIM names.
  enum Kind: String, Equatable {
    case invalidFilter, tooMany, uniqueness, mutability, invalidSyntax, invalidPath, noTarget, invalidValue
    case invalidVers, sensitive
    // RFC 9865
    case invalidCursor, expiredCursor, invalidCount
  }

  let status: HTTPResponse.Status
  let kind: Kind?
  let detail: String
  var retryAfter: Int?
  /// The methods that the address takes, where this one is not among them.
  var allowed: String?

  init(_ status: HTTPResponse.Status, _ kind: Kind? = nil, _ detail: String) {
    self.status = status
    self.kind = kind
    self.detail = detail
  }

  static func invalid(_ kind: Kind, _ detail: String) -> SCIMError { SCIMError(.badRequest, kind, detail) }
  /// 405, with the methods that the address takes (RFC 9110, section 15.5.6).
  static func wrongMethod(_ method: String, _ address: String, allowed: [String]) -> SCIMError {
    let methods = allowed.joined(separator: ", ")
    var error = SCIMError(.methodNotAllowed, nil, "\(method) is not for \(address), which takes \(methods)")
    error.allowed = methods
    return error
  }

  static func notFound(_ what: String) -> SCIMError { SCIMError(.notFound, nil, "there is no \(what)") }

  /// A problem that stopped the request before SCIM had a say.
  init(_ problem: Problem) {
    self.init(problem.status, nil, problem.detail)
    retryAfter = problem.retryAfter
  }

  /// What a command was refused with.
  init(refusal text: String) {
    let problem = Problem(error: text)
    switch problem.code {
    case "CONFLICT": self.init(.conflict, .uniqueness, problem.detail)
    case "NOSEATS": self.init(.conflict, nil, text)
    // What to do instead is said in the words of commands, which no provider has.
    case "REFUSED": self.init(.conflict, nil, Self.withoutRemedy(problem.detail))
    case "LIMIT": self.init(.conflict, nil, problem.detail)
    case "STALE": self.init(.preconditionFailed, nil, "the resource was changed since: \(problem.detail)")
    case "ERR": self.init(.badRequest, .invalidValue, problem.detail)
    default: self.init(problem)
    }
  }

  private static func withoutRemedy(_ detail: String) -> String {
    detail.split(separator: ";", maxSplits: 1).first.map(String.init) ?? detail
  }

  var json: JSON {
    var members: [JSON.Member] = [("schemas", .array([.string("urn:ietf:params:scim:api:messages:2.0:Error")]))]
    if let kind { members.append(("scimType", .string(kind.rawValue))) }
    members.append(("detail", .string(detail)))
    members.append(("status", .string(String(status.code))))
    return .object(members)
  }

  var response: Response {
    var response = Response(json: json, status: status, type: "application/scim+json")
    response.headers[.cacheControl] = "no-store"
    if status == .unauthorized { response.headers[.wwwAuthenticate] = #"Bearer realm="gatehouse""# }
    if let retryAfter { response.headers[.retryAfter] = String(retryAfter) }
    if let allowed { response.headers[.allow] = allowed }
    return response
  }
}
