import GatehouseCore
import NIOCore
import NIOPosix
import Synchronization

/// Makes connections of accepted sockets, each on the lane whose loop it was given.
struct Acceptor: Sendable {
  let lanes: [Lane]
  let facts: ServerFacts
  private let byLoop: [ObjectIdentifier: Int]

  init(lanes: [Lane], facts: ServerFacts) {
    self.lanes = lanes
    self.facts = facts
    byLoop = Dictionary(uniqueKeysWithValues: lanes.map { (ObjectIdentifier($0.loop), $0.index) })
  }

  func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
    facts.connectionsReceived.add(1, ordering: .relaxed)
    let count = facts.connectedClients.add(1, ordering: .relaxed).newValue
    guard count <= facts.current.maxConnections else {
      facts.connectedClients.subtract(1, ordering: .relaxed)
      facts.connectionsRejected.add(1, ordering: .relaxed)
      return channel.eventLoop.makeCompletedFuture {
        try channel.pipeline.syncOperations.addHandler(TurnedAway())
      }
    }
    let lane = lanes[byLoop[ObjectIdentifier(channel.eventLoop)]!]
    let client = ClientFacts(
      id: facts.lastConnection.add(1, ordering: .relaxed).newValue, address: Self.text(channel.remoteAddress),
      localAddress: Self.text(channel.localAddress), isLoopback: Self.isLoopback(channel.remoteAddress),
      connected: Clock.monotonicMilliseconds())
    return channel.eventLoop.makeCompletedFuture {
      try channel.pipeline.syncOperations.addHandler(
        ConnectionHandler(lane: lane, serverFacts: facts, client: client))
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

/// A connection over the limit: it is told so and closed.
private final class TurnedAway: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  func channelActive(context: ChannelHandlerContext) {
    let refusal = ByteBuffer(string: "-ERR max number of clients reached\r\n")
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(refusal)).whenComplete { _ in channel.close(promise: nil) }
  }
}
