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
  private var isCounted = false
  private var handshakeEnd: Scheduled<Void>?

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
      if !handler.session.isEstablished { handler.fail(context, "the handshake took too long") }
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) { handshakeEnd?.cancel() }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let records = unwrapInboundIn(data)
    let reception = records.withUnsafeReadableBytes { records in
      session.receive(records, space: space) { plain in
        noteHandshake(context)
        context.fireChannelRead(wrapInboundOut(context.channel.allocator.buffer(bytes: plain)))
        return true
      }
    }
    noteHandshake(context)
    sendSealed(context)
    switch reception {
    case .going: break
    case .ended: context.close(mode: .input, promise: nil)
    case .failed(let error): fail(context, error.description)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    if !session.isEstablished { door.noteFailedHandshake("the client closed the connection during the handshake") }
    context.fireChannelInactive()
  }

  private func noteHandshake(_ context: ChannelHandlerContext) {
    guard !isCounted, session.isEstablished else { return }
    isCounted = true
    handshakeEnd?.cancel()
    connection.peerNames = session.peerNames
    door.noteHandshake()
    sendSealed(context)
  }

  private func fail(_ context: ChannelHandlerContext, _ reason: String) {
    if !session.isEstablished, !isCounted {
      isCounted = true
      door.noteFailedHandshake(reason)
    }
    context.close(promise: nil)
  }

  // MARK: Sending

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let plain = unwrapOutboundIn(data)
    guard session.isEstablished, plain.withUnsafeReadableBytes({ session.seal($0) }) else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return fail(context, "bytes before the handshake")
    }
    sendSealed(context, promise)
  }

  private func sendSealed(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>? = nil) {
    var sealed: ByteBuffer?
    session.takeSealed { sealed = context.channel.allocator.buffer(bytes: $0.bytes) }
    guard let sealed else {
      promise?.succeed()
      return
    }
    context.writeAndFlush(wrapOutboundOut(sealed), promise: promise)
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    if mode != .input {
      session.sealEnd()
      sendSealed(context)
    }
    context.close(mode: mode, promise: promise)
  }
}
