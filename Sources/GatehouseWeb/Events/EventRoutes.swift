import FoundationEssentials
import GatehouseServer
import GatehouseWire
import HTTPTypes
import Hummingbird
import NIOCore

/// `GET /events`: the feed as server-sent events. Who reads is a service, or somebody in a session (`gs_…` as the bearer).
struct EventRoutes {
  private let door: CommandDoor

  init(_ door: CommandDoor) { self.door = door }

  func add(to router: Router<WebContext>) {
    router.get("events") { request, context in try await events(request, context) }
  }

  static let operations = [
    APIOperation(
      method: .get, path: "/events", tag: "Events", summary: "The changes as server-sent events",
      authentication: .either,
      parameters: [
        .init(name: "after", place: .query, description: "the event to go on after; now if it is not given"),
        .init(name: "Last-Event-ID", place: .header, description: "the same, as browsers send it"),
        .init(name: "type", place: .query, description: "only these changes, separated by commas"),
        .init(name: "workspace", place: .query, description: "only what happened there"),
        .init(
          name: "until", place: .query, description: "now: ends with what there is, instead of waiting for more",
          schema: .type("string", ("enum", .array([.string("now")])))),
      ],
      answers: [
        .init(
          status: 200, description: "CloudEvents, one for each record, until the client leaves",
          contents: [.init(mediaType: "text/event-stream", schema: .type("string"))])
      ])
  ]

  private func events(_ request: Request, _ context: WebContext) async throws -> Response {
    let caller = try await reader(request, context)
    var stream = EventStream(
      door: door, caller: caller, filter: try Self.filter(request), waits: try Self.waits(request))
    // Whoever may not read, or asks for what is gone, learns it by the status.
    try await stream.begin(try Self.start(request))
    let channel = context.channel
    let body = ResponseBody { [stream] writer in
      var stream = stream
      try await request.body.consumeWithInboundCloseHandler { _ in
        try await stream.run(writing: &writer, on: channel)
      } onInboundClosed: { [door, ticket = stream.ticket] in
        door.release(ticket)
      }
      try await writer.finish(nil)
    }
    return Response(
      status: .ok,
      headers: [
        .contentType: "text/event-stream", .cacheControl: "no-store",
        // nginx would else keep events back until its buffer is full.
        HTTPField.Name("X-Accel-Buffering")!: "no",
      ], body: body)
  }

  private func reader(_ request: Request, _ context: WebContext) async throws -> Caller {
    if case .bearer(let token) = Authentication.credentials(request), token.hasPrefix("gs_") {
      guard let (caller, _) = await door.caller(ofSession: token, context.connection) else {
        throw Problem(.unauthorized, "NOAUTH", "the session is over, or there never was one")
      }
      return caller
    }
    return try await Authentication(door: door).service(request, context)
  }

  /// What is read: words of `FEED.READ`.
  private static func filter(_ request: Request) throws -> [String] {
    var words: [String] = []
    for (name, value) in request.uri.queryParameters {
      switch name {
      case "type": for type in value.split(separator: ",") { words += ["TYPE", String(type)] }
      case "workspace": words += ["WORKSPACE", String(value)]
      case "after", "until": break
      default:
        throw Problem(.badRequest, "ERR", "there is no parameter '\(name)'; there are after, type, workspace and until")
      }
    }
    return words
  }

  /// Whether to go on waiting where there is nothing more.
  private static func waits(_ request: Request) throws -> Bool {
    switch request.uri.queryParameters.get("until") {
    case nil: return true
    case "now": return false
    case let other?: throw Problem(.badRequest, "ERR", "until is now, or left out, not '\(other)'")
    }
  }

  /// After which event; nil for those that come from now on.
  private static func start(_ request: Request) throws -> EventPosition? {
    // A browser that connects again sends the header, and the address as it was.
    let header = request.headers[HTTPField.Name("Last-Event-ID")!]
    let parameter = request.uri.queryParameters.get("after")
    guard let text = header.flatMap({ $0.isEmpty ? nil : $0 }) ?? parameter, text != "$" else { return nil }
    guard let position = EventPosition(text) else {
      let name = header == nil ? "after" : "Last-Event-ID"
      throw Problem(
        .badRequest, "ERR", "\(name) is not the id of an event; give one such as 17, 0 for all or $ for none")
    }
    return position
  }
}
