import Foundation
import GatehouseTestSupport
import GatehouseWire
import Synchronization
import Testing

/// Thousands of connections come and go while others read all partitions.
@Suite("Wire: connections that come and go", .serialized, .blocking)
struct ConnectionStormTests {
  static let connections = 10_000
  static let threads = 8
  static let users = 2_000

  @Test("10,000 connections come and go during scans: all are answered, and leave nothing behind")
  func storm() throws {
    let server = try TestServer(.init(lanes: 4))
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    let names = (0..<Self.users).map { "user\($0)" }
    for start in stride(from: 0, to: names.count, by: 500) {
      let commands = names[start..<start + 500].map { ["USER.CREATE", $0, "PRODUCT", "payroll"] }
      for reply in try gate.pipeline(commands) { #expect(reply.errorText == nil) }
    }
    let pid = try #require(server.pid)
    let filesBefore = try Self.openFiles(pid)
    let before = try Self.figures(gate)

    let isOver = Atomic(false)
    let scans = Atomic<Int>(0)
    let comers = Atomic<Int>(Self.threads)
    try inParallel(Self.threads + 2) { thread in
      if thread < Self.threads {
        defer { if comers.subtract(1, ordering: .relaxed).newValue == 0 { isOver.store(true, ordering: .relaxed) } }
        for number in stride(from: thread, to: Self.connections, by: Self.threads) {
          try Self.comeAndGo(server, number)
        }
      } else {
        let client = try server.client()
        while !isOver.load(ordering: .relaxed) {
          guard try client.pages("USER.LIST SORT username COUNT 700").count == Self.users,
            try client.integer("USER.COUNT WHERE username ^= user") == Self.users
          else { throw TestFailure("a scan did not find all users") }
          _ = try client.pages("TIMER.RUNNING")
          scans.add(1, ordering: .relaxed)
        }
      }
    }
    #expect(scans.load(ordering: .relaxed) > 2)
    try eventually("closed connections are forgotten") { try Self.figures(gate).connected <= before.connected }
    let after = try Self.figures(gate)
    #expect(after.received - before.received >= Self.connections)
    #expect(after.rejected == before.rejected)
    // The log may have moved to another segment meanwhile.
    try eventually("descriptors are given back") { try Self.openFiles(pid) <= filesBefore + 3 }
    #expect(try server.terminate() == .exited(0))
  }

  /// One connection: most wait for their answer, some disconnect before it.
  private static func comeAndGo(_ server: TestServer, _ number: Int) throws {
    let connection = try server.rawConnection()
    let user = "user\(number % users)"
    switch number % 6 {
    case 0:
      try connection.send("PING\r\n")
      try expect("+PONG", connection.receiveLine())
    case 1:
      try connection.send("TIMER.START \(user)\r\n")
      let line = try connection.receiveLine()
      try expect("*18", line.hasPrefix("-CONFLICT timer-running") ? "*18" : line)
    case 2:
      try connection.send("USER.COUNT\r\nQUIT\r\n")
      try expect(":\(users)\r\n+OK\r\n", connection.receiveUntilClosed())
    // Nobody waits for the answer to a scan, or to half a request.
    case 3: try connection.send("USER.LIST COUNT 1000\r\n")
    case 4: try connection.send("*2\r\n$11\r\nLOGIN.CH")
    default:
      try connection.send("LOGIN.CHECK \(user) payroll\r\n")
      try expect("$5", connection.receiveLine())
      try expect("ALLOW", connection.receiveLine())
    }
  }

  private static func expect(_ expected: String, _ found: String) throws {
    guard found == expected else { throw TestFailure("expected \(expected), got \(found)") }
  }

  private static func figures(_ gate: Client) throws -> (connected: Int, received: Int, rejected: Int) {
    let info = InfoTests.parse(try #require(try gate.text("INFO")))
    func figure(_ section: String, _ name: String) throws -> Int {
      try #require(info[section]?[name].flatMap { Int($0) })
    }
    return (
      try figure("Clients", "connected_clients"), try figure("Stats", "total_connections_received"),
      try figure("Stats", "rejected_connections")
    )
  }

  private static func openFiles(_ pid: Int32) throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
  }
}
