import Testing

@testable import GatehouseCore

/// Whoever decides who somebody is can act as that person, and so must not have less power.
@Suite("Rank")
struct RankTests {
  private let core = CoreHarness(partitions: 4)
  /// The administrators of acme, each with less power than `tess`, who administers its training.
  private let weaker: [String: String]

  init() {
    core.run("WORKSPACE.CREATE acme")
    for product in ["time", "plans"] { core.run("PRODUCT.CREATE acme/\(product)") }
    core.run("ACCOUNT.CREATE Widgets CUSTOMER WORKSPACE acme")
    core.run(
      "ROLE.DEFINE helpdesk user.read credential.set contact.set user.rename user.status user.merge user.move impersonate"
        + " WORKSPACE acme")
    for name in ["ben", "hal", "mia", "tess", "bob", "drop"] {
      core.run("USER.CREATE \(name) WORKSPACE acme PRODUCT acme/time EMAIL \(name)@acme.test ACCOUNT Widgets NOINVITE")
    }
    core.run("PRODUCT.ENABLE ben acme/time ADMIN")
    core.run("ROLE.GRANT hal helpdesk WORKSPACE acme")
    core.run("ROLE.GRANT mia helpdesk ACCOUNT acme/Widgets")
    core.run("ROLE.GRANT tess training-administrator WORKSPACE acme")
    weaker = Dictionary(
      uniqueKeysWithValues: ["ben", "hal", "mia"].map { [core] in ($0, core.logIn($0, "acme/time")) })
  }

  private func token(_ name: String) -> String { weaker[name] ?? "" }

  private static let takeovers = [
    "USER.SET T email evil@acme.test", "USER.BULK SET email evil@acme.test IDS 1 T",
    "CONTACT.SET CONTACT email e@acme.test",
    "PASSWORD.SET T correct-horse-9", "PASSWORD.GENERATE T", "TOTP.ENROL T", "TOTP.DISABLE T", "APIKEY.CREATE T",
    "USER.RENAME T evil@acme.test", "USER.MERGE T drop", "LOGIN.UNLOCK T",
  ]

  private func line(_ line: String, _ user: String) -> String {
    let contact = core.run("USER.GET \(user)")["contact"].integer ?? 0
    return line.split(separator: " ")
      .map { $0 == "T" ? user : $0 == "CONTACT" ? "#\(contact)" : String($0) }.joined(separator: " ")
  }

  @Test("W2: nobody with less power decides who an administrator is, by whatever sets it", arguments: takeovers)
  func takeover(of act: String) {
    for (name, token) in weaker {
      let before = core.lsn
      let answer = core.run(line(act, "tess"), as: token)
      #expect(answer.text?.hasPrefix("NOPERM ") == true, "\(name), \(act): \(answer)")
      #expect(core.lsn == before, "\(name), \(act)")
    }
  }

  @Test("W2: over those who have no more power it is done as before", arguments: takeovers)
  func administration(by act: String) {
    let answer = core.run(line(act, "bob"), as: token("hal"))
    #expect(answer.text?.hasPrefix("NOPERM ") != true, "\(act): \(answer)")
  }

  @Test("T8: an administrator of one product edits what products share, also of the administrators of others")
  func sharedFields() {
    core.run("PRODUCT.ENABLE bob acme/plans ADMIN")
    #expect(core.run("USER.SET bob phone 123 department Yard", as: token("ben")).integer == 2)
    #expect(core.run("USER.SET tess phone 123", as: token("ben")).integer == 1)
    // What a reset is mailed to is theirs alone who administer all that bob does.
    #expect(
      core.run("USER.SET bob email b@acme.test", as: token("ben")).text
        == "NOPERM the permission contact.set over an administrator with more power")
    core.run("PRODUCT.DISABLE bob acme/plans")
    #expect(core.run("USER.SET bob email b@acme.test", as: token("ben")).integer == 1)
  }

  @Test("B7: power that somebody has only later counts, because what is set now lasts")
  func comingPower() {
    core.run("ROLE.GRANT bob training-administrator WORKSPACE acme FROM 2026-06-01T00:00:00Z")
    #expect(core.run("PASSWORD.SET bob correct-horse-9", as: token("hal")).isError)
    core.run("ROLE.REVOKE bob training-administrator WORKSPACE acme")
    #expect(core.run("PASSWORD.SET bob correct-horse-9", as: token("hal")).text == "OK")
  }

  @Test("K1: where the account tools are the owner's, no super administrator of the workspace becomes the owner")
  func owner() {
    core.run("USER.CREATE sue PRODUCT acme/time NOINVITE")
    core.run("USER.CREATE ole PRODUCT acme/time NOINVITE")
    core.run("ROLE.GRANT sue super-administrator WORKSPACE acme")
    core.run("WORKSPACE.TRANSFER acme ole")
    let sue = core.logIn("sue", "acme/time")
    #expect(core.run("PASSWORD.SET ole correct-horse-9", as: sue).text == "OK")
    core.run("WORKSPACE.SET acme policy.accounts.needs-owner on")
    for act in ["PASSWORD.SET ole correct-horse-9", "USER.SET ole email sue@acme.test", "USER.RENAME ole o2"] {
      #expect(core.run(act, as: sue).text?.hasPrefix("NOPERM ") == true, "\(act)")
    }
    #expect(core.run("USER.SET ole phone 1", as: sue).integer == 1)
  }

  @Test("W2: what somebody may in another workspace is no business of the home, which alone governs who they are")
  func elsewhere() {
    core.run("WORKSPACE.CREATE beta")
    core.run("WORKSPACE.MEMBER beta bob")
    core.run("ROLE.GRANT bob training-administrator WORKSPACE beta")
    #expect(core.run("PASSWORD.SET bob correct-horse-9", as: token("hal")).text == "OK")
  }

  @Test("L14: a right to impersonate alone does not make one act as an administrator of a product")
  func impersonating() {
    core.run("ROLE.DEFINE helper user.read impersonate WORKSPACE acme")
    core.run("USER.CREATE hana PRODUCT acme/time NOINVITE")
    core.run("ROLE.GRANT hana helper WORKSPACE acme")
    #expect(core.run("IMPERSONATE.CAN hana bob WORKSPACE acme").text == "ALLOW")
    #expect(core.run("IMPERSONATE.CAN hana ben WORKSPACE acme").text == "DENY role")
    #expect(core.run("IMPERSONATE.CAN tess ben WORKSPACE acme").text == "ALLOW")
  }
}
