import Testing

@testable import GatehouseCore

@Suite struct ImpersonationCommandTests {
  private let core = CoreHarness(partitions: 16)
  private let payroll: ProductID
  private let tom: UserID
  private let ana: UserID

  init() {
    payroll = core.seedProduct("payroll")
    tom = core.seedUser("tom", products: [payroll], roles: [.trainingAdministrator])
    ana = core.seedUser("ana", products: [payroll])
  }

  @discardableResult
  private func start(_ token: String, _ target: String, _ options: String = "") -> Answer {
    core.run("IMPERSONATE.START \(token) \(target) REASON help \(options)")
  }

  /// Who may impersonate whom, by the strongest role.
  @Test func rolesDecideWhoMay() {
    let roles: [(String, [Role])] = [
      ("individual", [.individual]), ("manager", [.manager]), ("training", [.trainingAdministrator, .individual]),
      ("super", [.superAdministrator, .individual]),
    ]
    for (name, roles) in roles {
      for side in ["actor", "target"] { core.seedUser("\(side)-\(name)", roles: roles) }
    }
    let allowed: [String: Set<String>] = [
      "training": ["individual", "manager"], "super": ["individual", "manager", "training"],
    ]
    for (actor, _) in roles {
      for (target, _) in roles {
        let answer = core.run("IMPERSONATE.CAN actor-\(actor) target-\(target)").text
        let rule = target == "super" ? "super-administrator" : "role"
        #expect(answer == (allowed[actor]?.contains(target) == true ? "ALLOW" : "DENY \(rule)"))
      }
    }
    #expect(core.run("IMPERSONATE.CAN tom tom").text == "DENY oneself")
    core.seedUser("gone", status: .inactive)
    #expect(core.run("IMPERSONATE.CAN tom gone").text == "DENY target-status")
    #expect(core.run("IMPERSONATE.CAN gone ana").text == "DENY actor-status")
    #expect(core.run("IMPERSONATE.CAN tom nobody").text == "NOTFOUND user nobody")
  }

  @Test func actorAndSubjectAreBothRecorded() {
    let login = core.logIn("tom", "payroll")
    let started = start(login, "ana", "TTL 10m")
    #expect(started.keys == ["session", "id", "actor", "subject", "workspace", "expires"])
    #expect(started["actor"].text == "tom")
    #expect(started["subject"].text == "ana")
    #expect(started["expires"].integer == core.now + 600_000)
    #expect(core.records.last?.first.header.actor == tom)
    #expect(core.records.last?.first.header.reason == "help")
    let token = started["session"].text ?? ""
    let checked = core.run("SESSION.CHECK \(token) PRODUCT payroll")
    #expect(checked["kind"].text == "impersonation")
    #expect(checked["username"].text == "ana")
    #expect(checked["actor"].text == "tom")
    // Actions are done as the subject, and both are recorded.
    #expect(core.run("TIMER.START ana", as: token)["started-by"].text == "tom")
    #expect(core.records.last?.first.header.actor == tom)
    #expect(core.records.last?.first.header.subject == ana)
    #expect(core.run("TIMER.STOP ana", as: token)["stopped-by"].text == "tom")
    #expect(
      start(token, "ana").text
        == "REFUSED impersonation: no-chains; start from your own login, not from an impersonation")
    #expect(core.run("IMPERSONATE.END \(token)").integer == 1)
    #expect(core.run("IMPERSONATE.END \(token)").integer == 0)
    #expect(core.run("SESSION.CHECK \(token)").isNull)
    #expect(core.run("IMPERSONATE.END \(login)").integer == 0)
    #expect(!core.run("SESSION.CHECK \(login)").isNull)
  }

  @Test func aReasonMustBeGiven() {
    let login = core.logIn("tom", "payroll")
    #expect(core.run("IMPERSONATE.START \(login) ana").text?.hasPrefix("ERR REASON is missing") == true)
    #expect(
      core.run(["IMPERSONATE.START", login, "ana", "REASON", " "]).text?.hasPrefix("ERR REASON is empty") == true)
    #expect(
      start(core.logIn("ana", "payroll"), "tom").text
        == "REFUSED impersonation: role; it takes the permission impersonate there, and more power than the other has;"
        + " WORKSPACE names where you have them")
    #expect(start("gs_nothing", "ana").text?.hasPrefix("NOPERM a session in force") == true)
    #expect(core.run("IMPERSONATE.START \(login) ana REASON x", as: login).text?.hasPrefix("NOPERM ") == true)
  }

  @Test func itEndsWithThePolicyAndWithTheLogin() {
    let login = core.logIn("tom", "payroll", "TTL 20m")
    #expect(start(login, "ana")["expires"].integer == core.now + 15 * 60_000)
    #expect(start(login, "ana", "TTL 3h")["expires"].integer == core.now + 15 * 60_000)
    core.seedPolicy("impersonation.ttl", "60m")
    #expect(start(login, "ana")["expires"].integer == core.now + 20 * 60_000)
    #expect(start(login, "ana", "TTL 0").text?.hasPrefix("ERR TTL ") == true)
    let idle = core.logIn("tom", "payroll", "IDLE 5m")
    let acting = start(idle, "ana")
    #expect(acting["expires"].integer == core.now + 60 * 60_000)
    let token = acting["session"].text ?? ""
    // Who acts uses the own login, whether by a question or by a command.
    for round in 0..<4 {
      core.advance(4 * 60_000)
      if round % 2 == 0 { core.run("SESSION.CHECK \(token)") } else { core.run("USER.GET ana", as: token) }
      #expect(!core.run("SESSION.GET \(acting["id"])").isError, "\(round)")
    }
    core.advance(5 * 60_000)
    #expect(core.run("SESSION.CHECK \(token)").isNull, "it ends with the login that is not used any more")
  }

  @Test func itEndsWhenTheActorLogsOutOrLosesTheRight() {
    let login = core.logIn("tom", "payroll")
    let first = start(login, "ana")["session"].text ?? ""
    core.apply(RoleRevoked(tom, Grant(role: .trainingAdministrator, scope: .everywhere, isMain: false)))
    #expect(core.run("SESSION.CHECK \(first)").isNull)
    #expect(core.run("TIMER.START ana", as: first).text?.hasPrefix("NOPERM ") == true)
    core.apply(RoleGranted(tom, Grant(role: .trainingAdministrator, scope: .everywhere, isMain: false)))
    #expect(core.run("SESSION.CHECK \(first)").isNull)
    let others = (0..<2).map { _ in start(login, "ana")["session"].text ?? "" }
    #expect(core.run("SESSION.REVOKE \(login)").integer == 1)
    #expect(core.user("ana")?.row.sessionCount == 0)
    #expect(core.changes.count == 3)
    for token in others { #expect(core.run("SESSION.CHECK \(token)").isNull) }
    #expect(core.cells.allSatisfy { $0.state.sessions.impersonations.isEmpty })
  }

  @Test func itExpiresAndTheActorsPartitionForgetsIt() {
    let login = core.logIn("tom", "payroll")
    let token = start(login, "ana")["session"].text ?? ""
    core.advance(15 * 60_000)
    #expect(core.expire() == 1)
    #expect(core.run("SESSION.CHECK \(token)").isNull)
    #expect(core.cells.allSatisfy { $0.state.sessions.impersonations.isEmpty })
    #expect(!core.run("SESSION.CHECK \(login)").isNull)
  }

  @Test func theOwnersToolsObeyThePolicies() {
    let acme = core.seedWorkspace("acme")
    let owner = core.seedUser("olga", workspaces: [acme], products: [payroll])
    let member = core.seedUser("mia", workspaces: [acme])
    core.apply(WorkspaceSet(acme, key: "owner", old: "", new: "#\(owner.raw)"))
    #expect(core.run("IMPERSONATE.CAN olga mia WORKSPACE acme").text == "ALLOW")
    #expect(core.run("IMPERSONATE.CAN olga ana WORKSPACE acme").text == "DENY not-a-member")
    #expect(core.run("IMPERSONATE.CAN olga mia").text == "ALLOW", "acme is where she is")
    #expect(core.run("IMPERSONATE.CAN olga ana").text == "DENY role")
    core.seedPolicy("accounts.needs-owner", "on", of: acme)
    core.seedPolicy("accounts.needs-enterprise", "on", of: acme)
    #expect(core.run("IMPERSONATE.CAN tom mia WORKSPACE acme").text == "DENY needs-owner")
    #expect(core.run("IMPERSONATE.CAN olga mia WORKSPACE acme").text == "DENY needs-enterprise")
    core.apply(WorkspaceSet(acme, key: "plan", old: "free", new: "enterprise"))
    #expect(start(core.logIn("olga", "payroll"), "mia", "WORKSPACE acme")["workspace"].text == "acme")
    #expect(core.user("mia")?.id == member)
  }

  @Test func aSubdomainBindsItToItsWorkspace() {
    let acme = core.seedWorkspace("acme")
    let crm = core.seedProduct("crm", workspace: acme)
    core.apply(
      WorkspaceJoined(ana, acme), WorkspaceSet(acme, key: "subdomain", old: "", new: "acme"),
      AccessSet(ana, old: nil, new: ProductAccess(product: crm, isEnabled: true)))
    let login = core.logIn("tom", "payroll")
    let token = start(login, "ana", "PRODUCT acme/crm")["session"].text ?? ""
    #expect(core.run("SESSION.CHECK \(token)")["workspace"].text == "acme")
    #expect(core.run("SESSION.CHECK \(token) PRODUCT payroll").isNull)
    #expect(!core.run("SESSION.CHECK \(token) PRODUCT acme/crm").isNull)
    #expect(core.run("TIMER.START ana", as: token).text == "NOPERM an impersonation outside its workspace")
    core.run("TIMER.START ana")
    core.run("TIMER.STOP ana")
    #expect(core.run("TIMER.START ana WORKSPACE acme", as: token)["workspace"].text == "acme")
    core.run("TIMER.STOP ana WORKSPACE acme", as: token)
    #expect(core.run("ENTRY.LIST ana", as: token)[1].items.compactMap { $0["workspace"].text } == ["acme"])
    #expect(core.run("LOGIN.CHECK ana acme/crm", as: token).text == "ALLOW")
    #expect(core.run("LOGIN.CHECK ana payroll", as: token).text == "NOPERM an impersonation outside its workspace")
    #expect(start(login, "ana", "PRODUCT payroll WORKSPACE acme").text?.hasPrefix("ERR PRODUCT ") == true)
  }

  @Test func theSubjectMustBeAllowedIntoTheProduct() {
    core.seedProduct("crm")
    #expect(start(core.logIn("tom", "payroll"), "ana", "PRODUCT crm").text == "REFUSED login: product-disabled")
    #expect(
      start(core.logIn("tom", "payroll"), "ana", "PRODUCT nothing").text
        == "NOTFOUND product nothing; it was looked for in main: workspace/product names that of another workspace")
  }

  @Test func impersonationsInForceAreListed() {
    core.seedUser("ben", products: [payroll])
    core.seedUser("uma", products: [payroll], roles: [.trainingAdministrator])
    let login = core.logIn("tom", "payroll")
    start(login, "ana")
    core.advance(1000)
    start(login, "ben")
    core.advance(1000)
    start(core.logIn("uma", "payroll"), "ana", "PRODUCT payroll")
    func pairs(_ options: String = "", as token: String? = nil) -> [String] {
      let answer =
        token.map { core.run("IMPERSONATE.LIST \(options)", as: $0) } ?? core.run("IMPERSONATE.LIST \(options)")
      return answer.items.map { "\($0["actor"])>\($0["subject"])" }
    }
    #expect(pairs() == ["uma>ana", "tom>ben", "tom>ana"])
    #expect(pairs("ACTOR TOM") == ["tom>ben", "tom>ana"])
    #expect(pairs("TARGET ana") == ["uma>ana", "tom>ana"])
    #expect(pairs("ACTOR #\(tom.raw) TARGET #\(ana.raw)") == ["tom>ana"])
    #expect(pairs("ACTOR nobody") == [])
    #expect(pairs(as: core.logIn("ben", "payroll")) == ["tom>ben"])
    #expect(pairs(as: login) == ["uma>ana", "tom>ben", "tom>ana"])
    core.advance(15 * 60_000)
    #expect(pairs() == [])
  }

  /// Names change while an impersonation is in force, and the users may be in any partition.
  @Test func listsShowTheCurrentNames() {
    let login = core.logIn("tom", "payroll")
    start(login, "ana")
    for name in ["thomas", "tim", "tobias", "theo"] {
      #expect(core.run("USER.RENAME tom \(name)").text == "OK")
      #expect(core.run("IMPERSONATE.LIST")[0]["actor"].text == name)
      #expect(core.run("IMPERSONATE.LIST ACTOR \(name)").items.count == 1)
      #expect(core.run("IMPERSONATE.LIST ACTOR tom").items.isEmpty)
      #expect(core.run("IMPERSONATE.LIST ACTOR #\(tom.raw)").items.count == 1)
      core.run("USER.RENAME \(name) tom")
    }
    core.run("USER.RENAME ana anna")
    #expect(core.run("IMPERSONATE.LIST TARGET anna")[0]["subject"].text == "anna")
    #expect(core.run("IMPERSONATE.LIST TARGET ana").items.isEmpty)
    #expect(
      core.run("IMPERSONATE.LIST")[0].keys == [
        "id", "actor", "subject", "workspace", "product", "reason", "created", "expires", "last-seen",
      ])
  }

  @Test("L13: IMPERSONATE.LIST finds by the name and id of who was merged")
  func listsByOtherNames() {
    let dropped = core.run("USER.CREATE annette NOINVITE")["id"].integer ?? 0
    let thomas = core.run("USER.CREATE thomas NOINVITE")["id"].integer ?? 0
    for line in ["USER.MERGE ana annette", "USER.MERGE tom thomas"] { #expect(!core.run(line).isError) }
    start(core.logIn("tom", "payroll"), "ana")
    for name in ["ana", "annette", "Annette", "#\(dropped)", "#\(ana.raw)"] {
      #expect(core.run("IMPERSONATE.LIST TARGET \(name)").items.count == 1, "\(name)")
      #expect(core.run("IMPERSONATE.LIST ACTOR \(name)").items.isEmpty, "\(name)")
    }
    for name in ["tom", "thomas", "#\(thomas)"] {
      #expect(core.run("IMPERSONATE.LIST ACTOR \(name)").items.count == 1, "\(name)")
    }
  }

  @Test(arguments: ["new@acme.test EMAIL new@acme.test", "new@acme.test", "new EMAIL new@acme.test"])
  func theEmailOfAContactIsNotChangedWhileImpersonating(words: String) {
    core.seedUser("root", products: [payroll], roles: [.superAdministrator])
    let token = start(core.logIn("root", "payroll"), "tom")["session"].text ?? ""
    let contact = core.run("USER.CREATE eva NOINVITE")["contact"]
    core.run("USER.DELETE eva REASON left")
    let refused = core.run("USER.CREATE \(words) CONTACT #\(contact) NOINVITE", as: token).text
    #expect(refused?.hasPrefix("REFUSED impersonation: an e-mail address ") == true)
    // A new login with the contact's own address does not change it, and a new contact has none yet.
    #expect(!core.run("USER.CREATE eva CONTACT #\(contact) NOINVITE", as: token).isError)
    #expect(!core.run("USER.CREATE \(words) NOINVITE", as: token).isError)
  }

  @Test func whoMayEndIt() {
    core.seedUser("ben", products: [payroll])
    let login = core.logIn("tom", "payroll")
    let first = start(login, "ana")
    #expect(
      core.run("IMPERSONATE.END \(first["id"])", as: core.logIn("ben", "payroll")).text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("IMPERSONATE.END \(first["id"])", as: login).integer == 1)
    let other = start(login, "ana")
    #expect(core.run("IMPERSONATE.END \(other["id"]) TOKEN").integer == 0, "with TOKEN an id is none")
    #expect(core.run("IMPERSONATE.END #\(other["id"]) TOKEN", as: login).integer == 0)
    #expect(core.run("IMPERSONATE.END \(other["session"]) TOKEN", as: login).integer == 1)
    let second = start(login, "ana")["session"].text ?? ""
    #expect(core.run("IMPERSONATE.END \(second)", as: second).integer == 1)
  }
}
