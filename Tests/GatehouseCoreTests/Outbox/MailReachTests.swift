import Testing

@testable import GatehouseCore

/// W4, L10: what the outbox tells of people to those who handle the mails of a workspace.
@Suite struct MailReachTests {
  private let core = CoreHarness(partitions: 8)

  init() {
    for line in [
      "WORKSPACE.CREATE a", "WORKSPACE.CREATE b", "PRODUCT.CREATE a/app",
      "WORKSPACE.SET a policy.timer.notify-stopped on",
      "USER.CREATE boss WORKSPACE a PRODUCT a/app NOINVITE", "ROLE.GRANT boss super-administrator WORKSPACE a",
      "USER.CREATE mv FIRST Old WORKSPACE a PRODUCT a/app EMAIL mv@a.test NOINVITE",
    ] {
      let answer = core.run(line)
      precondition(!answer.isError, "\(line): \(answer)")
    }
  }

  private func mails(as token: String, _ options: String = "") -> [Answer] {
    core.run("MAIL.LIST \(options)", as: token)[1].items
  }

  @Test("W4: a mail of a workspace tells nothing of what became of somebody who has left it") func whoHasLeft() {
    let boss = core.logIn("boss", "a/app")
    core.run("TIMER.START mv WORKSPACE a")
    #expect(!core.run("TIMER.STOP mv WORKSPACE a", as: boss).isError)
    core.run("WORKSPACE.MEMBER b mv")
    core.run("USER.MOVEHOME mv b")
    core.run("WORKSPACE.MEMBER a mv REMOVE")
    core.run("USER.RENAME mv secretb")
    core.run("USER.SET secretb email secret@b.test first Newfirst last Secretlast")
    let id = core.run("USER.GET secretb")["id"]
    let listed = mails(as: boss)
    #expect(Set(listed.map { $0["username"].text }) == ["#\(id)"])
    #expect(Set(listed.map { $0["to"].text }) == ["mv@a.test"])
    core.run("SERVICE.CREATE all ADMIN")
    let service = core.run("SERVICE.CREATE post MAIL WORKSPACE a")["id"].integer ?? 0
    core.connection = ConnectionFacts(id: 2, service: ServiceID(service), rights: [.mail], isBound: true)
    let taken = core.run("MAIL.NEXT")
    #expect(taken[0]["to"].text == "mv@a.test" && taken[0]["username"].text == "#\(id)", "\(taken)")
    #expect(!"\(taken)".lowercased().contains("secret@") && !"\(taken)".contains("Newfirst"), "\(taken)")
  }

  @Test("W4, S12: nor of who is there no more with another login") func restored() {
    let boss = core.logIn("boss", "a/app")
    core.run("USER.CREATE lea FIRST Lea WORKSPACE b EMAIL lea@b.test NOINVITE")
    core.run("WORKSPACE.MEMBER a lea")
    core.run("TIMER.START lea WORKSPACE a")
    #expect(!core.run("TIMER.STOP lea WORKSPACE a", as: boss).isError)
    let contact = core.run("USER.GET lea")["contact"]
    for name in ["a", "b"] { core.run("WORKSPACE.SET \(name) policy.delete.keep-tracked off") }
    #expect(!core.run("USER.DELETE lea REASON x").isError)
    core.run("USER.RESTORE #\(contact) NOINVITE")
    core.run("USER.SET lea email secret@b.test last Secret")
    #expect(mails(as: boss).map { $0["to"].text } == ["lea@b.test"])
    #expect(mails(as: boss).map { $0["username"].text } == ["lea"], "the name that it knew")
    core.run("SERVICE.CREATE all ADMIN")
    let service = core.run("SERVICE.CREATE post MAIL WORKSPACE a")["id"].integer ?? 0
    core.connection = ConnectionFacts(id: 2, service: ServiceID(service), rights: [.mail], isBound: true)
    let taken = core.run("MAIL.NEXT")
    #expect(!"\(taken)".lowercased().contains("secret@") && !"\(taken)".contains("Secret"), "\(taken)")
  }

  @Test("W4, L9: a manager is told of who has left by the username, not by the manager's own address") func managers() {
    core.run("WORKSPACE.SET a policy.manager.notices status")
    core.run("USER.CREATE mgr WORKSPACE a EMAIL mgr@a.test NOINVITE")
    #expect(!core.run("MANAGE.ADD mgr USER mv WORKSPACE a").isError)
    core.run("USER.STATUS mv inactive REASON x")
    core.run("USER.STATUS mv active REASON x")
    core.run("WORKSPACE.MEMBER b mv")
    core.run("USER.MOVEHOME mv b")
    core.run("WORKSPACE.MEMBER a mv REMOVE")
    core.run("SERVICE.CREATE all ADMIN")
    let service = core.run("SERVICE.CREATE post MAIL WORKSPACE a")["id"].integer ?? 0
    core.connection = ConnectionFacts(id: 2, service: ServiceID(service), rights: [.mail], isBound: true)
    let taken = core.run("MAIL.NEXT")
    #expect(taken[0]["to"].text == "mgr@a.test" && taken[0]["name"].text == "mv", "\(taken)")
    #expect(taken[0]["subject"].text?.contains("mgr@a.test") == false)
  }

  @Test("whoever sends the mails of all workspaces reaches people where they are") func allWorkspaces() {
    core.run("TIMER.START mv WORKSPACE a")
    let boss = core.logIn("boss", "a/app")
    core.run("TIMER.STOP mv WORKSPACE a", as: boss)
    core.run("WORKSPACE.MEMBER b mv")
    core.run("USER.MOVEHOME mv b")
    core.run("WORKSPACE.MEMBER a mv REMOVE")
    core.run("USER.SET mv email new@b.test")
    #expect(core.run("MAIL.NEXT")[0]["to"].text == "new@b.test")
  }

  @Test("L10: mails of super administrators are not handled by who is below them") func superiors() {
    core.run("USER.CREATE tina WORKSPACE a PRODUCT a/app NOINVITE")
    core.run("ROLE.GRANT tina training-administrator WORKSPACE a")
    core.run("USER.SET boss email boss@a.test")
    #expect(!core.run("PASSWORD.RESET boss").isError)
    let tina = core.logIn("tina", "a/app")
    let boss = core.logIn("boss", "a/app")
    #expect(mails(as: tina).isEmpty && mails(as: tina, "USER boss").isEmpty)
    let id = mails(as: boss).first?["id"].description ?? ""
    #expect(core.run("MAIL.DROP \(id)", as: tina).integer == 0)
    #expect(core.run("MAIL.RETRY \(id)", as: tina).text?.hasPrefix("NOTFOUND mail") == true)
    #expect(core.run("MAIL.RETRY \(id)", as: boss).integer == 1)
    #expect(core.run("MAIL.DROP \(id)", as: boss).integer == 1)
  }

  @Test("a subject keeps what joins letters and signs") func joiners() {
    core.run(["MAIL.TEMPLATE.SET", "invitation", "{{name}} \u{1F469}\u{200D}\u{1F4BB}\u{202E}x", "Text"])
    core.run(["USER.CREATE", "mm", "FIRST", "Ali\u{200C}ha", "EMAIL", "mm@a.test"])
    #expect(core.run("MAIL.NEXT")[0]["subject"].text == "Ali\u{200C}ha \u{1F469}\u{200D}\u{1F4BB} x")
  }
}
