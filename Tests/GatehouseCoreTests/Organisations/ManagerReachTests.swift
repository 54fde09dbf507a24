import Testing

@testable import GatehouseCore

/// L9 and L10: a manager's rights are over those employed today by the accounts and groups managed. The clock begins on
/// 2026-03-01.
@Suite struct ManagerReachTests {
  private let core = CoreHarness()
  private let day: Milliseconds = 86_400_000

  init() {
    for line in [
      "PRODUCT.CREATE payroll", "WORKSPACE.CREATE beta", "PRODUCT.CREATE beta/app", "ACCOUNT.CREATE Widgets CUSTOMER",
      "ACCOUNT.CREATE Gadgets CUSTOMER", "ACCOUNT.CREATE Crates CUSTOMER WORKSPACE beta", "GROUP.CREATE Europe",
      "GROUP.ADD Europe Widgets", "USER.CREATE mia PRODUCT payroll", "USER.CREATE ana PRODUCT payroll FIRST Ana",
      "USER.CREATE bob PRODUCT payroll", "USER.CREATE cat PRODUCT payroll", "USER.CREATE dan PRODUCT payroll",
      "USER.CREATE tom PRODUCT payroll ROLE training-administrator", "EMPLOY.ADD ana Widgets",
      "EMPLOY.ADD bob Gadgets", "EMPLOY.ADD cat Widgets FROM 2026-03-02", "EMPLOY.ADD dan Widgets TO 2026-02-28",
    ] {
      let answer = core.run(line)
      precondition(!answer.isError, "\(line): \(answer)")
    }
  }

  private func names(_ token: String, _ options: String = "") -> [String] {
    core.run("USER.LIST SORT username \(options)", as: token)[1].items.compactMap { $0["username"].text }
  }

  static let powers = [
    ["ROLE.GRANT mia manager ACCOUNT Widgets"], ["ROLE.GRANT mia manager GROUP Europe"],
    ["ROLE.GRANT mia manager", "MANAGE.ADD mia ACCOUNT Widgets"],
    ["ROLE.GRANT mia manager WORKSPACE main", "MANAGE.ADD mia GROUP Europe"],
  ]

  @Test("L10: the reach is over those employed today: not past ones, nor those to come", arguments: powers)
  func today(power: [String]) {
    for line in power { #expect(!core.run(line).isError, "\(line)") }
    var mia = core.logIn("mia", "payroll")
    #expect(names(mia) == ["ana", "mia"])
    #expect(core.run("USER.COUNT", as: mia).integer == 2)
    #expect(core.run("USER.COUNT WHERE account = Widgets", as: mia).integer == 1)
    #expect(core.run("USER.GET ana", as: mia)["first"].text == "Ana")
    for user in ["bob", "cat", "dan", "tom"] {
      #expect(core.run("USER.GET \(user)", as: mia).text == "NOTFOUND user \(user)", "\(user)")
    }
    core.advance(day)
    mia = core.logIn("mia", "payroll")
    #expect(names(mia) == ["ana", "cat", "mia"])
    core.run("EMPLOY.END ana Widgets")
    #expect(names(mia) == ["cat", "mia"])
    #expect(core.run("USER.GET ana", as: mia).text == "NOTFOUND user ana")
    core.expectReplicated()
  }

  @Test("L10: a manager may of employees what these may of their own, and no more")
  func rights() {
    core.run("ROLE.GRANT mia manager ACCOUNT Widgets")
    core.run("ENTRY.ADD bob START 1 END 2")
    core.run("TIMER.START bob")
    let mia = core.logIn("mia", "payroll")
    for line in [
      "USER.SET ana first Anna phone 5", "TIMER.START ana", "TIMER.STOP ana", "ENTRY.ADD ana START 1 END 2",
      "SESSION.LIST ana", "SESSION.REVOKEALL ana", "LOGIN.EXPLAIN ana payroll", "TIMER.CURRENT ana", "ROLE.LIST ana",
      "LINK.ADD ana booking first-aid",
    ] {
      let answer = core.run(line, as: mia)
      #expect(!answer.isError, "\(line): \(answer)")
    }
    #expect(core.run("ENTRY.LIST ana", as: mia)[1].items.count == 2)
    #expect(
      core.run("USER.SET ana department X", as: mia).text
        == "NOPERM the permission contact.set as an administrator: a manager sets what people set of themselves")
    for line in [
      "USER.RENAME ana x", "USER.STATUS ana inactive", "USER.SET ana initials X", "USER.DELETE ana REASON x",
      "PRODUCT.ENABLE ana payroll", "ROLE.GRANT ana individual ACCOUNT Widgets", "EMPLOY.ADD bob Widgets",
      "EMPLOY.END ana Widgets", "MANAGE.ADD mia ACCOUNT Widgets", "ACCOUNT.SET Widgets name X", "AUDIT.LIST USER ana",
      "USER.CREATE x ACCOUNT Widgets", "WORKSPACE.MEMBER main ana REMOVE", "IMPERSONATE.CAN bob ana",
    ] { #expect(core.run(line, as: mia).isError, "\(line)") }
    // Lists tell of the employees alone.
    core.run("TIMER.START ana", as: mia)
    #expect(core.run("TIMER.RUNNING", as: mia)[1].items.map { $0["username"].text } == ["ana"])
    #expect(core.run("TIMER.RUNNING WORKSPACE main", as: mia)[1].items.map { $0["username"].text } == ["ana"])
    #expect(core.run("ENTRY.LIST bob", as: mia).text == "NOTFOUND user bob")
    // Another account is not there, nor is somebody's employment at it.
    core.run("EMPLOY.ADD ana Gadgets MAIN")
    #expect(core.run("ACCOUNT.LIST", as: mia)[1].items.compactMap { $0["name"].text } == ["Widgets"])
    #expect(core.run("ACCOUNT.GET Gadgets", as: mia).text?.hasPrefix("NOTFOUND account Gadgets; ") == true)
    #expect(core.run("EMPLOY.LIST ana", as: mia).items.compactMap { $0["account"].text } == ["Widgets"])
    #expect(core.run("USER.GET ana", as: mia)["account"].isNull)
    core.run("ROLE.GRANT ana manager ACCOUNT Gadgets")
    core.run("MANAGE.ADD ana ACCOUNT Gadgets")
    for line in ["ROLE.LIST ana", "PERMISSION.LIST ana", "MANAGE.LIST ana"] {
      #expect(!core.run(line, as: mia).description.contains("Gadgets"), "\(line)")
    }
    #expect(names(mia, "FIELDS 2 username employer") == ["ana", "mia"])
  }

  @Test("L9: a link alone gives no right, nor does one to a user; the role alone has nobody")
  func linksAreNotTheRole() {
    for line in ["MANAGE.ADD mia ACCOUNT Widgets", "MANAGE.ADD mia GROUP Europe", "MANAGE.ADD mia USER bob"] {
      #expect(core.run(line).integer == 1)
      #expect(core.run(line).integer == 0, "there already")
    }
    let mia = core.logIn("mia", "payroll")
    #expect(core.run("USER.LIST", as: mia).text == "NOPERM the permission user.read")
    #expect(core.run("USER.GET ana", as: mia).text == "NOPERM the permission user.read")
    core.run("ROLE.GRANT mia manager WORKSPACE main")
    #expect(names(mia) == ["ana", "mia"])
    #expect(core.run("USER.GET bob", as: mia).text == "NOTFOUND user bob")
    let links = core.run("MANAGE.LIST mia").items.map { "\($0["kind"]) \($0["name"]) \($0["workspace"])" }
    #expect(links == ["account Widgets main", "group Europe main", "user bob main"])
    core.run("MANAGE.REMOVE mia GROUP Europe")
    core.run("MANAGE.REMOVE mia ACCOUNT Widgets")
    #expect(core.run("USER.GET ana", as: mia).text == "NOPERM the permission user.read")
    #expect(core.run("MANAGE.REMOVE mia USER bob").integer == 1)
    #expect(core.run("MANAGE.ADD mia USER mia").text == "ERR nobody looks after themselves")
    #expect(core.run("MANAGE.ADD mia THING x").text == "ERR kind must be USER, ACCOUNT or GROUP")
  }

  @Test("W4: a role and links in one workspace reach nobody by an account of another")
  func otherWorkspaces() {
    for line in [
      "WORKSPACE.MEMBER beta ana", "WORKSPACE.MEMBER beta mia", "EMPLOY.ADD bob Widgets", "EMPLOY.ADD ana beta/Crates",
      "ROLE.GRANT mia manager WORKSPACE beta", "MANAGE.ADD mia ACCOUNT Widgets",
    ] { #expect(!core.run(line).isError, "\(line)") }
    let mia = core.logIn("mia", "payroll")
    #expect(core.run("USER.LIST", as: mia).text == "NOPERM the permission user.read")
    core.run("MANAGE.ADD mia ACCOUNT beta/Crates")
    #expect(names(mia) == ["ana", "mia"])
    // She sees what is of beta; who ana is, is governed at home, and her time in main is not hers to see.
    core.run("ENTRY.ADD ana START 1 END 2")
    #expect(core.run("ENTRY.LIST ana", as: mia)[1].items.isEmpty)
    #expect(core.run("TIMER.START ana", as: mia).text?.hasPrefix("NOPERM ") == true)
    #expect(!core.run("TIMER.START ana WORKSPACE beta", as: mia).isError)
    #expect(core.run("USER.SET ana first X", as: mia).text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("USER.GET ana", as: mia)["home"].isNull)
  }

  @Test("whoever administers an account has power over its people, but not over who has more power")
  func administratorOfAnAccount() {
    for line in [
      "ROLE.GRANT mia training-administrator ACCOUNT Widgets", "EMPLOY.ADD tom Widgets",
      "USER.CREATE sue PRODUCT payroll",
      "ROLE.GRANT sue super-administrator", "EMPLOY.ADD sue Widgets", "ROLE.GRANT bob manager ACCOUNT Gadgets",
      "EMPLOY.ADD bob Widgets", "USER.CREATE eve PRODUCT payroll",
    ] { #expect(!core.run(line).isError, "\(line)") }
    let mia = core.logIn("mia", "payroll")
    for line in [
      "USER.SET ana department X", "USER.RENAME ana anna", "PRODUCT.DISABLE anna payroll",
      "USER.SET anna email a@b.test",
      "ROLE.GRANT anna manager ACCOUNT Widgets", "EMPLOY.SET anna Widgets TO 2027-01-01",
      "MANAGE.ADD anna ACCOUNT Widgets", "TIMER.START bob",
    ] {
      let answer = core.run(line, as: mia)
      #expect(!answer.isError, "\(line): \(answer)")
    }
    // Their identity would give her what they have and she has not: all of main, and another account.
    for user in ["tom", "bob"] {
      #expect(
        core.run("USER.SET \(user) email x@y.test", as: mia).text
          == "NOPERM the permission contact.set over an administrator with more power",
        "\(user)")
    }
    #expect(core.run("USER.GET sue", as: mia).text?.hasPrefix("NOPERM the role super-administrator") == true)
    // Nobody draws others into their own power, nor gives away what they have not.
    #expect(core.run("EMPLOY.ADD eve Widgets", as: mia).text == "NOTFOUND user eve")
    #expect(core.run("EMPLOY.ADD anna Gadgets", as: mia).text?.hasPrefix("NOTFOUND account Gadgets; ") == true)
    #expect(core.run("ROLE.GRANT anna manager WORKSPACE main", as: mia).text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("GROUP.ADD Europe Gadgets", as: mia).text?.hasPrefix("NOTFOUND group") == true)
    // New people come into her account, and nowhere else.
    #expect(core.run("USER.CREATE new1 ACCOUNT Widgets", as: mia)["status"].text == "active")
    #expect(core.run("USER.GET new1", as: mia)["account"].text == "Widgets")
    #expect(core.run("USER.CREATE new2", as: mia).text?.hasPrefix("NOPERM the permission user.create") == true)
    core.expectReplicated()
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test("nobody employs people, or puts accounts into a group, to have power over them by that")
  func noGain() {
    for line in [
      "ROLE.DEFINE clerk user.read user.create employment.manage account.manage", "ROLE.GRANT mia clerk WORKSPACE main",
      "ROLE.GRANT mia manager GROUP Europe",
    ] { #expect(!core.run(line).isError, "\(line)") }
    let mia = core.logIn("mia", "payroll")
    #expect(
      core.run("EMPLOY.ADD bob Widgets", as: mia).text
        == "NOPERM the permission contact.set over bob, to have it by way of the account")
    #expect(!core.run("EMPLOY.SET bob Gadgets TO 2027-01-01", as: mia).isError)
    // Nor by giving somebody who was there before a new login; new people come into her account.
    let contact = core.run("CONTACT.CREATE NAME \"Former One\"")["contact"]
    for employer in ["ACCOUNT Widgets", "EMPLOYED Widgets none none", "EMPLOYED Widgets 2027-01-01 none"] {
      #expect(
        core.run("USER.CREATE former CONTACT #\(contact) NOINVITE \(employer)", as: mia).text
          == "NOPERM the permission contact.set over contact #\(contact), to have it by way of the account",
        "\(employer)")
    }
    #expect(!core.run("USER.CREATE fresh NOINVITE EMPLOYED Widgets none none", as: mia).isError)
    #expect(
      core.run("GROUP.ADD Europe Gadgets", as: mia).text
        == "NOPERM the permission contact.set over the account Gadgets, to have it by way of the group")
    #expect(
      core.run("MANAGE.ADD mia ACCOUNT Gadgets", as: mia).text
        == "NOPERM the permission contact.set over the account Gadgets, to have somebody manage it")
  }

  @Test("L19: an administrator of an account reads of each employee what happened to them")
  func trail() {
    core.run("ROLE.GRANT mia training-administrator ACCOUNT Widgets")
    core.run("EMPLOY.ADD ana Gadgets")
    core.run("USER.SET ana phone 7")
    core.run("WORKSPACE.SET main policy.timer.notify-stopped on")
    core.run("USER.SET bob phone 8")
    let mia = core.logIn("mia", "payroll")
    func kinds(_ line: String) -> Set<String> {
      Set(core.run(line, as: mia)[1].items.flatMap { $0["changes"].items.compactMap { $0["change"].text } })
    }
    let own = kinds("AUDIT.LIST USER ana")
    #expect(own.contains("contact-set") && own.contains("employment-set"))
    #expect(!own.contains("workspace-set"))
    let texts = core.run("AUDIT.LIST USER ana", as: mia).description
    #expect(!texts.contains("Gadgets") && !texts.contains("new: 8"))
    #expect(kinds("AUDIT.LIST") == [])
    #expect(core.run("AUDIT.LIST USER bob", as: mia).text == "NOTFOUND user bob")
  }

  // MARK: Impersonation

  /// How somebody who administers an account, or a group, loses somebody.
  static let losses: [(power: String, taking: [String], giving: [String])] = [
    ("ACCOUNT Widgets", ["EMPLOY.END ana Widgets"], ["EMPLOY.ADD ana Widgets"]),
    ("ACCOUNT Widgets", ["EMPLOY.SET ana Widgets FROM 2026-04-01"], ["EMPLOY.SET ana Widgets FROM none"]),
    (
      "ACCOUNT Widgets", ["ROLE.REVOKE mia training-administrator ACCOUNT Widgets"],
      ["ROLE.GRANT mia training-administrator ACCOUNT Widgets"]
    ),
    ("ACCOUNT \"Guest Account\"", ["EMPLOY.ADD eve Gadgets"], ["EMPLOY.END eve Gadgets"]),
    ("GROUP Europe", ["GROUP.REMOVE Europe Widgets"], ["GROUP.ADD Europe Widgets"]),
    ("GROUP Europe", ["EMPLOY.END ana Widgets"], ["EMPLOY.ADD ana Widgets"]),
  ]

  @Test("losing somebody ends the impersonation in the same record, for good", arguments: losses.indices)
  func losingReach(index: Int) throws {
    let loss = Self.losses[index]
    core.run("USER.CREATE eve PRODUCT payroll")
    core.run("ROLE.GRANT mia training-administrator \(loss.power)")
    let target = loss.power.contains("Guest") ? "eve" : "ana"
    let mia = core.logIn("mia", "payroll")
    #expect(core.run("IMPERSONATE.CAN mia \(target)").text == "ALLOW")
    for other in ["bob", "cat", "dan"] where !loss.power.contains("Guest") {
      #expect(core.run("IMPERSONATE.CAN mia \(other)").text == "DENY role", "\(other)")
    }
    let session = core.run("IMPERSONATE.START \(mia) \(target) REASON help")
    let token = session["session"].text ?? ""
    #expect(!core.run("SESSION.CHECK \(token)").isNull, "\(session)")
    for line in loss.taking { #expect(!core.run(line).isError, "\(line)") }
    #expect(core.changes.contains { $0.as(SessionEnded.self)?.cause == .rightLost })
    try core.restart()
    for line in loss.giving { #expect(!core.run(line).isError, "\(line)") }
    #expect(core.run("SESSION.CHECK \(token)").isNull)
    #expect(core.run("IMPERSONATE.LIST").items.isEmpty)
    #expect(core.run("IMPERSONATE.CAN mia \(target)").text == "ALLOW")
    core.expectReplicated()
  }

  @Test("W4: an account that leaves a group ends the impersonations by way of it, and no others")
  func leavingAGroup() {
    core.run("GROUP.CREATE Asia")
    core.run("GROUP.ADD Asia Widgets")
    core.run("GROUP.CREATE Europe WORKSPACE beta")
    core.run("GROUP.ADD beta/Europe beta/Crates")
    var tokens: [String: String] = [:]
    for (name, power, place) in [
      ("mia", "GROUP Europe", ""), ("amy", "GROUP Asia", ""), ("tim", "WORKSPACE main", ""),
      ("bea", "GROUP beta/Europe", "WORKSPACE beta"),
    ] {
      if name != "mia" { core.run("USER.CREATE \(name) PRODUCT payroll") }
      core.run("WORKSPACE.MEMBER beta \(name)")
      core.run("ROLE.GRANT \(name) training-administrator \(power)")
      let target = place.isEmpty ? "ana" : "cat"
      if !place.isEmpty {
        core.run("WORKSPACE.MEMBER beta cat")
        core.run("EMPLOY.ADD cat beta/Crates")
      }
      let answer = core.run("IMPERSONATE.START \(core.logIn(name, "payroll")) \(target) \(place) REASON help")
      tokens[name] = answer["session"].text
      #expect(!answer.isError, "\(name): \(answer)")
    }
    #expect(!core.run("GROUP.REMOVE Europe Widgets").isError)
    let ended = core.changes.compactMap { $0.as(SessionEnded.self) }
    #expect(ended.count == 1)
    for (name, token) in tokens { #expect(core.run("SESSION.CHECK \(token)").isNull == (name == "mia"), "\(name)") }
    core.expectReplicated()
  }

  @Test("an employment that ends by its date ends the impersonation by the upkeep")
  func endingByDate() {
    core.run("ROLE.GRANT mia training-administrator ACCOUNT Widgets")
    core.run("EMPLOY.SET ana Widgets TO 2026-03-01")
    // An hour before midnight.
    core.now = TimeText.time("2026-03-01T23:30:00Z")!
    core.run("WORKSPACE.SET main policy.impersonation.ttl 1h")
    let session = core.run("IMPERSONATE.START \(core.logIn("mia", "payroll")) ana REASON help")
    let token = session["session"].text ?? ""
    #expect(!core.run("SESSION.CHECK \(token)").isNull)
    core.now = TimeText.time("2026-03-02T00:00:00Z")!
    #expect(core.run("SESSION.CHECK \(token)").isNull)
    #expect(core.run("IMPERSONATE.CAN mia ana").text == "DENY role")
    core.endRights()
    // When the last day is over in all time zones, the upkeep looks.
    let ana = core.user("ana")!
    #expect(
      ana.cell.state.people.employments(of: ana.contact)[0].overEverywhere == TimeText.time("2026-03-03T00:00:00Z"))
    core.now = TimeText.time("2026-03-03T00:00:00Z")!
    #expect(core.cells.contains { $0.state.nextUserEnd.map { $0 <= core.now } ?? false })
    core.endRights()
    #expect(core.cells.allSatisfy { $0.state.nextUserEnd == nil })
  }

  @Test("L14: an impersonation may what both may: no more than the administrator of the account")
  func leastOfBoth() {
    core.run("ROLE.GRANT mia training-administrator ACCOUNT Widgets")
    core.run("ROLE.GRANT ana manager ACCOUNT Gadgets")
    let session = core.run("IMPERSONATE.START \(core.logIn("mia", "payroll")) ana REASON help")
    let token = session["session"].text ?? ""
    #expect(core.run("USER.GET ana", as: token)["username"].text == "ana")
    // ana manages bob, and mia does not.
    #expect(core.run("USER.GET bob", as: core.logIn("ana", "payroll"))["username"].text == "bob")
    #expect(core.run("USER.GET bob", as: token).text == "NOTFOUND user bob")
    #expect(core.run("MANAGE.ADD ana ACCOUNT Widgets", as: token).isError)
  }

  @Test("login.within-employment asks for the days of hire and release, not for employments at accounts")
  func loginsDoNotDependOnIt() {
    core.run("WORKSPACE.SET main policy.login.within-employment on")
    let token = core.logIn("dan", "payroll")
    #expect(core.run("LOGIN.CHECK dan payroll").text == "ALLOW")
    #expect(!core.run("SESSION.CHECK \(token)").isNull)
  }
}
