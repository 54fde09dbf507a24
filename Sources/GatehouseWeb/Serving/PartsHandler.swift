import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Tells `PaceHandler` what the parser has found, and what is answered.
final class PartsHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private var pace: PaceHandler?
  private var isSuperfluous = false

  func handlerAdded(context: ChannelHandlerContext) {
    pace = try? context.pipeline.syncOperations.handler(type: PaceHandler.self)
  }

  func handlerRemoved(context: ChannelHandlerContext) { pace = nil }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head: pace?.headEnded()
    case .body: break
    case .end: pace?.requestEnded()
    }
    context.fireChannelRead(data)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if pace?.refuse(error) == true { return }
    context.fireErrorCaught(error)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let part = unwrapOutboundIn(data)
    if case .head(let head) = part {
      // Hummingbird answers what breaks off in a body that nobody wanted, though its request is answered.
      if pace?.isAnswering == false, head.status.kind != .informational { isSuperfluous = true }
      pace?.hasBegunAnswer = true
    }
    if isSuperfluous {
      promise?.succeed()
      if case .end = part { context.close(promise: nil) }
      return
    }
    context.write(data, promise: promise)
    if case .end = part { pace?.answered() }
  }
}
