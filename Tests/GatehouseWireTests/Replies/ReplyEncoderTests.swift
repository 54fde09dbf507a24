import GatehouseCore
import GatehouseWire
import NIOCore
import Testing

/// The bytes of a reply as text.
func wire(_ version: ProtocolVersion, _ build: (inout Reply) -> Void) -> String {
  var reply = Reply()
  build(&reply)
  var buffer = ByteBuffer()
  ReplyEncoder.encode(reply, version, into: &buffer)
  return String(buffer: buffer)
}

@Suite("Replies on the wire")
struct ReplyEncoderTests {
  private func both(_ build: (inout Reply) -> Void) -> [String] { [wire(.resp2, build), wire(.resp3, build)] }

  @Test("simple lines and errors")
  func lines() {
    #expect(both { $0.ok() } == ["+OK\r\n", "+OK\r\n"])
    #expect(both { $0.tag("") } == ["+\r\n", "+\r\n"])
    #expect(both { $0.error("NOTFOUND user") } == ["-NOTFOUND user\r\n", "-NOTFOUND user\r\n"])
  }

  @Test("a line end within a line becomes a blank")
  func lineEnds() {
    #expect(both { $0.error("ERR a\r\nb\nc\rd") } == ["-ERR a  b c d\r\n", "-ERR a  b c d\r\n"])
    #expect(wire(.resp2) { $0.tag("\n+OK\r\n") } == "+ +OK  \r\n")
  }

  @Test(
    "integers of every length",
    arguments: [
      0, 1, 9, 10, 11, 99, 100, 101, 999, 1000, 9999, 10_000, 10_001, 99_999, 100_000, 123_456_789, 9_999_999_999,
      1_700_000_000_000, Int64.max - 1, Int64.max, -1, -9, -10, -1000, Int64.min, Int64.min + 1,
    ] as [Int64])
  func integers(value: Int64) {
    #expect(both { $0.integer(value) } == [":\(value)\r\n", ":\(value)\r\n"])
  }

  @Test("small integers, and those around every power of ten and two")
  func manyIntegers() {
    var values = Array(Int64(-1100)...1100)
    var power: Int64 = 1
    for _ in 0..<18 {
      power *= 10
      values += [power - 1, power, power + 1, -power, 1 - power]
    }
    for shift in 0..<63 { values += [1 << shift, (1 << shift) - 1, -(1 << shift)] }
    for value in values { #expect(wire(.resp3) { $0.integer(value) } == ":\(value)\r\n") }
  }

  @Test("texts of every length")
  func textsOfEveryLength() {
    for length in 0...40 {
      let text = String(decoding: (0..<length).map { UInt8(ascii: "0") + UInt8($0) }, as: UTF8.self)
      #expect(both { $0.text(text) } == Array(repeating: "$\(length)\r\n\(text)\r\n", count: 2))
    }
  }

  @Test("texts are binary safe")
  func texts() {
    #expect(both { $0.text("") } == ["$0\r\n\r\n", "$0\r\n\r\n"])
    #expect(both { $0.text("a\r\nb") } == ["$4\r\na\r\nb\r\n", "$4\r\na\r\nb\r\n"])
    #expect(both { $0.text("é") } == ["$2\r\né\r\n", "$2\r\né\r\n"])
    #expect(both { $0.secret("s3cret") } == ["$6\r\ns3cret\r\n", "$6\r\ns3cret\r\n"])
    let long = String(repeating: "x", count: 12_345)
    #expect(both { $0.text(long) } == Array(repeating: "$12345\r\n\(long)\r\n", count: 2))
  }

  @Test("the differences between the versions")
  func versions() {
    #expect(both { $0.null() } == ["$-1\r\n", "_\r\n"])
    #expect(both { $0.verbatim("a\nb") } == ["$3\r\na\nb\r\n", "=7\r\ntxt:a\nb\r\n"])
    #expect(both { $0.double(1.5) } == ["$3\r\n1.5\r\n", ",1.5\r\n"])
    #expect(
      both {
        $0.map(2)
        $0.text("id")
        $0.integer(7)
        $0.text("actor")
        $0.null()
      } == ["*4\r\n$2\r\nid\r\n:7\r\n$5\r\nactor\r\n$-1\r\n", "%2\r\n$2\r\nid\r\n:7\r\n$5\r\nactor\r\n_\r\n"])
    #expect(both { $0.map(0) } == ["*0\r\n", "%0\r\n"])
    #expect(
      both {
        $0.push(2)
        $0.text("pong")
        $0.integer(1)
      } == ["*2\r\n$4\r\npong\r\n:1\r\n", ">2\r\n$4\r\npong\r\n:1\r\n"])
  }

  @Test(
    "doubles read back as the same number",
    arguments: [
      (0, "0"), (-0.0, "-0.0"), (1, "1"), (-3, "-3"), (0.1, "0.1"), (1e14, "100000000000000"),
      (1e16, "10000000000000000"), (1e17, "1e+17"),
      (1e300, "1e+300"), (.infinity, "inf"), (-.infinity, "-inf"), (.nan, "nan"),
      (-2.2250738585072014e-308, "-2.2250738585072014e-308"),
    ] as [(Double, String)])
  func doubles(value: Double, text: String) {
    #expect(wire(.resp3) { $0.double(value) } == ",\(text)\r\n")
    #expect(wire(.resp2) { $0.double(value) } == "$\(text.utf8.count)\r\n\(text)\r\n")
    if !value.isNaN { #expect(Double(text) == value) }
  }

  @Test("aggregates nest")
  func nesting() {
    #expect(
      both {
        $0.array(2)
        $0.text("0")
        $0.array(1)
        $0.map(1)
        $0.text("rule")
        $0.tag("L1")
      } == [
        "*2\r\n$1\r\n0\r\n*1\r\n*2\r\n$4\r\nrule\r\n+L1\r\n", "*2\r\n$1\r\n0\r\n*1\r\n%1\r\n$4\r\nrule\r\n+L1\r\n",
      ])
  }

  @Test("replies are appended one after another, and an empty one adds nothing")
  func appending() {
    var buffer = ByteBuffer()
    var reply = Reply()
    ReplyEncoder.encode(reply, .resp3, into: &buffer)
    #expect(buffer.readableBytes == 0)
    for round in 0..<1000 {
      reply.reset()
      reply.integer(round)
      ReplyEncoder.encode(reply, .resp3, into: &buffer)
    }
    #expect(String(buffer: buffer) == (0..<1000).map { ":\($0)\r\n" }.joined())
  }

  @Test("the format of MONITOR")
  func monitor() {
    var buffer = ByteBuffer()
    OwnedArguments(["echo", "a \"b\"\\\r\n\t\u{7}\u{8}\u{0}é"]).withView {
      MonitorLine.encode(microseconds: 1_700_000_000_000_042, client: "127.0.0.1:5", arguments: $0, into: &buffer)
    }
    #expect(
      String(buffer: buffer)
        == #"+1700000000.000042 [0 127.0.0.1:5] "echo" "a \"b\"\\\r\n\t\a\b\x00\xc3\xa9""# + "\r\n")
  }
}
