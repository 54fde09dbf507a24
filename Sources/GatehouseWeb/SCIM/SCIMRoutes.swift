import GatehouseServer
import GatehouseWire
import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1

/// SCIM 2.0 (RFC 7643, RFC 7644, RFC 9865) at `/scim/v2`: how identity providers provision the people of a workspace.
struct SCIMRoutes {
  private let door: CommandDoor
  private let marks = SCIMMarks()
  private let tenants = SCIMTenants()

  static let type = "application/scim+json"

  init(_ door: CommandDoor) { self.door = door }

  func add(to router: Router<WebContext>) {
    for method in [HTTPRequest.Method.get, .post, .put, .patch, .delete] {
      for path in ["/scim/v2", "/scim/v2/**"] {
        router.on(RouterPath(path), method: method) { request, context in
          do {
            return try await answer(request, context)
          } catch {
            return Self.error(error).response
          }
        }
      }
    }
  }

  private static func error(_ error: any Error) -> SCIMError {
    switch error {
    case let error as SCIMError: error
    case let problem as Problem: SCIMError(problem)
    case let error as any HTTPResponseError where error.status == .contentTooLarge:
      SCIMError(.contentTooLarge, nil, "the body is larger than \(SCIMBulk.mostBytes) bytes; send it in parts")
    case let error as any HTTPResponseError: SCIMError(error.status, nil, error.status.reasonPhrase)
    case is HTTPParserError: SCIMError(Problem.brokenBody)
    default: SCIMError(.internalServerError, nil, "the request could not be answered")
    }
  }

  // MARK: Requests

  private func answer(_ request: Request, _ context: WebContext) async throws -> Response {
    let parts = try SCIMAddress.parts(request.uri.path)
    let base = Self.base(request, context)
    if parts == ["Me"] { return try await me(request, context, base) }
    let caller = try await Authentication(door: door).service(request, context)
    try request.requirePlainBody()
    var request = request
    let bytes = try await request.collectBody(upTo: context.maxUploadSize)
    let tenant = try await tenants.tenant(door, caller, base: base)
    try Self.checkType(request, tenant)
    let body: JSON
    if bytes.readableBytes == 0 {
      body = .null
    } else {
      do { body = try JSON(parsing: bytes) } catch let problem as Problem {
        throw SCIMError.invalid(.invalidSyntax, problem.detail)
      }
    }
    let parameters = try SCIMAddress.parameters(request.uri.query)
    return try await SCIMEndpoint(tenant: tenant, marks: marks)
      .answer(SCIMRequest(request, parts, parameters, body))
  }

  /// Strict, a body is of SCIM's own type.
  private static func checkType(_ request: Request, _ tenant: SCIMTenant) throws {
    guard tenant.isStrict, let type = request.headers[.contentType], [.post, .put, .patch].contains(request.method)
    else { return }
    let bare = type.split(separator: ";").first.map { $0.trimmingPrefix(while: { $0 == " " }) } ?? ""
    guard bare.lowercased() == Self.type || bare.lowercased() == "application/json" else {
      throw SCIMError(.unsupportedMediaType, nil, "the body must be \(Self.type), not \(type)")
    }
  }

  /// The address under which the client reaches this server.
  private static func base(_ request: Request, _ context: WebContext) -> String {
    "\(request.origin(context))/scim/v2"
  }

  // MARK: Me

  /// `/Me`: the user whose session's token is the bearer.
  private func me(_ request: Request, _ context: WebContext, _ base: String) async throws -> Response {
    guard request.method == .get || request.method == .head else {
      throw SCIMError.wrongMethod(request.method.rawValue, "/scim/v2/Me", allowed: ["GET", "HEAD"])
    }
    guard case .bearer(let token) = Authentication.credentials(request), token.hasPrefix("gs_") else {
      _ = try await Authentication(door: door).service(request, context)
      throw SCIMError.notFound("user behind a service's secret; /Me is for the token of a user's session")
    }
    guard let (caller, session) = await door.caller(ofSession: token, context.connection),
      let user = session["user"]?.integer, let workspace = session["workspace"]?.string
    else {
      throw SCIMError(.unauthorized, nil, "the session is over, or there never was one")
    }
    let tenant = try await SCIMTenant(door, caller, workspace: workspace, base: base)
    let found = try await SCIMUsers(tenant: tenant).get(String(user))
    var response = Response(json: found.json, type: Self.type)
    response.headers[.contentLocation] = "\(base)/Users/\(found.id)"
    response.headers[.eTag] = found.etag
    return response
  }
}

/// What a client asks, read.
struct SCIMRequest {
  let method: HTTPRequest.Method
  /// Behind `/scim/v2`.
  let parts: [String]
  let parameters: [(name: String, value: String)]
  let body: JSON
  let ifMatch: String?
  let ifNoneMatch: String?

  init(_ request: Request, _ parts: [String], _ parameters: [(name: String, value: String)], _ body: JSON) {
    // The body of an answer to HEAD is left out on its way.
    method = request.method == .head ? .get : request.method
    self.parts = parts
    self.parameters = parameters
    self.body = body
    ifMatch = request.headers[.ifMatch]
    ifNoneMatch = request.headers[.ifNoneMatch]
  }
}
