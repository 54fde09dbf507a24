import GatehouseTestSupport
import GatehouseWire
import Testing

@testable import gatehouse

@Suite(.blocking) struct ReplyPrinterTests {
  private func shown(_ reply: RESPValue, _ form: ReplyPrinter.Form, colour: Bool = false) -> String {
    String(
      decoding: ReplyPrinter(form: form, style: TextStyle(usesColour: colour)).text(reply), as: UTF8.self)
  }

  @Test func `a reply can be shown for people, as plain lines, as JSON, and like redis-cli`() {
    let reply = RESPValue.map([.init(.bulk("user"), .bulk("ana")), .init(.bulk("id"), .integer(7))])
    #expect(shown(reply, .readable) == "user  ana\nid    7\n")
    #expect(shown(reply, .formatted) == "1# \"user\" => \"ana\"\n2# \"id\" => (integer) 7\n")
    #expect(shown(reply, .raw) == "user ana\nid 7\n")
    #expect(shown(reply, .json) == "{\"user\":\"ana\",\"id\":7}\n")
  }

  @Test func `refusals stand out`() {
    #expect(shown(.error("ERR no"), .readable) == "✗ ERR no\n")
    #expect(shown(.error("ERR no"), .readable, colour: true) == "\u{1B}[1;31m✗ ERR no\u{1B}[0m\n")
    #expect(shown(.bulk("DENY no-licence"), .readable, colour: true) == "\u{1B}[1;31mDENY no-licence\u{1B}[0m\n")
    #expect(shown(.bulk("ALLOW"), .readable, colour: true) == "\u{1B}[32mALLOW\u{1B}[0m\n")
    #expect(shown(.error("ERR no"), .formatted) == "(error) ERR no\n")
    #expect(shown(.error("ERR no"), .formatted, colour: true) == "\u{1B}[1;31m(error) ERR no\u{1B}[0m\n")
    #expect(shown(.error("ERR no"), .json, colour: true) == "{\"error\":\"ERR no\"}\n")
  }
}
