import GatehouseTestSupport
import Testing

/// Bytes that no honest client sends. The connection that sent them may close; the server never does.
@Suite("Wire: hostile input", .blocking)
struct HostileInputTests {
  let server: TestServer

  init() throws { server = try TestServer() }

  /// The input, and the protocol error that must come last before the close.
  static let closing: [(request: String, error: String)] = [
    ("*2\r\n+PING\r\n", "expected '$', got '+'"),
    ("*1\r\n:4\r\n", "expected '$', got ':'"),
    ("*x\r\n", "invalid multibulk length"),
    ("*99999999999\r\n", "invalid multibulk length"),
    ("*1\r\n$-5\r\n", "invalid bulk length"),
    ("*1\r\n$abc\r\n", "invalid bulk length"),
    ("*1\r\n$99999999999\r\n", "invalid bulk length"),
    ("ECHO \"open\r\n", "unbalanced quotes in request"),
    ("ECHO 'open\r\n", "unbalanced quotes in request"),
    ("ECHO \"a\"b\r\n", "unbalanced quotes in request"),
    (String(repeating: "x", count: 70_000), "too big inline request"),
  ]

  @Test("a protocol error is reported, then the connection closes", arguments: closing.indices)
  func closes(index: Int) throws {
    let (request, error) = Self.closing[index]
    let connection = try server.rawConnection()
    try connection.send("PING\r\n" + request)
    try #expect(connection.receiveUntilClosed() == "+PONG\r\n-ERR Protocol error: \(error)\r\n")
    try expectAlive()
  }

  @Test("a browser that connects to this port is cut off", arguments: ["POST / HTTP/1.1\r\n", "Host: x\r\n"])
  func crossProtocol(line: String) throws {
    let connection = try server.rawConnection()
    try connection.send(line + "PING\r\n")
    try #expect(!connection.receiveUntilClosed().contains("PONG"))
    try expectAlive()
  }

  @Test("empty lines and empty arrays are skipped; LF alone ends a line")
  func skipped() throws {
    let connection = try server.rawConnection()
    try connection.send("\r\n\n*0\r\n*-1\r\nPING\n   \r\nPING  \r\n")
    try #expect(connection.receiveLine() == "+PONG")
    try #expect(connection.receiveLine() == "+PONG")
    #expect(connection.isQuiet(for: .milliseconds(50)))
  }

  @Test("quotes in an inline command are read like in Redis")
  func quotes() throws {
    let connection = try server.rawConnection()
    try connection.send(#"ECHO "a\x41\n\t\"b""# + "\r\n" + #"ECHO 'it\'s'"# + "\r\n")
    try #expect(connection.receive(12) == Array("$6\r\naA\n\t\"b\r\n".utf8))
    try #expect(connection.receive(10) == Array("$4\r\nit's\r\n".utf8))
  }

  @Test("a request sent byte by byte is the same request")
  func bytewise() throws {
    let connection = try server.rawConnection()
    for byte in Array("*2\r\n$4\r\nECHO\r\n$3\r\na\r\n\r\nPING\r\n".utf8) { try connection.send([byte]) }
    try #expect(connection.receive(16) == Array("$3\r\na\r\n\r\n+PONG\r\n".utf8))
  }

  @Test("a client that leaves in the middle of a request leaves nothing behind")
  func halfSent() throws {
    for part in ["*3\r\n$11\r\nUSER.CRE", "*2\r\n$4\r\nECHO\r\n$1000000\r\nxxx", "PIN", "*", "$"] {
      let connection = try server.rawConnection()
      try connection.send(part)
      connection.finishSending()
      try #expect(connection.receiveUntilClosed() == "")
    }
    try expectAlive()
  }

  @Test("declared lengths take no memory")
  func declaredLengths() throws {
    var connections: [RawConnection] = []
    for _ in 0..<100 {
      let connection = try server.rawConnection()
      try connection.send("*60000\r\n$4\r\nECHO\r\n$900000\r\n")
      connections.append(connection)
    }
    let gate = try server.client()
    let info = try #require(try gate.text("INFO memory"))
    let resident = try #require(info.split(separator: "\r\n").first { $0.hasPrefix("used_memory_rss:") })
    #expect(try #require(Int(resident.split(separator: ":")[1])) < 1 << 30)
  }

  @Test("before authentication requests are small")
  func unauthenticated() throws {
    let gate = try server.client()
    let secret = try #require(try gate.fields("SERVICE.CREATE app ADMIN")["secret"])
    for (request, error) in [
      ("*11\r\n", "unauthenticated multibulk length"),
      ("*2\r\n$4\r\nECHO\r\n$16385\r\n", "unauthenticated bulk length"),
    ] {
      let connection = try server.rawConnection()
      try connection.send(request)
      try #expect(connection.receiveUntilClosed() == "-ERR Protocol error: \(error)\r\n")
    }
    // From the reply to AUTH on they may be large, even within the same pipeline.
    let connection = try server.rawConnection()
    let large = String(repeating: "x", count: 20_000)
    try connection.send("AUTH app \(secret)\r\n*2\r\n$4\r\nECHO\r\n$20000\r\n\(large)\r\n")
    try #expect(connection.receiveLine() == "+OK")
    try #expect(connection.receiveLine() == "$20000")
  }

  @Test("random bytes never end the server", arguments: 1...8)
  func randomBytes(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let pieces = [
      "*3\r\n", "$5\r\n", "\r\n", "PING", "USER.CREATE ", "\"", "'", "*", "$", "-1", "\u{0}", "AS ", "HELLO 3",
    ]
    for _ in 0..<40 {
      let connection = try server.rawConnection()
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 1...60, using: &random) {
        if Bool.random(using: &random) {
          bytes.append(contentsOf: pieces.randomElement(using: &random)!.utf8)
        } else {
          bytes.append(UInt8.random(in: 0...255, using: &random))
        }
      }
      try? connection.send(bytes)
      connection.finishSending()
      _ = try? connection.receiveUntilClosed()
    }
    try expectAlive()
  }

  private func expectAlive() throws {
    #expect(server.isRunning)
    #expect(try server.client().text("PING") == "PONG")
  }
}
