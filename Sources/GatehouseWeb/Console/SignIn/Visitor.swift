import GatehouseServer
import GatehouseWire
import HTTPTypes
import Hummingbird

/// A request of somebody who is not signed in yet. Their forms are bound to a random cookie.
struct Visitor {
  let door: CommandDoor
  let site: SignInSite
  let request: Request
  let context: WebContext
  /// Random; what the forms are bound to.
  let secret: String
  let cookies: ConsoleCookie.Scope
  private let isNew: Bool

  init(_ door: CommandDoor, _ site: SignInSite, _ request: Request, _ context: WebContext) {
    self.door = door
    self.site = site
    self.request = request
    self.context = context
    cookies = site.cookies(request, context)
    let known = ConsoleCookie.visitor.value(in: request, cookies)
    isNew = known == nil
    secret = known ?? FormToken.random()
  }

  /// Adds what a form of who is not signed in sends to. One that cannot be used is answered before the handler runs.
  static func form(
    _ path: String, on router: Router<WebContext>, _ door: CommandDoor, at site: SignInSite,
    _ handler: @escaping @Sendable (Visitor, FormFields) async -> Response
  ) {
    router.post(site.route(path)) { request, context in
      let visitor = Visitor(door, site, request, context)
      do {
        return await handler(visitor, try await visitor.form())
      } catch let problem as Problem {
        return visitor.show(
          "Sign in",
          [
            .notice(.bad, "This form cannot be used", [.text(problem.detail + ".")]),
            .buttons([visitor.backToSignIn()]),
          ], status: problem.status)
      }
    }
  }

  func form() async throws -> FormFields { try await FormGuard.form(request, secret: isNew ? "" : secret) }

  /// What somebody asks for who comes by a link.
  var query: FormFields { (try? FormFields(parsing: request.uri.query ?? "")) ?? FormFields() }

  /// Leads to the sign-in; without a goal, at an application, by way of the application, which says what it is.
  func backToSignIn(_ goal: SignInGoal? = nil) -> Button {
    switch (site, goal) {
    case (.application, nil): .link("To the application", Address(asItIs: site.landing), .primary)
    case (_, let goal):
      .link("To the sign-in", site.address("sign-in").adding(goal?.fields(site) ?? []), .primary)
    }
  }

  /// - Parameter failure: why what the page's form asked for was not done; stands above the blocks.
  func show(
    _ title: String, _ blocks: [Block], status: HTTPResponse.Status = .ok, failure: CommandFailure? = nil,
    cookies: [String] = []
  ) -> Response {
    let status = failure?.status ?? status
    let blocks =
      failure.map { failure in
        FormReply(action: request.uri.path, sent: FormFields(), failure: failure).applied(to: blocks, refills: false)
      } ?? blocks
    let own = isNew ? [ConsoleCookie.visitor.field(secret, self.cookies)] : []
    return OutsidePage(title, blocks, at: site).response(status, secret: secret, cookies: own + cookies)
  }

  /// A command of the server itself: before the sign-in there is nobody else.
  func run(_ words: [String]) async -> RESPValue { await door.execute(words, for: door.server(context.connection)) }

  /// Where a request comes from, for the limits of guessing and for the list of sessions.
  var origin: [String] { Origin.words(request, context, door.configuration) }

  // MARK: The session

  /// The token of the session that the browser has at the site.
  var token: String? {
    switch site {
    case .console: ConsoleCookie.session.value(in: request, cookies)
    case .application: request.cookie(Token.cookie).flatMap { $0.hasPrefix("gs_") ? $0 : nil }
    }
  }

  /// The cookie of a session; nil takes it away.
  func sessionCookie(_ token: String?) -> String {
    switch site {
    case .console: ConsoleCookie.session.field(token, cookies)
    case .application:
      ApplicationCookie.field(
        token, isSealed: cookies.isSealed, host: request.head.authority ?? "", domain: door.configuration.signInDomain)
    }
  }

  /// Ends a session that a cookie names by its token, a secret that nobody else has: what a browser sends ends nobody
  /// else's.
  func end(_ token: String) async {
    let words = ["SESSION.REVOKE", token, "TOKEN"]
    let server = door.server(context.connection)
    // On its own authority, so that the trail says whose deed it was. One that a service opened has none here.
    if await door.execute(words, for: server.acting(as: token)).errorText != nil {
      _ = await door.execute(words, for: server)
    }
  }
}
