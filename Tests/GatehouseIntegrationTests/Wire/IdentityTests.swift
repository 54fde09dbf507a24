import GatehouseTestSupport
import GatehouseWire
import Testing

/// How a connection authenticates, with the forms and texts that libraries know.
@Suite("Wire: AUTH and HELLO", .blocking)
struct IdentityTests {
  let server: TestServer
  let gate: Client
  let secret: String

  private static let wrong = "WRONGPASS invalid username-password pair or user is disabled."

  init() throws {
    server = try TestServer()
    gate = try server.client(.resp2)
    secret = try #require(try gate.fields("SERVICE.CREATE app ADMIN")["secret"])
  }

  @Test("without services AUTH says so, exactly as redis-py compares it")
  func withoutServices() throws {
    let server = try TestServer()
    let gate = try server.client(.resp2)
    let expected =
      "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration "
      + "is correct?"
    #expect(try gate.refused("AUTH x", with: "ERR") == expected)
    #expect(try gate.refused("AUTH a b c", with: "ERR") == "ERR syntax error")
    #expect(try gate.refused("AUTH nobody x", with: "WRONGPASS") == Self.wrong)
    #expect(try gate.text("PING") == "PONG")
  }

  @Test("a secret alone identifies the service, also with Redis' default name")
  func secretAlone() throws {
    let other = try #require(try gate.fields("SERVICE.CREATE reader READ")["secret"])
    for (words, user) in [
      ("AUTH \(secret)", "app"), ("AUTH default \(secret)", "app"), ("AUTH app \(secret)", "app"),
      ("AUTH \(other)", "reader"), ("HELLO 3 AUTH default \(other)", "reader"), ("HELLO 2 AUTH app \(secret)", "app"),
    ] {
      let client = try server.client(.resp2)
      try client.refused("USER.COUNT", with: "NOAUTH")
      try client.ok(words)
      #expect(try #require(try client.text("CLIENT INFO")).contains(" user=\(user) "))
      #expect(try client.integer("USER.COUNT") == 0)
    }
    try gate.ok("SERVICE.DELETE reader")
    for words in [
      "AUTH \(other)", "AUTH default \(other)", "AUTH reader \(other)", "AUTH app \(other)", "AUTH reader \(secret)",
      "AUTH \(secret)x", "AUTH \(secret.dropLast())", "AUTH default wrong", "HELLO 3 AUTH default wrong",
    ] {
      let client = try server.client(.resp2)
      #expect(try client.refused(words, with: "WRONGPASS") == Self.wrong)
      try client.refused("USER.COUNT", with: "NOAUTH Authentication required.")
    }
    try server.client(.resp2).refused("AUTH", with: "ERR wrong number of arguments for 'auth' command")
  }

  /// In each of these one part is wrong.
  static let halfWrong: [(words: String, error: String)] = [
    ("SETNAME 'a b'", "ERR Client names cannot contain spaces"),
    ("SETNAME", "ERR Syntax error in HELLO option 'SETNAME'"),
    ("NONSENSE", "ERR Syntax error in HELLO option 'NONSENSE'"), ("SETNAME ok AUTH app", "ERR Syntax error in HELLO"),
    ("SETNAME ok AUTH app wrong", "WRONGPASS"),
  ]

  @Test("a refused HELLO changes nothing", arguments: halfWrong.indices)
  func allOrNothing(index: Int) throws {
    let (words, error) = Self.halfWrong[index]
    let connection = try server.rawConnection()
    try connection.send("HELLO 3 AUTH app \(secret) \(words)\r\nUSER.COUNT\r\n")
    try #expect(connection.receiveLine().hasPrefix("-\(error)"))
    try #expect(connection.receiveLine() == "-NOAUTH Authentication required.")
    // Earlier state is kept, too: name, protocol and service.
    try connection.send("AUTH \(secret)\r\nCLIENT SETNAME before\r\nHELLO 3 AUTH app \(secret) \(words)\r\n")
    try #expect(connection.receiveLine() == "+OK")
    try #expect(connection.receiveLine() == "+OK")
    try #expect(connection.receiveLine().hasPrefix("-\(error)"))
    try connection.send("CLIENT GETNAME\r\nSESSION.CHECK nothing\r\nUSER.COUNT\r\n")
    try #expect(connection.receive(17) == Array("$6\r\nbefore\r\n$-1\r\n".utf8))
    try #expect(connection.receiveLine() == ":0")
  }

  @Test("invalid versions", arguments: ["1", "4", "-1", "99999999999"])
  func versions(version: String) throws {
    try gate.refused("HELLO \(version)", with: "NOPROTO unsupported protocol version")
    try gate.refused("HELLO \(version) AUTH app \(secret)", with: "NOPROTO unsupported protocol version")
    try gate.refused("HELLO three", with: "ERR Protocol version is not an integer or out of range")
  }

  @Test("HELLO and INFO report the same version of Redis")
  func oneVersion() throws {
    let info = InfoTests.parse(try #require(try gate.text("INFO server")))
    let version = try #require(info["Server"]?["redis_version"])
    for words in ["HELLO", "HELLO 2", "HELLO 3", "HELLO 2"] {
      #expect(try gate.fields(words)["version"] == version)
    }
    #expect(version.split(separator: ".").count == 3 && version != info["Server"]?["gatehouse_version"])
  }

  @Test("a health check may PING before it authenticates if the setting allows it, and nothing else")
  func healthChecks() throws {
    let probe = try server.rawConnection()
    try probe.send("*1\r\n$4\r\nPING\r\n")
    try #expect(probe.receiveLine() == "-NOAUTH Authentication required.")
    try gate.ok("CONFIG SET ping-before-auth yes")
    try probe.send("*1\r\n$4\r\nPING\r\nping\r\n")
    try #expect(probe.receiveLine() == "+PONG")
    try #expect(probe.receiveLine() == "+PONG")
    for command in ["PING hello", "ECHO x", "INFO", "PING a b", "MULTI", "CLIENT ID", "AS x PING", "USER.COUNT"] {
      try probe.send("\(command)\r\n")
      try #expect(probe.receiveLine().hasPrefix("-"), "\(command)")
    }
    try gate.ok("CONFIG SET ping-before-auth no")
    try probe.send("PING\r\n")
    try #expect(probe.receiveLine() == "-NOAUTH Authentication required.")
  }

  @Test("an unauthenticated client that announces a large request is told its lower limit")
  func largeBeforeAuthentication() throws {
    for (request, error) in [
      ("*100\r\n", "unauthenticated multibulk length"), ("*70000\r\n", "unauthenticated multibulk length"),
      ("*1\r\n$16385\r\n", "unauthenticated bulk length"), ("*1\r\n$100000000\r\n", "unauthenticated bulk length"),
      ("*2\r\n$4\r\nAUTH\r\n$2000000\r\n", "unauthenticated bulk length"),
      ("*3000000000\r\n", "invalid multibulk length"),
    ] {
      let connection = try server.rawConnection()
      try connection.send(request)
      try #expect(connection.receiveUntilClosed() == "-ERR Protocol error: \(error)\r\n", "\(request)")
    }
  }
}
