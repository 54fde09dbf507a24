import Testing

@testable import GatehouseCore

/// Sessions that depend on a right end in the record that takes it away, and do not come back with it.
@Suite struct LosingRightsTests {
  private let core = CoreHarness(partitions: 16)
  private let acme: WorkspaceID

  init() {
    for line in [
      "PRODUCT.CREATE payroll", "WORKSPACE.CREATE acme PLAN enterprise", "PRODUCT.CREATE acme/crm",
      "USER.CREATE tom PRODUCT payroll ROLE training-administrator",
      "USER.CREATE root PRODUCT payroll ROLE super-administrator", "USER.CREATE ana PRODUCT payroll PRODUCT acme/crm",
      "USER.CREATE olga PRODUCT payroll PRODUCT acme/crm", "USER.CREATE ole PRODUCT payroll PRODUCT acme/crm",
      "USER.CREATE lena PRODUCT payroll PRODUCT acme/crm",
      "ROLE.GRANT lena training-administrator WORKSPACE acme", "WORKSPACE.SET acme owner olga",
    ] {
      let answer = core.run(line)
      precondition(!answer.isError, "\(line): \(answer)")
    }
    acme = core.directory.state.view.workspaceID("acme") ?? 0
  }

  private func impersonate(_ actor: String, _ target: String, _ options: String = "") -> Answer {
    let answer = core.run("IMPERSONATE.START \(core.logIn(actor, "payroll")) \(target) REASON help \(options)")
    #expect(!answer.isError, "\(answer)")
    return answer
  }

  private func causes(_ id: Answer, _ changes: [AnyChange]) -> [String] {
    changes.compactMap {
      guard let ended = $0.as(SessionEnded.self), Int64(ended.session.raw) == id.integer else { return nil }
      return ended.cause.name
    }
  }

  /// The token leads nowhere, nobody can act with it, and no list shows it.
  private func expectGone(_ session: Answer, _ location: SourceLocation = #_sourceLocation) {
    let token = session["session"].text ?? ""
    #expect(core.run("SESSION.CHECK \(token)").isNull, sourceLocation: location)
    #expect(core.run("USER.GET ana", as: token).text?.hasPrefix("NOPERM ") == true, sourceLocation: location)
    #expect(
      !core.run("IMPERSONATE.LIST").items.contains { $0["id"] == session["id"] }, sourceLocation: location)
    #expect(
      core.run("SESSION.GET \(session["id"])").text == "NOTFOUND session #\(session["id"])", sourceLocation: location)
  }

  struct Loss: CustomTestStringConvertible, Sendable {
    let actor: String
    let options: String
    /// Makes the loss possible.
    let before: [String]
    let taking: String
    /// Gives the right back.
    let giving: [String]
    let cause: String

    init(
      _ actor: String, in options: String = "", before: [String] = [], _ taking: String, back giving: [String] = [],
      cause: String
    ) {
      self.actor = actor
      self.options = options
      self.before = before
      self.taking = taking
      self.giving = giving
      self.cause = cause
    }

    var testDescription: String { "\(actor) \(options): \(taking)" }
  }

  /// The ways to lose the right to act as ana.
  static let losses: [Loss] = [
    Loss(
      "tom", "ROLE.REVOKE tom training-administrator", back: ["ROLE.GRANT tom training-administrator"],
      cause: "right-lost"),
    Loss(
      "lena", in: "WORKSPACE acme", "ROLE.REVOKE lena training-administrator WORKSPACE acme",
      back: ["ROLE.GRANT lena training-administrator WORKSPACE acme"], cause: "right-lost"),
    Loss(
      "olga", in: "WORKSPACE acme", "WORKSPACE.TRANSFER acme ole", back: ["WORKSPACE.TRANSFER acme olga"],
      cause: "right-lost"),
    Loss(
      "olga", in: "WORKSPACE acme", "WORKSPACE.SET acme owner ole", back: ["WORKSPACE.SET acme owner olga"],
      cause: "right-lost"),
    Loss(
      "tom", "ROLE.GRANT ana training-administrator", back: ["ROLE.REVOKE ana training-administrator"],
      cause: "right-lost"),
    Loss(
      "root", "ROLE.GRANT ana super-administrator", back: ["ROLE.REVOKE ana super-administrator"], cause: "right-lost"),
    Loss("tom", "USER.STATUS tom locked", back: ["USER.STATUS tom active"], cause: "actor-ended"),
    Loss("tom", "USER.STATUS ana inactive", back: ["USER.STATUS ana new"], cause: "status-changed"),
    Loss("tom", "USER.DELETE tom REASON gone", cause: "actor-ended"),
    Loss(
      "tom", "PRODUCT.DISABLE tom payroll", back: ["PRODUCT.ENABLE tom payroll"], cause: "actor-ended"),
    Loss(
      "tom", in: "PRODUCT acme/crm", "PRODUCT.DISABLE ana acme/crm", back: ["PRODUCT.ENABLE ana acme/crm"],
      cause: "access-removed"),
    Loss(
      "lena", in: "WORKSPACE acme", "WORKSPACE.MEMBER acme ana REMOVE", back: ["WORKSPACE.MEMBER acme ana"],
      cause: "access-removed"),
    Loss(
      "olga", in: "WORKSPACE acme", "WORKSPACE.MEMBER acme ana REMOVE", back: ["WORKSPACE.MEMBER acme ana"],
      cause: "access-removed"),
    Loss(
      "lena", in: "WORKSPACE acme", "WORKSPACE.MEMBER acme lena REMOVE",
      back: [
        "WORKSPACE.MEMBER acme lena",
        "ROLE.GRANT lena training-administrator WORKSPACE acme",
      ], cause: "right-lost"),
    Loss(
      "tom", in: "PRODUCT acme/crm", before: ["WORKSPACE.SET acme policy.login.within-employment on"],
      "USER.SET ana released 2026-02-01", back: ["USER.SET ana released 2030-01-01"], cause: "employment-ended"),
    Loss(
      "tom", before: ["WORKSPACE.SET main policy.login.within-employment on"], "USER.SET tom hired 2026-04-01",
      back: ["USER.SET tom hired 2020-04-01"], cause: "actor-ended"),
  ]

  @Test(arguments: losses)
  func endedSessionsDoNotComeBack(loss: Loss) {
    for line in loss.before { #expect(!core.run(line).isError) }
    let session = impersonate(loss.actor, "ana", loss.options)
    let other = impersonate("root", "ole")
    let answer = core.run(loss.taking)
    #expect(!answer.isError, "\(answer)")
    // In the same record as the loss.
    #expect(causes(session["id"], core.changes) == [loss.cause])
    for line in loss.giving { #expect(!core.run(line).isError, "\(line)") }
    expectGone(session)
    #expect(!core.run("SESSION.CHECK \(other["session"].text ?? "")").isNull)
    core.expectReplicated()
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  /// A login ends likewise, with the impersonations that began from it.
  @Test func aLoginEndsWithItsProduct() {
    core.run("POOL.SET payroll seat 9")
    for line in ["LICENCE.ASSIGN tom payroll seat", "LICENCE.ASSIGN ana payroll seat"] { core.run(line) }
    let login = core.logIn("tom", "payroll")
    let session = core.run("IMPERSONATE.START \(login) ana REASON help")
    core.run("LICENCE.REMOVE tom payroll")
    #expect(causes(session["id"], core.changes) == ["actor-ended"])
    #expect(core.changes.count == 3)
    core.run("LICENCE.ASSIGN tom payroll seat")
    #expect(core.run("SESSION.CHECK \(login)").isNull)
    expectGone(session)
  }

  /// Changes that take nothing away end nothing.
  @Test func otherSessionsContinue() {
    let session = impersonate("tom", "ana")
    for line in [
      "ROLE.GRANT ana manager", "ROLE.REVOKE ana manager", "PRODUCT.DISABLE ana acme/crm", "USER.SET ana first Ana",
      "USER.SET ana released 2026-02-01", "USER.STATUS ana new", "WORKSPACE.TRANSFER acme ole",
      "USER.RENAME tom thomas",
      "ROLE.GRANT thomas manager", "POOL.SET acme/crm office 3",
    ] {
      #expect(!core.run(line).isError)
      #expect(causes(session["id"], core.changes) == [], "\(line)")
    }
    #expect(!core.run("SESSION.CHECK \(session["session"].text ?? "")").isNull)
  }

  // MARK: What concerns everybody

  struct Restriction: CustomTestStringConvertible, Sendable {
    let actor: String
    let options: String
    let before: [String]
    let on: String
    let off: String

    var testDescription: String { on }
  }

  static let restrictions: [Restriction] = [
    Restriction(
      actor: "lena", options: "WORKSPACE acme", before: [], on: "WORKSPACE.SET acme policy.accounts.needs-owner on",
      off: "WORKSPACE.SET acme policy.accounts.needs-owner off"),
    Restriction(
      actor: "olga", options: "WORKSPACE acme", before: ["WORKSPACE.SET acme policy.accounts.needs-enterprise on"],
      on: "WORKSPACE.SET acme plan free", off: "WORKSPACE.SET acme plan enterprise"),
    Restriction(
      actor: "olga", options: "WORKSPACE acme", before: ["WORKSPACE.SET acme plan free"],
      on: "WORKSPACE.SET acme policy.accounts.needs-enterprise on",
      off: "WORKSPACE.SET acme policy.accounts.needs-enterprise off"),
    Restriction(
      actor: "tom", options: "PRODUCT acme/crm", before: ["USER.SET ana released 2026-02-01"],
      on: "WORKSPACE.SET acme policy.login.within-employment on",
      off: "WORKSPACE.SET acme policy.login.within-employment off"),
    Restriction(
      actor: "tom", options: "WORKSPACE acme", before: [], on: "WORKSPACE.SET acme subdomain acme",
      off: "WORKSPACE.SET acme subdomain \"\""),
    Restriction(
      actor: "tom", options: "PRODUCT acme/crm", before: [], on: "POOL.SET acme/crm office 5",
      off: "LICENCE.ASSIGN ana acme/crm office"),
    Restriction(
      actor: "tom", options: "WORKSPACE acme", before: [], on: "WORKSPACE.SET acme profile clockify",
      off: "WORKSPACE.SET acme profile actitime"),
  ]

  /// A setting that takes a right away ends what rests on it in the same record, wherever the session lives.
  @Test(arguments: restrictions)
  func aSettingEndsWhatItForbidsInItsOwnRecord(restriction: Restriction) {
    for line in restriction.before { #expect(!core.run(line).isError) }
    let session = impersonate(restriction.actor, "ana", restriction.options)
    // Of somebody who is not in acme.
    let other = impersonate("root", "tom")
    #expect(!core.run(restriction.on).isError)
    #expect(causes(session["id"], core.changes).count == 1, "\(restriction.on)")
    #expect(causes(other["id"], core.changes) == [])
    #expect(!core.run(restriction.off).isError)
    expectGone(session)
    core.expectReplicated()
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  /// What logs of earlier versions have: a setting, or a first pool, that ends nothing by itself.
  private func restrictAsBefore(_ line: String) {
    let words = CoreHarness.words(line)
    let view = core.directory.state.view
    if line.hasPrefix("POOL"), let product = view.products.first(where: { view.productName($0) == words[1] }) {
      return core.apply(PoolSet(product.id, type: words[2], old: nil, new: UInt32(words[3]) ?? 0))
    }
    let workspace = core.directory.state.view.workspace(acme)
    var settings = [(words[2], words[3])]
    if words[2] == "profile" { settings = [("policy.accounts.needs-owner", "on")] }
    for (key, value) in settings {
      core.apply(WorkspaceSet(acme, key: key, old: workspace.text(key) ?? "", new: value))
    }
  }

  /// Whoever notices it ends it: with the token, by acting, by a list.
  @Test(
    arguments: restrictions,
    [
      "SESSION.CHECK token", "AS token TIMER.CURRENT ana", "IMPERSONATE.LIST", "SESSION.LIST ana", "SESSION.GET id",
      "USER.GET ana",
    ])
  func whoFindsItEndsIt(restriction: Restriction, finding: String) {
    for line in restriction.before { #expect(!core.run(line).isError) }
    let session = impersonate(restriction.actor, "ana", restriction.options)
    restrictAsBefore(restriction.on)
    let line = finding.replacing("token", with: session["session"].text ?? "").replacing("id", with: "\(session["id"])")
    let answer = core.run(line)
    switch finding.split(separator: " ")[0] {
    case "SESSION.CHECK": #expect(answer.isNull)
    case "AS": #expect(answer.text?.hasPrefix("NOPERM a session in force") == true)
    case "SESSION.GET": #expect(answer.text == "NOTFOUND session #\(session["id"])")
    case "USER.GET": #expect(answer["sessions"].integer == 0)
    default: #expect(answer.items.isEmpty)
    }
    #expect(causes(session["id"], core.changes).count == 1)
    #expect(core.horizon == core.lsn)
    #expect(!core.run(restriction.off).isError)
    expectGone(session)
    core.expectReplicated()
  }

  /// Nobody looked while the restriction was in force: the session has lost its right all the same, also after a
  /// restart.
  @Test(arguments: restrictions)
  func liftingTheRestrictionDoesNotBringItBack(restriction: Restriction) throws {
    for line in restriction.before { #expect(!core.run(line).isError) }
    let session = impersonate(restriction.actor, "ana", restriction.options)
    restrictAsBefore(restriction.on)
    try core.restart()
    #expect(!core.run(restriction.off).isError)
    try core.restart()
    expectGone(session)
    // New sessions are not affected.
    if restriction.on.contains("policy") {
      #expect(
        !core.run("SESSION.CHECK \(impersonate(restriction.actor, "ana", restriction.options)["session"])").isNull)
    }
    core.expectReplicated()
  }

  @Test("P10: the first pool ends the sessions of those without a licence at once, whoever looks or does not")
  func aFirstPoolEndsWhatNeedsALicence() {
    let (login, other) = (core.run("SESSION.CREATE ana payroll"), core.run("SESSION.CREATE ana acme/crm"))
    core.run("POOL.SET payroll * 9")
    #expect(causes(login["id"], core.changes) == [])
    core.run("POOL.SET payroll office 5")
    #expect(causes(login["id"], core.changes) == ["licence-removed"])
    core.run("LICENCE.ASSIGN ana payroll office")
    #expect(core.run("SESSION.CHECK \(login["session"])").isNull)
    #expect(!core.run("SESSION.CHECK \(other["session"])").isNull)
    let licensed = core.logIn("ana", "payroll")
    core.run("POOL.SET payroll guest 5")
    #expect(!core.run("SESSION.CHECK \(licensed)").isNull)
    core.expectReplicated()
  }

  @Test("L10: a workspace's time zone moves the day that ends a reach, at once and for good")
  func theTimeZoneEndsReach() {
    let core = CoreHarness(partitions: 8, now: CoreHarness.start + 6 * 3_600_000)
    for line in [
      "WORKSPACE.CREATE f", "PRODUCT.CREATE f/app", "ACCOUNT.CREATE Jot CUSTOMER WORKSPACE f",
      "ROLE.DEFINE helper impersonate user.read WORKSPACE f",
      "USER.CREATE hal WORKSPACE f PRODUCT f/app NOINVITE", "ROLE.GRANT hal helper ACCOUNT f/Jot",
      "USER.CREATE ivy WORKSPACE f PRODUCT f/app ACCOUNT f/Jot NOINVITE",
      "EMPLOY.SET ivy f/Jot TO \(TimeText.text(of: core.now).prefix(10))",
    ] {
      let answer = core.run(line)
      #expect(!answer.isError, "\(line): \(answer)")
    }
    let session = core.run("IMPERSONATE.START \(core.logIn("hal", "f/app")) ivy REASON r WORKSPACE f")
    #expect(!core.run("SESSION.CHECK \(session["session"])").isNull)
    core.run("WORKSPACE.SET f policy.timezone Pacific/Kiritimati")
    #expect(causes(session["id"], core.changes).count == 1)
    core.run("WORKSPACE.SET f policy.timezone UTC")
    #expect(core.run("SESSION.CHECK \(session["session"])").isNull)
    core.expectReplicated()
  }

  // MARK: What comes by date

  @Test func aReleaseThatComesEndsALoginForGood() {
    core.run("WORKSPACE.SET main policy.login.within-employment on")
    core.run("USER.SET ana released 2026-03-02")
    let (checked, left) = (
      core.run("SESSION.CREATE ana payroll TTL 12h"), core.run("SESSION.CREATE ana payroll TTL 12h")
    )
    #expect(!core.run("SESSION.CHECK \(checked["session"])").isNull)
    core.advance(11 * 3_600_000)
    core.run("USER.SET ana released 2026-02-28")
    #expect(causes(left["id"], core.changes) == ["employment-ended"])

    core.run("USER.SET ana released 2026-03-01")
    let late = core.run("SESSION.CREATE ana payroll TTL 12h")
    let found = core.run("SESSION.CREATE ana payroll TTL 12h")
    core.advance(6 * 3_600_000)
    #expect(core.run("SESSION.CHECK \(found["session"])").isNull)
    #expect(causes(found["id"], core.changes) == ["employment-ended"])
    // The session that nobody checked ends when the date is moved.
    core.run("USER.SET ana released \"\"")
    #expect(causes(late["id"], core.changes) == ["employment-ended"])
    for session in [checked, left, late, found] { #expect(core.run("SESSION.CHECK \(session["session"])").isNull) }
  }

  /// Lists of people count only sessions in force.
  @Test func aLapsedSessionIsNotCounted() {
    core.run("SESSION.CREATE ana payroll")
    core.run("SESSION.CREATE ole payroll")
    core.run("PRODUCT.CREATE desk")
    core.run("PRODUCT.ENABLE ole desk")
    core.run("SESSION.CREATE ole desk")
    for name in ["ana", "ole"] { core.run("PRODUCT.ENABLE \(name) payroll UNTIL \(core.now + 1000)") }
    #expect(core.run("USER.COUNT WHERE sessions > 0").integer == 2)
    core.advance(1000)
    #expect(core.run("USER.COUNT WHERE sessions > 0").integer == 1)
    #expect(core.run("USER.LIST WHERE sessions = 1 FIELDS 1 username")[1].items.map { $0["username"].text } == ["ole"])
    #expect(core.run("USER.GET ole")["sessions"].integer == 1)
  }

  // MARK: Refusals

  /// A refused command changes only what it noticed.
  @Test func anImpersonationFromALapsedLoginEndsTheLogin() {
    core.run("WORKSPACE.SET main policy.login.within-employment on")
    core.run("USER.SET tom released 2026-03-01")
    core.advance(6 * 3_600_000)
    let login = core.run("SESSION.CREATE tom payroll TTL 12h")
    core.advance(11 * 3_600_000)
    #expect(
      core.run("IMPERSONATE.START \(login["session"]) ana REASON help").text
        == "REFUSED impersonation: actor-status; log in again, with a status that may log in")
    #expect(causes(login["id"], core.changes) == ["employment-ended"])
    #expect(core.records.last?.first.header.command == "IMPERSONATE.START")
    core.run("USER.SET tom released \"\"")
    #expect(core.run("SESSION.CHECK \(login["session"])").isNull)
  }

  /// Lacking access to another product does not end the session.
  @Test func askingForAnotherProductEndsNothing() {
    let login = core.run("SESSION.CREATE tom payroll")
    #expect(core.run("SESSION.CHECK \(login["session"]) PRODUCT acme/crm").isNull)
    #expect(core.changes.isEmpty)
    #expect(!core.run("SESSION.CHECK \(login["session"])").isNull)
  }
}
