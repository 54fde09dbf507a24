import Testing

@testable import GatehouseCore

/// Roles defined as sets of permissions, and grants that begin and end by themselves (B7).
@Suite struct DefinedRoleTests {
  private let core = CoreHarness(partitions: 4)

  init() {
    core.run("WORKSPACE.CREATE acme")
    core.run("PRODUCT.CREATE acme/app")
    for user in ["ann", "cleo", "root"] { core.run("USER.CREATE \(user) PRODUCT acme/app NOINVITE") }
    core.run("WORKSPACE.SET acme owner root")
  }

  @Test func aRoleGivesItsPermissions() throws {
    let root = core.logIn("root", "acme/app")
    #expect(core.run("ROLE.DEFINE helpdesk user.read user.status session.revoke WORKSPACE acme", as: root).text == "OK")
    #expect(core.run("ROLE.GRANT cleo helpdesk WORKSPACE acme", as: root).text == "OK")
    let cleo = core.logIn("cleo", "acme/app")
    #expect(core.run("USER.STATUS ann locked", as: cleo).text == "OK")
    #expect(core.run("USER.RENAME ann x", as: cleo).text == "NOPERM the permission user.rename")
    // A defined role is listed and filtered by like a built-in one.
    #expect(core.run("ROLE.LIST cleo").items.map { $0["role"].text } == ["helpdesk"])
    #expect(core.run("USER.COUNT WHERE role = helpdesk").integer == 1)
    #expect(core.run("USER.GET cleo")["main-role"].text == "helpdesk")
    let held = core.run("PERMISSION.LIST cleo").items.filter { $0["through"].text == "helpdesk" }
    #expect(held.map { $0["permission"].text } == ["user.status", "user.read", "session.revoke"])
    #expect(Set(held.map { $0["scope"].text }) == ["workspace acme"])
    try core.restart()
    #expect(core.run("USER.STATUS ann active", as: cleo).text == "OK")
    // Changing the role changes what its holders may do.
    core.run("ROLE.DEFINE helpdesk user.read WORKSPACE acme", as: root)
    #expect(core.run("USER.STATUS ann locked", as: cleo).text == "NOPERM the permission user.status")
    #expect(core.run("ROLE.DROP helpdesk WORKSPACE acme", as: root).text == "OK")
    #expect(core.run("USER.GET ann", as: cleo).text == "NOPERM the permission user.read")
    #expect(core.run("ROLE.LIST cleo").items.isEmpty)
    #expect(core.run("ROLE.GRANT cleo helpdesk WORKSPACE acme").text?.hasPrefix("NOTFOUND role helpdesk") == true)
    core.expectReplicated()
  }

  /// Nobody defines or grants permissions that they do not hold in that scope.
  @Test func nobodyGivesPermissionsThatTheyDoNotHold() {
    core.run("ROLE.DEFINE definer role.define role.grant user.read WORKSPACE acme")
    core.run("ROLE.DEFINE strong user.read user.delete WORKSPACE acme")
    core.run("ROLE.GRANT cleo definer WORKSPACE acme")
    let cleo = core.logIn("cleo", "acme/app")
    #expect(core.run("ROLE.DEFINE mine user.read WORKSPACE acme", as: cleo).text == "OK")
    #expect(
      core.run("ROLE.DEFINE more user.read user.delete WORKSPACE acme", as: cleo).text
        == "NOPERM the permission user.delete in the workspace acme, to define a role that gives it")
    #expect(core.run("ROLE.GRANT ann mine WORKSPACE acme", as: cleo).text == "OK")
    for line in ["ROLE.GRANT cleo strong WORKSPACE acme", "ROLE.DEFINE all user.read", "ROLE.GRANT ann mine"] {
      #expect(core.run(line, as: cleo).isError, "\(line)")
    }
    #expect(core.run("ROLE.DEFINE plan workspace.plan WORKSPACE acme").text?.hasPrefix("ERR workspace.plan ") == true)
    #expect(core.run("ROLE.DEFINE manager user.read").text == "CONFLICT role: manager already exists")
    #expect(core.run("ROLE.DEFINE x user.fly").text?.hasPrefix("NOTFOUND permission user.fly") == true)
  }

  /// Role names of one workspace mean nothing in another.
  @Test func workspacesHaveTheirOwnRoles() {
    core.run("WORKSPACE.CREATE beta")
    core.run("ROLE.DEFINE clerk user.read WORKSPACE acme")
    #expect(core.run("ROLE.DEFINE clerk user.delete WORKSPACE beta").text == "OK")
    #expect(core.run("ROLE.GRANT ann clerk WORKSPACE beta").text == "OK")
    #expect(core.run("ROLE.GRANT ann clerk").text?.hasPrefix("NOTFOUND role clerk") == true)
    let seen = core.run("ROLE.LIST", as: core.logIn("cleo", "acme/app")).items.filter { $0["role"].text == "clerk" }
    #expect(seen.map { $0["scope"].text } == ["workspace acme"])
  }

  @Test func aGrantBeginsAndEndsByItself() throws {
    let start = core.now + 1000
    core.run("ROLE.GRANT cleo training-administrator WORKSPACE acme FROM \(start) UNTIL \(start + 60_000)")
    let cleo = core.logIn("cleo", "acme/app")
    func mayRead() -> Bool { !core.run("USER.GET ann", as: cleo).isError }
    #expect(!mayRead())
    core.advance(1000)
    #expect(mayRead())
    let token = core.run("IMPERSONATE.START \(cleo) ann WORKSPACE acme REASON help")["session"].text ?? ""
    #expect(!core.run("SESSION.CHECK \(token)").isNull)
    try core.restart()
    core.advance(60_000)
    #expect(!mayRead())
    // Sessions that depended on it have ended for good, even if it is granted again before anybody looked.
    #expect(core.run("ROLE.GRANT cleo training-administrator WORKSPACE acme").text == "OK")
    #expect(mayRead())
    #expect(core.run("SESSION.CHECK \(token)").isNull)
    #expect(core.run("ROLE.LIST cleo")[0]["until"].isNull)
    core.expectReplicated()
  }

  @Test func timesMustMakeSense() {
    for times in ["UNTIL \(core.now)", "FROM \(core.now + 9) UNTIL \(core.now + 9)", "UNTIL 1"] {
      #expect(core.run("ROLE.GRANT cleo manager \(times)").text == "ERR UNTIL must be after now, and after FROM")
    }
    #expect(
      core.run("ROLE.GRANT cleo super-administrator UNTIL \(core.now + 9)").text?.hasPrefix(
        "REFUSED last-super-administrator: ") == true)
  }

  /// A role that gave less for a while does not bring back the sessions that it ended.
  @Test func sessionsEndedByARoleDoNotComeBack() {
    core.run("ROLE.DEFINE support user.read impersonate WORKSPACE acme")
    core.run("ROLE.GRANT cleo support WORKSPACE acme")
    let cleo = core.logIn("cleo", "acme/app")
    let token = core.run("IMPERSONATE.START \(cleo) ann WORKSPACE acme REASON help")["session"].text ?? ""
    #expect(!core.run("SESSION.CHECK \(token)").isNull)
    core.run("ROLE.DEFINE support user.read WORKSPACE acme")
    core.run("ROLE.DEFINE support user.read impersonate WORKSPACE acme")
    #expect(core.run("SESSION.CHECK \(token)").isNull)
    #expect(!core.run("IMPERSONATE.START \(cleo) ann WORKSPACE acme REASON help").isError)
  }
}
