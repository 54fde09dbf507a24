import HTTPTypes
import Hummingbird

/// Where a browser signs in whose request to an application is refused, as the proxy tells it in `X-Gatehouse-Sign-In`, or
/// at once by a redirect where the proxy passes answers of `/auth` on (`redirect` in its query).
///
/// It is an address without a host, so that it leads to the application's own host, and from there back to the page that was
/// wanted.
struct SignInDirection {
  let address: String
  private let isRedirect: Bool

  /// - Parameter product: that the user signs in for.
  /// - Returns: nil for what is not a page that somebody opens: scripts and programs get the refusal itself.
  init?(_ request: Request, product: String) {
    guard Self.isOfPage(request) else { return nil }
    let method = request.headers[.forwardedMethod] ?? request.headers[.originalMethod] ?? request.method.rawValue
    var goal = SignInSite.application.address("sign-in").adding("product", product)
    if ["GET", "HEAD"].contains(method) {
      if let page = Self.page(request), SignInSite.application.mayReturn(to: page) { goal = goal.adding("next", page) }
    } else {
      // What a form would have sent is lost.
      goal = goal.adding("lost", "1")
    }
    address = goal.text
    isRedirect = request.uri.queryParameters["redirect"] != nil
  }

  func apply(to refusal: Response) -> Response {
    var response = refusal
    response.headers[.gatehouseSignIn] = address
    guard isRedirect else { return response }
    response.status = .seeOther
    response.headers[.location] = address
    return response
  }

  private static func isOfPage(_ request: Request) -> Bool {
    if let mode = request.headers[.fetchMode] { return mode == "navigate" }
    return request.headers[.accept]?.contains("text/html") ?? false
  }

  /// The page that was asked for: Caddy and Traefik tell it in `X-Forwarded-Uri`, nginx as it is configured, and Envoy appends
  /// it to the path.
  private static func page(_ request: Request) -> String? {
    if let told = request.headers[.forwardedURI] ?? request.headers[.originalURI] { return told }
    let target = request.uri.string
    return target.hasPrefix("/auth/") ? String(target.dropFirst("/auth".count)) : nil
  }
}

extension HTTPField.Name {
  static let gatehouseSignIn = Self("X-Gatehouse-Sign-In")!
  fileprivate static let fetchMode = Self("Sec-Fetch-Mode")!
  fileprivate static let forwardedMethod = Self("X-Forwarded-Method")!
  fileprivate static let forwardedURI = Self("X-Forwarded-Uri")!
  fileprivate static let originalMethod = Self("X-Original-Method")!
  fileprivate static let originalURI = Self("X-Original-URI")!
}
