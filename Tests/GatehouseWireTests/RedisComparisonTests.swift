import GatehouseWire
import GatehouseTestSupport
import Testing

/// Sends the same bytes to a real Redis, because client libraries were written against its behaviour.
@Suite(
  "Compared with Redis", .serialized, .enabled(if: RedisServer.path != nil, Comment(rawValue: RedisServer.missing)),
  .blocking)
struct RedisComparisonTests {
  @Test("inline lines are split into the same words")
  func inlineWords() throws {
    let redis = try RedisServer()
    var client = try redis.connect()
    var random = SeededRandom(seed: 7)
    let pieces = [
      "a", "b", " ", "\t", "\u{b}", "\u{c}", "\r", "\"", "\"", "'", "'", "\\", "\\n", "\\x41", "\\xf", "\\'", "\\\"",
      "é", "$1", "*",
    ]
    let fixed = [
      #"a "b c" 'd'"#, #""\x00\xff""#, #"'it\'s'"#, #""a"b"#, #"'a"#, "\"a\\", #"foo"bar" x"#, #""" '' "#, "", "a\r b",
      "a\u{b}b \u{c}c",
    ]
    let made = (0..<600).map { _ in
      (0..<Int.random(in: 1...10, using: &random)).map { _ in pieces.randomElement(using: &random)! }.joined()
    }
    for text in fixed + made {
      let line = "EVAL \"return ARGV\" 0 \(text)\n"
      client.send(raw: line.utf8)
      let events = transcript(line)
      switch events.count == 1 ? events[0] : .nothing {
      case .request(let words):
        #expect(try client.reply() == .array(words[3...].map { .bulk($0) }), "\(text.debugDescription)")
      case .failure(let error):
        #expect(try client.readToEnd() == Array("-\(error.reply!)\r\n".utf8), "\(text.debugDescription)")
        client = try redis.connect()
      case .nothing, .rest:
        Issue.record("\(text.debugDescription) gives \(events)")
      }
    }
  }

  @Test(
    "protocol errors have the same text and close",
    arguments: [
      "*x\r\n", "*\r\n", "*00\r\n", "*+1\r\n", "*-0\r\n", "*2147483648\r\n", "*1\r\nPING\r\n", "*1\r\n$-1\r\n",
      "*1\r\n$\r\n",
      "*1\r\n$4x\r\n", "*1\r\n$04\r\n", "*1\r\n$99999999999\r\n", "*2\r\n$4\r\nECHO\r\n:1\r\n", "PING \"\r\n",
      "POST / HTTP/1.1\r\n",
      "Host: x\r\n", "*1\r\n$4\r\npost\r\n",
    ])
  func errors(stream: String) throws {
    let redis = try RedisServer()
    let client = try redis.connect()
    client.send(raw: stream.utf8)
    guard case .failure(let error)? = transcript(stream).first else {
      Issue.record("\(stream.debugDescription) is refused")
      return
    }
    let expected = error.reply.map { "-\($0)\r\n" } ?? ""
    #expect(String(decoding: try client.readToEnd(), as: UTF8.self) == expected)
  }

  @Test("a line that is too long has the same text")
  func tooLong() throws {
    let redis = try RedisServer()
    let client = try redis.connect()
    client.send(raw: String(repeating: "a", count: 64 * 1024 + 1).utf8)
    #expect(try client.reply() == .error(ProtocolError.inlineTooLong.reply!))
    #expect(try client.readToEnd() == [])
  }

  @Test("unauthenticated clients have the same limits", arguments: ["*11\r\n", "*1\r\n$16385\r\n"])
  func strangers(stream: String) throws {
    let redis = try RedisServer()
    #expect(try redis.connect().command("CONFIG", "SET", "requirepass", "x") == .simple("OK"))
    let client = try redis.connect()
    client.send(raw: stream.utf8)
    guard case .failure(let error)? = transcript(stream, authenticated: false).first else {
      Issue.record("\(stream.debugDescription) is refused")
      return
    }
    #expect(String(decoding: try client.readToEnd(), as: UTF8.self) == "-\(error.reply!)\r\n")
  }

  /// Excluded are streams in which Gatehouse is deliberately stricter: Redis accepts any two bytes as the line end
  /// after a word. Also excluded are those on which Redis hangs up silently, because it then drops the replies that it
  /// still owes.
  @Test("random streams hold the same number of requests and end the same way")
  func framing() throws {
    let redis = try RedisServer()
    var random = SeededRandom(seed: 11)
    let pieces = [
      "*1\r\n", "*2\r\n", "*3\r\n", "*", "$", "$0\r\n\r\n", "$4\r\nPING\r\n", "$3\r\nabc\r\n", "$1\r\nx\r\n", "\n",
      "\r\n", "\r\n",
      "-1", "0", "9", " ", "\"", "'", "\\", "PING", "ECHO ", "PING\r\n", "POST", "*0\r\n", "*-1\r\n",
    ]
    var compared = 0
    for _ in 0..<400 {
      // Redis reports an error in a line at its end, so every stream ends with a line end.
      let stream =
        (0..<Int.random(in: 1...12, using: &random)).map { _ in pieces.randomElement(using: &random)! }.joined()
        + "\r\n\r\n"
      let events = transcript(stream)
      if events.last == .failure(.expectedLineEnd) || events.last == .failure(.crossProtocol) { continue }
      compared += 1
      let client = try redis.connect()
      client.send(raw: stream.utf8)
      for case .request in events { _ = try client.reply() }
      if case .failure(let error)? = events.last {
        let rest = String(decoding: try client.readToEnd(), as: UTF8.self)
        #expect(rest == (error.reply.map { "-\($0)\r\n" } ?? ""), "\(stream.debugDescription)")
      } else {
        client.timeout = .milliseconds(5)
        #expect(throws: ClientError.timedOut, "\(stream.debugDescription)") { try client.reply() }
      }
    }
    #expect(compared > 200)
  }

  @Test("every value Redis can send is read")
  func values() throws {
    let redis = try RedisServer()
    let client = try redis.connect()
    let hello = try client.command("HELLO", "3")
    #expect(hello.pairs?.count == 7)
    #expect(hello["proto"] == .integer(3))
    let expected: [(String, RESPValue)] = [
      ("string", .bulk("Hello World")), ("integer", .integer(12345)), ("double", .double(3.141)), ("null", .null),
      ("array", .array([.integer(0), .integer(1), .integer(2)])),
      ("set", .set([.integer(0), .integer(1), .integer(2)])),
      (
        "map",
        .map([
          .init(.integer(0), .boolean(false)), .init(.integer(1), .boolean(true)), .init(.integer(2), .boolean(false)),
        ])
      ),
      ("attrib", .bulk("Some real reply following the attribute")),
      ("bignum", .bigNumber("1234567999999999999999999999999999999")),
      ("true", .boolean(true)), ("false", .boolean(false)),
      ("verbatim", .verbatim(format: "txt", Array("This is a verbatim\nstring".utf8))),
    ]
    for (name, value) in expected { #expect(try client.command("DEBUG", "PROTOCOL", name) == value, "\(name)") }
    client.send(["DEBUG", "PROTOCOL", "push"])
    #expect(try client.receive() == .push([.bulk("server-cpu-usage"), .integer(42)]))
    #expect(try client.receive() == .bulk("Some real reply following the push reply"))
    #expect(try client.command("COMMAND", "DOCS").pairs?.count ?? 0 > 100)
  }

  @Test(
    "people see what redis-cli shows",
    .enabled(if: RedisServer.cliPath != nil, "redis-cli is not installed, so nothing is compared with it"),
    arguments: [
      ["DEBUG", "PROTOCOL", "string"], ["DEBUG", "PROTOCOL", "integer"], ["DEBUG", "PROTOCOL", "double"],
      ["DEBUG", "PROTOCOL", "null"], ["DEBUG", "PROTOCOL", "array"], ["DEBUG", "PROTOCOL", "set"],
      ["DEBUG", "PROTOCOL", "map"],
      ["DEBUG", "PROTOCOL", "true"], ["DEBUG", "PROTOCOL", "verbatim"], ["COMMAND", "DOCS", "get", "set", "client"],
      ["COMMAND", "INFO", "get"], ["ACL", "GETUSER", "default"], ["EVAL", "return {1,{2,{},{'a'}},'b'}", "0"],
      ["EVAL", "redis.setresp(3); return {map={a={{map={b=1}}}}}", "0"],
      ["EVAL", "redis.setresp(3); return {map={a={{1,2}},b={map={}}}}", "0"],
      ["EVAL", "redis.setresp(3); return {map={a={verbatim_string={string='a\\nb',format='txt'}}}}", "0"],
      ["ECHO", "é\u{1}\"\\\r\n\t"], ["NOSUCH", "x"], ["SET", "k", "v"], ["KEYS", "nothing*"],
    ])
  func formatted(words: [String]) throws {
    let redis = try RedisServer()
    let client = try redis.connect()
    for version in ["2", "3"] {
      _ = try client.command("HELLO", version)
      let value = try client.command(words)
      let flag = version == "3" ? ["-3"] : []
      #expect(try redis.cli(flag + ["--no-raw"] + words) == value.formatted(escapesNonASCII: true))
      // redis-cli ends an error with an empty line of its own.
      let plain = String(decoding: value.plain(), as: UTF8.self) + "\n" + (value.errorText == nil ? "" : "\n")
      #expect(try redis.cli(flag + ["--raw"] + words) == Self.unescaped(plain))
    }
  }

  /// Escapes what redis-cli writes raw but could break the line here.
  private static func unescaped(_ text: String) -> String {
    [("\\n", "\n"), ("\\r", "\r"), ("\\t", "\t"), ("\\u{1}", "\u{1}"), ("\\\\", "\\")]
      .reduce(text) { $0.replacing($1.0, with: $1.1) }
  }

  @Test(
    "JSON is what redis-cli writes",
    .enabled(if: RedisServer.cliPath != nil, "redis-cli is not installed, so nothing is compared with it"),
    arguments: [
      ["DEBUG", "PROTOCOL", "string"], ["DEBUG", "PROTOCOL", "integer"], ["DEBUG", "PROTOCOL", "null"],
      ["DEBUG", "PROTOCOL", "array"], ["DEBUG", "PROTOCOL", "set"], ["DEBUG", "PROTOCOL", "map"],
      ["DEBUG", "PROTOCOL", "true"], ["COMMAND", "DOCS", "get", "set", "client"], ["ACL", "GETUSER", "default"],
      ["EVAL", "return {1,{2,{},{'a'}},'b'}", "0"],
    ])
  func json(words: [String]) throws {
    let redis = try RedisServer()
    let client = try redis.connect()
    _ = try client.command("HELLO", "3")
    #expect(try redis.cli(["--json"] + words) == client.command(words).json() + "\n")
  }
}
