import GatehouseTestSupport
import Testing

@testable import GatehouseCore

@Suite struct GlobTests {
  private func matches(_ pattern: String, _ text: String) -> Bool {
    Glob.matches(Array(pattern.utf8)[...], Array(text.utf8)[...])
  }

  @Test(
    arguments: [
      ("*", ""), ("", ""), ("user.*", "user.get"), ("*.get", "user.get"), ("u*r.?et", "user.get"),
      ("user.[gs]et", "user.set"), ("user.[a-h]et", "user.get"), ("user.[^s]et", "user.get"), ("a\\*", "a*"),
      ("**a**b**", "xaxbx"), ("[\\*]", "*"), ("a*b*c", "a-b-b-c"),
    ])
  func whatMatches(pattern: String, text: String) { #expect(matches(pattern, text)) }

  @Test(
    arguments: [
      ("", "a"), ("?", ""), ("user.get", "user.gets"), ("user.[gs]et", "user.let"), ("user.[^s]et", "user.set"),
      ("a\\*", "ab"), ("a*b", "ac"), ("[", "["), ("[]", "]"), ("[a-", "a"), ("[^", "a"), ("*[", "a["), ("\\", ""),
    ])
  func whatDoesNot(pattern: String, text: String) { #expect(!matches(pattern, text)) }

  @Test func aPatternHasItsLimit() {
    func pattern(_ count: Int) -> [UInt8]? { [UInt8](repeating: 0x41, count: count).withUnsafeBytes(Glob.pattern) }
    #expect(pattern(Limits.patternBytes) == [UInt8](repeating: 0x61, count: 128))
    #expect(pattern(Limits.patternBytes + 1) == nil)
    #expect("\(Glob.tooLong)".contains("pattern: at most 128 bytes"))
  }

  /// Patterns that would make a backtracking matcher try more ways than there are atoms, against a text of many letters
  /// a.
  @Test(
    arguments: [
      (String(repeating: "*a", count: 63) + "*b", false), (String(repeating: "a*", count: 64), true),
      (String(repeating: "*", count: 128), true), (String(repeating: "*?", count: 64), true),
      (String(repeating: "*[a]", count: 31) + "*[b]", false), (String(repeating: "[", count: 128), false),
      (String(repeating: "\\", count: 127) + "*", false), (String(repeating: "*[^a]", count: 25), false),
    ])
  func hostilePatternsEnd(pattern: String, isMatch: Bool) {
    #expect(pattern.utf8.count <= Limits.patternBytes)
    #expect(matches(pattern, String(repeating: "a", count: 4096)) == isMatch)
  }

  /// Compared with a matcher that tries all ways.
  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func equalsTryingAllWays(seed: UInt64) {
    func naive(_ pattern: Substring, _ text: Substring) -> Bool {
      guard let first = pattern.first else { return text.isEmpty }
      if first == "*" {
        return naive(pattern.dropFirst(), text) || (!text.isEmpty && naive(pattern, text.dropFirst()))
      }
      guard let letter = text.first, first == "?" || first == letter else { return false }
      return naive(pattern.dropFirst(), text.dropFirst())
    }
    var random = SeededRandom(seed: seed)
    func word(_ letters: String) -> String {
      String((0..<Int.random(in: 0...7, using: &random)).map { _ in letters.randomElement(using: &random) ?? "a" })
    }
    for _ in 0..<4000 {
      let (pattern, text) = (word("ab*?"), word("ab"))
      #expect(matches(pattern, text) == naive(pattern[...], text[...]), "\(pattern) and \(text)")
    }
  }
}
