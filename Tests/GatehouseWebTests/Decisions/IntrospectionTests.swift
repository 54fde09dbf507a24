import GatehouseTestSupport
import Testing

/// `POST /introspect` (RFC 7662).
@Suite(.blocking) struct IntrospectionTests {
  private let server: TestServer
  private let gate: Client
  private let form = [("content-type", "application/x-www-form-urlencoded")]

  init() throws {
    var options = TestServer.Options()
    options.servesHTTP = true
    server = try TestServer(options)
    gate = try server.client()
    for product in ["payroll", "crm"] { try gate.ok("PRODUCT.CREATE \(product)") }
    try gate.ok("USER.CREATE ana PRODUCT payroll")
    try gate.ok("USER.CREATE admin ROLE super-administrator PRODUCT payroll")
  }

  private func introspect(_ body: String, secret: String? = nil) throws -> String {
    let answer = try server.request("POST", "/introspect", headers: form, secret: secret, body: body)
    #expect(answer.status == 200 && answer["cache-control"] == "no-store")
    return answer.body
  }

  @Test("K1, B6: a good token tells whose it is and who acts, and an ended one nothing")
  func tokens() throws {
    let actor = try gate.token(of: "admin", to: "payroll")
    let admin = try gate.fields("USER.GET admin")["id"] ?? ""
    let started = try gate.fields("IMPERSONATE.START \(actor) ana REASON help")
    let token = started["session"] ?? ""
    let shown = try introspect("token=\(token)&token_type_hint=access_token")
    #expect(shown.hasPrefix(#"{"active":true,"#))
    #expect(shown.contains(#""username":"ana""#))
    #expect(shown.contains(#""act":{"sub":"\#(admin)","username":"admin"}"#))
    try gate.ok("IMPERSONATE.END \(token)")
    #expect(try introspect("token=\(token)") == #"{"active":false}"#)
    #expect(try introspect("token=gk_nothing") == #"{"active":false}"#)
    #expect(try introspect("token=%00") == #"{"active":false}"#)
  }

  @Test("P13: what a temporary password has opened is not active, and says what is to be done")
  func temporary() throws {
    try gate.ok("PASSWORD.SET", "ana", "for once only please")
    let token = try #require(
      try gate.fields("LOGIN.PASSWORD", "ana", "payroll", "for once only please")["session"])
    for body in ["token=\(token)", "token=\(token)&product=payroll"] {
      #expect(try introspect(body) == #"{"active":false,"must_change":true}"#)
    }
  }

  @Test("a product narrows the answer to those who may enter it")
  func product() throws {
    let token = try gate.token(of: "ana", to: "payroll")
    #expect(try introspect("token=\(token)&product=payroll").contains(#""aud":"payroll""#))
    #expect(try introspect("token=\(token)&product=crm") == #"{"active":false}"#)
  }

  @Test("only services ask, with a form")
  func refusals() throws {
    let secret = try #require(try gate.fields("SERVICE.CREATE mail ADMIN")["secret"])
    #expect(try server.request("POST", "/introspect", headers: form, body: "token=x").status == 401)
    let json = try server.request(
      "POST", "/introspect", headers: [("content-type", "application/json")], secret: secret, body: "{}")
    #expect(json.status == 415)
    let empty = try server.request("POST", "/introspect", headers: form, secret: secret, body: "hint=x")
    #expect(empty.status == 400 && empty.body.contains("the form has no `token`"))
    let long = String(repeating: "x", count: 20_000)
    #expect(try server.request("POST", "/introspect", headers: form, secret: secret, body: long).status == 413)
    #expect(try introspect("token=gs_x", secret: secret) == #"{"active":false}"#)
  }

  @Test("without services, a page whose name points to this machine by DNS learns nothing")
  func rebinding() throws {
    let token = try gate.token(of: "ana", to: "payroll")
    for (host, status) in [
      ("localhost:7421", 200), ("[::1]:7421", 200), ("evil.example:7421", 401), ("127.0.0.1.evil.example", 401),
    ] {
      let connection = try RawConnection(port: server.httpPort)
      let body = "token=\(token)"
      try connection.send(
        "POST /introspect HTTP/1.1\r\nhost: \(host)\r\nconnection: close\r\ncontent-length: \(body.utf8.count)\r\n"
          + "content-type: application/x-www-form-urlencoded\r\n\r\n\(body)")
      let answer = try HTTPAnswer(parsing: try connection.receiveUntilClosed())
      #expect(answer.status == status && answer.body.contains("ana") == (status == 200), "\(host): \(answer.body)")
    }
  }

  @Test("Authlib's client understands the answer")
  func authlib() throws {
    guard
      let python = try PythonLibrary.find(
        "authlib", "GATEHOUSE_PYTHON_AUTHLIB", "authlib requests", module: "authlib.integrations.requests_client"
      ).orSkip()
    else { return }
    let token = try gate.token(of: "ana", to: "payroll")
    let secret = try #require(try gate.fields("SERVICE.CREATE gateway ADMIN")["secret"])
    let script = """
      from authlib.integrations.requests_client import OAuth2Session
      session = OAuth2Session("gateway", "\(secret)", token_endpoint_auth_method="client_secret_basic")
      answer = session.introspect_token("http://127.0.0.1:\(server.httpPort)/introspect", token="\(token)").json()
      print(answer["active"], answer["username"])
      """
    let run = try runProgram(python, ["-c", script])
    #expect(run.output == "True ana\n", "\(run.errors)")
  }
}
