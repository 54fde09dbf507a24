import GatehouseTestSupport
import GatehouseWire
import Testing

/// Interval durability: replies do not wait for the sync, but a client can ask for it.
@Suite("Durability: by interval", .blocking)
struct IntervalTests {
  private let server: TestServer
  private let gate: Client

  init() throws {
    server = try TestServer(.init(arguments: ["--durability", "60s"]))
    gate = try server.client()
    try gate.ok("USER.CREATE ana")
  }

  private func isSynced() throws -> Bool {
    let log = try #require(InfoTests.parse(try gate.text("INFO log") ?? "")["Log"])
    let appended = try #require(log["log_appended_lsn"].flatMap { Int($0) })
    return try #require(log["log_synced_lsn"].flatMap { Int($0) }) == appended
  }

  @Test("WAITAOF syncs the log before the interval, whatever its timeout", arguments: [0, 1000, Int.max])
  func wait(timeout: Int) throws {
    #expect(try !isSynced())
    #expect(try gate.ok("WAITAOF 1 0 \(timeout)").items.compactMap(\.scalarText) == ["1", "0"])
    #expect(try isSynced())
  }

  @Test("WAITAOF refuses invalid timeouts")
  func notATime() throws {
    for word in ["-1", "9223372036854775808", "18446744073709551616", "soon"] {
      try gate.refused("WAITAOF 1 0 \(word)", with: "ERR")
    }
    #expect(try gate.text("PING") == "PONG")
  }

  /// A power failure may lose unsynced records; a snapshot that contains them would prevent recovery.
  @Test("a snapshot contains only synced records")
  func snapshot() throws {
    #expect(try !isSynced())
    try gate.ok("SAVE")
    #expect(try isSynced())
  }
}
