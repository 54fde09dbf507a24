import Testing

@testable import GatehouseWeb

@Suite("HTML: text")
struct HTMLTextTests {
  /// Letters that join with what follows them, and accents that join with what stands before.
  private static let before = ["", "a", "\u{d4e}", "\u{600}", "\u{111c2}", "\u{110bd}"]
  private static let after = ["", "b", "\u{301}", "\u{fe0f}", "\u{200d}"]

  @Test("each mark is escaped, whatever stands beside it", arguments: ["<", ">", "&", "\"", "'"])
  func marks(_ mark: String) {
    let escaped = ["<": "&lt;", ">": "&gt;", "&": "&amp;", "\"": "&quot;", "'": "&#39;"][mark] ?? ""
    for before in Self.before {
      for after in Self.after {
        let text = before + mark + after
        // By bytes, because as characters they may be equal to what they are not.
        #expect(
          Array(HTMLText.escaped(text).utf8) == Array((before + escaped + after).utf8), "\(text.debugDescription)")
      }
    }
    #expect(HTMLText.escaped("plain é") == "plain é")
  }

  @Test("pages show text and attributes so, in every template that they are made of")
  func templates() {
    for mark in ["<", ">", "\"", "'"] {
      let typed = "\u{d4e}\(mark)\u{301}typed"
      let form = Form(
        Address("x"), fields: [Field("name", typed, value: typed, hint: typed)], hidden: [("h", typed)], submit: typed)
      let table = Table(caption: typed, columns: [.init(typed)], rows: [.init([[.text(typed), .code(typed)]])])
      let blocks: [Block] = [
        .section(typed, note: typed, [.text(.text(typed))]), .notice(.bad, typed, [.strong(typed)]), form.block,
        table.block, .facts([(typed, [.muted(typed)])]), .code(typed, typed), .empty(typed, typed),
        .buttons([.link(typed, Address("x")), .post(typed, Address("x"), [("h", typed)]), .refused(typed, typed)]),
        .links(typed, [(typed, Address("x"), true)]), .columns(main: [.text(.text(typed))], side: []),
      ]
      let values: Values = [
        "title": typed, "css": "", "js": "", "icon": "", "csrf": "", "sealedAs": nil, "sealedIn": nil, "onward": nil,
        "blocks": blocks.map(\.values),
      ]
      let bytes = Array(Templates.render(values, with: "outside").utf8)
      let raw = Array("\u{d4e}\(mark)".utf8)
      #expect(!bytes.indices.contains { bytes[$0...].starts(with: raw) }, "\(mark)")
      let shown = Array("typed".utf8)
      #expect(bytes.indices.filter { bytes[$0...].starts(with: shown) }.count > 25)
    }
  }
}
