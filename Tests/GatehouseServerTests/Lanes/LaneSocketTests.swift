import Glibc
import NIOCore
import Synchronization
import Testing
@testable import GatehouseServer

@Suite("A socket of a lane")
struct LaneSocketTests {
  private static let loading = "-LOADING Gatehouse is loading the data\r\n"

  private let lane: TestLane
  private let client: TestSocket

  init() throws {
    lane = try TestLane()
    client = try TestSocket(lane)
  }

  @Test("requests are answered at the end of the tick")
  func echo() {
    client.send("PING\r\nPING\r\n")
    lane.tick()
    #expect(client.receive(1000) == Self.loading + Self.loading)
  }

  @Test("partial writes: the rest is sent in order when the client reads")
  func partialWrites() {
    let reply = String(repeating: "x", count: 300_000)
    lane.lane.replies.bytes.append(ByteBuffer(string: reply))
    client.connection.settle()
    lane.tick()
    #expect(client.connection.untakenBytes > 200_000)
    client.send("PING\r\n")
    var text = ""
    for _ in 0..<10_000 where text.utf8.count < reply.utf8.count + Self.loading.utf8.count {
      text += client.receive(100_000)
      lane.tick()
    }
    #expect(text == reply + Self.loading)
    #expect(client.connection.waitingBytes == 0 && client.connection.flow.state == .ready)
  }

  @Test("a client that has ended its requests gets all replies before the end")
  func halfClosed() {
    client.send("PING\r\n")
    shutdown(client.descriptor, Int32(SHUT_WR))
    for _ in 0..<3 {
      lane.tick()
    }
    #expect(client.receive(1000) == Self.loading && client.isClosed)
    #expect(lane.lane.connections.isEmpty && lane.lane.closed.isEmpty)
  }

  @Test(
    "bytes left by one read are read in the next ticks, and then the end of input", arguments: [false, true])
  func leftBehind(ends: Bool) throws {
    let client = try TestSocket(lane, buffer: 400_000)
    let pings = 20_000
    let requests = String(repeating: "PING\r\n", count: pings)
    var (sent, replies) = (0, 0)
    // The kernel takes as much as its buffer holds; later bytes raise a new event.
    for _ in 0..<10_000 where replies < pings * Self.loading.utf8.count {
      if sent < requests.utf8.count {
        sent += client.trySend(requests.dropFirst(sent))
        if ends, sent == requests.utf8.count { shutdown(client.descriptor, Int32(SHUT_WR)) }
      }
      lane.tick()
      replies += client.receive(1_000_000).utf8.count
    }
    #expect(replies == pings * Self.loading.utf8.count)
    if ends { lane.tick() }
    #expect(client.connection.hasClosed == ends)
  }

  @Test("input that ended while reading was paused is read to the end afterwards")
  func endWhileStopped() {
    client.connection.setReading(false)
    client.send("PING\r\n")
    shutdown(client.descriptor, Int32(SHUT_WR))
    lane.tick()
    #expect(!client.connection.hasClosed)
    client.connection.setReading(true)
    for _ in 0..<2 { lane.tick() }
    #expect(client.receive(1000) == Self.loading && client.isClosed)
  }

  @Test("a client that is gone is noticed, even while reading is paused", arguments: [true, false])
  func gone(isReading: Bool) {
    client.connection.setReading(isReading)
    close(client.descriptor)
    for _ in 0..<2 {
      lane.tick()
    }
    #expect(client.connection.hasClosed && lane.lane.connections.isEmpty)
    #expect(lane.lane.facts.connectedClients.load(ordering: .relaxed) == 0)
  }

  /// The events of the second connection are in the same batch.
  @Test("a connection closed by another one's request is not read again")
  func closedInTheTick() throws {
    let other = try TestSocket(lane)
    client.send("PING\r\n")
    other.send("PING\r\n")
    client.connection.close()
    lane.tick()
    #expect(client.isClosed && other.receive(1000) == Self.loading)
  }
}
