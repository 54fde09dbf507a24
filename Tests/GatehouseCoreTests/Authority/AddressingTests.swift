import Testing

@testable import GatehouseCore

/// W2, T7, L10: the e-mail address of a login is where its password is reset. Who sets it could log in as that person.
@Suite struct AddressingTests {
  private let core = CoreHarness(partitions: 8)

  init() {
    for line in [
      "WORKSPACE.CREATE tk", "WORKSPACE.CREATE other", "PRODUCT.CREATE tk/time", "PRODUCT.CREATE tk/plans",
      "PRODUCT.CREATE other/crm", "ACCOUNT.CREATE Jot CUSTOMER WORKSPACE tk",
      "USER.CREATE pat WORKSPACE tk EMAIL pat@x.test NOINVITE", "PRODUCT.ENABLE pat tk/plans ADMIN",
      "USER.CREATE vic WORKSPACE tk EMAIL vic@x.test PRODUCT tk/time ACCOUNT Jot NOINVITE",
      "USER.CREATE mia WORKSPACE tk EMAIL mia@x.test PRODUCT tk/plans NOINVITE",
      "ROLE.GRANT mia manager ACCOUNT tk/Jot",
      "USER.CREATE tess WORKSPACE tk EMAIL tess@x.test PRODUCT tk/plans NOINVITE",
      "ROLE.GRANT tess training-administrator WORKSPACE tk",
    ] {
      let answer = core.run(line)
      precondition(!answer.isError, "\(line): \(answer)")
    }
  }

  private var mails: [String] {
    core.run("MAIL.NEXT COUNT 20").items.map { "\($0["kind"].text ?? "") \($0["to"].text ?? "")" }
  }

  @Test(
    "T7, L10: who administers a product or manages somebody sets no address of somebody who may enter more",
    arguments: ["pat", "mia"],
    ["USER.SET vic email e@x.test", "CONTACT.SET CONTACT email e@x.test", "USER.BULK SET email e@x.test IDS 1 vic"])
  func somebodyWhoMayEnterMore(setter: String, line: String) {
    let token = core.logIn(setter, "tk/plans")
    let line = line.replacing("CONTACT email", with: "#\(core.run("USER.GET vic")["contact"]) email")
    let before = core.lsn
    let answer = core.run(line, as: token)
    // The refusal of one among many names that one.
    let whose = line.hasPrefix("USER.BULK ") ? " (user vic; nobody was changed)" : ""
    #expect(
      answer.text == "NOPERM the permission credential.set, to set the address of somebody who may enter tk/time: a"
        + " password is reset by it\(whose)")
    #expect(core.lsn == before)
    // What is no credential they set as before.
    #expect(core.run("USER.SET vic phone 77", as: token).integer == 1)
  }

  @Test("T7: with as much as the person has, an address is set as before", arguments: ["pat", "mia"])
  func somebodyWhoMayEnterNoMore(setter: String) {
    core.run("PRODUCT.ENABLE \(setter) tk/time")
    let token = core.logIn(setter, "tk/plans")
    #expect(core.run("USER.SET vic email e@x.test", as: token).integer == 1)
  }

  @Test("W2: whoever may set a password sets an address, whatever products they have")
  func administrators() {
    #expect(core.run("USER.SET vic email e@x.test", as: core.logIn("tess", "tk/plans")).integer == 1)
    // People set their own, and services those of anybody in their reach.
    #expect(core.run("USER.SET vic email v@x.test", as: core.logIn("vic", "tk/time")).integer == 1)
    #expect(core.run("USER.SET vic email w@x.test").integer == 1)
  }

  @Test("W4: what somebody may enter elsewhere counts, and has no name")
  func elsewhere() {
    core.run("PRODUCT.ENABLE pat tk/time")
    let token = core.logIn("pat", "tk/plans")
    core.run("WORKSPACE.MEMBER other vic")
    #expect(
      core.run("USER.SET vic email e@x.test", as: token).text?.contains("who may enter another workspace:") == true)
    core.run("PRODUCT.ENABLE vic other/crm")
    #expect(
      core.run("USER.SET vic email e@x.test", as: token).text?.contains("who may enter a product of another workspace:")
        == true)
  }

  // MARK: Telling

  @Test("P8: the address that somebody had is told of another, whoever sets it") func theOldAddressIsTold() {
    core.run("USER.SET vic email new@x.test")
    #expect(mails == ["address-changed vic@x.test"])
    core.run("USER.SET vic email own@x.test", as: core.logIn("vic", "tk/time"))
    core.run("USER.SET vic phone 8")
    #expect(mails == ["address-changed new@x.test"])
    core.run("USER.RENAME vic vic@name.test")
    // Once, by the notice of the username.
    #expect(mails.sorted() == ["username-changed own@x.test", "username-changed vic@name.test"])
    core.run("USER.SET vic email \"\"")
    // Then the username is the address.
    #expect(mails == [])
    core.run("USER.RENAME vic@name.test victor")
    #expect(mails == ["username-changed vic@name.test"])
    core.expectReplicated()
  }

  @Test("P8: the mail says who did it, and reports an act") func whatItSays() {
    core.run("USER.SET vic email new@x.test", as: core.logIn("tess", "tk/plans"))
    let mail = core.run("MAIL.NEXT")[0]
    #expect(mail["text"].text?.contains("tess has changed the e-mail address of vic in tk.") == true)
    #expect(mail["text"].text?.contains("new@x.test") == false)
    #expect(Mail.Kind.addressChanged.reportsAct)
  }

  @Test("T8, L18: days that end a login are set by who has no less power") func daysOfEmployment() {
    let token = core.logIn("pat", "tk/plans")
    #expect(core.run("USER.SET tess released 2030-01-01", as: token).integer == 1)
    core.run("WORKSPACE.SET tk policy.login.within-employment on")
    #expect(
      core.run("USER.SET tess released 2020-01-01", as: token).text
        == "NOPERM the permission contact.set over an administrator with more power")
    #expect(core.run("USER.SET vic released 2020-01-01", as: token).integer == 1)
  }
}
