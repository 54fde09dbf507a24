import HTTPTypes
import Hummingbird

/// Which routes there are: to describe them, and to tell a wrong method from a wrong address.
struct RouteTable: Sendable {
  struct Route: Sendable, Hashable {
    let method: HTTPRequest.Method
    /// `/scim/v2/Users/{id}`
    let pattern: String
  }

  let routes: [Route]

  init(routes: [Route]) { self.routes = routes }

  init(_ router: Router<WebContext>) {
    routes = router.routes.map { Route(method: $0.method, pattern: $0.path.description) }
  }

  /// The methods that an address takes; none if nothing is there.
  func methods(at path: String) -> [String] {
    let segments = path.split(separator: "/")
    let all = routes.filter { Self.matches(segments, $0.pattern.split(separator: "/")) }
    // What is written out takes precedence over what stands for anything.
    let exact = all.filter { $0.pattern.split(separator: "/") == segments }
    var methods = Set((exact.isEmpty ? all : exact).map(\.method.rawValue))
    if methods.contains("GET") { methods.insert("HEAD") }
    return methods.sorted()
  }

  private static func matches(_ segments: [Substring], _ pattern: [Substring]) -> Bool {
    for (index, part) in pattern.enumerated() {
      if part == "**" { return true }
      guard index < segments.count else { return false }
      guard part.contains("{") || part.contains("*") || part == segments[index] else { return false }
    }
    return segments.count == pattern.count
  }
}

/// Answers 405 where there is something, but not for this method.
struct MethodMiddleware: RouterMiddleware {
  let table: RouteTable
  /// What the routes say of themselves: more than the table knows where a family finds its way by itself.
  let operations: [APIOperation]

  func handle(
    _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
  ) async throws -> Response {
    let response = try await next(request, context)
    guard response.status == .notFound, context.endpointPath == "NotFound" else { return response }
    let described = RouteTable(routes: operations.map { .init(method: $0.method, pattern: $0.path) })
    let methods = [described, table].lazy.map { $0.methods(at: request.uri.path) }.first { !$0.isEmpty } ?? []
    guard !methods.isEmpty else { return response }
    let allowed = methods.joined(separator: ", ")
    var refusal = Problem(.methodNotAllowed, "ERR", "this address takes \(allowed)").response
    refusal.headers[.allow] = allowed
    return refusal
  }
}
