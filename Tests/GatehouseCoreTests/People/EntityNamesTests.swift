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
    // 255 bytes that are 382 in lower case.
    String(repeating: "İ", count: 127),
  ])
  func noUsernames(text: String) { #expect(EntityNames.usernameFault(text) != nil) }

  @Test(arguments: [
    ("ana@acme.test", true), ("a@b", true), ("ana", false), ("@acme", false), ("ana@", false), ("a@b@c", false),
    ("ana @acme", false),
  ])
  func emails(text: String, isEmail: Bool) { #expect(EntityNames.isEmail(text) == isEmail) }
}
