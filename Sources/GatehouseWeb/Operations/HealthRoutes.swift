import GatehouseServer
import HTTPTypes
import Hummingbird
import NIOCore

/// `GET /livez`, `GET /readyz` and `GET /readyz/reads`, for supervisors and load balancers. They need no secret and reveal
/// nothing else.
struct HealthRoutes {
  private let door: CommandDoor

  init(_ door: CommandDoor) { self.door = door }

  func add(to router: Router<WebContext>) {
    router.get("livez") { _, _ in Self.answer(.ok, "the process runs\n") }
    router.get("readyz") { _, _ in readiness() }
    router.get("readyz/reads") { _, _ in readinessForReads() }
  }

  static let operations = [
    APIOperation(
      method: .get, path: "/livez", tag: "Operations", summary: "Whether the process runs", authentication: .nobody,
      answers: [.init(status: 200, description: "it does", contents: [.text])]),
    APIOperation(
      method: .get, path: "/readyz", tag: "Operations", summary: "Whether the data is loaded and changes are taken",
      authentication: .nobody,
      answers: [
        .init(status: 200, description: "they are", contents: [.text]),
        .init(status: 503, description: "not now, with the reason", contents: [.text]),
      ]),
    APIOperation(
      method: .get, path: "/readyz/reads", tag: "Operations",
      summary: "Whether reads are answered, as also by a node that follows", authentication: .nobody,
      answers: [
        .init(status: 200, description: "they are", contents: [.text]),
        .init(status: 503, description: "not now, with the reason", contents: [.text]),
      ]),
  ]

  /// 200 once the data is replayed and changes are taken; else 503 with the reason.
  private func readiness() -> Response {
    switch door.condition {
    case .ready: Self.answer(.ok, "ready\n")
    case .loading: Self.answer(.serviceUnavailable, "loading: the data is not read yet\n")
    case .following: Self.answer(.serviceUnavailable, "following: reads are answered, another node takes the changes\n")
    case .readOnly(let why): Self.answer(.serviceUnavailable, "no changes: \(why)\n")
    case .stopping: Self.answer(.serviceUnavailable, "stopping\n")
    }
  }

  /// 200 while reads are answered, also on a node that follows and has young news, and while the log takes no changes.
  private func readinessForReads() -> Response {
    door.obstacleToReads.map { Self.answer(.serviceUnavailable, "\($0)\n") } ?? Self.answer(.ok, "ready for reads\n")
  }

  private static func answer(_ status: HTTPResponse.Status, _ text: String) -> Response {
    Response(
      status: status, headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }
}
