import Testing

@testable import GatehouseCore

/// S12, W2, W4, L10: a login that was deleted shows the person of today, who may have come under others since. So it is for
/// those alone who may see, or do, the same of the newest login.
@Suite struct EarlierLoginTests {
  private let core = CoreHarness(partitions: 8)
  /// A session of an administrator of acme.
  private let token: String

  init() {
    core.run("WORKSPACE.CREATE acme")
    core.run("WORKSPACE.CREATE beta")
    core.run("PRODUCT.CREATE acme/crm")
    core.run("PRODUCT.CREATE beta/shop")
    core.run("WORKSPACE.SET acme policy.delete.keep-tracked off")
    core.run("USER.CREATE tadm WORKSPACE acme PRODUCT acme/crm NOINVITE")
    core.run("ROLE.GRANT tadm training-administrator WORKSPACE acme")
    token = core.logIn("tadm", "acme/crm")
  }

  /// Somebody of acme who was deleted there and is at beta now.
  private func moved() -> (old: String, contact: String) {
    core.run("USER.CREATE carl WORKSPACE acme EMAIL carl@x.test NOINVITE")
    let card = core.run("USER.GET carl")
    core.run("USER.DELETE carl REASON x")
    core.run("USER.CREATE carl WORKSPACE beta CONTACT #\(card["contact"]) PRODUCT beta/shop NOINVITE")
    core.run("USER.SET carl phone beta-private")
    return ("#\(card["id"])", "#\(card["contact"])")
  }

  @Test("W2, W4: who is at home elsewhere by now is out of reach through the login that was deleted here")
  func elsewhere() {
    let (old, contact) = moved()
    for line in ["USER.GET \(old)", "CONTACT.GET \(contact)", "USER.ANONYMISE \(old)", "USER.PURGE \(old)"] {
      let answer = core.run(line, as: token)
      #expect(answer.text?.hasPrefix("NOTFOUND ") == true, "\(line): \(answer)")
    }
    let list = "\(core.run("USER.LIST WHERE status = deleted FIELDS 3 id first phone", as: token))"
    #expect(!list.contains("beta-private"), "\(list)")
    #expect(core.run("USER.COUNT WHERE status = deleted", as: token).integer == 0)
    #expect(core.run("USER.GET carl")["phone"].text == "beta-private")
  }

  @Test("L10: nor is who has become a super administrator since")
  func superior() {
    core.run("USER.CREATE boss WORKSPACE acme FIRST Secret PHONE 911 NOINVITE")
    let entry = core.run("ENTRY.ADD boss START 1 END 2 WORKSPACE acme")["entry"]
    let card = core.run("USER.GET boss")
    core.run("USER.DELETE boss REASON x")
    #expect(core.run("USER.GET #\(card["id"])", as: token)["phone"].text == "911", "nobody is above yet")
    core.run("USER.RESTORE #\(card["contact"]) boss NOINVITE")
    core.run("ROLE.GRANT boss super-administrator WORKSPACE acme")
    for line in [
      "USER.GET #\(card["id"])", "USER.ANONYMISE #\(card["id"])", "ENTRY.GET \(entry)",
      "ENTRY.CORRECT \(entry) NOTE hack",
      "ENTRY.DELETE \(entry)",
    ] {
      let answer = core.run(line, as: token)
      #expect(answer.text?.hasPrefix("NOPERM ") == true, "\(line): \(answer)")
    }
    #expect(core.run("USER.GET boss")["first"].text == "Secret")
  }

  @Test("L6: a person is anonymised by the newest login, never by an earlier one")
  func anonymising() {
    let (old, contact) = moved()
    #expect(
      core.run("USER.ANONYMISE \(old)").text
        == "CONFLICT user: carl is an earlier login of contact \(contact); anonymise carl instead")
    #expect(core.run("USER.GET carl")["email"].text == "carl@x.test")
    core.run("USER.ANONYMISE carl")
    let anonymous = core.run("CONTACT.GET \(contact)")
    #expect(!"\(anonymous)".contains("carl@x.test"))
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
    core.expectReplicated()
  }

  @Test("L13, L10: what was recorded of who was merged is the kept one's: for those who may see that one")
  func merged() {
    core.run("USER.CREATE boss WORKSPACE acme NOINVITE")
    core.run("ROLE.GRANT boss super-administrator WORKSPACE acme")
    core.run("USER.CREATE old WORKSPACE acme NOINVITE")
    let entry = core.run("ENTRY.ADD old START 0 END 10 WORKSPACE acme")["entry"]
    let link = core.run("LINK.ADD old booking b2 WORKSPACE acme")["link"]
    core.run("USER.MERGE boss old")
    for line in [
      "ENTRY.GET \(entry)", "ENTRY.HISTORY \(entry)", "ENTRY.CORRECT \(entry) NOTE hack", "ENTRY.DELETE \(entry)",
      "LINK.SET \(link) STATUS x", "LINK.REMOVE \(link)",
    ] {
      let answer = core.run(line, as: token)
      #expect(answer.text?.hasPrefix("NOPERM ") == true, "\(line): \(answer)")
    }
    #expect(core.run("LINK.PEOPLE booking b2 WORKSPACE acme", as: token)[1].items.isEmpty)
  }

  @Test("L13, L10: a manager reaches what was recorded of who was merged into one of their people")
  func managed() {
    core.run("ACCOUNT.CREATE Widgets CUSTOMER WORKSPACE acme")
    core.run("USER.CREATE mgr WORKSPACE acme PRODUCT acme/crm NOINVITE")
    core.run("ROLE.GRANT mgr manager WORKSPACE acme")
    core.run("MANAGE.ADD mgr ACCOUNT Widgets WORKSPACE acme")
    for name in ["e1", "e2"] { core.run("USER.CREATE \(name) WORKSPACE acme ACCOUNT Widgets NOINVITE") }
    let entry = core.run("ENTRY.ADD e2 START 0 END 10 WORKSPACE acme")["entry"]
    let link = core.run("LINK.ADD e2 task t1 WORKSPACE acme")["link"]
    core.run("USER.MERGE e1 e2")
    let mgr = core.logIn("mgr", "acme/crm")
    for line in ["ENTRY.GET \(entry)", "ENTRY.HISTORY \(entry)", "LINK.SET \(link) STATUS x"] {
      let answer = core.run(line, as: mgr)
      #expect(!answer.isError, "\(line): \(answer)")
    }
    #expect(core.run("LINK.PEOPLE task t1 WORKSPACE acme", as: mgr)[1][0]["username"].text == "e1")
  }

  @Test("L13: who is linked to a record is the kept one, also where that one was merged later")
  func linkedPeople() {
    for name in ["k1", "k2", "k3"] { core.run("USER.CREATE \(name) EMAIL \(name)@x.test NOINVITE") }
    core.run("LINK.ADD k1 delegate c1")
    core.run("USER.MERGE k2 k1")
    let people = core.run("LINK.PEOPLE delegate c1")[1]
    #expect(people.items.count == 1)
    #expect(people[0]["username"].text == "k2" && people[0]["email"].text == "k2@x.test", "\(people)")
    core.run("USER.MERGE k3 k2")
    #expect(core.run("LINK.PEOPLE delegate c1")[1][0]["username"].text == "k3")
  }
}
