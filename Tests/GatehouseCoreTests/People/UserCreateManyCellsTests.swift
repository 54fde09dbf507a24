import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// P5, L8, L9, L11: rows of `USER.CREATEMANY` with the cells of a file of people.
@Suite struct UserCreateManyCellsTests {
  let core = CoreHarness(partitions: 16)

  init() {
    core.run("PRODUCT.CREATE payroll")
    core.run("POOL.SET payroll office 2")
    core.run("ACCOUNT.CREATE Widgets CUSTOMER")
  }

  private func create(_ fields: [String], _ rows: [String], _ more: [String] = []) -> Answer {
    core.run(
      ["USER.CREATEMANY", "NOINVITE", "FIELDS", "\(fields.count)"] + fields + ["ROWS", "\(rows.count)"] + rows + more)
  }

  private func list(_ line: String, _ names: String...) -> [String] {
    core.run(line).items.map { item in names.map { "\(item[$0])" }.joined(separator: " ") }
  }

  @Test("marks are those of gatehousectl import, and somebody may look after users of other rows, in one record")
  func cells() {
    let before = core.lsn
    let made = create(
      ["username", "employments", "products", "licences", "roles", "manages", "provisioned"],
      [
        "ana", "Widgets@2026-01-01..@main", "payroll@admin", "office", "manager@account:Widgets",
        "user:BO;account:Widgets",
        "externalId@7", "bo", "", "payroll@off", "payroll:office", "individual", "ana", "",
      ])
    #expect(!made.isError && core.lsn == before + 1, "\(made)")
    #expect(list("EMPLOY.LIST ana", "account", "from", "main") == ["Widgets 2026-01-01 1"])
    #expect(list("ROLE.LIST ana", "role", "scope") == ["manager account Widgets"])
    #expect(list("ROLE.LIST bo", "role", "scope") == ["individual workspace main"], "a cell says over what")
    #expect(list("MANAGE.LIST ana", "kind", "name").sorted() == ["account Widgets", "user bo"])
    #expect(list("MANAGE.LIST bo", "kind", "name") == ["user ana"])
    #expect(core.run("USER.EXTERNAL 7")["username"].text == "ana")
    #expect(core.run("LOGIN.CHECK ana payroll").text == "ALLOW")
    #expect(core.run("LOGIN.CHECK bo payroll").text == "DENY product-disabled")
    core.expectReplicated()
  }

  @Test("a refusal names the row and the cell, and nobody is added")
  func refusals() {
    core.run("USER.CREATE there NOINVITE")
    let before = core.lsn
    for (field, value, refusal) in [
      ("manages", "ANA", "ERR row 1: manages: nobody looks after themselves"),
      ("manages", "nobody", "NOTFOUND row 1: user nobody"),
      ("employments", "Nowhere", "NOTFOUND row 1: account Nowhere"),
      ("employments", "Widgets;main/widgets", "ERR row 1: employments: main/widgets is named twice"),
      (
        "products", "payroll@boss",
        "ERR row 1: products: '@boss' behind payroll is none of @admin, @off and @from..until"
      ),
      ("licences", "office", "ERR row 1: licences: the licence 'office' does not say of which product"),
      ("roles", "clerk", "NOTFOUND row 1: role clerk"),
      ("provisioned", "title", "ERR row 1: provisioned: 'title' is an attribute without a value"),
    ] {
      let answer = create(["username", field], ["ana", value, "bo", ""])
      #expect(answer.text?.hasPrefix(refusal) == true, "\(field): \(answer)")
    }
    #expect(
      create(["username", "role", "roles"], ["ana", "manager", ""]).text
        == "ERR FIELDS names role and roles, which say the same; give one of them")
    #expect(core.lsn == before && core.run("USER.COUNT").integer == 1)
    // Somebody who is there is looked after as well.
    #expect(!create(["username", "manages"], ["ana", "there;bo", "bo", ""]).isError)
    #expect(list("MANAGE.LIST ana", "kind", "name").sorted() == ["user bo", "user there"])
  }

  @Test("the identifiers of provisioning systems are different, for the state does not have the other rows yet")
  func identifiers() {
    let fields = ["username", "provisioned"]
    let refused = create(fields, ["ana", "title@x;externalId@7", "bo", #"externalId@"7""#])
    #expect(refused.text == "CONFLICT provisioned: row 2 has the same externalId as row 1, 7")
    #expect(core.run("USER.COUNT").integer == 0)
    #expect(!create(fields, ["ana", "title@x;externalId@7", "bo", "title@x;externalId@8", "cy", "", "di", ""]).isError)
    #expect(core.run("USER.EXTERNAL 7")["username"].text == "ana")
    #expect(core.run("USER.EXTERNAL 8")["username"].text == "bo")
    #expect(
      create(fields, ["eve", "externalId@7"]).text?.hasPrefix("CONFLICT row 1: externalId: 7 belongs to another user")
        == true)
    core.expectReplicated()
  }

  @Test("a cell has room for all whom somebody looks after, and what it names is limited as anywhere")
  func longCells() {
    let others = (0..<300).map { "somebody-else-\($0)" }
    let rows = ["ana", others.joined(separator: ";")] + others.flatMap { [$0, ""] }
    #expect(rows[1].utf8.count > Limits.textBytes)
    #expect(!create(["username", "manages"], rows).isError)
    #expect(core.run("MANAGE.LIST ana").items.count == 300)
    let long = String(repeating: "x", count: Limits.textBytes + 1)
    for (field, value) in [("first", long), ("provisioned", "title@\(long)"), ("employments", long)] {
      let answer = create(["username", field], ["bo", value])
      #expect(answer.text?.contains(" is longer than ") == true, "\(answer)")
    }
    let words = (0..<10_000).map { "\($0)" }.joined(separator: ";")
    #expect(create(["username", "employments"], ["bo", words]).text?.hasPrefix("NOTFOUND row 1: account 0") == true)
    #expect(
      create(["username", "employments"], ["bo", words + ";9999"]).text
        == "ERR row 1: employments: 9999 is named twice")
    #expect(
      create(["username", "manages"], ["bo", String(repeating: "x", count: Limits.cellBytes + 1)]).text
        == "ERR ROWS is longer than \(Limits.cellBytes) bytes; shorten it")
  }

  @Test("an account beside cells is the main one, and an empty row of cells has it as well")
  func account() {
    core.run("ACCOUNT.CREATE Gadgets CUSTOMER")
    let made = create(
      ["username", "account", "employments"], ["ana", "Widgets", "Gadgets@..2026-01-01", "bo", "Gadgets", ""])
    #expect(!made.isError, "\(made)")
    #expect(list("EMPLOY.LIST ana", "account", "main").sorted() == ["Gadgets 0", "Widgets 1"])
    #expect(list("EMPLOY.LIST bo", "account", "main") == ["Gadgets 1"])
  }

  @Test("B13: a request to look after somebody of another row is approved as it was asked, whatever ids come next")
  func approved() {
    core.run("PRODUCT.CREATE crm")
    for user in ["one", "two"] {
      core.run("USER.CREATE \(user) PRODUCT crm NOINVITE")
      core.run("ROLE.GRANT \(user) super-administrator")
    }
    let (one, two) = (core.logIn("one", "crm"), core.logIn("two", "crm"))
    core.run("WORKSPACE.SET main policy.approval.needs user.create")
    let words = ["FIELDS", "2", "username", "manages", "ROWS", "4", "ana", "bo", "bo", ""]
    let asked = core.run(["AS", one, "USER.CREATEMANY", "NOINVITE"] + words)
    let id = asked["approval"].integer ?? 0
    for number in 0..<20 { core.run("USER.CREATE other\(number) NOINVITE") }
    let granted = core.run("APPROVAL.GRANT \(id)", as: two)
    #expect(!granted.isError, "\(granted)")
    #expect(list("MANAGE.LIST ana", "kind", "name") == ["user bo"])
  }
}
