import Testing

@testable import GatehouseCore

/// B12: the policy `session.max`.
@Suite struct SessionLimitTests {
  let core = CoreHarness(partitions: 4)

  init() {
    core.run("PRODUCT.CREATE payroll")
    core.run("PRODUCT.CREATE office")
    core.run("USER.CREATE ana PRODUCT payroll PRODUCT office NOINVITE")
  }

  private func open(_ product: String = "payroll") -> (id: Int64, token: String) {
    core.now += 1000
    let session = core.run("SESSION.CREATE ana \(product)")
    return (session["id"].integer ?? 0, session["session"].text ?? "")
  }

  private func ids(_ user: String = "ana") -> [Int64] {
    core.run("SESSION.LIST \(user)").items.compactMap { $0["id"].integer }
  }

  @Test("B12: the login that was used least lately ends for one more, in the same record") func theLeastUsedEnds()
    throws
  {
    core.run("WORKSPACE.SET main policy.session.max 2")
    let (first, second) = (open(), open("office"))
    core.now += 1000
    #expect(!core.run("SESSION.CHECK \(first.token)").isNull)
    let lsn = core.lsn
    let third = open()
    #expect(core.lsn == lsn + 1)
    let changes = DryRunTests.texts(core.changes, core)
    #expect(changes.map { $0.prefix { $0 != " " } } == ["session-opened", "session-ended"])
    #expect(changes.last?.contains("cause: nil → displaced") == true)
    #expect(ids() == [third.id, first.id])
    #expect(core.run("SESSION.CHECK \(second.token)").isNull)
    core.expectReplicated()
    // Slots that are given back and taken again in turn.
    for _ in 0..<20 { _ = open() }
    #expect(ids().count == 2)
    core.expectReplicated()
    try core.restart()
    #expect(ids().count == 2)
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test("B12: a lower number ends at the next login what is too many") func lowering() {
    let all = (0..<5).map { _ in open() }
    core.run("WORKSPACE.SET main policy.session.max 3")
    #expect(ids().count == 5)
    let trial = core.run("SESSION.CREATE ana payroll DRYRUN")
    #expect(
      trial["changes"].items.map { $0["change"].text } == ["session-opened"]
        + Array(repeating: "session-ended", count: 3))
    let next = open()
    #expect(ids() == [next.id, all[4].id, all[3].id])
    core.run("WORKSPACE.SET main policy.session.max 0")
    for _ in 0..<4 { _ = open() }
    #expect(ids().count == 7)
    core.expectReplicated()
  }

  @Test("B12: one that is over does not count, nor do impersonations") func whatCounts() {
    core.run("WORKSPACE.SET main policy.session.max 2")
    core.run("USER.CREATE tom PRODUCT payroll ROLE training-administrator NOINVITE")
    let tom = core.logIn("tom", "payroll")
    let acting = core.run("IMPERSONATE.START \(tom) ana REASON help")["id"].integer ?? 0
    let first = open()
    core.run("SESSION.CREATE ana payroll TTL 1s")
    core.now += 2000
    let second = open()
    #expect(ids() == [second.id, first.id, acting])
    let third = open()
    #expect(ids() == [third.id, second.id, acting])
    core.expectReplicated()
  }

  @Test("B12: impersonations end with the login that began them") func impersonationsEnd() {
    core.run("WORKSPACE.SET main policy.session.max 1")
    core.run("USER.CREATE tom PRODUCT payroll ROLE training-administrator NOINVITE")
    let tom = core.logIn("tom", "payroll")
    let acting = core.run("IMPERSONATE.START \(tom) ana REASON help")["session"].text ?? ""
    _ = core.logIn("tom", "payroll")
    #expect(core.run("SESSION.CHECK \(acting)").isNull)
    core.expectReplicated()
  }

  @Test("W4: each workspace counts its own") func twoWorkspaces() {
    core.run("WORKSPACE.CREATE acme")
    core.run("PRODUCT.CREATE acme/app")
    core.run("PRODUCT.ENABLE ana acme/app")
    core.run("WORKSPACE.SET acme policy.session.max 1")
    let (main, other) = (open(), open())
    let first = open("acme/app")
    #expect(ids() == [first.id, other.id, main.id])
    let second = open("acme/app")
    #expect(ids() == [second.id, other.id, main.id])
  }

  @Test("B12, W6: a service of one product ends no sessions of others") func productServices() {
    core.run("SERVICE.CREATE free ADMIN")
    core.run("SERVICE.CREATE pay READ SESSIONS PRODUCT payroll")
    core.run("WORKSPACE.SET main policy.session.max 2")
    let others = [open("office"), open("office")]
    core.connection = ConnectionFacts(id: 2, service: 2, rights: [.read, .sessions], isBound: true)
    let (first, second, third) = (open(), open(), open())
    #expect(core.run("SESSION.CHECK \(first.token)").isNull)
    #expect([second, third].allSatisfy { !core.run("SESSION.CHECK \($0.token)").isNull })
    core.connection = ConnectionFacts(id: 1, service: 0, rights: .all)
    #expect(others.allSatisfy { !core.run("SESSION.CHECK \($0.token)").isNull })
    // One who knows all ends as many as are too many.
    let last = open("office")
    #expect(ids() == [last.id, third.id])
    core.expectReplicated()
  }

  @Test func thePolicyIsANumber() {
    #expect(
      core.run("WORKSPACE.SET main policy.session.max many").text?.contains("a number from 0 to 1000") == true)
    #expect(core.run("WORKSPACE.SET main policy.session.max 1001").isError)
    #expect(core.run("WORKSPACE.GET main")["policy.session.max"].text == "0")
  }
}
