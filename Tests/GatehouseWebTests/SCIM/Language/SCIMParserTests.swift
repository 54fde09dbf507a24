import GatehouseTestSupport
import Testing

@testable import GatehouseWeb

/// Filters and paths as they are read.
struct SCIMParserTests {
  private typealias Path = SCIMAttributePath

  @Test func comparisons() throws {
    #expect(
      try SCIMParser.filter(#"userName Eq "a\"b\u00e9\ud83d\ude00""#)
        == .compare(Path("userName"), .equal, .string("a\"bé😀")))
    #expect(try SCIMParser.filter("active eq true") == .compare(Path("active"), .equal, .bool(true)))
    #expect(try SCIMParser.filter("title PR") == .present(Path("title")))
    #expect(try SCIMParser.filter("x gt -1.5e2") == .compare(Path("x"), .greater, .number(-150)))
    #expect(try SCIMParser.filter("a.b eq null") == .compare(Path("a", "b"), .equal, .null))
    let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    #expect(
      try SCIMParser.filter(#"\#(urn):manager.value eq "1""#)
        == .compare(Path("manager", "value", urn: urn), .equal, .string("1")))
  }

  @Test("and binds more than or, brackets more than either") func logic() throws {
    let (a, b, c) = (SCIMFilter.present(Path("a")), SCIMFilter.present(Path("b")), SCIMFilter.present(Path("c")))
    #expect(try SCIMParser.filter("a pr or b pr AND c pr") == .or(a, .and(b, c)))
    #expect(try SCIMParser.filter("(a pr or b pr) and c pr") == .and(.or(a, b), c))
    #expect(try SCIMParser.filter("NOT (a pr)and not(b pr)") == .and(.not(a), .not(b)))
    // An attribute may be called as an operator is.
    #expect(try SCIMParser.filter(#"not eq "x""#) == .compare(Path("not"), .equal, .string("x")))
  }

  @Test("values in brackets, and what providers put behind them") func valueFilters() throws {
    let work = SCIMFilter.compare(Path("type"), .equal, .string("work"))
    #expect(try SCIMParser.filter(#"emails[type eq "work"]"#) == .anyValue(Path("emails"), work))
    #expect(
      try SCIMParser.filter(#"emails[type eq "work"].value eq "x""#)
        == .anyValue(Path("emails"), .and(work, .compare(Path("value"), .equal, .string("x")))))
  }

  @Test func paths() throws {
    let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    #expect(try SCIMParser.path("members") == SCIMPath(Path("members")))
    #expect(try SCIMParser.path("name.givenName") == SCIMPath(Path("name", "givenName")))
    #expect(try SCIMParser.path("\(urn):manager") == SCIMPath(Path("manager", urn: urn)))
    #expect(
      try SCIMParser.path(#"addresses[type eq "work" and primary eq true].street-Address"#)
        == SCIMPath(
          Path("addresses", "street-Address"),
          .and(
            .compare(Path("type"), .equal, .string("work")), .compare(Path("primary"), .equal, .bool(true)))))
  }

  @Test(
    "what is none says what is wrong, and where",
    arguments: [
      ("", "an attribute is missing, at character 1, near ''"),
      ("userName", "an operator is missing, at character 9, near 'userName'"),
      (
        "userName is \"x\"",
        "no operator 'is'; operators are eq ne co sw ew gt ge lt le pr, at character 12, near 'userName is \"x\"'"
      ),
      ("a eq \"x", "a text without its closing quote, at character 8, near 'a eq \"x'"),
      ("(a pr", "')' is missing, at character 6, near '(a pr'"),
      ("a pr b", "this is not understood, at character 6, near 'a pr b'"),
      ("a eq x", "a value is missing: a text in quotes, a number, true, false or null, at character 6, near 'a eq x'"),
      ("a eq \"\\ud800\"", "half of a surrogate pair, at character 13, near 'a eq \"\\ud800\"'"),
      ("1a eq 1", "'1a' is no attribute, at character 3, near '1a eq 1'"),
    ]) func faults(_ text: String, _ detail: String)
  {
    #expect(throws: SCIMError.invalid(.invalidFilter, detail)) { try SCIMParser.filter(text) }
  }

  @Test("brackets nest to a limit, and long texts are refused") func limits() {
    let deep = String(repeating: "(", count: 17) + "a pr" + String(repeating: ")", count: 17)
    #expect(throws: SCIMError.self) { try SCIMParser.filter(deep) }
    #expect((try? SCIMParser.filter(String(deep.dropFirst().dropLast()))) != nil)
    #expect(throws: SCIMError.self) { try SCIMParser.filter("a eq \"\(String(repeating: "x", count: 4096))\"") }
  }

  @Test("a filter is read as it was written, and rubbish stops no server") func randomFilters() throws {
    var random = SeededRandom(seed: 7)
    for _ in 0..<500 {
      let filter = Self.random(&random, 0)
      #expect(try SCIMParser.filter(Self.text(filter)) == filter)
    }
    let letters = Array(#"ab.:[]()" \'eq and or not pr true 1.5-"#)
    for _ in 0..<2000 {
      let text = String(
        (0..<Int.random(in: 0...40, using: &random)).map { _ in letters.randomElement(using: &random)! })
      _ = try? SCIMParser.filter(text)
      _ = try? SCIMParser.path(text)
    }
  }

  private static func random(_ random: inout SeededRandom, _ depth: Int) -> SCIMFilter {
    let path = Path(
      ["a", "userName", "x-1"].randomElement(using: &random)!, Bool.random(using: &random) ? "sub" : nil,
      urn: Bool.random(using: &random) ? "urn:x:2.0:User" : nil)
    switch Int.random(in: 0...(depth < 4 ? 5 : 1), using: &random) {
    case 0: return .present(path)
    case 1:
      let literals: [SCIMLiteral] = [.string("a \"\\ é"), .bool(false), .null, .number(12), .string("")]
      return .compare(
        path, SCIMComparison.allCases.randomElement(using: &random)!, literals.randomElement(using: &random)!)
    case 2: return .and(Self.random(&random, depth + 1), Self.random(&random, depth + 1))
    case 3: return .or(Self.random(&random, depth + 1), Self.random(&random, depth + 1))
    case 4: return .not(Self.random(&random, depth + 1))
    default: return .anyValue(Path("emails"), Self.random(&random, depth + 1))
    }
  }

  private static func text(_ path: SCIMAttributePath) -> String {
    (path.urn.map { "\($0):" } ?? "") + path.name + (path.sub.map { ".\($0)" } ?? "")
  }

  private static func text(_ filter: SCIMFilter) -> String {
    switch filter {
    case .present(let path): "\(text(path)) pr"
    case .compare(let path, let comparison, let literal): "\(text(path)) \(comparison.rawValue) \(text(literal))"
    case .anyValue(let path, let inner): "\(text(path))[\(text(inner))]"
    case .and(let left, let right): "(\(text(left))) and (\(text(right)))"
    case .or(let left, let right): "(\(text(left))) or (\(text(right)))"
    case .not(let inner): "not (\(text(inner)))"
    }
  }

  private static func text(_ literal: SCIMLiteral) -> String {
    switch literal {
    case .string(let text): JSON.string(text).text
    case .number(let number): "\(number)"
    case .bool(let flag): "\(flag)"
    case .null: "null"
    }
  }
}
