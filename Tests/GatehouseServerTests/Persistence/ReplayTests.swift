import GatehouseCore
import GatehouseStorage
import GatehouseTestSupport
import Testing

/// The state that comes back, however many threads bring it.
@Suite("Replay")
struct ReplayTests {
  @Test("several threads come to the same state as one, with and without a snapshot")
  func sameState() throws {
    let server = try TestServer(.init(lanes: 2, arguments: ["--segment-bytes", "1mb"]))
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try fill(gate, "a")
    server.kill()
    try compare(server, expectsSnapshot: false)
    try server.start()
    let again = try server.client()
    try fill(again, "b")
    try again.ok("SAVE")
    try fill(again, "c")
    server.kill()
    try compare(server, expectsSnapshot: true)
  }

  /// Changes of every kind of owner: names that move between partitions, seats, roles, sessions, time.
  private func fill(_ gate: Client, _ prefix: String) throws {
    try gate.ok("POOL.SET payroll * \(prefix == "a" ? 900 : 1000)")
    for number in 0..<40 {
      let name = "\(prefix)\(number)"
      try gate.ok("USER.CREATE \(name) FIRST \(name) PRODUCT payroll ROLE manager")
      let token = try #require(try gate.fields("SESSION.CREATE \(name) payroll")["session"])
      try gate.ok("TIMER.START \(name) NOTE \(name)")
      if number.isMultiple(of: 2) { try gate.ok("TIMER.STOP \(name)") }
      if number.isMultiple(of: 3) { try gate.ok("SESSION.REVOKE \(token)") }
      if number.isMultiple(of: 4) { try gate.ok("USER.RENAME \(name) moved-\(name)") }
      if number % 4 == 1 { try gate.ok("ROLE.GRANT \(name) super-administrator") }
    }
  }

  private func compare(_ server: TestServer, expectsSnapshot: Bool) throws {
    let folder = try DataFolder.open(server.dataPath)
    defer { folder.close() }
    var states: [(state: ContiguousArray<UInt8>, end: LogEnd, records: Int)] = []
    for threads in [0, 1, 3, 64] {
      let recovery = try Recovery.open(folder)
      defer { recovery.snapshot?.close() }
      #expect((recovery.snapshot != nil) == expectsSnapshot)
      var restored = Restoration(folder)
      if let snapshot = recovery.snapshot { try restored.load(snapshot) }
      let end = try restored.replay(recovery, threads: threads)
      var writer = ByteWriter()
      restored.directory.encode(into: &writer)
      for cell in restored.partitions { cell.state.encode(into: &writer) }
      states.append((writer.bytes, end, restored.records))
    }
    for other in states.dropFirst() {
      #expect(other.state == states[0].state && other.end == states[0].end && other.records == states[0].records)
    }
    #expect(states[0].records > 100)
  }
}
