import Dispatch
import Foundation
import GatehouseTestSupport
import GatehouseWire
import Synchronization
import Testing

/// A thousand poorly compressible bytes: a few thousand of them fill several segments.
private func noise() -> String {
  let text = (0..<90).map { _ in String(UInt64.random(in: 0...UInt64.max), radix: 36) }.joined()
  return String(text.prefix(1000))
}

/// A server with a low limit of open files.
@Suite("Limits: open files", .blocking)
struct DescriptorsTests {
  private func server(limit: Int, arguments: [String] = []) throws -> TestServer {
    try TestServer(
      .init(
        arguments: ["--segment-bytes", "1mb", "--compression-level", "1"] + arguments,
        wrapper: ["bash", "-c", "ulimit -n \(limit); exec \"$@\"", "server"]))
  }

  @Test("max-connections is lowered to fit the limit, with a warning", arguments: [200, 256])
  func lowered(limit: Int) throws {
    let server = try server(limit: limit)
    let gate = try server.client()
    let allowed = try #require(try gate.fields("CONFIG GET max-connections").integer("max-connections"))
    #expect(allowed > 50 && allowed < limit)
    #expect(try gate.fields("CONFIG GET maxclients").integer("maxclients") == allowed)
    #expect(InfoTests.parse(try #require(try gate.text("INFO clients")))["Clients"]?["maxclients"] == "\(allowed)")
    #expect(server.messages.contains("max-connections was lowered to what the limit of open files allows"))
    try gate.refused(
      "CONFIG SET max-connections 10000", with: "ERR CONFIG SET failed: the limit of open files allows \(allowed)")
    try gate.ok("CONFIG SET max-connections 20")
    #expect(try gate.fields("CONFIG GET max-connections").integer("max-connections") == 20)
  }

  @Test("a limit without room for any connection is refused at the start")
  func noRoom() throws {
    let folder = try TemporaryFolder("few")
    let words = ["ulimit -n 40; exec \"$@\"", "server", try GatehouseProgram.path(), "serve"]
    let run = try runProgram("bash", ["-c"] + words + ["--port", "0", "--data", folder.path("data")])
    #expect(run.errors.contains("raise it with ulimit -n") && !run.succeeded)
  }

  @Test("surplus clients are refused, writes continue, and there is room again when clients leave")
  func surplus() throws {
    let server = try server(limit: 200)
    let gate = try server.client()
    try gate.ok("USER.CREATE ana")
    var idle: [RawConnection] = []
    var refused = 0
    for _ in 0..<300 {
      let client = try server.rawConnection()
      try client.send("PING\r\n")
      if (try? client.receiveLine()) == "+PONG" { idle.append(client) } else { refused += 1 }
    }
    #expect(idle.count > 50 && refused > 100)
    let surplus = try server.rawConnection()
    #expect(try surplus.receiveUntilClosed() == "-ERR max number of clients reached\r\n")

    // Enough for several files of the log, a snapshot and the archive.
    for round in 0..<12 {
      let commands = (0..<200).map { ["USER.SET", "ana", "last", "n\(round)-\($0)", "REASON", noise()] }
      for reply in try gate.pipeline(commands) { #expect(reply.errorText == nil) }
    }
    try gate.ok("SAVE")
    try gate.ok("COMPACT")
    idle.removeAll()
    try eventually("clients are accepted again") { (try? server.client().text("PING")) == "PONG" }
    #expect(try server.terminate() == .exited(0))
  }
}

/// A server without a free descriptor, whatever used them up.
@Suite(
  "Limits: no descriptor left", .enabled(if: findProgram("prlimit") != nil, "prlimit is not installed"), .blocking)
struct NoDescriptorLeftTests {
  /// Leaves a process no free descriptor.
  private func takeAll(from pid: Int32) throws {
    let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").compactMap { Int($0) }
    // Numbers below the largest may be free, so the limit is lowered until none is.
    let firstFree = (0...).first { !open.contains($0) }!
    let run = try runProgram("prlimit", ["--pid", "\(pid)", "--nofile=\(firstFree):"])
    #expect(run.succeeded, "\(run.errors)")
  }

  @Test("the log continues with its reserved descriptors")
  func logGoesOn() throws {
    let server = try TestServer(.init(arguments: ["--segment-bytes", "1mb"]))
    let gate = try server.client()
    try gate.ok("USER.CREATE ana")
    let pid = try #require(server.pid)
    try takeAll(from: pid)
    for round in 0..<12 {
      let commands = (0..<200).map { ["USER.SET", "ana", "last", "n\(round)-\($0)", "REASON", noise()] }
      for reply in try gate.pipeline(commands) { #expect(reply.errorText == nil) }
    }
    let log = InfoTests.parse(try #require(try gate.text("INFO log")))["Log"]
    #expect(log?["log_state"] == "open")
    #expect(Int(log?["log_segment"] ?? "") ?? 0 > 1, "the log needed another file")
    try gate.ok("SAVE")
    #expect(try runProgram("prlimit", ["--pid", "\(pid)", "--nofile=1024:"]).succeeded)
    try eventually("clients are accepted again") { (try? server.client().text("PING")) == "PONG" }
    #expect(try server.terminate() == .exited(0))
  }
}

/// Without the reserve: for a while, not even the log gets a descriptor.
///
/// The limit is lowered instead of injecting errors with strace: an `open` that is under way when strace leaves the
/// process fails with ENOSYS, which ends a log.
@Suite(
  "Limits: no descriptor for the log", .enabled(if: findProgram("prlimit") != nil, "prlimit is not installed"),
  .blocking)
struct NoDescriptorForTheLogTests {
  @Test("writes are refused meanwhile with the reason, and accepted again without help")
  func recovers() throws {
    let server = try TestServer(.init(arguments: ["--segment-bytes", "1mb"]))
    let gate = try server.client()
    for name in ["ana", "bob"] { try gate.ok("USER.CREATE \(name)") }
    let pid = try #require(server.pid)
    let isConnected = DispatchSemaphore(value: 0)
    let isOver = Mutex(false)
    try inParallel(2) { worker in
      let client = try server.client()
      if worker == 0 {
        isConnected.signal()
        // Commands accepted before the log paused are answered when it continues.
        for round in 0..<1_000 where !isOver.withLock({ $0 }) {
          let commands = (0..<200).map { ["USER.SET", "ana", "last", "n\(round)-\($0)", "REASON", noise()] }
          for error in try client.pipeline(commands).compactMap(\.errorText) {
            #expect(error.hasPrefix("READONLY no descriptor is left for another file; nothing was changed"))
          }
        }
        return
      }
      defer { isOver.withLock { $0 = true } }
      try #require(isConnected.wait(timeout: .now() + .seconds(30 * Patience.factor)) == .success)
      // Descriptors that the reserve gives up are above the limit, too.
      #expect(try runProgram("prlimit", ["--pid", "\(pid)", "--nofile=3:"]).succeeded)
      defer { _ = try? runProgram("prlimit", ["--pid", "\(pid)", "--nofile=1024:"]) }
      try eventually("the log stands still", within: .seconds(30)) {
        try client.text("INFO log")?.contains("log_state:full") == true
      }
      try client.refused("USER.SET bob last Lima", with: "READONLY no descriptor is left for another file; nothing was")
      #expect(try client.text("PING") == "PONG")
    }
    try eventually("writes are taken again") { try gate.reply("USER.SET ana last Lima").errorText == nil }
    #expect(server.messages.contains("no descriptor is left for another file; changes are refused until there is room"))
    #expect(try server.terminate() == .exited(0))
  }
}

private let mayTrace =
  findProgram("strace") != nil && (try? runProgram("strace", ["-o", "/dev/null", "true"]))?.succeeded == true

/// Failures of `accept`, injected by strace.
@Suite("Limits: accepting", .enabled(if: mayTrace, "strace is not installed or may not trace"), .blocking)
struct AcceptFailureTests {
  @Test(
    "no error of accept stops accepting for good",
    arguments: ["EPERM", "EPROTO", "EHOSTUNREACH", "ECONNABORTED", "EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "EINVAL"])
  func oddErrors(error: String) throws {
    let server = try TestServer(
      .init(wrapper: [
        "strace", "-f", "-qq", "-o", "/dev/null", "--seccomp-bpf", "-e", "trace=accept,accept4", "-e",
        "inject=accept,accept4:error=\(error):when=2..5",
      ]))
    for _ in 0..<5 { #expect(try server.client().text("PING") == "PONG") }
    #expect(server.messages.contains("a connection could not be accepted; accepting goes on after a pause"))
    let stats = InfoTests.parse(try #require(try server.client().text("INFO stats")))["Stats"]
    #expect(stats?["accept_errors"] == "4")
  }

  @Test("while nothing can be accepted the server does not spin, and serves those who are connected")
  func lasting() throws {
    let server = try TestServer()
    let gate = try server.client()
    let tracer = try ChildProcess(
      try #require(findProgram("strace")),
      [
        "-f", "-qq", "-o", server.folder.path("calls"), "-p", String(try #require(server.pid)), "-e",
        "trace=accept,accept4", "-e", "inject=accept,accept4:error=EMFILE",
      ], errors: "/dev/null")
    defer { tracer.kill() }
    try eventually("the server is traced") {
      let status = try String(contentsOfFile: "/proc/\(try #require(server.pid))/status", encoding: .utf8)
      return !status.contains("TracerPid:\t0\n")
    }
    let waiting = try server.rawConnection()
    try waiting.send("PING\r\n")
    pause(.seconds(3))
    #expect(try gate.text("PING") == "PONG")
    let calls = try String(contentsOfFile: server.folder.path("calls"), encoding: .utf8).split(separator: "\n").count
    #expect(calls > 2 && calls < 40, "\(calls) calls of accept in three seconds")
    tracer.signal(SIGTERM)
    _ = tracer.wait(upTo: .seconds(10))
    #expect(try waiting.receiveLine() == "+PONG")
  }
}
