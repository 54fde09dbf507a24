import Testing

@testable import GatehouseCore

@Suite struct SessionCommandTests {
  private let core: CoreHarness
  private let payroll: ProductID
  private let ana: UserID

  init() {
    core = CoreHarness()
    payroll = core.seedProduct("payroll")
    ana = core.seedUser("ana", products: [payroll])
  }

  @Test func aTokenIsCheckedAndRevoked() {
    let opened = core.run("SESSION.CREATE ana payroll TTL 8h")
    #expect(opened["expires"].integer == core.now + 8 * 3_600_000)
    let token = opened["session"].text ?? ""
    #expect(token.utf8.count == SecretText.sessionTokenCount)
    core.advance(1000)
    let checked = core.run("SESSION.CHECK \(token)")
    #expect(
      checked.description
        == "{id: \(opened["id"]), kind: login, user: \(ana.raw), username: ana, product: payroll, workspace: main, "
        + "actor: nil, actor-id: nil, created: \(core.now - 1000), expires: \(opened["expires"]), last-seen: \(core.now)}"
    )
    #expect(core.run("SESSION.REVOKE \(token)").integer == 1)
    #expect(core.run("SESSION.CHECK \(token)").isNull)
    #expect(core.run("SESSION.REVOKE \(token)").integer == 0)
  }

  @Test("with TOKEN an id ends nobody's session") func endingByTokenAlone() {
    let opened = core.run("SESSION.CREATE ana payroll")
    for id in ["\(opened["id"])", "#\(opened["id"])"] {
      #expect(core.run("SESSION.REVOKE \(id) TOKEN").integer == 0, "\(id)")
    }
    #expect(!core.run("SESSION.CHECK \(opened["session"])").isNull)
    #expect(core.run("SESSION.REVOKE \(opened["session"]) TOKEN").integer == 1)
    #expect(core.run("SESSION.CHECK \(opened["session"])").isNull)
  }

  @Test func aTokenWithAnotherSecretFindsNothing() {
    let token = core.logIn("ana", "payroll")
    let forged = token.dropLast() + (token.hasSuffix("A") ? "B" : "A")
    #expect(core.run("SESSION.CHECK \(forged)").isNull)
    #expect(core.run("SESSION.CHECK gs_nonsense").isNull)
  }

  @Test func loginRulesAreCheckedAgainEachTime() {
    let token = core.logIn("ana", "payroll")
    core.apply(StatusSet(ana, old: .active, new: .locked))
    #expect(core.run("SESSION.CHECK \(token)").isNull)
    core.apply(StatusSet(ana, old: .locked, new: .active))
    #expect(core.run("SESSION.CHECK \(token)").isNull)
    let other = core.logIn("ana", "payroll")
    core.apply(
      AccessSet(
        ana, old: ProductAccess(product: payroll, isEnabled: true),
        new: ProductAccess(product: payroll, isEnabled: false)))
    #expect(core.run("SESSION.CHECK \(other)").isNull)
    #expect(core.run("SESSION.CREATE ana payroll").text == "REFUSED login: product-disabled")
  }

  @Test func anIdleSessionEndsAndAUsedOneDoesNot() {
    let token = core.logIn("ana", "payroll", "IDLE 80s")
    let before = core.log.count
    for _ in 0..<20 {
      core.advance(5000)
      #expect(!core.run("SESSION.CHECK \(token)").isNull)
    }
    // Logged when more than an eighth of the limit has passed: every third time.
    #expect(core.log.count - before == 6)
    core.advance(79_000)
    #expect(core.expire() == 0)
    #expect(!core.run("SESSION.CHECK \(token)").isNull)
    core.advance(81_000)
    #expect(core.expire() == 1)
    #expect(core.run("SESSION.CHECK \(token)").isNull)
    #expect(core.user("ana")?.row.sessionCount == 0)
  }

  /// A session that was reported as over stays over, even if the clock is set back.
  @Test func theCheckThatFindsASessionOverEndsIt() {
    let token = core.logIn("ana", "payroll", "TTL 2s")
    core.advance(2000)
    #expect(core.run("SESSION.CHECK \(token)").isNull)
    #expect(core.user("ana")?.row.sessionCount == 0)
    #expect(core.records.last?.first.changes.count == 1)
    #expect(core.horizon == core.lsn)
    core.now -= 2000
    #expect(core.run("SESSION.CHECK \(token)").isNull)
    core.expectReplicated()
  }

  @Test(arguments: [("", 300), ("IDLE 0", 300), ("IDLE 365d", 300), ("IDLE 80s", 80)])
  func thePolicyLimitsTheIdleLimit(words: String, seconds: Milliseconds) {
    core.seedPolicy("session.idle", "5m")
    let id = core.run("SESSION.CREATE ana payroll \(words)")["id"]
    #expect(core.run("SESSION.GET \(id)")["idle"].integer == seconds * 1000)
  }

  @Test func thePolicyLimitsTheTimeToLive() {
    core.seedPolicy("session.ttl", "8h")
    for words in ["", "TTL 9h", "TTL 8h"] {
      #expect(core.run("SESSION.CREATE ana payroll \(words)")["expires"].integer == core.now + 8 * 3_600_000)
    }
  }

  @Test func aRefusedLoginNamesTheRule() {
    #expect(core.run("SESSION.CREATE nobody payroll").text == "REFUSED login: unknown-user")
    #expect(core.run("SESSION.CREATE #9999999 payroll").text == "REFUSED login: unknown-user")
    #expect(core.run("SESSION.CREATE ana nothing").text == "REFUSED login: unknown-product")
  }

  /// Sessions do not change the user's LSN, but a crash must not take back what was said of them either.
  @Test func repliesAboutSessionsWaitForTheirRecords() {
    let token = core.logIn("ana", "payroll")
    #expect(core.run("USER.GET ana")["sessions"].integer == 1)
    #expect(core.horizon == core.lsn)
    core.run("SESSION.REVOKE \(token)")
    #expect(core.run("USER.GET ana")["sessions"].integer == 0)
    #expect(core.horizon == core.lsn)
    for _ in 0..<Limits.sessionsOfUser { core.run("SESSION.CREATE ana payroll") }
    #expect(core.run("SESSION.CREATE ana payroll").text?.hasPrefix("LIMIT sessions: ") == true)
    #expect(core.horizon == core.lsn)
  }

  @Test func sessionsThatCouldNotBeEndedAreDueAgain() {
    for _ in 0..<3 { core.run("SESSION.CREATE ana payroll TTL 10s") }
    core.advance(11_000)
    let cell = core.cells[core.partitioning.partition(of: ana)]
    let due = cell.state.dueSessions(at: core.now, limit: 16)
    #expect(due.count == 3)
    #expect(cell.state.dueSessions(at: core.now, limit: 16).isEmpty)
    core.run("SESSION.REVOKE \(due[0].raw)")
    cell.state.putBack(due)
    #expect(core.expire() == 1)
    #expect(core.user("ana")?.row.sessionCount == 0)
    #expect(cell.state.sessions.watchedDeadlines == 0)
  }

  @Test func anAnswerThatChangedNothingIsKeptToo() {
    core.run("POOL.SET payroll * 5")
    let before = core.lsn
    #expect(core.run("POOL.SET payroll * 5 IDEM k").text == "OK")
    #expect(core.lsn == before + 1)
    core.run("POOL.SET payroll * 3")
    #expect(core.run("POOL.SET payroll * 5 IDEM k").text == "OK")
    #expect(core.run("POOL.LIST payroll")[0]["bought"].integer == 3)
    #expect(core.run("POOL.SET payroll * 4 IDEM k").text?.hasPrefix("CONFLICT idem") == true)
    // A refused command changed nothing and may be tried again.
    #expect(core.run("POOL.SET payroll * 0 IDEM n").text?.hasPrefix("REFUSED pool: ") == true)
    core.run("PRODUCT.DISABLE ana payroll")
    #expect(core.run("POOL.SET payroll * 0 IDEM n").text == "OK")
    core.expectReplicated()
  }

  /// A read that writes has no reason to record.
  @Test func aCheckWithOptionsNotesTheUseToo() {
    let token = core.logIn("ana", "payroll", "IDLE 80s")
    core.advance(20_000)
    #expect(!core.run("SESSION.CHECK \(token) PRODUCT payroll").isNull)
    #expect(core.changes.count == 1)
  }

  @Test func aSlotIsReusedUnderAnotherId() {
    let first = core.run("SESSION.CREATE ana payroll")
    core.run("SESSION.REVOKE \(first["id"])")
    let second = core.run("SESSION.CREATE ana payroll")
    #expect(first["id"] != second["id"])
    #expect(core.run("SESSION.GET \(first["id"])").text == "NOTFOUND session #\(first["id"])")
    #expect(core.run("SESSION.GET \(second["id"])")["id"] == second["id"])
  }

  @Test func allButOneAreRevoked() {
    let ids = (0..<4).map { _ in core.run("SESSION.CREATE ana payroll")["id"].integer ?? 0 }
    #expect(core.run("SESSION.LIST ana").items.map { $0["id"].integer } == ids.reversed())
    #expect(core.run("SESSION.REVOKEALL ana EXCEPT \(ids[1])").integer == 3)
    #expect(core.run("SESSION.LIST ana").items.map { $0["id"].integer } == [ids[1]])
  }

  @Test func theSameKeyAnswersWithTheSameToken() {
    let first = core.run("SESSION.CREATE ana payroll IDEM k1")
    let length = core.log.count
    core.advance(60_000)
    #expect(core.run("SESSION.CREATE ana payroll IDEM k1") == first)
    #expect(core.log.count == length)
    #expect(core.run("SESSION.CREATE ana payroll TTL 1h IDEM k1").text?.hasPrefix("CONFLICT idem") == true)
    core.advance(Limits.idempotencyLife)
    #expect(core.run("SESSION.CREATE ana payroll IDEM k1")["id"] != first["id"])
  }

  @Test func usersSeeTheirOwnAndAdministratorsSeeAll() {
    core.seedUser("ben", products: [payroll])
    core.seedUser("tom", products: [payroll], roles: [.trainingAdministrator])
    let own = core.logIn("ana", "payroll")
    let other = core.logIn("ben", "payroll")
    let administrator = core.logIn("tom", "payroll")
    #expect(core.run("SESSION.LIST ana", as: own).items.count == 1)
    #expect(core.run("SESSION.LIST ana", as: other).text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("SESSION.LIST ana", as: administrator).items.count == 1)
    #expect(core.run("SESSION.REVOKE \(other)", as: own).text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("SESSION.REVOKE \(own)", as: own).integer == 1)
    #expect(core.run("SESSION.LIST ana", as: own).text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("SESSION.CREATE ana payroll", as: administrator).text?.hasPrefix("NOPERM ") == true)
  }
}
