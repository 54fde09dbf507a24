import GatehouseCore
import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// Makes connections of accepted sockets, on the lanes in turn. The accepting thread's own.
struct Acceptor {
  let facts: ServerFacts
  private let bootstraps: [ClientBootstrap]
  /// The lane that gets the next connection.
  private var next = 0

  init(lanes: [Lane], facts: ServerFacts) {
    self.facts = facts
    bootstraps = lanes.map { lane in
      ClientBootstrap(group: lane.loop)
        .channelOption(.tcpOption(.tcp_nodelay), value: 1)
        .channelOption(.socketOption(.so_keepalive), value: 1)
        .channelOption(.tcpOption(.init(rawValue: TCP_KEEPIDLE)), value: .init(KeepAlive.idleSeconds))
        .channelOption(.tcpOption(.init(rawValue: TCP_KEEPINTVL)), value: .init(KeepAlive.probeSeconds))
        .channelOption(.tcpOption(.init(rawValue: TCP_KEEPCNT)), value: .init(KeepAlive.probes))
        .channelOption(.allowRemoteHalfClosure, value: true)
        .channelOption(.maxMessagesPerRead, value: 1)
        // The channel keeps its buffer for as long as it lives: as many as there are clients.
        .channelOption(
          .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 4096, maximum: 32 * 1024)
        )
        .channelInitializer { channel in Self.connect(channel, lane, facts) }
    }
  }

  /// Takes over an accepted socket, or turns the client away where there are too many.
  mutating func take(_ socket: Int32) {
    facts.connectionsReceived.add(1, ordering: .relaxed)
    let count = facts.connectedClients.add(1, ordering: .relaxed).newValue
    guard count <= facts.current.maxConnections else {
      facts.connectedClients.subtract(1, ordering: .relaxed)
      facts.connectionsRejected.add(1, ordering: .relaxed)
      return Self.turnAway(socket)
    }
    _ = bootstraps[next].withConnectedSocket(socket)
    next = (next + 1) % bootstraps.count
  }

  /// Tells a client that there are too many, and closes.
  private static func turnAway(_ socket: Int32) {
    let text = "-ERR max number of clients reached\r\n"
    _ = send(socket, text, text.utf8.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
    // What the client has sent already is taken from the socket: closed with it unread, the kernel would say that the
    // connection was reset, and some clients would show that instead of the reason.
    var bytes = [UInt8](repeating: 0, count: 4096)
    _ = recv(socket, &bytes, bytes.count, Int32(MSG_DONTWAIT))
    close(socket)
  }

  private static func connect(_ channel: any Channel, _ lane: Lane, _ facts: ServerFacts) -> EventLoopFuture<Void> {
    channel.closeFuture.whenComplete { _ in facts.connectedClients.subtract(1, ordering: .relaxed) }
    let client = ClientFacts(
      id: facts.lastConnection.add(1, ordering: .relaxed).newValue, address: text(channel.remoteAddress),
      localAddress: text(channel.localAddress), isLoopback: isLoopback(channel.remoteAddress),
      connected: Clock.monotonicMilliseconds())
    return channel.eventLoop.makeCompletedFuture {
      try channel.pipeline.syncOperations.addHandler(ConnectionHandler(lane: lane, serverFacts: facts, client: client))
    }
  }

  private static func text(_ address: SocketAddress?) -> String {
    guard let address, let ip = address.ipAddress, let port = address.port else { return "?:0" }
    return ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
  }

  static func isLoopback(_ address: SocketAddress?) -> Bool {
    guard let ip = address?.ipAddress else { return false }
    return ip.hasPrefix("127.") || ip == "::1" || ip.hasPrefix("::ffff:127.")
  }
}

/// How a client is found out that is gone without having said so: as Redis does it with `tcp-keepalive 300`.
enum KeepAlive {
  static let idleSeconds = 300
  static let probeSeconds = 100
  static let probes = 3
}
