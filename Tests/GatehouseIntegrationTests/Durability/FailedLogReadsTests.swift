import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

private let mayTrace =
  findProgram("strace") != nil && (try? runProgram("strace", ["-o", "/dev/null", "true"]))?.succeeded == true

/// Reads after the log has failed: durable data are returned, other reads get `READONLY`, and no connection that only
/// reads is closed.
@Suite("Durability: reads continue", .enabled(if: mayTrace, "strace is not installed or may not trace"), .blocking)
struct FailedLogReadsTests {
  /// Commands that read all partitions, one, or none.
  static let reads = [
    "DBSIZE", "USER.COUNT", "USER.LIST", "TIMER.RUNNING", "MEMORY STATS", "IMPERSONATE.LIST", "POOL.LIST payroll",
    "AUDIT.LIST", "AUDIT.VERIFY", "LOGIN.CHECK u0 payroll", "USER.GET u0", "ENTRY.LIST u0", "PRODUCT.LIST", "INFO",
    "CLIENT LIST", "PING",
  ]

  private func server(lanes: Int, _ injection: String) throws -> TestServer {
    try TestServer(
      .init(
        lanes: lanes,
        wrapper: [
          "strace", "-f", "-qq", "-o", "/dev/null", "--seccomp-bpf", "-e", "trace=fdatasync,pwrite64", "-e",
          "inject=\(injection)",
        ]))
  }

  /// Writes until one write is not acknowledged.
  private func writeUntilItFails(_ gate: Client, _ write: (Int) -> String) -> Int {
    var acknowledged = 0
    while acknowledged < 500, let reply = try? gate.reply(write(acknowledged)), reply.errorText == nil {
      acknowledged += 1
    }
    return acknowledged
  }

  /// Every read is answered, alone and in a pipeline, on one connection that stays open.
  /// - Parameter durable: reads of certainly durable data; others may share a partition with what was lost.
  private func expectAnswers(_ server: TestServer, durable: Set<String>) throws {
    let gate = try server.client()
    for read in Self.reads {
      let error = try gate.reply(read).errorText
      #expect(error == nil || error!.hasPrefix("READONLY "), "\(read): \(error ?? "")")
      if durable.contains(read) { #expect(error == nil, "\(read)") }
    }
    let raw = try server.rawConnection()
    try raw.send("DBSIZE\r\nLOGIN.CHECK u0 payroll\r\nUSER.COUNT\r\nPING\r\n")
    #expect(try raw.receiveLine().hasPrefix("-READONLY "))
    let decision = try raw.receiveLine()
    #expect(try (decision == "+ALLOW") || (decision == "$5" && raw.receiveLine() == "ALLOW"))
    #expect(try raw.receiveLine().hasPrefix("-READONLY "))
    #expect(try raw.receiveLine() == "+PONG")
  }

  @Test("after a failed sync every read is answered or READONLY", arguments: [1, 2])
  func failedSync(lanes: Int) throws {
    let server = try server(lanes: lanes, "fdatasync:error=EIO:when=40+")
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    let acknowledged = writeUntilItFails(gate) { "USER.CREATE u\($0) PRODUCT payroll" }
    #expect(acknowledged > 0 && acknowledged < 500)
    try expectAnswers(
      server, durable: ["LOGIN.CHECK u0 payroll", "AUDIT.LIST", "AUDIT.VERIFY", "PRODUCT.LIST", "PING"])
    let lost = try server.client()
    try lost.refused("USER.GET u\(acknowledged)", with: "READONLY")
    try lost.refused("USER.CREATE x", with: "READONLY")
    #expect(try lost.text("PING") == "PONG")
    #expect(try server.terminate() == .exited(74))
  }

  /// A disk that refuses every write although the file system reports free space: no write succeeds, and reads do not
  /// wait for them.
  @Test("while a full disk refuses every write, reads are answered or READONLY, and the state stays full")
  func noRoomForGood() throws {
    // strace counts each thread's calls. With two lanes all writes of the log are by its writer thread.
    let server = try server(lanes: 2, "pwrite64:error=EDQUOT:when=60+")
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    let writer = try server.rawConnection(patience: .seconds(1))
    var acknowledged = 0
    while acknowledged < 500 {
      try writer.send("USER.CREATE u\(acknowledged) PRODUCT payroll\r\n")
      guard !writer.isQuiet(for: .milliseconds(400)) else { break }
      while !writer.isQuiet(for: .milliseconds(1)) { _ = try writer.receiveLine() }
      acknowledged += 1
    }
    #expect(acknowledged > 0 && acknowledged < 500)
    try expectAnswers(server, durable: ["LOGIN.CHECK u0 payroll", "AUDIT.LIST", "PING"])
    for _ in 0..<20 {
      try gate.refused("USER.CREATE x", with: "READONLY the disk is full")
      pause(.milliseconds(50))
    }
    #expect(server.messages.components(separatedBy: "the disk is full; changes are refused").count == 2, "once")
    #expect(!server.messages.contains("takes changes again"))
    #expect(server.messages.contains("Disk quota exceeded"))
  }
}
