import GatehouseTestSupport
import Testing

/// Clients that take their time.
@Suite("HTTP: slow clients", .blocking)
struct SlowClientsTests {
  private static let patience = Duration.seconds(20) * Patience.factor

  /// What a connection receives until it is closed, when after each piece it waits.
  private func answer(_ server: TestServer, _ pieces: [String], pause time: Duration) throws -> (String, Duration) {
    let connection = try RawConnection(port: server.httpPort, patience: Self.patience)
    let start = ContinuousClock.now
    for piece in pieces {
      guard (try? connection.send(piece)) != nil else { break }
      if !connection.isQuiet(for: time) { break }
    }
    return (try connection.receiveUntilClosed(), ContinuousClock.now - start)
  }

  @Test("heads and bodies that come in drops are answered with 408, silence with nothing; auth-timeout counts all")
  func drops() throws {
    let server = try TestServer.serving("--auth-timeout", "1s")
    let gate = try server.client()
    let drops = Array("GET /livez HTTP/1.1\r\nhost: a\r\nx: aaaaaaaaaaaaaaaaaaaaaaaaa").map(String.init)
    let (head, time) = try answer(server, drops, pause: .milliseconds(100))
    #expect(head.hasPrefix("HTTP/1.1 408 ") && head.contains("auth-timeout"), "\(head)")
    #expect(time > .milliseconds(900) && time < .seconds(5))
    // Nobody waits for this body, so that the request is answered at once; the connection still ends.
    let body = ["POST /livez HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n"] + Array(repeating: "a", count: 60)
    let (early, _) = try answer(server, [body[0]], pause: .zero)
    #expect(early.hasPrefix("HTTP/1.1 405 ") && !early.contains("408"), "\(early)")
    let (silence, _) = try answer(server, [], pause: .zero)
    #expect(silence.isEmpty)
    #expect(try gate.shown("INFO limits").contains("limit_auth_timeout:3"))
  }

  @Test("between two requests a client may wait for idle-timeout, which is counted")
  func idle() throws {
    let server = try TestServer.serving("--auth-timeout", "0", "--idle-timeout", "1s")
    let connection = try RawConnection(port: server.httpPort, patience: Self.patience)
    try connection.send("GET /livez HTTP/1.1\r\nhost: a\r\n\r\n")
    let start = ContinuousClock.now
    #expect(try connection.receiveUntilClosed().hasPrefix("HTTP/1.1 200"))
    #expect(ContinuousClock.now - start > .milliseconds(900))
    #expect(try server.get("/metrics").body.contains(#"limits_exceeded_total{limit="idle-timeout"} 1"#))
  }

  /// Many answers would be 600 MB.
  @Test(
    "who does not read answers is disconnected, and the server holds few of them meanwhile",
    arguments: [("/metrics", 2000), ("/auth?\(String(repeating: "a", count: 1000))", 100_000)])
  func readers(target: String, count: Int) throws {
    let server = try TestServer.serving("--auth-timeout", "1s")
    let gate = try server.client()
    _ = try gate.pipeline((1...1500).map { ["PRODUCT.CREATE", "product-\($0)"] })
    _ = try gate.pipeline((1...1500).map { ["POOL.SET", "product-\($0)", "*", "3"] })
    let connection = try RawConnection(port: server.httpPort, patience: Self.patience, receiveBuffer: 4096)
    let before = try Metrics(server)["memory_resident_bytes"] ?? 0
    // The server stops reading before the end.
    try? connection.send(String(repeating: "GET \(target) HTTP/1.1\r\nhost: localhost\r\n\r\n", count: count))
    let deadline = ContinuousClock.now + .seconds(30) * Patience.factor
    var figures = ""
    while ContinuousClock.now < deadline, !figures.contains("disconnections:1") {
      pause(.milliseconds(100))
      figures = try gate.shown("INFO stats").split(separator: "\n").filter { $0.contains("output_buffer") }.joined()
    }
    #expect(figures.contains("client_output_buffer_limit_disconnections:1"))
    #expect(try #require(try Metrics(server)["memory_resident_bytes"]) - before < 100_000_000)
  }
}
