import GatehouseTestSupport
import Testing

/// The first commands of client libraries, byte for byte.
@Suite("Wire: handshake", .blocking)
struct HandshakeTests {
  let server: TestServer

  init() throws { server = try TestServer() }

  @Test("HELLO 3 is a map of seven pairs in the order that clients read by position")
  func hello3() throws {
    let connection = try server.rawConnection()
    try connection.send("HELLO 3\r\n")
    try #expect(connection.receiveLine() == "%7")
    try expectHandshake(connection, version: 3)
  }

  @Test("HELLO 2, and HELLO alone, are the same as a flat array", arguments: ["HELLO 2\r\n", "HELLO\r\n"])
  func hello2(request: String) throws {
    let connection = try server.rawConnection()
    try connection.send(request)
    try #expect(connection.receiveLine() == "*14")
    try expectHandshake(connection, version: 2)
  }

  private func expectHandshake(_ connection: RawConnection, version: Int) throws {
    func bulk() throws -> String {
      let header = try connection.receiveLine()
      #expect(header.hasPrefix("$"))
      let text = try connection.receiveLine()
      #expect(header == "$\(text.utf8.count)")
      return text
    }
    try #expect(bulk() == "server")
    try #expect(!bulk().isEmpty)
    try #expect(bulk() == "version")
    // The same as in `INFO`: libraries choose their commands by it.
    let info = InfoTests.parse(try #require(try server.client().text("INFO server")))
    try #expect(bulk() == info["Server"]?["redis_version"])
    try #expect(bulk() == "proto")
    try #expect(connection.receiveLine() == ":\(version)")
    try #expect(bulk() == "id")
    try #expect(connection.receiveLine().hasPrefix(":"))
    try #expect(bulk() == "mode")
    try #expect(bulk() == "standalone")
    try #expect(bulk() == "role")
    try #expect(bulk() == "master")
    try #expect(bulk() == "modules")
    try #expect(connection.receiveLine() == "*0")
    #expect(connection.isQuiet(for: .milliseconds(50)))
  }

  @Test("HELLO with unsupported versions and unknown options")
  func helloRefused() throws {
    let gate = try server.client(.resp2)
    try gate.refused("HELLO 4", with: "NOPROTO unsupported protocol version")
    try gate.refused("HELLO 3 AUTH nobody wrong", with: "WRONGPASS invalid username-password pair or user is disabled.")
    #expect(try gate.text("PING") == "PONG", "a refused HELLO leaves the connection as it was")
    try gate.ok("HELLO 3 SETNAME tester")
    #expect(try gate.text("CLIENT GETNAME") == "tester")
  }

  @Test("AUTH on a server without services")
  func auth() throws {
    let gate = try server.client(.resp2)
    try gate.refused("AUTH secret", with: "ERR AUTH <password> called without any password configured")
    try gate.refused("AUTH nobody secret", with: "WRONGPASS")
    try gate.refused("AUTH", with: "ERR wrong number of arguments for 'auth' command")
  }

  @Test("PING and ECHO", arguments: ClientVersion.allCases)
  func pingEcho(version: ClientVersion) throws {
    let gate = try server.client(version)
    #expect(try gate.text("PING") == "PONG")
    #expect(try gate.text("PING hello") == "hello")
    for text in ["", " ", "a\r\nb", "\u{0}\u{1}", "ünï", String(repeating: "x", count: 100_000)] {
      #expect(try gate.text("ECHO", text) == text)
    }
  }

  @Test("QUIT answers and drops the rest of the pipeline")
  func quit() throws {
    let connection = try server.rawConnection()
    try connection.send("PING\r\nQUIT\r\nPING\r\n")
    try #expect(connection.receiveUntilClosed() == "+PONG\r\n+OK\r\n")
  }

  @Test("RESET returns to the state of a new connection")
  func reset() throws {
    let connection = try server.rawConnection()
    try connection.send("HELLO 3 SETNAME tester\r\n")
    try #expect(connection.receiveLine() == "%7")
    while try connection.receiveLine() != "*0" {}
    try connection.send("RESET\r\nCLIENT GETNAME\r\n")
    try #expect(connection.receiveLine() == "+RESET")
    try #expect(["$-1", "$0"].contains(connection.receiveLine()), "RESP2 again, and without a name")
  }

  @Test("SELECT knows database 0 only")
  func select() throws {
    let gate = try server.client(.resp2)
    #expect(try gate.text("SELECT 0") == "OK")
    try gate.refused("SELECT 1", with: "ERR DB index is out of range")
  }

  @Test("null in each protocol version")
  func null() throws {
    let connection = try server.rawConnection()
    try connection.send("SESSION.CHECK nothing\r\nHELLO 3\r\nSESSION.CHECK nothing\r\n")
    try #expect(connection.receiveLine() == "$-1")
    try #expect(connection.receiveLine() == "%7")
    while try connection.receiveLine() != "*0" {}
    try #expect(connection.receiveLine() == "_")
  }

  @Test("CLIENT, as libraries use it while connecting")
  func client() throws {
    let gate = try server.client()
    #expect(try gate.integer("CLIENT ID") > 0)
    #expect(try gate.text("CLIENT SETNAME worker-1") == "OK")
    #expect(try gate.text("CLIENT GETNAME") == "worker-1")
    try gate.refused("CLIENT", "SETNAME", "two words", with: "ERR")
    #expect(try gate.text("CLIENT SETINFO LIB-NAME tests") == "OK")
    #expect(try gate.text("client setinfo lib-ver 1.0") == "OK")
    #expect(try gate.text("CLIENT NO-EVICT on") == "OK")
    try gate.refused("CLIENT MAINT_NOTIFICATIONS ON", with: "ERR unknown subcommand")
    try gate.refused("CLIENT TRACKING ON", with: "ERR unknown subcommand")
    try gate.refused("CLIENT KILL", with: "ERR wrong number of arguments for 'client|kill' command")
    try gate.refused("CLIENT nonsense", with: "ERR unknown subcommand 'nonsense'. Try CLIENT HELP.")
    let info = try #require(try gate.text("CLIENT INFO"))
    #expect(info.contains("name=worker-1") && info.contains("lib-name=tests") && info.contains("resp=3"))

    let other = try server.client()
    let id = try other.integer("CLIENT ID")
    #expect(try #require(try gate.text("CLIENT LIST")).contains("id=\(id) "))
    #expect(try gate.integer("CLIENT KILL ID \(id)") == 1)
    #expect(throws: (any Error).self) { try other.ok("PING") }
  }
}
