import GatehouseCore
import GatehouseServer
import HTTPTypes
import Hummingbird
import NIOCore

/// `GET /metrics`: the server's figures for Prometheus, for whom `INFO` is answered.
struct MetricsRoutes {
  private let door: CommandDoor

  init(_ door: CommandDoor) { self.door = door }

  func add(to router: Router<WebContext>) {
    router.get("metrics") { request, context in
      let caller = try await Authentication(door: door).service(request, context)
      switch await door.figures(for: caller) {
      case .success(let families):
        return answer(families, PrometheusText.Format(accept: request.headers[values: .accept].joined(separator: ",")))
      case .failure(let refusal): throw Problem(error: refusal.text)
      }
    }
  }

  static let operations = [
    APIOperation(
      method: .get, path: "/metrics", tag: "Operations", summary: "The server's figures for Prometheus",
      description: "For who may ask for INFO. OpenMetrics 1.0 if Accept prefers it, else the text format 0.0.4.",
      answers: [
        .init(
          status: 200, description: "the figures",
          contents: [.text, .init(mediaType: "application/openmetrics-text", schema: .type("string"))])
      ])
  ]

  private func answer(_ families: [MetricFamily], _ format: PrometheusText.Format) -> Response {
    Response(
      status: .ok, headers: [.contentType: format.mediaType, .cacheControl: "no-store", .vary: "Accept"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: PrometheusText(families, format).text)))
  }
}
