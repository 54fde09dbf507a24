@testable import GatehouseCore
import Testing

/// B7: a right in a workspace lasts no longer than the membership, and nobody gives rights that outlast their own.
@Suite struct LimitedRightsTests {
  private let core = CoreHarness()
  private let hour: Milliseconds = 3_600_000

  private func seed() {
    core.seedWorkspace("acme")
    core.seedWorkspace("beta")
    core.run("PRODUCT.CREATE acme/app")
    core.run("PRODUCT.CREATE beta/app")
    core.run("USER.CREATE bob WORKSPACE beta PRODUCT beta/app")
    core.run("USER.CREATE ann WORKSPACE acme PRODUCT acme/app")
  }

  private func until(_ span: Milliseconds) -> String { String(core.now + span) }

  @Test(arguments: ["FROM", "UNTIL"])
  func aRoleOfAWorkspaceCountsWhileTheMembershipDoes(limit: String) {
    seed()
    core.run("WORKSPACE.MEMBER acme bob")
    core.run("ROLE.GRANT bob training-administrator WORKSPACE acme")
    let bob = core.logIn("bob", "beta/app")
    #expect(core.run("USER.GET ann", as: bob)["username"].text == "ann")
    core.run("WORKSPACE.MEMBER acme bob \(limit) \(until(hour))")
    if limit == "UNTIL" { core.advance(hour) }
    for line in [
      "USER.STATUS ann locked", "WORKSPACE.MEMBER acme bob UNTIL none FROM none", "USER.CREATE evil WORKSPACE acme",
      "PRODUCT.ENABLE bob acme/app",
    ] {
      let text = core.run(line, as: bob).text ?? ""
      #expect(text.hasPrefix("NOPERM ") || text.hasPrefix("NOTFOUND "), "\(line): \(text)")
    }
    #expect(core.run("LOGIN.CHECK ann acme/app").text == "ALLOW")
  }

  @Test func nobodyGrantsLongerThanTheirOwnRight() {
    seed()
    core.run("USER.CREATE adm WORKSPACE acme PRODUCT acme/app")
    core.run("ROLE.GRANT adm training-administrator WORKSPACE acme UNTIL \(until(2 * hour))")
    let adm = core.logIn("adm", "acme/app")
    let grant = "training-administrator WORKSPACE acme"
    for line in [
      "ROLE.GRANT adm \(grant)", "ROLE.GRANT ann \(grant)", "ROLE.GRANT ann \(grant) UNTIL \(until(3 * hour))",
    ] {
      let text = core.run(line, as: adm).text ?? ""
      #expect(
        text.hasPrefix("NOPERM ") && text.contains(" beyond ") && text.hasSuffix("give an UNTIL that is no later"),
        "\(text)")
    }
    #expect(core.run("ROLE.GRANT ann \(grant) UNTIL \(until(hour))", as: adm).text == "OK")
    // A grant that outlasts their own right can still be revoked.
    core.run("ROLE.GRANT ann \(grant)")
    #expect(core.run("ROLE.REVOKE ann \(grant)", as: adm).text == "OK")
  }

  @Test func nobodyExtendsTheMembershipOrAccessOnWhichTheirRightDepends() {
    seed()
    core.run("WORKSPACE.MEMBER acme bob UNTIL \(until(2 * hour))")
    core.run("ROLE.GRANT bob training-administrator WORKSPACE acme")
    let bob = core.logIn("bob", "beta/app")
    #expect(core.run("WORKSPACE.MEMBER acme bob UNTIL none", as: bob).text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("WORKSPACE.MEMBER acme bob UNTIL \(until(hour))", as: bob).integer == 1)

    core.run("PRODUCT.ENABLE ann acme/app ADMIN UNTIL \(until(2 * hour))")
    let ann = core.logIn("ann", "acme/app")
    #expect(core.run("PRODUCT.ENABLE ann acme/app UNTIL none", as: ann).text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("PRODUCT.ENABLE ann acme/app UNTIL \(until(hour))", as: ann).text == "OK")
  }

  /// W4: the roles of one workspace take no room from others.
  @Test func eachWorkspaceHasItsOwnLimitOfRoles() {
    seed()
    for number in 0..<Limits.rolesOfWorkspace {
      core.run("ROLE.DEFINE role\(number) user.read WORKSPACE acme")
    }
    #expect(
      core.run("ROLE.DEFINE one-more user.read WORKSPACE acme").text
        == "LIMIT roles: at most 1000 of a workspace; drop one first with ROLE.DROP")
    // A dropped role leaves room, and its name keeps its number, by which the trail knows it.
    let count = core.directory.state.view.roles.count
    core.run("ROLE.GRANT ann role7 WORKSPACE acme")
    #expect(core.run("ROLE.DROP role7 WORKSPACE acme").text == "OK")
    #expect(core.run("ROLE.DEFINE role7 user.read WORKSPACE acme").text == "OK")
    #expect(core.directory.state.view.roles.count == count)
    #expect(core.run("ROLE.LIST ann").items.isEmpty)
    #expect(core.run("ROLE.DROP role7 WORKSPACE acme").text == "OK")
    #expect(core.run("ROLE.DEFINE one-more user.read WORKSPACE acme").text == "OK")
    #expect(core.directory.state.view.roles.count == count + 1)
    core.expectReplicated()
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
    #expect(core.run("ROLE.DEFINE first user.read WORKSPACE beta").text == "OK")
    #expect(core.run("ROLE.DEFINE first-of-all user.read").text == "OK")
  }
}
