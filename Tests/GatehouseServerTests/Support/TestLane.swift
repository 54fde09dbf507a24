import GatehouseCore
import Glibc
import Logging
import NIOCore
import Synchronization
import Testing
@testable import GatehouseServer

/// A lane without data and thread: the test calls `tick`.
final class TestLane {
  let lane: Lane

  init() throws {
    lane = try Lane(
      index: 0, facts: ServerFacts(configuration: ServerConfiguration(), logger: Logger(label: "test")))
  }

  /// A tick that does not sleep if there is nothing to do.
  func tick() {
    lane.loop.execute {}
    lane.tick()
  }

  var client: ClientFacts {
    let id = lane.facts.lastConnection.add(1, ordering: .relaxed).newValue
    lane.facts.connectedClients.add(1, ordering: .relaxed)
    return ClientFacts(
      id: id, address: "127.0.0.1:\(id)", localAddress: "127.0.0.1:1", isLoopback: true, connected: 0)
  }
}

/// A connection that a test feeds and that writes to memory.
final class MemoryConnection {
  final class Memory: Transport {
    let descriptor: Int32 = -1
    /// Bytes that were sent and accepted.
    var taken = ByteBuffer()
    /// How many bytes are accepted until the transport is full.
    var room = Int.max
    var isReading = true
    var isClosed = false
    /// Whether `hasRoom` must be called once there is room again.
    var isFull = false
    var unacknowledged = 0

    func open(_ user: any TransportUser) -> Bool { true }

    func send(_ bytes: UnsafeRawBufferPointer) -> Int {
      #expect(!isClosed, "sent after it was closed")
      let count = min(bytes.count, room)
      taken.writeBytes(bytes[..<count])
      room -= count
      isFull = count < bytes.count
      return count
    }

    func setReading(_ isOn: Bool) { isReading = isOn }

    func close() { isClosed = true }
  }

  let lane: TestLane
  let transport = Memory()
  let connection: Connection

  init(_ lane: TestLane) {
    self.lane = lane
    connection = Connection(transport, lane: lane.lane, client: lane.client)
  }

  /// Sends bytes from the client, and ends the lane's tick.
  func send(_ text: String) {
    Array(text.utf8).withUnsafeBytes { connection.received($0) }
    lane.tick()
  }

  /// Lets the client read so much, and tells the connection for as long as it asks.
  func makeRoom(_ bytes: Int) {
    transport.room = bytes
    guard transport.isFull else { return }
    while connection.hasRoom(), !transport.isFull {}
    lane.lane.sendReplies()
  }

  /// The bytes sent since the last call.
  var received: String {
    defer { transport.taken.clear() }
    return String(buffer: transport.taken)
  }
}

/// A client on a real socket of a lane.
final class TestSocket {
  let descriptor: Int32
  let connection: Connection

  /// - Parameter buffer: how many bytes the lane's socket accepts before the client reads.
  init(_ lane: TestLane, buffer: Int32 = 4096) throws {
    var ends: [Int32] = [0, 0]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0)
    var size = buffer
    for end in ends { setsockopt(end, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size)) }
    descriptor = ends[1]
    let transport = PlainTransport(LaneSocket(ends[0], on: lane.lane))
    connection = Connection(transport, lane: lane.lane, client: lane.client)
    try #require(transport.open(connection))
  }

  deinit { close(descriptor) }

  func send(_ text: String) { #expect(Glibc.send(descriptor, text, text.utf8.count, 0) == text.utf8.count) }

  /// Sends as much as the kernel accepts now.
  /// - Returns: how many bytes were sent.
  func trySend(_ text: Substring) -> Int {
    var text = text
    return max(0, text.withUTF8 { Glibc.send(descriptor, $0.baseAddress, $0.count, 0) })
  }

  /// The bytes available for reading, up to a limit.
  func receive(_ limit: Int) -> String {
    String(
      unsafeUninitializedCapacity: limit, initializingUTF8With: { max(0, recv(descriptor, $0.baseAddress, limit, 0)) })
  }

  /// Whether the lane has closed its end.
  var isClosed: Bool {
    var byte: UInt8 = 0
    let count = recv(descriptor, &byte, 1, Int32(MSG_PEEK))
    return count == 0 || count < 0 && errno == ECONNRESET
  }
}
