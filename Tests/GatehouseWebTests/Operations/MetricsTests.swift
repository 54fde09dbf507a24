import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

/// `/metrics`.
@Suite("HTTP: /metrics", .blocking)
struct MetricsTests {
  @Test("logins, commands, errors and requests are counted as they happen")
  func figuresFollowEvents() throws {
    let server = try TestServer.serving(lanes: 2)
    let gate = try server.client()
    for command in ["PRODUCT.CREATE payroll", "USER.CREATE ana PRODUCT payroll", "USER.CREATE leo"] {
      try gate.ok(command)
    }
    let token = try #require(try gate.fields("SESSION.CREATE ana payroll")["session"])
    for _ in 0..<3 { try gate.ok("LOGIN.CHECK ana payroll") }
    try gate.ok("SESSION.CHECK \(token)")
    for _ in 0..<2 { try gate.ok("LOGIN.CHECK leo payroll") }
    try gate.ok("LOGIN.CHECK nobody payroll")
    try gate.ok("LOGIN.CHECK ana nothing")
    _ = try gate.reply("USER.CREATE ana")
    _ = try server.get("/livez")
    _ = try server.get("/no/such/thing")

    let metrics = try Metrics(server)
    func decisions(_ result: String, _ reason: String, _ product: String) -> Double? {
      metrics["login_decisions_total", ("result", result), ("reason", reason), ("product", product)]
    }
    #expect(decisions("allow", "", "payroll") == 5, "3 checks, a session made, a session checked")
    #expect(decisions("deny", "product-disabled", "payroll") == 2)
    #expect(decisions("deny", "unknown-user", "payroll") == 1)
    #expect(decisions("deny", "unknown-product", "") == 1)
    #expect(metrics["commands_total", ("command", "login.check")] == 7)
    #expect(metrics["command_seconds_count", ("command", "login.check")] == 7)
    #expect(metrics["command_seconds_bucket", ("command", "login.check"), ("le", "+Inf")] == 7)
    #expect(metrics["commands_failed_total", ("command", "user.create")] == 1)
    #expect(metrics["command_errors_total", ("code", "CONFLICT")] == 1)
    #expect(metrics["sessions"] == 1)
    #expect(metrics["users"] == 2)
    #expect(
      metrics["http_requests_total", ("method", "GET"), ("route", "/livez"), ("status", "200")] == 1)
    #expect(metrics["http_requests_total", ("method", "none"), ("route", "none"), ("status", "404")] == 1)
    #expect(metrics["http_request_seconds_count", ("method", "GET"), ("route", "/livez")] == 1)
    #expect(try #require(metrics["log_lsn", ("stage", "durable")]) >= 4)
    #expect(try #require(metrics["log_sync_seconds_count"]) >= 1)
    #expect(try #require(metrics["memory_resident_bytes"]) > 1_000_000)
    #expect(metrics["tls_certificate_expiry_timestamp_seconds"] == nil, "there is no certificate")

    // INFO tells the same, since both come from one list.
    let info = try gate.shown("INFO everything")
    #expect(info.contains("admitted_logins:5") && info.contains("refused_logins:4") && info.contains("sessions:1"))
    try gate.ok("CONFIG RESETSTAT")
    let reset = try Metrics(server)
    #expect(reset["commands_total", ("command", "login.check")] == nil)
    #expect(reset.samples.keys.allSatisfy { !$0.hasPrefix("gatehouse_login_decisions_total{result=\"allow\"") })
  }

  @Test("no label tells who somebody is, whatever they type")
  func namesNobody() throws {
    let server = try TestServer.serving()
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("USER.CREATE ana.secretperson EMAIL ana@secretperson.test PRODUCT payroll")
    try gate.ok("LOGIN.CHECK ana.secretperson payroll")
    try gate.ok("LOGIN.CHECK secretperson2 secretperson3")
    _ = try gate.reply("SECRETPERSON4 secretperson5")
    _ = try server.request("SECRETPERSON6", "/livez")
    _ = try server.request("GET", "/secretperson7?secretperson8=1", headers: [("secretperson9", "x")])
    for accept in ["text/plain", "application/openmetrics-text"] {
      let text = try server.get("/metrics", headers: [("accept", accept)]).body
      #expect(text.contains("gatehouse_users 1"))
      #expect(!text.lowercased().contains("secretperson"))
    }
  }

  @Test("who may ask for INFO may scrape: a service that reads, bound to no workspace")
  func rights() throws {
    let server = try TestServer.serving()
    let admin = try server.client()
    #expect(try server.get("/metrics").status == 200, "without services, this machine may")
    try admin.ok("SERVICE.CREATE operators ADMIN")
    try admin.ok("WORKSPACE.CREATE acme")
    func secret(_ line: String) throws -> String { try #require(try admin.fields("SERVICE.CREATE \(line)")["secret"]) }
    let (reader, bound) = (try secret("prometheus READ"), try secret("web READ WORKSPACE acme"))
    #expect(try server.get("/metrics").status == 401, "with services, no more")
    #expect(try server.get("/metrics", secret: "gs_wrong").status == 401)
    #expect(try server.get("/metrics", secret: reader).status == 200)
    let refused = try server.get("/metrics", secret: bound)
    #expect(refused.status == 403 && refused["content-type"] == "application/problem+json")
    #expect(!refused.body.contains("gatehouse_users"))
    // Old scrapers know only names and passwords.
    let basic = Data("prometheus:\(reader)".utf8).base64EncodedString()
    #expect(try server.get("/metrics", headers: [("authorization", "Basic \(basic)")]).status == 200)
    // As INFO itself.
    let client = try server.client(.resp2)
    try client.ok("AUTH web \(bound)")
    try client.refused("INFO", with: "NOPERM")
  }

  @Test("thousands of products have a bounded number of series, and what is beyond is summed up")
  func bounded() throws {
    let server = try TestServer.serving()
    let gate = try server.client()
    let products = 2_300
    let replies = try gate.pipeline(
      (1...products).map { ["PRODUCT.CREATE", "p\($0)"] } + (1...products).map { ["POOL.SET", "p\($0)", "*", "3"] }
        + (0..<3).map { ["USER.CREATE", "ana\($0)"] }
        + (1...products).map { ["PRODUCT.ENABLE", "ana\($0 % 3)", "p\($0)"] }
        + (1...products).map { ["LOGIN.CHECK", "ana\($0 % 3)", "p\($0)"] }
        + (1...products).map { ["LOGIN.CHECK", "leo", "p\($0)"] })
    #expect(replies.allSatisfy { $0.errorText == nil }, "\(replies.compactMap(\.errorText).prefix(3))")
    let metrics = try Metrics(server)
    for (name, most) in [("seats_used", 2001), ("seats_bought", 2001), ("login_decisions_total", 3003)] {
      let series = metrics.samples.filter { $0.key.hasPrefix("gatehouse_\(name){") }
      #expect(series.count <= most, "\(name): \(series.count)")
      let whole = ["seats_used": products, "seats_bought": 3 * products, "login_decisions_total": 2 * products]
      #expect(series.values.reduce(0, +) == Double(whole[name] ?? 0), "\(name)")
    }
    #expect(metrics["seats_used", ("product", "p1"), ("pool", "*")] == 1)
    #expect(metrics["seats_used", ("product", "/other"), ("pool", "")] == 300)
    #expect(metrics["seats_bought", ("product", "/other"), ("pool", "")] == 900)
    #expect(
      metrics["login_decisions_total", ("result", "allow"), ("reason", ""), ("product", "/other")] == 300)
    #expect(
      metrics["login_decisions_total", ("result", "deny"), ("reason", "unknown-user"), ("product", "/other")] == 1300)
    #expect(metrics["products"] == Double(products))
  }

  @Test(
    "the format follows Accept",
    arguments: [
      (nil, "text/plain; version=0.0.4"), ("*/*", "text/plain; version=0.0.4"),
      ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5", "application/openmetrics-text"),
      ("application/openmetrics-text;q=0.2,text/plain;q=0.9", "text/plain; version=0.0.4"),
      ("application/openmetrics-text;q=0", "text/plain; version=0.0.4"), ("image/png", "text/plain; version=0.0.4"),
    ])
  func format(accept: String?, type: String) throws {
    let server = try TestServer.serving()
    let answer = try server.get("/metrics", headers: accept.map { [("accept", $0)] } ?? [])
    #expect(answer["content-type"]?.hasPrefix(type) == true, "\(answer["content-type"] ?? "none")")
    #expect(answer.body.hasSuffix("# EOF\n") == type.contains("openmetrics"))
    #expect(
      answer.body.contains("# TYPE gatehouse_log_records\(type.contains("openmetrics") ? "" : "_total") counter\n"))
  }
}
