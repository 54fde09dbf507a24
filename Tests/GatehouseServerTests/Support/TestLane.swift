import GatehouseCore
import Glibc
import Logging
import NIOCore
import Synchronization
import Testing
@testable import GatehouseServer

/// A lane without data and without a thread: its test calls `tick`.
final class TestLane {
  let lane: Lane

  init() throws {
    lane = try Lane(
      index: 0, facts: ServerFacts(configuration: ServerConfiguration(), logger: Logger(label: "test")))
  }

  /// A tick that does not sleep where there is nothing to do.
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

/// A connection whose bytes come from a test and go into memory.
final class MemoryConnection {
  final class Memory: Transport {
    let descriptor: Int32 = -1
    /// What was sent and taken.
    var taken = ByteBuffer()
    /// How many bytes are taken before there is no more room.
    var room = Int.max
    var isReading = true
    var isClosed = false
    /// Whether `hasRoom` must be called once there is room.
    var isFull = false
    var unacknowledged = 0

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

  /// The client sends something, and the lane ends its tick.
  func send(_ text: String) {
    Array(text.utf8).withUnsafeBytes { connection.received($0) }
    lane.tick()
  }

  /// The client reads so much, and the connection is told as long as it asks for it.
  func makeRoom(_ bytes: Int) {
    transport.room = bytes
    guard transport.isFull else { return }
    while connection.hasRoom(), !transport.isFull {}
    lane.lane.sendReplies()
  }

  /// What was sent since the last call.
  var received: String {
    defer { transport.taken.clear() }
    return String(buffer: transport.taken)
  }
}

/// A client with a real socket of a lane.
final class TestSocket {
  let descriptor: Int32
  let connection: Connection

  /// - Parameter buffer: bytes that the lane's socket takes before the client reads.
  init(_ lane: TestLane, buffer: Int32 = 4096) throws {
    var ends: [Int32] = [0, 0]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0)
    var size = buffer
    for end in ends { setsockopt(end, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size)) }
    descriptor = ends[1]
    let socket = LaneSocket(ends[0], on: lane.lane)
    connection = Connection(socket, lane: lane.lane, client: lane.client)
    try #require(socket.open(connection))
  }

  deinit { close(descriptor) }

  func send(_ text: String) { #expect(Glibc.send(descriptor, text, text.utf8.count, 0) == text.utf8.count) }

  /// Sends as much as the kernel takes now.
  /// - Returns: how many bytes that were.
  func trySend(_ text: Substring) -> Int {
    var text = text
    return max(0, text.withUTF8 { Glibc.send(descriptor, $0.baseAddress, $0.count, 0) })
  }

  /// What there is to be read, up to a limit.
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
