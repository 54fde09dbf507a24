import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// Memory of sessions that have ended.
@Suite("Vacant pages") struct VacantPagesTests {
  private func row(_ user: UInt32) -> SessionRow {
    var row = SessionRow()
    row.user = user
    row.created = 7
    return row
  }

  private func filled(_ count: Int) -> RowTable<SessionRow> {
    var table = RowTable<SessionRow>()
    for slot in 1...count { table.put(row(UInt32(slot)), at: slot) }
    return table
  }

  private func free(_ table: inout RowTable<SessionRow>, _ slots: ClosedRange<Int>) {
    for slot in slots { table.put(SessionRow(vacancy: UInt64(slot) << 32 | UInt64(slot + 1)), at: slot) }
  }

  @Test("vacant rows keep what they must, and other rows do not change")
  func kept() {
    var table = filled(300)
    free(&table, 65...192)
    table.giveBackVacantPages(limit: 100)
    #expect(table.vacancies.keys.sorted() == [1, 2])
    for slot in 65...192 {
      #expect(!table[slot].isUsed)
      #expect(table.vacantRow(slot).generation == UInt32(slot) && table.vacantRow(slot).next == UInt32(slot + 1))
    }
    #expect([1, 64, 193, 300].allSatisfy { table[$0].user == UInt32($0) })

    table.reuse(100, for: row(9))
    #expect(table[100].user == 9 && table.vacancies.keys.sorted() == [2])
    #expect(table.vacantRow(101).generation == 101 && table.vacantRow(99).next == 100)
    #expect(!table[101].isUsed && !table[150].isUsed)
  }

  @Test("a page with a row in use is not freed, nor is the last page")
  func notGivenBack() {
    var table = filled(100)
    free(&table, 1...100)
    table.put(row(5), at: 30)
    table.giveBackVacantPages(limit: 100)
    #expect(table.vacancies.isEmpty)
  }

  @Test("a copy keeps what it had")
  func copies() {
    var table = filled(128)
    var copy = table.copy()
    free(&table, 1...64)
    table.giveBackVacantPages(limit: 10)
    #expect(copy[10].user == 10)
    copy[10].user = 11
    let second = table.copy()
    table.reuse(10, for: row(3))
    #expect(second.vacantRow(10).generation == 10 && !second[10].isUsed && table[10].user == 3)
  }

  /// The replica, which the log alone makes, never frees pages.
  @Test("freeing memory does not change the state, and an ended session is not found")
  func sameState() throws {
    let core = CoreHarness(partitions: 1)
    core.seedUser("ana", products: [core.seedProduct("payroll")])
    func giveBack() { for _ in 0..<20 { core.cells[0].state.giveBackMemory() } }
    let tokens = (0..<400).map { _ in core.logIn("ana", "payroll") }
    for token in tokens[10..<390] { core.run("SESSION.REVOKE \(token)") }
    giveBack()
    #expect(core.cells[0].state.sessions.rows.vacancies.count > 3)
    core.expectReplicated()
    for token in [tokens[20], tokens[200]] { #expect(core.run("SESSION.CHECK \(token)").isNull) }
    for token in [tokens[5], tokens[395]] { #expect(!core.run("SESSION.CHECK \(token)").isNull) }

    let more = (0..<200).map { _ in core.logIn("ana", "payroll") }
    #expect(more.allSatisfy { !core.run("SESSION.CHECK \($0)").isNull })
    core.expectReplicated()
    for token in more { core.run("SESSION.REVOKE \(token)") }
    giveBack()
    core.expectReplicated()
    try core.restart()
    #expect(!core.run("SESSION.CHECK \(tokens[5])").isNull && core.run("SESSION.CHECK \(more[0])").isNull)
    _ = core.logIn("ana", "payroll")
    core.expectReplicated()
  }
}
