import GatehouseServer
import Hummingbird

/// Where people sign in.
enum SignInSite: String, CaseIterable, Sendable {
  /// The administrators' console.
  case console = "/console"
  /// An application behind a reverse proxy. The proxy passes `/gatehouse/` on to here, so that the pages stand on the
  /// application's own host: the cookie is set for that host, and the way back is an address without a host. So no list of
  /// hosts has to be kept, and no address that somebody made up leads anywhere else.
  case application = "/gatehouse"

  var root: String { rawValue }

  func address(_ path: String...) -> Address { Address(below: root, path) }

  /// Where the path of a route is.
  func route(_ path: String) -> RouterPath { RouterPath(root + "/" + path) }

  /// Where who has signed in goes if nothing else was wanted.
  var landing: String {
    switch self {
    case .console: Address.root
    case .application: "/"
    }
  }

  /// Whether an address that came with a request may be gone to after the sign-in.
  func mayReturn(to address: String) -> Bool {
    switch self {
    case .console: Address.isLocal(address)
    case .application: Self.isLocal(address)
    }
  }

  /// Whether an address leads to a page of the same host, whichever way a browser reads it: not to another host (`//evil`,
  /// `/\evil`), and not to the pages of the sign-in, which would lead in a circle.
  private static func isLocal(_ text: String) -> Bool {
    guard text.hasPrefix("/"), !text.hasPrefix("//"), text.utf8.count <= 2048 else { return false }
    let path = text.prefix { $0 != "?" && $0 != "#" }
    return path != application.root && !path.hasPrefix(application.root + "/")
      && text.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\\") }
  }

  /// What the names and the reach of the site's cookies are.
  func cookies(_ request: Request, _ context: WebContext) -> ConsoleCookie.Scope {
    switch self {
    case .console: context.cookies
    case .application:
      // The proxy holds the certificate, and says whether the browser speaks TLS.
      .init(isSealed: request.isSealed(context), port: context.channel.localAddress?.port, path: root)
    }
  }
}

/// What somebody signs in for. The forms of the sign-in carry it along.
struct SignInGoal: Sendable {
  let product: String
  /// Where to go afterwards; empty for the landing page.
  let next: String

  init(_ site: SignInSite, _ settings: ServerConfiguration, _ fields: FormFields) {
    product = site == .console ? settings.consoleProduct : fields["product"]
    next = site.mayReturn(to: fields["next"]) ? fields["next"] : ""
  }

  init(product: String, next: String) {
    self.product = product
    self.next = next
  }

  /// As fields of a form or a query.
  func fields(_ site: SignInSite) -> [(name: String, value: String)] {
    (site == .console ? [] : [("product", product)]) + (next.isEmpty ? [] : [("next", next)])
  }
}
