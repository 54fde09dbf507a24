import GatehouseTestSupport

extension TestServer {
  /// A server with HTTP.
  static func serving(_ arguments: String..., authority: TestAuthority? = nil, lanes: Int? = nil) throws -> TestServer {
    var options = TestServer.Options(lanes: lanes, arguments: arguments)
    options.servesHTTP = true
    options.authority = authority
    return try TestServer(options)
  }
}

/// What `/metrics` shows.
struct Metrics {
  /// By name with labels, as written: `gatehouse_commands_total{command="PING"}`.
  let samples: [String: Double]

  init(_ text: String) {
    samples = Dictionary(
      text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
        guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else {
          return nil
        }
        return (String(line[..<space]), value)
      }, uniquingKeysWith: { first, _ in first })
  }

  init(_ server: TestServer, secret: String? = nil) throws {
    let answer = try server.get("/metrics", secret: secret)
    guard answer.status == 200 else { throw TestFailure("/metrics: \(answer.status) \(answer.body)") }
    self.init(answer.body)
  }

  subscript(name: String, labels: (String, String)...) -> Double? {
    let shown = labels.map { "\($0.0)=\"\($0.1)\"" }.joined(separator: ",")
    return samples["gatehouse_" + name + (labels.isEmpty ? "" : "{\(shown)}")]
  }

  /// The names of the metrics, without labels.
  var names: Set<String> { Set(samples.keys.map { String($0.prefix { $0 != "{" }) }) }
}
