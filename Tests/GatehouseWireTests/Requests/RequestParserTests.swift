import GatehouseCore
import GatehouseWire
import Testing

@Suite("Requests")
struct RequestParserTests {
  @Test("an array's words are found in place")
  func arrays() {
    #expect(
      transcript("*3\r\n$11\r\nLOGIN.CHECK\r\n$13\r\nana@acme.test\r\n$7\r\npayroll\r\n")
        == [.words("LOGIN.CHECK", "ana@acme.test", "payroll")])
    #expect(transcript("*2\r\n$4\r\nECHO\r\n$0\r\n\r\n") == [.words("ECHO", "")])
    #expect(transcript("*2\r\n$4\r\nECHO\r\n$4\r\n\r\n\r\n\r\n") == [.words("ECHO", "\r\n\r\n")])
  }

  @Test("a pipeline of both forms is parsed in order")
  func pipeline() {
    #expect(
      transcript("PING\r\n*1\r\n$4\r\nPING\r\n\r\n\nTIME\n*0\r\n*-1\r\nEC")
        == [.words("PING"), .words("PING"), .nothing, .nothing, .words("TIME"), .nothing, .nothing, .rest(2)])
  }

  @Test("an inline line ends with LF or CRLF, and its words with blanks")
  func inline() {
    #expect(transcript("LOGIN.CHECK ana payroll\n") == [.words("LOGIN.CHECK", "ana", "payroll")])
    #expect(
      transcript("  LOGIN.CHECK \t ana\u{b}\u{c} x\u{c}y \r\n") == [.words("LOGIN.CHECK", "ana\u{b}\u{c}", "x\u{c}y")])
    #expect(transcript(" \t \r\n") == [.nothing])
    #expect(transcript("PING\rPONG\n") == [.words("PING", "PONG")])
    #expect(transcript("ECHO \u{0}a\n") == [.words("ECHO", "\u{0}a")])
  }

  @Test(
    "quotes and escapes are decoded like in Redis",
    arguments: [
      (#"ECHO "hello world""#, ["ECHO", "hello world"]),
      (#"ECHO 'it\'s' "#, ["ECHO", "it's"]),
      (#"ECHO 'a\nb'"#, ["ECHO", #"a\nb"#]),
      (#"ECHO "a\n\r\t\b\a\"\\\q""#, ["ECHO", "a\n\r\t\u{8}\u{7}\"\\q"]),
      (#"ECHO "\x41\x7a\xg1\x4""#, ["ECHO", "Azxg1x4"]),
      (#""ECHO" "" ''"#, ["ECHO", "", ""]),
      (#"ECHO foo"bar" x"#, ["ECHO", "foobar", "x"]),
      (#"ECHO a\nb \"#, ["ECHO", #"a\nb"#, #"\"#]),
      (#""""#, [""]),
    ])
  func quotes(line: String, words: [String]) {
    #expect(transcript(line + "\r\n") == [.request(words.map { Array($0.utf8) })])
    #expect(transcript(line + "\n") == [.request(words.map { Array($0.utf8) })])
  }

  @Test("escapes give any byte")
  func binaryEscapes() {
    #expect(transcript(#"ECHO "\x00\xff\xFE""# + "\n") == [.request([Array("ECHO".utf8), [0, 255, 254]])])
  }

  @Test("a request in place follows one in scratch")
  func scratchIsForgotten() {
    #expect(
      transcript("ECHO \"a b\"\nECHO c\n*2\r\n$4\r\nECHO\r\n$1\r\nd\r\n")
        == [.words("ECHO", "a b"), .words("ECHO", "c"), .words("ECHO", "d")])
  }

  private static let streams: [String] = [
    "*3\r\n$11\r\nLOGIN.CHECK\r\n$13\r\nana@acme.test\r\n$7\r\npayroll\r\n*1\r\n$4\r\nPING\r\n",
    "PING\r\n*0\r\n*-1\r\n\r\n\n*2\r\n$4\r\nECHO\r\n$0\r\n\r\nECHO \"a b\\x00\" 'c d'\r\nTIME\n*12",
    "*2\r\n$4\r\nECHO\r\n$12\r\n123456789012\r\n*1\r\n$4\r\nPING\r\n$",
    "*1\r\n$4\r\nPING\r\n*1\r\nX", "*1\r\n$4\r\nPINGxx", "*1\r\n$-1\r\n", "*01\r\n", "*1 \r\n", "*1\n$4\nPING\n",
    "ECHO \"a\r\nPING\r\n", "  POST / HTTP/1.1\r\n", "*1\r\n$5\r\nHost:\r\n", "\"post\" x\r\n", "PING\rx\r\r\n",
  ]

  @Test("parsing does not depend on how the stream is split", arguments: streams)
  func splits(stream: String) {
    let bytes = Array(stream.utf8)
    let whole = transcript([bytes[...]])
    #expect(transcript(single(bytes)) == whole)
    for cut in 0...bytes.count {
      #expect(transcript([bytes[..<cut], bytes[cut...]]) == whole, "cut at \(cut)")
    }
  }

  @Test("POST and Host: close without a reply, in both forms and any case")
  func crossProtocol() {
    for stream in [
      "POST / HTTP/1.1\r\n", "host: x\r\n", "Host:\n", "*1\r\n$4\r\npOsT\r\n", "*2\r\n$5\r\nHOST:\r\n$1\r\nx\r\n",
      "\"POST\" x\n",
    ] {
      #expect(transcript(stream) == [.failure(.crossProtocol)])
    }
    #expect(ProtocolError.crossProtocol.reply == nil)
    #expect(
      transcript("POSTS\nHOST\nGET / HTTP/1.1\n") == [.words("POSTS"), .words("HOST"), .words("GET", "/", "HTTP/1.1")])
  }

  @Test("a parser is like new after a large request")
  func largeThenSmall() {
    let words = (0..<5000).map { Array("word\($0)".utf8) }
    let bytes = array(words) + array([Array("PING".utf8)])
    #expect(transcript([bytes[...]]) == [.request(words), .words("PING")])
    #expect(transcript(bytes.chunked(1000)) == [.request(words), .words("PING")])
  }

  /// Otherwise a client could keep a core busy with one slow request.
  @Test("bytes of a partial request are scanned only once")
  func halfSentIsLinear() {
    var parser = RequestParser(authenticated: true)
    let bytes = array((0..<20_000).map { Array("\($0)".utf8) })
    var completed = 0
    bytes.withUnsafeBytes { bytes in
      // 180,000 calls over 180 KB: quadratic work would be 16 billion steps.
      for count in 0...bytes.count {
        if case .request = parser.next(UnsafeRawBufferPointer(rebasing: bytes[..<count])) { completed += 1 }
      }
    }
    #expect(completed == 1)
    #expect(bytes.withUnsafeBytes { parser.arguments(in: $0).count } == 20_000)
  }
}

extension Array {
  func chunked(_ size: Int) -> [ArraySlice<Element>] {
    stride(from: 0, to: count, by: size).map { self[$0..<Swift.min(count, $0 + size)] }
  }
}
