import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

/// `MULTI`, `EXEC` and `DISCARD` as in Redis.
@Suite("Wire: transactions", .blocking)
struct TransactionsTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    gate = try server.client(.resp2)
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("USER.CREATE ana PRODUCT payroll")
  }

  private static let aborted = "EXECABORT Transaction discarded because of previous errors."

  @Test("commands are queued, and EXEC answers all of them in order", arguments: [1, 4], ClientVersion.allCases)
  func basics(lanes: Int, version: ClientVersion) throws {
    let server = try TestServer(.init(lanes: lanes))
    let gate = try server.client(version)
    try gate.ok("PRODUCT.CREATE payroll")
    #expect(try gate.text("MULTI") == "OK")
    var expected: [String] = []
    for number in 0..<40 {
      #expect(try gate.text("USER.CREATE u\(number) PRODUCT payroll") == "QUEUED")
      #expect(try gate.text("LOGIN.CHECK u\(number) payroll") == "QUEUED")
      #expect(try gate.text("USER.CREATE u\(number)") == "QUEUED")
      #expect(try gate.text("USER.COUNT") == "QUEUED")
      #expect(try gate.text("PING") == "QUEUED")
      expected += ["u\(number)", "ALLOW", "CONFLICT", "\(number + 1)", "PONG"]
    }
    let other = try server.client(version)
    #expect(try other.integer("USER.COUNT") == 0, "nothing is done before EXEC")
    let replies = try gate.ok("EXEC").items
    #expect(replies.count == expected.count)
    for (reply, expected) in zip(replies, expected) {
      #expect(reply.formatted().contains(expected), "\(reply.formatted()) instead of \(expected)")
    }
    #expect(try other.integer("USER.COUNT") == 40)
    #expect(try gate.text("PING") == "PONG")
  }

  @Test("a whole transaction in one write is answered byte for byte as in Redis")
  func bytes() throws {
    let connection = try server.rawConnection()
    try connection.send("MULTI\r\nPING\r\nLOGIN.CHECK ana payroll\r\nSELECT 1\r\nECHO x\r\nEXEC\r\nPING\r\n")
    let expected =
      "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*4\r\n+PONG\r\n$5\r\nALLOW\r\n"
      + "-ERR DB index is out of range\r\n$1\r\nx\r\n+PONG\r\n"
    try #expect(String(decoding: connection.receive(expected.utf8.count), as: UTF8.self) == expected)
    try connection.send("MULTI\r\nEXEC\r\n")
    try #expect(connection.receive(9) == Array("+OK\r\n*0\r\n".utf8))
  }

  @Test("DISCARD forgets what was queued")
  func discard() throws {
    try gate.ok("MULTI")
    #expect(try gate.text("TIMER.START ana") == "QUEUED")
    #expect(try gate.text("DISCARD") == "OK")
    #expect(try gate.isNull("TIMER.CURRENT ana"))
    try gate.refused("EXEC", with: "ERR EXEC without MULTI")
    try gate.refused("DISCARD", with: "ERR DISCARD without MULTI")
  }

  /// Commands refused before they can be queued: unknown, malformed, not allowed.
  static let refused: [(command: String, error: String)] = [
    ("FROBNICATE", "ERR unknown command 'FROBNICATE'; COMMAND LIST names all of them"),
    ("CLIENT FROBNICATE", "ERR unknown subcommand 'FROBNICATE'. Try CLIENT HELP."),
    ("TIMER.START", "ERR wrong number of arguments for 'timer.start' command"),
    ("CLIENT SETNAME", "ERR wrong number of arguments for 'client|setname' command"),
    ("TIMER.START ana NONSENSE 1", "ERR unknown option 'NONSENSE'"),
    ("TIMER.START ana NOTE", "ERR NOTE needs a value"),
    ("TIMER.START ana NOTE a NOTE b", "ERR NOTE is given twice"),
    ("AS nothing FROBNICATE", "ERR unknown command 'FROBNICATE'"),
    ("AS nothing SAVE", "NOPERM a service's own authority"),
    ("AS nothing MULTI", "NOPERM a service's own authority"),
    ("MULTI", "ERR MULTI calls can not be nested"),
    ("WATCH ana", "ERR WATCH inside MULTI is not allowed"),
    ("WATCH", "ERR wrong number of arguments for 'watch' command"),
    ("MONITOR", "ERR Command not allowed inside a transaction"),
    ("AUTH secret", "ERR Command not allowed inside a transaction"),
    ("HELLO 3", "ERR Command not allowed inside a transaction"),
    ("SAVE", "ERR Command not allowed inside a transaction"),
    ("COMPACT", "ERR Command not allowed inside a transaction"),
    ("SHUTDOWN", "ERR Command not allowed inside a transaction"),
    ("EXEC now", "ERR wrong number of arguments for 'exec' command"),
    ("DISCARD now", "ERR wrong number of arguments for 'discard' command"),
  ]

  @Test("one refused command aborts the transaction", arguments: refused.indices)
  func refusedWhileQueueing(index: Int) throws {
    let (command, error) = Self.refused[index]
    try gate.ok("MULTI")
    #expect(try gate.text("TIMER.START ana") == "QUEUED")
    try gate.refused(command, with: error)
    #expect(try gate.text("USER.CREATE bo") == "QUEUED")
    #expect(try gate.refused("EXEC", with: "EXECABORT") == Self.aborted)
    #expect(try gate.isNull("TIMER.CURRENT ana"))
    try gate.refused("USER.GET bo", with: "NOTFOUND")
    #expect(try gate.text("PING") == "PONG", "the transaction is over")

    try gate.ok("MULTI")
    try gate.refused(command, with: error)
    #expect(try gate.text("DISCARD") == "OK")
    #expect(try gate.text("PING") == "PONG")
  }

  @Test("what a service may not do is refused while queueing, and again by EXEC")
  func permissions() throws {
    let admin = try server.client(.resp2)
    try admin.ok("AUTH \(try #require(try gate.fields("SERVICE.CREATE root ADMIN")["secret"]))")
    let secret = try #require(try admin.fields("SERVICE.CREATE reader READ")["secret"])
    let reader = try server.client(.resp2)
    try reader.refused("MULTI", with: "NOAUTH")
    try reader.ok("AUTH reader \(secret)")
    try reader.ok("MULTI")
    try reader.refused("TIMER.START ana", with: "NOPERM")
    #expect(try reader.refused("EXEC", with: "EXECABORT") == Self.aborted)

    // A whole transaction runs with one authentication.
    try admin.ok("MULTI")
    try admin.refused("AUTH \(secret)", with: "ERR Command not allowed inside a transaction")
    #expect(try admin.refused("EXEC", with: "EXECABORT") == Self.aborted)
    try reader.refused("USER.GET bo", with: "NOTFOUND")
  }

  @Test("AS runs a command of a transaction with its session's rights")
  func asSession() throws {
    let token = try #require(try gate.fields("SESSION.CREATE ana payroll")["session"])
    try gate.ok("MULTI")
    try gate.ok("AS \(token) TIMER.START ana")
    try gate.ok("AS nothing TIMER.STOP ana")
    try gate.ok("AS \(token) TIMER.STOP ana")
    let replies = try gate.ok("EXEC").items
    #expect(replies.count == 3 && replies[1].errorText != nil)
    #expect(Fields(replies[2])?["stopped-by"] == "ana")
    let events = try gate.pages("AUDIT.LIST USER ana").filter { $0["command"]?.hasPrefix("TIMER") == true }
    #expect(events.count == 2 && events.allSatisfy { $0["actor"] == "ana" })
  }

  @Test("commands answered later, and those over several owners, keep their order", arguments: [1, 3])
  func slowOnes(lanes: Int) throws {
    let server = try TestServer(.init(lanes: lanes))
    let gate = try server.client()
    for number in 0..<9 { try gate.ok("USER.CREATE u\(number)") }
    let commands = [
      ["MULTI"], ["INFO", "server"], ["USER.RENAME", "u1", "v1"], ["DBSIZE"], ["USER.RENAME", "u2", "u3"],
      ["PRODUCT.CREATE", "p"], ["PRODUCT.ENABLE", "v1", "p"], ["LOGIN.CHECK", "v1", "p"], ["CLIENT", "LIST"],
      ["USER.LIST"], ["WAITAOF", "1", "0", "0"], ["AUDIT.LIST"], ["EXEC"], ["ECHO", "end"],
    ]
    for _ in 0..<5 {
      let replies = try gate.pipeline(commands)
      #expect(replies.count == commands.count && replies.last?.scalarText == "end")
      let items = replies[commands.count - 2].items
      #expect(items.count == commands.count - 3)
      #expect(items[0].string?.contains("redis_version") == true)
      #expect(items[2].integer == 9)
      #expect(items[3].errorText?.hasPrefix("CONFLICT") == true)
      #expect(items[6].scalarText == "ALLOW")
      #expect(items[7].string?.contains("cmd=client|list") == true)
      try gate.ok("USER.RENAME v1 u1")
      try gate.ok("PRODUCT.DISABLE u1 p")
    }
  }

  @Test("RESET and a closed connection drop the transaction; QUIT ends it")
  func ends() throws {
    let connection = try server.rawConnection()
    try connection.send("MULTI\r\nTIMER.START ana\r\nRESET\r\nEXEC\r\nMULTI\r\nTIMER.START ana\r\nQUIT\r\nEXEC\r\n")
    try #expect(
      connection.receiveUntilClosed()
        == "+OK\r\n+QUEUED\r\n+RESET\r\n-ERR EXEC without MULTI\r\n+OK\r\n+QUEUED\r\n+OK\r\n")
    let other = try server.rawConnection()
    try other.send("MULTI\r\nTIMER.START ana\r\n")
    other.finishSending()
    try #expect(other.receiveUntilClosed() == "+OK\r\n+QUEUED\r\n")
    #expect(try gate.isNull("TIMER.CURRENT ana"))
  }

  @Test("EXEC finishes although the client has ended its input")
  func halfClosed() throws {
    let connection = try server.rawConnection()
    try connection.send("MULTI\r\nUSER.CREATE bo\r\nUSER.RENAME bo cy\r\nINFO server\r\nUSER.GET cy\r\nEXEC\r\n")
    connection.finishSending()
    let all = try connection.receiveUntilClosed()
    #expect(all.contains("*4\r\n") && all.contains("$2\r\ncy\r\n"))
  }

  @Test("WATCH is refused, and UNWATCH does nothing")
  func watch() throws {
    try gate.refused("WATCH ana", with: "ERR WATCH is not supported")
    #expect(try gate.text("UNWATCH") == "OK")
    try gate.ok("MULTI")
    #expect(try gate.text("UNWATCH") == "QUEUED")
    #expect(try gate.ok("EXEC").items.map(\.scalarText) == ["OK"])
  }

  @Test("CLIENT LIST shows who is in a transaction")
  func clientList() throws {
    let other = try server.client()
    let id = try other.integer("CLIENT ID")
    func field(_ name: String) throws -> String? {
      let line = try #require(try gate.text("CLIENT LIST ID \(id)"))
      return line.split(separator: " ").first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.count + 1)) }
    }
    #expect(try field("multi") == "-1" && field("flags") == "N" && field("multi-mem") == "0")
    try other.ok("MULTI")
    #expect(try field("multi") == "0" && field("flags") == "x")
    try other.ok("ECHO", "hello")
    try other.ok("TIMER.START ana")
    #expect(try field("multi") == "2" && field("flags") == "x" && field("cmd") == "timer.start")
    #expect(try Int(#require(try field("multi-mem")))! > 20)
    try other.ok("EXEC")
    #expect(try field("multi") == "-1" && field("flags") == "N")
  }

  @Test("MONITOR shows MULTI, the commands that ran, and then EXEC")
  func monitor() throws {
    let watcher = try server.rawConnection()
    try watcher.send("MONITOR\r\n")
    try #expect(watcher.receiveLine() == "+OK")
    for command in ["MULTI", "ECHO one", "TIMER.START ana", "EXEC"] { try gate.ok(command) }
    for command in ["MULTI", "ECHO two"] { try gate.ok(command) }
    _ = try gate.reply("FROBNICATE")
    _ = try gate.reply("EXEC")
    for command in ["MULTI", "ECHO three", "DISCARD", "ECHO end"] { try gate.ok(command) }
    var shown: [String] = []
    while shown.last?.contains("\"end\"") != true {
      let line = try watcher.receiveLine()
      shown.append(
        String(line[line.index(after: try #require(line.firstIndex(of: "]")))...]).trimmingCharacters(in: [" "]))
    }
    #expect(
      shown == [
        #""MULTI""#, #""ECHO" "one""#, #""TIMER.START" "ana""#, #""EXEC""#, #""MULTI""#, #""EXEC""#, #""MULTI""#,
        #""DISCARD""#, #""ECHO" "end""#,
      ])
  }

  @Test("commands of a transaction are counted when they run")
  func statistics() throws {
    try gate.ok("CONFIG RESETSTAT")
    for command in ["MULTI", "TIMER.CURRENT ana", "DISCARD", "MULTI", "TIMER.CURRENT ana", "TIMER.STOP ana", "EXEC"] {
      _ = try gate.reply(command)
    }
    let info = InfoTests.parse(try #require(try gate.text("INFO everything")))
    let counts = info["Commandstats"] ?? [:]
    #expect(counts["cmdstat_multi"]?.hasPrefix("calls=2,") == true)
    #expect(counts["cmdstat_exec"]?.hasPrefix("calls=1,") == true)
    #expect(counts["cmdstat_timer.current"]?.hasPrefix("calls=1,") == true)
    #expect(counts["cmdstat_timer.stop"]?.hasSuffix("failed_calls=1") == true)
  }

  @Test("a transaction has a limited number of commands")
  func limit() throws {
    let limit = WireLimits.standard.transactionCommands
    let commands = [["MULTI"]] + Array(repeating: ["USER.CREATE", "bo"], count: limit + 1) + [["EXEC"]]
    let replies = try gate.pipeline(commands)
    #expect(replies[limit].scalarText == "QUEUED")
    #expect(replies[limit + 1].errorText?.hasPrefix("LIMIT transaction: at most \(limit) commands") == true)
    #expect(replies[limit + 2].errorText == Self.aborted)
    try gate.refused("USER.GET bo", with: "NOTFOUND")
  }

  @Test("a transaction begun while loading does not run in part")
  func whileLoading() throws {
    for number in 0..<2_000 { _ = try gate.pipeline([["USER.CREATE", "x\(number)"]]) }
    server.kill()
    let child = try server.launch()
    defer { child.kill() }
    // As soon as the port is open; if the server is ready by then, the transaction runs completely.
    var connection: RawConnection?
    try eventually("the port is open") {
      connection = try? server.rawConnection()
      return connection != nil
    }
    let raw = try #require(connection)
    try raw.send("MULTI\r\n")
    try #expect(raw.receiveLine() == "+OK")
    try raw.send("TIMER.START ana\r\n")
    let first = try raw.receiveLine()
    try eventually("the server is ready") { (try? server.client(.resp2).text("PING")) == "PONG" }
    try raw.send("TIMER.START ana NOTE second\r\nEXEC\r\n")
    try #expect(raw.receiveLine() == "+QUEUED")
    let answer = try raw.receiveLine()
    if first == "+QUEUED" {
      #expect(answer == "*2")
    } else {
      #expect(first.hasPrefix("-LOADING") && answer == "-\(Self.aborted)")
      #expect(try server.client().isNull("TIMER.CURRENT ana"))
    }
  }
}
