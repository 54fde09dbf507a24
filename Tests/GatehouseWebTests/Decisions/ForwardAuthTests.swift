import GatehouseTestSupport
import Testing

/// `/auth`, as a reverse proxy asks it.
@Suite(.blocking) struct ForwardAuthTests {
  private let server: TestServer
  private let gate: Client

  init() throws {
    var options = TestServer.Options()
    options.servesHTTP = true
    server = try TestServer(options)
    gate = try server.client()
    for product in ["payroll", "crm"] { try gate.ok("PRODUCT.CREATE \(product)") }
    try gate.ok("USER.CREATE ana PRODUCT payroll")
    try gate.ok("USER.CREATE admin ROLE super-administrator PRODUCT payroll")
  }

  private func auth(_ target: String, _ headers: [(String, String)] = [], secret: String? = nil) throws -> HTTPAnswer {
    try server.get("/auth" + target, headers: headers, secret: secret)
  }

  @Test("a session lets its user in, as a cookie or as a bearer token, and says who it is")
  func session() throws {
    let token = try gate.token(of: "ana", to: "payroll")
    let id = try gate.fields("SESSION.CHECK \(token)")["id"]
    for answer in [
      try auth("?product=payroll", secret: token),
      try auth("?product=payroll", [("cookie", "theme=dark; gatehouse_session=\(token)")]),
      try auth("", [("cookie", "gatehouse_session=\(token)"), ("x-gatehouse-product", "payroll")]),
      try server.request("POST", "/auth/any/path?product=payroll", secret: token, body: "x"),
    ] {
      #expect(answer.status == 200)
      #expect(answer["x-gatehouse-user"] == "ana")
      #expect(answer["x-gatehouse-session"] == id)
      #expect(answer["x-gatehouse-workspace"] == "main")
      #expect(answer["x-gatehouse-actor"] == nil)
      #expect(answer["cache-control"] == "no-store")
    }
  }

  @Test("P13: a session that a temporary password has opened is let in nowhere, until the password is changed")
  func temporary() throws {
    try gate.ok("PASSWORD.SET", "ana", "for once only please")
    let token = try #require(
      try gate.fields("LOGIN.PASSWORD", "ana", "payroll", "for once only please")["session"])
    for answer in [
      try auth("?product=payroll", secret: token), try auth("", secret: token),
      try auth("?product=payroll", [("cookie", "gatehouse_session=\(token)")]),
    ] {
      #expect(answer.status == 403 && answer["x-gatehouse-reason"] == "must-change")
      #expect(answer["x-gatehouse-user"] == nil && answer.body.contains("change it first"))
    }
    try gate.ok("AS", token, "PASSWORD.CHANGE", "for once only please", "another long phrase")
    #expect(try auth("?product=payroll", secret: token).status == 401)
    let own = try #require(try gate.fields("LOGIN.PASSWORD", "ana", "payroll", "another long phrase")["session"])
    #expect(try auth("?product=payroll", secret: own).status == 200)
  }

  @Test("an API key lets its user in too")
  func key() throws {
    let key = try #require(try gate.fields("APIKEY.CREATE ana")["key"])
    #expect(try auth("?product=payroll", secret: key).status == 200)
    #expect(try auth("?product=crm", secret: key).status == 403)
  }

  @Test("K1: an impersonation names both")
  func impersonation() throws {
    let actor = try gate.token(of: "admin", to: "payroll")
    let started = try gate.fields("IMPERSONATE.START \(actor) ana REASON help")
    let answer = try auth("?product=payroll", secret: started["session"])
    #expect(answer["x-gatehouse-user"] == "ana")
    #expect(answer["x-gatehouse-actor"] == "admin")
  }

  @Test("L14: an impersonation is let in to no product of a workspace in which its actor could not have begun it")
  func impersonationElsewhere() throws {
    try gate.ok("WORKSPACE.CREATE blue")
    try gate.ok("PRODUCT.CREATE blue/bp")
    try gate.ok("PRODUCT.ENABLE ana blue/bp")
    try gate.ok("USER.CREATE tess PRODUCT payroll")
    try gate.ok("ROLE.GRANT tess training-administrator WORKSPACE main")
    let actor = try gate.token(of: "tess", to: "payroll")
    let token = try gate.fields("IMPERSONATE.START \(actor) ana WORKSPACE main REASON help")["session"]
    #expect(try auth("?product=payroll", secret: token).status == 200)
    let answer = try auth("?product=blue/bp", secret: token)
    #expect(answer.status == 403 && answer["x-gatehouse-reason"] == "other-workspace")
  }

  @Test("no session is 401, a product that the user may not enter is 403, each with its reason")
  func refusals() throws {
    let token = try gate.token(of: "ana", to: "payroll")
    let nobody = try auth("?product=payroll")
    #expect(nobody.status == 401 && nobody["x-gatehouse-reason"] == "no-session")
    let elsewhere = try auth("?product=crm", secret: token)
    #expect(elsewhere.status == 403 && elsewhere["x-gatehouse-reason"] == "product-disabled")
    #expect(elsewhere.body.contains("ana may not log in to crm: product-disabled"))
    #expect(try auth("?product=nothing", secret: token)["x-gatehouse-reason"] == "unknown-product")
    let forged = try auth("?product=payroll", secret: "gs_" + String(repeating: "A", count: 33))
    #expect(forged.status == 401 && forged["x-gatehouse-reason"] == "session-ended")
  }

  @Test("a session of a service for other products of the workspace, and a key whose user may not log in, are named so")
  func otherProducts() throws {
    try gate.ok("PRODUCT.ENABLE ana crm")
    let key = try #require(try gate.fields("APIKEY.CREATE ana")["key"])
    let proxy = try #require(try gate.fields("SERVICE.CREATE proxy ADMIN")["secret"])
    let secret = try #require(try gate.fields("SERVICE.CREATE app SESSIONS PRODUCT payroll")["secret"])
    let app = try server.client(.resp2)
    try app.ok("HELLO 3 AUTH app \(secret)")
    let token = try app.token(of: "ana", to: "payroll")
    func ask(_ query: String, _ secret: String) throws -> HTTPAnswer {
      try auth(query, [("x-gatehouse-secret", proxy)], secret: secret)
    }
    #expect(try ask("?product=payroll", token).status == 200)
    let other = try ask("?product=crm", token)
    #expect(other.status == 403 && other["x-gatehouse-reason"] == "other-product", "\(other.body)")
    #expect(try ask("?product=crm", key).status == 200)
    let operators = try server.client(.resp2)
    try operators.ok("HELLO 3 AUTH proxy \(proxy)")
    try operators.ok("USER.STATUS ana inactive")
    let refused = try ask("?product=crm", key)
    #expect(refused.status == 401 && refused["x-gatehouse-reason"] == "key-refused", "\(refused.body)")
    try operators.ok("USER.STATUS ana active")
    #expect(try ask("?product=crm", key).status == 200)
  }

  @Test("B6: what ends a session ends it at the next request")
  func ended() throws {
    let token = try gate.token(of: "ana", to: "payroll")
    #expect(try auth("?product=payroll", secret: token).status == 200)
    try gate.ok("USER.STATUS ana inactive")
    #expect(try auth("?product=payroll", secret: token).status == 401)
  }

  @Test("a client that names a product too can only ask for more")
  func products() throws {
    let token = try gate.token(of: "ana", to: "payroll")
    #expect(try auth("?product=crm", [("x-gatehouse-product", "payroll")], secret: token).status == 403)
    #expect(try auth("?product=payroll&product=crm", secret: token).status == 403)
    #expect(try auth("/x?product=payroll", [("x-gatehouse-product", "crm")], secret: token).status == 403)
    #expect(try auth("?product=a&product=b&product=c&product=d&product=e", secret: token).status == 400)
  }

  @Test("with services the proxy shows a secret, in a header of its own or as a name and secret")
  func services() throws {
    let token = try gate.token(of: "ana", to: "payroll")
    let secret = try #require(try gate.fields("SERVICE.CREATE proxy ADMIN")["secret"])
    #expect(try auth("?product=payroll", secret: token).status == 401)
    #expect(try auth("?product=payroll", [("x-gatehouse-secret", secret)], secret: token).status == 200)
    #expect(try auth("?product=payroll", [("x-gatehouse-secret", "gk_wrong")], secret: token).status == 401)
    #expect(try auth("?product=payroll", [("cookie", "gatehouse_session=\(token)")], secret: secret).status == 200)
  }

  @Test("W6: a service bound to another workspace learns nothing of a session")
  func tenancy() throws {
    let token = try gate.token(of: "ana", to: "payroll")
    try gate.ok("WORKSPACE.CREATE west")
    try gate.ok("PRODUCT.CREATE west/desk")
    _ = try gate.fields("SERVICE.CREATE ops ADMIN")
    let secret = try #require(try gate.fields("SERVICE.CREATE proxy READ WORKSPACE west")["secret"])
    let answer = try auth("?product=west/desk", [("x-gatehouse-secret", secret)], secret: token)
    #expect(answer.status == 401)
    #expect(!answer.body.contains("ana") && answer["x-gatehouse-user"] == nil)
  }
}
