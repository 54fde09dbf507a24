import GatehouseCore
import NIOCore
import NIOEmbedded
import Testing

@testable import GatehouseServer

/// A connection by itself, on a lane that has no data yet.
@Suite("A connection")
struct ConnectionHandlerTests {
  private static let ping = "*1\r\n$4\r\nPING\r\n"
  private static let loading = "-LOADING Gatehouse is loading the data\r\n"

  @Test("each request of a pipeline is told that the data is being loaded", arguments: [1, 2, 16, 40])
  func loading(count: Int) async throws {
    let connection = try await Connection()
    try await connection.send(String(repeating: Self.ping, count: count))
    #expect(try await connection.received() == String(repeating: Self.loading, count: count))
  }

  /// A channel calls back from within a write when the socket has taken what was too much before.
  @Test("what a write's call back makes ready is sent after it, and nothing twice")
  func writableWithinWrite() async throws {
    let connection = try await Connection(CallingBack())
    try await connection.onLoop { $0.stopReading() }
    try await connection.send(Self.ping)
    #expect(try await connection.received() == "")
    try await connection.onLoop { handler in
      var reply = Reply()
      reply.simple("first")
      handler.add(reply, horizon: 0)
      handler.flush()
    }
    #expect(try await connection.received() == "+first\r\n" + Self.loading)
  }
}

private final class Connection {
  private struct Box: @unchecked Sendable {
    let handler: ConnectionHandler
    let outer: (any ChannelHandler)?
  }

  private let channel = NIOAsyncTestingChannel()
  private let box: Box

  init(_ outer: (any ChannelHandler)? = nil) async throws {
    let facts = ServerFacts(configuration: ServerConfiguration())
    let client = ClientFacts(id: 1, address: "127.0.0.1:1", localAddress: "127.0.0.1:2", isLoopback: true, connected: 0)
    let lane = Lane(index: 0, loop: channel.testingEventLoop)
    let box = Box(handler: ConnectionHandler(lane: lane, serverFacts: facts, client: client), outer: outer)
    self.box = box
    let channel = channel
    try await channel.testingEventLoop.executeInContext {
      if let outer = box.outer { try channel.pipeline.syncOperations.addHandler(outer) }
      try channel.pipeline.syncOperations.addHandler(box.handler)
    }
  }

  func send(_ text: String) async throws { try await channel.writeInbound(ByteBuffer(string: text)) }

  func received() async throws -> String {
    var text = ""
    while let bytes = try await channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: bytes) }
    return text
  }

  func onLoop(_ work: @escaping @Sendable (ConnectionHandler) -> Void) async throws {
    let box = box
    try await channel.testingEventLoop.executeInContext { work(box.handler) }
  }
}

/// Says within a flush that the channel is writable again.
private final class CallingBack: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer

  func flush(context: ChannelHandlerContext) {
    context.flush()
    context.fireChannelWritabilityChanged()
  }
}
