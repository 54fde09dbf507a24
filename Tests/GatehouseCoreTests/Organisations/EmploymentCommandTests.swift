import Testing

@testable import GatehouseCore

/// L8 and L22: employments with their days, and the main one. The clock begins on 2026-03-01.
@Suite struct EmploymentCommandTests {
  private let core = CoreHarness()

  init() {
    for line in [
      "PRODUCT.CREATE payroll", "ACCOUNT.CREATE Widgets CUSTOMER", "ACCOUNT.CREATE Gadgets CUSTOMER",
      "USER.CREATE ana PRODUCT payroll",
    ] { core.run(line) }
  }

  private func list(_ user: String = "ana") -> [String] {
    core.run("EMPLOY.LIST \(user)").items.map { employment in
      let days = [employment["from"].text ?? "", employment["to"].text ?? ""].joined(separator: "..")
      let marks =
        (employment["main"].integer == 1 ? " main" : "") + (employment["current"].integer == 1 ? " current" : "")
      return "\(employment["account"]) \(days)\(marks)"
    }
  }

  private func account() -> String? { core.run("USER.GET ana")["account"].text }

  @Test("L8: an employment has a start, an end, and one is the main one")
  func employments() throws {
    #expect(core.run("EMPLOY.ADD ana Widgets FROM 2020-01-01").text == "OK")
    #expect(core.run("EMPLOY.ADD ana gadgets TO 2026-12-31").text == "OK")
    #expect(list() == ["Widgets 2020-01-01.. main current", "Gadgets ..2026-12-31 current"])
    #expect(account() == "Widgets")
    #expect(core.run("EMPLOY.SET ana Gadgets MAIN").integer == 1)
    #expect(list() == ["Widgets 2020-01-01.. current", "Gadgets ..2026-12-31 main current"])
    #expect(core.run("EMPLOY.SET ana Gadgets MAIN").integer == 0)
    #expect(core.run("EMPLOY.SET ana Gadgets FROM 2021-05-05 TO none").integer == 1)
    #expect(list()[1] == "Gadgets 2021-05-05.. main current")
    #expect(
      core.run("EMPLOY.ADD ana Widgets").text
        == "CONFLICT employment: ana is employed at Widgets already; EMPLOY.SET changes how")
    #expect(
      core.run("EMPLOY.SET ana Widgets TO 2019-01-01").text == "ERR TO 2019-01-01 is before FROM 2020-01-01")
    #expect(core.run("EMPLOY.SET ana Widgets TO soon").text == "ERR TO is not a day, such as 2026-03-01")
    core.run("ACCOUNT.CREATE Third CUSTOMER")
    #expect(core.run("EMPLOY.SET ana Third MAIN").text == "NOTFOUND employment: ana is not employed at Third")
    let before = list()
    try core.restart()
    #expect(list() == before)
    core.expectReplicated()
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test("L8: an employment that ends is over at once, and the main mark passes on")
  func ending() {
    core.run("EMPLOY.ADD ana Widgets FROM 2020-01-01")
    core.run("EMPLOY.ADD ana Gadgets")
    #expect(core.run("EMPLOY.END ana Widgets").text == "OK")
    #expect(list() == ["Widgets 2020-01-01..2026-02-28", "Gadgets .. main current"])
    #expect(account() == "Gadgets")
    // It begins anew, and one that began today or is yet to come never was.
    #expect(core.run("EMPLOY.ADD ana Widgets FROM 2026-03-01 MAIN").text == "OK")
    #expect(list() == ["Widgets 2026-03-01.. main current", "Gadgets .. current"])
    #expect(core.run("EMPLOY.END ana Widgets").text == "OK")
    #expect(list() == ["Gadgets .. main current"])
    core.run("EMPLOY.END ana Gadgets TO 2026-03-02")
    #expect(list() == ["Gadgets ..2026-03-02 main current"])
    core.advance(2 * 86_400_000)
    #expect(list() == ["Gadgets ..2026-03-02 main"])
    #expect(account() == "Guest Account")
    #expect(core.run("EMPLOY.END ana Gadgets TO 2026-04-01").text == "OK")
    #expect(account() == "Gadgets")
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test("L8: the main account drives filters; one that has not begun does not yet")
  func filters() {
    core.run("EMPLOY.ADD ana Widgets")
    core.run("EMPLOY.ADD ana Gadgets FROM 2026-03-03 MAIN")
    func counts() -> [Int64?] {
      [
        "account = Widgets", "account = Gadgets", "employer = Widgets", "employer = Gadgets",
        "account = \"Guest Account\"",
      ]
      .map { core.run("USER.COUNT WHERE \($0)").integer }
    }
    #expect(counts() == [1, 0, 1, 0, 0])
    core.advance(2 * 86_400_000)
    #expect(counts() == [0, 1, 1, 1, 0])
    #expect(core.run("USER.COUNT WHERE account != Widgets").integer == 1)
    #expect(core.run("USER.COUNT WHERE account ^= gad").integer == 1)
    let shown = core.run("USER.LIST FIELDS 3 username account employer")[1][0]
    #expect("\(shown)" == "{username: ana, account: [Gadgets], employer: [Widgets, Gadgets]}")
    #expect(
      core.run("USER.COUNT WHERE account = Nobody").text
        == "NOTFOUND account Nobody; it was looked for in main: workspace/account names that of another workspace")
    #expect(core.run("USER.LIST SORT account").text == "ERR a list cannot be sorted by account")
  }

  /// The index of an account finds the same people as a look at everybody, page by page and sorted.
  @Test func theIndexFindsWhomAScanFinds() {
    for number in 1...60 {
      core.run("USER.CREATE user\(number) PRODUCT payroll")
      if number % 3 == 0 { core.run("EMPLOY.ADD user\(number) Widgets") }
      if number % 5 == 0 { core.run("EMPLOY.ADD user\(number) Gadgets MAIN") }
      if number % 15 == 0 { core.run("EMPLOY.END user\(number) Widgets") }
    }
    core.run("USER.DELETE user3 REASON gone")
    func pages(_ options: String) -> [String] {
      var found: [String] = []
      var cursor = "0"
      repeat {
        let page = core.run("USER.LIST \(options) COUNT 4 CURSOR \(cursor)")
        found += page[1].items.compactMap { $0["username"].text }
        cursor = page[0].text ?? "0"
      } while cursor != "0"
      return found
    }
    let wanted = (1...60).filter { $0 % 3 == 0 && $0 % 15 != 0 && $0 != 3 }.map { "user\($0)" }
    // `^=` does not use the index.
    #expect(Set(pages("WHERE account = Widgets")) == Set(wanted))
    #expect(pages("WHERE account = Widgets") == pages("WHERE account ^= Widgets"))
    #expect(pages("WHERE employer = Widgets SORT username") == wanted.sorted())
    #expect(pages("WHERE employer = Widgets WHERE status = deleted") == ["user3"])
    #expect(core.run("USER.COUNT WHERE account = Widgets").integer == Int64(wanted.count))
  }

  @Test("a day is one of the person's time zone, else of the workspace's")
  func zones() {
    // In Auckland it is the next day already.
    core.run("USER.CREATE hana PRODUCT payroll TIMEZONE Pacific/Auckland")
    core.now = TimeText.time("2026-02-28T12:00:00Z")!
    core.run("EMPLOY.ADD ana Widgets FROM 2026-03-01")
    core.run("EMPLOY.ADD hana Widgets FROM 2026-03-01")
    #expect(list("hana") == ["Widgets 2026-03-01.. main current"])
    #expect(list("ana") == ["Widgets 2026-03-01.. main"])
    core.run("WORKSPACE.SET main policy.timezone Pacific/Auckland")
    #expect(list("ana") == ["Widgets 2026-03-01.. main current"])
  }

  @Test("L22: a user is added with the main account, and a manager manages its people")
  func adding() {
    core.run("WORKSPACE.CREATE acme")
    core.run("ACCOUNT.CREATE Crates CUSTOMER WORKSPACE acme")
    core.run("USER.CREATE mia@w.test FIRST Mia LAST Moss EMAIL mia@w.test ACCOUNT widgets ROLE manager")
    #expect(list("mia@w.test") == ["Widgets .. main current"])
    #expect("\(core.run("ROLE.LIST mia@w.test")[0]["scope"])" == "account Widgets")
    #expect(core.run("ROLE.LIST mia@w.test")[0]["main"].integer == 1)
    core.run("USER.CREATE carl ACCOUNT acme/Crates ROLE individual")
    #expect(core.run("USER.GET carl")["home"].text == "acme")
    #expect("\(core.run("ROLE.LIST carl")[0]["scope"])" == "everywhere")
    #expect(
      core.run("USER.CREATE dora WORKSPACE main ACCOUNT #3").text
        == "ERR ACCOUNT is of the workspace acme; name that one")
    #expect(!core.run("USER.CREATE dora ACCOUNT \"Guest Account\"").isError)
    #expect(list("dora") == [])
    // A new login on the same contact finds the employments of the old one.
    core.run("USER.DELETE mia@w.test REASON gone")
    let contact = core.run("USER.LIST WHERE status = deleted FIELDS 1 contact")[1][0]["contact"].integer ?? 0
    core.run("USER.CREATE mia CONTACT #\(contact)")
    #expect(list("mia") == ["Widgets .. main current"])
    #expect(core.run("ROLE.LIST mia").items.isEmpty)
  }

  @Test("an employment needs the membership, and ends with it")
  func membership() {
    core.run("WORKSPACE.CREATE acme")
    core.run("ACCOUNT.CREATE Crates CUSTOMER WORKSPACE acme")
    #expect(
      core.run("EMPLOY.ADD ana acme/Crates").text
        == "REFUSED member: ana is not a member of acme; make the user one first with WORKSPACE.MEMBER acme user")
    core.run("WORKSPACE.MEMBER acme ana")
    core.run("EMPLOY.ADD ana acme/Crates")
    core.run("EMPLOY.ADD ana Widgets")
    core.run("MANAGE.ADD ana ACCOUNT acme/Crates")
    // Each workspace has a main one of its own.
    #expect(list() == ["acme/Crates .. main current", "Widgets .. main current"])
    core.run("WORKSPACE.MEMBER acme ana REMOVE")
    #expect(list() == ["Widgets .. main current"])
    #expect(core.run("MANAGE.LIST ana").items.isEmpty)
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
    core.expectReplicated()
  }

  @Test("L13: a merge takes the employments along, and UNDO gives them back")
  func merging() {
    core.run("USER.CREATE bob PRODUCT payroll")
    core.run("EMPLOY.ADD ana Widgets")
    core.run("EMPLOY.ADD bob Gadgets")
    core.run("MANAGE.ADD bob ACCOUNT Gadgets")
    #expect(!core.run("USER.MERGE ana bob").isError)
    #expect(list() == ["Widgets .. main current", "Gadgets .. current"])
    #expect(core.run("MANAGE.LIST ana").items.isEmpty)
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
    let undone = core.run("UNDO \(core.lsn)")
    #expect(!undone.isError, "\(undone)")
    #expect(list() == ["Widgets .. main current"])
    #expect(list("bob") == ["Gadgets .. main current"])
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
    core.expectReplicated()
  }

  @Test("UNDO gives nobody a role over an account that was deleted since")
  func undoingAfterADelete() {
    core.run("USER.CREATE bob PRODUCT payroll")
    core.run("ROLE.GRANT bob manager ACCOUNT Gadgets")
    core.run("USER.DELETE bob REASON gone")
    let lsn = core.lsn
    #expect(core.run("ACCOUNT.DELETE Gadgets").text == "OK")
    #expect(
      core.run("UNDO \(lsn)").text
        == "NOTFOUND account Gadgets: it was deleted (user bob; nothing was taken back)")
  }

  @Test("L6: anonymising keeps the employments")
  func anonymising() {
    core.run("EMPLOY.ADD ana Widgets")
    let id = core.user("ana")!.id.raw
    #expect(!core.run("USER.ANONYMISE ana").isError)
    #expect(core.run("EMPLOY.LIST #\(id)")[0]["account"].text == "Widgets")
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test("L12: a user is not purged whom somebody looks after")
  func purging() {
    let bob = core.run("USER.CREATE bob PRODUCT payroll")["id"].integer ?? 0
    core.run("MANAGE.ADD ana USER bob")
    core.run("USER.DELETE bob REASON gone")
    core.run("USER.DELETE ana REASON gone")
    #expect(!core.run("USER.CREATE ana PRODUCT payroll").isError)
    core.run("USER.CREATE eve PRODUCT payroll")
    core.run("USER.CREATE bob2 PRODUCT payroll")
    core.run("MANAGE.ADD eve USER bob2")
    let bob2 = core.user("bob2")!.id.raw
    core.run("USER.DELETE bob2 REASON gone")
    // Of a deleted manager the links are gone.
    #expect(core.run("USER.PURGE #\(bob)").text == "OK")
    #expect(core.run("USER.PURGE #\(bob2)").text?.contains("1 management link (MANAGE.REMOVE);") == true)
    #expect(core.run("MANAGE.REMOVE eve USER #\(bob2)").integer == 1)
    #expect(core.run("USER.PURGE #\(bob2)").text == "OK")
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test func theInvariantsTellOfWhatIsWrong() {
    core.run("EMPLOY.ADD ana Widgets")
    let ana = core.user("ana")!
    ana.cell.state.people.setEmployments(
      of: ana.contact, [Employment(1, of: 1), Employment(9, of: 1, from: 9, to: 8)], core.lsn)
    let problems = Invariants.check(core.cells, core.wholeDirectory)
    for end in [
      "has 0 main employments in one workspace", "is employed at an account that is not there",
      "ends before it begins",
    ] { #expect(problems.contains { $0.hasSuffix(end) }, "\(end): \(problems)") }
  }

  @Test("L19: the trail tells what became of an employment")
  func trail() {
    core.run("EMPLOY.ADD ana Widgets FROM 2020-01-01")
    #expect(
      core.changes.map { "\(ChangeText($0, in: core.directory.state.view))" }
        == ["employment-set contact #\(core.user("ana")!.contactID.raw), account: Widgets, from: 2020-01-01, main: 1"])
    core.run("EMPLOY.SET ana Widgets TO 2026-12-31")
    #expect(
      core.changes.map { "\(ChangeText($0, in: core.directory.state.view))" }
        == ["employment-set contact #\(core.user("ana")!.contactID.raw), account: Widgets, to: 2026-12-31"])
  }
}
