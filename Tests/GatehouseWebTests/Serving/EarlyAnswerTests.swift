import GatehouseTestSupport
import Testing

@Suite("HTTP: answers in place of the router", .blocking)
struct EarlyAnswerTests {
  /// RFC 9110, 8.6: a length that is told twice is one too many.
  @Test(
    "say their length once",
    arguments: [
      "GET /console/sign-in HTTP/1.1\r\n\r\n", "no request at all\r\n\r\n",
      "GET / HTTP/1.1\r\nhost: a\r\nx: \(String(repeating: "a", count: 40_000))\r\n\r\n",
    ])
  func length(_ request: String) throws {
    let server = try TestServer.serving()
    let connection = try RawConnection(port: server.httpPort, patience: .seconds(20) * Patience.factor)
    try connection.send(request)
    connection.finishSending()
    let text = try connection.receiveUntilClosed()
    let answer = try HTTPAnswer(parsing: text)
    let lengths = answer.headers.filter { $0.name == "content-length" }.map(\.value)
    #expect(answer.status >= 400 && lengths == [String(answer.body.utf8.count)], "\(text)")
  }
}
