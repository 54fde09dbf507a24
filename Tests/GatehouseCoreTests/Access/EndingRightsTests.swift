import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// B7: grants, accesses and memberships end by themselves, and an employment ends with its last day.
@Suite struct EndingRightsTests {
  private let core = CoreHarness()
  private let hour: Milliseconds = 3_600_000

  private func time(_ offset: Milliseconds) -> String { "\(core.now + offset)" }

  private func check(_ user: String = "ana", _ product: String = "payroll") -> String {
    core.run("LOGIN.CHECK \(user) \(product)").text ?? ""
  }

  private func rule(_ name: String, _ line: String) -> Answer {
    core.run("LOGIN.EXPLAIN \(line)").items.first { $0["rule"].text == name } ?? .null
  }

  private func used(_ product: String = "payroll") -> Int64? { core.run("POOL.LIST \(product)")[0]["used"].integer }

  /// The ends of one person come before and after those of others, and are found together by a server that was down.
  @Test("T6, B7: several ends of one person, between those of others, free each seat once")
  func endsOfSeveral() throws {
    for product in ["payroll", "planner"] {
      core.seedProduct(product)
      core.run("POOL.SET \(product) * 9")
    }
    for user in ["ana", "bob", "eve"] { core.run("USER.CREATE \(user)") }
    core.run("PRODUCT.ENABLE eve payroll")
    core.run("PRODUCT.ENABLE ana payroll UNTIL \(time(hour))")
    core.run("PRODUCT.ENABLE bob payroll UNTIL \(time(2 * hour))")
    core.run("PRODUCT.ENABLE ana planner UNTIL \(time(3 * hour))")
    #expect(used() == 3 && used("planner") == 1)
    core.advance(4 * hour)
    core.endRights()
    #expect(used() == 1 && used("planner") == 0)
    let ends = core.records.flatMap { $0.first.changes }.compactMap { $0.as(AccessSet.self) }
      .filter { $0.new?.isEnabled == false }
    #expect(ends.count == 3)
    try core.restart()
    #expect(used() == 1 && used("planner") == 0)
  }

  @Test func accessIsOpenFromAndUntil() {
    core.seedProduct("payroll")
    core.run("POOL.SET payroll * 1")
    core.run("USER.CREATE ana")
    core.run("USER.CREATE bob")
    let start = core.now
    #expect(core.run("PRODUCT.ENABLE ana payroll FROM \(time(hour)) UNTIL \(time(3 * hour))").text == "OK")
    #expect(check() == "DENY product-disabled")
    #expect(
      rule("product-disabled", "ana payroll")["detail"].text?.hasPrefix("not yet open, from 2026-03-01T10:00") == true)
    #expect(rule("product-disabled", "ana payroll AT \(time(hour))")["passed"].integer == 1)
    // The seat is taken as soon as the access is given.
    #expect(used() == 1 && core.run("PRODUCT.ENABLE bob payroll").text?.hasPrefix("NOSEATS") == true)
    core.advance(hour)
    #expect(check() == "ALLOW")
    #expect(core.run("USER.COUNT WHERE product = payroll").integer == 1)
    let token = core.logIn("ana", "payroll")
    core.advance(2 * hour - 1)
    #expect(check() == "ALLOW" && !core.run("SESSION.CHECK \(token)").isNull)
    core.advance(1)
    // Decisions know before the upkeep has run.
    #expect(check() == "DENY product-disabled")
    #expect(core.run("USER.COUNT WHERE product = payroll").integer == 0)
    #expect(core.run("USER.GET ana")["products"][0]["enabled"].integer == 0)
    #expect(core.run("SESSION.CREATE ana payroll").text == "REFUSED login: product-disabled")
    #expect(used() == 1)
    #expect(core.endRights() == 1)
    #expect(core.records.last?.first.header.command == "ACCESS.EXPIRE")
    #expect(core.run("SESSION.CHECK \(token)").isNull)
    #expect(used() == 0 && core.run("PRODUCT.ENABLE bob payroll").text == "OK")
    #expect(core.endRights() == 0)
    let ended = rule("product-disabled", "ana payroll")
    #expect(
      ended["detail"].text == "ended, from \(TimeText.text(of: start + hour)), until \(TimeText.text(of: core.now))")
    // Questions about the past are answered as it was.
    #expect(rule("product-disabled", "ana payroll AT \(core.now - 1)")["passed"].integer == 1)
    #expect(rule("product-disabled", "ana payroll AT \(core.now)")["passed"].integer == 0)
  }

  @Test func limitsStayUntilTheyAreReplaced() {
    core.seedProduct("payroll")
    core.run("USER.CREATE ana PRODUCT payroll")
    core.run("PRODUCT.ENABLE ana payroll UNTIL \(time(hour))")
    core.run("PRODUCT.ENABLE ana payroll ADMIN")
    func until() -> Answer { core.run("USER.GET ana")["products"][0]["until"] }
    #expect(until().integer == core.now + hour)
    core.run("PRODUCT.ENABLE ana payroll UNTIL none")
    #expect(until().isNull)
    core.run("PRODUCT.ENABLE ana payroll UNTIL \(time(hour))")
    core.run("PRODUCT.DISABLE ana payroll")
    core.run("PRODUCT.ENABLE ana payroll")
    #expect(until().isNull)
    #expect(
      core.run("PRODUCT.ENABLE ana payroll UNTIL \(core.now)").text == "ERR UNTIL must be after now, and after FROM")
    // Access that has ended is enabled again without its old limits.
    core.run("PRODUCT.ENABLE ana payroll UNTIL \(time(hour))")
    core.advance(hour)
    core.run("PRODUCT.ENABLE ana payroll")
    #expect(until().isNull && check() == "ALLOW" && core.endRights() == 0)
  }

  @Test func aMembershipEndsWithEverythingThatDependsOnIt() {
    let acme = core.seedWorkspace("acme")
    core.run("PRODUCT.CREATE acme/app")
    core.run("POOL.SET acme/app * 5")
    core.run("USER.CREATE ana")
    #expect(core.run("WORKSPACE.MEMBER acme ana FROM \(time(hour)) UNTIL \(time(2 * hour))").integer == 1)
    #expect(core.run("WORKSPACE.MEMBER acme ana").integer == 0)
    core.run("PRODUCT.ENABLE ana acme/app")
    core.run("ROLE.GRANT ana super-administrator WORKSPACE acme")
    #expect(check("ana", "acme/app") == "DENY product-disabled")
    #expect(core.run("TIMER.START ana WORKSPACE acme").text?.hasPrefix("REFUSED member") == true)
    core.advance(hour)
    #expect(check("ana", "acme/app") == "ALLOW")
    core.run("TIMER.START ana WORKSPACE acme")
    let token = core.logIn("ana", "acme/app")
    #expect(core.run("USER.COUNT WHERE workspace = acme").integer == 1)
    core.advance(hour)
    #expect(check("ana", "acme/app") == "DENY product-disabled" && core.run("SESSION.CHECK \(token)").isNull)
    #expect(core.run("USER.COUNT WHERE workspace = acme").integer == 0)
    let detail = rule("product-disabled", "ana acme/app")["detail"].text
    #expect(detail?.hasPrefix("enabled; a member of acme from 2026-03-01T10:00") == true, "\(detail ?? "")")
    // The server was down when it ended.
    let ended = core.now
    core.advance(hour)
    #expect(core.endRights() == 1)
    #expect(used("acme/app") == 0)
    #expect(core.run("TIMER.CURRENT ana WORKSPACE acme").isNull)
    #expect(core.run("ENTRY.LIST ana")[1][0]["end"].integer == ended)
    #expect(core.run("ROLE.LIST ana").items.isEmpty)
    #expect(core.user("ana")?.memberships == [mainWorkspace])
    #expect(rule("product-disabled", "ana acme/app")["detail"].text == "ended, until \(TimeText.text(of: ended))")
    #expect(core.user("ana")?.cell.state.people.limits(ofMember: core.user("ana")!.serial, in: acme).isNone == true)
  }

  @Test func membershipsOfHomesAndOwnersHaveNoLimits() {
    core.seedWorkspace("acme")
    core.run("USER.CREATE ana")
    #expect(core.run("WORKSPACE.MEMBER main ana UNTIL \(time(hour))").text?.hasPrefix("REFUSED home") == true)
    core.run("WORKSPACE.MEMBER acme ana UNTIL \(time(hour))")
    #expect(core.run("WORKSPACE.SET acme owner ana").text?.hasPrefix("REFUSED owner") == true)
    #expect(core.run("USER.MOVEHOME ana acme").text?.hasPrefix("REFUSED member") == true)
    core.run("WORKSPACE.MEMBER acme ana UNTIL none")
    #expect(core.run("WORKSPACE.SET acme owner ana").integer == 1)
    #expect(core.run("WORKSPACE.MEMBER acme ana UNTIL \(time(hour))").text?.hasPrefix("REFUSED home") == true)
    #expect(core.run("WORKSPACE.MEMBER acme ana REMOVE UNTIL 1").text?.hasPrefix("ERR REMOVE ends") == true)
  }

  @Test func anImpersonationEndsWithTheGrant() {
    core.seedProduct("payroll")
    core.run("USER.CREATE tom PRODUCT payroll")
    core.run("USER.CREATE ana PRODUCT payroll")
    core.run("ROLE.GRANT tom training-administrator UNTIL \(time(hour))")
    let login = core.logIn("tom", "payroll", "TTL 8h")
    let begun = core.run("IMPERSONATE.START \(login) ana REASON help TTL 60m")
    core.advance(hour)
    #expect(core.endRights() == 1)
    let ended = core.records.last?.changes(of: SessionEnded.self) ?? []
    #expect(ended.map(\.session) == [SessionID(raw: UInt64(begun["id"].integer ?? 0))])
    #expect(core.endRights() == 0 && !core.run("SESSION.CHECK \(login)").isNull)
  }

  @Test("L14: an impersonation ends with the beginning of a role that forbids it, though nobody used it meanwhile")
  func anImpersonationEndsWithWhatBegins() throws {
    core.seedProduct("payroll")
    core.run("USER.CREATE tom PRODUCT payroll ROLE training-administrator NOINVITE")
    core.run("USER.CREATE ana PRODUCT payroll NOINVITE")
    core.run("ROLE.GRANT ana training-administrator FROM \(time(1500)) UNTIL \(time(3000))")
    core.run("PRODUCT.ENABLE ana payroll UNTIL \(time(8 * hour))")
    let login = core.logIn("tom", "payroll", "TTL 8h")
    let begun = core.run("IMPERSONATE.START \(login) ana REASON help TTL 60m")
    try core.restart()
    core.advance(1400)
    #expect(core.endRights() == 0)
    core.advance(600)
    #expect(core.endRights() == 1)
    let ended = core.records.last?.changes(of: SessionEnded.self) ?? []
    #expect(ended.map(\.session) == [SessionID(raw: UInt64(begun["id"].integer ?? 0))])
    core.advance(2000)
    #expect(core.endRights() == 1, "the role goes")
    #expect(core.run("SESSION.CHECK \(begun["session"])").isNull)
    core.expectReplicated()
  }

  @Test func aReleaseDateEndsTheLogin() {
    core.seedProduct("payroll")
    core.seedPolicy("login.within-employment", "on")
    core.run("USER.CREATE ana PRODUCT payroll RELEASED 2026-03-01")
    #expect(check() == "ALLOW")
    let token = core.logIn("ana", "payroll", "TTL 90d")
    let id = core.run("SESSION.CHECK \(token)")["id"].integer
    core.advance(48 * hour)
    #expect(check() == "DENY outside-employment")
    #expect(rule("outside-employment", "ana payroll")["detail"].text?.contains("released 2026-03-01") == true)
    #expect(rule("outside-employment", "ana payroll AT \(CoreHarness.start)")["passed"].integer == 1)
    #expect(core.endRights() == 1)
    #expect(core.records.last?.changes(of: SessionEnded.self).map(\.session.raw) == [UInt64(id ?? 0)])
  }

  @Test func endsAreStillWatchedAfterARestart() throws {
    core.seedProduct("payroll")
    core.seedWorkspace("acme")
    core.run("USER.CREATE ana")
    core.run("PRODUCT.ENABLE ana payroll FROM \(core.now - 5) UNTIL \(time(hour))")
    core.run("WORKSPACE.MEMBER acme ana UNTIL \(time(2 * hour))")
    try core.restart()
    #expect(core.run("USER.GET ana")["products"][0]["until"].integer == core.now + hour)
    core.advance(hour)
    #expect(core.endRights() == 1 && check() == "DENY product-disabled")
    core.advance(hour)
    #expect(core.endRights() == 1)
    #expect(core.user("ana")?.memberships == [mainWorkspace])
  }

  /// W4: the other workspace learns nothing of the end in this one.
  @Test func theOtherWorkspaceSeesNothingOfIt() {
    for name in ["acme", "beta"] {
      core.seedWorkspace(name)
      core.run("PRODUCT.CREATE \(name)/app")
      core.run("USER.CREATE \(name)-boss WORKSPACE \(name) PRODUCT \(name)/app")
      core.run("ROLE.GRANT \(name)-boss super-administrator WORKSPACE \(name)")
    }
    core.run("USER.CREATE shared WORKSPACE beta")
    core.run("WORKSPACE.MEMBER acme shared UNTIL \(time(hour))")
    core.run("PRODUCT.ENABLE shared acme/app")
    let (acme, beta) = (core.logIn("acme-boss", "acme/app", "TTL 30d"), core.logIn("beta-boss", "beta/app", "TTL 30d"))
    let before = core.run("USER.GET shared", as: beta)
    #expect(!core.run("USER.GET shared", as: acme).isError)
    core.advance(hour)
    // The administrators of a workspace no longer know a former member.
    #expect(core.run("USER.GET shared", as: acme).text == "NOTFOUND user shared")
    core.endRights()
    #expect(core.run("USER.GET shared", as: beta) == before)
    #expect(core.run("USER.GET shared", as: acme).text == "NOTFOUND user shared")
  }

  /// B7: a grant that has ended is listed no more, and the upkeep takes it from the state and says so in the trail.
  @Test func anEndedGrantGoes() throws {
    core.run("USER.CREATE ana ROLE manager NOINVITE")
    #expect(core.run("ROLE.GRANT ana training-administrator MAIN UNTIL \(time(hour))").text == "OK")
    let end = core.now + hour
    #expect(core.run("USER.GET ana")["roles"].items.map { "\($0["role"])" } == ["manager", "training-administrator"])
    #expect(core.run("USER.GET ana")["roles"][1]["until"].integer == end)
    #expect(core.run("USER.GET ana")["roles"][1]["from"].isNull)
    #expect(core.run("USER.GET ana")["roles"][1]["main"].integer == 1)
    core.advance(hour)
    #expect(core.run("ROLE.LIST ana").items.map { "\($0["role"])" } == ["manager"])
    #expect(core.run("USER.GET ana")["roles"].items.map { "\($0["role"])" } == ["manager"])
    #expect(core.user("ana")?.grants.count == 2)
    try core.restart()
    #expect(core.endRights() == 1)
    #expect(core.records.last?.first.header.command == "ACCESS.EXPIRE")
    #expect(
      core.changes.map { ChangeText($0).description } == [
        "role-revoked user #\(core.user("ana")?.id.raw ?? 0), role: training-administrator → , "
          + "main: 1 → , until: \(TimeText.text(of: end)) → ",
        "role-granted user #\(core.user("ana")?.id.raw ?? 0), role: manager, main: 0 → 1",
      ])
    #expect(core.user("ana")?.grants.map(\.role) == [.manager])
    #expect(core.endRights() == 0)
    core.expectReplicated()
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  /// Grants that end with a membership and others that end at the same time go once each, and no main role comes back.
  @Test func grantsThatEndTogetherGoTogether() {
    core.run("WORKSPACE.CREATE acme")
    core.run("USER.CREATE ana NOINVITE")
    core.run("WORKSPACE.MEMBER acme ana UNTIL \(time(hour))")
    #expect(core.run("ROLE.GRANT ana manager UNTIL \(time(hour))").text == "OK")
    #expect(core.run("ROLE.GRANT ana manager WORKSPACE acme").text == "OK")
    #expect(core.run("ROLE.GRANT ana individual WORKSPACE acme UNTIL \(time(hour))").text == "OK")
    core.advance(hour)
    #expect(core.endRights() == 1)
    let changes = core.records.last?.parts.flatMap(\.changes) ?? []
    #expect(changes.count { $0.as(RoleRevoked.self) != nil } == 3)
    #expect(changes.count { $0.as(RoleGranted.self) != nil } == 0)
    #expect(core.user("ana")?.grants.isEmpty == true)
    core.expectReplicated()
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }
}
