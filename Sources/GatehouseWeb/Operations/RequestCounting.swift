import GatehouseCore
import GatehouseServer
import HTTPTypes
import Hummingbird

/// Counts and times each request by its route, and limits how many a client may send.
struct RequestCounting: RouterMiddleware {
  let door: CommandDoor

  func handle(
    _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
  ) async throws -> Response {
    let clock = ContinuousClock()
    let start = clock.now
    door.requests.began()
    // Also if what follows throws: Hummingbird answers 500 then.
    var status = 500
    defer {
      let elapsed = (clock.now - start).components
      door.requests.ended(
        route(request, context), status: status,
        nanoseconds: UInt64(elapsed.seconds) * 1_000_000_000 + UInt64(elapsed.attoseconds / 1_000_000_000))
    }
    let counted: CountedRequest
    switch door.began(
      context.connection, client: { ClientAddress.behindProxy(request, context, door.configuration) })
    {
    case .success(let request): counted = request
    case .failure(let refusal):
      let response = Problem(error: refusal.text).response
      status = response.status.code
      return response
    }
    defer { door.ended(counted) }
    let response = try await next(request, context)
    status = response.status.code
    return response
  }

  /// The route's pattern. Addresses that nothing is at have none, and their methods are anybody's words.
  private func route(_ request: Request, _ context: WebContext) -> RequestFigures.Route {
    guard let pattern = context.endpointPath, pattern != "NotFound" else {
      return RequestFigures.Route(method: "none", pattern: "none")
    }
    return RequestFigures.Route(method: request.method.rawValue, pattern: pattern)
  }
}
