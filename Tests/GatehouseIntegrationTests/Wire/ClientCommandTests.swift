import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

/// `CLIENT INFO`, `LIST` and `KILL`, which libraries read field by field and operators use in a hurry.
@Suite("Wire: CLIENT", .blocking)
struct ClientCommandTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    gate = try server.client(.resp2)
  }

  /// The fields of Redis 7.4 in its order, then those that newer ones have.
  private static let fields = [
    "id", "addr", "laddr", "fd", "name", "age", "idle", "flags", "db", "sub", "psub", "ssub", "multi", "watch", "qbuf",
    "qbuf-free", "argv-mem", "multi-mem", "rbs", "rbp", "obl", "oll", "omem", "tot-mem", "events", "cmd", "user",
    "redir", "resp", "lib-name", "lib-ver", "tot-net-in", "tot-net-out", "tot-cmds",
  ]

  private func parse(_ line: some StringProtocol) -> [(name: String, value: String)] {
    line.split(separator: " ").map {
      let parts = $0.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "no value")
    }
  }

  private func info(_ client: Client) throws -> [String: String] {
    let text = try #require(try client.text("CLIENT INFO"))
    #expect(text.hasSuffix("\n") && text.dropLast().allSatisfy { $0 != "\n" })
    return Dictionary(uniqueKeysWithValues: parse(text.dropLast()).map { ($0.name, $0.value) })
  }

  @Test("every field is in its position", arguments: ClientVersion.allCases)
  func fields(version: ClientVersion) throws {
    let other = try server.client(version)
    try other.ok("CLIENT SETNAME worker")
    for line in [
      try #require(try other.text("CLIENT INFO")).dropLast(),
      try #require(try gate.text("CLIENT LIST ID \(other.integer("CLIENT ID"))")).dropLast(),
    ] {
      let found = parse(line)
      #expect(found.map(\.name) == Self.fields)
      let values = Dictionary(uniqueKeysWithValues: found.map { ($0.name, $0.value) })
      #expect(values["name"] == "worker" && values["user"] == "default" && values["redir"] == "-1")
      #expect(values["resp"] == (version == .resp3 ? "3" : "2") && values["multi"] == "-1" && values["flags"] == "N")
      #expect(values["laddr"] == "127.0.0.1:\(server.port)" && values["addr"]?.hasPrefix("127.0.0.1:") == true)
      for name in ["fd", "qbuf-free", "tot-mem", "tot-net-in"] {
        #expect(Int(values[name] ?? "").map { $0 >= 0 } == true, "\(name)=\(values[name] ?? "")")
      }
      for name in ["age", "idle", "watch", "qbuf", "argv-mem", "multi-mem", "obl", "oll", "omem"] {
        #expect(values[name] == "0", "\(name)=\(values[name] ?? "")")
      }
    }
  }

  @Test("the last command is named with its subcommand")
  func lastCommand() throws {
    #expect(try info(gate)["cmd"] == "client|info")
    let id = try gate.integer("CLIENT ID")
    let other = try server.client()
    func last() throws -> String? {
      let line = try #require(try other.text("CLIENT LIST ID \(id)"))
      return parse(line.dropLast()).first { $0.name == "cmd" }?.value
    }
    #expect(try last() == "client|id")
    for (command, shown) in [
      ("config get save", "config|get"), ("PING", "ping"), ("LOGIN.CHECK nobody nothing", "login.check"),
      ("USER.COUNT", "user.count"), ("client setname x", "client|setname"), ("COMMAND COUNT", "command|count"),
      ("AS nothing USER.GET x", "user.get"), ("USER.LIST", "user.list"), ("SLOWLOG LEN", "slowlog|len"),
      ("CLIENT KILL", "client|kill"),
    ] {
      _ = try gate.reply(command)
      #expect(try last() == shown, "\(command)")
    }
    #expect(try #require(try other.text("CLIENT LIST")).contains("cmd=client|list"))
  }

  @Test("bytes and commands of a connection are counted")
  func counts() throws {
    let connection = try server.rawConnection()
    func ask() throws -> [String: String] {
      try connection.send("*2\r\n$6\r\nclient\r\n$4\r\ninfo\r\n")
      let count = try #require(Int(try connection.receiveLine().dropFirst()))
      let text = String(decoding: try connection.receive(count + 2), as: UTF8.self)
      let line = try #require(text.split(whereSeparator: \.isNewline).first)
      return Dictionary(uniqueKeysWithValues: parse(line).map { ($0.name, $0.value) })
    }
    let (one, two) = (try ask(), try ask())
    func difference(_ name: String) throws -> Int {
      try #require(Int(two[name] ?? "")) - #require(Int(one[name] ?? ""))
    }
    #expect(try difference("tot-net-in") == 26)
    #expect(try difference("tot-net-out") > 300)
    #expect(try difference("tot-cmds") == 1)
  }

  @Test("NO-EVICT and NO-TOUCH are shown; RESET clears them, but not the library's name")
  func switches() throws {
    try gate.ok("CLIENT NO-EVICT on")
    try gate.ok("CLIENT NO-TOUCH ON")
    try gate.ok("CLIENT SETINFO LIB-NAME tests")
    #expect(try info(gate)["flags"] == "eT")
    try gate.refused("CLIENT NO-EVICT maybe", with: "ERR syntax error")
    try gate.refused("CLIENT", "SETINFO", "lib-name", "two words", with: "ERR lib-name cannot contain spaces")
    try gate.refused("CLIENT SETINFO badger hamster", with: "ERR Unrecognized option 'badger'")
    try gate.refused("CLIENT SETINFO lib-name", with: "ERR wrong number of arguments for 'client|setinfo' command")
    #expect(try info(gate)["lib-name"] == "tests")
    try gate.ok("RESET")
    #expect(try info(gate)["flags"] == "N")
    #expect(try info(gate)["lib-name"] == "tests")
    try gate.ok("CLIENT", "SETINFO", "LIB-NAME", "")
    #expect(try info(gate)["lib-name"] == "")
  }

  @Test("what a client tells of itself is no token, which SLOWLOG and CLIENT LIST would show to others")
  func tokensAsNames() throws {
    try gate.ok("PRODUCT.CREATE crm")
    try gate.ok("USER.CREATE ana PRODUCT crm")
    let token = try gate.token(of: "ana", to: "crm")
    let why = "ERR Client names cannot be a token, a key or a secret"
    try gate.refused("CLIENT", "SETNAME", token, with: why)
    try gate.refused("HELLO", "3", "SETNAME", token, with: why)
    try gate.refused("CLIENT", "SETINFO", "lib-name", token, with: "ERR lib-name cannot be a token")
    try gate.refused("CLIENT", "SETINFO", "LIB-VER", token, with: "ERR lib-ver cannot be a token")
    try gate.ok("CLIENT SETNAME gs_hopper")
    try gate.ok("CONFIG SET slowlog-threshold 0")
    try gate.ok("USER.GET ana")
    for command in ["SLOWLOG GET", "CLIENT LIST"] {
      let shown = try gate.shown(command)
      #expect(shown.contains("gs_hopper") && !shown.contains(token), "\(command)")
    }
    // Nor as a reason, which the trail would keep, or behind a command that is misspelled.
    try gate.ok("USER.STATUS", "ana", "inactive", "REASON", token)
    #expect(try !gate.shown("AUDIT.LIST").contains(token))
    for line in ["HELO 3 AUTH ops hunter", "AUHT ops hunter", "AUTHX hunter", "XYZZY a \(token)"] {
      let answer = try gate.reply(line).errorText ?? ""
      #expect(
        answer.hasPrefix("ERR unknown command") && !answer.contains("hunter") && !answer.contains(token), "\(answer)")
    }
  }

  // MARK: KILL

  /// Commands that must be answered with an error and close no connection.
  static let refused: [(command: String, error: String)] = [
    ("CLIENT KILL", "ERR wrong number of arguments for 'client|kill' command"),
    ("CLIENT KILL ID 10 wrong", "ERR syntax error"),
    ("CLIENT KILL ID x", "ERR client-id should be greater than 0"),
    ("CLIENT KILL ID -1", "ERR client-id should be greater than 0"),
    ("CLIENT KILL ID 0", "ERR client-id should be greater than 0"),
    ("CLIENT KILL TYPE nonsense", "ERR Unknown client type 'nonsense'"),
    ("CLIENT KILL USER nobody", "ERR No such user 'nobody'"),
    ("CLIENT KILL SKIPME maybe", "ERR syntax error"),
    ("CLIENT KILL SKIPME", "ERR No such client"),
    ("CLIENT KILL SKIPME no TYPE", "ERR syntax error"),
    ("CLIENT KILL MAXAGE x", "ERR maxage is not an integer or out of range"),
    ("CLIENT KILL MAXAGE 9999999999999999999", "ERR maxage is not an integer or out of range"),
    ("CLIENT KILL MAXAGE -1", "ERR maxage should be greater than 0"),
    ("CLIENT KILL MAXAGE 0", "ERR maxage should be greater than 0"),
    ("CLIENT KILL NAME x", "ERR syntax error"),
    ("CLIENT KILL 000.123.321.567:0000", "ERR No such client"),
    ("CLIENT KILL 127.0.0.1:", "ERR No such client"),
    ("CLIENT LIST TYPE nonsense", "ERR Unknown client type 'nonsense'"),
    ("CLIENT LIST ID x", "ERR Invalid client ID"),
    ("CLIENT LIST nonsense", "ERR syntax error"),
  ]

  @Test("an invalid filter closes no connection", arguments: refused.indices)
  func killRefused(index: Int) throws {
    let others = try (0..<3).map { _ in try server.client() }
    let (command, error) = Self.refused[index]
    try gate.refused(command, with: error)
    for other in others + [gate] { #expect(try other.text("PING") == "PONG") }
  }

  @Test("KILL closes connections that match all filters", arguments: [1, 4])
  func kill(lanes: Int) throws {
    let server = try TestServer(.init(lanes: lanes))
    let gate = try server.client(.resp2)
    let others = try (0..<8).map { _ in try server.client() }
    let ids = try others.map { try $0.integer("CLIENT ID") }
    for type in ["master", "replica", "slave", "pubsub"] {
      #expect(try gate.integer("CLIENT KILL TYPE \(type) SKIPME no") == 0)
    }
    #expect(try gate.integer("CLIENT KILL MAXAGE 1000 SKIPME no") == 0)
    #expect(try gate.integer("CLIENT KILL ID \(ids[0]) ADDR 127.0.0.1:1") == 0)
    #expect(try gate.integer("CLIENT KILL ID \(ids[0]) LADDR 127.0.0.1:\(server.port) USER default TYPE normal") == 1)
    #expect(throws: (any Error).self) { try others[0].ok("PING") }
    let line = try #require(try gate.text("CLIENT LIST ID \(ids[1])"))
    let address = try #require(parse(line.dropLast()).first { $0.name == "addr" }?.value)
    #expect(try gate.text("CLIENT KILL \(address)") == "OK")
    #expect(throws: (any Error).self) { try others[1].ok("PING") }
    for other in others.dropFirst(2) { #expect(try other.text("PING") == "PONG") }
    #expect(try gate.integer("CLIENT KILL SKIPME yes") == 6)
    for other in others { #expect(throws: (any Error).self) { try other.ok("PING") } }

    _ = try server.client().text("PING")
    #expect(try gate.integer("CLIENT KILL SKIPME NO") >= 1)
    #expect(throws: (any Error).self) { try gate.ok("PING") }
    #expect(try server.client().text("PING") == "PONG")
  }

  @Test("KILL MAXAGE spares younger connections, USER those of other services")
  func killByAgeAndUser() throws {
    let secret = try #require(try gate.fields("SERVICE.CREATE app ADMIN")["secret"])
    let old = try server.client(.resp2)
    try old.ok("AUTH app \(secret)")
    pause(.milliseconds(2_100))
    let young = try server.client(.resp2)
    try young.ok("AUTH \(secret)")
    #expect(try young.integer("CLIENT KILL USER default") == 0)
    // The connection that created the first service continues as that service.
    #expect(try young.integer("CLIENT KILL USER app MAXAGE 2") == 2)
    #expect(throws: (any Error).self) { try old.ok("PING") }
    #expect(throws: (any Error).self) { try gate.ok("PING") }
    #expect(try young.text("PING") == "PONG")
  }
}
