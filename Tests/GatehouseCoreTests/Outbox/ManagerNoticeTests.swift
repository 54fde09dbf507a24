import Testing

@testable import GatehouseCore

/// L9: managers are told of those whom their management links name.
@Suite("Managers' notices")
struct ManagerNoticeTests {
  private let core = CoreHarness(partitions: 4)

  init() {
    core.decidesTwice = true
    for line in [
      "WORKSPACE.CREATE acme", "WORKSPACE.CREATE beta", "PRODUCT.CREATE acme/app", "PRODUCT.CREATE beta/app",
      "WORKSPACE.SET acme policy.manager.notices created,status,deleted,impersonated,booking",
      "ACCOUNT.CREATE Widgets CUSTOMER WORKSPACE acme", "ACCOUNT.CREATE Gadgets CUSTOMER WORKSPACE acme",
      "GROUP.CREATE Europe WORKSPACE acme", "GROUP.ADD acme/Europe acme/Widgets",
      "USER.CREATE mia@acme.test WORKSPACE acme FIRST Mia LAST Nova NOINVITE",
      "USER.CREATE max@acme.test WORKSPACE acme NOINVITE", "USER.CREATE kim@acme.test WORKSPACE acme NOINVITE",
      "USER.CREATE ana@acme.test WORKSPACE acme FIRST Ana PRODUCT acme/app NOINVITE",
      "EMPLOY.ADD ana@acme.test acme/Widgets",
      "MANAGE.ADD mia@acme.test USER ana@acme.test WORKSPACE acme", "MANAGE.ADD max@acme.test ACCOUNT acme/Widgets",
      "MANAGE.ADD kim@acme.test GROUP acme/Europe",
    ] {
      let answer = core.run(line)
      #expect(!answer.isError, "\(line): \(answer)")
    }
  }

  private func mails() -> [Answer] {
    core.run("MAIL.NEXT COUNT 100").items.sorted { $0["to"].text ?? "" < $1["to"].text ?? "" }
  }

  private func recipients() -> [String] { mails().map { $0["to"].text ?? "" } }

  private static let all = ["kim@acme.test", "max@acme.test", "mia@acme.test"]

  @Test("L9: links to the user, to an account and to a group: each manager is told, in words of their own language")
  func status() throws {
    core.run("USER.SET kim@acme.test language cs")
    #expect(!core.run("USER.STATUS ana@acme.test locked").isError)
    let mails = mails()
    #expect(mails.map { $0["to"].text ?? "" } == Self.all)
    let mia = try #require(mails.last)
    #expect(mia["kind"].text == "managed-status" && mia["workspace"].text == "acme")
    #expect(mia["username"].text == "ana@acme.test")
    #expect(mia["subject"].text == "Ana is locked in acme")
    #expect(
      mia["text"].text
        == "Hello Mia Nova,\n\nlocal has changed the status of Ana (ana@acme.test) from active to locked.\n\n"
        + "You get this because you manage Ana there.")
    let kim = try #require(mails.first)
    #expect(kim["language"].text == "cs")
    let czech = "Dobrý den, kim@acme.test,\n\nlocal změnil(a) stav: Ana (ana@acme.test), z active na locked."
    #expect(kim["text"].text?.hasPrefix(czech) == true)
    core.expectReplicated()
  }

  @Test("L9, B13: what a second person has approved is told as the deed of who asked for it, to neither of them")
  func approved() throws {
    for name in ["one@acme.test", "two@acme.test"] {
      core.run("USER.CREATE \(name) WORKSPACE acme PRODUCT acme/app NOINVITE")
      core.run("ROLE.GRANT \(name) training-administrator WORKSPACE acme")
      core.run("MANAGE.ADD \(name) USER ana@acme.test WORKSPACE acme")
    }
    core.run("WORKSPACE.SET acme policy.approval.needs user.status")
    let (one, two) = (core.logIn("one@acme.test", "acme/app"), core.logIn("two@acme.test", "acme/app"))
    let asked = try #require(core.run("USER.STATUS ana@acme.test locked", as: one)["approval"].integer)
    _ = mails()
    #expect(core.run("APPROVAL.GRANT \(asked)", as: two).text == "OK")
    let told = mails()
    #expect(told.map { $0["to"].text ?? "" } == Self.all)
    #expect(
      told[0]["text"].text?.contains("one@acme.test (approved by two@acme.test) has changed the status of Ana") == true,
      "\(told[0])")
    core.expectReplicated()
  }

  @Test("L9: who is made, deleted, booked and impersonated")
  func kinds() {
    func kinds(_ line: String) -> Set<String> {
      let answer = core.run(line)
      #expect(!answer.isError, "\(line): \(answer)")
      return Set(mails().map { ($0["kind"].text ?? "") + " " + ($0["to"].text?.prefix(3) ?? "") })
    }
    #expect(
      kinds("USER.CREATE eva@acme.test WORKSPACE acme ACCOUNT Widgets NOINVITE")
        == ["managed-created kim", "managed-created max"])
    #expect(
      kinds("LINK.ADD ana@acme.test booking first-aid WORKSPACE acme")
        == ["managed-booked kim", "managed-booked max", "managed-booked mia"])
    #expect(kinds("LINK.ADD ana@acme.test invoice 7 WORKSPACE acme") == [])
    let link = core.run("LINK.LIST ana@acme.test WORKSPACE acme KIND booking")[1].items[0]["link"].integer ?? 0
    #expect(kinds("LINK.REMOVE \(link)").contains("managed-unbooked mia"))
    core.run("USER.CREATE boss@acme.test WORKSPACE acme PRODUCT acme/app NOINVITE")
    core.run("ROLE.GRANT boss@acme.test super-administrator WORKSPACE acme")
    let boss = core.logIn("boss@acme.test", "acme/app")
    _ = mails()
    #expect(
      kinds("IMPERSONATE.START \(boss) ana@acme.test WORKSPACE acme REASON help")
        == ["managed-impersonated kim", "managed-impersonated max", "managed-impersonated mia"])
    #expect(
      kinds("USER.DELETE ana@acme.test REASON gone")
        == ["managed-deleted kim", "managed-deleted max", "managed-deleted mia"])
  }

  @Test(
    "L9: of somebody new those are told who manage the employer of today, or the Guest Account where nobody employs",
    arguments: [
      ("", ["gus@acme.test"]), ("EMPLOYED Widgets none 2026-02-28", ["gus@acme.test"]),
      ("EMPLOYED Widgets 2026-03-02 none", ["gus@acme.test"]),
      ("EMPLOYED Gadgets none none EMPLOYED Widgets none 2026-02-28", []),
      ("EMPLOYED Widgets 2026-03-01 2026-03-01", ["kim@acme.test", "max@acme.test"]),
    ])
  func employedToday(employers: String, told: [String]) {
    core.run("USER.CREATE gus@acme.test WORKSPACE acme NOINVITE")
    core.run("MANAGE.ADD gus@acme.test ACCOUNT \"acme/Guest Account\"")
    core.run("USER.CREATE old@acme.test WORKSPACE acme ACCOUNT Widgets NOINVITE")
    let contact = core.run("USER.GET old@acme.test")["contact"]
    core.run("USER.DELETE old@acme.test REASON left")
    _ = mails()
    core.run("USER.CREATE eva@acme.test WORKSPACE acme NOINVITE \(employers)")
    #expect(recipients() == told)
    // Somebody who was there is employed as before, but where the command says otherwise.
    core.run("USER.CREATE old2@acme.test WORKSPACE acme CONTACT #\(contact) NOINVITE \(employers)")
    #expect(recipients() == (employers.isEmpty ? ["kim@acme.test", "max@acme.test"] : told))
    core.expectReplicated()
  }

  @Test("L9: the policy says of what; nobody is told of themselves, of what they did, or of those employed elsewhere")
  func whoAndWhat() {
    core.run("WORKSPACE.SET acme policy.manager.notices deleted,booking")
    core.run("USER.STATUS ana@acme.test locked")
    #expect(recipients() == [])
    core.run("WORKSPACE.SET acme policy.manager.notices status")
    core.run("EMPLOY.END ana@acme.test acme/Widgets")
    core.run("USER.STATUS ana@acme.test active")
    #expect(recipients() == ["mia@acme.test"])
    core.run("EMPLOY.ADD mia@acme.test acme/Widgets")
    core.run("MANAGE.ADD mia@acme.test ACCOUNT acme/Widgets")
    core.run("USER.STATUS mia@acme.test temporary")
    #expect(recipients() == ["kim@acme.test", "max@acme.test"])
    core.run("PRODUCT.ENABLE mia@acme.test acme/app")
    core.run("ROLE.GRANT mia@acme.test training-administrator WORKSPACE acme")
    core.run("USER.STATUS ana@acme.test inactive", as: core.logIn("mia@acme.test", "acme/app"))
    #expect(recipients() == [])
    core.run("USER.STATUS max@acme.test locked")
    core.run("USER.STATUS mia@acme.test active")
    #expect(recipients() == ["kim@acme.test"])
  }

  @Test("W4: managers in another workspace are not told, nor those who left")
  func otherWorkspaces() {
    for line in [
      "WORKSPACE.SET beta policy.manager.notices status,booking", "WORKSPACE.MEMBER beta ana@acme.test",
      "USER.CREATE bea@beta.test WORKSPACE beta NOINVITE", "MANAGE.ADD bea@beta.test USER ana@acme.test WORKSPACE beta",
    ] {
      let answer = core.run(line)
      #expect(!answer.isError, "\(line): \(answer)")
    }
    core.run("USER.STATUS ana@acme.test locked")
    #expect(recipients() == Self.all)
    core.run("LINK.ADD ana@acme.test delegate first-aid WORKSPACE beta")
    let mails = mails()
    #expect(mails.map { $0["to"].text ?? "" } == ["bea@beta.test"])
    #expect(mails.first?["subject"].text == "Ana was booked in beta: delegate first-aid")
    #expect(mails.first?["workspace"].text == "beta")
    core.run("WORKSPACE.MEMBER beta mia@acme.test")
    core.run("USER.MOVEHOME mia@acme.test beta")
    core.run("WORKSPACE.MEMBER acme mia@acme.test REMOVE")
    core.run("USER.STATUS ana@acme.test active")
    #expect(recipients() == ["kim@acme.test", "max@acme.test"])
  }

  @Test("L9: a command about many people tells nobody; of many managers the nearest are told")
  func bounds() {
    let names = (0..<11).map { "p\($0)@acme.test" }
    for name in names {
      core.run("USER.CREATE \(name) WORKSPACE acme NOINVITE")
      core.run("MANAGE.ADD mia@acme.test USER \(name) WORKSPACE acme")
    }
    #expect(!core.run("USER.BULK SET status inactive IDS 11 \(names.joined(separator: " "))").isError)
    #expect(recipients() == [])
    #expect(!core.run("USER.BULK SET status active IDS 10 \(names.dropLast().joined(separator: " "))").isError)
    #expect(recipients() == Array(repeating: "mia@acme.test", count: 10))
    for number in 0..<Limits.managersOfNotice {
      core.run("USER.CREATE m\(number)@acme.test WORKSPACE acme NOINVITE")
      core.run("MANAGE.ADD m\(number)@acme.test ACCOUNT acme/Widgets")
    }
    core.run("USER.STATUS ana@acme.test locked")
    let told = Set(recipients())
    #expect(told.count == Limits.managersOfNotice)
    #expect(told.contains("mia@acme.test") && !told.contains("kim@acme.test"))
  }
}
