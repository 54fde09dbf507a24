import GatehouseTestSupport
import Testing

/// What no well-behaved client sends.
@Suite("HTTP: hostile requests", .blocking)
struct HostileRequestsTests {
  private let server: TestServer

  init() throws { server = try TestServer.serving() }

  /// The statuses of all answers to what is sent on one connection; the server must close it.
  private func statuses(_ bytes: String) throws -> [Int] {
    let connection = try RawConnection(port: server.httpPort, patience: .seconds(20) * Patience.factor)
    try? connection.send(bytes)
    let text = try connection.receiveUntilClosed()
    return text.matches(of: /HTTP\/1.1 ([0-9]{3})/).compactMap { Int($0.output.1) }
  }

  /// A request after which nothing more comes. Whatever the server takes for another request would be answered too.
  private static let last = "GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"

  @Test(
    "what is no HTTP, or ambiguous, is answered once and closes the connection",
    arguments: [
      ("\u{16}\u{3}\u{1}\r\n\r\n", 400), ("GET\r\n\r\n", 400), ("FOO /livez HTTP/1.1\r\nhost: a\r\n\r\n", 400),
      ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400), ("GET /livez HTTP/1.1\nhost: a\n\n", 400),
      ("GET /livez HTTP/1.1\r\nhost : a\r\n\r\n", 400), ("GET /livez HTTP/1.1\r\nhost: a\r\nx: a\r\n b\r\n\r\n", 400),
      ("GET /livez HTTP/1.1\r\nhost: a\r\nx: a\u{0}b\r\n\r\n", 400),
      ("GET /livez HTTP/1.1\r\n\r\n", 400), ("GET /livez HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", 400),
      ("GET /livez HTTP/1.1\r\nhost: a\r\nx: \(String(repeating: "a", count: 100_000))\r\n\r\n", 431),
      ("GET /livez HTTP/1.1\r\nhost: a\r\n\(String(repeating: "x: a\r\n", count: 500))\r\n", 431),
      ("GET /\(String(repeating: "a", count: 200_000)) HTTP/1.1\r\nhost: a\r\n\r\n", 431),
    ])
  func noRequest(bytes: String, status: Int) throws {
    #expect(try statuses(bytes + Self.last) == [status])
    #expect(try server.get("/livez").status == 200)
  }

  @Test(
    "two lengths, or a length and chunks: nobody can smuggle a request past a proxy",
    arguments: [
      "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      "transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
      "content-length: 5\r\ncontent-length: 0\r\n\r\n", "content-length: 0, 5\r\n\r\n", "content-length: -1\r\n\r\n",
      "content-length: +5\r\n\r\n", "content-length: 0x5\r\n\r\n", "content-length: 99999999999999999999\r\n\r\n",
      "transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n", "transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
      "transfer-encoding:\u{b}chunked\r\n\r\n0\r\n\r\n",
    ])
  func smuggling(headers: String) throws {
    #expect(try statuses("POST /metrics HTTP/1.1\r\nhost: localhost\r\n\(headers)\(Self.last)") == [400])
  }

  @Test(
    "broken chunks of a body that nobody wants end the connection, with one answer only",
    arguments: [
      "transfer-encoding: chunked\r\n\r\nzz\r\n\r\n", "transfer-encoding: chunked\r\n\r\n-1\r\n\r\n",
      "transfer-encoding: chunked\r\n\r\n1\r\nab\r\n", "transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
      "transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\na",
    ])
  func chunks(headers: String) throws {
    let found = try statuses("POST /metrics HTTP/1.1\r\nhost: localhost\r\n\(headers)\(Self.last)")
    #expect(found == [405] || found == [400], "\(found)")
  }

  @Test("addresses name one thing only: dots, escapes, slashes and parameters lead nowhere else")
  func paths() throws {
    for path in [
      "/%2e%2e/metrics", "/livez/../metrics", "/livez%00", "/LIVEZ", "/livez;x", "/%6Divez", "/..", "/%FF", "*",
      "/metrics%2f..%2flivez",
    ] {
      #expect(try server.get(path).status == 404, "\(path)")
    }
    for path in ["/livez?x=%zz", "/livez?\(String(repeating: "a=b&", count: 1000))", "http://elsewhere.test/livez"] {
      #expect(try server.get(path).status == 200, "\(path)")
    }
  }

  @Test("pipelined requests are answered in order, also those before a broken one")
  func pipelined() throws {
    let get = "GET /livez HTTP/1.1\r\nhost: a\r\n\r\n"
    let wrong = "POST /livez HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc"
    #expect(try statuses(get + wrong + get + Self.last) == [200, 405, 200, 200])
    #expect(try statuses(String(repeating: get, count: 500) + Self.last) == Array(repeating: 200, count: 501))
    #expect(try statuses(get + "nonsense\r\n\r\n" + get) == [200, 400])
  }

  @Test("a client that has sent all may close its side and still gets its answers; half a request gets none")
  func halfOpen() throws {
    let get = "GET /livez HTTP/1.1\r\nhost: a\r\n\r\n"
    for (bytes, count) in [(get, 1), (get + get, 2), ("GET /livez HTTP", 0), ("", 0)] {
      let connection = try RawConnection(port: server.httpPort, patience: .seconds(20) * Patience.factor)
      try connection.send(bytes)
      connection.finishSending()
      #expect(try connection.receiveUntilClosed().matches(of: /HTTP\/1.1 200/).count == count, "\(bytes)")
    }
  }

  @Test("a client that asks first is told to send its body, and HTTP/1.0 gets one answer a connection")
  func versions() throws {
    let connection = try RawConnection(port: server.httpPort)
    try connection.send("POST /livez HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n")
    #expect(try connection.receiveLine() == "HTTP/1.1 100 Continue")
    try connection.send("abc" + Self.last)
    let rest = try connection.receiveUntilClosed()
    #expect(rest.contains("HTTP/1.1 405") && rest.contains("HTTP/1.1 200"))
    #expect(try statuses("GET /livez HTTP/1.0\r\n\r\n") == [200])
    #expect(try statuses("GET /livez HTTP/1.0\r\nconnection: keep-alive\r\n\r\n" + Self.last) == [200, 200])
    #expect(try statuses("GET /livez HTTP/1.1\r\nhost: a\r\nconnection: Close\r\n\r\n") == [200])
  }

  @Test("a body that nobody wants is read for the sake of the next request, but not without end")
  func unwantedBodies() throws {
    let small = String(repeating: "a", count: 2_000_000)
    #expect(
      try statuses("POST /livez HTTP/1.1\r\nhost: a\r\ncontent-length: 2000000\r\n\r\n" + small + Self.last)
        == [405, 200])
    let connection = try RawConnection(port: server.httpPort, patience: .seconds(20) * Patience.factor)
    try connection.send("POST /livez HTTP/1.1\r\nhost: a\r\ncontent-length: 9000000000\r\n\r\n")
    var sent = 0
    while sent < 100, (try? connection.send(small)) != nil { sent += 1 }
    #expect(sent < 100, "200 MB were read for nothing")
  }

  @Test("what was refused before it was a request is counted")
  func counted() throws {
    _ = try statuses("nonsense\r\n\r\n")
    _ = try statuses("GET /\(String(repeating: "a", count: 200_000)) HTTP/1.1\r\nhost: a\r\n\r\n")
    let metrics = try Metrics(server)
    for status in ["400", "431"] {
      #expect(metrics["http_requests_total", ("method", "none"), ("route", "none"), ("status", status)] == 1)
    }
  }

  @Test("a body that nests as deeply and as often as it can stops nobody")
  func nestedBody() throws {
    let unit = String(repeating: "[", count: 500) + String(repeating: "]", count: 500)
    let body = #"{"a":["# + Array(repeating: unit, count: 1000).joined(separator: ",") + "]}"
    let shallow = String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
    let allowed = #"{"a":["# + Array(repeating: shallow, count: 8000).joined(separator: ",") + "]}"
    let start = ContinuousClock.now
    for body in [body, allowed] {
      #expect(try server.request("POST", "/access/v1/evaluation", body: body).status == 400)
    }
    #expect(try server.get("/livez").status == 200)
    #expect(ContinuousClock.now - start < .seconds(10) * Patience.factor)
  }

  @Test(
    "a broken body is answered as a problem", arguments: ["/access/v1/evaluation", "/introspect"])
  func brokenBody(path: String) throws {
    let connection = try RawConnection(port: server.httpPort)
    try connection.send(
      "POST \(path) HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\n"
        + "transfer-encoding: chunked\r\n\r\nzz\r\n")
    let text = try connection.receiveUntilClosed()
    #expect(text.hasPrefix("HTTP/1.1 400") && text.contains("application/problem+json"), "\(text)")
  }

  @Test("a client that asks first is not invited to send what is too large") func tooLargeToInvite() throws {
    #expect(
      try statuses(
        "POST /scim/v2/Bulk HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 99999999999\r\n\r\n")
        == [413])
  }

  @Test("of several proxies in a row the first has met the client") func forwardedScheme() throws {
    for (header, scheme) in [("https, http", "https"), ("http,https", "http"), ("HTTPS", "https"), ("x", "http")] {
      let answer = try server.get("/.well-known/authzen-configuration", headers: [("x-forwarded-proto", header)])
      #expect(answer.body.contains(#""policy_decision_point":"\#(scheme)://"#), "\(header): \(answer.body)")
    }
  }
}
