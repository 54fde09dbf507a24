import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// B8: refused logins are kept in memory, and shown to those whom they concern (W4).
@Suite struct RefusalTests {
  private let core = CoreHarness()

  private func list(_ line: String = "", as token: String? = nil) -> [Answer] {
    let command = "REFUSALS.LIST \(line)"
    return (token.map { core.run(command, as: $0) } ?? core.run(command)).items
  }

  private func shown(_ items: [Answer]) -> [String] {
    items.map { "\($0["username"]) \($0["product"]) \($0["reason"]) \($0["command"])" }
  }

  private func seed() {
    core.seedProduct("payroll")
    core.seedProduct("crm")
    for (name, status) in [("ana", "active"), ("bob", "locked")] {
      core.run("USER.CREATE \(name) PRODUCT payroll")
      core.run("USER.STATUS \(name) \(status)")
    }
  }

  @Test func refusedChecksAndSessionsAreKeptNewestFirst() {
    seed()
    core.run("LOGIN.CHECK ana payroll")
    core.run("LOGIN.CHECK Ana crm")
    core.advance(10)
    core.run("SESSION.CREATE bob payroll")
    core.run("LOGIN.CHECK nobody payroll")
    core.run("LOGIN.CHECK ana nothing")
    let all = list()
    #expect(
      shown(all) == [
        "ana nothing unknown-product LOGIN.CHECK", "nobody payroll unknown-user LOGIN.CHECK",
        "bob payroll status-locked SESSION.CREATE", "ana crm product-disabled LOGIN.CHECK",
      ])
    #expect(all.map { $0["time"].integer } == [core.now, core.now, core.now, core.now - 10])
    #expect(all[1]["user"].isNull && all[2]["user"].integer == core.user("bob").map { Int64($0.id.raw) })
    #expect(shown(list("COUNT 1")).count == 1)
    #expect(shown(list("USER BOB")) == ["bob payroll status-locked SESSION.CREATE"])
    #expect(shown(list("USER Nobody")) == ["nobody payroll unknown-user LOGIN.CHECK"])
    #expect(shown(list("PRODUCT crm")) == ["ana crm product-disabled LOGIN.CHECK"])
    #expect(shown(list("PRODUCT Nothing")) == ["ana nothing unknown-product LOGIN.CHECK"])
    #expect(shown(list("REASON status-locked")) == ["bob payroll status-locked SESSION.CREATE"])
    #expect(list("SINCE \(core.now)").count == 3)
    #expect(list("SINCE \(core.now + 1)").isEmpty)
    #expect(core.run("REFUSALS.LIST REASON tired").text?.hasPrefix("ERR REASON must be one of unknown-user, ") == true)
  }

  @Test func aSessionThatTheLoginRulesEndIsKept() {
    seed()
    core.run("PRODUCT.ENABLE ana crm")
    let token = core.logIn("ana", "crm")
    #expect(core.run("SESSION.CHECK \(token) PRODUCT payroll")["username"].text == "ana")
    core.run("PRODUCT.DISABLE ana payroll")
    #expect(core.run("SESSION.CHECK \(token) PRODUCT payroll").isNull)
    #expect(core.run("SESSION.CHECK \(token) PRODUCT nothing").isNull)
    core.run("POOL.SET crm office 1")
    // The first pool has ended it, so no rule refuses anybody.
    #expect(core.run("SESSION.CHECK \(token)").isNull)
    #expect(
      shown(list()) == [
        "ana nothing unknown-product SESSION.CHECK",
        "ana payroll product-disabled SESSION.CHECK",
      ])
  }

  @Test func aCheckStaysARead() {
    seed()
    let before = core.lsn
    for _ in 0..<100 { core.run("LOGIN.CHECK bob payroll") }
    #expect(core.lsn == before)
    #expect(list("COUNT 1000").count == 100)
  }

  @Test func commandsOfAGroupAreKeptOnce() {
    seed()
    _ = core.runTogether(["LOGIN.CHECK bob payroll", "USER.STATUS bob active", "LOGIN.CHECK bob payroll"])
    #expect(shown(list()) == ["bob payroll status-locked LOGIN.CHECK"])
  }

  @Test func typedNamesAreShortenedBetweenCharacters() {
    seed()
    let long = String(repeating: "é", count: 40)
    core.run("LOGIN.CHECK x\(long) payroll")
    #expect(list()[0]["username"].text == "x" + String(repeating: "é", count: 23))
  }

  @Test func noSecretIsKept() {
    seed()
    let token = core.logIn("ana", "payroll")
    for line in ["LOGIN.CHECK \(token) payroll", "LOGIN.CHECK bob \(token)", "SESSION.CREATE \(token)x payroll"] {
      core.run(line)
    }
    #expect(
      shown(list()) == [
        "(redacted) payroll unknown-user SESSION.CREATE", "bob (redacted) status-locked LOGIN.CHECK",
        "(redacted) payroll unknown-user LOGIN.CHECK",
      ])
  }

  /// W4: each of two workspaces sees what concerns its own people; of people whom it does not know, not even that they
  /// exist.
  @Test func eachWorkspaceSeesItsOwn() {
    for name in ["acme", "beta"] {
      core.seedWorkspace(name)
      core.run("PRODUCT.CREATE \(name)/app")
      core.run("USER.CREATE \(name)-boss WORKSPACE \(name) PRODUCT \(name)/app")
      core.run("ROLE.GRANT \(name)-boss super-administrator WORKSPACE \(name)")
    }
    core.run("USER.CREATE shared WORKSPACE beta PRODUCT beta/app")
    core.run("WORKSPACE.MEMBER acme shared")
    core.run("USER.CREATE bea WORKSPACE beta STATUS locked")
    let (acme, beta) = (core.logIn("acme-boss", "acme/app"), core.logIn("beta-boss", "beta/app"))
    for line in [
      "LOGIN.CHECK shared acme/app", "LOGIN.CHECK bea acme/app", "LOGIN.CHECK bea beta/app",
      "LOGIN.CHECK nobody beta/app",
      "LOGIN.CHECK bea nothing", "LOGIN.CHECK nobody nothing",
    ] { core.run(line) }
    #expect(
      shown(list(as: acme)) == [
        "bea acme/app unknown-user LOGIN.CHECK", "shared acme/app product-disabled LOGIN.CHECK",
      ])
    #expect(list(as: acme)[0]["user"].isNull)
    #expect(
      shown(list(as: beta)) == [
        "nobody beta/app unknown-user LOGIN.CHECK", "bea beta/app status-locked LOGIN.CHECK",
      ])
    // Conditions do not reveal more than the list.
    #expect(list("REASON status-locked", as: acme).isEmpty)
    #expect(shown(list("USER bea", as: acme)) == shown(list("USER BEA REASON unknown-user", as: acme)))
    #expect(shown(list("USER bea", as: acme)) == ["bea acme/app unknown-user LOGIN.CHECK"])
    #expect(list("PRODUCT beta/app", as: acme).isEmpty)
    #expect(list().count == 6)
    // Only readers of the trail read refusals.
    let plain = core.logIn("shared", "beta/app")
    #expect(core.run("REFUSALS.LIST", as: plain).text == "NOPERM the permission audit.read")
  }

  /// B8: of a long name the beginning is kept, and it is found by the whole name all the same.
  @Test func longNamesAreFound() {
    seed()
    let stem = String(repeating: "ő", count: 30)
    core.run("LOGIN.CHECK \(stem)one payroll")
    core.run("LOGIN.CHECK \(stem)two payroll")
    #expect(list().count == 2)
    #expect(list("USER \(stem.uppercased())ONE").map { $0["username"].text } == [String(repeating: "ő", count: 24)])
    #expect(list("USER \(stem)three").isEmpty)
    let product = String(repeating: "p", count: 60)
    core.run("LOGIN.CHECK ana \(product)")
    #expect(list("PRODUCT \(product)").count == 1)
  }

  /// Whatever was typed is shown in one line that redraws nothing.
  @Test func unprintableCharactersAreWrittenOut() {
    seed()
    core.run(["LOGIN.CHECK", "eve\u{1b}[2J\nroot\u{202e}", "pay\u{7}"])
    #expect(list()[0]["username"].text == "eve\\u{1b}[2J\\nroot\\u{202e}")
    #expect(list()[0]["product"].text == "pay\\u{7}")
    core.run(["LOGIN.CHECK", "ACME\\eve", "payroll"])
    #expect(list()[0]["username"].text == "ACME\\eve")
  }
}
