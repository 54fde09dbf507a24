import GatehouseServer
import HTTPTypes
import Hummingbird

/// The sign-out: of the console by the form that each of its pages has, of an application by a page that the application
/// links to.
struct SignOutPages {
  private static let path = "sign-out"

  private let door: CommandDoor
  private let site: SignInSite

  init(_ door: CommandDoor, at site: SignInSite) {
    self.door = door
    self.site = site
  }

  func add(to router: Router<WebContext>) {
    router.post(site.route(Self.path)) { request, context in await signOut(Visitor(door, site, request, context)) }
    guard site == .application else { return }
    router.get(site.route(Self.path)) { request, context in
      let visitor = Visitor(door, site, request, context)
      guard let token = visitor.token else { return signedOut(visitor) }
      return page([], token, visitor)
    }
  }

  /// Asks: a link that somebody else sends ends nobody's session.
  private func page(_ before: [Block], _ token: String, _ visitor: Visitor) -> Response {
    let form = Form(
      site.address(Self.path), submit: "Sign out", cancel: Address(asItIs: site.landing), cancelText: "Back")
    return OutsidePage("Sign out?", before + [form.block], at: site).response(secret: token)
  }

  private func signOut(_ visitor: Visitor) async -> Response {
    guard let token = visitor.token else { return signedOut(visitor) }
    do {
      _ = try await FormGuard.form(visitor.request, secret: token)
    } catch {
      return OutsidePage(
        "Sign out", [.notice(.bad, "You are still signed in", [.text("This form was not sent by our own page.")])],
        at: site
      ).response(.forbidden)
    }
    if site == .console, let acting = ConsoleCookie.acting.value(in: visitor.request, visitor.cookies) {
      // As the person, whom the trail then names.
      let caller = door.server(visitor.context.connection).acting(as: token)
      _ = await door.execute(["IMPERSONATE.END", acting, "TOKEN"], for: caller)
    }
    await visitor.end(token)
    let gone: [ConsoleCookie] = site == .console ? [.acting, .flash, .workspace] : []
    return signedOut(
      visitor, cookies: [visitor.sessionCookie(nil)] + gone.map { $0.field(nil, visitor.cookies) })
  }

  private func signedOut(_ visitor: Visitor, cookies: [String] = []) -> Response {
    guard site == .console else {
      return visitor.show(
        "You are signed out", [.buttons([.link("Back to the application", Address(asItIs: site.landing), .primary)])],
        cookies: cookies)
    }
    return .redirect(
      toPage: (cookies.isEmpty ? site.address("sign-in") : site.address("sign-in").adding("out", "1")).text,
      cookies: cookies)
  }
}
