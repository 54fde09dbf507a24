import GatehouseServer
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
  private let decisions: PathSet
  private let date: DateHeader
  let logger: Logger

  /// - Parameter decisions: where decisions are asked for.
  init(_ responder: WebRoutes.Responder, decisions: PathSet, _ date: DateHeader, _ logger: Logger) {
    self.responder = responder
    self.decisions = decisions
    self.date = date
    self.logger = logger
  }

  func isDecision(_ head: HTTPRequest) -> Bool { head.path.map(decisions.contains) ?? false }

  // MARK: Through Hummingbird's server

  /// An answer could not be written, so that no other one may follow.
  private struct IsUnfinished: Error {}

  func answer(_ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel) async throws {
    guard let connection = WebChannel.connection else { preconditionFailure("a request outside of a connection") }
    let response = try await respond(to: request, connection, channel)
    do {
      try await writer.write(response: response.head, body: response.body)
    } catch is HTTPParserError {
      throw IsUnfinished()
    }
  }

  // MARK: At once

  /// A whole answer.
  struct Whole: Sendable {
    let head: HTTPResponse
    let body: [ByteBuffer]
  }

  /// - Returns: nil if the answer could not be made to its end.
  func whole(_ request: Request, _ connection: DoorConnection, _ channel: any Channel) async -> Whole? {
    do {
      let response = try await respond(to: request, connection, channel)
      let body = CollectedBody()
      try await response.body.write(body)
      return Whole(head: response.head, body: body.parts)
    } catch {
      return nil
    }
  }

  private final class CollectedBody: ResponseBodyWriter {
    private(set) var parts: [ByteBuffer] = []

    func write(_ buffer: ByteBuffer) { parts.append(buffer) }
    func finish(_ trailingHeaders: HTTPFields?) {}
  }

  private func respond(
    to request: Request, _ connection: DoorConnection, _ channel: any Channel
  ) async throws -> Response {
    let context = WebContext(source: .init(connection: connection, channel: channel, logger: logger))
    var response: Response
    do {
      response = try await responder.respond(to: request, context: context)
    } catch let error as HTTPParserError {
      throw error
    } catch {
      response = Response(status: .internalServerError)
    }
    response.headers[.date] = date.text
    return response
  }
}

/// The addresses of some routes.
struct PathSet: Sendable {
  private let paths: Set<String>
  /// What the paths begin with that may go on with anything.
  private let beginnings: [String]

  init(_ table: RouteTable) {
    let patterns = Set(table.routes.map { "/" + $0.pattern.split(separator: "/").joined(separator: "/") })
    paths = patterns.filter { !$0.contains("*") && !$0.contains("{") }
    beginnings = patterns.filter { $0.hasSuffix("/**") }.map { String($0.dropLast(2)) }
  }

  /// - Parameter target: a request's path and query. One that only a router understands, such as with `//`, is in no set.
  func contains(_ target: String) -> Bool {
    let path = target.head(before: "?")
    return paths.contains(path) || beginnings.contains { path.hasPrefix($0) }
  }
}
