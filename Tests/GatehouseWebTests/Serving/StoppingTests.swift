import GatehouseTestSupport
import Testing

/// The end of a server that clients are connected to.
@Suite("HTTP: stopping")
struct StoppingTests {
  @Test("connections that wait for nothing are closed at once")
  func idle() throws {
    let server = try TestServer.serving()
    let connections = try (0..<20).map { _ in try RawConnection(port: server.httpPort) }
    for connection in connections.dropLast(5) {
      try connection.send("GET /livez HTTP/1.1\r\nhost: a\r\n\r\n")
      #expect(try connection.receiveLine() == "HTTP/1.1 200 OK")
    }
    let start = ContinuousClock.now
    #expect(try server.terminate() == .exited(0))
    #expect(ContinuousClock.now - start < .seconds(2) * Patience.factor)
    for connection in connections { #expect(try !connection.receiveUntilClosed().contains("503")) }
  }

  @Test("answers under way arrive whole, and clients that do not read or send hold up nothing for long")
  func underWay() throws {
    let server = try TestServer.serving()
    let gate = try server.client()
    _ = try gate.pipeline((1...1900).map { ["PRODUCT.CREATE", "product-\($0)"] })
    _ = try gate.pipeline((1...1900).map { ["POOL.SET", "product-\($0)", "*", "3"] })
    let get = "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n"
    let reader = try RawConnection(port: server.httpPort, receiveBuffer: 4096)
    try reader.send(get)
    #expect(try reader.receiveLine() == "HTTP/1.1 200 OK")
    let stuck = try RawConnection(port: server.httpPort, receiveBuffer: 4096)
    try stuck.send(String(repeating: get, count: 50))
    let half = try RawConnection(port: server.httpPort)
    try half.send("GET /met")
    pause(.milliseconds(200))
    let start = ContinuousClock.now
    _ = try runProgram("kill", [String(try #require(server.pid))])
    let text = try reader.receiveUntilClosed()
    #expect(text.contains("gatehouse_products 1900"), "cut off after \(text.utf8.count) bytes")
    #expect(server.waitForEnd(upTo: .seconds(15)) == .exited(0))
    #expect(ContinuousClock.now - start < .seconds(8) * Patience.factor)
  }
}
