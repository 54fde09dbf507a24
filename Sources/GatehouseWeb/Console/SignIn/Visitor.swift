import GatehouseServer
import GatehouseWire
import Hummingbird

/// A request of somebody who is not signed in yet. Their forms are bound to a random cookie.
struct Visitor {
  let door: CommandDoor
  let request: Request
  let context: WebContext
  /// Random; what the forms are bound to.
  let secret: String
  private let isNew: Bool

  init(_ door: CommandDoor, _ request: Request, _ context: WebContext) {
    self.door = door
    self.request = request
    self.context = context
    let known = ConsoleCookie.visitor.value(in: request, context.cookies)
    isNew = known == nil
    secret = known ?? FormToken.random()
  }

  /// Adds what a form of who is not signed in sends to. One that cannot be used is answered before the handler runs.
  static func form(
    _ path: String, on router: Router<WebContext>, _ door: CommandDoor,
    _ handler: @escaping @Sendable (Visitor, FormFields) async -> Response
  ) {
    router.post(RouterPath(Address.root + "/" + path)) { request, context in
      let visitor = Visitor(door, request, context)
      do {
        return await handler(visitor, try await visitor.form())
      } catch let problem as Problem {
        return visitor.show(
          "Sign in",
          [
            .notice(.bad, "This form cannot be used", [.text(problem.detail + ".")]),
            .buttons([.link("To the sign-in", Address("sign-in"), .primary)]),
          ], status: problem.status)
      }
    }
  }

  func form() async throws -> FormFields { try await FormGuard.form(request, secret: isNew ? "" : secret) }

  func show(_ title: String, _ blocks: [Block], status: HTTPResponse.Status = .ok, cookies: [String] = []) -> Response {
    let own = isNew ? [ConsoleCookie.visitor.field(secret, context.cookies)] : []
    return OutsidePage(title, blocks).response(status, secret: secret, cookies: own + cookies)
  }

  /// A command of the server itself: before the sign-in there is nobody else.
  func run(_ words: [String]) async -> RESPValue { await door.execute(words, for: door.server(context.connection)) }

  /// Where a request comes from, for the limits of guessing and for the list of sessions.
  var origin: [String] { Origin.words(request, context, door.configuration) }
}
