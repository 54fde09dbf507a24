import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

/// Many connections, slow ones, and long pipelines.
@Suite("Wire: connections", .serialized, .blocking)
struct ConnectionsTests {
  /// As many connections as a server accepts by default, if the limit of open files allows it on both sides.
  static let connections: Int = {
    raiseOpenFileLimit()
    return min(10_000, openFileLimit() - 500)
  }()

  @Test("thousands of connections at once are all served")
  func many() throws {
    let server = try TestServer(.init(arguments: ["--max-connections", String(Self.connections + 10)]))
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("USER.CREATE ana PRODUCT payroll")
    var connections: [RawConnection] = []
    for _ in 0..<Self.connections { connections.append(try server.rawConnection()) }
    for connection in connections { try connection.send("LOGIN.CHECK ana payroll\r\n") }
    for connection in connections { #expect(try connection.receive(11) == Array("$5\r\nALLOW\r\n".utf8)) }
    #expect(try connectedClients(gate) > Self.connections)

    connections.removeAll()
    try eventually("closed connections are forgotten") { try connectedClients(gate) < 20 }
  }

  @Test("one connection too many is refused and closed")
  func tooMany() throws {
    let server = try TestServer(.init(arguments: ["--max-connections", "5"]))
    let gate = try server.client()
    // The connection that probed the start may still be counted for a moment.
    try eventually("only this client is connected") { try connectedClients(gate) == 1 }
    var held: [RawConnection] = []
    for _ in 0..<4 {
      let connection = try server.rawConnection()
      try connection.send("PING\r\n")
      try #expect(connection.receiveLine() == "+PONG")
      held.append(connection)
    }
    let extra = try server.rawConnection()
    try #expect(extra.receiveUntilClosed() == "-ERR max number of clients reached\r\n")
    held.removeLast()
    try eventually("the freed place is taken") { (try? server.client().text("PING")) == "PONG" }
    let info = InfoTests.parse(try #require(try gate.text("INFO stats")))
    #expect(Int(info["Stats"]?["rejected_connections"] ?? "") ?? 0 >= 1)
  }

  @Test("TCP keep-alive detects clients that vanished")
  func keepAlive() throws {
    let server = try TestServer()
    let connection = try server.rawConnection()
    try connection.send("PING\r\n")
    try #expect(connection.receiveLine() == "+PONG")
    // Address and port, peer, state 01 for established, queues, and a timer: 02 is keep-alive.
    let port = String(server.port, radix: 16, uppercase: true)
    let local = String(repeating: "0", count: 4 - port.count) + port
    let lines = try runProgram("cat", ["/proc/net/tcp"]).output.split(separator: "\n")
    let timers = lines.map { $0.split(separator: " ") }
      .filter { $0.count > 5 && $0[1].hasSuffix(":\(local)") && $0[3] == "01" }.map { $0[5].prefix(2) }
    #expect(!timers.isEmpty && timers.allSatisfy { $0 == "02" }, "\(timers)")
    #expect(try server.client().fields("CONFIG GET tcp-keepalive")["tcp-keepalive"] == "300")
  }

  @Test("an idle connection is closed after the timeout, an active one is not")
  func idle() throws {
    let server = try TestServer(.init(arguments: ["--idle-timeout", "1s"]))
    let silent = try server.rawConnection()
    try silent.send("PING\r\n")
    try #expect(silent.receiveLine() == "+PONG")
    let busy = try server.rawConnection()
    for _ in 0..<12 {
      try busy.send("PING\r\n")
      try #expect(busy.receiveLine() == "+PONG")
      Thread.sleep(forTimeInterval: 0.25)
    }
    try #expect(silent.receiveUntilClosed() == "")
  }

  @Test("a long pipeline of reads, writes and errors is answered in order", arguments: [1, 2])
  func pipelineOrder(lanes: Int) throws {
    let server = try TestServer(.init(lanes: lanes))
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try inParallel(4) { worker in
      let client = try server.client()
      var commands: [[String]] = []
      for number in 0..<500 {
        let user = "w\(worker)n\(number)"
        commands.append(["ECHO", "\(number)"])
        commands.append(["USER.CREATE", user, "PRODUCT", "payroll"])
        commands.append(["LOGIN.CHECK", user, "payroll"])
        commands.append(["USER.GET", "nobody\(number)"])
      }
      let replies = try client.pipeline(commands)
      #expect(replies.count == commands.count)
      // One failure is enough to report.
      for number in 0..<500 {
        let part = replies[number * 4..<number * 4 + 4].map { $0.formatted() }
        guard part[0] == "\"\(number)\"\n", part[1].contains("w\(worker)n\(number)"), part[2] == "\"ALLOW\"\n",
          part[3].hasPrefix("(error) NOTFOUND")
        else { throw TestFailure("the commands of number \(number) were answered with \(part)") }
      }
    }
    #expect(try gate.integer("USER.COUNT") == 2_000)
  }

  @Test("a client that does not read delays nobody else, and gets all its replies in the end")
  func slowReader() throws {
    let server = try TestServer()
    let slow = try server.rawConnection(patience: .seconds(60), receiveBuffer: 8_192)
    let text = String(repeating: "x", count: 10_000)
    let count = 1_500
    let gate = try server.client()
    try withSender({ for _ in 0..<count { try slow.send("ECHO \(text)\r\n") } }) {
      for _ in 0..<200 { #expect(try gate.text("PING") == "PONG") }
      let expected = "$10000\r\n\(text)\r\n"
      for _ in 0..<count {
        let reply = try slow.receive(expected.utf8.count)
        guard reply.elementsEqual(expected.utf8) else {
          Issue.record("a reply was damaged")
          return
        }
      }
    }
  }

  /// Deadlock: the requests exceed the system's buffers in both directions. If they stayed unread until the client
  /// reads, both sides would wait for ever.
  @Test("a pipeline written before any reply is read is answered completely")
  func writtenFirst() throws {
    let server = try TestServer()
    let client = try server.rawConnection(patience: .seconds(60), receiveBuffer: 8_192)
    let text = String(repeating: "x", count: 20_000)
    let count = 2_000
    for _ in 0..<count { try client.send("ECHO \(text)\r\n") }
    let expected = Array("$20000\r\n\(text)\r\n".utf8)
    for _ in 0..<count {
      guard try client.receive(expected.count) == expected else {
        Issue.record("a reply was damaged")
        return
      }
    }
  }

  @Test("a client that reads no replies but keeps sending is disconnected at the limit, and the log and INFO report it")
  func overTheLimit() throws {
    let server = try TestServer(.init(arguments: ["--client-output-limit", "1mb"]))
    let gate = try server.client()
    let client = try server.rawConnection(patience: .seconds(60), receiveBuffer: 8_192)
    let request = "ECHO \(String(repeating: "x", count: 20_000))\r\n"
    #expect(throws: TestFailure.self, "it is disconnected") { for _ in 0..<20_000 { try client.send(request) } }
    #expect(server.messages.contains("a client was disconnected: more waits for it than client-output-limit"))
    let stats = InfoTests.parse(try #require(try gate.text("INFO stats")))["Stats"]
    #expect(stats?["client_output_buffer_limit_disconnections"] == "1" && stats?["evicted_clients"] == "0")
  }

  @Test("a reply larger than the limit reaches a client that reads", arguments: [1, 2])
  func largeReply(lanes: Int) throws {
    let server = try TestServer(.init(lanes: lanes, arguments: ["--client-output-limit", "1mb"]))
    let client = try server.rawConnection(patience: .seconds(60), receiveBuffer: 8_192)
    let length = 1_048_576
    let request = Array("*2\r\n$4\r\nECHO\r\n$\(length)\r\n".utf8) + [UInt8](repeating: 0x79, count: length) + [13, 10]
    for _ in 0..<3 {
      try client.send(request + Array("PING\r\n".utf8))
      pause(.milliseconds(300))
      let reply = try client.receive(length + "$1048576\r\n\r\n".utf8.count)
      #expect(reply.starts(with: Array("$1048576\r\nyyy".utf8)))
      #expect(try client.receiveLine() == "+PONG")
    }
    #expect(!server.messages.contains("disconnected"))
  }

  @Test("over the total limit of unread replies some clients are disconnected, and the others are served")
  func overTheTotalLimit() throws {
    let server = try TestServer(.init(lanes: 2, arguments: ["--total-output-limit", "16mb"]))
    let gate = try server.client()
    let request = String(repeating: "ECHO \(String(repeating: "x", count: 20_000))\r\n", count: 20)
    try inParallel(12) { _ in
      let client = try server.rawConnection(receiveBuffer: 8_192)
      for _ in 0..<30 where (try? client.send(request)) == nil { return }
    }
    #expect(try gate.text("PING") == "PONG")
    let info = InfoTests.parse(try #require(try gate.text("INFO")))
    #expect(Int(info["Stats"]?["evicted_clients"] ?? "") ?? 0 > 0)
    #expect(server.messages.contains("clients were disconnected: more waits for all clients than total-output-limit"))
    try eventually("nothing waits") {
      InfoTests.parse(try #require(try gate.text("INFO clients")))["Clients"]?["clients_waiting_bytes"] == "0"
    }
  }

  @Test("memory used by clients is freed when they have left")
  func memoryIsGivenBack() throws {
    let server = try TestServer()
    let gate = try server.client()
    func resident() throws -> Int {
      let info = InfoTests.parse(try #require(try gate.text("INFO memory")))
      return try #require(Int(info["Memory"]?["used_memory_rss"] ?? ""))
    }
    let before = try resident()
    var clients: [RawConnection] = []
    let request = String(repeating: "ECHO \(String(repeating: "x", count: 20_000))\r\n", count: 50)
    for _ in 0..<25 { clients.append(try server.rawConnection(receiveBuffer: 8_192)) }
    for client in clients { for _ in 0..<8 { try client.send(request) } }
    #expect(try resident() > before + (40 << 20))
    clients.removeAll()
    try eventually("it is given back", within: .seconds(30)) { try resident() < before + (25 << 20) }
  }

  @Test(
    "backpressure: a client that does not read stops being answered",
    arguments: ["USER.GET ana", "USER.GET bo", "HELP USER.SET"])
  func notReading(request: String) throws {
    let server = try TestServer(.init(arguments: ["--lanes", "2"]))
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    for name in ["ana", "bo", "cem"] { try gate.ok("USER.CREATE \(name) PRODUCT payroll") }
    let reply = try server.rawConnection()
    try reply.send("\(request)\r\nPING\r\n")
    var bytes: [UInt8] = []
    while !bytes.suffix(7).elementsEqual("+PONG\r\n".utf8) { bytes += try reply.receiveSome() }
    let size = bytes.count - 7

    // Far more than the system's buffers hold, in requests that are read at once.
    let total = 24 << 20
    let count = total / size
    let slow = try server.rawConnection(patience: .seconds(60), receiveBuffer: 8_192)
    let before = try sentBytes(gate)
    let requests = String(repeating: "\(request)\r\n", count: 1_000)
    try withSender({ for _ in 0..<count / 1_000 { try slow.send(requests) } }) {
      var sent = -1
      try eventually("nothing more is answered", within: .seconds(30)) {
        pause(.milliseconds(300))
        defer { sent = (try? sentBytes(gate)) ?? 0 }
        return try sentBytes(gate) - sent < 100_000
      }
      #expect(sent - before < total * 2 / 3)
      var received = 0
      while received < count / 1_000 * 1_000 * size { received += try slow.receiveSome().count }
      #expect(received == count / 1_000 * 1_000 * size)
    }
    try slow.send("PING\r\n")
    #expect(try slow.receiveLine() == "+PONG")
  }

  private func sentBytes(_ gate: Client) throws -> Int {
    let info = InfoTests.parse(try #require(try gate.text("INFO stats")))
    return Int(info["Stats"]?["total_net_output_bytes"] ?? "") ?? -1
  }

  @Test("a connection closes while its writes are in flight to the disk")
  func closesInFlight() throws {
    let server = try TestServer()
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try inParallel(8) { worker in
      for round in 0..<20 {
        let connection = try server.rawConnection()
        try connection.send("USER.CREATE w\(worker)r\(round) PRODUCT payroll\r\nUSER.LIST\r\nCOMMAND\r\n")
      }
    }
    #expect(try gate.text("PING") == "PONG")
    try eventually("only this client is left") { try connectedClients(gate) == 1 }
    // An accepted command is finished even if nobody waits for its reply any more.
    let users = try gate.integer("USER.COUNT")
    let members = try gate.pages("USER.LIST COUNT 100")
    #expect(members.count == users)
    #expect(try gate.integer("USER.COUNT WHERE product = payroll") == users)
  }

  // MARK: -

  private func connectedClients(_ gate: Client) throws -> Int {
    let info = InfoTests.parse(try #require(try gate.text("INFO clients")))
    return Int(info["Clients"]?["connected_clients"] ?? "") ?? -1
  }

  /// Runs `send` on its own thread next to `body`: a blocking send to a reader that does not read would never return.
  private func withSender(_ send: @escaping () throws -> Void, _ body: () throws -> Void) throws {
    nonisolated(unsafe) let send = send
    let sent = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      try? send()
      sent.signal()
    }
    try body()
    sent.wait()
  }
}
