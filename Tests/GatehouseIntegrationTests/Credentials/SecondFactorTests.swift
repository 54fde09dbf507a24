import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

/// L5 in a real server: second factors against authenticators by others.
@Suite("Second factors", .blocking)
struct SecondFactorTests {
  private static let cheap = ["--password-memory", "64", "--password-passes", "1", "--slowlog-threshold", "0"]

  private func configured() throws -> (TestServer, Client, Authenticator, recovery: [String]) {
    let server = try TestServer(.init(lanes: 2, arguments: Self.cheap))
    let gate = try server.client()
    try gate.ok("WORKSPACE.SET main policy.password.admin-sets-final on policy.login.issuer 'Acme Ltd'")
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("USER.CREATE ana@acme.test PRODUCT payroll NOINVITE")
    try gate.ok("PASSWORD.SET ana@acme.test correct-horse-battery")
    let app = try #require(Authenticator(try gate.text("TOTP.ENROL ana@acme.test")))
    // A step back, so that the code of now is still to be used.
    let answer = try gate.reply("TOTP.CONFIRM ana@acme.test \(try app.code(at: nowMilliseconds() - 30_000))")
    let recovery = answer.items.compactMap(\.scalarText)
    #expect(recovery.count == 10)
    return (server, gate, app, recovery)
  }

  private func logIn(_ gate: Client, _ options: String...) throws -> Fields {
    try gate.fields("LOGIN.PASSWORD ana@acme.test payroll correct-horse-battery \(options.joined(separator: " "))")
  }

  @Test("a login with a challenge and a code; neither the code nor a recovery code works again, also after a kill")
  func replayed() throws {
    let (server, gate, app, recovery) = try configured()
    defer { server.kill() }
    let waiting = try logIn(gate)
    let challenge = try #require(waiting["challenge"])
    #expect(waiting["decision"] == "CHALLENGE")
    // Codes of this step and the next are right for half a minute at least.
    let codes = try app.codes(at: [nowMilliseconds(), nowMilliseconds() + 30_000])
    let session = try #require(try gate.fields("LOGIN.TOTP \(challenge) \(codes[0])")["session"])
    #expect(try gate.fields("SESSION.CHECK \(session)")["username"] == "ana@acme.test")
    #expect(try logIn(gate, "TOTP", recovery[0])["decision"] == "ALLOW")
    let other = try #require(try logIn(gate)["challenge"])
    server.kill()
    try server.start()
    let again = try server.client()
    #expect(try again.fields("LOGIN.TOTP \(challenge) \(codes[1])")["reason"] == "challenge")
    #expect(try logIn(again, "TOTP", codes[0])["reason"] == "credentials")
    #expect(try again.fields("LOGIN.TOTP \(other) \(recovery[0])")["reason"] == "credentials")
    #expect(try again.fields("LOGIN.TOTP \(other) \(codes[1])")["decision"] == "ALLOW", "the challenge outlives it")
    try again.ok("SAVE")
    server.kill()
    try server.start()
    let later = try server.client()
    #expect(try logIn(later, "TOTP", codes[1])["reason"] == "credentials")
    #expect(try later.fields("TOTP.GET ana@acme.test")["recovery-codes"] == "9")
    #expect(try later.fields("AUDIT.VERIFY")["ok"] == "1")
  }

  @Test("who guesses codes waits as who guesses passwords does, also after a kill")
  func guessed() throws {
    let (server, gate, app, _) = try configured()
    defer { server.kill() }
    for _ in 0..<5 { #expect(try logIn(gate, "TOTP", "000000x")["reason"] == "credentials") }
    server.kill()
    try server.start()
    let again = try server.client()
    #expect(try logIn(again, "TOTP", try app.code(at: nowMilliseconds()))["reason"] == "wait")
    #expect(try logIn(again)["reason"] == "wait", "the right password does not end it")
    try again.ok("LOGIN.UNLOCK ana@acme.test")
    #expect(try logIn(again)["decision"] == "CHALLENGE")
  }

  @Test("pyotp reads the address, and its codes are ours")
  func pyotp() throws {
    guard
      let python = try PythonLibrary.find("pyotp", "GATEHOUSE_PYTHON_PYOTP", "pyotp", module: "pyotp").orSkip()
    else { return }
    let server = try TestServer(.init(lanes: 1, arguments: Self.cheap))
    defer { server.kill() }
    let gate = try server.client()
    try gate.ok("WORKSPACE.CREATE acme")
    try gate.ok("WORKSPACE.SET acme policy.login.issuer 'Müller & Söhne: Büro' policy.password.admin-sets-final on")
    try gate.ok("PRODUCT.CREATE acme/app")
    try gate.ok("USER.CREATE zoë+1@acme.test WORKSPACE acme PRODUCT acme/app NOINVITE")
    try gate.ok("PASSWORD.SET zoë+1@acme.test correct-horse-battery")
    let address = try #require(try gate.text("TOTP.ENROL zoë+1@acme.test"))
    let script = """
      import pyotp, sys, time
      totp = pyotp.parse_uri(sys.argv[1])
      assert isinstance(totp, pyotp.TOTP) and totp.digits == 6 and totp.interval == 30
      print(totp.issuer); print(totp.name); print(totp.at(int(time.time()) - 30)); print(totp.now())
      """
    let result = try runProgram(python, ["-c", script, address])
    let lines = result.output.split(separator: "\n").map(String.init)
    try #require(lines.count == 4, "\(result.errors)")
    #expect(lines[0] == "Müller & Söhne: Büro" && lines[1] == "zoë+1@acme.test")
    #expect(try gate.reply("TOTP.CONFIRM zoë+1@acme.test \(lines[2])").items.count == 10)
    let answer = try gate.fields("LOGIN.PASSWORD zoë+1@acme.test acme/app correct-horse-battery TOTP \(lines[3])")
    #expect(answer["decision"] == "ALLOW")
  }

  @Test("codes, challenges and recovery codes are in their answers only: not in the folder, MONITOR or SLOWLOG")
  func secrets() throws {
    let (server, gate, app, recovery) = try configured()
    let monitor = try server.rawConnection()
    try monitor.send("MONITOR\r\n")
    _ = try monitor.receiveLine()
    let challenge = try #require(try logIn(gate)["challenge"])
    _ = try logIn(gate, "TOTP", recovery[0], "TTL", "1h")
    _ = try logIn(gate, "TTL", "1h", "totp", recovery[1])
    let code = try app.code(at: nowMilliseconds())
    try gate.ok("LOGIN.TOTP", challenge, code)
    let shown = try gate.shown("SLOWLOG GET 100") + gate.shown("AUDIT.LIST COUNT 100")
    try gate.ok("SAVE")
    var seen = ""
    for _ in 0..<5 { seen += try monitor.receiveLine() }
    try server.terminate()
    for secret in recovery + [challenge] {
      #expect(!shown.contains(secret) && !seen.contains(secret) && !server.messages.contains(secret))
      let needle = Data(secret.utf8)
      for file in try FileManager.default.subpathsOfDirectory(atPath: server.dataPath) {
        let data = FileManager.default.contents(atPath: "\(server.dataPath)/\(file)") ?? Data()
        #expect(data.range(of: needle) == nil, "\(file)")
      }
    }
    for secret in [code, app.secret] { #expect(!seen.contains("\"\(secret)\"") && !shown.contains(secret)) }
    #expect(seen.contains("(redacted)"))
  }
}
