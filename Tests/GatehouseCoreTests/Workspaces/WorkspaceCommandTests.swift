import Testing

@testable import GatehouseCore

@Suite struct WorkspaceCommandTests {
  let core = CoreHarness(partitions: 8)

  init() {
    core.run("PRODUCT.CREATE payroll")
    for name in ["ana", "bob"] { core.run("USER.CREATE \(name) PRODUCT payroll NOINVITE") }
  }

  @Test func aWorkspaceIsCreatedWithAllSettings() {
    let before = core.lsn
    #expect(core.run("WORKSPACE.CREATE acme PROFILE clockify PLAN enterprise SUBDOMAIN acme OWNER ana").text == "OK")
    #expect(core.lsn == before + 1)
    let workspace = core.run("WORKSPACE.GET acme")
    #expect(workspace["plan"].text == "enterprise")
    #expect(workspace["subdomain"].text == "acme")
    #expect(workspace["owner"].text == "ana")
    #expect(workspace["policy.accounts.needs-owner"].text == "on")
    #expect(workspace["policy.delete.needs-reason"].text == "off")
    #expect("\(core.run("USER.GET ana")["workspaces"])" == "[main, acme]")
    #expect(core.run("WORKSPACE.LIST").items.compactMap { $0["name"].text } == ["main", "acme"])
    core.expectReplicated()
  }

  @Test func refusalsSayWhy() {
    core.run("WORKSPACE.CREATE acme SUBDOMAIN acme")
    #expect(core.run("WORKSPACE.CREATE acme").text == "CONFLICT workspace: acme already exists")
    #expect(core.run("WORKSPACE.CREATE main").text?.hasPrefix("CONFLICT") == true)
    #expect(core.run("WORKSPACE.CREATE beta SUBDOMAIN ACME").text?.hasPrefix("CONFLICT subdomain") == true)
    #expect(core.run("WORKSPACE.CREATE beta PROFILE excel").text?.contains("actionstep, actitime") == true)
    #expect(core.run("WORKSPACE.CREATE beta OWNER nobody").text == "NOTFOUND user nobody")
    #expect(core.run("WORKSPACE.CREATE Beta").isError)
    #expect(core.run("WORKSPACE.GET beta").text == "NOTFOUND workspace beta")
    #expect(core.run("WORKSPACE.SET acme plan").isError)
    #expect(core.run("WORKSPACE.SET acme plan a subdomain").isError)
    #expect(core.run("WORKSPACE.SET acme colour red").text?.contains("policy.session.ttl") == true)
    #expect(core.run("WORKSPACE.SET acme name beta").isError)
    #expect(core.run("WORKSPACE.SET acme policy.session.ttl long").text?.contains("a duration such as") == true)
    #expect(core.run("WORKSPACE.SET acme policy.impersonation.ttl 61m").isError)
  }

  /// Nothing else is said of a user who is not a member.
  @Test(arguments: ["WORKSPACE.SET acme owner bob", "WORKSPACE.TRANSFER acme bob"])
  func membershipIsCheckedFirstForANewOwner(line: String) {
    core.run("WORKSPACE.CREATE acme OWNER ana")
    core.run("USER.DELETE bob REASON x")
    #expect(core.run(line).text?.hasPrefix("REFUSED owner: bob is not a member of acme") == true)
    core.run("USER.CREATE eva WORKSPACE acme NOINVITE")
    core.run("USER.DELETE eva REASON x")
    #expect(core.run(line.replacing("bob", with: "eva")).text?.hasPrefix("REFUSED status: ") == true)
  }

  @Test func settingsAreChangedTogether() {
    #expect(core.run("WORKSPACE.SET main plan pro subdomain acme policy.session.ttl 8h").integer == 3)
    #expect(core.run("WORKSPACE.SET main plan pro subdomain beta").integer == 1)
    let version = core.run("WORKSPACE.GET main")["version"].integer ?? 0
    #expect(core.run("WORKSPACE.SET main plan pro IFVERSION 1").text?.hasPrefix("STALE ") == true)
    #expect(core.run("WORKSPACE.SET main subdomain \"\" plan free IFVERSION \(version)").integer == 2)
    #expect(core.run("WORKSPACE.GET main")["subdomain"].isNull)
    #expect(core.run("WORKSPACE.GET main")["policy.session.ttl"].text == "28800000")
    core.expectReplicated()
  }

  @Test func aProfileSetsAllPolicies() {
    core.run("WORKSPACE.SET main policy.timer.notify-stopped on")
    core.run("WORKSPACE.SET main profile actionstep")
    #expect(core.run("WORKSPACE.GET main")["policy.user.needs-authority"].text == "on")
    #expect(core.run("WORKSPACE.GET main")["policy.timer.notify-stopped"].text == "off")
    // Later settings adjust the profile.
    core.run("WORKSPACE.SET main profile actitime policy.delete.needs-reason on")
    #expect(core.run("WORKSPACE.GET main")["policy.user.needs-authority"].text == "off")
    #expect(core.run("WORKSPACE.GET main")["policy.user.required-fields"].text == "")
    #expect(core.run("WORKSPACE.GET main")["policy.delete.needs-reason"].text == "on")
  }

  @Test func ownersAreMembers() {
    core.run("WORKSPACE.CREATE acme OWNER ana")
    #expect(core.run("WORKSPACE.SET acme owner bob").text?.hasPrefix("REFUSED owner: ") == true)
    #expect(core.run("WORKSPACE.MEMBER acme bob").integer == 1)
    #expect(core.run("WORKSPACE.MEMBER acme bob").integer == 0)
    #expect(core.run("WORKSPACE.MEMBER acme ana REMOVE").text?.hasPrefix("REFUSED owner: ") == true)
    #expect(core.run("WORKSPACE.TRANSFER acme bob").text == "OK")
    #expect(core.run("WORKSPACE.GET acme")["owner"].text == "bob")
    #expect(core.run("WORKSPACE.MEMBER acme ana REMOVE").integer == 1)
    #expect(core.run("WORKSPACE.MEMBER acme ana REMOVE").integer == 0)
    #expect(core.run("WORKSPACE.MEMBER main ana REMOVE").text?.hasPrefix("REFUSED home: ") == true)
    core.run("USER.STATUS ana pending")
    core.run("WORKSPACE.MEMBER acme ana")
    #expect(core.run("WORKSPACE.TRANSFER acme ana").text?.hasPrefix("REFUSED owner: ") == true)
    core.expectReplicated()
  }

  @Test func leavingRemovesEverythingOfTheWorkspace() {
    core.run("WORKSPACE.CREATE acme")
    core.run("PRODUCT.CREATE acme/crm")
    core.run("POOL.SET acme/crm * 5")
    core.run("PRODUCT.ENABLE ana acme/crm")
    core.run("ROLE.GRANT ana manager WORKSPACE acme")
    core.run("ROLE.GRANT ana individual")
    core.run("TIMER.START ana WORKSPACE acme")
    core.run("TIMER.START ana")
    let crm = core.logIn("ana", "acme/crm")
    let payroll = core.logIn("ana", "payroll")
    #expect(core.run("WORKSPACE.MEMBER acme ana REMOVE").integer == 1)
    #expect(core.run("SESSION.CHECK \(crm)").isNull)
    #expect(!core.run("SESSION.CHECK \(payroll)").isNull)
    #expect(core.run("POOL.LIST acme/crm")[0]["used"].integer == 0)
    #expect(core.run("LOGIN.CHECK ana acme/crm").text == "DENY product-disabled")
    #expect(core.run("ROLE.LIST ana").items.compactMap { $0["role"].text } == ["individual"])
    #expect(core.run("USER.GET ana")["main-role"].text == "individual")
    #expect(core.run("TIMER.CURRENT ana WORKSPACE acme").isNull)
    #expect(!core.run("TIMER.CURRENT ana").isNull)
    core.expectReplicated()
  }

  @Test func ownersRunTheirWorkspace() {
    core.run("WORKSPACE.CREATE acme OWNER ana")
    core.run("USER.CREATE eva WORKSPACE acme NOINVITE")
    let ana = core.logIn("ana", "payroll")
    let bob = core.logIn("bob", "payroll")
    #expect(core.run("WORKSPACE.SET acme policy.session.ttl 1h", as: ana).integer == 1)
    #expect(core.run("WORKSPACE.SET acme plan enterprise", as: ana).text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("USER.SET eva first Eva", as: ana).integer == 1)
    // W4: rights in one workspace do not show people of others.
    #expect(core.run("USER.SET bob first Bob", as: ana).text == "NOTFOUND user bob")
    #expect(core.run("WORKSPACE.SET main policy.session.ttl 1h", as: ana).text?.hasPrefix("NOPERM ") == true)
    // For others it does not exist.
    #expect(core.run("WORKSPACE.GET acme", as: bob).text == "NOTFOUND workspace acme")
    #expect(core.run("WORKSPACE.LIST", as: bob).items.count == 1)
    #expect(core.run("WORKSPACE.LIST", as: ana).items.count == 2)
    #expect(core.run("WORKSPACE.GET main", as: bob)["name"].text == "main")
    #expect(core.run("WORKSPACE.CREATE beta", as: ana).text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("WORKSPACE.TRANSFER acme eva", as: ana).text == "OK")
    #expect(core.run("WORKSPACE.SET acme policy.session.ttl 2h", as: ana).text?.hasPrefix("NOPERM ") == true)
  }
}
