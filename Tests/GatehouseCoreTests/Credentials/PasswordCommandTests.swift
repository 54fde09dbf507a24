import Testing

@testable import GatehouseCore

/// Passwords: setting, changing and resetting them.
@Suite("Password commands")
struct PasswordCommandTests {
  private let core = CoreHarness(partitions: 4)

  init() {
    core.run("PRODUCT.CREATE payroll")
    core.run("USER.CREATE ana FIRST Ana EMAIL ana@acme.test PRODUCT payroll NOINVITE")
    core.run("USER.CREATE tom PRODUCT payroll ROLE training-administrator NOINVITE")
    core.run("USER.CREATE sue PRODUCT payroll ROLE super-administrator NOINVITE")
    core.decidesTwice = true
  }

  private func logIn(_ password: String, _ user: String = "ana") -> Answer {
    core.run(["LOGIN.PASSWORD", user, "payroll", password])
  }

  private func isRight(_ password: String, _ user: String = "ana") -> Bool {
    logIn(password, user)["session"].text != nil
  }

  @Test("P13: a password that an administrator sets is temporary, and the user changes it")
  func temporary() throws {
    #expect(core.run("PASSWORD.SET ana correct-horse").text == "OK")
    let answer = logIn("correct-horse")
    #expect(answer.keys == ["decision", "session", "id", "expires", "must-change"])
    #expect(answer["decision"].text == "ALLOW" && answer["must-change"].integer == 1)
    let token = try #require(answer["session"].text)
    #expect(core.run("SESSION.CHECK \(token)")["username"].text == "ana")

    #expect(core.run("PASSWORD.CHANGE correct-horse battery-staple", as: token).text == "OK")
    #expect(core.run("SESSION.CHECK \(token)").isNull, "a change of the password ends all sessions")
    #expect(logIn("correct-horse")["reason"].text == "credentials")
    #expect(logIn("battery-staple")["must-change"].integer == 0)
    core.expectReplicated()
  }

  @Test("P13: with password.admin-sets-final an administrator's password stays")
  func final() {
    #expect(
      core.run("PASSWORD.SET ana correct-horse FINAL").text
        == "REFUSED password.admin-sets-final: a password that somebody else sets is temporary here; leave FINAL out, or"
        + " set the policy of the user's home workspace")
    core.run("WORKSPACE.SET main policy.password.admin-sets-final on")
    #expect(core.run("PASSWORD.SET ana correct-horse FINAL").text == "OK")
    #expect(logIn("correct-horse")["must-change"].integer == 0)
    core.run("PASSWORD.SET ana battery-staple")
    #expect(logIn("battery-staple")["must-change"].integer == 0)
    core.run("PASSWORD.SET ana correct-horse TEMPORARY")
    #expect(logIn("correct-horse")["must-change"].integer == 1)
    #expect(
      core.run("PASSWORD.SET ana x TEMPORARY FINAL").text?.hasPrefix("ERR a password is TEMPORARY or FINAL") == true)
  }

  @Test("what is no password is refused, and the message does not tell it")
  func unfit() {
    for (password, why) in [
      ("short", "it has 5 characters; choose one of 8 to 256"),
      (String(repeating: "long", count: 65), "it has 260 characters; choose one of 8 to 256"),
      ("with\u{1}control", "it has control characters; leave them out"),
    ] {
      #expect(core.run(["PASSWORD.SET", "ana", password]).text == "REFUSED password: \(why)")
    }
    #expect(
      core.run("PASSWORD.SET ana weak-one").text
        == "REFUSED password.strength: it is easy to guess; choose a longer one, such as several words that do not belong"
        + " together")
    core.run("WORKSPACE.SET main policy.password.strength 0")
    #expect(core.run("PASSWORD.SET ana weak-one").text == "OK")
    #expect(
      core.run(["PASSWORD.SET", "ana", String(repeating: "x", count: 1025)]).text?.hasPrefix("ERR the password") == true
    )
    #expect(
      core.run("PASSWORD.SET ana correct-horse IDEM k").text?.hasPrefix("ERR unknown option 'IDEM'") == true,
      "the log would keep a digest of the words")
  }

  @Test("password.length asks for longer ones, whoever sets them; those that are there stay")
  func longer() throws {
    core.run("PASSWORD.SET ana three-geese")
    #expect(core.run("WORKSPACE.SET main policy.password.length 7").isError)
    #expect(core.run("WORKSPACE.SET main policy.password.length 16").integer == 1)
    let refusal = "REFUSED password.length: it has 10 characters; choose one of at least 16"
    #expect(core.run("PASSWORD.SET ana grey-geese").text == refusal)
    #expect(core.run("USER.CREATE ben PASSWORD grey-geese NOINVITE").text == refusal)
    let token = try #require(logIn("three-geese")["session"].text)
    #expect(core.run("PASSWORD.CHANGE three-geese grey-geese", as: token).text == refusal)
    #expect(core.run("PASSWORD.CHANGE three-geese three-geese-landed", as: token).text == "OK")
    #expect(isRight("three-geese-landed"))
  }

  @Test("a password typed on another keyboard is the same password")
  func composed() {
    core.run(["PASSWORD.SET", "ana", "Zo\u{eb}s-pferde-schule"])
    #expect(isRight("Zoe\u{308}s-pferde-schule"))
    #expect(!isRight("zo\u{eb}s-pferde-schule"), "its case counts")
  }

  @Test("who may set whose password")
  func authority() throws {
    let tom = core.logIn("tom", "payroll")
    #expect(core.run("PASSWORD.SET ana correct-horse", as: tom).text == "OK")
    #expect(core.run("PASSWORD.SET sue correct-horse", as: tom).text?.hasPrefix("NOPERM") == true)
    let ana = core.logIn("ana", "payroll")
    #expect(
      core.run("PASSWORD.SET ana battery-staple", as: ana).text?.hasPrefix("NOPERM") == true,
      "without the old one not even one's own")
    let borrowed = try #require(core.run("IMPERSONATE.START \(tom) ana REASON help")["session"].text)
    #expect(
      core.run("PASSWORD.CHANGE correct-horse battery-staple", as: borrowed).text
        == "REFUSED impersonation: a password cannot be changed while impersonating; end the impersonation first")
    #expect(
      core.run("PASSWORD.CHANGE a b").text == "ERR PASSWORD.CHANGE is for users: AS session PASSWORD.CHANGE old new")
  }

  @Test("an administrator who has left a session open is not robbed of the password: their own takes the old one")
  func ownOfAdministrator() {
    core.run("PASSWORD.SET tom correct-horse")
    let tom = core.logIn("tom", "payroll")
    core.run("USER.SET tom email tom@acme.test")
    for line in ["PASSWORD.SET tom battery-staple", "PASSWORD.GENERATE tom"] {
      #expect(
        core.run(line, as: tom).text
          == "REFUSED password: your own takes the old one; use PASSWORD.CHANGE old new, or PASSWORD.RESET", "\(line)")
    }
    // Nor are guesses at it, or at the second factor, made without waiting.
    for _ in 0..<5 { _ = core.run("PASSWORD.CHANGE battery-staple something-else", as: tom) }
    #expect(core.run("LOGIN.UNLOCK tom", as: tom).text?.hasPrefix("REFUSED password: nobody forgets") == true)
    #expect(core.run("PASSWORD.CHANGE correct-horse something-else", as: tom).text?.hasPrefix("REFUSED wait") == true)
    core.run("LOGIN.UNLOCK tom")
    #expect(core.run("PASSWORD.CHANGE correct-horse something-else", as: tom).text == "OK")
  }

  @Test("W2: only the home sets the password of a shared person")
  func homeOnly() {
    core.run("WORKSPACE.CREATE acme")
    core.run("PRODUCT.CREATE acme/app")
    core.run("USER.CREATE amy WORKSPACE acme PRODUCT acme/app ROLE training-administrator WITHIN NOINVITE")
    core.run("WORKSPACE.MEMBER acme ana")
    let amy = core.logIn("amy", "acme/app")
    #expect(core.run("PASSWORD.SET ana correct-horse", as: amy).text?.hasPrefix("NOPERM") == true)
    core.run("USER.CREATE abe WORKSPACE acme PRODUCT acme/app NOINVITE")
    #expect(core.run("PASSWORD.SET abe correct-horse", as: amy).text == "OK")
  }

  @Test("a wrong old password counts as a failed login")
  func wrongOld() {
    core.run("PASSWORD.SET ana correct-horse")
    let token = core.logIn("ana", "payroll")
    for _ in 0..<5 {
      #expect(
        core.run("PASSWORD.CHANGE battery-staple something-else", as: token).text
          == "REFUSED password: the old one is wrong; give the password of the login")
    }
    #expect(core.run("PASSWORD.CHANGE correct-horse something-else", as: token).text?.hasPrefix("REFUSED wait") == true)
    #expect(logIn("correct-horse")["reason"].text == "wait")
    core.expectReplicated()
  }

  @Test("P13: a generated password goes out by mail, and the log has neither it nor what the mail says")
  func generated() throws {
    #expect(core.run("PASSWORD.GENERATE ana").text == "OK")
    let mail = core.run("MAIL.NEXT")[0]
    #expect(mail["kind"].text == "password-generated" && mail["to"].text == "ana@acme.test")
    let password = try #require(mail["secret"].text)
    #expect(password.split(separator: "-").map(\.count) == [5, 5, 5, 5])
    #expect(mail["text"].text?.contains(password) == true)
    #expect(logIn(password)["must-change"].integer == 1)
    #expect(core.run("MAIL.LIST")[1][0]["secret"].isNull)
    for record in core.log {
      // Here a hash is the password itself, behind a name; in the server it is Argon2id's.
      let text = String(decoding: record, as: UTF8.self).replacing("new$\(password)", with: "")
      #expect(!text.contains(password))
    }
    #expect(
      core.run("PASSWORD.GENERATE tom").text
        == "REFUSED mail: tom has no e-mail address; set one with USER.SET, or use PASSWORD.SET")
  }

  // MARK: Reset

  private func resetToken() throws -> String {
    #expect(core.run("PASSWORD.RESET ana").text == "OK")
    let mail = core.run("MAIL.NEXT")[0]
    #expect(mail["kind"].text == "password-reset")
    let token = try #require(mail["secret"].text)
    #expect(mail["text"].text?.contains(token) == true)
    return token
  }

  @Test("L17: a locked user resets the password by mail, which unlocks, once, and ends all sessions")
  func reset() throws {
    let session = core.logIn("ana", "payroll")
    let early = try resetToken()
    #expect(core.run("SESSION.CHECK \(session)")["username"].text == "ana", "whoever asks changes nothing")
    core.run("USER.STATUS ana locked")
    core.advance(60_000)
    let token = try resetToken()
    #expect(
      core.run("PASSWORD.REDEEM \(early) correct-horse").text?.hasPrefix("REFUSED reset") == true, "the newest counts")
    #expect(core.run("PASSWORD.REDEEM \(token) weak-one").text?.hasPrefix("REFUSED password.strength") == true)
    #expect(core.run("PASSWORD.REDEEM \(token) correct-horse").text == "OK", "a weak password does not use it up")
    #expect(core.run("USER.GET ana")["status"].text == "active")
    let answer = logIn("correct-horse")
    #expect(answer["decision"].text == "ALLOW" && answer["must-change"].integer == 0)
    #expect(
      core.run("PASSWORD.REDEEM \(token) battery-staple").text
        == "REFUSED reset: the token is wrong, used or too old; ask for another with PASSWORD.RESET user")
    core.expectReplicated()
  }

  @Test("the token of a reset lasts 20 minutes")
  func resetEnds() throws {
    let token = try resetToken()
    core.advance(20 * 60_000)
    #expect(core.run("PASSWORD.REDEEM \(token) correct-horse").text?.hasPrefix("REFUSED reset") == true)
  }

  @Test("asking for a reset answers the same for everybody, and mails once a minute")
  func resetTellsNothing() {
    for user in ["ana", "ana", "tom", "nobody", "#99999"] { #expect(core.run("PASSWORD.RESET \(user)").text == "OK") }
    #expect(core.run("MAIL.LIST")[1].items.count == 1)
    core.run("USER.STATUS ana inactive")
    core.advance(60_000)
    #expect(core.run("PASSWORD.RESET ana").text == "OK")
    #expect(core.run("MAIL.LIST")[1].items.isEmpty, "what waited went with the login")
  }

  @Test("S12: a restored login has no password, and a purged one leaves none behind")
  func gone() {
    core.run("PASSWORD.SET ana correct-horse")
    core.run("USER.DELETE ana REASON left")
    #expect(logIn("correct-horse")["reason"].text == "credentials")
    core.run("USER.RESTORE #\(core.run("CONTACT.SEARCH ana")[0]["contact"])")
    core.run("PRODUCT.ENABLE ana payroll")
    #expect(logIn("correct-horse")["reason"].text == "credentials")
    core.expectReplicated()
  }

  @Test("B9: taking a deletion back brings the password back")
  func undone() {
    core.run("PASSWORD.SET ana correct-horse")
    core.run("USER.DELETE ana REASON left")
    #expect(!core.run("UNDO \(core.lsn)").isError)
    #expect(isRight("correct-horse"))
  }
}
