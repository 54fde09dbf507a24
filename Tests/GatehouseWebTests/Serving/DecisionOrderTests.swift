import GatehouseTestSupport
import Testing

/// Decisions are answered in another place than pages are, and yet a connection's answers keep their order.
@Suite("HTTP: the order of answers", .blocking)
struct DecisionOrderTests {
  private let server: TestServer
  private let token: String

  init() throws {
    server = try TestServer.serving()
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("USER.CREATE ana PRODUCT payroll")
    token = try #require(try gate.fields("SESSION.CREATE ana payroll")["session"])
  }

  private struct Sample {
    let bytes: String
    let status: Int
    /// How the answer's body begins.
    let body: String
  }

  private func get(_ path: String, _ headers: String = "") -> String {
    "GET \(path) HTTP/1.1\r\nhost: localhost\r\n\(headers)\r\n"
  }

  private func post(_ path: String, _ body: String, type: String, isChunked: Bool = false) -> String {
    let head = "POST \(path) HTTP/1.1\r\nhost: localhost\r\ncontent-type: \(type)\r\n"
    guard isChunked else { return head + "content-length: \(body.utf8.count)\r\n\r\n\(body)" }
    let cut = body.index(body.startIndex, offsetBy: body.count / 2)
    let chunks = [body[..<cut], body[cut...]].map { "\(String($0.utf8.count, radix: 16))\r\n\($0)\r\n" }
    return head + "transfer-encoding: chunked\r\n\r\n" + chunks.joined() + "0\r\n\r\n"
  }

  private var samples: [Sample] {
    let form = "application/x-www-form-urlencoded"
    let question = #"{"subject":{"type":"user","id":"ana"},"action":{"name":"login"},"resource":"#
    func resource(_ name: String) -> String { #"{"type":"product","id":"\#(name)"}}"# }
    let questions =
      #"{"evaluations":["# + (0..<20).map { _ in question + resource("payroll") }.joined(separator: ",") + "]}"
    return [
      Sample(bytes: get("/livez"), status: 200, body: "the process runs"),
      Sample(bytes: get("/auth?product=payroll", "cookie: gatehouse_session=\(token)\r\n"), status: 200, body: ""),
      Sample(bytes: get("/auth/some/page"), status: 401, body: #"{"type":"about:blank","title":"Unauthorized""#),
      Sample(bytes: get("/openapi.json"), status: 200, body: #"{"openapi":"#),
      Sample(bytes: get("/nothing"), status: 404, body: #"{"type":"about:blank","title":"Not Found""#),
      Sample(bytes: get("//livez"), status: 200, body: "the process runs"),
      Sample(bytes: "DELETE /livez HTTP/1.1\r\nhost: localhost\r\n\r\n", status: 405, body: #"{"type":"about:blank""#),
      Sample(bytes: post("/introspect", "token=\(token)", type: form), status: 200, body: #"{"active":true"#),
      Sample(
        bytes: post("/introspect", "token=gs_x", type: form, isChunked: true), status: 200, body: #"{"active":false}"#),
      Sample(bytes: post("/introspect", "", type: form), status: 400, body: #"{"type":"about:blank","title":"Bad"#),
      Sample(
        bytes: post("/introspect", "x=" + String(repeating: "a", count: 20_000), type: form), status: 413,
        body: #"{"type":"about:blank""#),
      Sample(
        bytes: post("/access/v1/evaluation", question + resource("crm"), type: "application/json"), status: 200,
        body: #"{"decision":false"#),
      Sample(
        bytes: post("/access/v1/evaluations", questions, type: "application/json"), status: 200,
        body: #"{"evaluations":[{"decision":true}"#),
    ]
  }

  /// What a connection answers; it closes after the last request.
  private func answers(_ pieces: [[UInt8]]) throws -> [HTTPAnswer] {
    let connection = try RawConnection(port: server.httpPort, patience: .seconds(20) * Patience.factor)
    for piece in pieces {
      try connection.send(piece)
      // So that some pieces are read alone.
      if pieces.count > 1 { _ = connection.isQuiet(for: .milliseconds(2)) }
    }
    return try HTTPAnswer.all(in: try connection.receiveUntilClosed())
  }

  private static let last = "GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"

  private func check(_ chosen: [Sample], _ pieces: [[UInt8]]) throws {
    let found = try answers(pieces)
    #expect(found.map(\.status) == chosen.map(\.status) + [200])
    for (answer, sample) in zip(found, chosen) { #expect(answer.body.hasPrefix(sample.body), "\(sample.bytes)") }
    #expect(found.last?.body == "ready\n")
  }

  @Test("requests of all kinds, pipelined and sent in any pieces, are answered in their order", arguments: 0..<12)
  func order(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let samples = samples
    let chosen = (0..<Int.random(in: 1...30, using: &random)).map { _ in samples.randomElement(using: &random)! }
    var rest = Array((chosen.map(\.bytes).joined() + Self.last).utf8)[...]
    var pieces: [[UInt8]] = []
    let most = [rest.count, 4000, 300][seed % 3]
    while !rest.isEmpty {
      pieces.append(Array(rest.prefix(Int.random(in: (most + 1) / 2...most, using: &random))))
      rest = rest.dropFirst(pieces.last!.count)
    }
    try check(chosen, pieces)
  }

  @Test("any two of them that arrive at once are answered")
  func pairs() throws {
    let samples = samples
    for first in samples {
      for second in samples {
        try check([first, second], [Array((first.bytes + second.bytes + Self.last).utf8)])
      }
    }
  }

  @Test("a thousand decisions at once are all answered")
  func many() throws {
    let sample = samples[1]
    try check(
      Array(repeating: sample, count: 1000), [Array((String(repeating: sample.bytes, count: 1000) + Self.last).utf8)])
  }

  @Test("a client that has sent its last request and closed its half still gets the answers")
  func halfClosed() throws {
    for sample in samples {
      let connection = try RawConnection(port: server.httpPort, patience: .seconds(20) * Patience.factor)
      try connection.send(sample.bytes + samples[0].bytes)
      connection.finishSending()
      let found = try HTTPAnswer.all(in: try connection.receiveUntilClosed())
      #expect(found.map(\.status) == [sample.status, 200], "\(sample.bytes)")
    }
  }

  @Test("after the answer that a client wanted as its last, nothing is answered")
  func afterTheLast() throws {
    for sample in samples {
      let end = sample.bytes.replacingOccurrence(
        of: "host: localhost\r\n", with: "host: localhost\r\nconnection: close\r\n")
      let found = try answers([Array((end + samples[0].bytes + samples[3].bytes).utf8)])
      #expect(found.map(\.status) == [sample.status], "\(sample.bytes)")
    }
  }

  @Test("an answer to HEAD has no body, whatever it says", arguments: ["/auth", "/livez", "/nothing", "/introspect"])
  func heads(path: String) throws {
    let connection = try RawConnection(port: server.httpPort, patience: .seconds(20) * Patience.factor)
    try connection.send("HEAD \(path) HTTP/1.1\r\nhost: localhost\r\n\r\n" + Self.last)
    let text = try connection.receiveUntilClosed()
    let end = try #require(text.firstRange(of: "\r\n\r\n"))
    #expect(text[end.upperBound...].hasPrefix("HTTP/1.1 200 OK\r\n"), "\(text)")
    #expect(try HTTPAnswer(parsing: String(text[end.upperBound...])).body == "ready\n")
  }

  @Test(
    "who wants another protocol is answered in this one, and the connection closes: the parser reads nothing more",
    arguments: ["GET /livez", "GET /nothing", "CONNECT a:1"])
  func otherProtocols(start: String) throws {
    let connection = try RawConnection(port: server.httpPort, patience: .seconds(20) * Patience.factor)
    let upgrade = "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n"
    try connection.send("\(start) HTTP/1.1\r\nhost: localhost\r\n\(upgrade)\r\n")
    let answer = try HTTPAnswer(parsing: try connection.receiveUntilClosed())
    #expect(answer["connection"] == "close" && answer.status != 101, "\(answer)")
  }

  @Test("what stands before something that is no request is answered, and then that is refused")
  func beforeNonsense() throws {
    for sample in samples {
      for nonsense in ["no request\r\n\r\n", "GET /livez HTTP/1.1\r\n\r\n"] {
        let found = try answers([Array((sample.bytes + nonsense).utf8)])
        #expect(found.map(\.status) == [sample.status, 400], "\(sample.bytes)\(nonsense)")
      }
    }
  }
}

extension String {
  fileprivate func replacingOccurrence(of text: String, with other: String) -> String {
    guard let range = firstRange(of: text) else { return self }
    return String(self[..<range.lowerBound]) + other + self[range.upperBound...]
  }
}

extension HTTPAnswer {
  /// The answers of a connection, one after the other.
  fileprivate static func all(in text: String) throws -> [HTTPAnswer] {
    var answers: [HTTPAnswer] = []
    var rest = text.utf8[...]
    while !rest.isEmpty {
      let one = String(Substring(rest))
      guard let end = one.firstRange(of: "\r\n\r\n") else { throw TestFailure("half an answer: \(one)") }
      let head = String(one[..<end.upperBound])
      let length = try HTTPAnswer(parsing: head)["content-length"].flatMap { Int($0) } ?? 0
      let count = head.utf8.count + length
      answers.append(try HTTPAnswer(parsing: String(Substring(rest.prefix(count)))))
      rest = rest.dropFirst(count)
    }
    return answers
  }
}
