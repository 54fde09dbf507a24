import GatehouseServer
import GatehouseWire
import HTTPTypes
import Hummingbird

/// Whether somebody is signed in, by the cookies of a request.
struct SignInState {
  enum Finding {
    case nobody
    /// `ended`: an impersonation that the browser still has, but is over.
    case person(SignedIn, ended: Bool)
    /// The server cannot say, because it is starting or stopping.
    case unknown(CommandFailure)
  }

  private static let fetchSite = HTTPField.Name("Sec-Fetch-Site")!

  private let door: CommandDoor
  private let request: Request
  private let context: WebContext

  init(_ door: CommandDoor, _ request: Request, _ context: WebContext) {
    self.door = door
    self.request = request
    self.context = context
  }

  func find() async -> Finding {
    guard let token = ConsoleCookie.session.value(in: request, context.cookies) else { return .nobody }
    do {
      let product = ["PRODUCT", door.configuration.consoleProduct]
      guard let own = try await check(token, ownToken: token, product), own.actor == nil else { return .nobody }
      guard let acting = ConsoleCookie.acting.value(in: request, context.cookies) else {
        return .person(own, ended: false)
      }
      // Only one's own impersonation.
      guard let other = try await check(acting, ownToken: token, []), other.actor == own.username else {
        return .person(own, ended: true)
      }
      return .person(other, ended: false)
    } catch {
      return .unknown(error)
    }
  }

  private func check(_ token: String, ownToken: String, _ more: [String]) async throws(CommandFailure) -> SignedIn? {
    let reply = await door.execute(["SESSION.CHECK", token] + more, for: door.server(context.connection))
    if let text = reply.errorText {
      let failure = CommandFailure(text)
      // A product that is not there lets nobody in.
      guard failure.isPassing else { return nil }
      throw failure
    }
    // P13: a temporary password opens no page but the one that changes it, which the sign-in shows.
    guard reply["must-change"]?.integer != 1 else { return nil }
    // Here the person does everything that they may anywhere. A session that a service has opened is good for less.
    guard reply["signed-in"]?.integer == 1 else { return nil }
    return SignedIn(reply, token: token, ownToken: ownToken)
  }

  /// To the sign-in, and back here afterwards. What a form would have done is not done.
  func askToSignIn(isForm: Bool) -> Response {
    let target = request.uri.string
    let hasCookie = ConsoleCookie.session.value(in: request, context.cookies) != nil
    if !isForm, !hasCookie, request.headers[Self.fetchSite] == "cross-site" {
      return OutsidePage.again(at: Address.isLocal(target) ? target : Address.root)
    }
    var address = Address("sign-in")
    if isForm {
      address = address.adding("lost", "1")
    } else if target != Address.root, Address.isLocal(target) {
      address = address.adding("next", target)
    }
    // A cookie that is dead goes. Where there is none, the browser may have kept a good one back.
    return .redirect(
      toPage: address.text, cookies: hasCookie ? [ConsoleCookie.session.field(nil, context.cookies)] : [])
  }
}
