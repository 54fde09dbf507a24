import GatehouseCore
import GatehouseWire
import NIOCore
import Synchronization
import Testing
@testable import GatehouseServer

/// `SUBSCRIBE` and its kin: what a connection is told, and what it may ask meanwhile.
@Suite("Subscriptions")
struct SubscriptionsTests {
  private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
  private static let channel = bytes("+switch-master")

  // MARK: The set

  @Test("names are counted together, once each, and patterns match as in Redis")
  func names() {
    var set = Subscriptions()
    #expect(set.isEmpty && set.deliveries(on: Self.channel).isEmpty)
    for (name, kind, count) in [
      ("+sdown", ServerCommand.Subscribed.channels, 1), ("+switch-master", .channels, 2), ("+sdown", .channels, 2),
      ("*", .patterns, 3), ("[-+]sdown", .patterns, 4), ("+SWITCH-*", .patterns, 5), ("+switch-*", .patterns, 6),
    ] {
      let isAdded = set.add(Self.bytes(name), to: kind)
      #expect(isAdded && set.count == count, "\(name)")
    }
    #expect(
      set.deliveries(on: Self.channel) == [
        .toChannel, .toPattern(Self.bytes("*")), .toPattern(Self.bytes("+switch-*")),
      ])
    set.remove(Self.channel, from: .channels)
    set.remove(Self.bytes("*"), from: .channels)
    set.remove(Self.bytes("nothing"), from: .patterns)
    #expect(set.channels == [Self.bytes("+sdown")] && set.patterns.count == 4)
  }

  @Test("there are at most so many, of so many bytes")
  func limits() {
    var set = Subscriptions()
    let most = Subscriptions.most
    let isFull = (0..<most).allSatisfy { set.add([UInt8($0)], to: $0 < 9 ? .patterns : .channels) }
    #expect(isFull && set.count == most)
    let others = [set.add(Self.channel, to: .channels), set.add(Self.channel, to: .patterns)]
    let known = set.add([10], to: .channels)
    #expect(others == [false, false] && known && set.count == most)
    set.remove([10], from: .channels)
    let long = set.add(Array(repeating: 1, count: Limits.patternBytes + 1), to: .channels)
    let longest = set.add(Array(repeating: 1, count: Limits.patternBytes), to: .channels)
    #expect(!long && longest)
  }

  @Test("messages that must wait become one")
  func held() {
    var set = Subscriptions()
    set.hold(Self.message(1, 2))
    set.hold(Self.message(2, 3))
    let (one, none) = (set.takeHeld(), set.takeHeld())
    #expect(one?.text == "gatehouse 127.0.0.1 1 127.0.0.1 3" && none == nil)
  }

  private static func message(_ from: Int, _ to: Int) -> LeaderSwitch {
    let host = "127.0.0.1"
    return LeaderSwitch(
      cluster: "gatehouse", from: NodeAddress(host: host, port: from), to: NodeAddress(host: host, port: to))
  }

  // MARK: A connection

  /// A client on a lane's thread.
  private struct LaneClient: @unchecked Sendable {
    private let lane: Lane
    private let transport: MemoryConnection.Memory
    private let connection: Connection

    private init(_ lane: Lane, _ transport: MemoryConnection.Memory, _ connection: Connection) {
      self.lane = lane
      self.transport = transport
      self.connection = connection
    }

    static func connect(_ context: TestContext) async -> LaneClient {
      let lane = context.lane
      return await lane.loop.submit {
        let transport = MemoryConnection.Memory()
        let id = lane.facts.lastConnection.add(1, ordering: .relaxed).newValue
        lane.facts.connectedClients.add(1, ordering: .relaxed)
        let facts = ClientFacts(
          id: id, address: "127.0.0.1:\(id)", localAddress: "127.0.0.1:1", isLoopback: true,
          connected: Clock.monotonicMilliseconds())
        return LaneClient(lane, transport, Connection(transport, lane: lane, client: facts))
      }
    }

    /// Sends requests, and returns what came since the last call.
    func ask(_ text: String = "") async -> String {
      await lane.loop.submit { [self] in
        if !text.isEmpty { Array(text.utf8).withUnsafeBytes { connection.received($0) } }
        lane.sendReplies()
        defer { transport.taken.clear() }
        return String(buffer: transport.taken)
      }
    }

    func with<Result: Sendable>(_ body: @escaping @Sendable (Connection) -> Result) async -> Result {
      await lane.loop.submit { [self] in body(connection) }
    }

    func setRoom(_ bytes: Int) async { await lane.loop.submit { [self] in transport.room = bytes } }
  }

  private static func push(_ sign: Character, _ parts: String...) -> String {
    "\(sign)\(parts.count)\r\n"
      + parts.map { part in part.hasPrefix(":") ? "\(part)\r\n" : "$\(part.utf8.count)\r\n\(part)\r\n" }.joined()
  }

  @Test("in RESP2 messages are arrays, and a subscriber may ask nothing else until it has ended its subscriptions")
  func older() async throws {
    let context = try await TestContext()
    let client = await LaneClient.connect(context)
    #expect(
      await client.ask("SUBSCRIBE +switch-master +sdown\r\nPSUBSCRIBE +switch*\r\n")
        == Self.push("*", "subscribe", "+switch-master", ":1") + Self.push("*", "subscribe", "+sdown", ":2")
        + Self.push("*", "psubscribe", "+switch*", ":3"))
    #expect(context.context.subscribers.count == 1)
    #expect(
      await client.ask("PING\r\nPING x\r\nLOGIN.CHECK ana payroll\r\nclient list\r\nHELLO 3\r\nMULTI\r\nNONSENSE\r\n")
        == Self.push("*", "pong", "") + Self.push("*", "pong", "x")
        + ["login.check", "client", "hello", "multi"].map {
          "-ERR Can't execute '\($0)': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this "
            + "context\r\n"
        }.joined() + "-ERR unknown command 'NONSENSE'; COMMAND LIST names all of them\r\n")
    context.context.tell(Self.message(7420, 7430))
    let text = "gatehouse 127.0.0.1 7420 127.0.0.1 7430"
    #expect(
      await client.ask()
        == Self.push("*", "message", "+switch-master", text)
        + Self.push("*", "pmessage", "+switch*", "+switch-master", text))
    let line = await client.with { ClientLine($0, at: 0).text }
    #expect(line.contains(" flags=P ") && line.contains(" sub=2 psub=1 "), "\(line)")
    #expect(
      await client.ask("UNSUBSCRIBE\r\nPUNSUBSCRIBE +switch*\r\nUNSUBSCRIBE\r\nPING\r\n")
        == Self.push("*", "unsubscribe", "+switch-master", ":2") + Self.push("*", "unsubscribe", "+sdown", ":1")
        + Self.push("*", "punsubscribe", "+switch*", ":0") + "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n+PONG\r\n")
    #expect(context.context.subscribers.count == 0)
    context.context.tell(Self.message(7430, 7440))
    #expect(await client.ask() == "")
    await context.stop()
  }

  @Test("in RESP3 messages are pushes between replies, and never inside that of EXEC")
  func newer() async throws {
    let context = try await TestContext()
    let client = await LaneClient.connect(context)
    #expect(await client.ask("HELLO 3\r\n").hasPrefix("%7\r\n"))
    #expect(await client.ask("SUBSCRIBE +switch-master\r\n") == Self.push(">", "subscribe", "+switch-master", ":1"))
    let refusal = await client.ask("PING\r\nMULTI\r\nSUBSCRIBE x\r\nDISCARD\r\n")
    #expect(refusal == "+PONG\r\n+OK\r\n-ERR Command not allowed inside a transaction\r\n+OK\r\n")
    context.context.tell(Self.message(7420, 7430))
    #expect(
      await client.ask("PING\r\n")
        == Self.push(">", "message", "+switch-master", "gatehouse 127.0.0.1 7420 127.0.0.1 7430") + "+PONG\r\n")
    // Between two answers of EXEC, as where a slice ends.
    await client.with { connection in
      let request = OwnedArguments(["PING"])
      _ = connection.transaction.begin()
      _ = connection.transaction.execute()
      connection.transaction.run([request], [.front])
      connection.tell(Self.message(7430, 7440))
      connection.transaction.end()
      connection.addHeldMessage()
      connection.settle()
    }
    #expect(
      await client.ask("PING\r\n")
        == Self.push(">", "message", "+switch-master", "gatehouse 127.0.0.1 7430 127.0.0.1 7440") + "+PONG\r\n")
    // A message is no answer: if the log fails, the reply before it is refused, and nothing is refused for the message.
    let refused = await client.with { connection in
      connection.queue.add(horizon: 1_000) { $0.writeString("a") }
      connection.subscriptions.hold(Self.message(7440, 7450))
      connection.addHeldMessage()
      connection.queue.add(horizon: 1_000) { $0.writeString("b") }
      connection.queue.refuse(beyond: 0, with: ByteBuffer(string: "-"))
      var ready = RawBuffer(capacity: 64, alignment: 8)
      connection.queue.release(durable: 0, into: &ready)
      return String(decoding: ready.bytes, as: UTF8.self)
    }
    #expect(
      refused == "-" + Self.push(">", "message", "+switch-master", "gatehouse 127.0.0.1 7440 127.0.0.1 7450") + "-")
    // From here on the rules of RESP2 hold, also for what came in the same read.
    let replies = await client.ask("HELLO 2\r\nINFO\r\nRESET\r\nPING\r\n")
    #expect(replies.hasSuffix("allowed in this context\r\n+RESET\r\n+PONG\r\n"), "\(replies)")
    #expect(context.context.subscribers.count == 0)
    await context.stop()
  }

  @Test("too many names are refused, all or none; a subscriber that does not read is disconnected")
  func slow() async throws {
    let context = try await TestContext()
    let client = await LaneClient.connect(context)
    let names = (0...Subscriptions.most).map { "c\($0)" }.joined(separator: " ")
    #expect(
      await client.ask("SUBSCRIBE \(names)\r\nPING\r\n")
        == "-LIMIT subscriptions: at most \(Subscriptions.most) a connection, each of \(Limits.patternBytes) bytes\r\n"
        + "+PONG\r\n")
    _ = await client.ask("PSUBSCRIBE *\r\n")
    await client.setRoom(0)
    context.lane.facts.clientOutputLimit.store(300, ordering: .relaxed)
    for number in 0..<8 {
      context.context.tell(Self.message(number, number + 1))
      _ = await client.ask()
    }
    #expect(await client.with { $0.hasClosed })
    #expect(context.context.subscribers.count == 0)
    #expect(context.lane.facts.limits[.clientOutput] == 1)
    await context.stop()
  }

  @Test("once there is a service, a subscriber without one is closed")
  func firstService() async throws {
    let context = try await TestContext()
    // The connection with the number 1 is the one that makes the service, and stays.
    let founder = await LaneClient.connect(context)
    let client = await LaneClient.connect(context)
    for each in [founder, client] { _ = await each.ask("HELLO 3\r\nSUBSCRIBE +switch-master\r\n") }
    let made = await context.execute("SERVICE.CREATE app ADMIN")
    #expect(!made.hasPrefix("ERR"), "\(made)")
    #expect(await client.with { $0.hasClosed })
    // As long as the service may read.
    #expect(await founder.with { !$0.hasClosed && $0.subscriptions.count == 1 })
    #expect(context.context.subscribers.count == 1)
    await founder.with { $0.authenticate(as: 1, .sessions, name: "app") }
    #expect(await founder.with { $0.hasClosed })
    #expect(context.context.subscribers.count == 0)
    await context.stop()
  }

  // MARK: Who leads

  @Test("the lead moves only from one known address to another")
  func lead() {
    let node = Node(ServerConfiguration())
    let (one, two) = (NodeAddress(host: "a", port: 1), NodeAddress(host: "b", port: 1))
    #expect(node.moveLead(to: one) == nil)
    #expect(node.moveLead(to: one) == nil)
    #expect(node.moveLead(to: two) == one)
    #expect(node.moveLead(to: one) == two)
  }
}
