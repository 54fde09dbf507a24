import GatehouseTestSupport
import Testing

/// The Authorization API of AuthZEN 1.0.
@Suite(.blocking) struct AccessTests {
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

  private func post(_ path: String, _ body: String, _ headers: [(String, String)] = []) throws -> HTTPAnswer {
    try server.request("POST", path, headers: headers + [("content-type", "application/json")], body: body)
  }

  private func decision(_ subject: String, _ action: String, _ type: String, _ id: String) throws -> String {
    let answer = try post(
      "/access/v1/evaluation",
      """
      {"subject":{"type":"user","id":"\(subject)"},"action":{"name":"\(action)"},"resource":{"type":"\(type)","id":"\(id)"}}
      """)
    #expect(answer.status == 200)
    return answer.body
  }

  @Test("login to a product is decided by the login rules, and a refusal tells all of them")
  func logins() throws {
    #expect(try decision("ana", "login", "product", "payroll") == #"{"decision":true}"#)
    let denied = try decision("ana", "login", "product", "crm")
    #expect(denied.hasPrefix(#"{"decision":false,"context":{"reason":"product-disabled","rules":["#))
    #expect(denied.contains(#""remedy":"enable it with PRODUCT.ENABLE""#))
    #expect(try decision("nobody", "login", "product", "crm").contains(#""reason":"unknown-user""#))
  }

  @Test("permissions are decided over people, places and the whole server")
  func permissions() throws {
    #expect(try decision("admin", "user.rename", "user", "ana") == #"{"decision":true}"#)
    #expect(try decision("ana", "user.rename", "user", "admin").hasPrefix(#"{"decision":false"#))
    #expect(try decision("ana", "timer.own", "user", "ana") == #"{"decision":true}"#)
    #expect(try decision("ana", "timer.own", "user", "admin").hasPrefix(#"{"decision":false"#))
    #expect(try decision("admin", "user.create", "workspace", "main") == #"{"decision":true}"#)
    #expect(try decision("ana", "impersonate", "user", "admin").contains(#""reason":"super-administrator""#))
    #expect(try decision("ana", "nonsense", "server", "x").contains("unknown permission nonsense"))
    #expect(try decision("nobody", "user.read", "user", "ana").contains("unknown user"))
    try gate.ok("USER.CREATE root ROLE super-administrator")
    try gate.ok("USER.STATUS admin inactive")
    #expect(try decision("admin", "user.rename", "user", "ana").contains("the user's status is inactive"))
  }

  @Test("L14, W5: impersonation is decided in the other's workspaces, also for a service that is bound to one")
  func impersonation() throws {
    for line in [
      "WORKSPACE.CREATE west", "PRODUCT.CREATE west/app", "USER.CREATE wes PRODUCT west/app NOINVITE",
      "USER.CREATE boss PRODUCT west/app NOINVITE", "ROLE.GRANT boss super-administrator WORKSPACE west",
    ] { try gate.ok(line) }
    #expect(try decision("boss", "impersonate", "user", "wes") == #"{"decision":true}"#)
    #expect(try decision("admin", "impersonate", "user", "boss").contains(#""reason":"super-administrator""#))
    // Whoever may impersonate nobody there does not learn who is what (W4).
    #expect(try decision("wes", "impersonate", "user", "boss").contains(#""reason":"role""#))
    #expect(try decision("boss", "impersonate", "user", "ana").hasPrefix(#"{"decision":false"#))
    _ = try gate.fields("SERVICE.CREATE ops ADMIN")
    let secret = try #require(try gate.fields("SERVICE.CREATE portal READ WORKSPACE west")["secret"])
    let body = """
      {"subject":{"type":"user","id":"boss"},"action":{"name":"impersonate"},"resource":{"type":"user","id":"wes"}}
      """
    let answer = try post("/access/v1/evaluation", body, [("authorization", "Bearer \(secret)")])
    #expect(answer.body == #"{"decision":true}"#, "\(answer.body)")
  }

  @Test("several questions share what they leave out, and end when they are told to")
  func evaluations() throws {
    func ask(_ semantic: String) throws -> String {
      try post(
        "/access/v1/evaluations",
        """
        {"subject":{"type":"user","id":"ana"},"action":{"name":"login"},"options":{"evaluations_semantic":"\(semantic)"},
        "evaluations":[{"resource":{"type":"product","id":"payroll"}},{"resource":{"type":"car","id":"x"}},
        {"subject":{"type":"user","id":"admin"},"resource":{"type":"product","id":"payroll"}}]}
        """
      ).body
    }
    func decisions(_ body: String) -> [Bool] {
      body.split(separator: #""decision":"#).dropFirst().map { $0.hasPrefix("true") }
    }
    #expect(decisions(try ask("execute_all")) == [true, false, true])
    #expect(decisions(try ask("deny_on_first_deny")) == [true, false])
    #expect(decisions(try ask("permit_on_first_permit")) == [true])
    #expect(try ask("execute_all").contains(#""error":{"status":400"#))
    #expect(try ask("sometimes").contains("evaluations_semantic"))
    let many = Array(repeating: "{}", count: 1001).joined(separator: ",")
    #expect(try post("/access/v1/evaluations", #"{"evaluations":[\#(many)]}"#).body.contains("more than 1000"))
  }

  @Test(
    "what is not a question is refused, and says what is missing",
    arguments: [
      ("{", "the body is not JSON"), ("[]", "must be a JSON object"), ("{}", "`subject.id` is missing"),
      (#"{"subject":{"type":"user","id":7}}"#, "`subject.id` is missing, or no text"),
      (#"{"subject":{"type":"robot","id":"x"}}"#, "`subject.type` must be user"),
      (#"{"subject":{"type":"user","id":"ana"},"action":{"name":"login"},"resource":{"type":"car","id":"x"}}"#, "car"),
    ])
  func malformed(_ body: String, _ message: String) throws {
    let answer = try post("/access/v1/evaluation", body)
    #expect(answer.status == 400 && answer.body.contains(message), "\(answer.body)")
  }

  @Test("the request's id comes back, and the discovery document names the addresses")
  func discovery() throws {
    #expect(try post("/access/v1/evaluation", "{}", [("x-request-id", "7f")])["x-request-id"] == nil)
    let asked =
      #"{"subject":{"type":"user","id":"ana"},"action":{"name":"login"},"resource":{"type":"product","id":"crm"}}"#
    #expect(try post("/access/v1/evaluation", asked, [("x-request-id", "7f")])["x-request-id"] == "7f")
    let document = try server.get("/.well-known/authzen-configuration").body
    #expect(
      document.contains(#""access_evaluation_endpoint":"http://127.0.0.1:\#(server.httpPort)/access/v1/evaluation""#))
  }

  @Test("W4: a service bound to one workspace learns nothing of people and rights in another")
  func tenancy() throws {
    try gate.ok("WORKSPACE.CREATE west")
    try gate.ok("USER.CREATE wes WORKSPACE west ROLE super-administrator")
    _ = try gate.fields("SERVICE.CREATE ops ADMIN")
    let secret = try #require(try gate.fields("SERVICE.CREATE east READ WORKSPACE main")["secret"])
    func ask(_ subject: String, _ action: String, _ type: String, _ id: String) throws -> String {
      try server.request(
        "POST", "/access/v1/evaluation", secret: secret,
        body:
          #"{"subject":{"type":"user","id":"\#(subject)"},"action":{"name":"\#(action)"},"resource":{"type":"\#(type)","id":"\#(id)"}}"#
      ).body
    }
    let stranger = try ask("wes", "user.read", "workspace", "main")
    let nobody = try ask("nobody", "user.read", "workspace", "main")
    #expect(stranger == nobody.replacing("nobody", with: "wes") && nobody.contains("unknown user nobody"))
    #expect(
      try ask("ana", "user.read", "workspace", "west")
        == ask("ana", "user.read", "workspace", "nowhere").replacing("nowhere", with: "west"))
  }

  @Test("words of commands are data: none of them is read as an option")
  func optionWords() throws {
    for action in ["OVER", "WORKSPACE", "over", "DRYRUN", "user.nothing", "#1"] {
      let told = try decision("ana", action, "user", "OVER")
      #expect(told == #"{"decision":false,"context":{"reason":"unknown permission \#(action)"}}"#, "\(action)")
    }
    for word in ["OVER", "WORKSPACE", "PRODUCT"] {
      #expect(try decision(word, "user.rename", "user", word).hasPrefix(#"{"decision":false"#), "\(word)")
      #expect(try decision(word, "login", "product", "payroll").hasPrefix(#"{"decision":false"#))
    }
  }

  @Test(
    "options of several questions are checked, not passed over",
    arguments: [
      #"{"evaluations_semantic":5}"#, #"{"evaluations_semantic":null}"#, "[]", "5", #"{"evaluations_semantic":"x"}"#,
    ])
  func options(_ options: String) throws {
    let question =
      #"{"subject":{"type":"user","id":"ana"},"action":{"name":"login"},"resource":{"type":"product","id":"crm"}}"#
    let answer = try post("/access/v1/evaluations", #"{"options":\#(options),"evaluations":[\#(question)]}"#)
    #expect(answer.status == 400, "\(answer.body)")
  }
}
