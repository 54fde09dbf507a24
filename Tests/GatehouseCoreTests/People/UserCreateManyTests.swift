import Testing

@testable import GatehouseCore

/// P5: `USER.CREATEMANY`.
@Suite struct UserCreateManyTests {
  let core = CoreHarness(partitions: 16)

  init() {
    core.run("PRODUCT.CREATE payroll")
    core.run("POOL.SET payroll office 2")
    core.run("FIELD.DEFINE badge number")
  }

  @Test func severalUsersAreOneRecord() {
    let before = core.lsn
    let answer = core.run([
      "USER.CREATEMANY", "NOINVITE", "FIELDS", "6", "username", "Name", "product", "licence", "badge", "role",
      "ROWS", "12", "ana", "Ana Nova", "payroll", "payroll:office", "007", "manager", "bo", "", "payroll", "", "", "",
    ])
    #expect(core.lsn == before + 1)
    #expect(answer[0]["username"].text == "ana" && answer[1]["username"].text == "bo", "\(answer)")
    for index in 0..<2 {
      #expect(core.run("USER.GET \(answer[index]["username"].text ?? "")")["id"].integer == answer[index]["id"].integer)
    }
    #expect(core.run("USER.GET ana")["name"].text == "Ana Nova")
    #expect("\(core.run("USER.GET ana")["fields"])" == "{badge: 7}")
    #expect(core.run("LOGIN.CHECK ana payroll").text == "ALLOW")
    #expect(core.run("LOGIN.CHECK bo payroll").text == "DENY no-licence")
    #expect(core.run("USER.GET ana")["main-role"].text == "manager")
    core.expectReplicated()
  }

  @Test func oneRefusedRowRefusesAll() {
    core.run("USER.CREATE taken NOINVITE")
    let before = core.lsn
    for (values, refusal) in [
      (["ana", "x", "taken", ""], "ERR row 1: badge is not a whole number, such as 40"),
      (["ana", "", "Taken", ""], "CONFLICT row 2: username: Taken belongs to user #"),
      (["ana", "", "", ""], "ERR row 2: username is empty"),
      (["ana", "", "ANA", ""], "CONFLICT username: row 2 has the same as row 1, ANA"),
    ] {
      let answer = core.run(["USER.CREATEMANY", "FIELDS", "2", "username", "badge", "ROWS", "4"] + values)
      #expect(answer.text?.hasPrefix(refusal) == true, "\(answer)")
    }
    #expect(core.lsn == before)
    #expect(core.run("USER.COUNT").integer == 1)
  }

  @Test func seatsAreTakenByAllTogether() {
    let rows = (0..<3).flatMap { ["user\($0)", "payroll:office"] }
    let words = ["USER.CREATEMANY", "NOINVITE", "FIELDS", "2", "username", "licence", "ROWS"]
    let refused = core.run(words + ["6"] + rows)
    #expect(refused.text?.hasPrefix("NOSEATS ") == true, "\(refused)")
    #expect(core.run("USER.COUNT").integer == 0)
    let trial = core.run(words + ["4"] + rows.prefix(4) + ["DRYRUN"])
    #expect(
      "\(trial["seats"])"
        == "[{product: payroll, type: office, before: 0, after: 2, bought-before: 2, bought-after: 2}]", "\(trial)")
    #expect(core.run("USER.COUNT").integer == 0)
    #expect(!core.run(words + ["4"] + rows.prefix(4)).isError)
    #expect("\(core.run("POOL.LIST payroll")[0]["used"])" == "2")
    core.expectReplicated()
  }

  /// S4: the state does not have the other rows yet.
  @Test func referencesAreUniqueAmongTheRows() {
    core.run("WORKSPACE.SET main policy.user.required-fields reference")
    let words = ["USER.CREATEMANY", "FIELDS", "2", "username", "reference", "ROWS", "4"]
    #expect(
      core.run(words + ["ana", "R1", "bo", "R1"]).text == "CONFLICT reference: row 2 has the same as row 1, R1")
    #expect(!core.run(words + ["ana", "R1", "bo", "R2"]).isError)
    #expect(
      core.run(words + ["cy", "R3", "dan", "R2"]).text?.hasPrefix("REFUSED row 2: user.required-fields: ") == true)
    #expect(core.run("USER.COUNT").integer == 2)
  }

  @Test func aContactGetsOneLogin() {
    let contact = core.run("CONTACT.CREATE FIRST Ana")["contact"].integer ?? 0
    let words = ["USER.CREATEMANY", "NOINVITE", "FIELDS", "2", "username", "contact", "ROWS", "4"]
    #expect(
      core.run(words + ["ana", "#\(contact)", "bo", "0\(contact)"]).text
        == "CONFLICT contact: row 2 has the same as row 1, 0\(contact)")
    #expect(!core.run(words + ["ana", "#\(contact)", "bo", ""]).isError)
    #expect(core.run("USER.GET ana")["contact"].integer == contact)
    core.expectReplicated()
  }

  @Test func theFormIsChecked() {
    for (line, refusal) in [
      ("FIELDS 1 username", "ERR ROWS is missing; usage: USER.CREATEMANY "), ("ROWS 1 ana", "ERR FIELDS is missing; "),
      (
        "FIELDS 2 username first ROWS 3 a b c",
        "ERR 3 values are no whole rows of 2 fields; give a value for every field of every row"
      ),
      ("FIELDS 1 first ROWS 1 a", "ERR FIELDS must name username"),
      ("FIELDS 2 username username ROWS 2 a b", "ERR FIELDS names username twice"),
      ("FIELDS 2 username shoe ROWS 2 a b", "NOTFOUND field shoe of main"),
      ("FIELDS 2 username noinvite ROWS 2 a b", "NOTFOUND field noinvite of main"),
      ("FIELDS 3 username first first ROWS 3 a b c", "ERR FIELDS names first twice"),
      (
        "FIELDS 2 username licence ROWS 2 a payroll",
        "ERR row 1: the licence 'payroll' does not say of which product; write product:payroll"
      ),
      ("FIELDS 2 username licence ROWS 2 a payroll:gold", "NOTFOUND row 1: licence type gold of the product payroll"),
      ("FIELDS 2 username account ROWS 2 a Nobody", "NOTFOUND row 1: account Nobody"),
      ("WORKSPACE nowhere FIELDS 1 username ROWS 1 a", "NOTFOUND workspace nowhere"),
    ] {
      let answer = core.run("USER.CREATEMANY \(line)")
      #expect(answer.text?.hasPrefix(refusal) == true, "\(line): \(answer)")
    }
    let many = (0...Limits.usersOfCreateMany).map { "user\($0)" }
    #expect(
      core.run(["USER.CREATEMANY", "FIELDS", "1", "username", "ROWS", "\(many.count)"] + many).text
        == "LIMIT rows: at most \(Limits.usersOfCreateMany) users in one command")
    #expect(
      !core.run(
        ["USER.CREATEMANY", "NOINVITE", "FIELDS", "1", "username", "ROWS", "\(many.count - 1)"] + many.dropLast()
      )
      .isError)
    #expect(core.run("USER.COUNT").integer == Int64(Limits.usersOfCreateMany))
  }

  /// L22: the main account and the role over its people, and values spelled like options.
  @Test func aRowHasWhatUserCreateTakes() {
    core.run("ACCOUNT.CREATE Widgets CUSTOMER")
    let answer = core.run([
      "USER.CREATEMANY", "NOINVITE", "FIELDS", "6", "username", "account", "role", "authority", "last", "status",
      "ROWS",
      "12", "reason", "Widgets", "manager", "1", "DRYRUN", "new", "bo", "", "", "0", "IDEM", "",
    ])
    #expect(answer.items.map { "\($0["username"]) \($0["status"])" } == ["reason new", "bo active"])
    let first = core.run("USER.GET reason")
    #expect(first["account"].text == "Widgets" && first["last"].text == "DRYRUN" && first["authority"].integer == 1)
    #expect(first["roles"][0]["scope"].text == "account Widgets")
    #expect(core.run("USER.GET bo")["last"].text == "IDEM" && core.run("USER.GET bo")["authority"].integer != 1)
    core.expectReplicated()
  }

  /// L2, P7: mandatory fields are asked of every row, and the invitation is the same for all.
  @Test func rowsObeyTheRulesOfTheWorkspace() {
    core.run("FIELD.DEFINE hobby text MANDATORY")
    let words = ["USER.CREATEMANY", "MESSAGE", "Welcome", "FIELDS", "3", "username", "email", "hobby", "ROWS", "6"]
    #expect(
      core.run(words + ["ana", "ana@acme.test", "chess", "bo", "", ""]).text
        == "REFUSED row 2: user.required-fields: missing hobby; give FIELD hobby value")
    #expect(!core.run(words + ["ana", "ana@acme.test", "chess", "bo", "", "golf"]).isError)
    let mails = core.run("MAIL.LIST")[1].items
    #expect(mails.map { "\($0["to"]) \($0["kind"])" } == ["ana@acme.test invitation"])
    core.run("WORKSPACE.SET main policy.user.needs-billing-acceptance on")
    #expect(
      core.run("USER.CREATEMANY FIELDS 2 username hobby ROWS 2 cy x").text?
        .hasPrefix("REFUSED row 1: user.needs-billing-acceptance: ") == true)
    #expect(!core.run("USER.CREATEMANY ACCEPT-BILLING FIELDS 2 username hobby ROWS 2 cy x").isError)
  }

  /// B13: a command that needs two people waits for the second, and makes all rows then.
  @Test func manyWaitForASecondPerson() {
    for name in ["tom", "eve"] {
      core.run("USER.CREATE \(name) PRODUCT payroll LICENCE payroll office NOINVITE ROLE training-administrator")
    }
    let (tom, eve) = (core.logIn("tom", "payroll"), core.logIn("eve", "payroll"))
    core.run("WORKSPACE.SET main policy.approval.needs user.create")
    let kept = core.run("USER.CREATEMANY NOINVITE FIELDS 1 username ROWS 2 ana bo", as: tom)
    #expect(kept["needs"].text == "user.create")
    #expect(core.user("ana") == nil)
    #expect(!core.run("APPROVAL.GRANT \(kept["approval"])", as: eve).isError)
    #expect(core.user("ana") != nil && core.user("bo") != nil)
    core.expectReplicated()
  }

  /// W3, W4: an administrator of one workspace adds people to that one.
  @Test func theRightIsThatOfTheWorkspace() {
    for workspace in ["acme", "beta"] {
      core.run("WORKSPACE.CREATE \(workspace)")
      core.run("PRODUCT.CREATE \(workspace)/app")
    }
    core.run("USER.CREATE boss PRODUCT acme/app NOINVITE")
    core.run("ROLE.GRANT boss training-administrator WORKSPACE acme")
    let token = core.logIn("boss", "acme/app")
    let words = ["AS", token, "USER.CREATEMANY", "NOINVITE", "FIELDS", "2", "username", "product", "ROWS", "2", "ana"]
    #expect(core.run(words + ["beta/app", "WORKSPACE", "beta"]).isError)
    #expect(core.run(words + ["app"]).text?.hasPrefix("NOTFOUND workspace main") == true)
    #expect(core.run(words + ["beta/app", "WORKSPACE", "acme"]).text == "NOTFOUND row 1: product beta/app")
    #expect(!core.run(words + ["app", "WORKSPACE", "acme"]).isError)
    #expect(core.run("USER.GET ana")["home"].text == "acme")
  }

  @Test func theSameKeyAnswersAsTheFirstTime() {
    let line = "USER.CREATEMANY NOINVITE FIELDS 1 username ROWS 2 ana bo IDEM k"
    let first = core.run(line)
    #expect("\(core.run(line))" == "\(first)" && !first.isError)
    #expect(core.run("USER.COUNT").integer == 2)
  }
}
