import GatehouseTestSupport
import Testing

/// W6: over HTTP, too, a service that is bound to a product has to do with that alone.
@Suite("HTTP: services of products", .blocking)
struct ProductServiceTests {
  private let server: TestServer
  private let gate: Client
  private let secret: String
  /// Ana's sessions for the service's product, and for another.
  private let (own, other): (String, String)

  init() throws {
    var options = TestServer.Options()
    options.servesHTTP = true
    server = try TestServer(options)
    gate = try server.client()
    for line in [
      "WORKSPACE.CREATE acme", "PRODUCT.CREATE acme/payroll", "PRODUCT.CREATE acme/zeta",
      "USER.CREATE ana WORKSPACE acme PRODUCT acme/payroll PRODUCT acme/zeta NOINVITE",
      "SERVICE.CREATE ops ADMIN SESSIONS",
    ] { try gate.ok(line) }
    secret = try #require(
      try gate.fields("SERVICE.CREATE app READ SESSIONS ADMIN PRODUCT acme/payroll")["secret"])
    (own, other) = (try gate.token(of: "ana", to: "acme/payroll"), try gate.token(of: "ana", to: "acme/zeta"))
  }

  private func introspect(_ token: String, _ more: String = "") throws -> String {
    let form = [("content-type", "application/x-www-form-urlencoded")]
    return try server.request("POST", "/introspect", headers: form, secret: secret, body: "token=\(token)\(more)").body
  }

  @Test("a token of another product is no token") func tokens() throws {
    #expect(try introspect(own).contains(#""username":"ana""#))
    #expect(try introspect(own, "&product=acme/zeta") == #"{"active":false}"#)
    #expect(try introspect(other) == #"{"active":false}"#)
    func auth(_ token: String, _ product: String) throws -> HTTPAnswer {
      try server.get("/auth?product=\(product)", headers: [("x-gatehouse-secret", secret)], secret: token)
    }
    #expect(try auth(own, "acme/payroll").status == 200)
    let nobodys = String(other.dropLast()) + (other.last == "a" ? "b" : "a")
    let (refused, none) = (try auth(other, "acme/payroll"), try auth(nobodys, "acme/payroll"))
    #expect(refused.status == 401 && refused.body == none.body)
    #expect(try auth(own, "acme/zeta").status == 403)
    #expect(try auth(own, "acme/zeta").body == auth(own, "acme/nowt").body.replacing("nowt", with: "zeta"))
  }

  @Test("decisions about another product are those about none") func decisions() throws {
    func decision(_ product: String) throws -> String {
      try server.request(
        "POST", "/access/v1/evaluation", headers: [("content-type", "application/json")], secret: secret,
        body: """
          {"subject":{"type":"user","id":"ana"},"action":{"name":"login"},"resource":{"type":"product","id":"\(product)"}}
          """
      ).body
    }
    #expect(try decision("acme/payroll") == #"{"decision":true}"#)
    #expect(try decision("acme/zeta") == decision("acme/nowt").replacing("nowt", with: "zeta"))
  }

  @Test("it reads no events, and provisions nobody") func rest() throws {
    let events = try server.get("/events", secret: secret)
    #expect(events.status == 403 && events.body.contains("this service is bound to products"), "\(events.body)")
    let users = try server.get("/scim/v2/Users", secret: secret)
    #expect(users.status == 403 && users.body.contains("the service is bound to products"), "\(users.body)")
  }
}
