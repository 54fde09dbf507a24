import GatehouseCore
import GatehouseWire
import NIOCore
import Synchronization
import Testing
@testable import GatehouseServer

/// A single connection, on a lane without data, driven with plain bytes.
@Suite("A connection")
struct ConnectionTests {
  private static let ping = "*1\r\n$4\r\nPING\r\n"
  private static let loading = "-LOADING Gatehouse is loading the data\r\n"

  private let lane: TestLane
  private let client: MemoryConnection

  init() throws {
    lane = try TestLane()
    client = MemoryConnection(lane)
  }

  private var connection: Connection { client.connection }

  /// Adds a reply like a command does.
  private func reply(_ text: String) {
    var reply = Reply()
    reply.tag(text)
    connection.add(reply, horizon: 0)
    connection.settle()
  }

  private func send(_ text: String) { client.send(text) }

  // MARK: Requests

  @Test("each request of a pipeline is answered LOADING", arguments: [1, 2, 16, 40])
  func loading(count: Int) {
    send(String(repeating: Self.ping, count: count))
    #expect(client.received == String(repeating: Self.loading, count: count))
  }

  @Test("a request may come in pieces of any size", arguments: [1, 2, 3, 7, 13])
  func pieces(size: Int) {
    let bytes = Array(String(repeating: Self.ping, count: 5).utf8)
    for start in stride(from: 0, to: bytes.count, by: size) {
      send(String(decoding: bytes[start..<min(start + size, bytes.count)], as: UTF8.self))
    }
    #expect(client.received == String(repeating: Self.loading, count: 5) && connection.unreadBytes == 0)
  }

  @Test("an invalid request is refused, and everything after it is dropped")
  func noRequest() {
    send(Self.ping + "*x\r\n" + Self.ping)
    #expect(client.received == Self.loading + "-ERR Protocol error: invalid multibulk length\r\n")
    #expect(client.transport.isClosed && connection.hasClosed && lane.lane.connections.isEmpty)
  }

  @Test("after QUIT nothing runs, and the connection closes once the reply is sent")
  func quit() {
    client.transport.room = 3
    send("QUIT\r\n" + Self.ping)
    #expect(client.received == "+OK" && !client.transport.isClosed)
    send(Self.ping)
    client.makeRoom(.max)
    #expect(client.received == "\r\n" && client.transport.isClosed)
  }

  @Test("after the end of input the connection closes with the last reply, and a partial request is dropped")
  func inputEnded() {
    client.transport.room = 10
    send(Self.ping + "*1\r\n")
    connection.inputEnded()
    #expect(!client.transport.isReading && !client.transport.isClosed)
    client.makeRoom(.max)
    #expect(client.received == Self.loading && client.transport.isClosed)
  }

  // MARK: Backpressure

  @Test("replies leave in order, however little is taken at a time", arguments: [1, 7, 100_000])
  func order(step: Int) {
    client.transport.room = 5
    let text = String(repeating: "x", count: step == 100_000 ? 300_000 : 2000)
    reply(text)
    reply("second")
    lane.lane.sendReplies()
    var received = client.received
    while connection.untakenBytes > 0 {
      client.makeRoom(step)
      received += client.received
    }
    #expect(received == "+\(text)\r\n+second\r\n")
  }

  @Test("backpressure: a client that does not read gets no replies until it does")
  func pausing() {
    client.transport.room = 1000
    reply(String(repeating: "x", count: 300_000))
    lane.lane.sendReplies()
    #expect(connection.flow.state == .waiting && connection.untakenBytes > 200_000)
    send(Self.ping)
    #expect(connection.unreadBytes == Self.ping.utf8.count)
    client.makeRoom(.max)
    lane.tick()
    #expect(client.received.hasSuffix("x\r\n" + Self.loading))
    #expect(connection.flow.state == .ready && connection.waitingBytes == 0)
  }

  /// Deadlock: if the requests stayed unread until the client reads, both sides would wait for ever.
  /// The ways in which a connection ends.
  enum End: CaseIterable {
    case closed, overLimit, finished
  }

  @Test(
    "what waits for a client counts until it is gone, however that happens, and not longer", arguments: End.allCases)
  func counted(end: End) {
    client.transport.room = 1000
    reply(String(repeating: "x", count: 100_000))
    // A reply that waits for the log, one that was answered elsewhere, and one that is still to come.
    connection.queue.add(horizon: 7) { $0.writeRepeatingByte(0x79, count: 50_000) }
    let tickets = [connection.queue.reserve(), connection.queue.reserve()]
    connection.queue.fill(tickets[0], ByteBuffer(repeating: 0x7a, count: 30_000), horizon: 9)
    lane.lane.sendReplies()
    connection.unread.writeString(Self.ping)
    connection.countWaiting()
    let waiting = lane.lane.waitingBytes.load(ordering: .relaxed)
    #expect(waiting == connection.waitingBytes && waiting > 170_000)
    switch end {
    case .closed: connection.close()
    case .overLimit: connection.disconnectOverLimit()
    case .finished:
      connection.finish()
      #expect(lane.lane.waitingBytes.load(ordering: .relaxed) == waiting - Self.ping.utf8.count)
      client.makeRoom(.max)
      connection.close()
    }
    #expect(connection.hasClosed && connection.waitingBytes == 0)
    #expect(lane.lane.waitingBytes.load(ordering: .relaxed) == 0)
    connection.deliver(tickets[1], EncodedReply(Refusal.syntax("late"), version: .resp2))
    #expect(lane.lane.waitingBytes.load(ordering: .relaxed) == 0)
  }

  @Test("requests are read while the client takes no replies, up to a limit, and answered once it reads")
  func readAhead() {
    client.transport.room = 0
    reply(String(repeating: "x", count: 100_000))
    lane.lane.sendReplies()
    let requests = String(repeating: Self.ping, count: 20_000)
    send(requests)
    #expect(client.transport.isReading && connection.unreadBytes == requests.utf8.count)
    lane.lane.facts.clientOutputLimit.store(300_000, ordering: .relaxed)
    send(Self.ping)
    #expect(!client.transport.isReading)
    client.makeRoom(.max)
    while connection.waitingBytes > 0 { lane.tick() }
    #expect(client.transport.isReading)
    #expect(client.received.utf8.count == 100_003 + 20_001 * Self.loading.utf8.count)
  }

  @Test("a long pipeline runs in slices, and queues between ticks")
  func slices() {
    let count = 30_000
    send(String(repeating: Self.ping, count: count))
    var ticks = 1
    while connection.unreadBytes > 0 {
      #expect(connection.flow.state == .inLine)
      lane.tick()
      ticks += 1
    }
    #expect(ticks > 1 && client.received.utf8.count == count * Self.loading.utf8.count)
  }

  @Test("a shared reply is sent whole and takes no memory while it waits")
  func sharedReply() {
    client.transport.room = 1000
    connection.add(shared: ByteBuffer(repeating: 0x79, count: 500_000))
    reply("after")
    lane.lane.sendReplies()
    #expect(connection.untakenBytes == 8)
    client.makeRoom(.max)
    #expect(client.received == String(repeating: "y", count: 500_000) + "+after\r\n")
  }

  @Test("replies of many connections leave at the end of the tick, each to its own")
  func tick() {
    let others = (0..<3).map { _ in MemoryConnection(lane) }
    for other in others { Array(Self.ping.utf8).withUnsafeBytes { other.connection.received($0) } }
    #expect(others.allSatisfy { $0.received.isEmpty })
    send(Self.ping)
    #expect((others + [client]).allSatisfy { $0.received == Self.loading })
  }
}
