import DequeModule
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// Turns the parser's messages into the router's and back. On the way it checks what the parser lets pass, puts what
/// differs between versions of HTTP into the words that the router knows, and tells `PaceHandler` what has arrived and what
/// is answered.
///
/// One handler does all this, because each further one boxes every part of a message anew.
final class MessageHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  private let pace: PaceHandler
  /// Whether a request was refused here, so that nothing that follows it is read.
  private var hasFailed = false
  /// What stopped the parser while an earlier request was being answered.
  private var error: (any Error)?
  private var isSuperfluous = false
  /// The requests whose answers are to come.
  private var expected: Deque<Expected> = []

  private struct Expected {
    /// It was asked for the head alone: an error's body would be taken for the next answer.
    let isHead: Bool
    /// The connection closes after it.
    let isLast: Bool
  }

  init(_ pace: PaceHandler) { self.pace = pace }

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

  // MARK: Requests

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if hasFailed { return }
    switch unwrapInboundIn(data) {
    case .head(let head):
      do {
        let request = try self.request(head)
        if head.version != .http1_0, head.headers["expect"].contains(where: { $0.lowercased() == "100-continue" }) {
          // Whoever is invited sends it all, to no avail.
          if let length = head.headers.first(name: "content-length").flatMap({ Int($0) }), length > WebContext.mostBytes
          {
            throw Fault.body
          }
          pace.invite()
        }
        pace.headEnded()
        expected.append(
          Expected(isHead: request.method == .head, isLast: request.headerFields[.connection] == "close"))
        context.fireChannelRead(wrapInboundOut(.head(request)))
      } catch {
        hasFailed = true
        fail(context, error)
      }
    case .body(let bytes): context.fireChannelRead(wrapInboundOut(.body(bytes)))
    case .end(let trailers):
      pace.requestEnded()
      context.fireChannelRead(wrapInboundOut(.end(trailers.map { HTTPFields($0, splitCookie: false) })))
    }
  }

  private func request(_ head: HTTPRequestHead) throws -> HTTPRequest {
    let hosts = head.headers["host"].count
    guard hosts == 1 || hosts == 0 && head.version == .http1_0 else { throw Fault.hosts(hosts) }
    var request =
      if head.uri.utf8.first == UInt8(ascii: "/") {
        HTTPRequest(
          method: try HTTPRequest.Method(head.method), scheme: "http", authority: head.headers.first(name: "host"),
          path: head.uri, headerFields: HTTPFields(head.headers, splitCookie: false))
      } else {
        // The target is a whole address, of which the path is looked for with Foundation, which takes long.
        try HTTPRequest(head, secure: false, splitCookie: false)
      }
    if !head.isKeepAlive || head.wantsAnotherProtocol { request.headerFields[.connection] = "close" }
    return request
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(context, error) }

  private func fail(_ context: ChannelHandlerContext, _ error: any Error) {
    if pace.refuse(error) { return }
    self.error = error
    // Hummingbird answers no other errors.
    context.fireErrorCaught(error is HTTPParserError ? error : HTTPParserError.unknown)
  }

  // MARK: Answers

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let part = unwrapOutboundIn(data)
    if !pace.mayAnswer {
      // Another node may lead by now, and have answered otherwise.
      promise?.succeed()
      return context.close(promise: nil)
    }
    if case .head(let head) = part {
      // There is no request that this could answer: Hummingbird answers what stopped the parser. We do so better, and not
      // at all if that was in a body whose request is answered.
      if !pace.isAnswering, head.status.kind != .informational {
        isSuperfluous = true
        if let error { _ = pace.refuse(error) }
      }
      pace.hasBegunAnswer = true
    }
    if isSuperfluous {
      promise?.succeed()
      if case .end = part { context.close(promise: nil) }
      return
    }
    switch part {
    case .head(let head):
      var answer = HTTPResponseHead(head)
      if head.status.kind != .informational, expected.first?.isLast == true {
        answer.headers.replaceOrAdd(name: "connection", value: "close")
      }
      context.write(wrapOutboundOut(.head(answer)), promise: promise)
    case .body where expected.first?.isHead == true: promise?.succeed()
    case .body(let bytes): context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: promise)
    case .end(let trailers):
      context.write(wrapOutboundOut(.end(trailers.map { HTTPHeaders($0) })), promise: promise)
      _ = expected.popFirst()
      pace.answered()
    }
  }
}

extension HTTPRequestHead {
  /// Whether the client would go on in another protocol. It is answered as if it did not ask, which HTTP allows; but the
  /// parser reads nothing after it.
  fileprivate var wantsAnotherProtocol: Bool {
    method == .CONNECT
      || headers.contains(name: "upgrade")
        && headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
  }
}
