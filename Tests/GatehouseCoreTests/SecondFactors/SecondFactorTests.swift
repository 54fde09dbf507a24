import Testing

@testable import GatehouseCore

/// L5: second factors at login: enrolling, codes, guesses.
@Suite("Second factors")
struct SecondFactorTests {
  private let scene = SecondFactorScene()
  private var core: CoreHarness { scene.core }

  // MARK: Enrolling

  @Test("an app is enrolled by an address and a code; then logins take a code, and older sessions are over")
  func enrolled() {
    let before = core.logIn("ana", "payroll")
    core.run("WORKSPACE.SET main policy.login.issuer \"Acme & Söhne\"")
    let address = core.run("TOTP.ENROL ana", as: before).text ?? ""
    #expect(
      address.hasPrefix("otpauth://totp/Acme%20%26%20S%C3%B6hne:ana?secret=")
        && address.hasSuffix("&issuer=Acme%20%26%20S%C3%B6hne&algorithm=SHA1&digits=6&period=30"))
    let secret = SecondFactorScene.secret(in: address)
    #expect(secret.text.utf8.count == 32 && address.contains("secret=\(secret.text)&"))
    #expect(scene.logIn()["decision"].text == "ALLOW", "nothing counts before it is confirmed")
    #expect(
      core.run("TOTP.CONFIRM ana \(scene.wrong(secret))").text
        == "REFUSED second-factor: the code is wrong; give the six digits that the app shows now; check the clock of the"
        + " device")
    let recovery = core.run("TOTP.CONFIRM ana \(scene.code(secret))", as: before)
    #expect(recovery.items.count == 10 && Set(recovery.items.compactMap(\.text)).count == 10)
    #expect(recovery[0].text?.split(separator: "-").map(\.count) == [5, 5, 5, 5])
    #expect(core.run("SESSION.CHECK \(before)").isNull)
    #expect(core.run("TOTP.GET ana").description == "{enrolled: 1, since: \(core.now), recovery-codes: 10}")

    let answer = scene.logIn()
    #expect(answer.keys == ["decision", "challenge", "expires"] && answer["decision"].text == "CHALLENGE")
    #expect(answer["expires"].integer == core.now + 300_000)
    #expect(
      core.run("LOGIN.TOTP \(answer["challenge"]) \(scene.code(secret))")["reason"].text == "credentials",
      "the code that confirmed is used up")
    core.advance(30_000)
    let admitted = core.run("LOGIN.TOTP \(answer["challenge"]) \(scene.code(secret))")
    #expect(admitted.keys == ["decision", "session", "id", "expires", "must-change"])
    #expect(core.run("SESSION.CHECK \(admitted["session"])")["username"].text == "ana")
    core.advance(30_000)
    #expect(scene.logIn("TOTP \(scene.code(secret))")["decision"].text == "ALLOW", "all in one")
    #expect(core.run("TOTP.ENROL ana").text?.hasPrefix("REFUSED second-factor: ana has one already") == true)
    core.expectReplicated()
  }

  @Test("what was begun is confirmed within 15 minutes, and the last secret counts")
  func begun() {
    #expect(
      core.run("TOTP.CONFIRM ana 000000").text
        == "REFUSED second-factor: nothing is to be confirmed; begin with TOTP.ENROL ana")
    let first = SecondFactorScene.secret(in: core.run("TOTP.ENROL ana").text ?? "")
    let second = SecondFactorScene.secret(in: core.run("TOTP.ENROL ana").text ?? "")
    #expect(first != second)
    #expect(core.run("TOTP.CONFIRM ana \(scene.code(first))").isError)
    core.advance(15 * 60_000)
    #expect(
      core.run("TOTP.CONFIRM ana \(scene.code(second))").text?.hasPrefix("REFUSED second-factor: nothing") == true)
  }

  @Test("P13, L5: who knows a temporary password begins no second factor; the login with the person's own does")
  func temporaryPassword() {
    core.run("WORKSPACE.SET main policy.login.second-factor all")
    let first = scene.logIn()
    #expect(first.keys == ["decision", "session", "id", "expires", "must-change"])
    #expect(first["must-change"].integer == 1)
    #expect(core.run("TOTP.GET ana")["enrolled"].integer == 0)
    let session = first["session"].text ?? ""
    #expect(core.run("TOTP.ENROL ana", as: session).text?.hasPrefix("REFUSED password: it is temporary") == true)
    #expect(core.run("PASSWORD.CHANGE correct-horse battery-staple", as: session).text == "OK")
    let own = scene.logIn("", "ana", "battery-staple")
    #expect(own["decision"].text == "CHALLENGE")
    let secret = SecondFactorScene.secret(in: own["enrol"].text ?? "")
    let admitted = core.run("LOGIN.TOTP \(own["challenge"]) \(scene.code(secret))")
    #expect(admitted["must-change"].integer == 0 && admitted["recovery-codes"].items.count == 10)
    // A challenge that was begun before ends with the password.
    core.run("PASSWORD.SET bob correct-horse")
    core.run("WORKSPACE.SET main policy.password.admin-sets-final on")
    core.run("PASSWORD.SET bob correct-horse FINAL")
    let begun = scene.logIn("", "bob")
    #expect(begun["decision"].text == "CHALLENGE")
    core.run("PASSWORD.SET bob battery-staple TEMPORARY")
    let late = core.run(
      "LOGIN.TOTP \(begun["challenge"]) \(scene.code(SecondFactorScene.secret(in: begun["enrol"].text ?? "")))")
    #expect(late["reason"].text == "challenge")
    core.expectReplicated()
  }

  @Test("P13, L5: with a temporary password, too, whoever has a second factor gives a code of it")
  func temporaryPasswordOfEnrolled() {
    let secret = scene.enrol().secret
    core.run("PASSWORD.SET ana battery-staple")
    #expect(scene.logIn("", "ana", "battery-staple")["decision"].text == "CHALLENGE")
    let answer = scene.logIn("TOTP \(scene.code(secret))", "ana", "battery-staple")
    #expect(answer["decision"].text == "ALLOW" && answer["must-change"].integer == 1)
  }

  // MARK: Codes

  @Test(
    "L5: while the server's time is ahead, because it has followed a wrong clock, the codes of the real time count",
    arguments: [60_000, 2 * 3_600_000, 20 * 3_600_000])
  func wrongClock(lag: Milliseconds) {
    let secret = scene.enrol().secret
    core.advance(lag)
    let behind = -lag / 30_000
    let typed = scene.code(secret, behind)
    #expect(scene.logIn("TOTP \(typed)")["reason"].text == "credentials", "the clock agrees")
    core.run("LOGIN.UNLOCK ana")
    core.turn.wallLag = { lag }
    for steps: Int64 in [-2, 2] where behind + steps < -1 {
      #expect(scene.logIn("TOTP \(scene.code(secret, behind + steps))")["reason"].text == "credentials", "\(steps)")
    }
    core.run("LOGIN.UNLOCK ana")
    #expect(scene.logIn("TOTP \(typed)")["decision"].text == "ALLOW")
    #expect(scene.logIn("TOTP \(typed)")["decision"].text == "DENY", "and none twice")
    let challenge = scene.challenge()
    #expect(core.run("LOGIN.TOTP \(challenge) \(scene.code(secret, behind + 1))")["decision"].text == "ALLOW")
    // An app that is as wrong as the clock was. What it has used up is not accepted again when that time really comes.
    #expect(scene.logIn("TOTP \(scene.code(secret))")["decision"].text == "ALLOW")
    core.turn.wallLag = { 0 }
    #expect(scene.logIn("TOTP \(scene.code(secret))")["decision"].text == "DENY")
    core.expectReplicated()
  }

  @Test("one step of 30 seconds either way is accepted, and none twice, nor one before it")
  func steps() {
    let secret = scene.enrol().secret
    for steps: Int64 in [-3, -2, 2, 3] {
      #expect(scene.logIn("TOTP \(scene.code(secret, steps))")["reason"].text == "credentials", "\(steps)")
    }
    core.run("LOGIN.UNLOCK ana")
    let early = scene.code(secret, 1)
    #expect(scene.logIn("TOTP \(scene.code(secret))")["decision"].text == "ALLOW")
    #expect(scene.logIn("TOTP \(scene.code(secret))")["decision"].text == "DENY")
    #expect(scene.logIn("TOTP \(scene.code(secret, -1))")["decision"].text == "DENY", "an earlier one is over, too")
    #expect(scene.logIn("TOTP \(early)")["decision"].text == "ALLOW", "the app may be ahead")
    core.advance(30_000)
    #expect(scene.logIn("TOTP \(early)")["decision"].text == "DENY")
    for typed in ["12345", "1234567", "12345a", "", "+12345"] {
      #expect(
        core.run(["LOGIN.PASSWORD", "ana", "payroll", "correct-horse", "TOTP", typed])["decision"].text != "ALLOW")
    }
    core.expectReplicated()
  }

  @Test("L6: a secret that is lost with its key has no code that counts, although everybody could compute one")
  func lost() throws {
    let recovery = scene.enrol().recovery
    let ana = try #require(core.user("ana"))
    let lsn = ana.cell.state.lsn
    ana.cell.state.secondFactors.update(ana.serial, lsn) { $0.secret = TimeSecret() }
    #expect(scene.logIn("TOTP \(scene.code(TimeSecret()))")["reason"].text == "credentials")
    #expect(scene.logIn("TOTP \(recovery[0])")["decision"].text == "ALLOW")
  }

  @Test("L6: who was anonymised gets no second factor and no password, of which nothing could be sealed")
  func anonymised() throws {
    let id = try #require(core.user("ana")?.id.raw)
    #expect(!core.run("USER.ANONYMISE ana").isError)
    core.run("USER.STATUS #\(id) active")
    for line in [
      "TOTP.ENROL #\(id)", "PASSWORD.SET #\(id) correct-horse", "PASSWORD.IMPORT #\(id) x", "PASSWORD.GENERATE #\(id)",
    ] {
      #expect(core.run(line).text?.hasPrefix("REFUSED anonymised: contact #") == true, "\(line)")
    }
    core.expectReplicated()
  }

  @Test("an accepted code stays used after a restart, and so does a recovery code")
  func restarted() throws {
    let (secret, recovery) = scene.enrol()
    let used = scene.code(secret)
    #expect(scene.logIn("TOTP \(used)")["decision"].text == "ALLOW")
    #expect(scene.logIn("TOTP \(recovery[0])")["decision"].text == "ALLOW")
    try core.restart()
    #expect(scene.logIn("TOTP \(used)")["decision"].text == "DENY")
    #expect(scene.logIn("TOTP \(recovery[0])")["decision"].text == "DENY")
    core.expectReplicated()
  }

  @Test("a clock that was ahead and is set back does not keep users out until its time comes again")
  func clock() {
    let secret = scene.enrol().secret
    let now = core.now
    core.advance(400 * TimeText.day)
    #expect(scene.logIn("TOTP \(scene.code(secret))")["decision"].text == "ALLOW")
    core.apply(ClockSet(old: core.now, new: now))
    core.now = now + 60_000
    #expect(scene.logIn("TOTP \(scene.code(secret, 1))")["decision"].text == "ALLOW")
  }

  @Test("a recovery code works once, however it is typed")
  func recovery() {
    let (_, codes) = scene.enrol()
    let typed = codes[3].uppercased().replacing("-", with: "")
    #expect(scene.logIn("TOTP \(typed)")["decision"].text == "ALLOW")
    #expect(scene.logIn("TOTP \(codes[3])")["decision"].text == "DENY")
    #expect(core.run("LOGIN.TOTP \(scene.challenge()) \(codes[4])")["decision"].text == "ALLOW")
    #expect(core.run("TOTP.GET ana")["recovery-codes"].integer == 8)
    let other = scene.enrol("bob").recovery[0]
    #expect(scene.logIn("TOTP \(other)")["decision"].text == "DENY", "another user's")
    core.expectReplicated()
  }

  // MARK: Guessing

  @Test("wrong codes count as wrong passwords do, and the right password alone forgets none of them")
  func guessing() {
    let secret = scene.enrol().secret
    let open = scene.challenge()
    for attempt in 1...5 {
      // An attacker who knows the password begins anew each time.
      let answer =
        attempt % 2 == 0
        ? scene.logIn("TOTP \(scene.wrong(secret))") : core.run("LOGIN.TOTP \(scene.challenge()) 000000")
      #expect(answer.keys == ["decision", "reason"] && answer["reason"].text == "credentials")
    }
    for answer in [
      scene.logIn(), scene.logIn("TOTP \(scene.code(secret))"), core.run("LOGIN.TOTP \(open) \(scene.code(secret))"),
    ] {
      #expect(answer["reason"].text == "wait" && answer["retry-after"].integer == 30_000)
    }
    core.advance(30_000)
    #expect(scene.logIn("TOTP \(scene.code(secret))")["decision"].text == "ALLOW")
    core.advance(30_000)
    #expect(scene.logIn("TOTP \(scene.wrong(secret))")["reason"].text == "credentials", "forgotten by a whole login")
    core.run("WORKSPACE.SET main policy.login.lock-after 5")
    for _ in 0..<4 { _ = core.run("LOGIN.TOTP \(scene.challenge()) 000000") }
    #expect(core.run("USER.GET ana")["status"].text == "locked")
    core.expectReplicated()
  }

  @Test("a password that is hashed anew forgets no wrong codes either")
  func rehashed() {
    let secret = scene.enrol().secret
    for _ in 0..<5 { _ = scene.logIn("TOTP \(scene.wrong(secret))") }
    core.apply(PasswordSet(core.user("ana")?.id ?? .none, hash: "new$x", isTemporary: false, .rehashed))
    #expect(scene.logIn()["reason"].text == "wait")
  }
}
