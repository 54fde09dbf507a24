import GatehouseTestSupport
import GatehouseWire
import Testing

/// What becomes of connections whose service goes, and of those that have to become one.
@Suite("Services that end, and connections without one", .blocking)
struct EndingServicesTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer(.init(lanes: 2))
    gate = try server.client(.resp2)
    try gate.ok("PRODUCT.CREATE payroll")
  }

  @Test("deleting one's own service: what was sent with it is answered, and nothing after it is carried out")
  func ownService() throws {
    try gate.ok("SERVICE.CREATE operators ADMIN")
    for round in 0..<4 {
      let secret = try #require(try gate.fields("SERVICE.CREATE more\(round) ADMIN")["secret"])
      let raw = try server.rawConnection()
      try raw.send("AUTH \(secret)\r\n")
      #expect(try raw.receiveLine() == "+OK")
      let users = (0..<5).map { "USER.CREATE pipe\(round).\($0) NOINVITE IDEM i\(round).\($0)\r\n" }
      try raw.send(users.joined() + "PING a\r\nSERVICE.DELETE more\(round)\r\n")
      let answers = try raw.receiveUntilClosed()
      #expect(answers.components(of: "pipe\(round).") >= 5, "\(answers)")
      #expect(answers.contains("$1\r\na\r\n") && answers.hasSuffix("+OK\r\n"), "\(answers)")
      #expect(try gate.reply("USER.GET pipe\(round).4").errorText == nil)
    }
    // Another's connections end too, with what they have asked.
    let secret = try #require(try gate.fields("SERVICE.CREATE web READ")["secret"])
    let web = try server.client(.resp2)
    try web.ok("AUTH \(secret)")
    let monitor = try server.client(.resp2)
    let monitors = try #require(try gate.fields("SERVICE.CREATE watch ADMIN")["secret"])
    try monitor.ok("AUTH \(monitors)")
    try monitor.ok("MONITOR")
    for name in ["web", "watch"] { try gate.ok("SERVICE.DELETE \(name)") }
    #expect(throws: (any Error).self) { try web.ok("USER.COUNT") }
    try eventually("they are gone") {
      let list = try gate.shown("CLIENT LIST")
      return !list.contains("user=web") && !list.contains("user=watch") && !list.contains("flags=O")
    }
  }

  @Test("auth-timeout runs from when a connection had to authenticate, not from when it connected")
  func authenticationBecomesDue() throws {
    try gate.ok("CONFIG SET auth-timeout 1500ms")
    let local = try server.rawConnection()
    let back = try server.rawConnection()
    pause(.seconds(2))
    let secret = try #require(try gate.fields("SERVICE.CREATE operators ADMIN")["secret"])
    try back.send("AUTH \(secret)\r\n")
    #expect(try back.receiveLine() == "+OK")
    // Both have been connected for longer than the timeout.
    pause(.milliseconds(600))
    try back.send("RESET\r\n")
    #expect(try back.receiveLine() == "+RESET")
    try local.send("PING\r\n")
    #expect(try local.receiveLine().hasPrefix("-NOAUTH"))
    pause(.milliseconds(500))
    for client in [local, back] {
      try client.send("PING\r\n")
      #expect(try client.receiveLine().hasPrefix("-NOAUTH"))
    }
    try back.send("AUTH \(secret)\r\n")
    #expect(try back.receiveLine() == "+OK")
    #expect(try local.receiveUntilClosed().hasPrefix("-LIMIT auth-timeout: "))
    pause(.seconds(2))
    try back.send("USER.COUNT\r\n")
    #expect(try back.receiveLine() == ":0")
    try back.send("RESET\r\n")
    #expect(try back.receiveLine() == "+RESET")
    #expect(try back.receiveUntilClosed().hasPrefix("-LIMIT auth-timeout: "))
  }

  @Test("a secret without a name is found, also where a folder has a service of the default name")
  func secretOnly() throws {
    try gate.refused("SERVICE.CREATE default ADMIN", with: "CONFLICT service: default is a name")
    try gate.ok("SERVICE.CREATE operators ADMIN")
    let secret = try #require(try gate.fields("SERVICE.CREATE web READ")["secret"])
    for words in ["AUTH \(secret)", "AUTH default \(secret)", "HELLO 3 AUTH default \(secret)"] {
      try server.client(.resp2).ok(words)
    }
  }

  @Test("output limits are counted under their names") func outputLimits() throws {
    let shown = try gate.shown("INFO limits")
    #expect(shown.contains("limit_client_output_limit:0") && shown.contains("limit_total_output_limit:0"))
  }
}

extension String {
  /// How often a text stands in it.
  fileprivate func components(of text: String) -> Int {
    var (count, rest) = (0, self[...])
    while let found = rest.firstRange(of: text) {
      count += 1
      rest = rest[found.upperBound...]
    }
    return count
  }
}
