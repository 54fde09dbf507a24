import Testing

@testable import GatehouseCore

/// L7 and L20: accounts, their groups, and the Guest Account, in workspaces that do not know of each other.
@Suite struct AccountCommandTests {
  private let core = CoreHarness()

  init() {
    for line in [
      "WORKSPACE.CREATE acme", "WORKSPACE.CREATE beta", "PRODUCT.CREATE payroll", "PRODUCT.CREATE acme/app",
      "PRODUCT.CREATE beta/app",
    ] { core.run(line) }
  }

  private static func noAccount(_ name: String) -> String {
    "NOTFOUND account \(name); it was looked for in main: workspace/account names that of another workspace"
  }

  private func names(_ answer: Answer) -> [String] { answer[1].items.compactMap { $0["name"].text } }

  @Test("L7: an account is a provider or a customer, of one workspace")
  func creating() {
    let answer = core.run("ACCOUNT.CREATE \"Novo Nordisk A/S\" provider WORKSPACE acme")
    #expect(
      "\(answer)"
        == "{id: 1, name: Novo Nordisk A/S, type: provider, workspace: acme, created: \(core.now), version: 1}")
    #expect(core.run("ACCOUNT.CREATE Widgets CUSTOMER")["workspace"].text == "main")
    #expect(core.run("ACCOUNT.CREATE Widgets FRIEND").text == "ERR type must be PROVIDER or CUSTOMER")
    #expect(core.run("ACCOUNT.GET \"acme/novo nordisk a/s\"")["id"].integer == 1)
    #expect(core.run("ACCOUNT.GET \"NOVO NORDISK A/S\" WORKSPACE acme")["id"].integer == 1)
    #expect(core.run("ACCOUNT.GET #2")["name"].text == "Widgets")
    #expect(core.run("ACCOUNT.GET Nobody").text == Self.noAccount("Nobody"))
    core.expectReplicated()
  }

  @Test("names are one in any case, and each workspace has its own")
  func names() {
    core.run("ACCOUNT.CREATE Straße CUSTOMER")
    #expect(
      core.run("ACCOUNT.CREATE STRASSE CUSTOMER").text
        == "CONFLICT account: STRASSE is there already; choose another name")
    #expect(!core.run("ACCOUNT.CREATE STRASSE CUSTOMER WORKSPACE acme").isError)
    #expect(core.run("ACCOUNT.SET Straße name \"Guest account\"").text?.hasPrefix("CONFLICT account: ") == true)
    #expect(core.run("ACCOUNT.SET Straße name Weg type provider").integer == 2)
    #expect(core.run("ACCOUNT.GET weg")["type"].text == "provider")
    #expect(core.run("ACCOUNT.GET straße").text == Self.noAccount("straße"))
    // The name is free again.
    #expect(!core.run("ACCOUNT.CREATE strasse CUSTOMER").isError)
    // Behind the workspace's name and a slash stands the name of one of it.
    for name in ["main/Strasse", "MAIN/x", "#5", "\" x\"", "\"a  b\"", "a\u{200b}b", "\u{2800}"] {
      #expect(core.run("ACCOUNT.CREATE \(name) CUSTOMER").text?.hasPrefix("ERR name ") == true, "\(name)")
    }
    #expect(core.run("ACCOUNT.CREATE Acme/x CUSTOMER WORKSPACE acme").text?.hasPrefix("ERR name ") == true)
    #expect(core.run("ACCOUNT.SET weg name main/x").text?.hasPrefix("ERR name ") == true)
    #expect(core.run("GROUP.CREATE main/x").text?.hasPrefix("ERR name ") == true)
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test("L7: those without an employer are in the Guest Account, which is there by itself")
  func guests() throws {
    core.run("USER.CREATE ana PRODUCT acme/app")
    core.run("USER.CREATE bob PRODUCT payroll")
    #expect(core.run("USER.GET ana")["account"].text == "acme/Guest Account")
    #expect(core.run("USER.COUNT WHERE account = \"acme/guest account\"").integer == 1)
    #expect(core.run("ACCOUNT.GET \"Guest Account\"")["type"].text == "customer")
    #expect(core.run("ACCOUNT.SET \"acme/Guest Account\" name Besucher").integer == 1)
    #expect(core.run("USER.GET ana")["account"].text == "acme/Besucher")
    #expect(core.run("USER.GET bob")["account"].text == "Guest Account")
    #expect(
      core.run("EMPLOY.ADD ana acme/Besucher").text
        == "REFUSED account: Besucher is the account of those without an employer, and nobody is employed there; end the"
        + " other employments with EMPLOY.END user account")
    #expect(
      core.run("ACCOUNT.DELETE acme/Besucher").text
        == "REFUSED account: it is the account of those without an employer; leave it, or rename it")
    #expect(names(core.run("ACCOUNT.LIST")) == ["Guest Account", "Besucher", "Guest Account"])
    #expect(names(core.run("ACCOUNT.LIST WORKSPACE acme")) == ["Besucher"])
    core.expectReplicated()
    try core.restart()
    #expect(core.run("USER.GET ana")["account"].text == "acme/Besucher")
  }

  @Test("accounts are listed page by page")
  func paging() {
    for number in 1...7 {
      core.run("ACCOUNT.CREATE A\(number) CUSTOMER WORKSPACE \(number % 2 == 0 ? "acme" : "main")")
    }
    var found: [String] = []
    var cursor = "0"
    repeat {
      let page = core.run("ACCOUNT.LIST COUNT 2 CURSOR \(cursor)")
      found += names(page)
      cursor = page[0].text ?? "0"
    } while cursor != "0"
    #expect(found == (1...7).map { "A\($0)" } + ["Guest Account", "Guest Account", "Guest Account"])
    #expect(names(core.run("ACCOUNT.LIST WORKSPACE acme COUNT 3")) == ["A2", "A4", "A6"])
    #expect(names(core.run("ACCOUNT.LIST WORKSPACE acme CURSOR 6")) == ["Guest Account"])
  }

  @Test("an account is not deleted while something refers to it, and the refusal says who")
  func deleting() throws {
    core.run("ACCOUNT.CREATE Widgets CUSTOMER")
    for number in 1...7 {
      core.run("USER.CREATE user\(number) PRODUCT payroll")
      core.run("EMPLOY.ADD user\(number) Widgets")
    }
    let employed = core.run("ACCOUNT.DELETE Widgets").text ?? ""
    #expect(employed.hasPrefix("REFUSED account: 7 (user"))
    #expect(employed.hasSuffix(", …) are employed at Widgets; end that first with EMPLOY.END user account"))
    for number in 2...7 { core.run("EMPLOY.END user\(number) Widgets") }
    core.run("EMPLOY.SET user1 Widgets FROM 2026-05-01")
    #expect(
      core.run("ACCOUNT.DELETE Widgets").text
        == "REFUSED account: 1 (user1) is employed at Widgets; end that first with EMPLOY.END user account")
    core.run("EMPLOY.END user1 Widgets")
    core.run("ROLE.GRANT user1 manager ACCOUNT Widgets")
    core.run("MANAGE.ADD user1 ACCOUNT Widgets")
    core.run("MANAGE.ADD user2 ACCOUNT Widgets")
    let powers = core.run("ACCOUNT.DELETE Widgets").text ?? ""
    #expect(powers.hasPrefix("REFUSED account: 2 (user"))
    #expect(
      powers.hasSuffix(
        ") have a role or a management link over Widgets; take that away first with ROLE.REVOKE or MANAGE.REMOVE"))
    for line in [
      "ROLE.REVOKE user1 manager ACCOUNT Widgets", "MANAGE.REMOVE user1 ACCOUNT Widgets",
      "MANAGE.REMOVE user2 ACCOUNT Widgets", "GROUP.CREATE Europe", "GROUP.ADD Europe Widgets",
    ] { #expect(!core.run(line).isError, "\(line)") }
    #expect(
      core.run("ACCOUNT.DELETE Widgets").text
        == "REFUSED account: Widgets is in the group Europe; take it out first with GROUP.REMOVE group account")
    core.run("GROUP.REMOVE Europe Widgets")
    try core.restart()
    #expect(core.run("ACCOUNT.DELETE Widgets").text == "OK")
    #expect(core.run("ACCOUNT.GET Widgets").text == Self.noAccount("Widgets"))
    // The past keeps its name.
    #expect(core.run("EMPLOY.LIST user2")[0]["account"].text == "Widgets")
    #expect(!core.run("ACCOUNT.CREATE Widgets CUSTOMER").isError)
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
    core.expectReplicated()
  }

  @Test("L20: a group has accounts, and people only through them")
  func groups() throws {
    core.run("ACCOUNT.CREATE Widgets CUSTOMER WORKSPACE acme")
    core.run("ACCOUNT.CREATE Gadgets CUSTOMER WORKSPACE acme")
    core.run("ACCOUNT.CREATE Crates CUSTOMER WORKSPACE beta")
    for user in ["ana", "bob", "eve"] { core.run("USER.CREATE \(user) PRODUCT acme/app") }
    core.run("EMPLOY.ADD ana acme/Widgets")
    core.run("EMPLOY.ADD bob acme/Gadgets")
    core.run("EMPLOY.ADD bob acme/Widgets")
    #expect(
      "\(core.run("GROUP.CREATE Europe WORKSPACE acme"))"
        == "{id: 1, name: Europe, workspace: acme, created: \(core.now), version: 1, accounts: 0, external-id: nil}")
    #expect(core.run("GROUP.ADD acme/Europe Widgets acme/Gadgets").integer == 2)
    #expect(core.run("GROUP.ADD acme/europe Widgets").integer == 0)
    #expect(
      core.run("GROUP.ADD acme/Europe beta/Crates").text
        == "ERR the account beta/Crates and the group Europe are of different workspaces")
    #expect(core.run("GROUP.GET acme/Europe")["accounts"].integer == 2)
    #expect(names(core.run("ACCOUNT.LIST GROUP acme/Europe")) == ["Widgets", "Gadgets"])
    #expect(core.run("ACCOUNT.GET acme/Widgets")["groups"][0].text == "acme/Europe")
    #expect("\(core.run("USER.GET ana")["groups"])" == "[acme/Europe]")
    #expect("\(core.run("USER.GET eve")["groups"])" == "[]")
    #expect(core.run("USER.COUNT WHERE group = acme/Europe").integer == 2)
    core.run("GROUP.REMOVE acme/Europe Gadgets")
    // By another employment than the main one, too.
    #expect(core.run("USER.COUNT WHERE group = acme/Europe").integer == 2)
    #expect(core.run("USER.COUNT WHERE group != acme/Europe").integer == 1)
    core.run("ROLE.GRANT eve manager GROUP acme/Europe")
    #expect(
      core.run("GROUP.DELETE acme/Europe").text
        == "REFUSED group: 1 (eve) has a role or a management link over Europe; take that away first with ROLE.REVOKE or"
        + " MANAGE.REMOVE")
    #expect("\(core.run("ROLE.LIST eve")[0]["scope"])" == "group acme/Europe")
    core.run("ROLE.REVOKE eve manager GROUP acme/Europe")
    try core.restart()
    #expect(core.run("GROUP.DELETE acme/Europe").text == "OK")
    #expect(core.run("GROUP.GET acme/Europe").text == "NOTFOUND group acme/Europe")
    #expect(core.run("GROUP.LIST")[1].items.isEmpty)
    core.expectReplicated()
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test("W4: an account of one workspace is not there for another")
  func twoTenants() {
    for line in [
      "ACCOUNT.CREATE Widgets CUSTOMER WORKSPACE acme", "ACCOUNT.CREATE Crates CUSTOMER WORKSPACE beta",
      "GROUP.CREATE Europe WORKSPACE acme", "GROUP.ADD acme/Europe Widgets",
      "USER.CREATE olga PRODUCT acme/app", "WORKSPACE.SET acme owner olga", "USER.CREATE ole PRODUCT beta/app",
      "WORKSPACE.SET beta owner ole", "USER.CREATE shared PRODUCT acme/app PRODUCT beta/app",
      "EMPLOY.ADD shared acme/Widgets", "EMPLOY.ADD shared beta/Crates",
      "ROLE.GRANT shared manager ACCOUNT acme/Widgets",
      "MANAGE.ADD shared ACCOUNT acme/Widgets",
    ] { #expect(!core.run(line).isError, "\(line)") }
    let (olga, ole) = (core.logIn("olga", "acme/app"), core.logIn("ole", "beta/app"))
    #expect(names(core.run("ACCOUNT.LIST", as: olga)) == ["Widgets", "Guest Account"])
    #expect(names(core.run("ACCOUNT.LIST", as: ole)) == ["Crates", "Guest Account"])
    for line in [
      "ACCOUNT.GET acme/Widgets", "ACCOUNT.GET #1", "ACCOUNT.SET #1 type provider", "ACCOUNT.DELETE #1",
      "EMPLOY.ADD shared #1", "EMPLOY.END shared #1", "ROLE.GRANT shared manager ACCOUNT #1",
      "MANAGE.ADD shared ACCOUNT #1", "USER.COUNT WHERE account = #1", "USER.CREATE x WORKSPACE beta ACCOUNT #1",
    ] { #expect(core.run(line, as: ole).text == "NOTFOUND account \(line.contains("acme/") ? "acme/Widgets" : "#1")") }
    #expect(core.run("GROUP.GET #1", as: ole).text == "NOTFOUND group #1")
    #expect(core.run("GROUP.LIST", as: ole)[1].items.isEmpty)
    // Of a shared person each sees the employments and the power in its own workspace.
    func employers(_ token: String) -> [String?] {
      core.run("EMPLOY.LIST shared", as: token).items.map { $0["account"].text }
    }
    #expect(employers(olga) == ["acme/Widgets"])
    #expect(employers(ole) == ["beta/Crates"])
    #expect(employers(core.logIn("shared", "beta/app")) == ["acme/Widgets", "beta/Crates"])
    #expect(core.run("USER.GET shared", as: ole)["account"].text == "beta/Crates")
    #expect(core.run("ROLE.LIST shared", as: ole).items.isEmpty)
    #expect(core.run("MANAGE.LIST shared", as: ole).items.isEmpty)
    #expect(core.run("MANAGE.LIST shared", as: olga)[0]["name"].text == "acme/Widgets")
    // What happens there changes no number that is seen here.
    let version = core.run("USER.GET shared", as: ole)["version"]
    core.run("EMPLOY.SET shared acme/Widgets TO 2027-01-01")
    core.run("MANAGE.REMOVE shared ACCOUNT acme/Widgets")
    #expect(core.run("USER.GET shared", as: ole)["version"] == version)
    core.run("EMPLOY.SET shared beta/Crates TO 2027-01-01")
    #expect(core.run("USER.GET shared", as: ole)["version"] != version)
  }
}
