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
  /// What stopped the parser while an earlier request was being answered.
  private var error: (any Error)?
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
    self.error = error
    context.fireErrorCaught(error)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let part = unwrapOutboundIn(data)
    if case .head(let head) = part {
      // There is no request that this could answer: Hummingbird answers what stopped the parser. We do so better, and not
      // at all if that was in a body whose request is answered.
      if pace?.isAnswering == false, head.status.kind != .informational {
        isSuperfluous = true
        if let error { _ = pace?.refuse(error) }
      }
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
