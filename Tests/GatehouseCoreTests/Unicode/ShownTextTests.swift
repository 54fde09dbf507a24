import Testing

@testable import GatehouseCore

@Suite struct ShownTextTests {
  @Test(arguments: [
    ("ana", "ana"), ("", ""), ("é → 山田 🙂", "é → 山田 🙂"), ("a\nb\r\tc", "a\\nb\\r\\tc"),
    ("\u{0}\u{1b}[2J\u{7f}", "\\u{0}\\u{1b}[2J\\u{7f}"),
    ("\u{85}\u{9b}31m", "\\u{85}\\u{9b}31m"), ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"),
    ("\u{202e}x\u{2066}", "\\u{202e}x\\u{2066}"),
    ("a\u{200b}\u{feff}\u{3164}", "a\\u{200b}\\u{feff}\\u{3164}"), ("\u{e0041}", "\\u{e0041}"),
    ("\\u{202e}", "\\\\u{202e}"), ("C:\\n", "C:\\\\n"),
  ])
  func aLineIsOne(text: String, shown: String) { #expect(ShownText.line(text) == shown) }

  /// Different texts look different, and showing a text has no other effect.
  @Test func everyCharacterIsShownOrEscaped() {
    var unprintable = 0
    for scalar in (UInt32(0)...0x10ffff).compactMap(Unicode.Scalar.init) {
      let shown = ShownText.line(String(scalar))
      let category = scalar.properties.generalCategory
      let mustNot = [.control, .format, .lineSeparator, .paragraphSeparator].contains(category)
      if mustNot || scalar == "\\" { #expect(shown != String(scalar)) }
      if shown != String(scalar) { unprintable += 1 }
      if shown.unicodeScalars.contains(where: { UnicodeTables.isUnprintable($0) }) { Issue.record("\(scalar.value)") }
    }
    #expect((200...6000).contains(unprintable))
  }

  @Test func linesKeepTheirEnds() {
    #expect(ShownText.lines("a\nb\r\nc\td\\n") == "a\nb\r\nc\td\\n")
    #expect(ShownText.lines("a\rb\u{1b}\u{85}\u{2028}") == "a\\rb\\u{1b}\\u{85}\\u{2028}")
    #expect(ShownText.line("+1 [0 x] \"a\\x00\"\u{9b}", isOwn: true) == "+1 [0 x] \"a\\x00\"\\u{9b}")
  }

  @Test(arguments: [
    ("sales", "sales"), ("two words", "two words"), ("a, status: active", "\"a, status: active\""),
    ("x → y", "\"x → y\""),
    ("say \"hi\"", "\"say \\\"hi\\\"\""), ("a\nb", "\"a\\nb\""), (" a", "\" a\""),
    ("a  because: b", "\"a  because: b\""),
  ])
  func aValueIsTakenForNoMore(text: String, shown: String) { #expect(ShownText.value(text) == shown) }

  @Test func aChangeIsOneLine() {
    let change = ContactSet(
      ContactID(raw: 9), .department, old: "a → b", new: "x, email: root@acme.test\n    user-created user #1"
    ).text(in: nil)
    #expect(
      change.description
        == #"contact-set contact #9, department: "a → b" → "x, email: root@acme.test\n    user-created user #1""#)
  }
}
