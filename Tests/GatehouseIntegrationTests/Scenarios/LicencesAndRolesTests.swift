import GatehouseTestSupport
import Testing

/// System P: user names, licences and roles managed by an administrator (Aptien).
@Suite("P: usernames, licences, roles")
struct LicencesAndRolesTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    gate = try server.client()
    try gate.ok("PRODUCT.CREATE portal")
  }

  @Test("P1, P12: only administrators list, add and delete users")
  func administratorsOnly() throws {
    try gate.ok("USER.CREATE root PRODUCT portal ROLE super-administrator")
    try gate.ok("USER.CREATE ana PRODUCT portal ROLE individual")
    let root = try session(of: "root")
    let ana = try session(of: "ana")

    try ana.refused("USER.LIST", with: "NOPERM")
    try ana.refused("USER.CREATE friend", with: "NOPERM")
    try ana.refused("USER.DELETE root REASON spite", with: "NOPERM")
    try ana.refused("USER.SET root first Ruth", with: "NOPERM")
    #expect(try root.pages("USER.LIST SORT username").map { $0["username"] } == ["ana", "root"])
    try root.ok("USER.CREATE bo")
    try root.ok("USER.DELETE bo REASON mistake")
  }

  @Test("P2: the name of the linked contact heads the user")
  func contactName() throws {
    let ana = try gate.fields("USER.CREATE ana@acme.test FIRST Ana LAST Lima")
    let seen = try gate.fields("USER.GET #\(try #require(ana["id"]))")
    #expect(seen["first"] == "Ana" && seen["last"] == "Lima")
    #expect(seen["contact"] == ana["contact"])
  }

  @Test("P5, P7: several users in one command, all or none, and each is invited")
  func severalAtOnce() throws {
    try gate.ok("POOL.SET portal office 2")
    let form = "USER.CREATEMANY MESSAGE Welcome FIELDS 4 username first licence role ROWS"
    let refusal = try gate.refused(
      "\(form) 8 ana@acme.test Ana portal:office manager bo Bo portal:gold x", with: "NOTFOUND")
    #expect(refusal == "NOTFOUND row 2: licence type gold of the product portal")
    try gate.refused(
      "\(form) 12 ana Ana portal:office manager bo Bo portal:office manager cy Cy portal:office manager",
      with: "NOSEATS office bought 2, used 0")
    #expect(try gate.integer("USER.COUNT") == 0)

    let before = try gate.fields("AUDIT.HEAD").integer("lsn")
    let made = try gate.list(
      "\(form) 8 ana@acme.test Ana portal:office manager bo@acme.test Bo portal:office individual")
    #expect(made.map { $0["username"] } == ["ana@acme.test", "bo@acme.test"])
    #expect(try gate.fields("AUDIT.HEAD").integer("lsn") == before.map { $0 + 1 })
    #expect(try gate.text("LOGIN.CHECK bo@acme.test portal") == "ALLOW")
    #expect(try roles(of: "ana@acme.test") == ["manager"] && used("office") == 2)
    #expect(try Set(gate.list("MAIL.NEXT COUNT 9").compactMap { $0["to"] }) == ["ana@acme.test", "bo@acme.test"])
  }

  @Test("P6, P11: login e-mail, roles and licence are set while adding")
  func setWhileAdding() throws {
    try gate.ok("POOL.SET portal office 5")
    try gate.ok(
      "USER.CREATE ana@acme.test EMAIL ana@acme.test PRODUCT portal LICENCE portal office ROLE individual ROLE manager")
    #expect(try gate.text("LOGIN.CHECK ana@acme.test portal") == "ALLOW")
    #expect(try roles(of: "ana@acme.test") == ["individual", "manager"])
    #expect(try used("office") == 1)

    try gate.ok("ROLE.REVOKE ana@acme.test manager")
    try gate.ok("ROLE.GRANT ana@acme.test training-administrator")
    #expect(try roles(of: "ana@acme.test") == ["individual", "training-administrator"])
  }

  @Test("P8: a new username changes the contact's e-mail in the same record")
  func renameChangesEmail() throws {
    try gate.ok("USER.CREATE ana@acme.test EMAIL ana@acme.test PRODUCT portal")
    try gate.ok("USER.CREATE bo@acme.test")
    try gate.ok("USER.RENAME ana@acme.test ana.lima@acme.test")
    let ana = try gate.fields("USER.GET ana.lima@acme.test")
    #expect(ana["username"] == "ana.lima@acme.test" && ana["email"] == "ana.lima@acme.test")
    try gate.refused("USER.GET ana@acme.test", with: "NOTFOUND")
    try gate.refused("USER.RENAME ana.lima@acme.test BO@acme.test", with: "CONFLICT")
    #expect(try gate.fields("USER.GET ana.lima@acme.test")["email"] == "ana.lima@acme.test")

    let renames = try gate.pages("AUDIT.LIST USER ana.lima@acme.test").filter { $0["command"] == "USER.RENAME" }
    #expect(renames.count == 1, "name and e-mail change in one record")
  }

  @Test("Usernames are unique in any case and any Unicode form", arguments: [("ANA", "ana"), ("JOSÉ", "jose\u{301}")])
  func uniqueNames(first: String, second: String) throws {
    try gate.ok("USER.CREATE", first, "PRODUCT", "portal")
    try gate.refused("USER.CREATE", second, with: "CONFLICT")
    #expect(try gate.text("LOGIN.CHECK", second, "portal") == "ALLOW")
    #expect(try gate.fields("USER.GET", second)["username"] == first)
  }

  @Test("P9: licences of each type up to the number bought; the refusal says how many and by whom")
  func licenceTypes() throws {
    for (type, seats) in [("office", 1), ("intranet", 2), ("guest", 0)] {
      try gate.ok("POOL.SET portal \(type) \(seats)")
    }
    for user in ["ana", "bo", "cy"] { try gate.ok("USER.CREATE \(user) PRODUCT portal") }
    try gate.ok("LICENCE.ASSIGN ana portal office")
    let refusal = try gate.refused("LICENCE.ASSIGN bo portal office", with: "NOSEATS")
    #expect(refusal.contains("office") && refusal.contains("bought 1") && refusal.contains("used 1"))
    #expect(refusal.contains("ana"), "the refusal says who has the seats")
    try gate.refused("LICENCE.ASSIGN bo portal guest", with: "NOSEATS")
    try gate.refused("LICENCE.ASSIGN bo portal platinum", with: "NOTFOUND")

    try gate.ok("LICENCE.ASSIGN bo portal intranet")
    // Changing the type frees the old seat in the same step.
    try gate.ok("LICENCE.ASSIGN ana portal intranet")
    try gate.ok("LICENCE.ASSIGN cy portal office")
    let pools = try gate.list("POOL.LIST portal")
    #expect(
      Set(pools.map { "\($0["type"] ?? "") \($0["bought"] ?? "") \($0["used"] ?? "")" }) == [
        "office 1 1", "intranet 2 2", "guest 0 0",
      ])
  }

  @Test("P10: without a licence the login is refused and everything else is kept")
  func noLicence() throws {
    try gate.ok("POOL.SET portal office 1")
    try gate.ok("USER.CREATE ana FIRST Ana PRODUCT portal LICENCE portal office ROLE manager")
    let token = try #require(try gate.fields("SESSION.CREATE ana portal")["session"])
    try gate.ok("LICENCE.REMOVE ana portal")

    #expect(try gate.text("LOGIN.CHECK ana portal") == "DENY no-licence")
    #expect(try gate.isNull("SESSION.CHECK \(token)"))
    try gate.refused("SESSION.CREATE ana portal", with: "REFUSED login: no-licence")
    let ana = try gate.fields("USER.GET ana")
    #expect(ana["status"] == "active" && ana["first"] == "Ana")
    #expect(try roles(of: "ana") == ["manager"])
    #expect(try used("office") == 0)

    try gate.ok("LICENCE.ASSIGN ana portal office")
    #expect(try gate.text("LOGIN.CHECK ana portal") == "ALLOW")
  }

  // MARK: -

  private func session(of user: String) throws -> Client {
    gate.acting(as: try #require(try gate.fields("SESSION.CREATE \(user) portal")["session"]))
  }

  private func roles(of user: String) throws -> Set<String> {
    Set(try gate.list("ROLE.LIST \(user)").compactMap { $0["role"] })
  }

  private func used(_ type: String) throws -> Int64? {
    try gate.list("POOL.LIST portal").first { $0["type"] == type }?.integer("used")
  }
}
