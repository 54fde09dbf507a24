import Testing

@testable import GatehouseCore

/// What neither an impersonation nor an API key may change: whoever has either could get in again by it.
@Suite("What takes a login of one's own")
struct OwnLoginTests {
  private let core = CoreHarness(partitions: 4)
  private let root: String
  private let key: String
  private let cleo: Int64

  init() {
    core.run("PRODUCT.CREATE payroll")
    core.run("PRODUCT.CREATE crm")
    core.run("USER.CREATE sue ROLE super-administrator PRODUCT payroll NOINVITE")
    core.run("USER.CREATE ana EMAIL ana@acme.test PRODUCT payroll NOINVITE")
    core.run("USER.CREATE bob EMAIL bob@acme.test PRODUCT payroll ROLE training-administrator WORKSPACE main NOINVITE")
    core.run("USER.CREATE old EMAIL old@acme.test NOINVITE")
    cleo = core.run("CONTACT.CREATE FIRST Cleo EMAIL cleo@acme.test")["contact"].integer ?? 0
    root = core.logIn("sue", "payroll")
    key = core.run("APIKEY.CREATE sue")["key"].text ?? ""
    core.decidesTwice = true
  }

  @Test(
    "K5: a key that leaked takes nobody over, whatever rights its user has",
    arguments: [
      "USER.SET ana email evil@x.test", "USER.BULK SET email evil@x.test IDS 1 ana",
      "CONTACT.SET #CONTACT email evil@x.test", "USER.CREATE eve CONTACT #CLEO EMAIL evil@x.test",
      "USER.RENAME ana evil", "USER.RESTORE #GONE evil@x.test",
      "USER.CREATE backdoor PASSWORD correct-horse", "USER.CREATE backdoor ROLE super-administrator",
      "USER.CREATE backdoor ACCESS payroll ADMIN none none",
      "USER.CREATE backdoor GRANT super-administrator everywhere none none",
      "PASSWORD.SET ana correct-horse", "PASSWORD.GENERATE ana", "PASSWORD.CHANGE a b", "TOTP.ENROL ana",
      "TOTP.DISABLE ana", "APIKEY.CREATE ana",
      "ROLE.GRANT ana super-administrator", "ROLE.REVOKE bob training-administrator", "ROLE.DEFINE clerk user.read",
      "USER.COPYACCESS bob ana", "PRODUCT.ENABLE ana payroll ADMIN", "POOL.SET payroll * 5",
      "USER.SET ana authority 1", "WORKSPACE.CREATE beta", "WORKSPACE.SET main owner ana", "SERVICE.CREATE spy ADMIN",
      "USER.MERGE ana bob REASON same", "USER.ANONYMISE ana REASON asked", "UNDO 3 REASON no",
    ])
  func takingOver(_ line: String) {
    let contact = { (user: String) in core.run("USER.GET \(user)")["contact"].description }
    let gone = contact("old")
    core.run("USER.DELETE old REASON left")
    let line =
      line.replacing("#CONTACT", with: "#" + contact("ana")).replacing("#GONE", with: "#" + gone)
      .replacing("#CLEO", with: "#\(cleo)")
    let before = core.lsn
    let answer = core.run(line, as: key).text ?? ""
    #expect(
      answer.hasPrefix("REFUSED apikey: ") && answer.contains("; use a session, by logging in"), "\(line): \(answer)")
    // All that was written is that the key was used.
    #expect(
      core.records.dropFirst(Int(before)).allSatisfy { $0.first.changes.allSatisfy { $0.as(APIKeyUsed.self) != nil } })
    if line.hasPrefix("UNDO") || line.hasPrefix("PASSWORD.CHANGE") { return }
    let own = core.run(line + " DRYRUN", as: root).text ?? ""
    #expect(!own.hasPrefix("REFUSED apikey"), "\(line): \(own)")
  }

  @Test("a key does what else its user may do")
  func others() {
    #expect(core.run("USER.SET ana phone 1", as: key).integer == 1)
    #expect(core.run("USER.CREATE eva EMAIL eva@acme.test NOINVITE", as: key)["username"].text == "eva")
    #expect(core.run("USER.STATUS eva inactive", as: key).text == "OK")
    core.expectReplicated()
  }

  @Test("K5, B7: outside the days of employment a key is refused as a login is, where the home asks for it")
  func employment() throws {
    let made = core.run("APIKEY.CREATE ana")["key"].text ?? ""
    core.run("USER.SET ana released 2026-03-01")
    core.run("WORKSPACE.CREATE acme")
    core.run("WORKSPACE.SET acme policy.login.within-employment on")
    core.advance(2 * TimeText.day)
    #expect(!core.run("APIKEY.CHECK \(made)").isNull, "the home does not ask for it")
    core.run("WORKSPACE.SET main policy.login.within-employment on")
    #expect(core.run("LOGIN.CHECK ana payroll").text == "DENY outside-employment")
    #expect(core.run("APIKEY.CHECK \(made)").isNull)
    #expect(core.refusals.kept.last?.denial == .outsideEmployment)
    #expect(
      core.run("USER.GET ana", as: made).text == "NOPERM an API key of somebody who may log in: outside-employment")
    core.run("USER.SET ana released 2026-03-03")
    #expect(!core.run("APIKEY.CHECK \(made)").isNull && !core.run("USER.GET ana", as: made).isError)
  }

  @Test("L14, B7: nobody is impersonated outside the days of employment, with or without a product")
  func impersonatedAfterRelease() throws {
    core.run("WORKSPACE.SET main policy.login.within-employment on")
    core.run("USER.SET ana released 2026-03-01")
    let begun = core.run("IMPERSONATE.START \(root) ana REASON help TTL 60m")
    #expect(!core.run("SESSION.CHECK \(begun["session"])").isNull)
    core.run("USER.SET ana released 2026-02-01")
    #expect(core.run("SESSION.CHECK \(begun["session"])").isNull)
    #expect(core.records.contains { $0.changes(of: SessionEnded.self).contains { $0.cause == .employmentEnded } })
    #expect(core.run("IMPERSONATE.CAN sue ana").text == "DENY target-employment")
    #expect(
      core.run("IMPERSONATE.START \(root) ana REASON help").text?.hasPrefix(
        "REFUSED impersonation: target-employment; set the days of employment first") == true)
    core.expectReplicated()
  }

  @Test("B13: a request ends with the employment of whoever asked, and is not approved after it")
  func requestAfterRelease() {
    core.run("USER.CREATE two ROLE super-administrator PRODUCT payroll NOINVITE")
    core.run("WORKSPACE.SET main policy.approval.needs user.delete policy.login.within-employment on")
    let asking = core.logIn("two", "payroll")
    let id = core.run("USER.DELETE ana REASON bad", as: asking)["approval"]
    core.run("USER.SET two released 2026-02-01")
    #expect(core.run("APPROVAL.GRANT \(id)", as: root).text?.hasPrefix("NOTFOUND approval") == true)
  }

  @Test("IDEM: a key, and an impersonation bound to a workspace, are not told what the session was answered")
  func idempotency() {
    core.run("USER.CREATE tom PRODUCT payroll ROLE training-administrator NOINVITE")
    let tom = core.logIn("tom", "payroll")
    let own = core.run("APIKEY.CREATE tom IDEM same", as: tom)
    #expect(own["key"].text != nil && core.run("APIKEY.CREATE tom IDEM same", as: tom) == own)
    #expect(
      core.run("APIKEY.CREATE tom IDEM same", as: own["key"].text ?? "").text?.hasPrefix("REFUSED apikey: ") == true)
    core.expectReplicated()
  }
}
