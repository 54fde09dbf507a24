import GatehouseTestSupport
import Glibc
import GatehouseWire
import Testing

@testable import gatehouse

@Suite(.blocking) struct RequestLineTests {
  @Test(arguments: [
    ("PING", ["PING"]), ("  a \t b ", ["a", "b"]), (#"a "b c" 'd "e'"#, ["a", "b c", #"d "e"#]), ("", []),
    (#""""#, [""]), ("*3", ["*3"]), (#"x "\x41\n""#, ["x", "A\n"]),
  ])
  func `a line is split as the server would`(line: String, words: [String]) {
    #expect(RequestLine.words(of: line)?.map { String(decoding: $0, as: UTF8.self) } == words)
  }

  @Test(arguments: [#"a "b"#, "'", #"a "b"c"#])
  func `an open quote is refused`(line: String) {
    #expect(RequestLine.words(of: line) == nil)
  }

  @Test(arguments: [
    ("", [], ""), ("PI", [], "PI"), ("PING ", ["PING"], ""), ("TIMER.STOP ana A", ["TIMER.STOP", "ana"], "A"),
  ])
  func `the word at the cursor is apart`(line: String, before: [String], current: String) {
    let typed = RequestLine.typed(line)
    #expect(typed.before == before)
    #expect(typed.current == current)
  }
}

@Suite(.blocking) struct InputLinesTests {
  @Test func `lines come with either end, the last without one`() {
    var ends: [Int32] = [0, 0]
    pipe(&ends)
    defer { close(ends[0]) }
    let text = "a\r\nb\n\nc"
    write(ends[1], text, text.utf8.count)
    close(ends[1])
    let input = InputLines(descriptor: ends[0])
    #expect(input.next() == ["a", "b", ""])
    #expect(input.next() == ["c"])
    #expect(input.next() == nil)
  }

  @Test func `a line may arrive in parts`() {
    var ends: [Int32] = [0, 0]
    pipe(&ends)
    defer { close(ends[0]) }
    let long = String(repeating: "x", count: 1 << 15)
    for _ in 0..<2 { write(ends[1], long, long.utf8.count) }
    let input = InputLines(descriptor: ends[0])
    close(ends[1])
    #expect(input.next() == [long + long])
    #expect(input.next() == nil)
  }
}
