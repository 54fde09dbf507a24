import GatehouseCore
import Glibc
import Logging
import NIOCore
import NIOEmbedded
import NIOPosix
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

  /// A channel that is not a socket is given the replies, a chunk at a time.
  @Test("what waited while requests were not taken leaves in order", arguments: [10, 150_000])
  func chunks(count: Int) async throws {
    let connection = try await Connection()
    try await connection.onLoop { handler in
      var reply = Reply()
      reply.tag(String(repeating: "x", count: count))
      handler.add(reply, horizon: 0)
      handler.add(reply, horizon: 0)
      handler.flush()
      #expect(handler.waitingBytes == 0)
    }
    let line = "+" + String(repeating: "x", count: count) + "\r\n"
    #expect(try await connection.received() == line + line)
  }

  /// Some of the first is the channel's to send, and then there is room in the socket for the second.
  @Test("nothing overtakes what the socket did not take at once", arguments: ["reply", "line"])
  func order(second: String) async throws {
    let connection = try await SocketConnection()
    let first = "+" + String(repeating: "x", count: 20_000) + "\r\n"
    let isLine = second == "line"
    let begun = try await connection.onLoop { handler, peer in
      handler.show(ByteBuffer(string: first))
      let begun = peer.receive(100_000)
      if isLine {
        handler.show(ByteBuffer(string: "+second\r\n"))
      } else {
        var reply = Reply()
        reply.tag("second")
        handler.add(reply, horizon: 0)
        handler.flush()
      }
      return begun
    }
    #expect(!begun.isEmpty && begun.count < first.utf8.count)
    let all = try await connection.receive(first.utf8.count + 9, after: begun)
    #expect(all == first + "+second\r\n")
    try await connection.close()
  }

  @Test("who does not read is not answered, and is when they read")
  func pausing() async throws {
    let connection = try await SocketConnection()
    try await connection.onLoop { handler, peer in
      handler.show(ByteBuffer(repeating: 0x78, count: 300_000))
      #expect(handler.isPaused && handler.untakenBytes > 200_000)
    }
    var text = try await connection.receive(300_000, after: "")
    connection.peer.send(Self.ping)
    text = try await connection.receive(Self.loading.utf8.count, after: "")
    #expect(text == Self.loading)
    try await connection.onLoop { handler, _ in #expect(!handler.isPaused && handler.waitingBytes == 0) }
    try await connection.close()
  }

  /// Both sides would wait for ever if the client's requests were left unread until it reads.
  @Test("requests are read while the client takes no replies, up to the limit, and are answered when it does")
  func readAhead() async throws {
    let connection = try await SocketConnection()
    try await connection.onLoop { handler, peer in handler.show(ByteBuffer(repeating: 0x78, count: 100_000)) }
    let count = 20_000
    let requests = String(repeating: Self.ping, count: count)
    connection.peer.sendAll(requests)
    try await connection.onLoop { handler, _ in #expect(handler.unreadBytes > 200_000) }
    let expected = 100_000 + count * Self.loading.utf8.count
    let text = try await connection.receive(expected, after: "")
    #expect(text.utf8.count == expected && text.hasSuffix(Self.loading))
    try await connection.onLoop { handler, _ in #expect(handler.waitingBytes == 0) }
    try await connection.close()
  }

  @Test("a reply that many share is sent whole and takes no memory while it waits")
  func sharedReply() async throws {
    let connection = try await SocketConnection()
    let shared = ByteBuffer(repeating: 0x79, count: 500_000)
    try await connection.onLoop { handler, _ in
      handler.add(shared: shared)
      var reply = Reply()
      reply.tag("after")
      handler.add(reply, horizon: 0)
      handler.flush()
      #expect(handler.untakenBytes < 1000)
    }
    let text = try await connection.receive(500_008, after: "")
    #expect(text == String(repeating: "y", count: 500_000) + "+after\r\n")
    try await connection.close()
  }
}

private final class Connection {
  private struct Box: @unchecked Sendable {
    let handler: ConnectionHandler
  }

  private let channel = NIOAsyncTestingChannel()
  private let box: Box

  init() async throws {
    let facts = ServerFacts(configuration: ServerConfiguration(), logger: Logger(label: "test"))
    let client = ClientFacts(id: 1, address: "127.0.0.1:1", localAddress: "127.0.0.1:2", isLoopback: true, connected: 0)
    let lane = Lane(index: 0, loop: channel.testingEventLoop, clock: facts.clock)
    let box = Box(handler: ConnectionHandler(lane: lane, serverFacts: facts, client: client))
    self.box = box
    let channel = channel
    try await channel.testingEventLoop.executeInContext {
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

/// A connection on a socket that takes a few thousand bytes at a time.
private final class SocketConnection {
  /// The other end.
  struct Peer: Sendable {
    let descriptor: Int32

    /// What there is to be read, up to a limit, without waiting.
    func receive(_ limit: Int) -> String {
      String(
        unsafeUninitializedCapacity: limit, initializingUTF8With: { max(0, recv(descriptor, $0.baseAddress, limit, 0)) }
      )
    }

    /// Sends all bytes, waiting as often as the socket is full. Blocks, as the pool of threads for tasks may be busy with
    /// tests that do.
    func sendAll(_ text: String) {
      var left = Array(text.utf8)[...]
      while !left.isEmpty, isReady(POLLOUT) {
        let count = left.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT)) }
        if count > 0 { left = left.dropFirst(count) }
      }
      #expect(left.isEmpty, "not all was read")
    }

    /// Waits until something can be read or written.
    func isReady(_ events: Int32) -> Bool {
      var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
      return poll(&entry, 1, 20_000) > 0
    }

    func send(_ text: String) { #expect(Glibc.send(descriptor, text, text.utf8.count, 0) == text.utf8.count) }
  }

  private struct Box: @unchecked Sendable {
    let handler: ConnectionHandler
  }

  let peer: Peer
  private let channel: any Channel
  private let box: Box

  init() async throws {
    var ends: [Int32] = [0, 0]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0)
    var size: Int32 = 4_096
    for end in ends { setsockopt(end, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size)) }
    peer = Peer(descriptor: ends[1])
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let facts = ServerFacts(configuration: ServerConfiguration(), logger: Logger(label: "test"))
    let client = ClientFacts(id: 1, address: "127.0.0.1:1", localAddress: "127.0.0.1:2", isLoopback: true, connected: 0)
    let lane = Lane(index: 0, loop: loop, clock: facts.clock)
    let box = Box(handler: ConnectionHandler(lane: lane, serverFacts: facts, client: client))
    self.box = box
    channel = try await ClientBootstrap(group: loop)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(box.handler) }
      }
      .withConnectedSocket(ends[0]).get()
  }

  /// Runs `work` in one go on the connection's loop.
  func onLoop<Result: Sendable>(_ work: @escaping @Sendable (ConnectionHandler, Peer) throws -> Result) async throws
    -> Result
  {
    let (box, peer) = (box, peer)
    return try await channel.eventLoop.submit { try work(box.handler, peer) }.get()
  }

  /// The next so many bytes, with those that were read before.
  func receive(_ count: Int, after begun: String) async throws -> String {
    var text = begun
    while text.utf8.count < count, peer.isReady(POLLIN) { text += peer.receive(count - text.utf8.count) }
    return text
  }

  func close() async throws {
    try await channel.close()
    Glibc.close(peer.descriptor)
  }
}
