import Testing

@testable import GatehouseCore

@Suite struct EntityNamesTests {
  @Test(arguments: [
    ("payroll", true), ("a", true), ("1st.pay-roll_2", true), (String(repeating: "a", count: 64), true), ("", false),
    (String(repeating: "a", count: 65), false), ("Payroll", false), ("-pay", false), ("pay roll", false),
    ("a/b", false), ("página", false), ("*", false),
  ])
  func names(text: String, isName: Bool) { #expect(EntityNames.isName(text) == isName) }

  @Test(arguments: [
    ("acme", true), ("a-1", true), ("-a", false), ("a-", false), ("a.b", false), ("", false),
    (String(repeating: "a", count: 64), false),
  ])
  func subdomains(text: String, isOne: Bool) { #expect(EntityNames.isSubdomain(text) == isOne) }

  @Test(arguments: [
    "ana", "ana@acme.test", "ANA", "žofie", "山田", "a", String(repeating: "a", count: 256), "-", "o'neill", "1",
  ])
  func usernames(text: String) { #expect(EntityNames.usernameFault(text) == nil) }

  @Test(arguments: [
    "", "#1", "#", "ana nova", "ana\tnova", "ana\u{7f}", "ana\u{00a0}nova", "ana\u{200b}", "\u{202e}ana", "a\u{0007}",
    String(repeating: "a", count: 257),
    // 255 bytes that become 382 in lower case.
    String(repeating: "İ", count: 127),
  ])
  func noUsernames(text: String) { #expect(EntityNames.usernameFault(text) != nil) }

  /// Fillers and joiners, variation selectors, blanks of many scripts, direction marks, private and unassigned
  /// characters.
  @Test(
    arguments: [
      0x00, 0x1b, 0x85, 0x9b, 0xa0, 0xad, 0x34f, 0x378, 0x600, 0x61c, 0x115f, 0x1160, 0x1680, 0x17b4, 0x17b5, 0x180b,
      0x180e,
      0x2000, 0x200b, 0x200d, 0x200e, 0x2028, 0x2029, 0x202e, 0x2060, 0x2065, 0x2066, 0x206f, 0x2800, 0x3000, 0x3164,
      0xe000,
      0xf8ff, 0xfe00, 0xfe0f, 0xfeff, 0xffa0, 0xfff9, 0xfffc, 0xffff, 0x13430, 0x13441, 0x16fe4, 0x1bca0, 0x1d159,
      0x1d173,
      0x1fffe, 0xe0001, 0xe0020, 0xe0100, 0xe01ef, 0xe0fff, 0xf0000, 0x10fffd, 0x10ffff,
    ] as [UInt32])
  func namesShowAllOfThemselves(code: UInt32) throws {
    let character = String(try #require(Unicode.Scalar(code)))
    for name in [character, "ana\(character)", "\(character)ana", "a\(character)na", "\(character)\(character)"] {
      #expect(EntityNames.usernameFault(name) != nil, "U+\(String(code, radix: 16))")
      #expect(!EntityNames.isName(name))
      #expect(!EntityNames.isEmail("\(name)@acme.test"))
    }
    #expect(
      EntityNames.isBlank(character) && EntityNames.isBlank(" \(character)\t") && !EntityNames.isBlank("\(character)a"))
  }

  @Test(arguments: ["Ελένη", "नेहा", "ทดสอบ", "محمد", "דוד", "李", "e\u{301}", "🙂", "ǅ", "\u{fffd}"])
  func namesInAllScriptsAreAccepted(name: String) { #expect(EntityNames.usernameFault(name) == nil) }

  @Test(arguments: [
    ("ana@acme.test", true), ("a@b", true), ("ana", false), ("@acme", false), ("ana@", false), ("a@b@c", false),
    ("ana @acme", false), ("<a@b.test>", false), ("a@b.test>", false), ("a@b,c.test", false), ("jan@žofín.test", true),
  ])
  func emails(text: String, isEmail: Bool) { #expect(EntityNames.isEmail(text) == isEmail) }

  /// Names of people, departments or projects may have blanks, but not consist of them.
  @Test(arguments: ["\u{3164}", " ", "\u{200b}\u{2800}", "\u{1d159}\t"])
  func noFieldIsOnlyBlank(text: String) {
    let core = CoreHarness()
    core.seedUser("ana")
    for words in [
      ["USER.CREATE", "bo", "FIRST", text],
      ["USER.SET", "ana", "last", text], ["USER.SET", "ana", "department", text],
      ["USER.SET", "ana", "division", text],
      ["TIMER.START", "ana", "PROJECT", text],
    ] {
      #expect(core.run(words).text?.contains("has no visible character") == true, "\(words)")
    }
    #expect(!core.run(["USER.SET", "ana", "first", "Ana\u{200d} Lena", "department", "R & D"]).isError)
  }

  @Test func namesOfProductsAndWorkspacesAreFoundInAnyCase() {
    let core = CoreHarness()
    core.seedProduct("kiosk")
    core.seedUser("ana")
    #expect(core.run("LOGIN.CHECK ana \u{212a}IOſ\u{212a}").text == "DENY product-disabled")
    #expect(core.run(["USER.LIST", "WHERE", "username", "=", "ANA"])[1][0]["username"].text == "ana")
  }
}
