import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// W4: the numbers of accounts and groups are one row over the whole server, so anybody can try those between their own.
/// Whatever command names one: that of another workspace is answered as one that nobody has.
@Suite struct IdSecrecyTests {
  let core = CoreHarness(partitions: 4)
  /// Of the other workspace: an account, a deleted one, a group, a deleted one, and its Guest Account.
  private static let accounts = [2, 3], groups = [2, 3]
  private static let guest = GuestAccount.id(of: 3)
  /// Numbers that nobody has.
  private static let nobody = 900
  private static let nobodysGuest = GuestAccount.id(of: 900)

  init() {
    for workspace in ["acme", "bolt"] {
      core.run("WORKSPACE.CREATE \(workspace)")
      core.run("PRODUCT.CREATE \(workspace)/crm")
    }
    core.run("ACCOUNT.CREATE Own CUSTOMER WORKSPACE acme")
    core.run("GROUP.CREATE Own WORKSPACE acme")
    for name in ["Theirs", "Gone"] {
      core.run("ACCOUNT.CREATE \(name) CUSTOMER WORKSPACE bolt")
      core.run("GROUP.CREATE \(name) WORKSPACE bolt")
    }
    core.run("ACCOUNT.DELETE #3")
    core.run("GROUP.DELETE #3")
    core.run("USER.CREATE boss PRODUCT acme/crm NOINVITE")
    core.run("ROLE.GRANT boss super-administrator WORKSPACE acme")
    core.run("USER.CREATE ana PRODUCT acme/crm NOINVITE")
    core.run("EMPLOY.ADD ana #1")
  }

  private static let ofAccounts = [
    "ACCOUNT.GET #n", "ACCOUNT.GET #n WORKSPACE acme", "ACCOUNT.SET #n name x", "ACCOUNT.SET #n type provider",
    "ACCOUNT.DELETE #n", "GROUP.ADD #1 #n", "GROUP.REMOVE #1 #n", "EMPLOY.ADD ana #n", "EMPLOY.SET ana #n MAIN",
    "EMPLOY.END ana #n", "MANAGE.ADD ana ACCOUNT #n", "MANAGE.REMOVE ana ACCOUNT #n",
    "ROLE.GRANT ana manager ACCOUNT #n",
    "ROLE.REVOKE ana manager ACCOUNT #n", "USER.CREATE new WORKSPACE acme ACCOUNT #n NOINVITE",
    "USER.CREATE new WORKSPACE acme EMPLOYED #n none none NOINVITE",
    "USER.CREATE new WORKSPACE acme GRANT manager \"account #n\" none none NOINVITE",
    "USER.CREATE new WORKSPACE acme MANAGES account #n NOINVITE",
    "USER.CREATEMANY WORKSPACE acme FIELDS 2 username employments ROWS 2 new #n", "USER.LIST WHERE account = #n",
    "USER.COUNT WHERE employer = #n", "AUDIT.LIST ENTITY account #n",
  ]

  private static let ofGroups = [
    "GROUP.GET #n", "GROUP.RENAME #n x", "GROUP.EXTERNAL #n x", "GROUP.ADD #n #1", "GROUP.REMOVE #n #1",
    "GROUP.DELETE #n", "ACCOUNT.LIST GROUP #n", "MANAGE.ADD ana GROUP #n", "MANAGE.REMOVE ana GROUP #n",
    "ROLE.GRANT ana manager GROUP #n", "ROLE.REVOKE ana manager GROUP #n",
    "USER.CREATE new WORKSPACE acme GRANT manager \"group #n\" none none NOINVITE",
    "USER.CREATE new WORKSPACE acme MANAGES group #n NOINVITE", "USER.COUNT WHERE group = #n",
    "AUDIT.LIST ENTITY group #n",
  ]

  private func expectNothingTold(_ run: (String) -> Answer) {
    func answer(_ line: String, _ number: String) -> String {
      "\(run(line.replacing("#n", with: "#" + number)))".replacing("#" + number, with: "#n")
    }
    for line in Self.ofAccounts {
      let expected = answer(line, "\(Self.nobody)")
      #expect(expected.contains("account #n"), "\(line): \(expected)")
      for number in Self.accounts { #expect(answer(line, "\(number)") == expected, "\(line)") }
      #expect(answer(line, "\(Self.guest)") == answer(line, "\(Self.nobodysGuest)"), "\(line)")
    }
    for line in Self.ofGroups {
      let expected = answer(line, "\(Self.nobody)")
      #expect(expected.contains("group #n"), "\(line): \(expected)")
      for number in Self.groups { #expect(answer(line, "\(number)") == expected, "\(line)") }
    }
  }

  @Test("to an administrator of another workspace") func person() {
    let token = core.logIn("boss", "acme/crm")
    expectNothingTold { core.run($0, as: token) }
  }

  @Test("to a service that is bound to another workspace") func service() {
    core.run("SERVICE.CREATE all ADMIN")
    let service = core.run("SERVICE.CREATE web ADMIN WORKSPACE acme")["id"].integer ?? 0
    core.connection = ConnectionFacts(id: 2, service: ServiceID(service), rights: .all, isBound: true)
    expectNothingTold { core.run($0) }
  }

  @Test("no list leads past those of others") func lists() {
    let token = core.logIn("boss", "acme/crm")
    for line in ["ACCOUNT.LIST COUNT 1", "GROUP.LIST COUNT 1"] {
      var (cursor, pages) = ("0", 0)
      repeat {
        let page = core.run("\(line) CURSOR \(cursor)", as: token)
        #expect(page[1].items.allSatisfy { $0["workspace"].text == "acme" }, "\(page)")
        cursor = page[0].text ?? "0"
        pages += 1
      } while cursor != "0" && pages < 9
      // The Guest Account follows, and at most one page that is empty.
      #expect(pages <= 3, "\(line)")
    }
  }
}
