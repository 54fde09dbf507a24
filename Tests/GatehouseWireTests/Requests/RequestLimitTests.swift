import GatehouseWire
import Testing

@Suite("Limits of a request")
struct RequestLimitTests {
  @Test(
    "a malformed frame is reported like Redis reports it",
    arguments: [
      ("*x\r\n", "ERR Protocol error: invalid multibulk length"),
      ("*\r\n", "ERR Protocol error: invalid multibulk length"),
      ("*00\r\n", "ERR Protocol error: invalid multibulk length"),
      ("*+1\r\n", "ERR Protocol error: invalid multibulk length"),
      ("*-0\r\n", "ERR Protocol error: invalid multibulk length"),
      ("*--1\r\n", "ERR Protocol error: invalid multibulk length"),
      ("*65537\r\n", "ERR Protocol error: invalid multibulk length"),
      ("*2147483648\r\n", "ERR Protocol error: invalid multibulk length"),
      ("*99999999999999999999999\r\n", "ERR Protocol error: invalid multibulk length"),
      ("*1\r\nPING\r\n", "ERR Protocol error: expected '$', got 'P'"),
      ("*1\r\n\r\n", "ERR Protocol error: expected '$', got ' '"),
      ("*1\r\n$\r\n", "ERR Protocol error: invalid bulk length"),
      ("*1\r\n$-1\r\n", "ERR Protocol error: invalid bulk length"),
      ("*1\r\n$4x\r\n", "ERR Protocol error: invalid bulk length"),
      ("*1\r\n$04\r\nPING\r\n", "ERR Protocol error: invalid bulk length"),
      ("*1\r\n$1048577\r\n", "ERR Protocol error: invalid bulk length"),
      ("*1\r\n$3\r\nPING\r\n", "ERR Protocol error: expected CRLF after bulk"),
      ("ECHO \"a\r\n", "ERR Protocol error: unbalanced quotes in request"),
      ("ECHO 'a\n", "ERR Protocol error: unbalanced quotes in request"),
      ("ECHO \"a\"b\n", "ERR Protocol error: unbalanced quotes in request"),
      ("ECHO 'a'\"b\"\n", "ERR Protocol error: unbalanced quotes in request"),
      ("ECHO \"a\\\n", "ERR Protocol error: unbalanced quotes in request"),
      ("ECHO \"a\\\"\n", "ERR Protocol error: unbalanced quotes in request"),
      ("ECHO 'a\\'\n", "ERR Protocol error: unbalanced quotes in request"),
    ])
  func texts(stream: String, text: String) {
    guard case .failure(let error)? = transcript(stream).last else {
      Issue.record("\(stream.debugDescription) is refused")
      return
    }
    #expect(error.reply == text)
    #expect(transcript(single(Array(stream.utf8))) == [.failure(error)])
  }

  @Test("a byte that is no text is still shown")
  func strangeByte() {
    #expect(ProtocolError.expectedDollar(0).reply == "ERR Protocol error: expected '$', got ' '")
    #expect(ProtocolError.expectedDollar(10).reply == "ERR Protocol error: expected '$', got ' '")
    #expect(ProtocolError.expectedDollar(0xe9).reply == "ERR Protocol error: expected '$', got 'é'")
  }

  @Test("a line of 64 KiB is accepted, a longer one is not")
  func inlineLength() {
    let longest = Array("ECHO ".utf8) + Array(repeating: UInt8(ascii: "a"), count: 64 * 1024 - 5)
    let word = Array(longest.dropFirst(5))
    let expected = ParserEvent.request([Array("ECHO".utf8), word])
    #expect(transcript([longest[...]]) == [.rest(65_536)])
    #expect(transcript([(longest + [10])[...]]) == [expected])
    #expect(transcript([longest[...], [10]]) == [expected])
    #expect(transcript([(longest + [97])[...]]) == [.failure(.inlineTooLong)])
    #expect(transcript([(longest + [97, 10])[...]]) == [.failure(.inlineTooLong)])
    #expect(transcript([longest[...], [97], [10]]) == [.failure(.inlineTooLong)])
    #expect(ProtocolError.inlineTooLong.reply == "ERR Protocol error: too big inline request")
  }

  @Test("unauthenticated clients may send ten words of 16 KiB in an array")
  func unauthenticated() {
    #expect(transcript("*10\r\n", authenticated: false) == [.rest(5)])
    #expect(transcript("*11\r\n", authenticated: false) == [.failure(.unauthenticatedMultibulkLength)])
    #expect(transcript("*1\r\n$16384\r\n", authenticated: false) == [.rest(12)])
    #expect(transcript("*1\r\n$16385\r\n", authenticated: false) == [.failure(.unauthenticatedBulkLength)])
    // However much was announced, the answer is that it exceeds the limit of an unauthenticated client.
    #expect(transcript("*65537\r\n", authenticated: false) == [.failure(.unauthenticatedMultibulkLength)])
    #expect(transcript("*1\r\n$100000000\r\n", authenticated: false) == [.failure(.unauthenticatedBulkLength)])
    #expect(transcript("*99999999999\r\n", authenticated: false) == [.failure(.invalidMultibulkLength)])
    #expect(transcript("*1\r\n$-1\r\n", authenticated: false) == [.failure(.invalidBulkLength)])
    #expect(
      ProtocolError.unauthenticatedMultibulkLength.reply == "ERR Protocol error: unauthenticated multibulk length")
    #expect(ProtocolError.unauthenticatedBulkLength.reply == "ERR Protocol error: unauthenticated bulk length")
  }

  @Test("a client that authenticates within a pipeline may send more from then on")
  func authenticatesMidway() {
    var parser = RequestParser(authenticated: false)
    let bytes = Array("*1\r\n$4\r\nAUTH\r\n*11\r\n".utf8)
    bytes.withUnsafeBytes { bytes in
      #expect(parser.next(bytes) == .request(consumed: 14))
      let rest = UnsafeRawBufferPointer(rebasing: bytes[14...])
      parser.authenticated = true
      #expect(parser.next(rest) == .incomplete)
    }
  }

  @Test("the limits can be set")
  func ownLimits() {
    var limits = WireLimits()
    limits.words = 2
    limits.wordBytes = 10
    limits.requestBytes = 30
    limits.inlineBytes = 12
    #expect(transcript("*3\r\n", limits: limits) == [.failure(.invalidMultibulkLength)])
    #expect(transcript("*2\r\n$11\r\n", limits: limits) == [.failure(.invalidBulkLength)])
    // 4 bytes of count, then 17 and 17.
    #expect(transcript("*2\r\n$10\r\n0123456789\r\n$10\r\n", limits: limits) == [.failure(.requestTooLong)])
    #expect(
      transcript("*2\r\n$10\r\n0123456789\r\n$3\r\nabc\r\n", limits: limits) == [.words("0123456789", "abc")])
    #expect(transcript("ECHO 1234567\n", limits: limits) == [.words("ECHO", "1234567")])
    #expect(transcript("ECHO 12345678\n", limits: limits) == [.failure(.inlineTooLong)])
    #expect(ProtocolError.requestTooLong.reply == "ERR Protocol error: too big request")
  }
}
