import Testing

@testable import GatehouseCore

/// W6: a service that is bound to workspaces sees and does nothing outside them.
@Suite struct BoundServiceTests {
  private let core = CoreHarness(partitions: 4)

  init() throws {
    for workspace in ["acme", "beta"] {
      core.run("WORKSPACE.CREATE \(workspace)")
      core.run("PRODUCT.CREATE \(workspace)/app")
    }
    core.run("USER.CREATE ann PRODUCT acme/app NOINVITE")
    core.run("USER.CREATE bea PRODUCT beta/app NOINVITE")
    core.run("USER.CREATE shared PRODUCT beta/app PRODUCT acme/app NOINVITE")
    core.run("SERVICE.CREATE free ADMIN")
    let bound = core.run("SERVICE.CREATE portal READ SESSIONS TIMERS ADMIN WORKSPACE acme")
    try #require(bound["workspaces"].items.map(\.text) == ["acme"])
  }

  private func bind() { core.connection = ConnectionFacts(id: 2, service: 2, rights: .all, isBound: true) }

  @Test func whatIsOutsideDoesNotExistForIt() {
    let elsewhere = core.logIn("shared", "beta/app")
    bind()
    #expect(core.run("LOGIN.CHECK ann acme/app").text == "ALLOW")
    #expect(core.run("LOGIN.CHECK bea acme/app").text == "DENY unknown-user")
    #expect(core.run("LOGIN.CHECK shared beta/app").text == "DENY unknown-product")
    #expect(core.run("SESSION.CREATE bea beta/app").text == "REFUSED login: unknown-user")
    #expect(core.run("SESSION.CREATE shared beta/app").text == "REFUSED login: unknown-product")
    #expect(core.run("SESSION.CHECK \(elsewhere)").isNull)
    #expect(core.run("SESSION.REVOKE \(elsewhere)").integer == 0)
    #expect(core.run("USER.GET ann", as: elsewhere).text?.hasPrefix("NOPERM a session in force") == true)
    #expect(
      core.run("USER.LIST")[1].items.map { $0["username"].text }
        == ["shared", "ann"].sorted { a, b in
          // Lists are sorted by partition.
          (core.user(a)?.id.raw ?? 0) & 3 < (core.user(b)?.id.raw ?? 0) & 3
        })
    #expect(core.run("USER.COUNT").integer == 2)
    #expect(core.run("WORKSPACE.LIST").items.map { $0["name"].text } == ["acme"])
    #expect(core.run("PRODUCT.LIST").items.map { $0["product"].text } == ["acme/app"])
    for line in ["USER.GET bea", "SESSION.LIST bea"] { #expect(core.run(line).text == "NOTFOUND user bea") }
    #expect(core.run("TIMER.START ann").text == "NOTFOUND workspace main; WORKSPACE w names another")
    #expect(core.run("TIMER.START ann WORKSPACE acme")["user"].integer != nil)
  }

  @Test("W6: what others than the operator read in trail, feed and refusals names no service")
  func namesOfServices() {
    core.connection = ConnectionFacts(id: 2, service: 1, rights: .all)
    core.run("USER.SET ann first Ann")
    core.run("LOGIN.CHECK ann acme/none")
    core.run("USER.STATUS ann inactive")
    core.run("LOGIN.CHECK ann acme/app")
    func services() -> [Set<String>] {
      [core.run("AUDIT.LIST USER ann")[1], core.run("FEED.READ 0 COUNT 1000")[1], core.run("REFUSALS.LIST USER ann")]
        .map {
          Set($0.items.compactMap { $0["service"].text })
        }
    }
    #expect(services().allSatisfy { $0.contains("free") }, "\(services())")
    bind()
    #expect(services().allSatisfy { $0.contains("#1") && !$0.contains("free") }, "\(services())")
  }

  /// W2, W3: what the workspace may do with a shared person, the service may.
  @Test func itMayDoWhatTheWorkspaceMay() {
    bind()
    #expect(core.run("USER.SET ann first Ann").integer == 1)
    #expect(core.run("USER.SET shared first Sam").text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("USER.STATUS shared locked").text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("PRODUCT.DISABLE shared acme/app").text == "OK")
    #expect(core.run("ROLE.GRANT ann training-administrator WORKSPACE acme").text == "OK")
    #expect(core.run("ROLE.GRANT ann training-administrator").text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("USER.CREATE eva WORKSPACE acme ROLE manager")["status"].text == "active")
    #expect(core.run("ROLE.LIST eva").items.map { $0["scope"].text } == ["workspace acme"])
  }

  @Test(arguments: ["WORKSPACE.CREATE gamma", "SERVICE.CREATE more", "SERVICE.LIST", "ROLE.DEFINE x user.read"])
  func itDoesNotManageTheServer(line: String) {
    bind()
    #expect(core.run(line).text?.hasPrefix("NOPERM the permission ") == true)
  }

  /// The least of all, even through a session of a user who may do everything.
  @Test func noSessionAddsToItsRights() {
    core.run("USER.CREATE root PRODUCT acme/app ROLE super-administrator NOINVITE")
    let token = core.logIn("root", "acme/app")
    bind()
    #expect(core.run("USER.GET ann", as: token)["username"].text == "ann")
    #expect(core.run("USER.GET bea", as: token).text == "NOTFOUND user bea")
    #expect(core.run("WORKSPACE.CREATE gamma", as: token).text?.hasPrefix("NOPERM ") == true)
  }

  /// A bound service does not count as one that can manage the server.
  @Test func theLastServiceThatManagesTheServerStays() throws {
    #expect(core.run("SERVICE.DELETE free").text?.hasPrefix("REFUSED last-admin-service: ") == true)
    #expect(core.run("SERVICE.LIST").items.map { $0["workspaces"].isNull } == [true, false])
    try core.restart()
    #expect(core.run("SERVICE.LIST").items.map { $0["workspaces"].isNull } == [true, false])
    core.expectReplicated()
    let fresh = CoreHarness()
    #expect(fresh.run("SERVICE.CREATE portal ADMIN WORKSPACE main").text?.hasPrefix("REFUSED first-service: ") == true)
  }
}
