import Foundation
import GatehouseTestSupport
import Glibc
import Testing

/// The built program as its users run it: server, client and sample company.
@Suite(.blocking) struct ProgramTests {
  private func gatehouse(
    _ arguments: String..., input: String? = nil, environment: [String: String?] = [:]
  ) throws -> ProgramResult {
    try runProgram(try GatehouseProgram.path(), arguments, input: input, environment: environment)
  }

  @Test func `the sample company is created once, and its forgotten timer can be stopped`() throws {
    let server = try TestServer()
    let port = String(server.port)
    let first = try gatehouse("sample", "--port", port)
    #expect(first.succeeded, "\(first.errors)")
    let client = try server.client()
    let people = try client.integer("USER.COUNT")
    #expect(people >= 1000)
    // The first sign-in to the console asks for another password.
    let password = try #require(first.errors.firstMatch(of: #/as sam with the password (\S+)/#)).1
    #expect(try client.fields("LOGIN.PASSWORD", "sam", "console", String(password))["must-change"] == "1")

    let second = try gatehouse("sample", "--port", port)
    #expect(second.succeeded)
    #expect(second.errors.contains("already exists"))
    #expect(try client.integer("USER.COUNT") == people)

    #expect(try client.text("LOGIN.CHECK ana payroll") == "ALLOW")
    #expect(try client.text("LOGIN.CHECK leo payroll") == "DENY no-licence")
    let sam = try #require(client.fields("SESSION.CREATE sam payroll")["session"])
    let ana = try #require(client.fields("IMPERSONATE.START", sam, "ana", "REASON", "left running")["session"])
    let entry = try client.fields("AS", ana, "TIMER.STOP", "ana")
    #expect(entry["started-by"] == "ana")
    #expect(entry["stopped-by"] == "sam")
  }

  @Test func `a single command answers on standard output, and its exit code reports success`() throws {
    let server = try TestServer()
    let port = String(server.port)
    let answer = try gatehouse("cli", "--port", port, "PING")
    #expect(answer.succeeded)
    #expect(answer.output == "PONG\n")
    #expect(answer.errors.isEmpty)

    let refusal = try gatehouse("cli", "--port", port, "LOGIN.CHECK")
    #expect(refusal.end == .exited(1))
    #expect(refusal.output.isEmpty)
    #expect(refusal.errors.hasPrefix("ERR wrong number"))
    #expect(refusal.errors.hasSuffix("\nusage: LOGIN.CHECK user product\n"), "\(refusal.errors)")

    let json = try gatehouse("cli", "--port", port, "--json", "LOGIN.CHECK")
    #expect(json.end == .exited(1))
    #expect(json.output.hasPrefix(#"{"error":"ERR "#))

    #expect(try gatehouse("cli", "--port", String(FreePort.next()), "PING").end == .exited(2))
    #expect(try gatehouse("cli", "--no-such-option", "PING").end == .exited(64))
    // What follows `--` is the command.
    #expect(try gatehouse("cli", "--port", port, "--", "ECHO", "--json").output == "--json\n")
    #expect(try gatehouse("cli", "--port", port, "--", "--json").end == .exited(1))
    // In RESP3 the replies to these are messages, one for each name.
    let lines = try gatehouse("cli", "--port", port, "--json", input: "PING\nUNSUBSCRIBE a b\nPUNSUBSCRIBE\nPING\n")
    #expect(
      lines.output == """
        "PONG"
        ["unsubscribe","a",0]
        ["unsubscribe","b",0]
        ["punsubscribe",null,0]
        "PONG"

        """)
  }

  @Test(arguments: [[], ["--resp2"]]) func `lines of a pipe are answered in order`(options: [String]) throws {
    let server = try TestServer()
    let input = (1...3000).map { "ECHO \($0)\n" }.joined() + "\nECHO \"a b\"\nNOPE\nECHO end"
    let result = try runProgram(
      try GatehouseProgram.path(), ["cli", "--port", String(server.port)] + options, input: input)
    let lines = result.output.split(separator: "\n")
    #expect(result.end == .exited(1))
    let expected: [Substring] = (1...3000).map { "\($0)" }
    #expect(Array(lines.prefix(3000)) == expected)
    #expect(lines.dropFirst(3000).first == "a b")
    #expect(lines.dropFirst(3001).first?.hasPrefix("ERR unknown command 'NOPE'") == true)
    #expect(lines.last == "end")
  }

  /// Texts by others are shown escaped, in each form, on a terminal or not.
  @Test(arguments: [[], ["--raw"], ["--json"], ["--resp2"], ["--resp2", "--json"]])
  func `no value can forge a line or control the terminal`(options: [String]) throws {
    let server = try TestServer()
    let port = String(server.port)
    let evil = "sales\nstatus  locked\u{202e}\u{3164}"
    let client = try server.client()
    _ = try client.reply("USER.CREATE", "ana", "DEPARTMENT", evil, "NOINVITE")
    let shown = try runProgram(try GatehouseProgram.path(), ["cli", "--port", port] + options + ["USER.GET", "ana"])
    #expect(shown.succeeded)
    #expect(
      shown.output.contains(options.contains("--json") ? #"sales\nstatus"# : #"sales\nstatus  locked\u{202e}"#))
    #expect(!shown.output.split(separator: "\n").contains { $0.hasPrefix("status  locked") })
    #expect(Self.isHarmless(shown.output))
    let echoed = try runProgram(
      try GatehouseProgram.path(), ["cli", "--port", port] + options + ["ECHO", evil + "\u{9b}2J\u{2028}"])
    #expect(echoed.output.split(separator: "\n").count == 1 && Self.isHarmless(echoed.output))
    let refused = try runProgram(
      try GatehouseProgram.path(), ["cli", "--port", port] + options + ["NO\u{202e}\u{9b}PE"])
    #expect(Self.isHarmless(refused.output) && Self.isHarmless(refused.errors) && refused.end == .exited(1))
    let info = try runProgram(try GatehouseProgram.path(), ["cli", "--port", port] + options + ["INFO", "server"])
    #expect(
      options.contains("--json") || info.output.contains("\ngatehouse_version:"),
      "a text of the server's keeps its lines")
  }

  private static func isHarmless(_ text: String) -> Bool {
    text.unicodeScalars.allSatisfy { scalar in
      scalar == "\n"
        || scalar != "\u{3164}"
          && ![.control, .format, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
    }
  }

  @Test func `the client introduces itself with the credentials it finds`() throws {
    let server = try TestServer()
    let secret = try #require(try server.client().fields("SERVICE.CREATE app ADMIN")["secret"])
    let port = String(server.port)
    let environment: [String: String?] = ["GATEHOUSE_AUTH": "app:\(secret)", "GATEHOUSE_PORT": port]
    #expect(
      try gatehouse("cli", "LOGIN.CHECK", "nobody", "p", environment: environment).output == "DENY unknown-user\n")
    #expect(try gatehouse("cli", "--resp2", "PING", environment: environment).succeeded)
    let wrong = try gatehouse("cli", "--port", port, "PING", environment: ["GATEHOUSE_AUTH": "app:wrong"])
    #expect(wrong.end == .exited(2))
    #expect(wrong.errors.contains("WRONGPASS"))
    let none = try gatehouse("cli", "--port", port, "LOGIN.CHECK", "a", "b", environment: ["GATEHOUSE_AUTH": nil])
    #expect(none.end == .exited(1))
    #expect(none.errors.contains("NOAUTH") && none.errors.contains("set GATEHOUSE_AUTH=name:secret"))
  }

  @Test func `the server reads its settings from the file, and again on SIGHUP`() throws {
    let folder = try TemporaryFolder("settings")
    let file = folder.path("gatehouse.json")
    try #"{"slowlog-length": 5, "log-format": "json"}"#.write(toFile: file, atomically: true, encoding: .utf8)
    let server = try TestServer(TestServer.Options(arguments: ["--config", file]))
    let client = try server.client()
    #expect(try client.fields("CONFIG GET slowlog-length")["slowlog-length"] == "5")
    #expect(server.messages.hasPrefix("{\"time\":"))

    try #"{"slowlog-length": 6}"#.write(toFile: file, atomically: true, encoding: .utf8)
    Glibc.kill(try #require(server.pid), SIGHUP)
    let deadline = ContinuousClock.now + .seconds(20)
    while try client.fields("CONFIG GET slowlog-length")["slowlog-length"] != "6", ContinuousClock.now < deadline {
      usleep(10_000)
    }
    #expect(try client.fields("CONFIG GET slowlog-length")["slowlog-length"] == "6")

    // A file that is valid by itself but not together with the running server's segment size is ignored as a whole.
    try #"{"slowlog-length": 7, "segment-bytes": "1mb", "snapshot-bytes": "2mb"}"#
      .write(toFile: file, atomically: true, encoding: .utf8)
    Glibc.kill(try #require(server.pid), SIGHUP)
    try eventually("the configuration is refused") { server.messages.contains("the configuration is left as it was") }
    #expect(server.messages.contains("snapshot-bytes"))
    #expect(try client.fields("CONFIG GET slowlog-length")["slowlog-length"] == "6")
    #expect(try client.fields("CONFIG GET snapshot-bytes")["snapshot-bytes"] == "256mb")

    try "not JSON".write(toFile: file, atomically: true, encoding: .utf8)
    Glibc.kill(try #require(server.pid), SIGHUP)
    #expect(try client.text("PING") == "PONG")
    #expect(try server.terminate() == .exited(0))
  }

  @Test func `each kind of refusal has its exit code`() throws {
    let folder = try TemporaryFolder("refused")
    #expect(try refusedStart(data: folder.path("a"), arguments: ["--lanes", "none"]).code == 64)
    #expect(try refusedStart(data: folder.path("a"), arguments: ["--config", "/no/such/file"]).code == 78)
    #expect(try refusedStart(data: folder.path("a"), arguments: ["--host", "203.0.113.1"]).code == 78)

    let server = try TestServer()
    let locked = try refusedStart(data: server.dataPath)
    #expect(locked.code == 75)
    #expect(locked.message.contains("in use"))
  }

  @Test func `the settings can be checked without starting`() throws {
    let result = try gatehouse("serve", "--port", "1", "--check", environment: ["GATEHOUSE_LANES": "3"])
    #expect(result.succeeded)
    let rows = result.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(rows.contains(["port", "1", "--port"]))
    #expect(rows.contains(["lanes", "3", "GATEHOUSE_LANES"]))
    #expect(rows.contains(["log-level", "info", "default"]))
  }

  @Test func `help and version exist`() throws {
    #expect(try gatehouse("--version").output.hasPrefix("gatehouse "))
    for arguments in [["--help"], ["serve", "--help"], ["cli", "--help"], ["sample", "--help"]] {
      let help = try runProgram(try GatehouseProgram.path(), arguments)
      #expect(help.succeeded)
      #expect(help.output.contains("EXAMPLES:"), "\(arguments)")
    }
  }
}
