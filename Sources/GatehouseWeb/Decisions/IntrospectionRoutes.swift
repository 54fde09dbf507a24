import GatehouseServer
import HTTPTypes
import Hummingbird

/// `POST /introspect`: whose token this is (RFC 7662), for API gateways and mail servers. `active` is false for all
/// that is not good, whatever the reason. In an impersonation `act` says who acts (RFC 8693).
///
/// A session that a temporary password has opened is not active: gateways look at nothing else, and it may only change the
/// password (P13). `must_change` says so beside it, to whoever wants to show the page that does.
struct IntrospectionRoutes {
  private let door: CommandDoor

  init(_ door: CommandDoor) { self.door = door }

  /// A token and a product are short.
  private static let mostBytes = 16 * 1024

  func add(to router: Router<WebContext>) {
    router.post("introspect") { try await answer($0, $1) }
  }

  static let operations = [
    APIOperation(
      method: .post, path: "/introspect", tag: "Decisions", summary: "Whose token this is (RFC 7662)",
      body: [
        .init(
          mediaType: "application/x-www-form-urlencoded",
          schema: .type(
            "object", ("required", .array([.string("token")])),
            (
              "properties",
              .object([
                ("token", .type("string", ("minLength", .integer(1)))), ("token_type_hint", .type("string")),
                ("product", .type("string")),
              ])
            )))
      ],
      answers: [
        .init(
          status: 200,
          description: "`active`, and of a good token whose it is, and in `act` who acts; `active` is false with"
            + " `must_change` where only a temporary password is behind it",
          contents: [.json(.type("object", ("required", .array([.string("active")]))))])
      ])
  ]

  private func answer(_ request: Request, _ context: WebContext) async throws -> Response {
    let caller = try await Authentication(door: door).service(request, context)
    guard request.headers[.contentType]?.lowercased().hasPrefix("application/x-www-form-urlencoded") ?? false else {
      throw Problem(
        .unsupportedMediaType, "ERR", "send a form, `token=…`, as application/x-www-form-urlencoded")
    }
    let form = String(buffer: try await request.body.collect(upTo: Self.mostBytes))
    guard let token = Self.value(of: "token", in: form), !token.isEmpty else {
      throw Problem(.badRequest, "ERR", "the form has no `token`")
    }
    let holder = try await Token(token)?.holder(for: Self.value(of: "product", in: form), door, caller)
    var response = Response(json: holder.map(Self.description) ?? .object([("active", .bool(false))]))
    response.headers[.cacheControl] = "no-store"
    return response
  }

  /// The first value of a field. One that cannot be decoded stays as it is: it is no good token either.
  private static func value(of name: String, in form: String) -> String? {
    for pair in form.parts(separatedBy: "&", keepsEmpty: false) {
      let parts = pair.parts(separatedBy: "=", most: 2)
      guard parts[0].percentDecoded(plusIsBlank: true) == name else { continue }
      return parts.count > 1 ? parts[1].percentDecoded(plusIsBlank: true) ?? parts[1] : ""
    }
    return nil
  }

  private static func description(_ holder: Token.Holder) -> JSON {
    if holder.mustChange { return .object([("active", .bool(false)), ("must_change", .bool(true))]) }
    var members: [JSON.Member] = [
      ("active", .bool(true)), ("sub", .string(String(holder.user))), ("username", .string(holder.username)),
      ("token_type", .string("Bearer")), ("jti", .string(String(holder.id))), ("iat", .integer(holder.created / 1000)),
    ]
    if let expires = holder.expires { members.append(("exp", .integer(expires / 1000))) }
    if let product = holder.product {
      members += [("client_id", .string(product)), ("aud", .string(product))]
    }
    if let actor = holder.actor {
      let act: [JSON.Member] = [("sub", .string(String(actor.id))), ("username", .string(actor.username))]
      members.append(("act", .object(act)))
    }
    members += [("kind", .string(holder.kind)), ("workspace", .string(holder.workspace))]
    return .object(members)
  }
}
