import Testing

@testable import GatehouseCore

/// `USER.DELETE`, and what a new login on the same contact restores.
@Suite struct UserDeleteTests {
  let core = CoreHarness(partitions: 16)

  init() {
    for line in [
      "PRODUCT.CREATE payroll", "PRODUCT.CREATE plans", "POOL.SET payroll office 1", "POOL.SET plans * 1",
      "USER.CREATE ana@acme.test FIRST Ana LICENCE payroll office PRODUCT plans ROLE manager NOINVITE",
    ] {
      let answer = core.run(line)
      precondition(!answer.isError, "\(line): \(answer)")
    }
  }

  private func used() -> [Int64] { core.run("POOL.LIST").items.compactMap { $0["used"].integer } }

  @Test func itIsGoneEverywhere() {
    let sessions = [core.logIn("ana@acme.test", "payroll"), core.logIn("ana@acme.test", "plans")]
    #expect(used() == [1, 1])
    #expect(core.run("USER.DELETE ana@acme.test REASON \"left us\"").text == "OK")
    for token in sessions { #expect(core.run("SESSION.CHECK \(token)").isNull) }
    #expect(used() == [0, 0])
    #expect(core.run("LOGIN.CHECK ana@acme.test payroll").text == "DENY status-deleted")
    #expect(core.run("LOGIN.CHECK ana@acme.test plans").text == "DENY status-deleted")
    #expect(core.records.last?.first.header.reason == "left us")
    let user = core.run("USER.GET ana@acme.test")
    #expect(user["first"].text == "Ana")
    #expect("\(user["roles"])" == "[]")
    #expect(user["sessions"].integer == 0)
    #expect(core.run("USER.DELETE ana@acme.test REASON again").text?.hasPrefix("REFUSED status: ") == true)
    core.expectReplicated()
  }

  @Test(arguments: ["", "REASON \"\"", "REASON \" \""])
  func aReasonIsRequired(words: String) {
    #expect(core.run("USER.DELETE ana@acme.test \(words)").text?.hasPrefix("REFUSED delete.needs-reason: ") == true)
    core.run("WORKSPACE.SET main policy.delete.needs-reason off")
    #expect(core.run("USER.DELETE ana@acme.test \(words)").text == "OK")
  }

  @Test func trackedTimeIsKept() {
    let keeps = "REFUSED delete.keep-tracked: "
    core.run("TIMER.START ana@acme.test")
    #expect(core.run("USER.DELETE ana@acme.test REASON x").text?.hasPrefix(keeps) == true)
    core.advance(60_000)
    let entry = core.run("TIMER.STOP ana@acme.test")["entry"].integer ?? 0
    let refused = core.run("USER.DELETE ana@acme.test REASON x").text
    #expect(refused?.hasPrefix(keeps) == true)
    #expect(refused?.contains("PRODUCT.DISABLE") == true)
    // The remedy that the refusal names.
    #expect(core.run("PRODUCT.DISABLE ana@acme.test payroll").text == "OK")
    #expect(core.run("PRODUCT.DISABLE ana@acme.test plans").text == "OK")
    #expect(core.run("LOGIN.CHECK ana@acme.test plans").text == "DENY product-disabled")
    core.run("ENTRY.DELETE \(entry)")
    #expect(core.run("USER.DELETE ana@acme.test REASON x").text == "OK")
  }

  @Test func withoutThatPolicyTimeStaysWithTheContact() throws {
    core.run("WORKSPACE.SET main policy.delete.keep-tracked off")
    let ana = core.user("ana@acme.test")!
    core.run("TIMER.START ana@acme.test NOTE work")
    core.run("WORKSPACE.CREATE acme")
    core.run("WORKSPACE.MEMBER acme ana@acme.test")
    core.run("TIMER.START ana@acme.test WORKSPACE acme")
    core.advance(60_000)
    #expect(core.run("USER.DELETE ana@acme.test REASON x").text == "OK")
    let entries = core.run("ENTRY.LIST #\(ana.id.raw)")[1].items
    #expect(entries.count == 2)
    #expect(entries.allSatisfy { $0["end"].integer == core.now })
    core.expectReplicated()
    try core.restart()
    #expect(core.run("ENTRY.LIST #\(ana.id.raw)")[1].items.count == 2)
  }

  /// S11: the login's e-mail is changed by changing the contact, deleting the login and making a new one.
  @Test func aNewLoginOnTheContactRestores() {
    core.run("WORKSPACE.SET main policy.delete.keep-tracked off")
    core.run("TIMER.START ana@acme.test")
    core.advance(60_000)
    core.run("TIMER.STOP ana@acme.test")
    let token = core.logIn("ana@acme.test", "payroll")
    let old = core.user("ana@acme.test")!
    let contact = core.run("USER.GET ana@acme.test")["contact"].integer ?? 0
    core.run("USER.SET ana@acme.test email anna@new.test")
    #expect(core.run("USER.DELETE ana@acme.test REASON renamed").text == "OK")
    let new = core.run("USER.CREATE anna@new.test CONTACT #\(contact) LICENCE payroll office")
    #expect(new["contact"].integer == contact)
    #expect(new["id"].integer != Int64(old.id.raw))
    let user = core.run("USER.GET anna@new.test")
    #expect(user["first"].text == "Ana")
    #expect(user["email"].text == "anna@new.test")
    #expect("\(user["roles"])" == "[]")
    #expect(core.run("LOGIN.CHECK anna@new.test payroll").text == "ALLOW")
    #expect(core.run("LOGIN.CHECK anna@new.test plans").text == "DENY product-disabled")
    // The recorded time is there again; old sessions are not.
    #expect(core.run("ENTRY.LIST anna@new.test")[1].items.count == 1)
    #expect(core.run("SESSION.CHECK \(token)").isNull)
    #expect(core.run("LOGIN.CHECK ana@acme.test payroll").text == "DENY status-deleted")
    core.expectReplicated()
  }

  @Test func theSameNameLeadsToTheNewLogin() throws {
    let old = core.user("ana@acme.test")!.id
    let contact = core.run("USER.GET ana@acme.test")["contact"].integer ?? 0
    core.run("USER.DELETE ana@acme.test REASON x")
    core.run("USER.CREATE ana@acme.test CONTACT #\(contact) PRODUCT plans")
    #expect(core.user("ana@acme.test")?.id != old)
    #expect(core.run("LOGIN.CHECK ana@acme.test plans").text == "ALLOW")
    #expect(core.run("LOGIN.CHECK #\(old.raw) plans").text == "DENY status-deleted")
    try core.restart()
    #expect(core.run("LOGIN.CHECK ana@acme.test plans").text == "ALLOW")
    core.expectReplicated()
  }

  /// W5: the policies of the home apply, whichever workspace the caller names.
  @Test func thePoliciesAreThoseOfTheHome() {
    core.run("WORKSPACE.CREATE acme PROFILE actitime")
    core.run("WORKSPACE.CREATE beta PROFILE aptien")
    core.run("USER.CREATE bob WORKSPACE acme")
    core.run("WORKSPACE.MEMBER beta bob")
    core.run("TIMER.START bob WORKSPACE acme")
    #expect(
      core.run("USER.DELETE bob WORKSPACE beta").text
        == "REFUSED home: the policies of acme hold, the home workspace of bob; leave WORKSPACE out")
    for line in ["USER.DELETE bob", "USER.DELETE bob WORKSPACE acme"] {
      #expect(core.run(line).text?.hasPrefix("REFUSED delete.keep-tracked: ") == true)
    }
    core.run("WORKSPACE.SET acme profile aptien")
    #expect(core.run("USER.DELETE bob WORKSPACE acme").text == "OK")
  }

  @Test func onlyAdministratorsWithAuthorityAddAndRemove() {
    core.run("WORKSPACE.SET main policy.user.needs-authority on")
    core.run("USER.CREATE tom PRODUCT plans ROLE training-administrator NOINVITE")
    core.run("POOL.SET plans * 9")
    core.run("USER.CREATE tom PRODUCT plans ROLE training-administrator NOINVITE")
    let token = core.logIn("tom", "plans")
    for line in ["USER.CREATE bob", "USER.DELETE ana@acme.test REASON x"] {
      #expect(core.run(line, as: token).text?.hasPrefix("REFUSED user.needs-authority: ") == true)
    }
    #expect(core.run("USER.SET tom authority 1", as: token).text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("USER.SET tom authority 1").integer == 1)
    for line in ["USER.CREATE bob", "USER.DELETE ana@acme.test REASON x"] {
      #expect(!core.run(line, as: token).isError)
    }
  }

  @Test func impersonationsEndWithTheirActor() {
    core.run("POOL.SET plans * 9")
    core.run("USER.CREATE tom PRODUCT plans ROLE training-administrator NOINVITE")
    let login = core.logIn("tom", "plans")
    let token = core.run("IMPERSONATE.START \(login) ana@acme.test REASON help")["session"].text ?? ""
    #expect(!core.run("SESSION.CHECK \(token)").isNull)
    #expect(core.run("USER.DELETE tom REASON x").text == "OK")
    #expect(core.run("SESSION.CHECK \(token)").isNull)
    #expect(core.run("USER.GET ana@acme.test")["sessions"].integer == 0)
    core.expectReplicated()
  }
}
