import GatehouseTestSupport
import Testing

/// Sessions and impersonations: rules of all systems.
@Suite("Sessions and impersonations", .blocking)
struct SessionsTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("PRODUCT.CREATE leave")
    try gate.ok("USER.CREATE ana PRODUCT payroll PRODUCT leave ROLE individual")
    try gate.ok("USER.CREATE tina PRODUCT payroll ROLE training-administrator")
  }

  @Test("a session shows its user, product and end", arguments: ClientVersion.allCases)
  func check(version: ClientVersion) throws {
    let gate = try server.client(version)
    let made = try gate.fields("SESSION.CREATE ANA payroll TTL 1h")
    let token = try #require(made["session"])
    #expect(abs(try #require(made.integer("expires")) - nowMilliseconds() - 3_600_000) < 60_000)

    let seen = try gate.fields("SESSION.CHECK \(token)")
    #expect(
      Set(seen.names).isSuperset(of: [
        "id", "kind", "user", "username", "product", "workspace", "actor", "actor-id", "created", "expires",
        "last-seen",
      ]))
    #expect(seen["id"] == made["id"] && seen["kind"] == "login" && seen["username"] == "ana")
    #expect(seen["product"] == "payroll" && seen["workspace"] == "main" && seen["actor"] == nil)
    #expect(seen["expires"] == made["expires"])
  }

  @Test("a token is long and unique, and similar ones are refused")
  func tokens() throws {
    var tokens = Set<String>()
    for _ in 0..<50 { tokens.insert(try #require(try gate.fields("SESSION.CREATE ana payroll")["session"])) }
    #expect(tokens.count == 50)
    let token = try #require(tokens.first)
    #expect(token.utf8.count >= 22, "128 random bits are 22 letters of base 64 at least")
    for guess in [String(token.dropLast()), token + "A", token.uppercased() + "x", "x", ""] {
      #expect(try gate.isNull("SESSION.CHECK", guess))
    }
    #expect(!server.messages.contains(token))
  }

  @Test("a session of one product is checked for another")
  func otherProduct() throws {
    let token = try #require(try gate.fields("SESSION.CREATE ana payroll")["session"])
    #expect(try gate.fields("SESSION.CHECK \(token) PRODUCT leave")["username"] == "ana")
    try gate.ok("PRODUCT.DISABLE ana leave")
    #expect(try gate.isNull("SESSION.CHECK \(token) PRODUCT leave"))
    #expect(try gate.fields("SESSION.CHECK \(token)")["username"] == "ana")
  }

  @Test("sessions are listed, revoked by token or id, and all at once")
  func revoke() throws {
    var made: [Fields] = []
    for _ in 0..<5 { made.append(try gate.fields("SESSION.CREATE ana payroll")) }
    let ids = made.compactMap { $0["id"] }
    #expect(try Set(gate.list("SESSION.LIST ana").compactMap { $0["id"] }) == Set(ids))
    #expect(try gate.fields("SESSION.GET \(ids[0])")["username"] == "ana")

    #expect(try gate.integer("SESSION.REVOKE \(try #require(made[0]["session"]))") == 1)
    #expect(try gate.integer("SESSION.REVOKE \(ids[0])") == 0)
    #expect(try gate.integer("SESSION.REVOKE \(ids[1])") == 1)
    #expect(try gate.integer("SESSION.REVOKEALL ana EXCEPT \(ids[4])") == 2)
    #expect(try gate.list("SESSION.LIST ana").map { $0["id"] } == [ids[4]])
    for session in made.prefix(4) {
      #expect(try gate.isNull("SESSION.CHECK \(try #require(session["session"]))"))
    }
  }

  @Test("a session knows from where it was opened, and the least used one ends for one too many (B12)")
  func originAndLimit() throws {
    try gate.ok("WORKSPACE.SET main policy.session.max 2")
    let home = try gate.fields("SESSION.CREATE ana payroll IP 2001:db8::1 AGENT Firefox")
    let work = try gate.fields("SESSION.CREATE ana leave")
    // Used in a later millisecond than the other was opened.
    pause(.milliseconds(5))
    #expect(try gate.fields("SESSION.CHECK \(try #require(home["session"]))")["username"] == "ana")
    let next = try gate.fields("SESSION.CREATE ana payroll IP 192.0.2.1")
    #expect(try gate.isNull("SESSION.CHECK \(try #require(work["session"]))"))
    server.kill()
    try server.start()
    let sessions = try server.client().list("SESSION.LIST ana")
    #expect(sessions.map { $0["id"] } == [next["id"], home["id"]])
    #expect(sessions.map { $0["ip"] } == ["192.0.2.1", "2001:db8::1"])
    #expect(sessions.map { $0["agent"] } == [nil, "Firefox"])
  }

  @Test("a session ends by its absolute and by its idle limit")
  func limits() throws {
    let short = try #require(try gate.fields("SESSION.CREATE ana payroll TTL 300ms")["session"])
    let idle = try #require(try gate.fields("SESSION.CREATE ana payroll IDLE 1s")["session"])
    let long = try #require(try gate.fields("SESSION.CREATE ana payroll TTL 1h")["session"])
    try eventually("the absolute limit") { try gate.isNull("SESSION.CHECK \(short)") }
    pause(.milliseconds(1_100))
    #expect(try gate.isNull("SESSION.CHECK \(idle)"))
    #expect(try gate.fields("SESSION.CHECK \(long)")["username"] == "ana")
  }

  @Test("every rule of a login is explained, not only the first that fails")
  func explain() throws {
    try gate.ok("POOL.SET leave office 1")
    try gate.ok("USER.STATUS ana inactive")
    let rules = try gate.list("LOGIN.EXPLAIN ana leave")
    for rule in rules { #expect(Set(rule.names) == ["rule", "passed", "detail", "remedy"]) }
    let failed = rules.filter { $0["passed"] == "0" }.compactMap { $0["rule"] }
    #expect(failed.count >= 2, "status and licence both fail: \(failed)")
    #expect(rules.contains { $0["passed"] == "1" })
    for rule in rules where rule["passed"] == "0" { #expect(rule["remedy"]?.isEmpty == false) }
  }

  @Test("an impersonation is short, at most an hour, and cannot be extended")
  func impersonationLimits() throws {
    let actor = try #require(try gate.fields("SESSION.CREATE tina payroll")["session"])
    let usual = try gate.fields("IMPERSONATE.START \(actor) ana REASON help")
    let left = try #require(usual.integer("expires")) - nowMilliseconds()
    #expect(left > 0 && left <= 15 * 60_000)
    // The workspace may allow up to an hour; asking for more is shortened.
    try gate.ok("WORKSPACE.SET main policy.impersonation.ttl 60m")
    let longest = try gate.fields("IMPERSONATE.START \(actor) ana REASON help TTL 8h")
    #expect(try #require(longest.integer("expires")) - nowMilliseconds() <= 60 * 60_000)
    try gate.refused("WORKSPACE.SET main policy.impersonation.ttl 61m", with: "ERR")
    for reason in ["''", "'  '"] { try gate.refused("IMPERSONATE.START \(actor) ana REASON \(reason)", with: "ERR") }
  }

  @Test(
    "an impersonation ends when its actor logs out, is disabled or loses the right",
    arguments: [
      "SESSION.REVOKEALL tina", "USER.STATUS tina inactive", "PRODUCT.DISABLE tina payroll",
      "ROLE.REVOKE tina training-administrator", "USER.STATUS ana locked", "ROLE.GRANT ana super-administrator",
    ])
  func impersonationEnds(cause: String) throws {
    let actor = try #require(try gate.fields("SESSION.CREATE tina payroll")["session"])
    let session = try #require(try gate.fields("IMPERSONATE.START \(actor) ana REASON help")["session"])
    #expect(try gate.fields("SESSION.CHECK \(session)")["username"] == "ana")
    try gate.ok(cause)
    #expect(try gate.isNull("SESSION.CHECK \(session)"))
    try gate.acting(as: session).refused("USER.GET ana", with: "")
  }

  @Test("while impersonating, names, e-mail, roles and rights are out of reach")
  func impersonationRights() throws {
    try gate.ok("USER.CREATE mara PRODUCT payroll ROLE manager")
    try gate.ok("USER.CREATE sue PRODUCT payroll ROLE super-administrator")
    let actor = try #require(try gate.fields("SESSION.CREATE sue payroll")["session"])
    let asTina = gate.acting(
      as: try #require(try gate.fields("IMPERSONATE.START \(actor) tina REASON help")["session"]))
    try asTina.refused("USER.SET tina email other@acme.test", with: "REFUSED")
    try asTina.refused("USER.RENAME tina tina2", with: "REFUSED")
    try asTina.refused("ROLE.GRANT ana manager", with: "REFUSED")
    try asTina.ok("USER.SET mara first Mara")
  }
}
