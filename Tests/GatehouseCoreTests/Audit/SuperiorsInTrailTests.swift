import Testing

@testable import GatehouseCore

/// L10, W4: what is about a super administrator is for super administrators, wherever it stands.
@Suite struct SuperiorsInTrailTests {
  private let core = CoreHarness(partitions: 8)
  /// A session of a training administrator.
  private let token: String

  init() {
    core.run("WORKSPACE.CREATE plan")
    core.run("PRODUCT.CREATE plan/app")
    core.run("ACCOUNT.CREATE Academy CUSTOMER WORKSPACE plan")
    for name in ["sue", "tina", "tim"] {
      core.run("USER.CREATE \(name) WORKSPACE plan PRODUCT plan/app ACCOUNT Academy NOINVITE")
    }
    core.run("ROLE.GRANT tina training-administrator WORKSPACE plan")
    core.run("ROLE.GRANT sue super-administrator WORKSPACE plan")
    token = core.logIn("tina", "plan/app")
    core.run("USER.SET sue email sue@new.test phone 0600-77")
    core.run("USER.SET tim phone 0600-11")
    core.run("ENTRY.ADD sue START 1 END 2 WORKSPACE plan NOTE secret")
  }

  private func trail(_ options: String) -> String { "\(core.run("AUDIT.LIST \(options) COUNT 1000", as: token))" }

  @Test("L10, W4: the trail does not tell who is below a super administrator about one")
  func trailOfSuperior() {
    let contact = core.run("USER.GET sue")["contact"].text ?? ""
    let entry = core.run("ENTRY.LIST sue")[1][0]["id"]
    core.run("ENTRY.CORRECT \(entry) NOTE secret")
    #expect(
      core.run("AUDIT.LIST USER sue", as: token).text
        == "NOPERM the role super-administrator, to read about a super administrator")
    for options in ["", "ENTITY contact #\(contact)", "ENTITY entry #\(entry)", "WORKSPACE plan", "ACTOR sue"] {
      let text = trail(options)
      #expect(
        !text.contains("0600-77") && !text.contains("secret") && !text.contains("sue@new.test"), "\(options): \(text)")
    }
    #expect(trail("").contains("0600-11"), "of others it tells")
    #expect("\(core.run("AUDIT.LIST USER sue"))".contains("0600-77"))
  }

  @Test("L10, W4: nor does the feed")
  func feedOfSuperior() {
    let feed = "\(core.run("FEED.READ 0 COUNT 1000", as: token))"
    #expect(!feed.contains("0600-77") && !feed.contains("secret"), "\(feed)")
    #expect(feed.contains("0600-11"))
  }

  @Test("L10: super administrators are told of each other, everybody of themselves, and of who is one no more")
  func equals() {
    core.run("USER.CREATE sam WORKSPACE plan PRODUCT plan/app NOINVITE")
    core.run("ROLE.GRANT sam super-administrator WORKSPACE plan")
    let sam = core.logIn("sam", "plan/app")
    #expect("\(core.run("AUDIT.LIST USER sue", as: sam))".contains("0600-77"))
    core.run("ROLE.REVOKE sue super-administrator WORKSPACE plan")
    #expect(trail("USER sue").contains("0600-77"))
  }

  @Test("L10, W4: nor does who administers everywhere read about one, nor of who was merged into one")
  func everywhere() {
    core.run("ROLE.GRANT tina training-administrator")
    core.run("ROLE.GRANT sue super-administrator")
    core.run("USER.CREATE old WORKSPACE plan PRODUCT plan/app NOINVITE")
    let entry = core.run("ENTRY.ADD old START 1 END 2 WORKSPACE plan")["entry"]
    core.run("USER.MERGE sue old")
    core.run("ENTRY.CORRECT \(entry) NOTE secret")
    for options in ["", "WORKSPACE plan", "ENTITY entry #\(entry)"] {
      let text = trail(options)
      #expect(!text.contains("0600-77") && !text.contains("secret"), "\(options): \(text)")
    }
    let feed = "\(core.run("FEED.READ 0 COUNT 1000", as: token))"
    #expect(!feed.contains("0600-77") && !feed.contains("secret"))
    #expect(trail("").contains("0600-11") && feed.contains("0600-11"))
    // Over plan she is one herself.
    core.run("ROLE.REVOKE sue super-administrator")
    core.run("ROLE.GRANT sue super-administrator WORKSPACE plan")
    core.run("ROLE.GRANT tina super-administrator WORKSPACE plan")
    #expect(trail("USER sue").contains("0600-77") && trail("").contains("0600-77"))
  }

  @Test("L10: a super administrator elsewhere is not one here")
  func elsewhere() {
    core.run("WORKSPACE.CREATE other")
    core.run("WORKSPACE.MEMBER other tim")
    core.run("ROLE.GRANT tim super-administrator WORKSPACE other")
    #expect(trail("USER tim").contains("0600-11"))
  }

  @Test("L10, W4: refusals count super administrators and do not name them, nor do lists of whom somebody looks after")
  func names() {
    core.run("MANAGE.ADD tim USER sue WORKSPACE plan")
    let refusal = core.run("ACCOUNT.DELETE plan/Academy", as: token).text ?? ""
    #expect(
      refusal.hasPrefix("REFUSED account: 3 (") && !refusal.contains("sue") && refusal.contains("tim"), "\(refusal)")
    let links = core.run("MANAGE.LIST tim", as: token)
    #expect(links.items.count == 1)
    #expect(links[0]["name"].text == nil)
    #expect(core.run("MANAGE.LIST tim")[0]["name"].text == "sue")
  }
}
