import GatehouseTestSupport
import Testing

/// The limits that hold for RESP hold for HTTP.
@Suite("HTTP: limits of connections and services", .blocking)
struct RequestLimitsTests {
  private static let get = "GET /livez HTTP/1.1\r\nhost: a\r\n\r\n"

  private func statuses(_ server: TestServer, _ bytes: String, secret: String? = nil) throws -> [String] {
    let connection = try RawConnection(port: server.httpPort, patience: .seconds(20) * Patience.factor)
    try connection.send(bytes)
    connection.finishSending()
    return try connection.receiveUntilClosed().matches(of: /HTTP\/1.1 ([0-9]{3})/).map { String($0.output.1) }
  }

  @Test("connection-commands and connection-bytes a second: 429, when to come back, and counted")
  func connection() throws {
    let server = try TestServer.serving("--connection-commands", "5")
    let all = try statuses(server, String(repeating: Self.get, count: 30))
    #expect(all.count == 30 && all.filter { $0 == "200" }.count <= 10 && all.contains("429"), "\(all)")
    let gate = try server.client()
    try gate.ok("CONFIG SET connection-commands 0 connection-bytes 2kb")
    let big = "GET /livez HTTP/1.1\r\nhost: a\r\nx: \(String(repeating: "a", count: 1500))\r\n\r\n"
    let connection = try RawConnection(port: server.httpPort)
    for _ in 0..<2 {
      try connection.send(big)
      pause(.milliseconds(50))
    }
    connection.finishSending()
    let text = try connection.receiveUntilClosed()
    // Unless a second began between the two.
    if text.contains("HTTP/1.1 429") {
      #expect(text.contains("Retry-After: 1\r\n") && text.contains("connection-bytes: at most 2048 a second"))
    }
    let info = try gate.shown("INFO limits")
    #expect(!info.contains("limit_connection_commands:0"), "\(info)")
  }

  @Test("behind a proxy that is believed each client counts for itself, and the proxy for nobody")
  func behindProxy() throws {
    let server = try TestServer.serving("--address-connections", "2", "--http-proxies", "loopback")
    func request(_ client: String?) -> String {
      "GET /livez HTTP/1.1\r\nhost: a\r\n" + (client.map { "x-forwarded-for: \($0)\r\n" } ?? "") + "\r\n"
    }
    // More connections of the proxy than one address may have.
    let held = try (0..<5).map { _ in try RawConnection(port: server.httpPort) }
    for (number, connection) in held.enumerated() {
      try connection.send(request("192.0.2.\(number)"))
      #expect(try connection.receiveLine() == "HTTP/1.1 200 OK")
    }
    let gate = try server.client()
    try gate.ok("CONFIG SET connection-commands 5")
    let one = try statuses(server, String(repeating: request("192.0.2.1"), count: 30))
    #expect(one.filter { $0 == "200" }.count <= 10 && one.contains("429"), "\(one)")
    let others = try statuses(server, (1...30).map { request("198.51.100.\($0)") }.joined())
    #expect(others.allSatisfy { $0 == "200" } && others.count == 30, "\(others)")
    // What an address that is no proxy says of others counts for itself.
    try gate.ok("CONFIG SET http-proxies 192.0.2.0/24")
    let liar = try statuses(server, (1...30).map { request("203.0.113.\($0)") }.joined())
    #expect(liar.contains("429"), "\(liar)")
    withExtendedLifetime(held) {}
  }

  @Test("address-connections: of a client behind a proxy so many requests are answered at once")
  func atOnce() throws {
    let server = try TestServer.serving("--address-connections", "2", "--http-proxies", "loopback")
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE console")
    try gate.ok("USER.CREATE sam STATUS active NOINVITE PRODUCT console")
    let body = "username=sam&password=wrong&csrf="
    func signIn(_ client: String) throws -> RawConnection {
      let connection = try RawConnection(port: server.httpPort, patience: .seconds(20) * Patience.factor)
      // A body that does not come keeps the request under way.
      try connection.send(
        "POST /console/sign-in HTTP/1.1\r\nhost: a\r\nx-forwarded-for: \(client)\r\ncontent-length: \(body.utf8.count)\r\n"
          + "content-type: application/x-www-form-urlencoded\r\n\r\n")
      return connection
    }
    let held = try [signIn("192.0.2.1"), signIn("192.0.2.1")]
    func status(_ client: String) throws -> HTTPAnswer {
      try server.get("/livez", headers: [("x-forwarded-for", client)])
    }
    try eventually("too many at once") { try status("192.0.2.1").status == 429 }
    #expect(try status("192.0.2.1").body.contains("address-connections: at most 2 requests of 192.0.2.1 at once"))
    #expect(try status("192.0.2.2").status == 200)
    for connection in held { try connection.send(body) }
    try eventually("answered") { try status("192.0.2.1").status == 200 }
  }

  @Test("service-commands are shared by RESP and HTTP, service-connections are counted together")
  func service() throws {
    let server = try TestServer.serving()
    let admin = try server.client()
    try admin.ok("SERVICE.CREATE operators ADMIN")
    let secret = try #require(try admin.fields("SERVICE.CREATE scraper READ")["secret"])
    try admin.ok("SERVICE.SET scraper COMMANDS 3")
    let request = "GET /metrics HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer \(secret)\r\n\r\n"
    let all = try statuses(server, String(repeating: request, count: 12))
    #expect(all.count == 12 && all.contains("200") && all.contains("429"), "\(all)")
    #expect(!(try admin.shown("INFO limits").contains("limit_service_commands:0")))

    try admin.ok("SERVICE.SET scraper COMMANDS 0 CONNECTIONS 2")
    let first = try server.client(.resp2)
    try first.ok("AUTH scraper \(secret)")
    let second = try RawConnection(port: server.httpPort)
    try second.send(request)
    #expect(try second.receiveLine() == "HTTP/1.1 200 OK")
    let third = try server.get("/metrics", secret: secret)
    #expect(third.status == 429 && third.body.contains("scraper has 2 connections"), "\(third.body)")
    #expect(try admin.shown("INFO limits").contains("limit_service_connections:1"))
    // The connection that closes makes room.
    first.close()
    var status = 0
    let deadline = ContinuousClock.now + .seconds(10) * Patience.factor
    while ContinuousClock.now < deadline, status != 200 {
      pause(.milliseconds(20))
      status = try server.get("/metrics", secret: secret).status
    }
    #expect(status == 200)
    try second.send("x")
  }

  @Test("connections beyond max-connections are answered with 503, and those of one address too")
  func connections() throws {
    for setting in ["max-connections", "address-connections"] {
      let server = try TestServer.serving("--\(setting)", "4")
      let gate = try server.client()
      let held = try (0..<3).map { _ in try RawConnection(port: server.httpPort) }
      for connection in held {
        try connection.send(Self.get)
        #expect(try connection.receiveLine() == "HTTP/1.1 200 OK")
      }
      for _ in 0..<3 {
        let answer = try server.get("/livez")
        #expect(answer.status == 503 && answer["retry-after"] == "1" && answer.body.contains("too many connections"))
      }
      let info = try gate.shown("INFO everything")
      #expect(info.contains("limit_\(setting.replacing("-", with: "_")):3"), "\(info)")
      #expect(info.contains("rejected_connections:3") && info.contains("connected_clients:4"))
      try held[0].send(Self.get)
    }
  }

  @Test("wrong secrets of one address are answered slower and slower, and counted")
  func guessing() throws {
    let server = try TestServer.serving("--guesses-per-address", "60")
    let admin = try server.client()
    try admin.ok("SERVICE.CREATE operators ADMIN")
    // 60 at once, then one a second; those that were answered slowly are a little forgiven.
    var count = 0
    var slowest = Duration.zero
    while slowest < .milliseconds(400), count < 90 {
      let start = ContinuousClock.now
      #expect(try server.get("/metrics", secret: "wrong").status == 401)
      slowest = max(slowest, ContinuousClock.now - start)
      count += 1
    }
    #expect(count > 60 && count < 90)
    #expect(try admin.shown("INFO everything").contains("acl_access_denied_auth:\(count)"))
  }
}
