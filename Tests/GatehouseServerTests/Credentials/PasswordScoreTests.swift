import Testing

@testable import GatehouseServer

/// How hard passwords are to guess.
@Suite struct PasswordScoreTests {
  @Test(
    "the same character again and again is weak, whatever its script and however many bytes it has",
    arguments: [
      "a", "\u{e4}", "\u{200b}", "\u{3164}", "\u{6f22}", "\u{1f600}", "\u{2764}\u{fe0f}",
      "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
    ])
  func repeated(character: String) {
    #expect(PasswordHasher.score(String(repeating: character, count: 8), []) < 2)
  }

  @Test(
    "a name is weak in any script, and different letters are strong in any",
    arguments: [
      "\u{41f}\u{435}\u{442}\u{440}\u{43e}\u{43f}\u{430}\u{432}\u{43b}\u{43e}\u{432}\u{441}\u{43a}",
      "Zo\u{eb}Stra\u{df}enbauer",
    ])
  func names(name: String) {
    #expect(PasswordHasher.score(name, [name]) < 2)
    #expect(PasswordHasher.score(name, []) >= 2)
  }

  @Test("characters are counted, each by one byte, the same in all texts") func bytes() {
    var text = CountedText()
    let first = text.bytes(of: "a\u{e4}\u{1f600}\u{e4}")
    #expect(first.count == 5 && first[0] == 0x61 && first[1] == first[3] && first[1] < 0 && first[2] != first[1])
    #expect(text.bytes(of: "\u{1f600}") == [first[2], 0])
    #expect(text.bytes(of: "e\u{301}").count == 2)
  }
}
