import Testing

@testable import GatehouseCore

/// S11, P8, P13, L17: what was mailed to somebody ends with the address and with the login, for good.
@Suite("Mailed secrets")
struct MailedSecretTests {
  private let core = CoreHarness(partitions: 4)

  init() {
    core.run("PRODUCT.CREATE payroll")
    core.run("USER.CREATE ana EMAIL ana@acme.test PRODUCT payroll NOINVITE")
    core.run("USER.CREATE tom@old.test PRODUCT payroll NOINVITE")
    core.run("USER.CREATE boss PRODUCT payroll ROLE super-administrator NOINVITE")
    core.decidesTwice = true
  }

  private func resetToken(_ user: String) throws -> String {
    #expect(core.run("PASSWORD.RESET \(user)").text == "OK")
    let mails = core.run("MAIL.NEXT COUNT 10").items
    return try #require(mails.first { $0["kind"].text == "password-reset" }?["secret"].text)
  }

  private func isRefused(_ token: String) -> Bool {
    core.run("PASSWORD.REDEEM \(token) taken-over-wombat").text?.hasPrefix("REFUSED reset: ") == true
  }

  @Test(
    "P8, S11: a token mailed to the former address is worth nothing",
    arguments: [
      "USER.SET #ID email new@acme.test", "CONTACT.SET #CONTACT email new@acme.test",
      "USER.BULK SET email new@acme.test IDS 1 #ID", "USER.RENAME #ID new@acme.test", "USER.RENAME #ID other",
      #"USER.SET #ID email """#,
    ])
  func addressChanged(line: String) throws {
    let user = core.run("USER.GET ana")
    let token = try resetToken("ana")
    let words = line.replacing("#ID", with: "#\(user["id"])").replacing("#CONTACT", with: "#\(user["contact"])")
    #expect(!core.run(words).isError)
    #expect(isRefused(token))
    // Not even with the address as it was.
    core.run("USER.SET #\(user["id"]) email ana@acme.test")
    #expect(isRefused(token))
    #expect(!isRefused(try resetToken("#\(user["id"])")), "another can be asked for at once")
    core.expectReplicated()
  }

  @Test("P8: a username that is the address takes the token with it")
  func renamed() throws {
    let token = try resetToken("tom@old.test")
    core.run("USER.RENAME tom@old.test tom@new.test")
    #expect(isRefused(token))
    core.expectReplicated()
  }

  @Test("P8: what does not concern the address ends nothing")
  func others() throws {
    let token = try resetToken("ana")
    for line in ["USER.SET ana phone 1", "USER.SET ana email ana@acme.test", "USER.STATUS ana locked"] {
      core.run(line)
    }
    #expect(!isRefused(token))
  }

  @Test(
    "L16, L17: a token does not come back to life with the login",
    arguments: [
      ["USER.STATUS ana inactive", "USER.STATUS ana active"], ["USER.STATUS ana pending", "USER.STATUS ana active"],
      ["USER.DELETE ana REASON x", "UNDO"], ["USER.MERGE boss ana", "UNDO"],
      ["USER.BULK SET status inactive IDS 1 ana", "UNDO"],
    ])
  func loginRefused(lines: [String]) throws {
    let token = try resetToken("ana")
    core.run(lines[0])
    #expect(isRefused(token))
    #expect(!core.run(lines[1] == "UNDO" ? "UNDO \(core.lsn)" : lines[1]).isError)
    #expect(core.run("USER.GET ana")["status"].text == "active")
    #expect(isRefused(token))
    core.expectReplicated()
  }

  @Test("L17: the record that ends a token says so, and a trial too")
  func recorded() throws {
    _ = try resetToken("ana")
    #expect("\(core.run("USER.STATUS ana inactive DRYRUN"))".contains("mailed-secret-ended"))
    core.run("USER.STATUS ana inactive")
    let changes = core.records.last?.first.changes ?? []
    #expect(changes.contains { $0.as(MailedSecretEnded.self)?.endsReset == true })
    core.run("USER.STATUS ana active")
    core.run("USER.STATUS ana inactive")
    #expect(core.records.last?.first.changes.contains { $0.as(MailedSecretEnded.self) != nil } == false)
  }

  // MARK: Generated passwords

  private func logIn(_ password: String) -> Answer { core.run(["LOGIN.PASSWORD", "ana", "payroll", password]) }

  @Test(
    "P13, P8: a password that waits to be mailed goes to no former address, and to nobody who was disabled meanwhile",
    arguments: [
      ["USER.SET ana email new@acme.test"], ["USER.STATUS ana inactive", "USER.STATUS ana active"],
      ["USER.RENAME ana anna@acme.test", "USER.RENAME anna@acme.test ana"],
    ])
  func undelivered(lines: [String]) throws {
    core.run("PASSWORD.GENERATE ana")
    for line in lines { #expect(!core.run(line).isError, "\(line)") }
    #expect(core.run("MAIL.NEXT COUNT 10").items.allSatisfy { $0["kind"].text != "password-generated" })
    let user = try #require(core.user("ana"))
    #expect(user.cell.state.credentials.hash(of: user.serial) == nil, "nobody knows it any more")
    core.run("PASSWORD.GENERATE ana")
    let mail = try #require(core.run("MAIL.NEXT COUNT 10").items.first { $0["kind"].text == "password-generated" })
    let password = try #require(mail["secret"].text)
    #expect(logIn(password)["must-change"].integer == 1)
    core.expectReplicated()
  }

  @Test("P13, P8: a password that was mailed to the former address and not changed since logs nobody in, nor on")
  func delivered() throws {
    core.run("PASSWORD.GENERATE ana")
    let mail = core.run("MAIL.NEXT")[0]
    core.run("MAIL.ACK \(mail["id"])")
    let password = try #require(mail["secret"].text)
    let session = try #require(logIn(password)["session"].text)
    core.run("USER.STATUS ana inactive")
    core.run("USER.STATUS ana active")
    #expect(logIn(password)["decision"].text == "ALLOW", "it was theirs already")
    core.run("USER.SET ana email new@acme.test")
    #expect(logIn(password)["reason"].text == "credentials")
    #expect(core.run("SESSION.CHECK \(session)").isNull)
    try core.restart()
    #expect(logIn(password)["reason"].text == "credentials")
    core.expectReplicated()
  }

  @Test("P13: a password that the person has chosen rests on no address")
  func chosen() throws {
    core.run("PASSWORD.GENERATE ana")
    let mail = core.run("MAIL.NEXT")[0]
    let password = try #require(mail["secret"].text)
    let session = try #require(logIn(password)["session"].text)
    core.run(["AS", session, "PASSWORD.CHANGE", password, "battery-staple"])
    core.run("MAIL.ACK \(mail["id"])")
    core.run("USER.SET ana email new@acme.test")
    #expect(logIn("battery-staple")["decision"].text == "ALLOW")
  }

  // MARK: Redeeming

  @Test("W6: a service that is bound to workspaces redeems no token of somebody outside them")
  func boundService() throws {
    core.run("WORKSPACE.CREATE beta")
    core.run("PRODUCT.CREATE beta/app")
    core.run("SERVICE.CREATE free ADMIN")
    core.run("SERVICE.CREATE portal SESSIONS WORKSPACE beta")
    let token = try resetToken("ana")
    let free = core.connection
    core.connection = ConnectionFacts(id: 2, service: 2, rights: .all, isBound: true)
    let unknown = core.run("PASSWORD.REDEEM gr_x taken-over-wombat")
    #expect(core.run("PASSWORD.REDEEM \(token) taken-over-wombat") == unknown && unknown.isError)
    #expect(isRefused(token))
    core.connection = free
    core.run("WORKSPACE.MEMBER beta ana")
    core.connection = ConnectionFacts(id: 2, service: 2, rights: .all, isBound: true)
    #expect(core.run("PASSWORD.REDEEM \(token) taken-over-wombat").text == "OK")
    core.expectReplicated()
  }

  @Test("P13: a temporary password is not changed to itself, whichever way")
  func unchanged() throws {
    core.run("PASSWORD.SET ana correct-horse")
    let session = try #require(logIn("correct-horse")["session"].text)
    let refusal =
      "REFUSED password: the new one is the one that is to be changed; choose another one"
    #expect(core.run("PASSWORD.CHANGE correct-horse correct-horse", as: session).text == refusal)
    // Whether the old one is right is not told by that.
    #expect(core.run("PASSWORD.CHANGE wrong-horse wrong-horse", as: session).text == refusal)
    let token = try resetToken("ana")
    #expect(core.run("PASSWORD.REDEEM \(token) correct-horse").text == refusal)
    #expect(logIn("correct-horse")["must-change"].integer == 1)
    #expect(core.run("PASSWORD.REDEEM \(token) battery-staple").text == "OK")
    #expect(logIn("battery-staple")["must-change"].integer == 0)
  }

  @Test("whether somebody exists is not told by whether asking for a reset writes")
  func resetWritesAlways() {
    core.run("USER.CREATE bare NOINVITE")
    core.run("USER.CREATE out EMAIL out@acme.test STATUS inactive NOINVITE")
    for user in ["ana", "ana", "nobody", "#99999", "bare", "out"] {
      let before = core.lsn
      #expect(core.run("PASSWORD.RESET \(user)").text == "OK")
      #expect(core.lsn == before + 1 && core.horizon == core.lsn, "\(user)")
    }
    #expect(core.run("MAIL.LIST")[1].items.count == 1)
    core.expectReplicated()
  }

  @Test("a password is made of characters that can be typed and seen")
  func characters() {
    for text in ["line\u{2028}separated", "not\u{fffe}a-character", "upper\u{85}control", "tab\tinside"] {
      #expect(
        core.run(["PASSWORD.SET", "ana", text]).text
          == "REFUSED password: it has control characters; leave them out", "\(text.debugDescription)")
    }
    core.run("WORKSPACE.SET main policy.password.strength 0")
    for scalar in ["\u{200b}", "\u{3164}", " "] {
      #expect(
        core.run(["PASSWORD.SET", "ana", String(repeating: scalar, count: 8)]).text
          == "REFUSED password: it has nothing that can be seen; choose words")
    }
    #expect(core.run(["PASSWORD.SET", "ana", "mit \u{fc}blichen Lauten"]).text == "OK")
  }
}
