import GatehouseServer
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import Synchronization

/// The connections that are open, so that none outlasts the server's end.
final class OpenChannels: Sendable {
  /// Connections that are one too many, and are being told so.
  let turnedAway = Atomic<Int>(0)
  private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

  func add(_ channel: any Channel) {
    channels.withLock { $0[ObjectIdentifier(channel)] = channel }
    channel.closeFuture.whenComplete { [self] _ in
      channels.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(channel)) }
    }
  }

  /// Closes them, whatever is being sent.
  func closeAll() {
    for channel in channels.withLock({ Array($0.values) }) {
      channel.pipeline.fireUserInboundEventTriggered(PaceHandler.MustClose())
    }
  }
}

/// One HTTP connection: counted and limited like a RESP connection, over TLS if the listener has it.
struct WebChannel: ServerChildChannel {
  enum Value: ServerChildChannelValue {
    case serving(HTTP1Channel.Value, DoorConnection)
    /// It is one too many.
    case turnedAway(any Channel)

    var channel: any Channel {
      switch self {
      case .serving(let http, _): http.channel
      case .turnedAway(let channel): channel
      }
    }
  }

  private let door: CommandDoor
  private let isSealed: Bool
  private let open: OpenChannels
  private let answering: Answering
  private let thread: DecisionThread
  private let http: HTTP1Channel

  /// A request line and its headers may have this many bytes: a cookie and a long filter, with room to spare.
  private static let mostHeaderBytes = 32 * 1024
  private static let mostHeaders = 100

  private static var limits: NIOHTTPDecoderLimitConfiguration {
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = mostHeaderBytes
    limits.maxHeaderListSize = mostHeaderBytes
    limits.maxHeaderFieldCount = mostHeaders
    return limits
  }

  /// - Parameter thread: the connections'.
  init(
    _ door: CommandDoor, isSealed: Bool, _ open: OpenChannels, _ answering: Answering, on thread: DecisionThread,
    _ responder: @escaping HTTPChannelHandler.Responder
  ) {
    self.door = door
    self.isSealed = isSealed
    self.open = open
    self.answering = answering
    self.thread = thread
    http = HTTP1Channel(responder: responder)
  }

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    guard let connection = door.connected(from: channel.remoteAddress, isSealed: isSealed) else {
      return channel.eventLoop.makeSucceededFuture(.turnedAway(channel))
    }
    channel.closeFuture.whenComplete { [door] _ in door.closed(connection) }
    open.add(channel)
    return channel.eventLoop.makeCompletedFuture {
      let pipeline = channel.pipeline.syncOperations
      if isSealed {
        guard let context = door.tlsContext else { preconditionFailure("a TLS listener without a certificate") }
        try pipeline.addHandler(TLSHandler(door, context, connection))
      }
      let pace = PaceHandler(door, connection)
      try pipeline.addHandler(pace)
      // Pipelined requests wait in the channel; `MessageHandler` answers errors; and the types of headers check them.
      try pipeline.configureHTTPServerPipeline(
        withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
        withEncoderConfiguration: .init(), withDecoderLimitConfiguration: Self.limits)
      try pipeline.addHandlers(
        MessageHandler(pace), HTTPConnectionStateHandler(logger: logger),
        DecisionHandler(answering, connection, on: thread))
      let http = try NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>(
        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
      return .serving(http, connection)
    }
  }

  /// Answers a connection that is one too many, where this can be done at once: without TLS, and for few at a time.
  private func turnAway(_ channel: any Channel) async {
    let isFew = open.turnedAway.add(1, ordering: .relaxed).newValue <= Self.mostTurnedAway
    defer { open.turnedAway.subtract(1, ordering: .relaxed) }
    if isFew, !isSealed {
      door.requests.refused(status: 503)
      try? await channel.writeAndFlush(Self.tooMany.bytes)
      try? await channel.close(mode: .output)
      // The client's request is still on its way. If the connection were closed before it arrives, the kernel would throw
      // the answer away.
      try? await Task.sleep(for: .milliseconds(200))
    }
    try? await channel.close()
  }

  private static let mostTurnedAway = 32

  private static let tooMany = {
    var problem = Problem(.serviceUnavailable, "LIMIT", "there are too many connections; try again later")
    problem.retryAfter = 1
    return problem
  }()

  func handle(value: Value, logger: Logger) async {
    switch value {
    case .serving(let channel, let connection):
      await Self.$connection.withValue(connection) { await http.handle(value: channel, logger: logger) }
    case .turnedAway(let channel): await turnAway(channel)
    }
  }

  /// The connection whose requests the task at hand answers.
  @TaskLocal static var connection: DoorConnection?
}
