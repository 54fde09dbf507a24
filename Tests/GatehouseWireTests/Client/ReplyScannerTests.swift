import GatehouseWire
import GatehouseTestSupport
import Testing

@Suite("The ends of replies")
struct ReplyScannerTests {
  /// What the scanner says about a stream.
  private func outcomes(_ chunks: [ArraySlice<UInt8>]) -> [ReplyScanner.Outcome] {
    var scanner = ReplyScanner()
    let memory = GuardedBytes(capacity: max(1, chunks.reduce(0) { $0 + $1.count }))
    var unread: ArraySlice<UInt8> = []
    var outcomes: [ReplyScanner.Outcome] = []
    for chunk in chunks {
      unread += chunk
      scan: while !unread.isEmpty {
        let outcome = memory.with(unread) { scanner.next($0) }
        switch outcome {
        case .reply(let consumed, _), .push(let consumed):
          outcomes.append(outcome)
          unread = unread.dropFirst(consumed)
        case .incomplete:
          break scan
        case .malformed:
          return outcomes + [.malformed]
        }
      }
    }
    return outcomes
  }

  @Test("finds the end of every reply, and whether it is an error, however the stream is split")
  func ends() {
    let replies = ReplyParserTests.replies
    let bytes = Array(replies.map(\.0).joined().utf8)
    let expected = replies.map { text, value -> ReplyScanner.Outcome in
      if case .push = value { return .push(consumed: text.utf8.count) }
      return .reply(consumed: text.utf8.count, isError: value.errorText != nil)
    }
    #expect(outcomes([bytes[...]]) == expected)
    #expect(outcomes(single(bytes)) == expected)
    for cut in 0...bytes.count { #expect(outcomes([bytes[..<cut], bytes[cut...]]) == expected) }
  }

  @Test("a nested error does not make the reply an error")
  func innerError() {
    #expect(outcomes([Array("*2\r\n-ERR a\r\n:1\r\n".utf8)[...]]) == [.reply(consumed: 16, isError: false)])
  }

  @Test("depth costs nothing")
  func depth() {
    let bytes = Array((String(repeating: "*1\r\n", count: 1_000_000) + ":1\r\n").utf8)
    #expect(outcomes([bytes[...]]) == [.reply(consumed: bytes.count, isError: false)])
  }

  @Test("long texts and lines are scanned in linear time")
  func linear() {
    for reply in [
      "+" + String(repeating: "x", count: 200_000) + "\r\n", String(repeating: "*1\r\n", count: 50_000) + "_\r\n",
    ] {
      var scanner = ReplyScanner()
      let bytes = Array(reply.utf8)
      bytes.withUnsafeBytes { bytes in
        for count in 1..<bytes.count {
          guard scanner.next(UnsafeRawBufferPointer(rebasing: bytes[..<count])) == .incomplete else {
            Issue.record("complete after \(count) bytes")
            return
          }
        }
        #expect(scanner.next(bytes) == .reply(consumed: bytes.count, isError: false))
      }
    }
  }

  @Test("random streams", arguments: 0..<30 as Range<UInt64>)
  func random(seed: UInt64) {
    let pieces = ReplyParserTests.replies.map { Array($0.0.utf8) }
    var random = SeededRandom(seed: seed)
    for _ in 0..<100 {
      var bytes = (0..<Int.random(in: 1...6, using: &random)).flatMap { _ in pieces.randomElement(using: &random)! }
      for _ in 0..<Int.random(in: 0...2, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let whole = outcomes([bytes[...]])
      #expect(outcomes(single(bytes)) == whole, "\(bytes)")
      // The decoder refuses more than the scanner does, and otherwise finds the same ends.
      var parser = ReplyParser()
      parser.append(bytes)
      var count = 0
      var isRefused = false
      do { while try parser.next() != nil { count += 1 } } catch { isRefused = true }
      if !isRefused { #expect(count == whole.count, "\(bytes)") }
    }
  }
}
