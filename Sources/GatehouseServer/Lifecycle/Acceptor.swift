import Glibc
import NIOCore
import Synchronization

/// Hands accepted sockets to the lanes, round-robin. Used by the accepting thread only.
struct Acceptor {
  let facts: ServerFacts
  private let lanes: [Lane]
  private let entrance: any Entrance
  /// The lane that gets the next connection.
  private var next = 0

  init(lanes: [Lane], facts: ServerFacts, entrance: any Entrance) {
    self.facts = facts
    self.entrance = entrance
    self.lanes = lanes
  }

  /// Hands over an accepted socket, or turns the client away if there are too many.
  mutating func take(_ socket: Int32) {
    facts.connectionsReceived.add(1, ordering: .relaxed)
    let settings = facts.current
    let count = facts.connectedClients.add(1, ordering: .relaxed).newValue
    guard count <= settings.maxConnections else { return turnAway(socket, .maxConnections) }
    let peer = try? SocketAddress(peerOf: socket)
    let key = AddressKey(peer)
    guard facts.addresses.join(key, most: settings.addressConnections) else {
      return turnAway(socket, .addressConnections)
    }
    Self.prepare(socket)
    let client = ClientFacts(
      id: facts.lastConnection.add(1, ordering: .relaxed).newValue, address: Self.text(peer),
      localAddress: Self.text(try? SocketAddress(of: socket)), isLoopback: peer?.isLoopback ?? false, peer: key,
      connected: Clock.monotonicMilliseconds())
    let lane = lanes[next]
    lane.loop.execute { [entrance] in lane.connect(socket, client, entrance) }
    next = (next + 1) % lanes.count
  }

  private func turnAway(_ socket: Int32, _ limit: ClientLimit) {
    facts.connectedClients.subtract(1, ordering: .relaxed)
    facts.connectionsRejected.add(1, ordering: .relaxed)
    facts.limits.add(limit)
    // Redis' text, which clients know and try again after.
    let text = "ERR max number of clients reached"
    let why = limit == .maxConnections ? "" : ": as many from this address as \(limit.name) allows"
    entrance.turnAway(socket, text + why)
  }

  private static func prepare(_ socket: Int32) {
    _ = fcntl(socket, F_SETFL, O_NONBLOCK)
    let options = [
      (Int32(IPPROTO_TCP), TCP_NODELAY, 1), (SOL_SOCKET, SO_KEEPALIVE, 1),
      (Int32(IPPROTO_TCP), TCP_KEEPIDLE, KeepAlive.idleSeconds),
      (Int32(IPPROTO_TCP), TCP_KEEPINTVL, KeepAlive.probeSeconds), (Int32(IPPROTO_TCP), TCP_KEEPCNT, KeepAlive.probes),
    ]
    for (level, option, value) in options {
      var value = value
      setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
  }

  private static func text(_ address: SocketAddress?) -> String {
    guard let address, let ip = address.ipAddress, let port = address.port else { return "?:0" }
    return ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
  }
}

/// How a dead peer is detected: TCP keep-alive, as Redis does it with `tcp-keepalive 300`.
enum KeepAlive {
  static let idleSeconds: Int32 = 300
  static let probeSeconds: Int32 = 100
  static let probes: Int32 = 3
}

extension Lane {
  /// Makes a connection of an accepted socket.
  fileprivate func connect(_ descriptor: Int32, _ client: ClientFacts, _ entrance: any Entrance) {
    let transport = entrance.transport(LaneSocket(descriptor, on: self), on: self)
    let connection = Connection(transport, lane: self, client: client)
    if !transport.open(connection) { connection.close() }
  }
}

extension SocketAddress {
  /// A socket's own address.
  init(of socket: Int32) throws { try self.init("getsockname") { getsockname(socket, $0, $1) } }

  /// The address of the peer.
  init(peerOf socket: Int32) throws { try self.init("getpeername") { getpeername(socket, $0, $1) } }

  private init(
    _ call: String, _ ask: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
  ) throws {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let code = withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { ask($0, &length) }
    }
    guard code == 0 else { throw IOError(errnoCode: errno, reason: call) }
    self = withUnsafeBytes(of: storage) { bytes in
      Int32(storage.ss_family) == AF_INET6
        ? SocketAddress(bytes.loadUnaligned(as: sockaddr_in6.self), host: "")
        : SocketAddress(bytes.loadUnaligned(as: sockaddr_in.self), host: "")
    }
  }
}
