import Testing

@testable import GatehouseCore

/// L12: the second step of deleting, and the mails that there are by then.
@Suite("Purging")
struct PurgeTests {
  private let core = CoreHarness(partitions: 4)

  init() {
    core.run("WORKSPACE.CREATE acc PROFILE accessplanit")
    core.run("PRODUCT.CREATE acc/app")
    core.run("USER.CREATE boss WORKSPACE acc EMAIL boss@acc.test NOINVITE")
    core.run("USER.CREATE tmp@acc.test PRODUCT acc/app")
  }

  private func mails() -> [String] { core.run("MAIL.LIST")[1].items.map { $0["kind"].text ?? "" } }

  @Test("L12: mails of the person's own do not keep a deleted login, waiting or dead")
  func ownMails() {
    core.run("MANAGE.ADD boss USER tmp@acc.test WORKSPACE acc")
    #expect(mails() == ["invitation"])
    core.run("USER.DELETE tmp@acc.test")
    #expect(mails().sorted() == ["invitation", "managed-deleted"])
    core.run("MANAGE.REMOVE boss USER tmp@acc.test WORKSPACE acc")
    #expect(core.run("USER.PURGE tmp@acc.test").text == "OK")
    #expect(mails().isEmpty)
    core.expectReplicated()
  }

  @Test("L12, L19: the report of an act keeps the login until it was sent, so that nobody silences it")
  func reports() {
    core.run("WORKSPACE.SET acc policy.impersonation.notify mailbox policy.impersonation.mailbox watch@acc.test")
    core.run("USER.CREATE tess PRODUCT acc/app NOINVITE")
    core.run("ROLE.GRANT tess training-administrator WORKSPACE acc")
    let login = core.logIn("tess", "acc/app")
    core.run("IMPERSONATE.START \(login) tmp@acc.test WORKSPACE acc REASON look")
    core.run("USER.DELETE tmp@acc.test")
    #expect(
      core.run("USER.PURGE tmp@acc.test").text?
        .hasPrefix("REFUSED references: tmp@acc.test is referred to by 1 mail that reports an act (MAIL.DROP)") == true)
    for mail in core.run("MAIL.NEXT COUNT 10").items { core.run("MAIL.ACK \(mail["id"])") }
    #expect(core.run("USER.PURGE tmp@acc.test").text == "OK")
  }

  @Test("L6: a mail to others that only names the purged user as the one who did it is sent without the name")
  func actor() {
    core.run("WORKSPACE.SET acc policy.timer.notify-stopped on")
    core.run("USER.CREATE ann PRODUCT acc/app EMAIL ann@acc.test NOINVITE")
    core.run("ROLE.GRANT tmp@acc.test training-administrator WORKSPACE acc")
    core.run("TIMER.START ann WORKSPACE acc")
    core.run("TIMER.STOP ann WORKSPACE acc", as: core.logIn("tmp@acc.test", "acc/app"))
    let id = core.run("USER.GET tmp@acc.test")["id"].integer ?? 0
    core.run("USER.DELETE tmp@acc.test")
    #expect(core.run("USER.PURGE tmp@acc.test").text == "OK")
    let told = core.run("MAIL.NEXT COUNT 10").items
    #expect(told.map { $0["kind"].text } == ["timer-stopped"])
    #expect(told.first?["text"].text?.contains("anonymous-\(id)") == true)
    core.expectReplicated()
  }

  @Test("the mails about somebody are listed by name, too")
  func byName() {
    core.run("USER.CREATE other@acc.test PRODUCT acc/app")
    let id = core.run("USER.GET tmp@acc.test")["id"].integer ?? 0
    for user in ["TMP@acc.test", "#\(id)"] {
      #expect(core.run("MAIL.LIST USER \(user)")[1].items.map { $0["username"].text } == ["tmp@acc.test"])
    }
    #expect(core.run("MAIL.LIST USER nobody")[1].items.isEmpty)
  }
}
