import Testing

@testable import GatehouseCore

/// L5: logins that wait for a second factor.
@Suite("Second factors: challenges")
struct SecondFactorChallengeTests {
  private let scene = SecondFactorScene()
  private var core: CoreHarness { scene.core }

  @Test("a challenge is answered once, within five minutes, by the service that it was given to")
  func challenges() {
    let secret = scene.enrol().secret
    let first = scene.challenge("TTL 1h IP 192.0.2.1 AGENT curl")
    #expect(first.hasPrefix("gc_") && first.utf8.count == SecretText.sessionTokenCount)
    core.run("SERVICE.CREATE web ADMIN")
    core.connection.service = 1
    #expect(core.run("LOGIN.TOTP \(first) \(scene.code(secret))")["reason"].text == "challenge")
    core.connection.service = 0
    #expect(core.run("LOGIN.TOTP \(first) 000000")["reason"].text == "credentials", "a slip is no reason to begin anew")
    let answer = core.run("LOGIN.TOTP \(first) \(scene.code(secret))")
    #expect(answer["expires"].integer == core.now + 3_600_000, "with what was asked of the session")
    let session = core.run("SESSION.GET \(answer["id"])")
    #expect(
      session["ip"].text == "192.0.2.1" && session["agent"].text == "curl" && session["product"].text == "payroll")
    core.advance(30_000)
    #expect(core.run("LOGIN.TOTP \(first) \(scene.code(secret))").description == "{decision: DENY, reason: challenge}")
    let second = scene.challenge()
    core.advance(300_000)
    for word in [second, "gc_nonsense", answer["session"].text ?? ""] {
      #expect(core.run("LOGIN.TOTP \(word) \(scene.code(secret))")["reason"].text == "challenge")
    }
    let third = scene.challenge()
    core.run("PASSWORD.SET ana battery-staple")
    #expect(
      core.run("LOGIN.TOTP \(third) \(scene.code(secret))")["reason"].text == "challenge", "the password was changed")
    core.expectReplicated()
  }

  @Test("as many logins of a user wait as fit, and the newest do; the login rules are asked at the end")
  func bounds() throws {
    let secret = scene.enrol().secret
    let waiting = (0...Limits.challengesOfUser).map { _ in scene.challenge() }
    #expect(core.cells.reduce(0) { $0 + $1.state.secondFactors.challenges.count } == Limits.challengesOfUser)
    try core.restart()
    #expect(core.run("LOGIN.TOTP \(waiting[0]) \(scene.code(secret))")["reason"].text == "challenge")
    core.advance(30_000)
    #expect(core.run("LOGIN.TOTP \(waiting[2]) \(scene.code(secret))")["decision"].text == "ALLOW")
    core.run("PRODUCT.DISABLE ana payroll")
    #expect(scene.logIn()["reason"].text == "product-disabled", "nobody is asked for a code in vain")
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
    let secret = scene.enrol().secret
    _ = scene.enrol("bob")
    let (half, other) = (scene.challenge(), scene.logIn("", "bob")["challenge"].text ?? "")
    for line in away { #expect(!core.run(line).isError, "\(line)") }
    #expect(core.records.last?.first.changes.contains { $0.as(ChallengeEnded.self) != nil } == true)
    let lsn = core.lsn
    for line in back { #expect(!core.run(line == "UNDO" ? "UNDO \(lsn)" : line).isError, "\(line)") }
    #expect(core.run("LOGIN.CHECK ana payroll").text == "ALLOW")
    #expect(core.run("LOGIN.TOTP \(half) \(scene.code(secret))").description == "{decision: DENY, reason: challenge}")
    #expect(core.cells.reduce(0) { $0 + $1.state.secondFactors.challenges.count } == 1, "another's waits on")
    #expect(core.run("LOGIN.TOTP \(other) 000000")["reason"].text == "credentials")
    core.expectReplicated()
  }

  @Test("B6: guesses that lock end the other halves, and what a workspace asks for meanwhile is asked of them")
  func halfLogins() {
    let secret = scene.enrol().secret
    core.run("WORKSPACE.SET main policy.login.lock-after 5")
    let half = scene.challenge()
    for _ in 0..<5 { _ = core.run("LOGIN.TOTP \(half) 000000") }
    #expect(core.run("USER.GET ana")["status"].text == "locked")
    core.run("LOGIN.UNLOCK ana")
    #expect(core.run("LOGIN.TOTP \(half) \(scene.code(secret))")["reason"].text == "challenge")
    core.run("USER.SET ana released 2026-02-01")
    let second = scene.challenge()
    core.run("WORKSPACE.SET main policy.login.within-employment on")
    core.run("WORKSPACE.SET main policy.login.within-employment off")
    #expect(core.run("LOGIN.TOTP \(second) \(scene.code(secret))")["reason"].text == "outside-employment")
    core.expectReplicated()
  }

  @Test("L17: who was locked by wrong codes and redeems a reset waits on, and is not locked by one slip")
  func redeemed() throws {
    let secret = scene.enrol().secret
    core.run("WORKSPACE.SET main policy.login.lock-after 6")
    func lock() {
      for _ in 0..<6 {
        core.advance(3_600_000)
        _ = core.run("LOGIN.TOTP \(scene.challenge()) 000000")
      }
    }
    lock()
    #expect(core.run("USER.GET ana")["status"].text == "locked")
    core.run("PASSWORD.RESET ana")
    let token = try #require(core.run("MAIL.NEXT")[0]["secret"].text)
    #expect(core.run("PASSWORD.REDEEM \(token) battery-staple").text == "OK")
    #expect(scene.logIn("", "ana", "battery-staple")["reason"].text == "wait")
    core.advance(3_600_000)
    let half = scene.logIn("", "ana", "battery-staple")["challenge"].text ?? ""
    #expect(core.run("LOGIN.TOTP \(half) 000000")["reason"].text == "credentials")
    #expect(core.run("USER.GET ana")["status"].text == "active")
    #expect(
      scene.logIn("", "ana", "battery-staple")["retry-after"].integer == 120_000, "guesses wait as long as before")
    try core.restart()
    for _ in 0..<5 {
      core.advance(3_600_000)
      let half = scene.logIn("", "ana", "battery-staple")["challenge"].text ?? ""
      _ = core.run("LOGIN.TOTP \(half) \(scene.wrong(secret))")
    }
    #expect(core.run("USER.GET ana")["status"].text == "locked", "after as many as ever")
    core.expectReplicated()
  }
}
