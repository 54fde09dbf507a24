import Testing

@testable import GatehouseCore

/// L5, W5: who needs a second factor, and how one ends.
@Suite("Second factors: policies and ends")
struct SecondFactorPolicyTests {
  private let scene = SecondFactorScene()
  private var core: CoreHarness { scene.core }

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
    #expect(scene.logIn()["decision"].text == "ALLOW")
    #expect(scene.logIn("", "tom")["decision"].text == "CHALLENGE")
    core.run("WORKSPACE.SET main policy.login.second-factor all")
    let answer = scene.logIn()
    #expect(answer.keys == ["decision", "challenge", "expires", "enrol"])
    let secret = SecondFactorScene.secret(in: answer["enrol"].text ?? "")
    #expect(core.run("LOGIN.TOTP \(answer["challenge"]) \(scene.wrong(secret))")["reason"].text == "credentials")
    let admitted = core.run("LOGIN.TOTP \(answer["challenge"]) \(scene.code(secret))")
    #expect(admitted["decision"].text == "ALLOW" && admitted["recovery-codes"].items.count == 10)
    #expect(!core.run("SESSION.CHECK \(admitted["session"])").isNull)
    #expect(core.run("SESSION.CHECK \(session)").isNull, "opened without a second factor")
    #expect(scene.logIn()["enrol"].isNull && scene.logIn()["decision"].text == "CHALLENGE")
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
    let (secret, recovery) = scene.enrol()
    let (ana, tom) = (core.logIn("ana", "payroll"), core.logIn("tom", "payroll"))
    #expect(
      core.run("TOTP.DISABLE ana", as: ana).text
        == "REFUSED second-factor: your own takes a code; add CODE and a code of the app, or a recovery code")
    #expect(
      core.run("TOTP.DISABLE ana CODE \(scene.wrong(secret))", as: ana).text?.hasPrefix(
        "REFUSED second-factor: the code")
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
    #expect(scene.logIn()["decision"].text == "ALLOW")
    #expect(core.run("TOTP.DISABLE ana").text == "NOTFOUND second factor: ana has none")
    _ = scene.enrol()
    let session = core.logIn("ana", "payroll")
    #expect(core.run("TOTP.DISABLE ana", as: tom).text == "OK")
    #expect(core.run("SESSION.CHECK \(session)").isNull)
    core.expectReplicated()
  }

  @Test("W2: the home alone governs the second factor of a shared person")
  func homeOnly() {
    _ = scene.enrol()
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
    let secret = scene.enrol().secret
    for _ in 0..<5 { _ = scene.logIn("TOTP \(scene.wrong(secret))") }
    core.run("PASSWORD.RESET ana")
    let token = try #require(core.run("MAIL.NEXT")[0]["secret"].text)
    #expect(core.run("PASSWORD.REDEEM \(token) battery-staple").text == "OK")
    #expect(scene.logIn("", "ana", "battery-staple")["reason"].text == "wait")
    core.advance(30_000)
    #expect(scene.logIn("", "ana", "battery-staple")["decision"].text == "CHALLENGE")
  }

  @Test("S12, L6, L12: it ends with the login, and nothing is left of it")
  func ended() {
    _ = (scene.enrol(), scene.challenge())
    core.run("USER.DELETE ana REASON left")
    core.run("UNDO \(core.lsn)")
    #expect(core.run("TOTP.GET ana")["enrolled"].integer == 1, "taking back a delete is no way around it")
    core.run("USER.ANONYMISE ana")
    _ = scene.enrol("bob")
    let bob = core.user("bob")?.id.raw ?? 0
    core.run("USER.DELETE bob REASON left")
    core.run("USER.PURGE #\(bob)")
    #expect(
      core.cells.allSatisfy { $0.state.secondFactors.factors.isEmpty && $0.state.secondFactors.challenges.isEmpty })
    core.expectReplicated()
  }

  @Test("secrets and codes are in no answer but the one that hands them out")
  func secrets() {
    let (secret, recovery) = scene.enrol()
    let token = scene.challenge("IP 192.0.2.1")
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
