import GatehouseCore
import GatehouseServer
import GatehouseWire
import HTTPTypes
import Hummingbird

/// `/auth`: a reverse proxy asks before it passes a request on (nginx `auth_request`, Caddy `forward_auth`, Traefik
/// ForwardAuth, Envoy `ext_authz`).
///
/// 200 lets the request in and says who it is in headers that the proxy copies; 401 means that nobody is signed in, 403
/// that whoever is may not enter the product, or not before a temporary password is changed. Where a browser has opened a
/// page, the refusal says where it signs in (`SignInDirection`).
struct ForwardAuthRoutes {
  private let door: CommandDoor

  init(_ door: CommandDoor) { self.door = door }

  // Envoy appends the path of the request that it asks about, and uses its method.
  private static let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]
  private static let paths = ["/auth", "/auth/**"]

  func add(to router: Router<WebContext>) {
    for method in Self.methods {
      for path in Self.paths { router.on(RouterPath(path), method: method) { try await answer($0, $1) } }
    }
  }

  private static let ofRefusals = [
    APIOperation.Header(name: "X-Gatehouse-Reason", description: "why: `no-session`, `status-locked`, …"),
    APIOperation.Header(name: "X-Gatehouse-Sign-In", description: "where a browser that has opened a page signs in"),
  ]

  static let operations = ["/auth", "/auth/{path}"].flatMap { path in
    methods.map { method in
      APIOperation(
        method: method, path: path, tag: "Decisions", summary: "Whether a reverse proxy may let a request in",
        description: path == "/auth"
          ? nil : "`path` is the path of the request that is asked about, with all its slashes; it does not matter.",
        authentication: .either,
        parameters: [
          .init(
            name: "product", place: .query, description: "which the user must be allowed to enter; may be repeated"),
          .init(
            name: "redirect", place: .query,
            description: "with any value, refusals of pages lead the browser to the sign-in (303)"),
          .init(name: "X-Gatehouse-Product", place: .header, description: "the same"),
          .init(
            name: "X-Forwarded-Uri", place: .header,
            description: "the page that was asked for, to come back to after the sign-in; or X-Original-URI"),
          .init(
            name: "X-Forwarded-Method", place: .header,
            description: "the method of the request that is asked about; or X-Original-Method"),
          .init(name: "X-Gatehouse-Secret", place: .header, description: "the secret of the proxy's service"),
          .init(name: Token.cookie, place: .cookie, description: "the token of the user's session"),
        ],
        answers: [
          .init(
            status: 200, description: "let it in",
            headers: [
              .init(name: "X-Gatehouse-User", description: "the username"),
              .init(name: "X-Gatehouse-User-Id", description: "the user's id, which never changes"),
              .init(name: "X-Gatehouse-Actor", description: "in an impersonation, the administrator behind it"),
              .init(name: "X-Gatehouse-Session", description: "the number of the session or key"),
              .init(name: "X-Gatehouse-Workspace", description: "the workspace of the session"),
            ]),
          .init(
            status: 303, description: "to the sign-in, if `redirect` was asked for", contents: [.problem],
            headers: [.init(name: "Location", description: "the sign-in")] + ofRefusals),
          .init(status: 401, description: "nobody is signed in", contents: [.problem], headers: ofRefusals),
          .init(status: 403, description: "the user may not enter", contents: [.problem], headers: ofRefusals),
        ])
    }
  }

  private func answer(_ request: Request, _ context: WebContext) async throws -> Response {
    let caller = try await proxy(request, context)
    let products = try Self.products(of: request)
    let (answer, product) = try await decide(products, Self.token(of: request), caller)
    // Without a product there is nothing that one could sign in to.
    guard answer.status != .ok, let product = product ?? products.first,
      let direction = SignInDirection(request, product: product)
    else { return answer }
    return direction.apply(to: answer)
  }

  /// - Returns: the answer, and the product that may not be entered.
  private func decide(
    _ products: [String], _ token: Token?, _ caller: Caller
  ) async throws -> (Response, product: String?) {
    guard let token else {
      return (Self.refusal(.unauthorized, "no-session", "nobody is signed in: there is no session in the request"), nil)
    }
    var holder: Token.Holder?
    for product in products.isEmpty ? [nil] : products.map(Optional.some) {
      holder = try await token.holder(for: product, door, caller)
      guard let found = holder else { return (try await refuse(token, product, caller), product) }
      if found.mustChange { return (Self.temporary, product) }
    }
    return (holder.map(Self.welcome) ?? Self.ended, nil)
  }

  // MARK: Who asks, and about whom

  /// The proxy's service. Its secret is in a header of its own, because `Authorization` may be the user's.
  private func proxy(_ request: Request, _ context: WebContext) async throws -> Caller {
    let authentication = Authentication(door: door)
    if let secret = request.headers[.gatehouseSecret] {
      return try await authentication.service(secret: secret, request, context)
    }
    let isOfUser =
      if case .bearer(let text) = Authentication.credentials(request) { Token(text) != nil } else { false }
    switch door.callerWithoutSecret(context.connection) {
    case .success?: return try authentication.withoutSecret(context)
    // Of several services for which the certificate stands, a secret says which.
    case .failure? where isOfUser || Authentication.credentials(request) == .none:
      return try authentication.withoutSecret(context)
    case .failure?, nil: break
    }
    // `Authorization` is the user's here, so the advice for other routes would not help.
    if isOfUser || Authentication.credentials(request) == .none { throw Problem.unauthenticatedProxy }
    return try await authentication.service(request, context)
  }

  /// The products that the user must be allowed to enter. Either the address or the header is the proxy's, and the other
  /// may be what a client has sent: so all of them count, and a client can only ask for more.
  private static func products(of request: Request) throws -> [String] {
    let named =
      request.uri.queryParameters.getAll("product") + request.headers[values: .gatehouseProduct].map { String($0) }
    let products = Set(named)
    guard products.count <= mostProducts else {
      throw Problem(.badRequest, "ERR", "more than \(mostProducts) products are named")
    }
    return products.sorted()
  }

  private static let mostProducts = 4

  /// The user's token: a bearer token, else the cookie.
  private static func token(of request: Request) -> Token? {
    if case .bearer(let text) = Authentication.credentials(request), let token = Token(text) { return token }
    return request.cookie(Token.cookie).flatMap { Token($0) }
  }

  // MARK: Answers

  private static func welcome(_ holder: Token.Holder) -> Response {
    var headers: HTTPFields = [
      .gatehouseUser: holder.username, .gatehouseUserID: String(holder.user), .gatehouseSession: String(holder.id),
      .gatehouseWorkspace: holder.workspace, .cacheControl: "no-store",
    ]
    if let actor = holder.actor { headers[.gatehouseActor] = actor.username }
    return Response(status: .ok, headers: headers)
  }

  private static var temporary: Response {
    refusal(.forbidden, "must-change", "the password is temporary, and somebody else knows it; change it first")
  }

  /// A key does not end with what its user may: it counts again when they may log in again.
  private static var refusedKey: Response {
    refusal(.unauthorized, "key-refused", "the key is not good, or its user may not log in now")
  }

  private static var ended: Response {
    refusal(.unauthorized, "session-ended", "the session is not good, or no longer")
  }

  /// Says why the holder of a token may not enter the product.
  private func refuse(_ token: Token, _ product: String?, _ caller: Caller) async throws -> Response {
    guard let product, let holder = try await token.holder(for: nil, door, caller) else {
      return token.isKey ? Self.refusedKey : Self.ended
    }
    let reply = await door.execute(["LOGIN.CHECK", "#\(holder.user)", product], for: caller)
    if let error = reply.errorText { throw Problem(error: error) }
    let reason = reply.string?.split(separator: " ").dropFirst().first.map(String.init)
    // If the login rules allow it, it is the session that does not reach there.
    guard let reason else {
      if Self.workspace(of: product) == FoldedName(holder.workspace) {
        return Self.refusal(
          .forbidden, "other-product",
          "the session is of a service for other products of the workspace \(holder.workspace), and does not count there"
        )
      }
      return Self.refusal(
        .forbidden, "other-workspace",
        "the session is one in the workspace \(holder.workspace), and does not count there")
    }
    return Self.refusal(.forbidden, reason, "\(holder.username) may not log in to \(product): \(reason)")
  }

  /// The workspace of a product, `name` or `workspace/name`.
  private static func workspace(of product: String) -> FoldedName {
    FoldedName(product.firstIndex(of: "/").map { String(product[..<$0]) } ?? "main")
  }

  private static func refusal(
    _ status: HTTPResponse.Status, _ reason: String, _ detail: String
  ) -> Response {
    var problem = Problem(status, "DENY", detail)
    problem.rule = reason
    var response = problem.response
    response.headers[.gatehouseReason] = reason
    return response
  }
}

extension HTTPField.Name {
  static let gatehouseUser = Self("X-Gatehouse-User")!
  static let gatehouseUserID = Self("X-Gatehouse-User-Id")!
  static let gatehouseActor = Self("X-Gatehouse-Actor")!
  static let gatehouseSession = Self("X-Gatehouse-Session")!
  static let gatehouseWorkspace = Self("X-Gatehouse-Workspace")!
  static let gatehouseReason = Self("X-Gatehouse-Reason")!
  static let gatehouseProduct = Self("X-Gatehouse-Product")!
  static let gatehouseSecret = Self("X-Gatehouse-Secret")!
}
