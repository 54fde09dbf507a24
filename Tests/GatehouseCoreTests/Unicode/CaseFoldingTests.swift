import Foundation
import GatehouseTestSupport
import Testing

@testable import GatehouseCore

@Suite struct CaseFoldingTests {
  private static let scalars = (UInt32(0)...0x10ffff).compactMap(Unicode.Scalar.init)

  /// The oracle: Python's own tables, for all characters of its Unicode version and for random texts of them. An
  /// assigned character keeps its folding and normal form in all later versions.
  private static let oracle = """
    import random, sys, unicodedata
    def fold(text):
        return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())
    known = [c for c in map(chr, range(0x110000)) if unicodedata.category(c) not in ("Cn", "Cs")]
    for c in known:
        if fold(c) != c or unicodedata.normalize("NFD", c) != c: print(c.encode().hex(), fold(c).encode().hex())
    print("known", *(f"{ord(c):x}" for c in known if c > "\\x7f"))
    random.seed(6)
    special = [c for c in known if fold(c) != c] + [c for c in known if unicodedata.combining(c)] * 2
    for _ in range(60000):
        text = "".join(random.choice(special if random.random() < 0.8 else known) for _ in range(random.randint(1, 9)))
        print(text.encode().hex(), fold(text).encode().hex())
    """

  @Test(.enabled(if: findProgram("python3") != nil)) func foldsLikePython() throws {
    let result = try runProgram("python3", ["-c", Self.oracle])
    try #require(result.succeeded, "\(result.errors)")
    var known: Set<UInt32> = Set(0...0x7f)
    var wrong: [Substring] = []
    var folded: Set<[UInt8]> = []
    for line in result.output.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words[0] == "known" {
        known.formUnion(words.dropFirst().compactMap { UInt32($0, radix: 16) })
        continue
      }
      let text = Self.bytes(words[0])
      folded.insert(text)
      if Self.folded(text) != Self.bytes(words[1]) { wrong.append(line) }
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(20))")
    #expect(known.count > 140_000 && folded.count > 60_000)
    // All other characters are unchanged.
    let changed = Self.scalars.filter { scalar in
      let bytes = Array(String(scalar).utf8)
      return known.contains(scalar.value) && !folded.contains(bytes) && Self.folded(bytes) != bytes
    }
    #expect(changed.isEmpty, "\(changed.prefix(20))")
  }

  /// A folded name is looked up by its folded form, in a buffer of three times its size.
  @Test func aFoldedTextFoldsToItself() {
    for scalar in Self.scalars {
      // What changes by itself, or joins what is beside it, also is tried in company.
      let alone = Array(String(scalar).utf8)
      let isPlain = scalar.properties.canonicalCombiningClass == .notReordered && Self.folded(alone) == alone
      let texts = isPlain ? [String(scalar)] : [String(scalar), "α\(scalar)\u{301}", "\(scalar)\u{345}\u{323}ι"]
      for text in texts {
        let bytes = Array(text.utf8)
        let once = Self.folded(bytes)
        guard Self.folded(once) == once, once.count <= CaseFolding.growth * bytes.count else {
          Issue.record(
            "U+\(String(scalar.value, radix: 16)) in \(bytes) folds to \(once) and that to \(Self.folded(once))")
          return
        }
      }
    }
  }

  @Test(arguments: [
    ["νίκος", "ΝΊΚΟΣ", "ΝΊΚΟς", "νι\u{301}κοσ"], ["Straße", "STRASSE", "straſſe", "STRAẞE"],
    ["ﬁona", "FIONA", "fIona"],
    ["µ", "μ", "Μ"], ["ŉ", "ʼN"], ["ᾳ", "ΑΙ", "ᾼ", "αΙ"], ["Ångström", "A\u{30a}NGSTRO\u{308}M", "Å" + "ngström"],
  ])
  func textsThatReadAlikeAreOneName(names: [String]) {
    #expect(Set(names.map { FoldedName($0) }).count == 1)
    let partitioning = Partitioning(count: 64, key: HashKey(low: 5, high: 6))
    #expect(Set(names.map { NameKey($0, partitioning).hash }).count == 1)
  }

  @Test func invalidTextFoldsToNothing() {
    for bytes: [UInt8] in [[0xff], [0x61, 0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80]] {
      #expect(bytes.withUnsafeBytes { FoldedName.withFolded($0) { $0.count } } == 0)
    }
    let long = Array(repeating: UInt8(ascii: "a"), count: Limits.usernameBytes + 1)
    #expect(long.withUnsafeBytes { FoldedName.withFolded($0) { $0.count } } == 0)
  }

  @Test func longTextsFoldToo() {
    let text = String(repeating: "ŉ", count: 2000)
    #expect(FoldedName(text).text == String(repeating: "ʼn", count: 2000))
    #expect(FoldedName(String(repeating: "A", count: 5000)).text == String(repeating: "a", count: 5000))
    // Marks in the worst order.
    let marks = String(repeating: "\u{301}\u{327}", count: 500)
    #expect(FoldedName("E" + marks).text.unicodeScalars.count == 1000)
  }

  /// The tables equal the generator's output, if the data of their version are installed.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/usr/share/unicode/CaseFolding.txt")))
  func theTablesMatchTheData() throws {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    let result = try runProgram(root.appendingPathComponent("tools/unicode-tables").path, ["--check"])
    #expect(result.succeeded, "\(result.output)\(result.errors)")
  }

  private static func folded(_ bytes: [UInt8]) -> [UInt8] {
    bytes.withUnsafeBytes { FoldedText.with($0) { Array($0) } }
  }

  private static func bytes(_ digits: Substring) -> [UInt8] {
    let digits = digits.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
}
