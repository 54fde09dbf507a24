import GatehouseTestSupport
import Testing

private let hasRedisTools = findProgram("redis-cli") != nil && findProgram("redis-benchmark") != nil

/// The unchanged programs that come with Redis.
@Suite("Wire: redis-cli and redis-benchmark", .enabled(if: hasRedisTools, "redis-tools are not installed"), .blocking)
struct RedisToolsTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("USER.CREATE ana@acme.test FIRST Ana PRODUCT payroll")
  }

  private func cli(_ arguments: String..., input: String? = nil) throws -> ProgramResult {
    try runProgram("redis-cli", ["-p", String(server.port)] + arguments, input: input, environment: ["NO_COLOR": "1"])
  }

  @Test("one command a call")
  func oneShot() throws {
    let check = try cli("LOGIN.CHECK", "ana@acme.test", "payroll")
    #expect(check.succeeded && check.output == "ALLOW\n")
    #expect(try cli("LOGIN.CHECK", "bo", "payroll").output == "DENY unknown-user\n")
    #expect(try cli("USER.GET", "nobody").output.hasPrefix("NOTFOUND"))
    #expect(try cli("-e", "USER.GET", "nobody").end == .exited(1))
    #expect(try cli("PING").output == "PONG\n")
  }

  @Test("RESP3 maps are shown as maps, and as JSON objects")
  func resp3() throws {
    let map = try cli("-3", "--no-raw", "USER.GET", "ana@acme.test")
    #expect(map.output.contains(#""username" => "ana@acme.test""#))
    let json = try cli("-3", "--json", "USER.GET", "ana@acme.test")
    #expect(json.output.contains(#""username":"ana@acme.test""#))
    let docs = try cli("-3", "--json", "COMMAND", "DOCS")
    #expect(docs.succeeded && docs.output.contains("login.check"))
  }

  @Test("commands from a file, one a line")
  func lines() throws {
    let result = try cli(input: "USER.CREATE bo FIRST \"Bo B\" PRODUCT payroll\nLOGIN.CHECK bo payroll\nUSER.COUNT\n")
    #expect(result.output.hasSuffix("ALLOW\n2\n"))
    #expect(try gate.fields("USER.GET bo")["first"] == "Bo B")
  }

  @Test("mass insertion with --pipe")
  func pipe() throws {
    var input = ""
    for number in 0..<2_000 { input += "USER.CREATE pipe\(number) PRODUCT payroll\r\n" }
    let result = try cli("--pipe", input: input)
    #expect(result.succeeded, "\(result.output) \(result.errors)")
    #expect(result.output.contains("errors: 0, replies: 2000"))
    #expect(try gate.integer("USER.COUNT") == 2_001)

    let again = try cli("--pipe", input: "USER.CREATE pipe7\r\nPING\r\n")
    #expect(again.output.contains("errors: 1, replies: 2"))
  }

  @Test("redis-cli shows help from the server's command table")
  func help() throws {
    let result = try cli("HELP", "LOGIN.CHECK")
    #expect(result.succeeded)
    #expect(result.output.lowercased().contains("login.check"))
  }

  @Test("redis-benchmark runs its PING, and commands of ours")
  func benchmark() throws {
    for command in [["-t", "ping"], ["LOGIN.CHECK", "ana@acme.test", "payroll"], ["TIMER.CURRENT", "ana@acme.test"]] {
      let shape = ["-p", String(server.port), "-n", "4000", "-c", "20", "-P", "8", "-q"]
      let result = try runProgram("redis-benchmark", shape + command, limit: .seconds(120))
      #expect(result.succeeded, "\(command): \(result.output) \(result.errors)")
      #expect(result.output.contains("requests per second"))
      #expect(!result.output.contains("WARNING"))
    }
  }

  @Test("redis-benchmark fills in user names of twelve digits")
  func benchmarkNames() throws {
    for number in 0..<10 {
      let digits = String(repeating: "0", count: 11) + String(number)
      try gate.ok("USER.CREATE user\(digits) PRODUCT payroll")
    }
    let result = try runProgram(
      "redis-benchmark",
      [
        "-p", String(server.port), "-n", "2000", "-c", "10", "-r", "10", "-q", "SESSION.CREATE", "user__rand_int__",
        "payroll", "TTL", "1h",
      ], limit: .seconds(120))
    #expect(result.succeeded, "\(result.output) \(result.errors)")
  }
}
