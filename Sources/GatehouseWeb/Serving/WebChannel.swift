import GatehouseServer
import HummingbirdCore
import Logging
import NIOCore

/// One HTTP connection: counted and limited like a RESP connection, over TLS if the listener has it.
struct WebChannel: ServerChildChannel {
  struct Value: ServerChildChannelValue {
    let http: HTTP1Channel.Value
    let connection: DoorConnection

    var channel: any Channel { http.channel }
  }

  private let door: CommandDoor
  private let isSealed: Bool
  private let http: HTTP1Channel

  /// A request line and its headers may have this many bytes: a cookie and a long filter, with room to spare.
  private static let mostHeaderBytes = 32 * 1024
  private static let mostHeaders = 100
  /// Between two requests, and between two pieces of a request.
  private static let idle = TimeAmount.seconds(60)

  init(_ door: CommandDoor, isSealed: Bool, _ responder: @escaping HTTPChannelHandler.Responder) {
    self.door = door
    self.isSealed = isSealed
    http = HTTP1Channel(
      responder: responder,
      configuration: .init(
        idleTimeout: Self.idle,
        httpDecoderConfiguration: .init(
          maxHeaderFieldSize: Self.mostHeaderBytes, maxHeaderListSize: Self.mostHeaderBytes,
          maxHeaderFieldCount: Self.mostHeaders)))
  }

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    guard let connection = door.connected(from: channel.remoteAddress, isSealed: isSealed) else {
      return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
    }
    channel.closeFuture.whenComplete { [door] _ in door.closed(connection) }
    if isSealed {
      guard let context = door.tlsContext else { preconditionFailure("a TLS listener without a certificate") }
      do {
        try channel.pipeline.syncOperations.addHandler(TLSHandler(door, context, connection))
      } catch {
        return channel.eventLoop.makeFailedFuture(error)
      }
    }
    return http.setup(channel: channel, logger: logger).map { Value(http: $0, connection: connection) }
  }

  func handle(value: Value, logger: Logger) async {
    await Self.$connection.withValue(value.connection) { await http.handle(value: value.http, logger: logger) }
  }

  /// The connection whose requests the task at hand answers.
  @TaskLocal static var connection: DoorConnection?
}
