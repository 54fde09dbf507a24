import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

/// A disk that is really full.
@Suite("A full disk", .enabled(if: SmallDisk.mayBeMade, "only root may mount a small file system"), .blocking)
struct FullDiskTests {
  @Test("writes are refused and reads continue; with room again everything continues, and nothing acknowledged is lost")
  func fullAndBack() throws {
    let folder = try TemporaryFolder("full")
    let disk = try SmallDisk(folder.path("data"), megabytes: 12)
    var options = TestServer.Options(arguments: ["--segment-bytes", "1mb"])
    options.servesHTTP = true
    let server = try TestServer(options, folder: folder)
    defer { server.kill() }
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("USER.CREATE ana FIRST Ana PRODUCT payroll")
    // The reserve is made soon after the start; without it the log is full at once.
    try eventually("the reserve is there") { FileManager.default.fileExists(atPath: "\(disk.path)/log/reserve") }
    try disk.fill()

    var acknowledged = 0
    var refusal = ""
    while refusal.isEmpty, acknowledged < 20_000 {
      // However long it takes to fill the disk, the newest session is still open when it is full.
      if acknowledged.isMultiple(of: 20) {
        refusal = try gate.reply("SESSION.CREATE ana payroll TTL 2s").errorText ?? ""
        if !refusal.isEmpty { break }
      }
      let note = (0..<20).map { _ in String(UInt64.random(in: 0...UInt64.max), radix: 36) }.joined()
      let reply = try gate.reply("USER.SET", "ana", "last", "n\(acknowledged)", "REASON", note)
      if let error = reply.errorText { refusal = error } else { acknowledged += 1 }
    }
    let open = try #require(try gate.fields("USER.GET ana")["sessions"])
    #expect(refusal.hasPrefix("READONLY the disk is full"), "\(acknowledged) writes, then \(refusal)")
    #expect(try gate.fields("USER.GET ana")["last"] == "n\(acknowledged - 1)")
    #expect(try #require(try gate.text("INFO log")).contains("log_state:full"))
    // A load balancer sends changes elsewhere, and a supervisor does not restart it.
    let unready = try server.get("/readyz")
    #expect(unready.status == 503 && unready.body.contains("the disk is full"), "\(unready.body)")
    #expect(try server.get("/livez").status == 200)
    try gate.refused("SAVE", with: "BUSY")
    try gate.refused("COMPACT", with: "BUSY")
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(disk.path)/snapshots").isEmpty)
    #expect(try gate.fields("AUDIT.VERIFY")["ok"] == "1")

    // The end of a session cannot be logged now: nobody counts it as in force, but it still exists.
    pause(.seconds(3))
    #expect(open != "0")
    #expect(try gate.fields("USER.GET ana")["sessions"] == "0")
    func kept() throws -> Bool { try #require(try gate.text("INFO sessions")).contains("\r\nsessions:0\r\n") == false }
    #expect(try kept())

    try disk.makeRoom()
    try eventually("writes are taken again") { try gate.reply("USER.SET ana last Lima").errorText == nil }
    try eventually("it is ready again") { try server.get("/readyz").status == 200 }
    try eventually("the session ends") { try !kept() }
    // Work that failed for lack of space is retried; until that is done, archiving counts as running.
    try eventually("the log is archived") { try gate.reply("COMPACT").errorText == nil }
    server.kill()
    try server.start()
    let again = try server.client()
    #expect(try again.fields("USER.GET ana")["last"] == "Lima")
    #expect(
      try again.pages("AUDIT.LIST USER ana COUNT 1000").filter { $0["command"] == "USER.SET" }.count >= acknowledged)
    #expect(try again.fields("AUDIT.VERIFY")["ok"] == "1")
  }

  @Test("without room for snapshots they are not retried constantly, and leave the remaining space alone")
  func snapshotsWithoutRoom() throws {
    let folder = try TemporaryFolder("full")
    let disk = try SmallDisk(folder.path("data"), megabytes: 12)
    let server = try TestServer(
      .init(arguments: ["--segment-bytes", "1mb", "--snapshot-interval", "1s"]), folder: folder)
    defer { server.kill() }
    let gate = try server.client()
    try eventually("the reserve is there") { FileManager.default.fileExists(atPath: "\(disk.path)/log/reserve") }
    try disk.fill()
    for number in 0..<5 {
      _ = try gate.reply("USER.CREATE u\(number)")
      pause(.seconds(1))
    }
    #expect(server.messages.components(separatedBy: "no snapshot was taken").count == 2, "once")
    #expect(server.messages.contains("make room"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(disk.path)/snapshots").isEmpty)

    try disk.makeRoom()
    try gate.ok("SAVE")
  }
}

private let mayTrace =
  findProgram("strace") != nil && (try? runProgram("strace", ["-o", "/dev/null", "true"]))?.succeeded == true

/// What an operator sees when the log has failed.
@Suite("A failed log", .enabled(if: mayTrace, "strace is not installed or may not trace"), .blocking)
struct FailedLogTests {
  @Test("the server says so in its messages, in INFO and by its exit code, and its trail can still be read")
  func failedSync() throws {
    let server = try TestServer(
      .init(wrapper: [
        "strace", "-f", "-qq", "-o", "/dev/null", "--seccomp-bpf", "-e", "trace=fdatasync", "-e",
        "inject=fdatasync:error=EIO:when=60+",
      ]))
    var gate = try server.client()
    var acknowledged = 0
    // A write whose sync fails gets no answer, as in a crash: nobody knows whether it is durable.
    while acknowledged < 500, let reply = try? gate.reply("USER.CREATE u\(acknowledged)"), reply.errorText == nil {
      acknowledged += 1
    }
    #expect(acknowledged > 0 && acknowledged < 500)
    gate = try server.client()
    try gate.refused("USER.CREATE last", with: "READONLY")
    try gate.refused("SAVE", with: "BUSY")
    try gate.refused("COMPACT", with: "BUSY")
    #expect(try #require(try gate.text("INFO log")).contains("log_state:failed"))
    // The trail shows acknowledged records; others may be on disk but are not shown.
    let events = try gate.pages("AUDIT.LIST COUNT 1000").filter { $0["command"] == "USER.CREATE" }
    #expect(events.count == acknowledged)
    #expect(try gate.fields("AUDIT.VERIFY")["ok"] == "1")
    #expect(try server.terminate() != .exited(0))
    #expect(server.messages.contains("the log takes no more changes"))
  }
}

/// A slow log: each write to it is delayed.
@Suite("A slow log", .enabled(if: mayTrace, "strace is not installed or may not trace"), .blocking)
struct SlowLogTests {
  @Test("the trail and MEMORY USAGE show no name and no session before they are durable")
  func nothingAheadOfTheLog() throws {
    let server = try TestServer(
      .init(wrapper: [
        "strace", "-f", "-qq", "-o", "/dev/null", "--seccomp-bpf", "-e", "trace=fdatasync", "-e",
        "inject=fdatasync:delay_enter=300000",
      ]))
    let gate = try server.client(.resp2)
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("USER.CREATE ana PRODUCT payroll")
    let token = try #require(try gate.fields("SESSION.CREATE ana payroll")["session"])
    try gate.acting(as: token).ok("USER.SET ana first Ana")
    let before = try gate.integer("MEMORY USAGE ana")

    let writer = try server.rawConnection()
    try writer.send("USER.RENAME ana anna\r\n")
    try eventually("the new name is shown") { try gate.pages("AUDIT.LIST").contains { $0["actor"] == "anna" } }
    #expect(!writer.isQuiet(for: .milliseconds(100)), "the name was shown before it was durable")
    try #expect(writer.receiveLine() == "+OK")

    try writer.send("SESSION.CREATE anna payroll\r\n")
    try eventually("the new session is counted") { try gate.integer("MEMORY USAGE anna") > before + 8 }
    #expect(!writer.isQuiet(for: .milliseconds(100)), "the session was counted before it was durable")
  }
}
