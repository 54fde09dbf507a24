import GatehouseTestSupport
import Testing

/// Timers and entries, for every system that records time.
@Suite("Timers and entries", .blocking)
struct TimersTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    gate = try server.client()
    try gate.ok("PRODUCT.CREATE clock")
    try gate.ok("USER.CREATE ana PRODUCT clock")
  }

  @Test("at most one timer runs a user and workspace; SWITCH stops the other in the same step")
  func oneTimer() throws {
    try gate.ok("WORKSPACE.CREATE side")
    try gate.ok("WORKSPACE.MEMBER side ana")
    #expect(try gate.isNull("TIMER.CURRENT ana"))
    try gate.refused("TIMER.STOP ana", with: "NOTFOUND timer")

    try gate.ok("TIMER.START ana PROJECT books NOTE first")
    try gate.refused("TIMER.START ana NOTE second", with: "CONFLICT timer-running")
    try gate.ok("TIMER.START ana WORKSPACE side NOTE elsewhere")
    #expect(try gate.fields("TIMER.CURRENT ana")["note"] == "first")

    try gate.ok("TIMER.START ana NOTE second SWITCH")
    #expect(try gate.fields("TIMER.CURRENT ana")["note"] == "second")
    #expect(try gate.pages("ENTRY.LIST ana").map { $0["note"] } == ["first"])
    #expect(try gate.pages("TIMER.RUNNING WORKSPACE side").map { $0["note"] } == ["elsewhere"])
  }

  @Test("entries are half-open and never end before they start")
  func entryBounds() throws {
    let start = nowMilliseconds() - 7_200_000
    try gate.refused("ENTRY.ADD ana START \(start) END \(start - 1)", with: "REFUSED")
    let entry = try gate.fields("ENTRY.ADD ana START \(start) END \(start + 3_600_000) NOTE review")
    #expect(entry.integer("start") == start && entry.integer("end") == start + 3_600_000)
    #expect(entry.integer("version") == 1)
    let id = try #require(entry["entry"])
    try gate.refused("ENTRY.CORRECT \(id) END \(start - 1)", with: "REFUSED")
    #expect(try gate.fields("ENTRY.GET \(id)").integer("version") == 1)

    try gate.ok("TIMER.START ana AT \(start)")
    try gate.refused("TIMER.STOP ana AT \(start - 1)", with: "REFUSED")
    try gate.refused("TIMER.STOP ana AT \(nowMilliseconds() + 86_400_000)", with: "REFUSED")
    #expect(try gate.fields("TIMER.STOP ana AT \(start)").integer("end") == start, "an empty entry is legal")
  }

  @Test("times are unix milliseconds or RFC 3339")
  func times() throws {
    let entry = try gate.fields(
      "ENTRY.ADD ana START 2026-03-02T09:00:00Z END 2026-03-02T11:30:00+01:00 PROJECT tax")
    let nine: Int64 = 1_772_442_000_000
    #expect(entry.integer("start") == nine)
    #expect(entry.integer("end") == nine + 5_400_000)
    try gate.refused("ENTRY.ADD ana START yesterday END 2026-03-02T11:30:00Z", with: "ERR")

    try gate.ok("ENTRY.ADD ana START 2026-03-03T09:00:00Z END 2026-03-03T10:00:00Z PROJECT tax")
    let march2 = try gate.pages("ENTRY.LIST ana FROM 2026-03-02T00:00:00Z TO 2026-03-03T00:00:00Z")
    #expect(march2.map { $0["entry"] } == [entry["entry"]])
    #expect(try gate.pages("ENTRY.LIST ana").count == 2)
  }

  @Test("history keeps every version with author and reason, also of a deleted entry")
  func history() throws {
    try gate.ok("ENTRY.ADD ana START 2026-03-02T09:00:00Z END 2026-03-02T10:00:00Z NOTE one")
    let id = try #require(try gate.pages("ENTRY.LIST ana").first?["entry"])
    let ana = gate.acting(as: try #require(try gate.fields("SESSION.CREATE ana clock")["session"]))
    try ana.ok("ENTRY.CORRECT \(id) NOTE two REASON 'typo'")
    try ana.ok("ENTRY.CORRECT \(id) END 2026-03-02T10:15:00Z")
    try ana.ok("ENTRY.DELETE \(id) REASON 'booked twice'")

    #expect(try gate.pages("ENTRY.LIST ana").isEmpty)
    let versions = try gate.list("ENTRY.HISTORY \(id)")
    #expect(versions.count >= 3)
    #expect(versions.map { $0["note"] }.prefix(2) == ["one", "two"])
    #expect(versions.compactMap { $0["reason"] }.contains("typo"))
    try gate.refused("ENTRY.CORRECT \(id) NOTE three", with: "NOTFOUND")
  }

  @Test("another individual neither starts, stops nor corrects")
  func othersTimers() throws {
    try gate.ok("USER.CREATE bo PRODUCT clock ROLE individual")
    let bo = gate.acting(as: try #require(try gate.fields("SESSION.CREATE bo clock")["session"]))
    try gate.ok("TIMER.START ana")
    try bo.refused("TIMER.STOP ana", with: "NOPERM")
    try bo.refused("TIMER.START ana", with: "NOPERM")
    try bo.ok("TIMER.START bo NOTE mine")
    let own = try bo.fields("TIMER.STOP bo")
    #expect(own["started-by"] == "bo" && own["stopped-by"] == "bo")
  }
}
