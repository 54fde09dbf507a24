import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

/// A server on a machine whose clock is wrong, or is set while it runs. The preloaded library shows the server a
/// different wall clock, controlled by a file; the monotonic clock is real.
@Suite("The server's time", .enabled(if: FakeClock.library != nil, "the package faketime is not installed"), .blocking)
struct TimeTests {
  private let folder: TemporaryFolder
  private let clock: FakeClock

  init() throws {
    folder = try TemporaryFolder("time")
    clock = FakeClock(folder.path("clock"))
    try clock.set("+0")
  }

  private func server(_ arguments: String..., lanes: Int = 1) throws -> TestServer {
    let options = TestServer.Options(lanes: lanes, arguments: arguments, wrapper: clock.wrapper)
    return try TestServer(options, folder: folder)
  }

  private func fill(_ gate: Client) throws {
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("USER.CREATE ana PRODUCT payroll NOINVITE")
    try gate.ok("USER.CREATE root PRODUCT payroll ROLE super-administrator NOINVITE")
  }

  private func session(_ gate: Client, _ line: String) throws -> String {
    try #require(try gate.fields(line)["session"])
  }

  private func figure(_ name: String, _ gate: Client) throws -> Int64 {
    let lines = try #require(try gate.text("INFO clock")).split(whereSeparator: \.isNewline)
    let line = try #require(lines.first { $0.hasPrefix("\(name):") })
    return try #require(Int64(line.dropFirst(name.count + 1)))
  }

  @Test("an hour back: what lasts two seconds ends after two seconds", arguments: [1, 4])
  func hourBack(lanes: Int) throws {
    let server = try server(lanes: lanes)
    let gate = try server.client()
    try fill(gate)
    let root = try session(gate, "SESSION.CREATE root payroll")
    let short = try session(gate, "SESSION.CREATE ana payroll TTL 2s")
    let impersonation = try session(gate, "IMPERSONATE.START \(root) ana REASON help TTL 2s")
    try clock.set("-1h")
    for token in [short, impersonation] { #expect(try !gate.isNull("SESSION.CHECK \(token)")) }
    pause(.milliseconds(2_300))
    for token in [short, impersonation] { #expect(try gate.isNull("SESSION.CHECK \(token)")) }
    #expect(try gate.list("IMPERSONATE.LIST").isEmpty)
    #expect(try !gate.isNull("SESSION.CHECK \(root)"))
    try gate.ok("USER.SET ana department IT")
    let times = try gate.pages("AUDIT.LIST").compactMap { $0.integer("time") }
    #expect(times == times.sorted(by: >) && times.count >= 7)
    #expect(abs(try figure("clock_lead_ms", gate) + 3_600_000) < 1000)
    #expect(try figure("clock_jumps", gate) == 1)
    #expect(abs(try figure("clock_last_jump_ms", gate) + 3_600_000) < 1000)
    #expect(server.messages.contains("the clock was set back"))
    // The ends are in the log, so no start undoes them.
    server.kill()
    let again = try self.server()
    let other = try again.client()
    for token in [short, impersonation] { #expect(try other.isNull("SESSION.CHECK \(token)")) }
    #expect(try !other.isNull("SESSION.CHECK \(root)"))
    #expect(again.messages.contains("the clock is behind the newest record"))
  }

  @Test("a start in the year 2000 is refused; either the log or the clock is trusted, and nothing comes back")
  func year2000() throws {
    var ended: [String] = []
    var live = ""
    do {
      let server = try server()
      let gate = try server.client()
      try fill(gate)
      ended = try (0..<3).map { _ in try session(gate, "SESSION.CREATE ana payroll TTL 1s") }
      live = try session(gate, "SESSION.CREATE ana payroll")
      pause(.milliseconds(1_700))
      for token in ended { #expect(try gate.isNull("SESSION.CHECK \(token)")) }
      server.kill()
    }
    try clock.set("@2000-01-01 00:00:00")
    let (code, message) = try refusedStart(
      data: folder.path("data"), wrapper: clock.wrapper)
    #expect(code == 78)
    #expect(message.contains("--clock-conflict log") && message.contains("2000-01-01T00:00:0"))
    do {
      let server = try server("--clock-conflict", "log")
      let gate = try server.client()
      for token in ended { #expect(try gate.isNull("SESSION.CHECK \(token)")) }
      #expect(try !gate.isNull("SESSION.CHECK \(live)"))
      #expect(try figure("clock_lead_ms", gate) < -365 * 86_400_000)
      // The clock is set right again, and the server follows at once.
      try clock.set("+0")
      let seconds = try #require(try gate.ok("TIME").items.first?.scalarText)
      #expect(abs(try #require(Int64(seconds)) * 1000 - nowMilliseconds()) < 5000)
      server.kill()
    }
    try clock.set("@2000-01-01 00:00:00")
    do {
      let server = try server("--clock-conflict", "clock")
      let gate = try server.client()
      for token in ended + [live] { #expect(try gate.isNull("SESSION.CHECK \(token)")) }
      #expect(try #require(try gate.pages("AUDIT.LIST").first).shown("changes").contains("clock-set"))
      server.kill()
    }
    // That decision was made once and for all.
    let server = try server()
    let gate = try server.client()
    for token in ended + [live] { #expect(try gate.isNull("SESSION.CHECK \(token)")) }
    #expect(try gate.fields("AUDIT.VERIFY")["ok"] == "1")
  }

  @Test("L5: after a start with a clock two hours ahead, second factors go on with the real time at once")
  func twoHoursAhead() throws {
    let cheap = ["--password-memory", "64", "--password-passes", "1"]
    func server(_ more: String...) throws -> (TestServer, Client) {
      let options = TestServer.Options(lanes: 1, arguments: cheap + more, wrapper: clock.wrapper)
      let server = try TestServer(options, folder: folder)
      return (server, try server.client())
    }
    let app: Authenticator
    do {
      let (server, gate) = try server()
      defer { server.kill() }
      try fill(gate)
      try gate.ok("WORKSPACE.SET main policy.password.admin-sets-final on")
      try gate.ok("PASSWORD.SET ana correct-horse-battery")
      app = try #require(Authenticator(try gate.text("TOTP.ENROL ana")))
      try gate.ok("TOTP.CONFIRM ana \(try app.code(at: nowMilliseconds() - 30_000))")
    }
    try clock.set("+2h")
    do {
      let (server, gate) = try server()
      defer { server.kill() }
      try gate.ok("USER.SET ana department IT")
    }
    try clock.set("+0")
    do {
      let (server, gate) = try server()
      defer { server.kill() }
      #expect(try abs(figure("clock_lead_ms", gate) + 7_200_000) < 60_000)
      let code = try app.code(at: nowMilliseconds())
      #expect(try gate.fields("LOGIN.PASSWORD ana payroll correct-horse-battery TOTP \(code)")["decision"] == "ALLOW")
      #expect(try gate.fields("LOGIN.PASSWORD ana payroll correct-horse-battery TOTP \(code)")["decision"] == "DENY")
    }
    // Who says which of the two is right is heard below a day, too.
    let (last, gate) = try server("--clock-conflict", "clock")
    defer { last.kill() }
    #expect(try abs(figure("clock_lead_ms", gate)) < 60_000)
    #expect(last.messages.contains("time goes back to the clock"))
  }

  @Test("ten years ahead for a moment leaves no trace in the log")
  func farAhead() throws {
    let server = try server(lanes: 2)
    let gate = try server.client()
    try fill(gate)
    let token = try session(gate, "SESSION.CREATE ana payroll")
    try clock.set("+10y")
    pause(.milliseconds(700))
    try gate.ok("USER.SET ana department IT")
    #expect(try !gate.isNull("SESSION.CHECK \(token)"))
    #expect(try figure("clock_doubted", gate) == 1)
    #expect(server.messages.contains("the clock is far ahead"))
    try clock.set("+0")
    pause(.milliseconds(700))
    #expect(try figure("clock_doubted", gate) == 0)
    try gate.ok("USER.SET ana department HR")
    for event in try gate.pages("AUDIT.LIST") {
      #expect(abs(try #require(event.integer("time")) - nowMilliseconds()) < 60_000)
    }
  }

  @Test("a clock before 1970 starts at 1970")
  func before1970() throws {
    try clock.set("-80y")
    let server = try server()
    let gate = try server.client()
    try fill(gate)
    let token = try session(gate, "SESSION.CREATE ana payroll TTL 1s")
    #expect(try !gate.isNull("SESSION.CHECK \(token)"))
    try gate.ok("SAVE")
    pause(.milliseconds(1_100))
    #expect(try gate.isNull("SESSION.CHECK \(token)"))
    let times = try gate.pages("AUDIT.LIST").compactMap { $0.integer("time") }
    #expect(times.allSatisfy { (0..<60_000).contains($0) })
    try server.terminate()
    let again = try self.server()
    #expect(try again.client().integer("USER.COUNT") == 2)
  }
}

/// Controls the preloaded library through a file.
private struct FakeClock {
  /// The library of the package faketime.
  static let library: String? = {
    for machine in ["x86_64", "aarch64"] {
      let path = "/usr/lib/\(machine)-linux-gnu/faketime/libfaketimeMT.so.1"
      if FileManager.default.fileExists(atPath: path) { return path }
    }
    return nil
  }()

  private let path: String

  init(_ path: String) { self.path = path }

  /// The clock shows this from now on: a difference (`-1h`), or a time from which it continues (`@2000-01-01
  /// 00:00:00`).
  func set(_ text: String) throws { try Data("\(text)\n".utf8).write(to: URL(fileURLWithPath: path), options: .atomic) }

  /// The words before the server's command line. The library changes the environment of the first process that loads
  /// it, after which a Swift program does not find its arguments; so another process comes in between.
  var wrapper: [String] {
    let variables = [
      "LD_PRELOAD=\(Self.library ?? "")", "FAKETIME_TIMESTAMP_FILE=\(path)", "FAKETIME_NO_CACHE=1",
      "FAKETIME_DONT_FAKE_MONOTONIC=1", "NO_FAKE_STAT=1", "TZ=UTC",
    ]
    return ["/usr/bin/env"] + variables + ["/usr/bin/env"]
  }
}
