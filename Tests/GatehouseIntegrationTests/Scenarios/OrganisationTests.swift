import GatehouseTestSupport
import Testing

/// System L: people, roles and statuses of a training organisation (accessplanit).
@Suite("L: organisations, roles, statuses")
struct OrganisationTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    gate = try server.client()
    try gate.ok("PRODUCT.CREATE training")
  }

  @Test("L1, L24: one list of all people, current at once: filtered, sorted, paged, counted")
  func list() throws {
    for number in 1...25 {
      let status = number.isMultiple(of: 5) ? "inactive" : "active"
      try gate.ok("USER.CREATE user\(100 + number) PRODUCT training STATUS \(status) DEPARTMENT d\(number % 2)")
    }
    try gate.ok("ROLE.GRANT user101 manager")

    #expect(try gate.integer("USER.COUNT") == 25)
    #expect(try gate.integer("USER.COUNT WHERE status = inactive") == 5)
    #expect(try gate.integer("USER.COUNT WHERE role = manager") == 1)
    #expect(try gate.integer("USER.COUNT WHERE status = inactive WHERE department = d1") == 3)

    let all = try gate.pages("USER.LIST SORT username COUNT 10").compactMap { $0["username"] }
    #expect(all == (101...125).map { "user\($0)" }, "every user once, in order, over several pages")
    let last = try gate.pages("USER.LIST WHERE status = inactive SORT username DESC FIELDS 2 username status")
    #expect(last.first?["username"] == "user125")
    #expect(last.first.map { Set($0.names) } == ["username", "status"])

    try gate.ok("USER.STATUS user125 active")
    #expect(try gate.integer("USER.COUNT WHERE status = inactive") == 4)
  }

  @Test("L10: an individual sees and edits own data, an administrator that of others")
  func whoEditsWhom() throws {
    for (user, role) in [("indy", "individual"), ("other", "individual"), ("tina", trainer), ("sue", superior)] {
      try gate.ok("USER.CREATE \(user) PRODUCT training ROLE \(role)")
    }
    let indy = try session(of: "indy")
    #expect(try indy.fields("USER.GET indy")["username"] == "indy")
    try indy.ok("USER.SET indy first Indy")
    try indy.refused("USER.GET other", with: "NOPERM")
    try indy.refused("USER.SET other first Otto", with: "NOPERM")
    try indy.refused("ROLE.GRANT indy \(superior)", with: "NOPERM")

    let tina = try session(of: "tina")
    try tina.ok("USER.SET other first Otto")
    try tina.refused("USER.SET sue first Susan", with: "NOPERM")
    try tina.refused("USER.STATUS sue inactive", with: "NOPERM")

    let sue = try session(of: "sue")
    try sue.ok("USER.SET tina first Tina")
  }

  @Test("L11: one of several roles is the main role")
  func mainRole() throws {
    try gate.ok("USER.CREATE ana ROLE individual ROLE manager")
    func main() throws -> [String?] {
      try gate.list("ROLE.LIST ana").filter { $0["main"] == "1" }.map { $0["role"] }
    }
    #expect(try main() == ["individual"], "the first role given")
    try gate.ok("ROLE.GRANT ana manager MAIN")
    #expect(try main() == ["manager"])
    try gate.ok("ROLE.GRANT ana \(trainer)")
    #expect(try main() == ["manager"])
    try gate.ok("ROLE.REVOKE ana manager")
    #expect(try main().count == 1, "there is a main role as long as there is a role")
  }

  @Test("L12: deleting marks the user first")
  func deleteMarks() throws {
    let ana = try gate.fields("USER.CREATE ana PRODUCT training")
    try gate.ok("USER.DELETE ana REASON duplicate")
    #expect(try gate.text("LOGIN.CHECK ana training") == "DENY status-deleted")
    #expect(try gate.fields("USER.GET #\(try #require(ana["id"]))")["status"] == "deleted")
  }

  @Test("L14: who may impersonate whom")
  func impersonationMatrix() throws {
    let people = [("indy", "individual"), ("mara", "manager"), ("tina", trainer), ("sue", superior), ("sam", superior)]
    for (user, role) in people { try gate.ok("USER.CREATE \(user) PRODUCT training ROLE \(role)") }
    let allowed = [
      "tina indy", "tina mara", "sue indy", "sue mara", "sue tina", "sam indy", "sam mara", "sam tina",
    ]
    for (actor, _) in people {
      for (target, _) in people where target != actor {
        let answer = try gate.text("IMPERSONATE.CAN \(actor) \(target)") ?? "null"
        let expected = allowed.contains("\(actor) \(target)")
        #expect((answer == "ALLOW") == expected, "\(actor) as \(target): \(answer)")
        #expect(expected || answer.hasPrefix("DENY "))
      }
    }
    #expect(try gate.text("IMPERSONATE.CAN sue sue")?.hasPrefix("DENY ") == true)
  }

  @Test("L14: all grants of both count, not the main role")
  func impersonationComparesAllGrants() throws {
    try gate.ok("USER.CREATE indy PRODUCT training ROLE individual")
    try gate.ok("USER.CREATE sue PRODUCT training ROLE individual ROLE \(superior)")
    try gate.ok("USER.CREATE tina PRODUCT training ROLE individual ROLE \(trainer)")
    #expect(try gate.text("IMPERSONATE.CAN tina sue")?.hasPrefix("DENY ") == true)
    #expect(try gate.text("IMPERSONATE.CAN tina indy") == "ALLOW")
    try gate.refused(
      "IMPERSONATE.START \(try token(of: "tina")) sue REASON 'to look'", with: "REFUSED impersonation:")
  }

  @Test("L14: no chains, and a reason is required")
  func noChains() throws {
    for (user, role) in [("indy", "individual"), ("tina", trainer), ("sue", superior)] {
      try gate.ok("USER.CREATE \(user) PRODUCT training ROLE \(role)")
    }
    let sue = try token(of: "sue")
    try gate.refused("IMPERSONATE.START \(sue) tina", with: "")
    let asTina = try gate.fields("IMPERSONATE.START \(sue) tina REASON 'ticket 7'")
    #expect(asTina["actor"] == "sue" && asTina["subject"] == "tina")
    try gate.refused(
      "IMPERSONATE.START \(try #require(asTina["session"])) indy REASON more", with: "REFUSED impersonation:")
  }

  @Test("L15: actions in an impersonation are done as the subject, and recorded with both")
  func recordedWithBoth() throws {
    try gate.ok("USER.CREATE indy PRODUCT training ROLE individual")
    try gate.ok("USER.CREATE tina PRODUCT training ROLE \(trainer)")
    let start = try gate.fields("IMPERSONATE.START \(try token(of: "tina")) indy REASON 'ticket 7'")
    let session = try #require(start["session"])

    let seen = try gate.fields("SESSION.CHECK \(session)")
    #expect(seen["kind"] == "impersonation" && seen["username"] == "indy" && seen["actor"] == "tina")

    let asIndy = gate.acting(as: session)
    try asIndy.ok("USER.SET indy first Indy")
    let edit = try #require(try gate.pages("AUDIT.LIST USER indy").first { $0["command"] == "USER.SET" })
    #expect(edit["actor"] == "tina" && edit["subject"] == "indy")
    #expect(try gate.pages("AUDIT.LIST ACTOR tina").contains { $0["lsn"] == edit["lsn"] })

    #expect(try gate.list("IMPERSONATE.LIST").count == 1)
    #expect(try gate.list("IMPERSONATE.LIST ACTOR tina TARGET indy").count == 1)
    #expect(try gate.integer("IMPERSONATE.END \(session)") == 1)
    #expect(try gate.integer("IMPERSONATE.END \(session)") == 0)
    #expect(try gate.isNull("SESSION.CHECK \(session)"))
    #expect(try gate.list("IMPERSONATE.LIST").isEmpty)
  }

  @Test(
    "L16: statuses that refuse the login, and those that allow it",
    arguments: ["inactive", "pending", "locked", "active", "new", "import", "temporary"])
  func statuses(status: String) throws {
    try gate.ok("USER.CREATE ana PRODUCT training")
    try gate.ok("USER.STATUS ana \(status)")
    let refuses = ["inactive", "pending", "locked"].contains(status)
    #expect(try gate.text("LOGIN.CHECK ana training") == (refuses ? "DENY status-\(status)" : "ALLOW"))
  }

  @Test("L16: a status that refuses the login ends the sessions at once")
  func statusEndsSessions() throws {
    try gate.ok("USER.CREATE ana PRODUCT training")
    let session = try token(of: "ana")
    try gate.ok("USER.STATUS ana locked")
    #expect(try gate.isNull("SESSION.CHECK \(session)"))
    try gate.ok("USER.STATUS ana active")
    #expect(try gate.isNull("SESSION.CHECK \(session)"))
  }

  @Test("L18: super administrators make super administrators, and the last one stays")
  func superAdministrators() throws {
    try gate.ok("USER.CREATE sue PRODUCT training ROLE \(superior)")
    try gate.ok("USER.CREATE tina PRODUCT training ROLE \(trainer)")
    try gate.ok("USER.CREATE indy PRODUCT training ROLE individual")
    let sue = try session(of: "sue")
    let tina = try session(of: "tina")

    try tina.refused("ROLE.GRANT indy \(superior)", with: "NOPERM")
    try sue.refused("ROLE.REVOKE sue \(superior)", with: "REFUSED")
    try sue.refused("USER.DELETE sue REASON leaving", with: "REFUSED")
    try gate.refused("USER.STATUS sue inactive", with: "REFUSED")

    try sue.ok("ROLE.GRANT tina \(superior)")
    try sue.ok("ROLE.REVOKE tina \(superior)")
    let roles = try gate.list("ROLE.LIST tina").compactMap { $0["role"] }
    #expect(roles == [trainer], "taking super administrator away leaves a training administrator")
  }

  @Test("L19: the audit of a user: when, which user, what from and to")
  func audit() throws {
    try gate.ok("USER.CREATE sue PRODUCT training ROLE \(superior)")
    try gate.ok("USER.CREATE ana FIRST Ana LAST Lima PRODUCT training")
    let before = nowMilliseconds()
    try session(of: "sue").ok("USER.SET ana last Lopes REASON 'married'")

    let events = try gate.pages("AUDIT.LIST USER ana FROM \(before - 1_000)")
    let edit = try #require(events.first { $0["command"] == "USER.SET" })
    #expect(edit["actor"] == "sue" && edit["reason"] == "married")
    #expect(abs(try #require(edit.integer("time")) - before) < 60_000)
    let changes = edit.shown("changes")
    #expect(changes.contains("Lima") && changes.contains("Lopes"))
  }

  @Test("L22: a user is added with name, e-mail and main role")
  func addUser() throws {
    try gate.ok("USER.CREATE ana FIRST Ana LAST Lima EMAIL ana@acme.test ROLE individual PRODUCT training")
    let ana = try gate.fields("USER.GET ana")
    #expect(ana["first"] == "Ana" && ana["last"] == "Lima" && ana["email"] == "ana@acme.test")
    #expect(try gate.list("ROLE.LIST ana").map { $0["role"] } == ["individual"])
  }

  // MARK: -

  private let superior = "super-administrator"
  private let trainer = "training-administrator"

  private func token(of user: String) throws -> String {
    try #require(try gate.fields("SESSION.CREATE \(user) training")["session"])
  }

  private func session(of user: String) throws -> Client { gate.acting(as: try token(of: user)) }
}
