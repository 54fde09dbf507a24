import GatehouseTestSupport
import GatehouseWire
import Glibc
import Testing

@Suite("A client's connection", .blocking)
struct BlockingClientTests {
  @Test("nobody listens")
  func refused() throws {
    let port = Int(try FreePort.next())
    #expect(throws: ClientError.refused("127.0.0.1:\(port)", reason: "Connection refused")) {
      try BlockingClient(host: "127.0.0.1", port: port)
    }
  }

  @Test("no such host")
  func unknownHost() {
    #expect {
      try BlockingClient(host: "host.invalid.", port: 1)
    } throws: { error in
      if case ClientError.unknownHost("host.invalid.", _) = error { true } else { false }
    }
  }

  @Test("the server never answers")
  func timeout() throws {
    let listener = try SilentListener()
    let client = try BlockingClient(host: "127.0.0.1", port: listener.port, timeout: .milliseconds(50))
    let start = ContinuousClock.now
    #expect(throws: ClientError.timedOut) { try client.command("PING") }
    #expect(ContinuousClock.now - start >= .milliseconds(50))
  }

  @Test("the server hangs up")
  func closed() throws {
    let listener = try SilentListener()
    let client = try BlockingClient(host: "localhost", port: listener.port)
    listener.acceptAndClose()
    #expect(throws: ClientError.closedUnanswered) { try client.command("PING") }
    #expect("\(ClientError.closedUnanswered)".contains("connect with TLS (--tls)"))
  }

  @Test("a closed client says so")
  func closedByUser() throws {
    let listener = try SilentListener()
    let client = try BlockingClient(host: "127.0.0.1", port: listener.port)
    client.close()
    client.close()
    #expect(throws: ClientError.closed) { try client.command("PING") }
  }

  @Test(
    "a pipeline larger than all socket buffers comes through",
    .enabled(if: RedisServer.path != nil, Comment(rawValue: RedisServer.missing)))
  func pipeline() throws {
    let redis = try RedisServer()
    let client = try redis.connect()
    let requests = (0..<20_000).map { ["ECHO", "\($0) " + String(repeating: "x", count: 1000)] }
    let replies = try client.pipeline(requests)
    #expect(replies == requests.map { .bulk($0[1]) })
    #expect(try client.command("ECHO", "after") == .bulk("after"))
    client.send(raw: "ECHO inline\r\nQUIT\r\n".utf8)
    #expect(try client.readToEnd() == Array("$6\r\ninline\r\n+OK\r\n".utf8))
  }
}
