import GatehouseCore
import GatehouseWire
import Testing

@Suite("Replies as text")
struct RESPTextTests {
  private static let check = RESPValue.map([
    .init(.bulk("id"), .integer(7)),
    .init(.bulk("user"), .bulk("José \"J\"\n")),
    .init(.bulk("actor"), .null),
    .init(.bulk("products"), .array([.bulk("payroll"), .array([.integer(1), .integer(2)]), .map([])])),
  ])

  @Test("for people")
  func formatted() {
    #expect(
      Self.check.formatted() == """
        1# "id" => (integer) 7
        2# "user" => "José \\"J\\"\\n"
        3# "actor" => (nil)
        4# "products" =>\u{20}
           1) "payroll"
           2) 1) (integer) 1
              2) (integer) 2
           3) (empty hash)

        """)
    #expect(RESPValue.bulk("é\u{1b}[2J\u{9b}\u{202e}").formatted() == "\"é\\x1b[2J\\xc2\\x9b\\xe2\\x80\\xae\"\n")
    #expect(RESPValue.bulk("é").formatted(escapesNonASCII: true) == "\"\\xc3\\xa9\"\n")
    #expect(RESPValue.bulk([0xff, 0xc3, 0xa9]).formatted() == "\"\\xff\\xc3\\xa9\"\n")
    #expect(RESPValue.error("NOPERM x").formatted() == "(error) NOPERM x\n")
    #expect(RESPValue.simple("OK").formatted() == "OK\n")
    #expect(RESPValue.array([]).formatted() == "(empty array)\n")
    #expect(RESPValue.set([.integer(1)]).formatted() == "1~ (integer) 1\n")
    let ten = RESPValue.array((1...10).map { .integer($0) })
    #expect(ten.formatted().hasPrefix(" 1) (integer) 1\n 2) "))
    #expect(ten.formatted().hasSuffix("\n10) (integer) 10\n"))
  }

  @Test("as plain lines: as many as there are elements")
  func plain() {
    #expect(
      String(decoding: Self.check.plain(), as: UTF8.self)
        == "id 7\nuser José \"J\"\\n\nactor \nproducts payroll\n1\n2\n")
    #expect(RESPValue.bulk([0, 255]).plain() == Array("\\u{0}\\xff".utf8))
  }

  private static let forged =
    "a\r\nstatus active\u{1b}[1A\u{9b}2J\u{85}\u{2028}\u{2029}\u{202e}\u{200b}\u{3164}\u{e0041}\\"

  @Test("a value cannot break the line that it is shown in", arguments: [false, true])
  func oneLine(isPlain: Bool) {
    for value in [RESPValue.simple(Self.forged), .error(Self.forged), .bulk(Self.forged), .bigNumber(Self.forged)] {
      for whole in [value, .array([value]), .map([.init(value, value)]), .set([value]), .push([value])] {
        let text = isPlain ? String(decoding: whole.plain(), as: UTF8.self) : String(whole.formatted().dropLast())
        let stray = text.unicodeScalars.filter { $0.value < 0x20 || ShownText.isUnprintable($0) }
        #expect(stray.isEmpty, "\(whole): \(stray.map(\.value))")
      }
      let json = value.json().unicodeScalars
      #expect(!json.contains { ShownText.isUnprintable($0) })
    }
    let verbatim = RESPValue.verbatim(format: "txt", Array("one\r\ntwo\n\rthree\u{9b}\u{202e}".utf8))
    #expect(verbatim.formatted() == "one\r\ntwo\n\\rthree\\u{9b}\\u{202e}\n")
    #expect(verbatim.plain() == Array(verbatim.formatted().utf8.dropLast()))
    #expect(RESPValue.simple("1.5 [0 a] \"x\\x00\"").plain() == Array("1.5 [0 a] \"x\\x00\"".utf8))
  }

  @Test("as JSON")
  func json() {
    #expect(
      Self.check.json()
        == #"{"id":7,"user":"José \"J\"\n","actor":null,"products":["payroll",[1,2],{}]}"#)
    #expect(RESPValue.integer(.max).json() == "9223372036854775807")
    #expect(RESPValue.bigNumber("+123456789012345678901").json() == "123456789012345678901")
    #expect(RESPValue.double(1.5).json() == "1.5")
    #expect(RESPValue.double(.infinity).json() == #""inf""#)
    #expect(RESPValue.boolean(true).json() == "true")
    #expect(RESPValue.error("NOTFOUND user").json() == #"{"error":"NOTFOUND user"}"#)
    #expect(
      RESPValue.map([.init(.integer(1), .set([.null])), .init(.null, .boolean(false))]).json()
        == #"{"1":[null],"null":false}"#)
    #expect(RESPValue.bulk("\u{0}\u{1f}\u{7f}\u{8}\u{c}\t\\/").json() == #""\u0000\u001f\u007f\b\f\t\\/""#)
    #expect(RESPValue.bulk("\u{9b}\u{2028}\u{202e}\u{e0041}é").json() == #""\u009b\u2028\u202e\udb40\udc41é""#)
    #expect(RESPValue.bulk([0x61, 0xff, 0xc3, 0xa9, 0xc3, 0x62, 0xf0, 0x9f]).json() == #""a\\xffé\\xc3b\\xf0\\x9f""#)
  }
}
