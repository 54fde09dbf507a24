import NIOCore
import NIOHTTP1

/// Checks what the parser lets pass, and puts what differs between versions of HTTP into the words that the router knows.
final class HeadHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart

  private var pace: PaceHandler?
  private var hasFailed = false

  enum Fault: Error, CustomStringConvertible {
    case hosts(Int)
    /// The client asks before it sends a body that is too large.
    case body

    var description: String {
      switch self {
      case .body: "its body is larger than \(WebContext.mostBytes) bytes"
      case .hosts(0): "it has no Host header"
      case .hosts(let count): "it has \(count) Host headers"
      }
    }
  }

  func handlerAdded(context: ChannelHandlerContext) {
    pace = try? context.pipeline.syncOperations.handler(type: PaceHandler.self)
  }

  func handlerRemoved(context: ChannelHandlerContext) { pace = nil }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if hasFailed { return }
    guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
    let hosts = head.headers["host"].count
    guard hosts == 1 || hosts == 0 && head.version == .http1_0 else {
      hasFailed = true
      return context.fireErrorCaught(Fault.hosts(hosts))
    }
    if !head.isKeepAlive { head.headers.replaceOrAdd(name: "connection", value: "close") }
    if head.version != .http1_0, head.headers["expect"].contains(where: { $0.lowercased() == "100-continue" }) {
      // Whoever is invited sends it all, to no avail.
      if let length = head.headers.first(name: "content-length").flatMap({ Int($0) }), length > WebContext.mostBytes {
        hasFailed = true
        return context.fireErrorCaught(Fault.body)
      }
      pace?.invite()
    }
    context.fireChannelRead(wrapInboundOut(.head(head)))
  }
}
