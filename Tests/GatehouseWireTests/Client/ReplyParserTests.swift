import GatehouseWire
import Testing

@Suite("Replies as a client reads them")
struct ReplyParserTests {
  static let replies: [(String, RESPValue)] = [
    ("+OK\r\n", .simple("OK")),
    ("+\r\n", .simple("")),
    ("-NOPERM user.read\r\n", .error("NOPERM user.read")),
    ("!8\r\nERR a\r\nb\r\n", .error("ERR a\r\nb")),
    (":0\r\n", .integer(0)),
    (":-9223372036854775808\r\n", .integer(.min)),
    (":9223372036854775807\r\n", .integer(.max)),
    ("$0\r\n\r\n", .bulk("")),
    ("$4\r\n\r\n\r\n\r\n", .bulk("\r\n\r\n")),
    ("$-1\r\n", .null),
    ("*-1\r\n", .null),
    ("_\r\n", .null),
    ("=7\r\ntxt:a\nb\r\n", .verbatim(format: "txt", Array("a\nb".utf8))),
    ("#t\r\n", .boolean(true)),
    ("#f\r\n", .boolean(false)),
    (",1.5\r\n", .double(1.5)),
    (",-3\r\n", .double(-3)),
    (",1e+300\r\n", .double(1e300)),
    (",inf\r\n", .double(.infinity)),
    (",-inf\r\n", .double(-.infinity)),
    ("(-123456789012345678901234567890\r\n", .bigNumber("-123456789012345678901234567890")),
    ("*0\r\n", .array([])),
    ("*2\r\n$1\r\na\r\n*1\r\n:1\r\n", .array([.bulk("a"), .array([.integer(1)])])),
    ("~2\r\n:1\r\n:2\r\n", .set([.integer(1), .integer(2)])),
    ("%1\r\n$2\r\nid\r\n%0\r\n", .map([.init(.bulk("id"), .map([]))])),
    (">2\r\n+message\r\n$1\r\nx\r\n", .push([.simple("message"), .bulk("x")])),
    ("|1\r\n+ttl\r\n:3600\r\n*2\r\n|0\r\n:1\r\n|1\r\n+a\r\n*1\r\n_\r\n:2\r\n", .array([.integer(1), .integer(2)])),
    ("|1\r\n+a\r\n+b\r\n|1\r\n+c\r\n+d\r\n-ERR x\r\n", .error("ERR x")),
  ]

  @Test("every kind of value", arguments: replies)
  func values(bytes: String, value: RESPValue) throws {
    var parser = ReplyParser()
    parser.append(bytes.utf8)
    #expect(try parser.next() == value)
    #expect(try parser.next() == nil)
    #expect(parser.pendingBytes == 0)
  }

  @Test("parsing does not depend on how the stream is split")
  func splits() throws {
    let bytes = Array(Self.replies.map(\.0).joined().utf8)
    let expected = Self.replies.map(\.1)
    #expect(try values(single(bytes)) == expected)
    for cut in 0...bytes.count { #expect(try values([bytes[..<cut], bytes[cut...]]) == expected) }
  }

  private func values(_ chunks: [ArraySlice<UInt8>]) throws -> [RESPValue] {
    var parser = ReplyParser()
    var values: [RESPValue] = []
    for chunk in chunks {
      parser.append(chunk)
      while let value = try parser.next() { values.append(value) }
    }
    return values
  }

  @Test(
    "invalid replies are refused",
    arguments: [
      "OK\r\n", "\r\n", ":1x\r\n", ":\r\n", ":99999999999999999999\r\n", "$x\r\n", "$3\r\nabcd\r\n", "+a\rb\r\n",
      "#x\r\n",
      "_x\r\n", ",1,5\r\n", "(1x\r\n", "(--1\r\n", "=2\r\nab\r\n", "=4\r\ntxt-\r\n", "*1x\r\n", "*1\r\nx",
      "$?\r\n", "%-\r\n",
    ])
  func malformed(bytes: String) {
    var parser = ReplyParser()
    parser.append(bytes.utf8)
    #expect(throws: ReplyError.malformed) { try parser.next() }
  }

  @Test("nesting has a limit")
  func depth() throws {
    var parser = ReplyParser()
    parser.append((String(repeating: "*1\r\n", count: 63) + ":1\r\n").utf8)
    #expect(try parser.next() != nil)
    parser.append((String(repeating: "*1\r\n", count: 64) + ":1\r\n").utf8)
    #expect(throws: ReplyError.tooDeep) { try parser.next() }
    var attributes = ReplyParser()
    attributes.append((String(repeating: "|0\r\n", count: 100_000) + ":1\r\n").utf8)
    #expect(throws: ReplyError.tooDeep) { try attributes.next() }
  }

  @Test("fields are found in maps, and in RESP2's flat arrays")
  func fields() {
    let map = RESPValue.map([.init(.bulk("id"), .integer(7)), .init(.simple("actor"), .null)])
    let flat = RESPValue.array([.bulk("id"), .integer(7), .bulk("actor"), .null])
    for value in [map, flat] {
      #expect(value["id"]?.integer == 7)
      #expect(value["actor"]?.isNull == true)
      #expect(value["absent"] == nil)
    }
    #expect(RESPValue.array([.integer(1)]).pairs == nil)
    #expect(RESPValue.verbatim(format: "txt", Array("a".utf8)).string == "a")
  }

  @Test("memory of parsed values is freed while a long stream is read")
  func compaction() throws {
    var parser = ReplyParser()
    let one = Array("$1000\r\n\(String(repeating: "x", count: 1000))\r\n".utf8)
    var read = 0
    for _ in 0..<500 {
      parser.append(one + one.prefix(3))
      while try parser.next() != nil { read += 1 }
      parser.append(one.dropFirst(3))
    }
    while try parser.next() != nil { read += 1 }
    #expect(read == 1000)
  }
}
