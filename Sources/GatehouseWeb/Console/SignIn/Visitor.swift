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
    let known = ConsoleCookie.visitor.value(in: request, isSealed: context.isSealed)
    isNew = known == nil
    secret = known ?? FormToken.random()
  }

  func form() async throws -> FormFields { try await FormGuard.form(request, secret: isNew ? "" : secret) }

  func show(_ title: String, _ blocks: [Block], status: HTTPResponse.Status = .ok, cookies: [String] = []) -> Response {
    let own = isNew ? [ConsoleCookie.visitor.field(secret, isSealed: context.isSealed)] : []
    return OutsidePage(title, blocks).response(status, secret: secret, cookies: own + cookies)
  }

  /// A command of the server itself: before the sign-in there is nobody else.
  func run(_ words: [String]) async -> RESPValue { await door.execute(words, for: door.server(context.connection)) }

  /// Where a request comes from, for the limits of guessing and for the list of sessions.
  var origin: [String] {
    var words: [String] = []
    if let address = context.connection.address?.ipAddress { words += ["IP", address] }
    if let agent = request.headers[.userAgent], !agent.isEmpty {
      let printable = String(
        agent.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 }.prefix(200).map(Character.init))
      if !printable.isEmpty { words += ["AGENT", printable] }
    }
    return words
  }
}
