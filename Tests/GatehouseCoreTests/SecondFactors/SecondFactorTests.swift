import Testing

@testable import GatehouseCore

/// L5: second factors at login. HMAC-SHA1 is replaced here; the tests of storage and of the server have the real one.
@Suite("Second factors")
struct SecondFactorTests {
  private let core = CoreHarness(partitions: 4)

  init() {
    core.run("PRODUCT.CREATE payroll")
    core.run("USER.CREATE ana EMAIL ana@acme.test PRODUCT payroll NOINVITE")
    core.run("USER.CREATE bob PRODUCT payroll NOINVITE")
    core.run("USER.CREATE tom PRODUCT payroll ROLE training-administrator NOINVITE")
    for user in ["ana", "bob", "tom"] { core.run("PASSWORD.SET \(user) correct-horse") }
    core.decidesTwice = true
  }

  static func secret(in address: String) -> TimeSecret {
    let text = address.split(separator: "secret=").last?.prefix { $0 != "&" } ?? ""
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    let bits = text.flatMap { letter -> [UInt8] in
      let value = UInt8(alphabet.firstIndex(of: letter) ?? 0)
      return (0..<5).map { value >> (4 - UInt8($0)) & 1 }
    }
    let bytes = stride(from: 0, to: bits.count, by: 8).map { start in
      bits[start..<min(start + 8, bits.count)].reduce(UInt8(0)) { $0 << 1 | $1 }
    }
    return TimeSecret(bytes: bytes) ?? TimeSecret((0, 0), (0, 0))
  }

  /// The code of a secret some steps away from now.
  private func code(_ secret: TimeSecret, _ steps: Int64 = 0) -> String {
    let number = TimeCode.code(secret, step: core.now / 30_000 + steps, CoreHarness.hmacSHA1)
    return String(String(number + 1_000_000).dropFirst())
  }

  private func wrong(_ secret: TimeSecret) -> String { code(secret, 1000) }

  private func enrol(_ user: String = "ana") -> (secret: TimeSecret, recovery: [String]) {
    let secret = Self.secret(in: core.run("TOTP.ENROL \(user)").text ?? "")
    let answer = core.run("TOTP.CONFIRM \(user) \(code(secret))")
    #expect(answer.items.count == 10, "\(answer)")
    core.advance(30_000)
    return (secret, answer.items.compactMap(\.text))
  }

  private func logIn(_ options: String = "", _ user: String = "ana", _ password: String = "correct-horse") -> Answer {
    core.run("LOGIN.PASSWORD \(user) payroll \(password) \(options)")
  }

  private func challenge(_ options: String = "") -> String { logIn(options)["challenge"].text ?? "no challenge" }

  // MARK: Enrolling

  @Test("an app is enrolled by an address and a code; then logins take a code, and older sessions are over")
  func enrolled() {
    let before = core.logIn("ana", "payroll")
    core.run("WORKSPACE.SET main policy.login.issuer \"Acme & Söhne\"")
    let address = core.run("TOTP.ENROL ana", as: before).text ?? ""
    #expect(
      address.hasPrefix("otpauth://totp/Acme%20%26%20S%C3%B6hne:ana?secret=")
        && address.hasSuffix("&issuer=Acme%20%26%20S%C3%B6hne&algorithm=SHA1&digits=6&period=30"))
    let secret = Self.secret(in: address)
    #expect(secret.text.utf8.count == 32 && address.contains("secret=\(secret.text)&"))
    #expect(logIn()["decision"].text == "ALLOW", "nothing counts before it is confirmed")
    #expect(
      core.run("TOTP.CONFIRM ana \(wrong(secret))").text
        == "REFUSED second-factor: the code is wrong; give the six digits that the app shows now; check the clock of the"
        + " device")
    let recovery = core.run("TOTP.CONFIRM ana \(code(secret))", as: before)
    #expect(recovery.items.count == 10 && Set(recovery.items.compactMap(\.text)).count == 10)
    #expect(recovery[0].text?.split(separator: "-").map(\.count) == [5, 5, 5, 5])
    #expect(core.run("SESSION.CHECK \(before)").isNull)
    #expect(core.run("TOTP.GET ana").description == "{enrolled: 1, since: \(core.now), recovery-codes: 10}")

    let answer = logIn()
    #expect(answer.keys == ["decision", "challenge", "expires"] && answer["decision"].text == "CHALLENGE")
    #expect(answer["expires"].integer == core.now + 300_000)
    #expect(
      core.run("LOGIN.TOTP \(answer["challenge"]) \(code(secret))")["reason"].text == "credentials",
      "the code that confirmed is used up")
    core.advance(30_000)
    let admitted = core.run("LOGIN.TOTP \(answer["challenge"]) \(code(secret))")
    #expect(admitted.keys == ["decision", "session", "id", "expires", "must-change"])
    #expect(core.run("SESSION.CHECK \(admitted["session"])")["username"].text == "ana")
    core.advance(30_000)
    #expect(logIn("TOTP \(code(secret))")["decision"].text == "ALLOW", "all in one")
    #expect(core.run("TOTP.ENROL ana").text?.hasPrefix("REFUSED second-factor: ana has one already") == true)
    core.expectReplicated()
  }

  @Test("what was begun is confirmed within 15 minutes, and the last secret counts")
  func begun() {
    #expect(
      core.run("TOTP.CONFIRM ana 000000").text
        == "REFUSED second-factor: nothing is to be confirmed; begin with TOTP.ENROL ana")
    let first = Self.secret(in: core.run("TOTP.ENROL ana").text ?? "")
    let second = Self.secret(in: core.run("TOTP.ENROL ana").text ?? "")
    #expect(first != second)
    #expect(core.run("TOTP.CONFIRM ana \(code(first))").isError)
    core.advance(15 * 60_000)
    #expect(core.run("TOTP.CONFIRM ana \(code(second))").text?.hasPrefix("REFUSED second-factor: nothing") == true)
  }

  @Test("P13, L5: who knows a temporary password begins no second factor; the login with the person's own does")
  func temporaryPassword() {
    core.run("WORKSPACE.SET main policy.login.second-factor all")
    let first = logIn()
    #expect(first.keys == ["decision", "session", "id", "expires", "must-change"])
    #expect(first["must-change"].integer == 1)
    #expect(core.run("TOTP.GET ana")["enrolled"].integer == 0)
    let session = first["session"].text ?? ""
    #expect(core.run("TOTP.ENROL ana", as: session).text?.hasPrefix("REFUSED password: it is temporary") == true)
    #expect(core.run("PASSWORD.CHANGE correct-horse battery-staple", as: session).text == "OK")
    let own = logIn("", "ana", "battery-staple")
    #expect(own["decision"].text == "CHALLENGE")
    let secret = Self.secret(in: own["enrol"].text ?? "")
    let admitted = core.run("LOGIN.TOTP \(own["challenge"]) \(code(secret))")
    #expect(admitted["must-change"].integer == 0 && admitted["recovery-codes"].items.count == 10)
    // A challenge that was begun before ends with the password.
    core.run("PASSWORD.SET bob correct-horse")
    core.run("WORKSPACE.SET main policy.password.admin-sets-final on")
    core.run("PASSWORD.SET bob correct-horse FINAL")
    let begun = logIn("", "bob")
    #expect(begun["decision"].text == "CHALLENGE")
    core.run("PASSWORD.SET bob battery-staple TEMPORARY")
    let late = core.run("LOGIN.TOTP \(begun["challenge"]) \(code(Self.secret(in: begun["enrol"].text ?? "")))")
    #expect(late["reason"].text == "challenge")
    core.expectReplicated()
  }

  @Test("P13, L5: with a temporary password, too, whoever has a second factor gives a code of it")
  func temporaryPasswordOfEnrolled() {
    let secret = enrol().secret
    core.run("PASSWORD.SET ana battery-staple")
    #expect(logIn("", "ana", "battery-staple")["decision"].text == "CHALLENGE")
    let answer = logIn("TOTP \(code(secret))", "ana", "battery-staple")
    #expect(answer["decision"].text == "ALLOW" && answer["must-change"].integer == 1)
  }

  // MARK: Codes

  @Test(
    "L5: while the server's time is ahead, because it has followed a wrong clock, the codes of the real time count",
    arguments: [60_000, 2 * 3_600_000, 20 * 3_600_000])
  func wrongClock(lag: Milliseconds) {
    let secret = enrol().secret
    core.advance(lag)
    let behind = -lag / 30_000
    let typed = code(secret, behind)
    #expect(logIn("TOTP \(typed)")["reason"].text == "credentials", "the clock agrees")
    core.run("LOGIN.UNLOCK ana")
    core.turn.wallLag = { lag }
    for steps: Int64 in [-2, 2] where behind + steps < -1 {
      #expect(logIn("TOTP \(code(secret, behind + steps))")["reason"].text == "credentials", "\(steps)")
    }
    core.run("LOGIN.UNLOCK ana")
    #expect(logIn("TOTP \(typed)")["decision"].text == "ALLOW")
    #expect(logIn("TOTP \(typed)")["decision"].text == "DENY", "and none twice")
    let challenge = challenge()
    #expect(core.run("LOGIN.TOTP \(challenge) \(code(secret, behind + 1))")["decision"].text == "ALLOW")
    // An app that is as wrong as the clock was. What it has used up is not accepted again when that time really comes.
    #expect(logIn("TOTP \(code(secret))")["decision"].text == "ALLOW")
    core.turn.wallLag = { 0 }
    #expect(logIn("TOTP \(code(secret))")["decision"].text == "DENY")
    core.expectReplicated()
  }

  @Test("one step of 30 seconds either way is accepted, and none twice, nor one before it")
  func steps() {
    let secret = enrol().secret
    for steps: Int64 in [-3, -2, 2, 3] {
      #expect(logIn("TOTP \(code(secret, steps))")["reason"].text == "credentials", "\(steps)")
    }
    core.run("LOGIN.UNLOCK ana")
    let early = code(secret, 1)
    #expect(logIn("TOTP \(code(secret))")["decision"].text == "ALLOW")
    #expect(logIn("TOTP \(code(secret))")["decision"].text == "DENY")
    #expect(logIn("TOTP \(code(secret, -1))")["decision"].text == "DENY", "an earlier one is over, too")
    #expect(logIn("TOTP \(early)")["decision"].text == "ALLOW", "the app may be ahead")
    core.advance(30_000)
    #expect(logIn("TOTP \(early)")["decision"].text == "DENY")
    for typed in ["12345", "1234567", "12345a", "", "+12345"] {
      #expect(
        core.run(["LOGIN.PASSWORD", "ana", "payroll", "correct-horse", "TOTP", typed])["decision"].text != "ALLOW")
    }
    core.expectReplicated()
  }

  @Test("an accepted code stays used after a restart, and so does a recovery code")
  func restarted() throws {
    let (secret, recovery) = enrol()
    let used = code(secret)
    #expect(logIn("TOTP \(used)")["decision"].text == "ALLOW")
    #expect(logIn("TOTP \(recovery[0])")["decision"].text == "ALLOW")
    try core.restart()
    #expect(logIn("TOTP \(used)")["decision"].text == "DENY")
    #expect(logIn("TOTP \(recovery[0])")["decision"].text == "DENY")
    core.expectReplicated()
  }

  @Test("a clock that was ahead and is set back does not keep users out until its time comes again")
  func clock() {
    let secret = enrol().secret
    let now = core.now
    core.advance(400 * TimeText.day)
    #expect(logIn("TOTP \(code(secret))")["decision"].text == "ALLOW")
    core.apply(ClockSet(old: core.now, new: now))
    core.now = now + 60_000
    #expect(logIn("TOTP \(code(secret, 1))")["decision"].text == "ALLOW")
  }

  @Test("a recovery code works once, however it is typed")
  func recovery() {
    let (_, codes) = enrol()
    let typed = codes[3].uppercased().replacing("-", with: "")
    #expect(logIn("TOTP \(typed)")["decision"].text == "ALLOW")
    #expect(logIn("TOTP \(codes[3])")["decision"].text == "DENY")
    #expect(core.run("LOGIN.TOTP \(challenge()) \(codes[4])")["decision"].text == "ALLOW")
    #expect(core.run("TOTP.GET ana")["recovery-codes"].integer == 8)
    let other = enrol("bob").recovery[0]
    #expect(logIn("TOTP \(other)")["decision"].text == "DENY", "another user's")
    core.expectReplicated()
  }

  // MARK: Guessing

  @Test("wrong codes count as wrong passwords do, and the right password alone forgets none of them")
  func guessing() {
    let secret = enrol().secret
    let open = challenge()
    for attempt in 1...5 {
      // An attacker who knows the password begins anew each time.
      let answer = attempt % 2 == 0 ? logIn("TOTP \(wrong(secret))") : core.run("LOGIN.TOTP \(challenge()) 000000")
      #expect(answer.keys == ["decision", "reason"] && answer["reason"].text == "credentials")
    }
    for answer in [logIn(), logIn("TOTP \(code(secret))"), core.run("LOGIN.TOTP \(open) \(code(secret))")] {
      #expect(answer["reason"].text == "wait" && answer["retry-after"].integer == 30_000)
    }
    core.advance(30_000)
    #expect(logIn("TOTP \(code(secret))")["decision"].text == "ALLOW")
    core.advance(30_000)
    #expect(logIn("TOTP \(wrong(secret))")["reason"].text == "credentials", "forgotten by a whole login")
    core.run("WORKSPACE.SET main policy.login.lock-after 5")
    for _ in 0..<4 { _ = core.run("LOGIN.TOTP \(challenge()) 000000") }
    #expect(core.run("USER.GET ana")["status"].text == "locked")
    core.expectReplicated()
  }

  @Test("a password that is hashed anew forgets no wrong codes either")
  func rehashed() {
    let secret = enrol().secret
    for _ in 0..<5 { _ = logIn("TOTP \(wrong(secret))") }
    core.apply(PasswordSet(core.user("ana")?.id ?? .none, hash: "new$x", isTemporary: false, .rehashed))
    #expect(logIn()["reason"].text == "wait")
  }

  // MARK: Challenges

  @Test("a challenge is answered once, within five minutes, by the service that it was given to")
  func challenges() {
    let secret = enrol().secret
    let first = challenge("TTL 1h IP 192.0.2.1 AGENT curl")
    #expect(first.hasPrefix("gc_") && first.utf8.count == SecretText.sessionTokenCount)
    core.run("SERVICE.CREATE web ADMIN")
    core.connection.service = 1
    #expect(core.run("LOGIN.TOTP \(first) \(code(secret))")["reason"].text == "challenge")
    core.connection.service = 0
    #expect(core.run("LOGIN.TOTP \(first) 000000")["reason"].text == "credentials", "a slip is no reason to begin anew")
    let answer = core.run("LOGIN.TOTP \(first) \(code(secret))")
    #expect(answer["expires"].integer == core.now + 3_600_000, "with what was asked of the session")
    let session = core.run("SESSION.GET \(answer["id"])")
    #expect(
      session["ip"].text == "192.0.2.1" && session["agent"].text == "curl" && session["product"].text == "payroll")
    core.advance(30_000)
    #expect(core.run("LOGIN.TOTP \(first) \(code(secret))").description == "{decision: DENY, reason: challenge}")
    let second = challenge()
    core.advance(300_000)
    for word in [second, "gc_nonsense", answer["session"].text ?? ""] {
      #expect(core.run("LOGIN.TOTP \(word) \(code(secret))")["reason"].text == "challenge")
    }
    let third = challenge()
    core.run("PASSWORD.SET ana battery-staple")
    #expect(core.run("LOGIN.TOTP \(third) \(code(secret))")["reason"].text == "challenge", "the password was changed")
    core.expectReplicated()
  }

  @Test("as many logins of a user wait as fit, and the newest do; the login rules are asked at the end")
  func bounds() throws {
    let secret = enrol().secret
    let waiting = (0...Limits.challengesOfUser).map { _ in challenge() }
    #expect(core.cells.reduce(0) { $0 + $1.state.secondFactors.challenges.count } == Limits.challengesOfUser)
    try core.restart()
    #expect(core.run("LOGIN.TOTP \(waiting[0]) \(code(secret))")["reason"].text == "challenge")
    core.advance(30_000)
    #expect(core.run("LOGIN.TOTP \(waiting[2]) \(code(secret))")["decision"].text == "ALLOW")
    core.run("PRODUCT.DISABLE ana payroll")
    #expect(logIn()["reason"].text == "product-disabled", "nobody is asked for a code in vain")
    core.expectReplicated()
  }

  @Test(
    "B6: half a login ends with what it rests on, for good, in the same record",
    arguments: [
      (["USER.STATUS ana locked"], ["LOGIN.UNLOCK ana"]), (["USER.STATUS ana inactive"], ["USER.STATUS ana active"]),
      (["USER.DELETE ana REASON left"], ["UNDO"]), (["PRODUCT.DISABLE ana payroll"], ["PRODUCT.ENABLE ana payroll"]),
      (
        ["WORKSPACE.SET main policy.login.within-employment on", "USER.SET ana released 2026-02-01"],
        ["USER.SET ana released \"\""]
      ),
    ])
  func halfLogin(_ away: [String], _ back: [String]) throws {
    core.run("PRODUCT.CREATE office")
    core.run("PRODUCT.ENABLE bob office")
    let secret = enrol().secret
    _ = enrol("bob")
    let (half, other) = (challenge(), logIn("", "bob")["challenge"].text ?? "")
    for line in away { #expect(!core.run(line).isError, "\(line)") }
    #expect(core.records.last?.first.changes.contains { $0.as(ChallengeEnded.self) != nil } == true)
    let lsn = core.lsn
    for line in back { #expect(!core.run(line == "UNDO" ? "UNDO \(lsn)" : line).isError, "\(line)") }
    #expect(core.run("LOGIN.CHECK ana payroll").text == "ALLOW")
    #expect(core.run("LOGIN.TOTP \(half) \(code(secret))").description == "{decision: DENY, reason: challenge}")
    #expect(core.cells.reduce(0) { $0 + $1.state.secondFactors.challenges.count } == 1, "another's waits on")
    #expect(core.run("LOGIN.TOTP \(other) 000000")["reason"].text == "credentials")
    core.expectReplicated()
  }

  @Test("B6: guesses that lock end the other halves, and what a workspace asks for meanwhile is asked of them")
  func halfLogins() {
    let secret = enrol().secret
    core.run("WORKSPACE.SET main policy.login.lock-after 5")
    let half = challenge()
    for _ in 0..<5 { _ = core.run("LOGIN.TOTP \(half) 000000") }
    #expect(core.run("USER.GET ana")["status"].text == "locked")
    core.run("LOGIN.UNLOCK ana")
    #expect(core.run("LOGIN.TOTP \(half) \(code(secret))")["reason"].text == "challenge")
    core.run("USER.SET ana released 2026-02-01")
    let second = challenge()
    core.run("WORKSPACE.SET main policy.login.within-employment on")
    core.run("WORKSPACE.SET main policy.login.within-employment off")
    #expect(core.run("LOGIN.TOTP \(second) \(code(secret))")["reason"].text == "outside-employment")
    core.expectReplicated()
  }

  @Test("L17: who was locked by wrong codes and redeems a reset waits on, and is not locked by one slip")
  func redeemed() throws {
    let secret = enrol().secret
    core.run("WORKSPACE.SET main policy.login.lock-after 6")
    func lock() {
      for _ in 0..<6 {
        core.advance(3_600_000)
        _ = core.run("LOGIN.TOTP \(challenge()) 000000")
      }
    }
    lock()
    #expect(core.run("USER.GET ana")["status"].text == "locked")
    core.run("PASSWORD.RESET ana")
    let token = try #require(core.run("MAIL.NEXT")[0]["secret"].text)
    #expect(core.run("PASSWORD.REDEEM \(token) battery-staple").text == "OK")
    #expect(logIn("", "ana", "battery-staple")["reason"].text == "wait")
    core.advance(3_600_000)
    let half = logIn("", "ana", "battery-staple")["challenge"].text ?? ""
    #expect(core.run("LOGIN.TOTP \(half) 000000")["reason"].text == "credentials")
    #expect(core.run("USER.GET ana")["status"].text == "active")
    #expect(logIn("", "ana", "battery-staple")["retry-after"].integer == 120_000, "guesses wait as long as before")
    try core.restart()
    for _ in 0..<5 {
      core.advance(3_600_000)
      let half = logIn("", "ana", "battery-staple")["challenge"].text ?? ""
      _ = core.run("LOGIN.TOTP \(half) \(wrong(secret))")
    }
    #expect(core.run("USER.GET ana")["status"].text == "locked", "after as many as ever")
    core.expectReplicated()
  }

  // MARK: Policies

  /// A temporary one begins no second factor.
  private func makePasswordsFinal() {
    core.run("WORKSPACE.SET main policy.password.admin-sets-final on")
    for user in ["ana", "bob", "tom"] { core.run("PASSWORD.SET \(user) correct-horse FINAL") }
  }

  @Test("where a policy wants a second factor, the next login with a password begins one")
  func policy() {
    makePasswordsFinal()
    let session = core.logIn("ana", "payroll")
    core.run("WORKSPACE.SET main policy.login.second-factor administrators")
    #expect(logIn()["decision"].text == "ALLOW")
    #expect(logIn("", "tom")["decision"].text == "CHALLENGE")
    core.run("WORKSPACE.SET main policy.login.second-factor all")
    let answer = logIn()
    #expect(answer.keys == ["decision", "challenge", "expires", "enrol"])
    let secret = Self.secret(in: answer["enrol"].text ?? "")
    #expect(core.run("LOGIN.TOTP \(answer["challenge"]) \(wrong(secret))")["reason"].text == "credentials")
    let admitted = core.run("LOGIN.TOTP \(answer["challenge"]) \(code(secret))")
    #expect(admitted["decision"].text == "ALLOW" && admitted["recovery-codes"].items.count == 10)
    #expect(!core.run("SESSION.CHECK \(admitted["session"])").isNull)
    #expect(core.run("SESSION.CHECK \(session)").isNull, "opened without a second factor")
    #expect(logIn()["enrol"].isNull && logIn()["decision"].text == "CHALLENGE")
    core.expectReplicated()
  }

  @Test("W5: the home and the workspace of the product say who needs one, and no third")
  func tenants() {
    for name in ["acme", "beta"] {
      core.run("WORKSPACE.CREATE \(name)")
      core.run("PRODUCT.CREATE \(name)/app")
      core.run("WORKSPACE.MEMBER \(name) ana")
      core.run("PRODUCT.ENABLE ana \(name)/app")
    }
    makePasswordsFinal()
    core.run("WORKSPACE.SET acme policy.login.second-factor all")
    let decisions = ["payroll", "acme/app", "beta/app"].map {
      core.run("LOGIN.PASSWORD ana \($0) correct-horse")["decision"].text
    }
    #expect(decisions == ["ALLOW", "CHALLENGE", "ALLOW"])
    core.run("WORKSPACE.SET acme policy.login.second-factor administrators")
    #expect(core.run("LOGIN.PASSWORD ana acme/app correct-horse")["decision"].text == "ALLOW")
    core.run("ROLE.GRANT ana training-administrator WORKSPACE beta")
    #expect(
      core.run("LOGIN.PASSWORD ana acme/app correct-horse")["decision"].text == "ALLOW", "she is none in acme (W4)")
    core.run("ROLE.GRANT ana training-administrator WORKSPACE acme")
    #expect(core.run("LOGIN.PASSWORD ana acme/app correct-horse")["decision"].text == "CHALLENGE")
  }

  // MARK: Disabling

  @Test("users take their own away with a code, administrators of the home another's without; all sessions end")
  func disabled() throws {
    let (secret, recovery) = enrol()
    let (ana, tom) = (core.logIn("ana", "payroll"), core.logIn("tom", "payroll"))
    #expect(
      core.run("TOTP.DISABLE ana", as: ana).text
        == "REFUSED second-factor: your own takes a code; add CODE and a code of the app, or a recovery code")
    #expect(
      core.run("TOTP.DISABLE ana CODE \(wrong(secret))", as: ana).text?.hasPrefix("REFUSED second-factor: the code")
        == true)
    let borrowed = try #require(core.run("IMPERSONATE.START \(tom) ana REASON help")["session"].text)
    for line in ["TOTP.DISABLE ana CODE \(recovery[0])", "TOTP.ENROL ana", "TOTP.CONFIRM ana 000000"] {
      #expect(
        core.run(line, as: borrowed).text
          == "REFUSED impersonation: a second factor cannot be changed while impersonating; end the impersonation first"
      )
    }
    #expect(core.run("TOTP.DISABLE ana", as: core.logIn("bob", "payroll")).text?.hasPrefix("NOPERM") == true)
    #expect(core.run("TOTP.DISABLE ana CODE \(recovery[1])", as: ana).text == "OK")
    #expect(core.run("SESSION.CHECK \(ana)").isNull && core.run("SESSION.CHECK \(borrowed)").isNull)
    #expect(logIn()["decision"].text == "ALLOW")
    #expect(core.run("TOTP.DISABLE ana").text == "NOTFOUND second factor: ana has none")
    _ = enrol()
    let session = core.logIn("ana", "payroll")
    #expect(core.run("TOTP.DISABLE ana", as: tom).text == "OK")
    #expect(core.run("SESSION.CHECK \(session)").isNull)
    core.expectReplicated()
  }

  @Test("W2: the home alone governs the second factor of a shared person")
  func homeOnly() {
    _ = enrol()
    core.run("WORKSPACE.CREATE acme")
    core.run("PRODUCT.CREATE acme/app")
    core.run("USER.CREATE amy WORKSPACE acme PRODUCT acme/app NOINVITE")
    core.run("ROLE.GRANT amy super-administrator WORKSPACE acme")
    core.run("WORKSPACE.MEMBER acme ana")
    let amy = core.logIn("amy", "acme/app")
    for line in ["TOTP.DISABLE ana", "TOTP.ENROL ana", "TOTP.GET ana"] {
      let answer = core.run(line, as: amy).text ?? ""
      #expect(answer.hasPrefix("NOPERM") && !answer.contains("main"), "\(line): \(answer)")
    }
  }

  @Test("a reset of the password skips neither the second factor nor the waits of wrong codes")
  func reset() throws {
    let secret = enrol().secret
    for _ in 0..<5 { _ = logIn("TOTP \(wrong(secret))") }
    core.run("PASSWORD.RESET ana")
    let token = try #require(core.run("MAIL.NEXT")[0]["secret"].text)
    #expect(core.run("PASSWORD.REDEEM \(token) battery-staple").text == "OK")
    #expect(logIn("", "ana", "battery-staple")["reason"].text == "wait")
    core.advance(30_000)
    #expect(logIn("", "ana", "battery-staple")["decision"].text == "CHALLENGE")
  }

  @Test("S12, L6, L12: it ends with the login, and nothing is left of it")
  func ended() {
    _ = (enrol(), challenge())
    core.run("USER.DELETE ana REASON left")
    core.run("UNDO \(core.lsn)")
    #expect(core.run("TOTP.GET ana")["enrolled"].integer == 1, "taking back a delete is no way around it")
    core.run("USER.ANONYMISE ana")
    _ = enrol("bob")
    let bob = core.user("bob")?.id.raw ?? 0
    core.run("USER.DELETE bob REASON left")
    core.run("USER.PURGE #\(bob)")
    #expect(
      core.cells.allSatisfy { $0.state.secondFactors.factors.isEmpty && $0.state.secondFactors.challenges.isEmpty })
    core.expectReplicated()
  }

  @Test("secrets and codes are in no answer but the one that hands them out")
  func secrets() {
    let (secret, recovery) = enrol()
    let token = challenge("IP 192.0.2.1")
    _ = core.run("LOGIN.TOTP \(token) \(recovery[0])")
    let shown = core.run("AUDIT.LIST USER ana").description + core.run("USER.GET ana").description
    #expect(
      shown.contains("second-factor-confirmed") && shown.contains("recovery-codes") && shown.contains("192.0.2.1"))
    for word in [secret.text, token] + recovery { #expect(!shown.contains(word)) }
    #expect("\(secret)" == "(secret)")
    for record in core.log {
      let text = String(decoding: record, as: UTF8.self)
      for word in [secret.text, String(token.suffix(22))] + recovery { #expect(!text.contains(word)) }
    }
  }
}
