import Testing

@testable import GatehouseCore

@Suite("Time set back by an operator") struct ClockSetTests {
  @Test func endsEverythingWithAnOldDeadline() {
    let core = CoreHarness(partitions: 8)
    core.run("PRODUCT.CREATE payroll")
    for name in ["ana", "bob", "root"] { core.run("USER.CREATE \(name) PRODUCT payroll NOINVITE") }
    core.run("ROLE.GRANT root super-administrator")
    core.advance(100 * 365 * TimeText.day)
    let tokens = ["ana", "bob", "root"].map { core.logIn($0, "payroll") }
    let impersonation = core.run("IMPERSONATE.START \(tokens[2]) ana REASON help")["session"].text!
    let answer = core.run("USER.SET ana department IT IDEM key-1")
    #expect(answer.integer == 1)
    let future = core.now
    core.now = CoreHarness.start
    core.apply(ClockSet(old: future, new: core.now))
    for token in tokens + [impersonation] { #expect(core.run("SESSION.CHECK \(token)").isNull) }
    #expect(core.run("IMPERSONATE.LIST").items.isEmpty)
    #expect(core.run("SESSION.LIST ana").items.isEmpty)
    #expect(core.run("USER.SET ana department HR IDEM key-1").integer == 1)
    #expect(core.expire() == 0)
    // Everything continues from there.
    let next = core.logIn("ana", "payroll")
    #expect(!core.run("SESSION.CHECK \(next)").isNull)
    #expect(Invariants.check(core.cells, core.wholeDirectory).isEmpty)
    core.expectReplicated()
    let text = ClockSet(old: future, new: core.now).text(in: nil)
    #expect(text.kind == "clock-set")
    #expect(text.description.contains("2126-") && text.description.contains("2026-03-01T09:00:00.000Z"))
  }

  /// L6: the keys of days that come again are destroyed. Answers kept then have keys of their own, also after a restart.
  @Test func answersOfDaysThatComeAgainHaveKeysOfTheirOwn() throws {
    let core = CoreHarness()
    core.run("USER.CREATE ana NOINVITE")
    func kept(_ key: String) -> AnswerKept? {
      core.run("USER.SET ana department \(key) IDEM \(key)")
      return core.changes.compactMap { $0.as(AnswerKept.self) }.first
    }
    let first = try #require(kept("first"))
    let former = core.now
    core.now -= 30 * TimeText.day
    core.apply(ClockSet(old: former, new: core.now))
    let again = try #require(kept("again"))
    #expect(first.era == 0 && again.era == 1)
    // As if every day up to the former time were destroyed: the answer is sealed nevertheless.
    let gone = (0..<40).map { SealKey.answers(until: first.until - $0 * TimeText.day) }
    let keys = try #require(again.sealing).keys
    #expect(keys.count > 1 && Set(keys).isDisjoint(with: gone))
    #expect(try #require(first.sealing).keys.contains(gone[0]))
    try core.restart()
    #expect(core.run("USER.SET ana department again IDEM again").integer == 1)
    #expect(core.changes.isEmpty, "it is answered as before, and does nothing")
    #expect(kept("later")?.era == 1)
    core.expectReplicated()
  }

  /// Deadlines are stored in 32-bit seconds, which end in 2106.
  @Test func sessionsOfTheNextCenturyAreCheckedOnce() {
    let core = CoreHarness(partitions: 1, now: TimeText.time("2126-01-01T00:00:00Z")!)
    core.run("PRODUCT.CREATE payroll")
    core.run("USER.CREATE ana PRODUCT payroll NOINVITE")
    let token = core.logIn("ana", "payroll", "TTL 2s")
    #expect(core.expire() == 0)
    #expect(!core.run("SESSION.CHECK \(token)").isNull)
    core.advance(2000)
    #expect(core.expire() == 1)
    #expect(core.run("SESSION.CHECK \(token)").isNull)
  }
}
