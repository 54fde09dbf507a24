import Testing

@testable import GatehouseCore

/// W6: a service that is bound to products has to do with these alone.
@Suite struct ProductServiceTests {
  private let core = ProductWorld.make()

  private func bind() { core.connection = ConnectionFacts(id: 2, service: 2, rights: .all, isBound: true) }

  // MARK: Making and changing

  @Test func itIsBoundToProductsAndTheirWorkspaces() throws {
    core.run("PRODUCT.CREATE here")
    let made = core.run("SERVICE.CREATE crew READ SESSIONS ADMIN PRODUCT acme/payroll PRODUCT here PRODUCT acme/zeta")
    #expect(made["workspaces"].items.map(\.text) == ["acme", "main"])
    #expect(made["products"].items.map(\.text) == ["acme/payroll", "here", "acme/zeta"])
    let listed = core.run("SERVICE.LIST").items
    #expect(
      listed.map { $0["products"].items.map(\.text) } == [[], ["acme/payroll"], made["products"].items.map(\.text)])
    #expect(listed[0]["workspaces"].isNull && listed[0]["products"].isNull)
    try core.restart()
    #expect(core.run("SERVICE.LIST").items == listed)
    core.expectReplicated()
  }

  @Test(
    arguments: [
      ("PRODUCT acme/none", "NOTFOUND product acme/none"),
      ("PRODUCT acme/zeta PRODUCT ACME/ZETA", "ERR PRODUCT acme/zeta is given twice"),
      ("PRODUCT acme/zeta WORKSPACE acme", "ERR WORKSPACE binds a service to all of a workspace, and PRODUCT"),
      ("PRODUCT acme/zeta TIMERS", "REFUSED product-service: a service bound to products has no use of TIMERS:"),
      (
        "PRODUCT acme/zeta MAIL TIMERS", "REFUSED product-service: a service bound to products has no use of TIMERS and"
      ),
    ])
  func whatCannotBe(options: String, refusal: String) {
    let answer = core.run("SERVICE.CREATE crew \(options)")
    #expect(answer.text?.hasPrefix(refusal) == true, "\(answer)")
  }

  @Test func theFirstServiceIsBoundToNothing() {
    let fresh = CoreHarness()
    fresh.run("PRODUCT.CREATE payroll")
    #expect(fresh.run("SERVICE.CREATE crew ADMIN PRODUCT payroll").text?.hasPrefix("REFUSED first-service: ") == true)
    fresh.run("SERVICE.CREATE ops ADMIN")
    #expect(fresh.run("SERVICE.SET ops PRODUCT payroll").text?.hasPrefix("REFUSED last-admin-service: ") == true)
    #expect(fresh.run("SERVICE.SET ops WORKSPACE main").text?.hasPrefix("REFUSED last-admin-service: ") == true)
  }

  @Test func itIsBoundToSomethingElse() {
    core.run("SERVICE.CREATE tool READ TIMERS")
    #expect(core.run("SERVICE.SET tool PRODUCT acme/zeta").text?.hasPrefix("REFUSED product-service: ") == true)
    #expect(core.run("SERVICE.SET tool READ PRODUCT acme/zeta").text == "OK")
    #expect(core.run("SERVICE.SET tool TIMERS").text?.hasPrefix("REFUSED product-service: ") == true)
    #expect(core.run("SERVICE.LIST")[2]["products"].items.map(\.text) == ["acme/zeta"])
    #expect(core.run("SERVICE.SET tool WORKSPACE main").text == "OK")
    #expect(core.run("SERVICE.LIST")[2]["products"].isNull)
    #expect(core.run("SERVICE.LIST")[2]["workspaces"].items.map(\.text) == ["main"])
    #expect(core.run("SERVICE.SET portal PRODUCT acme/zeta").text == "OK")
    bind()
    #expect(core.run("LOGIN.CHECK bob acme/zeta").text == "ALLOW")
    #expect(core.run("LOGIN.CHECK ana acme/payroll").text == "DENY unknown-product")
  }

  // MARK: What it sees of people

  @Test func itSeesTheContactAndTheAccessToItsProduct() {
    bind()
    let ana = core.run("USER.GET ana")
    #expect(ana["products"].items.map { $0["product"].text } == ["acme/payroll"])
    #expect(ana["products"][0]["licence"].text == "office")
    #expect(ana["first"].text == "Ana")
    #expect(ana["sessions"].integer == 1)
    for hidden in ["home", "last-login", "account", "initials", "reference"] {
      #expect(ana[hidden].isNull, "\(hidden)")
    }
    for hidden in ["workspaces", "roles", "groups"] { #expect(ana[hidden].items.isEmpty, "\(hidden)") }
    // T5: who has no access yet is there to be let in.
    #expect(core.run("USER.GET eva")["products"][0]["enabled"].integer == 0)
    #expect(core.run("USER.LIST")[1].items.count == core.run("USER.COUNT").integer.map(Int.init))
    #expect(core.run("USER.COUNT WHERE product = acme/payroll").integer == 2)
    #expect(core.run("USER.COUNT WHERE sessions > 0").integer == 2)
    #expect(core.run("USER.GET outsider").text == "NOTFOUND user outsider")
    #expect(core.run("LOGIN.CHECK outsider acme/payroll").text == "DENY unknown-user")
  }

  /// The name of a person is shown as the workspace of the product wants it.
  @Test func namesAreShownByTheWorkspaceOfTheProduct() {
    core.run("WORKSPACE.SET acme policy.contact.name-format last-first")
    bind()
    #expect(core.run("USER.GET ana")["name"].text == "Smith, Ana")
  }

  // MARK: What it does

  @Test func itLetsPeopleInAndOut() {
    bind()
    #expect(core.run("PRODUCT.ENABLE eva acme/payroll LICENCE office").text == "OK")
    let session = core.run("SESSION.CREATE eva acme/payroll")
    #expect(core.run("SESSION.CHECK \(session["session"])")["username"].text == "eva")
    #expect(core.run("SESSION.LIST eva").items.map { $0["id"] } == [session["id"]])
    #expect(core.run("LICENCE.REMOVE eva acme/payroll").text == "OK")
    #expect(core.run("SESSION.CHECK \(session["session"])").isNull)
    #expect(core.run("POOL.LIST").items.map { $0["type"].text } == ["office"])
    #expect(
      core.run("POOL.HOLDERS acme/payroll office")[1].items.map { $0["last-login"].isNull }.contains(false) == false)
  }

  @Test func itEndsItsSessionsAlone() {
    let other = core.logIn("ana", "acme/zeta")
    bind()
    #expect(core.run("SESSION.REVOKEALL ana").integer == 1)
    core.connection = ConnectionFacts(id: 1, service: 1, rights: .all)
    #expect(core.run("SESSION.CHECK \(other)")["username"].text == "ana")
  }

  /// Everybody uses the product, also those above its administrators: it checks their logins and logs them out. Their access
  /// is theirs.
  @Test func superAdministratorsUseItToo() {
    bind()
    #expect(core.run("LOGIN.CHECK root acme/payroll").text == "ALLOW")
    let session = core.run("SESSION.CREATE root acme/payroll")["session"].text ?? ""
    #expect(core.run("USER.GET root")["username"].text == "root")
    #expect(core.run("SESSION.REVOKE \(session)").integer == 1)
    #expect(
      core.run("PRODUCT.DISABLE root acme/payroll").text
        == "NOPERM the role super-administrator, to manage a super administrator")
  }

  /// Nobody gives what they do not hold: an administrator of the product edits contacts, and the service does not.
  @Test func itMakesNobodyAnAdministrator() {
    bind()
    #expect(core.run("PRODUCT.ENABLE eva acme/payroll ADMIN").text?.hasPrefix("NOPERM ") == true)
    // Whom it could not let in again it does not keep out.
    core.connection = ConnectionFacts(id: 1, service: 1, rights: .all)
    core.run("PRODUCT.ENABLE eva acme/payroll ADMIN")
    bind()
    #expect(core.run("PRODUCT.DISABLE eva acme/payroll").text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("PRODUCT.ENABLE eva acme/payroll UNTIL 2030-01-01T00:00:00Z").text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("USER.SET ana first Bea").text?.hasPrefix("NOPERM ") == true)
  }

  // MARK: Users through it

  /// The least of all: an administrator of the workspace does through it what both may.
  @Test func aUserDoesThroughItWhatBothMay() {
    let token = core.logIn("root", "acme/payroll")
    bind()
    #expect(core.run("PRODUCT.ENABLE eva acme/payroll LICENCE office", as: token).text == "OK")
    #expect(core.run("USER.GET ana", as: token)["products"].items.map { $0["product"].text } == ["acme/payroll"])
    #expect(
      core.run("USER.STATUS ana locked", as: token).text
        == "NOPERM the permission user.status: this service is bound to products, and has it over none")
    #expect(
      core.run("WORKSPACE.GET acme", as: token).text
        == "NOPERM a service that is bound to the workspace acme: this one is bound to products, and names these")
    #expect(core.run("PRODUCT.ENABLE eva acme/zeta", as: token).text == "NOTFOUND product acme/zeta")
  }

  @Test func onesOwnPasswordIsChangedThroughIt() {
    core.run("PASSWORD.SET ana correct-horse-battery-staple")
    bind()
    let token =
      core.run("LOGIN.PASSWORD ana acme/payroll correct-horse-battery-staple")["session"].text ?? "nothing"
    #expect(
      core.run("PASSWORD.CHANGE correct-horse-battery-staple another-horse-battery", as: token).text == "OK")
  }

  /// A key has no product, so it acts through the service of a product for whoever may enter that.
  @Test func keysActForWhomTheProductLetsIn() {
    let (ana, bob) = (core.run("APIKEY.CREATE ana")["key"].text ?? "", core.run("APIKEY.CREATE bob")["key"].text ?? "")
    bind()
    #expect(core.run("USER.GET ana", as: ana)["username"].text == "ana")
    #expect(core.run("APIKEY.CHECK \(ana) PRODUCT acme/payroll")["username"].text == "ana")
    #expect(core.run("APIKEY.CHECK \(bob) PRODUCT acme/payroll").isNull)
    #expect(
      core.run("USER.GET ana", as: bob).text
        == "NOPERM an API key in force: the one after AS is unknown, deactivated or expired")
  }

  /// What a trial shows is the same as what is seen.
  @Test func aTrialShowsItsProductAlone() {
    bind()
    let trial = core.run("PRODUCT.DISABLE ana acme/payroll DRYRUN")
    #expect(trial["changes"].items.map { $0["change"].text }.contains("access-set"), "\(trial)")
    #expect(trial["logins"].items.map { $0["product"].text } == ["acme/payroll"])
    #expect(trial["seats"].items.map { $0["type"].text } == ["office"])
    #expect(!"\(trial)".contains("zeta"))
  }
}

/// A workspace with two products. `portal` is bound to one of them; everything else that there is has `zeta` in its name.
enum ProductWorld {
  static func make() -> CoreHarness {
    let core = CoreHarness(partitions: 4)
    for line in lines {
      let answer = core.run(line)
      #expect(!answer.isError, "\(line): \(answer)")
    }
    return core
  }

  private static let lines = [
    "WORKSPACE.CREATE acme PLAN enterprise", "PRODUCT.CREATE acme/payroll", "PRODUCT.CREATE acme/zeta",
    "POOL.SET acme/payroll office 5", "POOL.SET acme/zeta zetatype 5", "POOL.SET acme/zeta * 9",
    "FIELD.DEFINE zetafield text WORKSPACE acme", "ACCOUNT.CREATE zetaaccount CUSTOMER WORKSPACE acme",
    "GROUP.CREATE zetagroup WORKSPACE acme", "GROUP.ADD zetagroup zetaaccount WORKSPACE acme",
    "ROLE.DEFINE zetarole WORKSPACE acme user.read timer.stop",
    "USER.CREATE ana WORKSPACE acme NOINVITE FIRST Ana LAST Smith EMAIL ana@acme.test LICENCE acme/payroll office"
      + " LICENCE acme/zeta zetatype INITIALS zetai REFERENCE zetaref FIELD zetafield zetavalue",
    "USER.CREATE bob WORKSPACE acme NOINVITE LICENCE acme/zeta zetatype", "USER.CREATE eva WORKSPACE acme NOINVITE",
    "USER.CREATE root WORKSPACE acme NOINVITE LICENCE acme/payroll office LICENCE acme/zeta zetatype",
    "ROLE.GRANT root super-administrator WORKSPACE acme", "USER.CREATE outsider NOINVITE",
    "ROLE.GRANT ana zetarole WORKSPACE acme", "ROLE.GRANT bob training-administrator PRODUCT acme/zeta",
    "PRODUCT.ENABLE bob acme/zeta ADMIN", "EMPLOY.ADD ana zetaaccount WORKSPACE acme MAIN",
    "MANAGE.ADD ana GROUP zetagroup WORKSPACE acme", "LINK.ADD ana booking zetalink WORKSPACE acme",
    "ENTRY.ADD ana START 1 END 2 WORKSPACE acme NOTE zetanote", "TIMER.START ana WORKSPACE acme NOTE zetanote",
    "USER.PROVISION ana title zetatitle WORKSPACE acme",
    "WEBHOOK.CREATE zetahook https://zeta.example/ WORKSPACE acme",
    "SESSION.CREATE ana acme/payroll", "SESSION.CREATE root acme/payroll",
    "SESSION.CREATE ana acme/zeta AGENT zetaagent", "SESSION.CREATE bob acme/zeta AGENT zetaagent",
    "SERVICE.CREATE free ADMIN", "SERVICE.CREATE portal READ SESSIONS ADMIN PRODUCT acme/payroll",
  ]
}
