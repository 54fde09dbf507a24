import Foundation
import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// The form of text in which people are searched for.
@Suite struct SearchTextTests {
  /// The oracle: Python's compatibility decomposition, case folding and combining classes, for all characters of its
  /// Unicode version.
  private static let oracle = """
    import unicodedata
    def plain(text):
        before = None
        while text != before:
            before = text
            text = unicodedata.normalize("NFKD", text).casefold()
            text = "".join(c for c in text if not unicodedata.combining(c))
        return text
    for c in map(chr, range(0x110000)):
        kind = unicodedata.category(c)
        if kind in ("Cn", "Cs", "Cc", "Cf", "Zl", "Zp") or unicodedata.combining(c): continue
        print(c.encode().hex(), plain(c).encode().hex())
    """

  @Test(.enabled(if: findProgram("python3") != nil)) func foldsLikePython() throws {
    let result = try runProgram("python3", ["-c", Self.oracle])
    try #require(result.succeeded, "\(result.errors)")
    var count = 0
    var (wrong, others): ([String], Int) = ([], 0)
    for line in result.output.split(separator: "\n") {
      let words = line.split(separator: " ", omittingEmptySubsequences: false)
      let text = String(decoding: Self.bytes(words[0]), as: UTF8.self)
      let expected = String(decoding: Self.bytes(words[1]), as: UTF8.self)
      count += 1
      // People type an acute accent for an apostrophe.
      if text != "´", text != "\u{1ffd}", SearchText.form(text) != SearchText.form(expected) { wrong.append(text) }
      if SearchText.form(text) != expected { others += 1 }
    }
    #expect(count > 140_000)
    #expect(wrong.isEmpty, "\(wrong.prefix(40))")
    // Ours alone: letters with a stroke or a hook, dashes and apostrophes, blanks, and what nobody types.
    #expect(others < 800, "\(others)")
  }

  @Test(arguments: [
    ("①", "1"), ("Henry Ⅳ", "henry iv"), ("Ｊｏｈｎ", "john"), ("ﬁona", "fiona"), ("m²", "m2"), ("ｶﾞ", "カ"),
    ("İpek", "ipek"), ("Yılmaz", "yilmaz"), ("Łukasz", "lukasz"), ("Đorđe", "dorde"), ("Þór", "thor"),
    ("Ægir", "aegir"),
    ("Straße", "strasse"), ("Sørensen", "sorensen"), ("Əliyev", "eliyev"), ("O'Brien", "obrien"), ("O’Brien", "obrien"),
    ("OʼBrien", "obrien"), ("D`Angelo", "dangelo"), ("Jean–Luc", "jean-luc"), ("Ana\u{a0}Nová", "ana nova"),
    ("山田\u{3000}太郎", "山田 太郎"), ("葛\u{e0100}城", "葛城"), ("co\u{ad}op", "coop"), ("ΝΊΚΟΣ", "νικοσ"), ("Ёлкин", "елкин"),
  ])
  func whatPeopleType(text: String, form: String) {
    #expect(SearchText.form(text) == form.decomposedStringWithCanonicalMapping)
    #expect(SearchText.form(SearchText.form(text)) == SearchText.form(text))
  }

  /// The rules of Unicode's word boundaries where they say more than spaces, and one term for each character of scripts that
  /// write a name without any.
  @Test(arguments: [
    ("Anne-Marie", ["anne-marie", "marie"]), ("Peter St.John", ["peter", "st.john", "john"]),
    ("O'Brien", ["obrien", "brien"]), ("O’Brien", ["obrien", "brien"]), ("Smith/Jones", ["smith/jones", "jones"]),
    ("Smith,John", ["smith,john", "john"]), ("Smith (Jones)", ["smith", "(jones)", "jones)"]),
    ("„Bob“ Ray", ["„bob“", "bob“", "ray"]), ("Jean–Luc", ["jean-luc", "luc"]), ("Ana\u{a0}Nová", ["ana", "nova"]),
    ("A&B", ["a&b", "b"]), ("R2D2", ["r2d2"]), ("山田太郎", ["山田太郎", "田太郎", "太郎", "郎"]), ("さくら", ["さくら", "くら", "ら"]),
    ("김민준", ["김민준", "민준", "준"]), ("ジョン・スミス", ["ジョン・スミス", "スミス"]), ("李Anna", ["李anna", "anna"]),
    ("Νίκος-Ηλίας", ["νικοσ-ηλιασ", "ηλιασ"]), ("\u{300}", []), ("''", []), ("", []),
    ("\tAna\nMaria ", ["ana", "maria"]),
  ])
  func theTermsOfAName(name: String, terms: [String]) {
    #expect(Set(Self.terms(name, .names)) == Set(terms.map(\.decomposedWithoutVoicing)))
  }

  @Test(arguments: [
    ("ana.maria@acme.test", ["ana.maria@acme.test"]),
    ("anne-marie@acme.test", ["anne-marie@acme.test", "marie@acme.test"]),
    ("o'brien@x", ["obrien@x", "brien@x"]), ("Jürg/ext-1", ["jurg/ext-1", "1"]), ("太郎", ["太郎"]),
  ])
  func theTermsOfAnAddress(name: String, terms: [String]) {
    #expect(Set(Self.terms(name, .doubleNames)) == Set(terms))
  }

  /// Its buffer has room for the longest form of any text.
  @Test func theLongestForms() {
    for text in [String(repeating: "\u{fdfa}", count: 300), String(repeating: "㌖", count: 300)] {
      let count = SearchText.form(text).utf8.count
      #expect(count > 2 * text.utf8.count && count <= SearchText.growth * text.utf8.count)
      #expect(!Self.terms(text, .names).isEmpty)
    }
  }

  private static func terms(_ text: String, _ parts: SearchText.Parts) -> [String] {
    var terms: [String] = []
    var text = text
    text.withUTF8 {
      SearchText.forEachTerm(of: UnsafeRawBufferPointer($0), parts) {
        terms.append(String(decoding: $0, as: UTF8.self))
      }
    }
    return terms
  }

  private static func bytes(_ digits: Substring) -> [UInt8] {
    let digits = digits.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
}

extension SearchText {
  fileprivate static func form(_ text: String) -> String {
    var text = text
    return text.withUTF8 { with(UnsafeRawBufferPointer($0)) { String(decoding: $0, as: UTF8.self) } }
  }
}

extension String {
  /// Decomposed, without the marks of Japanese voicing.
  fileprivate var decomposedWithoutVoicing: String {
    String(
      String.UnicodeScalarView(
        decomposedStringWithCanonicalMapping.unicodeScalars.filter {
          $0.properties.canonicalCombiningClass == .notReordered
        }))
  }
}
