import GatehouseServer
import GatehouseWire
import NIOCore

/// TLS of one connection, with the same certificates and rules as the RESP listener's. Nothing is sent before the
/// handshake is done, and nothing around it.
final class TLSHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let door: CommandDoor
  private let connection: DoorConnection
  private let session: TLSSession
  private let space = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 * 1024, alignment: 16)
  /// Whether the handshake's end, good or bad, is counted.
  private var isCounted = false
  private var handshakeEnd: Scheduled<Void>?
  /// What was written since the last flush. It is sealed then, so that head and body of an answer share records.
  private var plain: ByteBuffer?
  private var plainPromise: EventLoopPromise<Void>?

  init(_ door: CommandDoor, _ context: TLSContext, _ connection: DoorConnection) {
    self.door = door
    self.connection = connection
    session = TLSSession(context, serverName: nil, room: TLSRoom())
  }

  deinit { space.deallocate() }

  // MARK: Receiving

  func handlerAdded(context: ChannelHandlerContext) {
    let limit = door.configuration.handshakeTimeout
    guard limit > .zero else { return }
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    handshakeEnd = context.eventLoop.scheduleTask(in: TimeAmount(limit)) {
      let (handler, context) = bound.value
      guard !handler.session.isEstablished, !handler.isCounted else { return }
      handler.door.noteSlowHandshake()
      handler.fail(context, "the handshake took too long")
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    handshakeEnd?.cancel()
    dropPlain(ChannelError.ioOnClosedChannel)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let records = unwrapInboundIn(data)
    let reception = records.withUnsafeReadableBytes { records in
      session.receive(records, space: space) { plain in
        noteHandshake()
        context.fireChannelRead(wrapInboundOut(context.channel.allocator.buffer(bytes: plain)))
        return context.channel.isActive
      }
    }
    noteHandshake()
    sendSealed(context)
    context.flush()
    switch reception {
    case .going: break
    // The client sends nothing more, but still reads its answers.
    case .ended: context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    case .failed(let error): fail(context, error.description)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    fail("the client closed the connection during the handshake")
    context.fireChannelInactive()
  }

  private func noteHandshake() {
    guard !isCounted, session.isEstablished else { return }
    isCounted = true
    handshakeEnd?.cancel()
    connection.peerNames = session.peerNames
    door.noteHandshake()
  }

  private func fail(_ context: ChannelHandlerContext, _ reason: String) {
    fail(reason)
    context.close(promise: nil)
  }

  private func fail(_ reason: String) {
    guard !isCounted else { return }
    isCounted = true
    door.noteFailedHandshake(reason)
  }

  // MARK: Sending

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    var written = unwrapOutboundIn(data)
    guard session.isEstablished else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return fail(context, "bytes before the handshake")
    }
    if plain == nil { plain = written } else { plain?.writeBuffer(&written) }
    if let promise {
      if let plainPromise { plainPromise.futureResult.cascade(to: promise) } else { plainPromise = promise }
    }
  }

  func flush(context: ChannelHandlerContext) {
    sealPlain(context)
    context.flush()
  }

  private func sealPlain(_ context: ChannelHandlerContext) {
    guard let plain else { return }
    let promise = plainPromise
    self.plain = nil
    plainPromise = nil
    guard plain.withUnsafeReadableBytes({ session.seal($0) }) else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return fail(context, "the session cannot be used any more")
    }
    sendSealed(context, promise)
  }

  /// Writes what the session has sealed, without flushing it.
  private func sendSealed(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>? = nil) {
    var sealed: ByteBuffer?
    session.takeSealed { sealed = context.channel.allocator.buffer(bytes: $0.bytes) }
    guard let sealed else {
      promise?.succeed()
      return
    }
    context.write(wrapOutboundOut(sealed), promise: promise)
  }

  private func dropPlain(_ error: any Error) {
    plain = nil
    plainPromise?.fail(error)
    plainPromise = nil
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    if mode != .input, context.channel.isActive {
      sealPlain(context)
      session.sealEnd()
      sendSealed(context)
      context.flush()
    }
    context.close(mode: mode, promise: promise)
  }
}
