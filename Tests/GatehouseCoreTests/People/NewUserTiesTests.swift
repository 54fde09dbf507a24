import Testing

@testable import GatehouseCore

/// What `USER.CREATE` gives with days, limits and scopes of their own. The clock begins on 2026-03-01.
@Suite struct NewUserTiesTests {
  private let core = CoreHarness()

  init() {
    for line in [
      "WORKSPACE.CREATE acme", "WORKSPACE.CREATE beta", "PRODUCT.CREATE acme/time", "PRODUCT.CREATE acme/pay",
      "PRODUCT.CREATE beta/app", "POOL.SET acme/pay office 5", "ACCOUNT.CREATE Widgets CUSTOMER WORKSPACE acme",
      "ACCOUNT.CREATE \"Smith & Sons\" CUSTOMER WORKSPACE acme", "ACCOUNT.CREATE Gadgets CUSTOMER WORKSPACE acme",
      "ACCOUNT.CREATE Foreign CUSTOMER WORKSPACE beta", "GROUP.CREATE North WORKSPACE acme",
      "USER.CREATE bo WORKSPACE acme NOINVITE", "USER.CREATE eve WORKSPACE beta NOINVITE",
    ] { core.run(line) }
  }

  private func employments(_ user: String = "ana") -> [String] {
    core.run("EMPLOY.LIST \(user)").items.map { employment in
      let days = [employment["from"].text ?? "", employment["to"].text ?? ""].joined(separator: "..")
      return "\(employment["account"]) \(days)" + (employment["main"].integer == 1 ? " main" : "")
    }
  }

  @Test("L8, L9, L22, B7: a user comes with employments, access, roles and links in one record")
  func together() throws {
    let before = core.lsn
    let answer = core.run(
      "USER.CREATE ana WORKSPACE acme TIMEZONE Europe/Prague NOINVITE EMPLOYED Widgets 2020-01-01 2030-12-31"
        + " EMPLOYED \"Smith & Sons\" none 2025-12-31 ACCESS time ADMIN none 2027-01-01"
        + " ACCESS pay REGULAR 2026-05-01T00:00:00Z none LICENCE pay office"
        + " GRANT manager \"account acme/Widgets\" none none GRANT individual workspace 2026-01-01T00:00:00Z none"
        + " GRANT manager \"product time\" none none MANAGES USER bo MANAGES account Widgets MANAGES GROUP North")
    #expect(answer["username"].text == "ana", "\(answer)")
    #expect(core.lsn == before + 1)
    #expect(employments() == ["acme/Widgets 2020-01-01..2030-12-31 main", "acme/Smith & Sons ..2025-12-31"])
    let links = core.run("MANAGE.LIST ana").items.map { "\($0["kind"]) \($0["name"])" }
    #expect(links == ["user bo", "account acme/Widgets", "group acme/North"])
    let roles = core.run("ROLE.LIST ana").items
    #expect(
      roles.map { "\($0["role"]) \($0["scope"])" } == [
        "manager account acme/Widgets", "individual workspace acme", "manager product acme/time",
      ])
    #expect(roles.map { $0["main"].integer } == [1, 0, 0])
    #expect(roles[1]["from"].integer == TimeText.time("2026-01-01T00:00:00Z"))
    let products = core.run("USER.GET ana")["products"].items
    let time = try #require(products.first { $0["product"].text == "acme/time" })
    // The last day counts, and it is over at midnight in Prague.
    #expect(time["admin"].integer == 1 && time["until"].integer == TimeText.time("2027-01-01T23:00:00Z"))
    let pay = try #require(products.first { $0["product"].text == "acme/pay" })
    #expect(pay["enabled"].integer == 0 && pay["licence"].text == "office")
    #expect(core.run("POOL.LIST acme/pay").items.first?["used"].integer == 1, "the seat is kept from now on")
    try core.restart()
    #expect(employments().count == 2 && core.run("MANAGE.LIST ana").items.count == 3)
    core.expectReplicated()
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test("L8: the account that is named is the main one, with its days; without one the first is")
  func main() {
    core.run(
      "USER.CREATE ana WORKSPACE acme NOINVITE ACCOUNT Gadgets EMPLOYED Widgets none none"
        + " EMPLOYED gadgets 2020-01-01 none ROLE manager")
    #expect(employments() == ["acme/Gadgets 2020-01-01.. main", "acme/Widgets .."])
    #expect(core.run("ROLE.LIST ana").items.map { $0["scope"].text } == ["account acme/Gadgets"])
    core.run("USER.CREATE cy WORKSPACE acme NOINVITE EMPLOYED Widgets 2027-01-01 none EMPLOYED Gadgets none none")
    #expect(employments("cy") == ["acme/Widgets 2027-01-01.. main", "acme/Gadgets .."])
    #expect(core.run("USER.GET cy")["account"].text == "acme/Gadgets", "the main employment has not begun")
    core.expectReplicated()
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test("L8, S12: a new login of a contact keeps the employments that the contact has")
  func contact() throws {
    core.run("USER.CREATE ana WORKSPACE acme NOINVITE EMPLOYED Widgets 2020-01-01 none EMPLOYED Gadgets none none")
    let contact = try #require(core.run("USER.GET ana")["contact"].integer)
    core.run("USER.DELETE ana REASON left")
    let answer = core.run(
      "USER.CREATE ana2 WORKSPACE acme CONTACT #\(contact) NOINVITE EMPLOYED Gadgets 2026-02-01 none")
    #expect(answer["username"].text == "ana2", "\(answer)")
    #expect(employments("ana2") == ["acme/Widgets 2020-01-01.. main", "acme/Gadgets 2026-02-01.."])
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test("L8, L19: the main mark passes to the account that is named, and the trail says so once")
  func passing() throws {
    core.run("USER.CREATE ana WORKSPACE acme NOINVITE EMPLOYED Widgets 2020-01-01 none EMPLOYED Gadgets none none")
    let contact = try #require(core.run("USER.GET ana")["contact"].integer)
    core.run("USER.DELETE ana REASON left")
    core.run(
      "USER.CREATE ana2 WORKSPACE acme CONTACT #\(contact) NOINVITE ACCOUNT Gadgets EMPLOYED Widgets none 2026-12-31")
    let trail = core.changes.filter { $0.as(EmploymentSet.self) != nil }
      .map { "\(ChangeText($0, in: core.directory.state.view))" }
    #expect(trail.count == 3 && trail.count { $0.contains("main: 1 → 0") } == 1, "\(trail)")
    #expect(Set(self.employments("ana2")) == ["acme/Widgets ..2026-12-31", "acme/Gadgets .. main"])
    core.expectReplicated()
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test("L8: those employments count that the contact has, and the account that is named")
  func limit() throws {
    let most = Limits.employmentsOfContact
    for number in 0...most { core.run("ACCOUNT.CREATE A\(number) CUSTOMER WORKSPACE acme") }
    let all = (0..<most).map { "EMPLOYED A\($0) none none" }.joined(separator: " ")
    let why = "employments: a contact has at most \(most)"
    func refused(_ line: String) -> Bool { core.run(line).text?.hasSuffix(why) == true }
    #expect(refused("USER.CREATE ana WORKSPACE acme NOINVITE \(all) EMPLOYED A\(most) none none"))
    #expect(refused("USER.CREATE ana WORKSPACE acme NOINVITE \(all) ACCOUNT A\(most)"))
    #expect(core.run("USER.CREATE ana WORKSPACE acme NOINVITE \(all) ACCOUNT A0")["username"].text == "ana")
    let contact = try #require(core.run("USER.GET ana")["contact"].integer)
    core.run("USER.DELETE ana REASON left")
    #expect(refused("USER.CREATE ana2 WORKSPACE acme CONTACT #\(contact) NOINVITE ACCOUNT A\(most)"))
    #expect(refused("USER.CREATE ana2 WORKSPACE acme CONTACT #\(contact) NOINVITE EMPLOYED A\(most) none none"))
    #expect(!core.run("USER.CREATE ana2 WORKSPACE acme CONTACT #\(contact) NOINVITE EMPLOYED A0 none none").isError)
  }

  @Test("W2, W5: ACCESS names the home as PRODUCT does; days are those of the workspace of what they are about")
  func zones() throws {
    core.run("WORKSPACE.SET beta policy.timezone Asia/Kolkata")
    core.run("USER.CREATE cy NOINVITE ACCESS beta/app REGULAR none none")
    #expect(core.run("USER.GET cy")["home"].text == "beta")
    core.run(
      "USER.CREATE ana WORKSPACE acme NOINVITE ACCESS time REGULAR none 2027-01-01 ACCESS beta/app REGULAR none 2027-01-01"
        + " GRANT manager \"product beta/app\" none 2027-01-01 GRANT manager workspace none 2027-01-01")
    let person = core.run("USER.GET ana")
    let (inUTC, inKolkata) = (TimeText.time("2027-01-02T00:00:00Z"), TimeText.time("2027-01-01T18:30:00Z"))
    let products = person["products"].items.filter { $0["enabled"].integer == 1 }
    #expect(products.count == 2)
    for product in products {
      #expect(product["until"].integer == (product["product"].text == "beta/app" ? inKolkata : inUTC), "\(product)")
    }
    let roles = core.run("ROLE.LIST ana").items
    #expect(roles.count == 2)
    for role in roles {
      #expect(role["until"].integer == (role["scope"].text == "workspace acme" ? inUTC : inKolkata), "\(role)")
    }
  }

  @Test(
    "P5: what one of the commands would refuse is refused, and nobody is there then",
    arguments: [
      (
        "EMPLOYED Widgets 2026-02-01 2026-01-01",
        "ERR EMPLOYED: 2026-01-01, the last day, is before 2026-02-01, the first one"
      ),
      ("EMPLOYED Nowhere none none", "NOTFOUND account Nowhere"),
      ("EMPLOYED Widgets soon none", "ERR EMPLOYED: 'soon' is not a day, such as 2026-03-01, or none"),
      ("EMPLOYED Widgets none none EMPLOYED widgets none none", "ERR EMPLOYED names widgets twice"),
      ("ACCESS time OWNER none none", "ERR ACCESS: the state is ADMIN, REGULAR, OFF or OFF-ADMIN, not 'OWNER'"),
      ("ACCESS time OFF none 2027-01-01", "ERR ACCESS: a product that is OFF has no limits; give none for both"),
      ("PRODUCT time ACCESS time ADMIN none none", "ERR the product time is given twice"),
      ("ACCESS time REGULAR none 2020-01-01", "ERR UNTIL must be after now, and after FROM"),
      ("GRANT manager nowhere none none", "ERR GRANT: the scope 'nowhere' is none; give everywhere, workspace, or one"),
      ("GRANT manager workspace none none ROLE manager WITHIN", "ERR GRANT manager workspace acme is given twice"),
      (
        "GRANT manager \"workspace beta\" none none",
        "ERR GRANT is over what a workspace of the user has, and not beta; name that"
      ),
      (
        "GRANT super-administrator everywhere none 2027-01-01",
        "REFUSED last-super-administrator: a super administrator of everything is not lost by time alone"
      ),
      ("MANAGES USER nobody", "NOTFOUND user nobody"),
      ("MANAGES USER eve", "REFUSED member: eve is not a member of acme"),
      ("MANAGES BOSS bo", "ERR kind must be USER, ACCOUNT or GROUP"),
    ])
  func refused(_ options: String, why: String) {
    let before = core.lsn
    let answer = core.run("USER.CREATE ana WORKSPACE acme NOINVITE " + options).text ?? ""
    #expect(answer.hasPrefix(why), "\(answer)")
    #expect(core.lsn == before)
    #expect(core.run("USER.GET ana").isError)
  }

  @Test("T3, P9: a product that is off keeps a licence without a seat until it is enabled")
  func off() {
    core.run("USER.CREATE ana WORKSPACE acme NOINVITE ACCESS pay OFF none none LICENCE pay office")
    #expect(core.run("LOGIN.CHECK ana acme/pay").text == "DENY product-disabled")
    #expect(core.run("POOL.LIST acme/pay").items.first?["used"].integer == 0)
    core.run("PRODUCT.ENABLE ana acme/pay")
    #expect(core.run("LOGIN.CHECK ana acme/pay").text == "ALLOW")
    #expect(core.run("POOL.LIST acme/pay").items.first?["used"].integer == 1)
    core.expectReplicated()
  }

  @Test("L14, L18, T7: nobody gives by it what they could not give by the other commands")
  func rights() {
    core.run("USER.CREATE tom WORKSPACE acme PRODUCT acme/time ROLE training-administrator WITHIN NOINVITE")
    let token = core.logIn("tom", "acme/time")
    for options in [
      "GRANT super-administrator workspace none none", "GRANT manager everywhere none none",
      "GRANT manager \"account Foreign\" none none", "MANAGES USER eve",
    ] {
      let answer = core.run("USER.CREATE ana WORKSPACE acme NOINVITE " + options, as: token).text ?? ""
      #expect(answer.hasPrefix("NOPERM ") || answer.hasPrefix("NOTFOUND "), "\(options): \(answer)")
    }
    let answer = core.run(
      "USER.CREATE ana WORKSPACE acme NOINVITE EMPLOYED Widgets none none ACCESS time ADMIN none none"
        + " GRANT manager workspace none 2027-01-01 MANAGES ACCOUNT Widgets MANAGES USER bo", as: token)
    #expect(answer["username"].text == "ana", "\(answer)")
    core.expectReplicated()
  }

  @Test("W2: an employment in a workspace of which the user is no member is refused")
  func foreign() {
    #expect(
      core.run("USER.CREATE ana NOINVITE EMPLOYED beta/Foreign none none").text
        == "ERR EMPLOYED and MANAGES are about workspaces of the user, and not about beta; name that with WORKSPACE, or"
        + " one of its products")
    #expect(core.run("USER.CREATE ana PRODUCT beta/app NOINVITE EMPLOYED beta/Foreign none none")["id"].integer != nil)
  }
}
