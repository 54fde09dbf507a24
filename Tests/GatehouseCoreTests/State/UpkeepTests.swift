import Testing

@testable import GatehouseCore

@Suite struct UpkeepTests {
  private let core = CoreHarness(partitions: 1)

  private var cell: PartitionCell { core.cells[0] }

  private func begin() -> Upkeep { cell.state.beginUpkeep(at: core.now) }

  /// Does what a round of upkeep asks for, until it asks for nothing.
  private func finish() {
    for _ in 0..<1000 {
      let upkeep = begin()
      if upkeep.isEmpty { return }
      if upkeep.contains(.words) { cell.state.enterWords() }
      if upkeep.contains(.orders) { cell.state.enterOrders() }
      if upkeep.contains(.people) { cell.state.filePeople() }
      if upkeep.contains(.sessions) { core.expire() }
      if upkeep.contains(.users) { core.endRights() }
    }
    Issue.record("it never finds that nothing is left: \(begin())")
  }

  @Test func asksForWhatIsMissingAndThenForNothing() throws {
    #expect(begin() == [])
    core.seedUser("ana", products: [core.seedProduct("payroll")])
    core.run("USER.LIST SORT last")
    finish()
    #expect(begin() == [])
    core.run("USER.SET ana last Becker")
    #expect(begin() == [.words, .orders])
    cell.state.enterWords()
    #expect(begin() == [.orders])
    finish()

    // What a restart has read is not indexed.
    try core.restart()
    #expect(begin() == [.words, .orders, .people])
    finish()
    #expect(begin() == [])
  }

  @Test func asksForWhatIsDue() {
    core.seedUser("ana", products: [core.seedProduct("payroll")])
    core.run("SESSION.CREATE ana payroll TTL 10s")
    core.run("WORKSPACE.CREATE acme")
    core.run("WORKSPACE.MEMBER acme ana UNTIL 2100-01-01T00:00:00Z")
    finish()
    #expect(begin() == [])
    core.advance(11_000)
    #expect(begin() == [.sessions])
    core.expire()
    #expect(begin() == [])
    core.now = TimeText.time("2100-01-01T00:00:01Z")!
    #expect(begin() == [.users])
    core.endRights()
    #expect(begin() == [])
  }

  /// An order that nobody asks for makes room, although a round finds nothing else to do.
  @Test func dropsOrdersThatNobodyUses() {
    core.seedUser("ana", products: [core.seedProduct("payroll")])
    for order in ["last", "email"] { core.run("USER.LIST SORT \(order)") }
    finish()
    #expect(cell.state.people.orders.inUse == [.usersByLast, .usersByEmail])
    for _ in 0..<ListOrders.mostIdle { #expect(begin() == []) }
    #expect(cell.state.people.orders.inUse == [.usersByLast])
  }
}
