import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

/// Clean ends and starts.
@Suite("Durability: ends and starts", .blocking)
struct LifecycleTests {
  @Test(
    "SIGTERM ends the server with exit code 0, and everything is there at the next start", arguments: [SIGTERM, SIGINT])
  func clean(signal: Int32) throws {
    let server = try TestServer()
    var gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    let ana = try gate.fields("USER.CREATE ana FIRST Ana PRODUCT payroll ROLE manager")
    try gate.ok("POOL.SET payroll office 3")
    try gate.ok("LICENCE.ASSIGN ana payroll office")
    let token = try #require(try gate.fields("SESSION.CREATE ana payroll")["session"])
    let timer = try gate.fields("TIMER.START ana NOTE 'over night'")
    let trail = try gate.pages("AUDIT.LIST").count

    #expect(try server.terminate(with: signal) == .exited(0))
    try server.start()
    gate = try server.client()
    let again = try gate.fields("USER.GET ana")
    #expect(again["id"] == ana["id"] && again["first"] == "Ana")
    #expect(try gate.fields("SESSION.CHECK \(token)")["username"] == "ana")
    #expect(try gate.fields("TIMER.CURRENT ana")["start"] == timer["start"])
    #expect(try gate.list("POOL.LIST payroll").first?["used"] == "1")
    #expect(try gate.list("ROLE.LIST ana").map { $0["role"] } == ["manager"])
    #expect(try gate.pages("AUDIT.LIST").count == trail)
    #expect(try gate.fields("AUDIT.VERIFY")["ok"] == "1")
    // Ids are never reused, not even after a restart.
    #expect(try gate.fields("USER.CREATE bo")["id"] != ana["id"])
  }

  @Test("SIGTERM under load: nothing acknowledged is lost")
  func underLoad() throws {
    let server = try TestServer(.init(lanes: 2))
    try server.client().ok("PRODUCT.CREATE payroll")
    let acknowledged = Collected<String>()
    let end = Collected<ProcessEnd>()
    try inParallel(5) { worker in
      guard worker > 0 else {
        pause(.milliseconds(200))
        end.add(try server.terminate())
        return
      }
      guard let client = try? server.client() else { return }
      for number in 0... {
        let name = "w\(worker)-\(number)"
        guard let reply = try? client.reply("USER.CREATE \(name) PRODUCT payroll"), reply.errorText == nil else {
          return
        }
        acknowledged.add(name)
      }
    }
    #expect(end.all == [.exited(0)])
    #expect(!acknowledged.all.isEmpty)
    try server.start()
    let gate = try server.client()
    for name in acknowledged.all { #expect(try gate.text("LOGIN.CHECK \(name) payroll") == "ALLOW") }
  }

  @Test("a stop waits for background work", arguments: [1, 3])
  func amongBackgroundWork(lanes: Int) throws {
    let server = try TestServer(.init(lanes: lanes))
    var gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("USER.CREATE boss PRODUCT payroll ROLE super-administrator")
    for number in 0..<40 { try gate.ok("USER.CREATE u\(number) PRODUCT payroll") }
    for round in 0..<6 {
      // Sessions that expire, with impersonations on other lanes that end with them.
      for number in 0..<40 {
        let token = try #require(try gate.fields("SESSION.CREATE boss payroll TTL 1s")["session"])
        try gate.ok("IMPERSONATE.START \(token) u\(number) REASON round")
      }
      pause(.milliseconds(700 + round * 100))
      try gate.ok("BGSAVE")
      let busy = try server.rawConnection()
      try busy.send(String(repeating: "USER.COUNT\r\nUSER.RENAME u1 u1\r\nBGSAVE\r\nINFO\r\n", count: 50))
      #expect(try server.terminate() == .exited(0))
      try server.start()
      gate = try server.client()
      let snapshots = try FileManager.default.contentsOfDirectory(atPath: "\(server.dataPath)/snapshots")
      #expect(!snapshots.isEmpty && snapshots.allSatisfy { $0.hasSuffix(".snapshot") }, "\(snapshots)")
    }
  }

  @Test("SHUTDOWN ends the server like SIGTERM", arguments: ["SHUTDOWN", "SHUTDOWN NOSAVE"])
  func shutdown(command: String) throws {
    let server = try TestServer()
    let gate = try server.client()
    try gate.ok("USER.CREATE ana")
    _ = try? gate.reply(command)
    #expect(server.waitForEnd() == .exited(0))
    try server.start()
    #expect(try server.client().fields("USER.GET ana")["username"] == "ana")
  }

  @Test("after a snapshot the state is the same, from the snapshot and the log after it", arguments: [1, 4])
  func snapshot(lanes: Int) throws {
    let server = try TestServer(.init(lanes: lanes, arguments: ["--segment-bytes", "1mb"]))
    var gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    for number in 0..<300 { try gate.ok("USER.CREATE u\(number) FIRST n\(number) PRODUCT payroll") }
    let token = try #require(try gate.fields("SESSION.CREATE u7 payroll")["session"])
    #expect(try gate.text("SAVE") == "OK")
    for number in 0..<100 { try gate.ok("USER.SET u\(number) last after") }
    try gate.ok("USER.RENAME u8 renamed")
    let before = try gate.pages("USER.LIST SORT username COUNT 50").map(\.description)

    server.kill()
    try server.start()
    gate = try server.client()
    #expect(try gate.pages("USER.LIST SORT username COUNT 50").map(\.description) == before)
    #expect(try gate.fields("SESSION.CHECK \(token)")["username"] == "u7")
    let saved = try gate.integer("LASTSAVE")
    #expect(saved > 0)
    try gate.ok("BGSAVE")
    try eventually("the snapshot in the background is done") {
      InfoTests.parse(try gate.text("INFO persistence") ?? "")["Persistence"]?["rdb_bgsave_in_progress"] == "0"
    }
    server.kill()
    try server.start()
    #expect(try server.client().pages("USER.LIST SORT username COUNT 50").map(\.description) == before)
  }

  @Test("sessions that expired while the server was down are over")
  func expiryWhileDown() throws {
    let server = try TestServer()
    var gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("USER.CREATE ana PRODUCT payroll")
    let short = try #require(try gate.fields("SESSION.CREATE ana payroll TTL 1s")["session"])
    let long = try #require(try gate.fields("SESSION.CREATE ana payroll TTL 1h")["session"])
    server.kill()
    pause(.milliseconds(1_100))
    try server.start()
    gate = try server.client()
    #expect(try gate.isNull("SESSION.CHECK \(short)"))
    #expect(try gate.fields("SESSION.CHECK \(long)")["username"] == "ana")
    #expect(try gate.list("SESSION.LIST ana").count == 1)
  }

  @Test("COMPACT archives the log covered by snapshots, and the trail stays complete")
  func compaction() throws {
    let server = try TestServer(.init(arguments: ["--segment-bytes", "1mb"]))
    var gate = try server.client()
    try gate.ok("USER.CREATE ana")
    var total = 0
    for round in 0..<4 {
      // Poorly compressible text fills segments quickly.
      var random = SeededRandom(seed: UInt64(round))
      let commands = (0..<300).map { _ in
        [
          "USER.SET", "ana", "department",
          String((0..<40).map { _ in "abcdefghijklmnopqrstuvwxyz".randomElement(using: &random)! }),
        ]
      }
      for reply in try gate.pipeline(commands) { #expect(reply.errorText == nil) }
      total += 300
      try gate.ok("COMPACT")
    }
    #expect(try gate.pages("AUDIT.LIST USER ana COUNT 200").count == total + 1)
    #expect(try gate.fields("AUDIT.VERIFY")["ok"] == "1")
    server.kill()
    try server.start()
    gate = try server.client()
    #expect(try gate.pages("AUDIT.LIST USER ana COUNT 200").count == total + 1)
    #expect(try gate.fields("AUDIT.VERIFY")["ok"] == "1")
  }
}
