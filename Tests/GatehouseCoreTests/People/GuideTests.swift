import Testing

@testable import GatehouseCore

/// Small things that administrators come across as they follow the guides.
@Suite("Following the guides")
struct GuideTests {
  private let core = CoreHarness(partitions: 4)

  init() {
    for workspace in ["acme", "beta"] {
      core.run("WORKSPACE.CREATE \(workspace)")
      core.run("PRODUCT.CREATE \(workspace)/app")
    }
  }

  @Test("L11: whoever comes home again has a main role again")
  func mainRole() {
    core.run("USER.CREATE mh PRODUCT acme/app NOINVITE")
    core.run("PRODUCT.ENABLE mh beta/app")
    core.run("ROLE.GRANT mh manager WORKSPACE acme")
    func main() -> [Int64?] { core.run("ROLE.LIST mh").items.map { $0["main"].integer } }
    #expect(main() == [1])
    core.run("USER.MOVEHOME mh beta")
    #expect(main() == [0])
    core.run("USER.MOVEHOME mh acme")
    #expect(main() == [1])
    #expect(core.run("USER.GET mh")["main-role"].text == "manager")
    core.expectReplicated()
  }

  @Test(
    "L24: a name in a filter that nothing has is an error, and not nobody",
    arguments: [
      "home = nosuch", "home != nosuch", "workspace = nosuch", "product = nosuch", "role = nosuch", "account = nosuch",
      "licence = nosuch", "licence = acme/app:nosuch",
    ])
  func filters(condition: String) {
    for command in ["USER.COUNT", "USER.LIST"] {
      #expect(core.run("\(command) WHERE \(condition)").text?.hasPrefix("NOTFOUND ") == true, "\(command) \(condition)")
    }
  }

  @Test("L24: a name in a filter that something has is found")
  func filtersFound() {
    core.run("POOL.SET acme/app office 2")
    core.run("USER.CREATE ana WORKSPACE acme LICENCE acme/app office NOINVITE")
    for condition in ["home = ACME", "licence = office", "licence = acme/app:office", "home ^= ac"] {
      #expect(core.run("USER.COUNT WHERE \(condition)").integer == 1, "\(condition)")
    }
  }

  @Test("L15, B11: what is done in an impersonation has the impersonation's reason, where the command gives none")
  func reasons() throws {
    core.run("USER.CREATE tess PRODUCT acme/app NOINVITE")
    core.run("ROLE.GRANT tess training-administrator WORKSPACE acme")
    core.run("USER.CREATE ana PRODUCT acme/app NOINVITE")
    let login = core.logIn("tess", "acme/app")
    let token =
      core.run(["IMPERSONATE.START", login, "ana", "WORKSPACE", "acme", "REASON", "forgot to stop"])["session"].text
      ?? ""
    core.run("TIMER.START ana WORKSPACE acme", as: token)
    #expect(core.records.last?.first.header.reason == "forgot to stop")
    core.advance(60_000)
    let entry = core.run("TIMER.STOP ana WORKSPACE acme", as: token)["entry"].integer ?? 0
    core.run("ENTRY.CORRECT \(entry) NOTE x REASON mistyped", as: token)
    #expect(core.records.last?.first.header.reason == "mistyped")
    let history = core.run("ENTRY.HISTORY \(entry)").items
    #expect(history.map { $0["reason"].text } == ["forgot to stop", "mistyped"])
    core.expectReplicated()
  }

  @Test("L6: somebody without a login is anonymised, with the logins that there were")
  func anonymised() {
    let contact = core.run("CONTACT.CREATE FIRST Eva EMAIL eva@acme.test WORKSPACE acme")["contact"].integer ?? 0
    core.run("LINK.ADD #\(contact) delegate c1 WORKSPACE acme")
    #expect(
      core.run("CONTACT.DELETE #\(contact)").text?
        .hasSuffix("or clear the personal data with CONTACT.ANONYMISE #\(contact)") == true)
    let answer = core.run("CONTACT.ANONYMISE #\(contact)")
    #expect(answer.keys == ["contact", "backups"])
    #expect(core.run("CONTACT.GET #\(contact)")["email"].text?.isEmpty ?? true)
    #expect(core.run("LINK.LIST #\(contact)")[1].items.count == 1, "the history stays")
    #expect(core.run("CONTACT.ANONYMISE #\(contact)").text?.hasPrefix("CONFLICT contact: ") == true)
    #expect(core.run("CONTACT.SET #\(contact) first Ida").text?.hasPrefix("REFUSED anonymised") == true)
    core.run("USER.CREATE bob PRODUCT acme/app FIRST Bob NOINVITE")
    let other = core.run("USER.GET bob")["contact"].integer ?? 0
    #expect(
      core.run("CONTACT.ANONYMISE #\(other)").text
        == "CONFLICT contact: #\(other) has the live user bob; use USER.ANONYMISE bob")
    core.run("USER.DELETE bob REASON left")
    #expect(!core.run("CONTACT.ANONYMISE #\(other)").isError)
    #expect(core.run("CONTACT.GET #\(other)")["logins"][0]["username"].text?.hasPrefix("anonymous-") == true)
    core.expectReplicated()
  }

  @Test("K6, W2: another workspace is told whose the number of keys is")
  func keys() {
    core.run("USER.CREATE ana PRODUCT acme/app NOINVITE")
    core.run("PRODUCT.ENABLE ana beta/app")
    core.run("USER.CREATE tess PRODUCT beta/app NOINVITE")
    core.run("ROLE.GRANT tess training-administrator WORKSPACE beta")
    #expect(
      core.run("APIKEY.COUNT ana", as: core.logIn("tess", "beta/app")).text
        == "NOPERM the permission user.read in the home workspace of ana, to which the keys belong")
  }

  @Test("S12, S4: a login is restored with the role that the workspace asks for")
  func restored() {
    core.run("WORKSPACE.SET acme policy.user.required-fields role")
    core.run("USER.CREATE ana PRODUCT acme/app ROLE manager WITHIN NOINVITE")
    let contact = core.run("USER.GET ana")["contact"].integer ?? 0
    core.run("USER.DELETE ana REASON left")
    #expect(
      core.run("USER.RESTORE #\(contact)").text == "REFUSED user.required-fields: missing role; give ROLE role")
    #expect(core.run("USER.RESTORE #\(contact) ROLE individual ROLE manager WITHIN NOINVITE")["username"].text == "ana")
    #expect(core.run("ROLE.LIST ana").items.map { $0["role"].text } == ["individual", "manager"])
    core.run("USER.DELETE ana REASON left")
    core.run("USER.CREATE tess PRODUCT acme/app ROLE individual WITHIN NOINVITE")
    core.run("ROLE.GRANT tess training-administrator WORKSPACE acme")
    #expect(
      core.run("USER.RESTORE #\(contact) ROLE super-administrator WITHIN", as: core.logIn("tess", "acme/app")).text?
        .hasPrefix("NOPERM ") == true)
    core.expectReplicated()
  }

  @Test("S4: references that differ only by case are one")
  func references() {
    core.run("WORKSPACE.SET acme policy.user.required-fields reference")
    core.run("USER.CREATE ana WORKSPACE acme REFERENCE mc1 NOINVITE")
    #expect(
      core.run("USER.CREATE bob WORKSPACE acme REFERENCE MC1 NOINVITE").text
        == "REFUSED user.required-fields: reference MC1 belongs to another user of acme; choose another reference")
    #expect(core.run("USER.SET ana reference MC1").integer == 1, "it is one's own")
    #expect(!core.run("USER.CREATE bob WORKSPACE acme REFERENCE mc2 NOINVITE").isError)
  }

  @Test("P13: a template keeps the secret that its mail is for, and no other has one")
  func secrets() {
    func set(_ kind: String, _ subject: String, _ text: String) -> String {
      core.run(["MAIL.TEMPLATE.SET", kind, subject, text, "WORKSPACE", "acme"]).text ?? ""
    }
    #expect(set("password-reset", "Reset", "Use {{secret}}") == "OK")
    #expect(
      set("password-reset", "Reset", "Hello")
        == "ERR text lacks {{secret}}, without which nobody can use a mail of the kind password-reset; put it in")
    #expect(
      set("invitation", "Hello", "Use {{secret}}")
        == "ERR text has {{secret}}, but a mail of the kind invitation carries no secret; leave it out")
    #expect(
      set("password-reset", "{{secret}}", "Use {{secret}}")
        == "ERR subject has {{secret}}, which others see; put it into the text")
  }
}
