import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

private let mayTrace =
  findProgram("strace") != nil && (try? runProgram("strace", ["-o", "/dev/null", "true"]))?.succeeded == true

/// A disk that fails while the server runs, simulated with strace.
@Suite(
  "Durability: a failing disk", .enabled(if: mayTrace, "strace is not installed or may not trace"), .serialized,
  .blocking)
struct FailingDiskTests {
  /// The options of a server whose disk is told to fail, with a folder in clear or encrypted.
  private func options(
    _ arguments: [String] = [], isEncrypted: Bool, strace words: [String] = []
  ) -> TestServer.Options {
    let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "--seccomp-bpf"]
    var options = TestServer.Options(arguments: arguments, wrapper: words.isEmpty ? [] : strace + words)
    if isEncrypted {
      options.environment["GATEHOUSE_ENCRYPTION_KEY"] = String(repeating: "0123456789abcdef", count: 4)
    }
    return options
  }

  /// The sync fails permanently at some point after the start.
  private func serverWithFailingSync(after calls: Int, isEncrypted: Bool) throws -> TestServer {
    try TestServer(
      options(
        isEncrypted: isEncrypted,
        strace: ["-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO:when=\(calls)+"]))
  }

  @Test(
    "after a failed sync no write is acknowledged, reads continue, and nothing acknowledged is lost",
    arguments: [false, true])
  func failedSync(isEncrypted: Bool) throws {
    let server = try serverWithFailingSync(after: 80, isEncrypted: isEncrypted)
    var gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    var acknowledged: [String] = []
    for number in 0..<500 {
      // A write whose sync failed gets no answer, as in a crash: nobody knows whether it is durable.
      guard let reply = try? gate.reply("USER.CREATE u\(number) PRODUCT payroll") else { break }
      if let error = reply.errorText {
        #expect(error.hasPrefix("READONLY"), "\(acknowledged.count) writes, then \(error)")
        break
      }
      acknowledged.append("u\(number)")
    }
    #expect(acknowledged.count < 500, "the sync fails in the end")
    gate = try server.client()

    // This is permanent: a later sync that succeeds proves nothing about earlier writes (fsyncgate).
    let last = try #require(acknowledged.last)
    for _ in 0..<20 { try gate.refused("USER.SET \(last) first x", with: "READONLY") }
    #expect(try gate.text("LOGIN.CHECK \(last) payroll") == "ALLOW")
    #expect(try gate.text("PING") == "PONG")
    let fresh = try server.client()
    // Only data in the same partition as the failed write are unreadable for good.
    #expect(try acknowledged.suffix(5).contains { try fresh.reply("USER.GET \($0)").errorText == nil })
    let info = InfoTests.parse(try gate.text("INFO persistence") ?? "")
    #expect(info["Persistence"]?["aof_last_write_status"] != "ok")
    #expect(server.messages.contains("EIO") || server.messages.lowercased().contains("input/output error"))

    let end = try server.terminate()
    #expect(end != .exited(0), "an operator must notice that writing had stopped")

    let healthy = try TestServer(options(isEncrypted: isEncrypted), folder: server.folder)
    let again = try healthy.client()
    for name in acknowledged { #expect(try again.text("LOGIN.CHECK \(name) payroll") == "ALLOW") }
    try again.ok("USER.CREATE after-the-repair")
  }

  @Test("the exit code reports a failed last sync", arguments: ["always", "60s"])
  func failedLastSync(durability: String) throws {
    let server = try TestServer(.init(arguments: ["--durability", durability]))
    try server.client().ok("USER.CREATE ana")
    let pid = try #require(server.pid)
    let tracer = try trace(pid, "inject=fdatasync:error=EIO")
    defer { tracer.kill() }
    #expect(try server.terminate() == .exited(74))
    let loss = durability == "always" ? "what was acknowledged before is safe" : "after record 0 may be lost"
    #expect(server.messages.contains(loss))
  }

  @Test("WAITAOF waits no longer than its timeout or its client")
  func slowSync() throws {
    let server = try TestServer(.init(arguments: ["--durability", "60s"]))
    let gate = try server.client()
    let tracer = try trace(try #require(server.pid), "inject=fdatasync:delay_enter=8s")
    defer { tracer.kill() }
    try gate.ok("USER.CREATE ana")
    let start = ContinuousClock.now
    #expect(try gate.ok("WAITAOF 1 0 50").items.compactMap(\.scalarText) == ["0", "0"])
    #expect(ContinuousClock.now - start > .milliseconds(50))

    let raw = try server.rawConnection()
    try raw.send("USER.CREATE bo\r\nWAITAOF 1 0 0\r\n")
    try eventually("it waits") { try blockedClients(gate) == 1 }
    #expect(try gate.integer("CLIENT KILL SKIPME yes") >= 1)
    try eventually("nobody waits", within: .seconds(2)) { try blockedClients(gate) == 0 }
    #expect(ContinuousClock.now - start < .seconds(8), "before the sync has ended")
    server.kill()
  }

  private func blockedClients(_ gate: Client) throws -> Int {
    let info = InfoTests.parse(try #require(try gate.text("INFO clients")))
    return Int(info["Clients"]?["blocked_clients"] ?? "") ?? -1
  }

  /// Makes strace change the syncs of a running server.
  private func trace(_ pid: Int32, _ injection: String) throws -> ChildProcess {
    let tracer = try ChildProcess(
      try #require(findProgram("strace")),
      ["-f", "-qq", "-o", "/dev/null", "-p", String(pid), "-e", "trace=fdatasync", "-e", injection], errors: "/dev/null"
    )
    try eventually("the server is traced") {
      let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
      return !status.contains("TracerPid:\t0\n")
    }
    return tracer
  }

  @Test("a full disk refuses writes, and accepts them again when there is space", arguments: [false, true])
  func fullDisk(isEncrypted: Bool) throws {
    // The disk is full from the 60th write of a thread, for twenty writes. With two lanes all writes of the log are by
    // one thread.
    let server = try TestServer(
      options(
        ["--segment-bytes", "1mb", "--lanes", "2"], isEncrypted: isEncrypted,
        strace: ["-e", "trace=pwrite64,pwritev", "-e", "inject=pwrite64,pwritev:error=ENOSPC:when=60..80"]))
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    var acknowledged: [String] = []
    var refused = 0
    for number in 0..<2_000 {
      let reply = try gate.reply("USER.CREATE u\(number) PRODUCT payroll")
      if let error = reply.errorText {
        #expect(error.hasPrefix("READONLY") || error.hasPrefix("BUSY"), "\(error)")
        refused += 1
        #expect(try gate.text("LOGIN.CHECK u0 payroll") == "ALLOW")
        pause(.milliseconds(20))
      } else {
        acknowledged.append("u\(number)")
        // Well past the fault: writes continue.
        if refused > 0 && acknowledged.count > 150 { break }
      }
      if refused > 500 { break }
    }
    #expect(refused < 500, "writes are taken again")
    try gate.ok("USER.CREATE after-the-fault PRODUCT payroll")
    server.kill()

    let healthy = try TestServer(options(isEncrypted: isEncrypted), folder: server.folder)
    let again = try healthy.client()
    for name in acknowledged + ["after-the-fault"] {
      #expect(try again.text("LOGIN.CHECK \(name) payroll") == "ALLOW")
    }
  }

  @Test("an interrupted write is retried")
  func interruptedWrites() throws {
    let server = try TestServer(
      .init(wrapper: [
        "strace", "-f", "-qq", "-o", "/dev/null", "--seccomp-bpf", "-e", "trace=pwrite64,pwritev,fdatasync", "-e",
        "inject=pwrite64,pwritev:error=EINTR:when=30..34",
      ]))
    let gate = try server.client()
    for number in 0..<60 { try gate.ok("USER.CREATE u\(number)") }
    server.kill()
    let again = try TestServer(folder: server.folder)
    #expect(try again.client().integer("USER.COUNT") == 60)
  }
}
