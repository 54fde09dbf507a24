import GatehouseWire

/// An answer to an HTTP request.
package struct HTTPAnswer: Sendable {
  package let status: Int
  /// Names in lower case. Of several fields with one name (`set-cookie`), all are kept.
  package let headers: [(name: String, value: String)]
  package let body: String

  package subscript(header: String) -> String? { headers.first { $0.name == header.lowercased() }?.value }
}

extension TestServer {
  /// Sends a request on a connection of its own, and reads the whole answer.
  ///
  /// - Parameters:
  ///   - secret: of a service or session, sent as a bearer token.
  package func request(
    _ method: String, _ target: String, headers: [(String, String)] = [], secret: String? = nil, body: String? = nil
  ) throws -> HTTPAnswer {
    try HTTPAnswer(to: method, target, at: httpPort, headers: headers, secret: secret, body: body)
  }

  package func get(_ target: String, headers: [(String, String)] = [], secret: String? = nil) throws -> HTTPAnswer {
    try request("GET", target, headers: headers, secret: secret)
  }
}

extension HTTPAnswer {
  /// Sends a request to a port of this machine on a connection of its own, and reads the whole answer.
  package init(
    to method: String = "GET", _ target: String, at port: UInt16, headers: [(String, String)] = [],
    secret: String? = nil, body: String? = nil
  ) throws {
    let connection = try RawConnection(port: port, patience: .seconds(30) * Patience.factor)
    var lines = ["\(method) \(target) HTTP/1.1", "host: 127.0.0.1:\(port)", "connection: close"]
    lines += headers.map { "\($0.0): \($0.1)" }
    if let secret { lines.append("authorization: Bearer \(secret)") }
    if let body { lines.append("content-length: \(body.utf8.count)") }
    try connection.send(lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? ""))
    try self.init(parsing: try connection.receiveUntilClosed())
  }

  /// - Throws: `TestFailure` if the text is no complete HTTP answer.
  package init(parsing text: String) throws {
    guard let end = text.firstRange(of: "\r\n\r\n") else { throw TestFailure("no HTTP answer: \(text)") }
    let lines = text[..<end.lowerBound].split(separator: "\r\n")
    let words = lines.first?.split(separator: " ", maxSplits: 2) ?? []
    guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]) else {
      throw TestFailure("no HTTP answer: \(text)")
    }
    self.status = status
    headers = lines.dropFirst().map { line in
      let parts = line.split(separator: ":", maxSplits: 1)
      return (parts[0].lowercased(), parts.count > 1 ? String(parts[1].drop { $0 == " " }) : "")
    }
    let rest = String(text[end.upperBound...])
    let isChunked = headers.contains { $0.name == "transfer-encoding" && $0.value == "chunked" }
    body = isChunked ? try Self.joined(chunks: rest) : rest
  }

  private static func joined(chunks text: String) throws -> String {
    var rest = Array(text.utf8)[...]
    var body: [UInt8] = []
    while let line = rest.firstIndex(of: 13) {
      guard let size = Int(String(decoding: rest[..<line], as: UTF8.self), radix: 16) else { break }
      if size == 0 { return String(decoding: body, as: UTF8.self) }
      rest = rest[(line + 2)...]
      body += rest.prefix(size)
      rest = rest.dropFirst(size + 2)
    }
    throw TestFailure("the answer's chunks end early")
  }
}
