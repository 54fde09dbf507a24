import Testing

@testable import GatehouseCore

@Suite struct RoleCommandTests {
  let core = CoreHarness(partitions: 8)

  init() {
    core.run("PRODUCT.CREATE payroll")
    for name in ["ana", "bob"] { core.run("USER.CREATE \(name) PRODUCT payroll NOINVITE") }
    core.run("USER.CREATE root PRODUCT payroll ROLE super-administrator NOINVITE")
    core.run("USER.CREATE tom PRODUCT payroll ROLE training-administrator NOINVITE")
  }

  private func roles(_ user: String) -> String {
    core.run("ROLE.LIST \(user)").items.map { role in
      (role["role"].text ?? "") + (role["main"].integer == 1 ? "*" : "")
        + (role["scope"].text == "everywhere" ? "" : " " + (role["scope"].text ?? ""))
    }.joined(separator: ", ")
  }

  @Test func oneOfSeveralIsTheMainRole() {
    #expect(core.run("ROLE.GRANT ana individual").text == "OK")
    #expect(roles("ana") == "individual*")
    core.run("ROLE.GRANT ana manager")
    #expect(roles("ana") == "individual*, manager")
    core.run("ROLE.GRANT ana training-administrator MAIN")
    #expect(roles("ana") == "individual, manager, training-administrator*")
    core.run("ROLE.GRANT ana manager MAIN")
    // A role that becomes the main one, or ceases to be it, keeps its place.
    #expect(roles("ana") == "individual, manager*, training-administrator")
    #expect(core.run("USER.GET ana")["main-role"].text == "manager")
    let lsn = core.lsn
    #expect(core.run("ROLE.GRANT ana manager").text == "OK")
    #expect(core.lsn == lsn)
    // Another role becomes the main one.
    #expect(core.run("ROLE.REVOKE ana manager").text == "OK")
    #expect(core.run("USER.GET ana")["main-role"].text == "training-administrator")
    #expect(
      core.run("ROLE.REVOKE ana manager").text
        == "NOTFOUND role: ana has no manager everywhere; WORKSPACE w names that of a workspace")
    #expect(core.run("ROLE.GRANT ana boss").text?.hasPrefix("NOTFOUND role boss") == true)
    core.expectReplicated()
  }

  @Test("L11, L19: where the main role moves, the trail has the old and the new values of both roles")
  func movedMainRole() throws {
    core.run("ROLE.GRANT ana individual")
    core.run("ROLE.GRANT ana manager")
    core.run("ROLE.GRANT ana manager MAIN")
    func fields() -> [[String]] {
      core.records.last?.first.changes.map { ChangeText($0).fields.map(\.description) } ?? []
    }
    #expect(fields() == [["role: individual", "main: 1 → 0"], ["role: manager", "main: 0 → 1"]])
    core.run("ROLE.REVOKE ana manager")
    #expect(fields() == [["role: manager → ", "main: 1 → "], ["role: individual", "main: 0 → 1"]])
    core.run("ROLE.GRANT ana individual UNTIL 2026-05-01T00:00:00Z")
    core.run("ROLE.GRANT ana individual UNTIL 2026-06-01T00:00:00Z")
    #expect(fields() == [["role: individual", "until: 2026-05-01T00:00:00.000Z → 2026-06-01T00:00:00.000Z"]])
    core.expectReplicated()
    try core.restart()
    #expect(roles("ana") == "individual*")
  }

  @Test func rolesHaveScopes() throws {
    core.run("WORKSPACE.CREATE acme")
    core.run("ROLE.GRANT ana manager WORKSPACE acme")
    core.run("ROLE.GRANT ana manager PRODUCT payroll")
    // The main role is a role in the home (W2).
    #expect(roles("ana") == "manager workspace acme, manager* product payroll")
    #expect(core.run("ROLE.GRANT ana manager WORKSPACE acme MAIN").text?.hasPrefix("REFUSED home: ") == true)
    #expect(core.run("ROLE.GRANT ana manager WORKSPACE acme PRODUCT payroll").isError)
    #expect(core.run("ROLE.GRANT ana super-administrator PRODUCT payroll").isError)
    #expect(core.run("ROLE.REVOKE ana manager").text?.hasPrefix("NOTFOUND role") == true)
    #expect(core.run("ROLE.REVOKE ana manager WORKSPACE acme").text == "OK")
    #expect(roles("ana") == "manager* product payroll")
    try core.restart()
    #expect(roles("ana") == "manager* product payroll")
  }

  /// A caller without the permission learns nothing about the user.
  @Test(arguments: ["ROLE.GRANT bob manager", "ROLE.REVOKE bob manager"])
  func thePermissionIsCheckedBeforeTheUserIsLookedUp(line: String) {
    core.run("USER.DELETE bob REASON x")
    let token = core.logIn("ana", "payroll")
    for words in [line, line + " IFVERSION 77"] {
      #expect(core.run(words, as: token).text?.hasPrefix("NOPERM ") == true)
      #expect(core.run(words, as: core.logIn("tom", "payroll")).text?.hasPrefix("REFUSED status: ") == true)
    }
  }

  @Test func scopedAdministratorsStayInTheirScope() {
    core.run("WORKSPACE.CREATE acme")
    core.run("PRODUCT.CREATE acme/crm")
    core.run("USER.CREATE wes WORKSPACE acme PRODUCT acme/crm NOINVITE")
    core.run("USER.CREATE eva WORKSPACE acme PRODUCT acme/crm NOINVITE")
    core.run("ROLE.GRANT wes training-administrator WORKSPACE acme")
    let token = core.logIn("wes", "acme/crm")
    #expect(core.run("USER.SET eva first Eva", as: token).integer == 1)
    #expect(core.run("USER.CREATE dan WORKSPACE acme", as: token)["status"].text == "active")
    #expect(core.run("ROLE.GRANT eva training-administrator WORKSPACE acme", as: token).text == "OK")
    #expect(core.run("ROLE.REVOKE dan manager WORKSPACE acme", as: token).text?.hasPrefix("NOTFOUND role") == true)
    // W4: what is in other workspaces does not exist for them.
    for (line, answer) in [
      ("USER.SET ana first A", "NOTFOUND user ana"), ("WORKSPACE.MEMBER acme ana", "NOTFOUND user ana"),
      ("USER.CREATE fay", "NOTFOUND workspace main; WORKSPACE w names another"),
      (
        "PRODUCT.ENABLE dan payroll",
        "NOTFOUND product payroll; it was looked for in main: workspace/product names that of another workspace"
      ),
      ("ROLE.GRANT dan manager WORKSPACE main", "NOTFOUND workspace main"),
      ("ROLE.GRANT dan training-administrator", "NOPERM the permission role.grant over the whole server"),
    ] {
      #expect(core.run(line, as: token).text == answer, "\(line)")
    }
    #expect(core.run("IMPERSONATE.CAN wes dan WORKSPACE acme").text == "ALLOW")
    #expect(core.run("IMPERSONATE.CAN wes ana WORKSPACE acme").text == "DENY not-a-member")
    #expect(core.run("IMPERSONATE.CAN wes ana").text == "DENY role")
    // The scoped role still counts when somebody would impersonate wes.
    #expect(core.run("IMPERSONATE.CAN tom wes").text == "DENY role")
  }

  @Test func scopedAdministratorsKnowOnlyTheirOwnPeople() {
    core.run("WORKSPACE.CREATE acme OWNER ana")
    core.run("USER.CREATE eva WORKSPACE acme NOINVITE")
    let token = core.logIn("ana", "payroll")
    let contacts = ["eva", "bob"].map { core.run("USER.GET \($0)")["contact"].integer ?? 0 }
    for name in ["eva", "bob"] { core.run("USER.DELETE \(name) REASON x") }
    #expect(
      core.run("USER.CREATE bobby WORKSPACE acme CONTACT #\(contacts[1])", as: token).text
        == "NOTFOUND contact #\(contacts[1])")
    #expect(
      core.run("USER.CREATE evita WORKSPACE acme CONTACT #\(contacts[0])", as: token)["contact"].integer == contacts[0])
  }

  @Test func usersWhoManageNobodyLearnNoNames() {
    let token = core.logIn("ana", "payroll")
    for user in ["bob", "root", "nobody"] {
      for (line, permission) in [
        ("USER.GET", "user.read"), ("SESSION.LIST", "session.read"), ("ROLE.LIST", "user.read"),
        ("USER.DELETE", "user.delete"), ("LICENCE.REMOVE", "licence.assign"), ("LOGIN.EXPLAIN", "user.read"),
      ] {
        let product = line == "LICENCE.REMOVE" || line == "LOGIN.EXPLAIN" ? "payroll" : ""
        let answer = core.run("\(line) \(user) \(product)", as: token)
        #expect(answer.text == "NOPERM the permission \(permission)", "\(line) \(user): \(answer)")
      }
    }
    #expect(core.run("USER.CREATE bob WORKSPACE nowhere", as: token).text?.hasPrefix("NOPERM ") == true)
  }

  @Test func onlySuperAdministratorsMakeSuperAdministrators() {
    let tom = core.logIn("tom", "payroll")
    let root = core.logIn("root", "payroll")
    #expect(core.run("ROLE.GRANT ana training-administrator", as: tom).text == "OK")
    #expect(core.run("ROLE.GRANT bob super-administrator", as: tom).text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("USER.CREATE eva ROLE super-administrator", as: tom).text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("ROLE.REVOKE root super-administrator", as: tom).text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("ROLE.GRANT bob super-administrator", as: root).text == "OK")
    #expect(core.run("ROLE.GRANT ana manager", as: core.logIn("ana", "payroll")).text == "OK")
    core.run("ROLE.REVOKE ana training-administrator")
    #expect(core.run("ROLE.GRANT ana manager", as: core.logIn("ana", "payroll")).text?.hasPrefix("NOPERM ") == true)
  }

  @Test func superTurnsIntoTraining() {
    #expect(
      core.run("ROLE.REVOKE root super-administrator").text?.hasPrefix("REFUSED last-super-administrator: ") == true)
    core.run("ROLE.GRANT ana manager")
    core.run("ROLE.GRANT ana super-administrator MAIN")
    #expect(core.run("ROLE.REVOKE root super-administrator").text == "OK")
    #expect(roles("root") == "training-administrator*")
    #expect(core.run("ROLE.REVOKE ana super-administrator").text?.hasPrefix("REFUSED last") == true)
    core.run("ROLE.GRANT root super-administrator")
    #expect(core.run("ROLE.REVOKE ana super-administrator").text == "OK")
    #expect(roles("ana") == "manager, training-administrator*")
    core.expectReplicated()
  }

  @Test func aSuperAdministratorMayLogIn() {
    core.run("USER.STATUS ana inactive")
    #expect(core.run("ROLE.GRANT ana super-administrator").text?.hasPrefix("REFUSED role: ") == true)
    #expect(
      core.run("USER.CREATE eva STATUS pending ROLE super-administrator").text?.hasPrefix("REFUSED role: ") == true)
  }

  @Test func listing() {
    #expect(core.run("ROLE.LIST").items.compactMap { $0["role"].text }.count == 4)
    let token = core.logIn("ana", "payroll")
    #expect(core.run("ROLE.LIST ana", as: token).items.isEmpty)
    #expect(core.run("ROLE.LIST tom", as: token).text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("ROLE.LIST nobody").text == "NOTFOUND user nobody")
  }
}
