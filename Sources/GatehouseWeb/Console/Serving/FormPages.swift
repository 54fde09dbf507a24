import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

extension FormReply {
  /// What the page at hand has to say to a form that it shows once more.
  @TaskLocal static var current: FormReply?
}

/// All pages of the console, to show the one again from which a refused form was sent: with what was typed and why it was
/// refused. So a handler of a form need only throw.
final class FormPages: Sendable {
  private let responder = Mutex<RouterResponder<WebContext>?>(nil)

  /// - Parameter router: has the pages.
  func open(_ router: Router<WebContext>) {
    let built = router.buildResponder()
    responder.withLock { $0 = built }
  }

  /// - Parameter here: the address of the page, as the form carries it.
  /// - Returns: nil if it is no page of ours, or not to be had any more.
  func show(_ reply: FormReply, at here: String, _ request: Request, _ context: WebContext) async -> Response? {
    guard Address.isLocal(here), let responder = responder.withLock({ $0 }) else { return nil }
    var head = request.head
    head.method = .get
    head.path = here
    for name in [HTTPField.Name.contentType, .contentLength, .contentEncoding, .transferEncoding] {
      head.headerFields[name] = nil
    }
    let page = Request(head: head, body: RequestBody(buffer: ByteBuffer()))
    let own = WebContext(
      source: .init(connection: context.connection, channel: context.channel, logger: context.logger))
    let response = try? await FormReply.$current.withValue(reply) {
      try await responder.respond(to: page, context: own)
    }
    guard var response, response.status == .ok else { return nil }
    response.status = reply.failure.status
    return response
  }
}
