import Foundation
import GatehouseTestSupport
import Testing

/// `/metrics`, the alert rules and the dashboard, with Prometheus' own programs.
@Suite("HTTP: Prometheus", .blocking)
struct PrometheusTests {
  private static let monitoring = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../tools/monitoring").standardized.path

  private static let hasPrometheus = findProgram("promtool") != nil && findProgram("prometheus") != nil

  /// A server at which something of each kind has happened.
  private func busyServer() throws -> TestServer {
    let authority = try TestAuthority()
    let server = try TestServer.serving(authority: authority)
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("POOL.SET payroll * 5")
    try gate.ok("POOL.SET payroll editor 2")
    try gate.ok("USER.CREATE ana PRODUCT payroll")
    try gate.ok("LOGIN.CHECK ana payroll")
    try gate.ok("LOGIN.CHECK leo payroll")
    _ = try gate.reply("NONSENSE")
    try gate.ok("SAVE")
    _ = try server.get("/metrics")
    return server
  }

  @Test("promtool finds nothing to object to", .enabled(if: hasPrometheus))
  func promtool() throws {
    let server = try busyServer()
    let text = try server.get("/metrics").body
    let result = try runProgram("promtool", ["check", "metrics"], input: text)
    #expect(result.succeeded, "\(result.output)\(result.errors)")
    // It does object to what is wrong.
    let wrong = try runProgram("promtool", ["check", "metrics"], input: text.replacing("_total", with: "_sum"))
    #expect(!wrong.succeeded)
  }

  @Test("the OpenMetrics parser of prometheus-client reads every sample")
  func openMetrics() throws {
    guard
      case .ready(let python) = PythonLibrary.find(
        "prometheus", "GATEHOUSE_PYTHON_PROMETHEUS", "prometheus-client", module: "prometheus_client")
    else {
      Issue.record("prometheus-client cannot be installed")
      return
    }
    let server = try busyServer()
    let text = try server.get("/metrics", headers: [("accept", "application/openmetrics-text")]).body
    let script = """
      import sys
      from prometheus_client.openmetrics.parser import text_string_to_metric_families
      families = list(text_string_to_metric_families(sys.stdin.read()))
      print(sum(len(family.samples) for family in families))
      pools = {s.labels["pool"] for f in families if f.name == "gatehouse_seats_bought" for s in f.samples}
      print(sorted(pools))
      """
    let result = try runProgram(python, ["-c", script], input: text)
    #expect(result.succeeded, "\(result.errors)")
    let lines = result.output.split(separator: "\n")
    let samples = text.split(separator: "\n").count { !$0.hasPrefix("#") }
    #expect(lines.first.map(String.init) == String(samples))
    #expect(lines.last == "['*', 'editor']")
  }

  @Test("Prometheus scrapes it, with a secret once there are services", .enabled(if: hasPrometheus))
  func scrape() throws {
    let server = try busyServer()
    let gate = try server.client()
    try gate.ok("SERVICE.CREATE operators ADMIN")
    let secret = try #require(try gate.fields("SERVICE.CREATE prometheus READ")["secret"])
    let folder = try TemporaryFolder("prometheus")
    try secret.write(toFile: folder.path("secret"), atomically: true, encoding: .utf8)
    let port = try FreePort.next()
    let configuration = """
      global: { scrape_interval: 1s, evaluation_interval: 1s }
      rule_files: ["\(Self.monitoring)/alerts.yml"]
      scrape_configs:
        - job_name: gatehouse
          authorization: { credentials_file: "\(folder.path("secret"))" }
          static_configs: [{ targets: ["127.0.0.1:\(server.httpPort)"] }]
      """
    try configuration.write(toFile: folder.path("prometheus.yml"), atomically: true, encoding: .utf8)
    let prometheus = try ChildProcess(
      "prometheus",
      [
        "--config.file=\(folder.path("prometheus.yml"))", "--storage.tsdb.path=\(folder.path("data"))",
        "--web.listen-address=127.0.0.1:\(port)",
      ], environment: [:], output: folder.path("output"), errors: folder.path("errors"))
    defer { prometheus.kill() }
    func query(_ expression: String) throws -> String {
      try runProgram("promtool", ["query", "instant", "http://127.0.0.1:\(port)", expression]).output
    }
    let deadline = ContinuousClock.now + .seconds(30) * Patience.factor
    var users = ""
    while ContinuousClock.now < deadline, !users.contains("=> 1") {
      pause(.milliseconds(200))
      users = try query("gatehouse_users")
    }
    #expect(users.contains("=> 1"), "\(users)\(readText(folder.path("errors")))")
    #expect(try query("up").contains("=> 1"))
    #expect(try query("count(gatehouse_login_decisions_total)").contains("=> 2"))
    #expect(try query("count(ALERTS{alertstate=\"firing\"}) or vector(0)").contains("=> 0"))
  }

  private static let exporter = findProgram("prometheus-blackbox-exporter")

  @Test("the blackbox exporter sees whether it is ready", .enabled(if: exporter != nil))
  func blackbox() throws {
    let server = try TestServer.serving()
    let folder = try TemporaryFolder("blackbox")
    try "modules: { http_2xx: { prober: http } }".write(
      toFile: folder.path("blackbox.yml"), atomically: true, encoding: .utf8)
    let port = try FreePort.next()
    let process = try ChildProcess(
      try #require(Self.exporter),
      ["--config.file=\(folder.path("blackbox.yml"))", "--web.listen-address=127.0.0.1:\(port)"],
      errors: folder.path("errors"))
    defer { process.kill() }
    func probe(_ path: String) throws -> String {
      try HTTPAnswer("/probe?module=http_2xx&target=http://127.0.0.1:\(server.httpPort)\(path)", at: port).body
    }
    let deadline = ContinuousClock.now + .seconds(30) * Patience.factor
    while ContinuousClock.now < deadline, (try? probe("/livez")) == nil { pause(.milliseconds(50)) }
    for path in ["/livez", "/readyz", "/readyz/reads"] { #expect(try probe(path).contains("\nprobe_success 1\n")) }
    #expect(try probe("/ready").contains("\nprobe_success 0\n"))
  }

  @Test("the alert rules are right, and each one's test fires it", .enabled(if: hasPrometheus))
  func rules() throws {
    for arguments in [
      ["check", "rules", "\(Self.monitoring)/alerts.yml"], ["test", "rules", "\(Self.monitoring)/alerts.test.yml"],
      ["check", "config", "\(Self.monitoring)/prometheus.yml"],
    ] {
      let result = try runProgram("promtool", arguments)
      #expect(result.succeeded, "\(arguments): \(result.output)\(result.errors)")
    }
    let tests = readText("\(Self.monitoring)/alerts.test.yml")
    for line in readText("\(Self.monitoring)/alerts.yml").split(separator: "\n") where line.contains("- alert: ") {
      let name = line.split(separator: " ").last ?? ""
      #expect(tests.contains("alertname=\"\(name)\""), "no test fires \(name)")
    }
  }

  @Test("rules and dashboard ask only for figures that there are")
  func knownFigures() throws {
    let server = try busyServer()
    let names = try Metrics(server).names
    for file in ["alerts.yml", "dashboard.json"] {
      let text = readText("\(Self.monitoring)/\(file)")
      // A server that shares no log has nothing to say of one.
      let asked = Set(text.matches(of: /gatehouse_[a-z_]+/).map { String($0.output) })
        .filter { !$0.hasPrefix("gatehouse_replication_") }
      #expect(asked.count > 10, "\(file)")
      #expect(asked.subtracting(names).isEmpty, "\(file) asks for \(asked.subtracting(names).sorted())")
    }
    let dashboard =
      try JSONSerialization.jsonObject(
        with: Data(readText("\(Self.monitoring)/dashboard.json").utf8)) as? [String: Any]
    #expect((dashboard?["panels"] as? [Any])?.count == 25)
  }
}
