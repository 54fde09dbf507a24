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
