import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// Answers each request of a connection with what the router responds. Hummingbird's `Application` does the same, but also
/// gives every request a logger of its own, which costs more than most decisions.
struct Answering: Sendable {
  private let responder: WebRoutes.Responder
  private let date: DateHeader
  private let logger: Logger

  init(_ responder: WebRoutes.Responder, _ date: DateHeader, _ logger: Logger) {
    self.responder = responder
    self.date = date
    self.logger = logger
  }

  /// An answer could not be written, so that no other one may follow.
  private struct IsUnfinished: Error {}

  func answer(_ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel) async throws {
    let context = WebContext(source: ApplicationRequestContextSource(channel: channel, logger: logger))
    var response: Response
    do {
      response = try await responder.respond(to: request, context: context)
    } catch let error as HTTPParserError {
      throw error
    } catch {
      response = Response(status: .internalServerError)
    }
    response.headers[.date] = date.text
    do {
      try await writer.write(response: response.head, body: response.body)
    } catch is HTTPParserError {
      throw IsUnfinished()
    }
  }
}
