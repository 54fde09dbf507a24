import GatehouseTestSupport

/// Texts to be read as JSON: generated ones, the same with something changed, and hostile ones.
struct JSONSamples {
  private var random = SeededRandom(seed: 8259)

  /// - Returns: the same texts each time.
  var all: [[UInt8]] {
    var copy = self
    return copy.generated() + Self.hostile.map { Array($0.utf8) } + Self.bytes
  }

  private mutating func generated() -> [[UInt8]] {
    var texts: [[UInt8]] = []
    for _ in 0..<3000 {
      let text = Array(value(depth: 0).utf8)
      texts.append(text)
      texts.append(broken(text))
    }
    return texts
  }

  // MARK: Values

  private mutating func value(depth: Int) -> String {
    switch random.next(below: depth > 5 ? 5 : 8) {
    case 0: return pick(["true", "false", "null"])
    case 1, 2: return number()
    case 3, 4: return string()
    case 5, 6:
      return "[\(blank())\((0..<count()).map { _ in value(depth: depth + 1) }.joined(separator: ",\(blank())"))]"
    default:
      return "{\(blank())"
        + (0..<count()).map { _ in "\(string())\(blank()):\(blank())\(value(depth: depth + 1))" }.joined(separator: ",")
        + "\(blank())}"
    }
  }

  private mutating func count() -> Int { random.next(below: 5) }
  private mutating func blank() -> String { pick(["", "", "", " ", "\n", "\t\r "]) }
  private mutating func pick(_ choices: [String]) -> String { choices[random.next(below: choices.count)] }

  private mutating func number() -> String {
    var text =
      pick(["", "-"])
      + pick(["0", "1", "7", "42", "9223372036854775807", "9223372036854775808", "18446744073709551616"])
    if random.next(below: 3) == 0 { text += "." + pick(["0", "5", "25", "1000", "12345678901234567890", "000000001"]) }
    if random.next(below: 4) == 0 {
      text += pick(["e", "E"]) + pick(["", "+", "-"]) + pick(["0", "1", "7", "22", "308", "400"])
    }
    return text
  }

  private mutating func string() -> String {
    let parts = (0..<random.next(below: 6)).map { _ in
      pick([
        "a", "Z", "é", "e\u{301}", "日本", "😀", "\\n", "\\\"", "\\\\", "\\/", "\\u0041", "\\u00e9", "\\ud83d\\ude00",
        "\\u2028",
        " ", "\u{7f}", "\\b\\f\\r\\t", "\u{10ffff}", "\\uFFFF", "<", "key",
      ])
    }
    return "\"\(parts.joined())\""
  }

  // MARK: Broken

  /// The text with a byte removed, changed, put in or doubled, or cut off.
  private mutating func broken(_ text: [UInt8]) -> [UInt8] {
    var text = text
    for _ in 0...random.next(below: 2) where !text.isEmpty {
      let place = random.next(below: text.count)
      switch random.next(below: 5) {
      case 0: text.remove(at: place)
      case 1: text[place] = UInt8(random.next(below: 256))
      case 2: text.insert(Array(#"{}[]",:\0-.eEu/ "#.utf8)[random.next(below: 16)], at: place)
      case 3: text.insert(text[place], at: place)
      default: text.removeSubrange(place...)
      }
    }
    return text
  }

  // MARK: Hostile

  private static let hostile = [
    "", " ", "\u{feff}1", "\u{feff}\u{feff}1", "[1,]", "[,1]", "[1 2]", "{\"a\":1,}", "{,}", "{\"a\"}", "{\"a\":}",
    "{1:2}", "{a:1}",
    "{'a':1}", "'a'", "+1", "01", "-01", "--1", "-", ".5", "5.", "1.e1", "1e", "1e+", "0x10", "1_000", "Infinity",
    "-Infinity", "NaN",
    "nan", "True", "TRUE", "nulll", "tru", "/*c*/1", "//c\n1", "1 //c", "\"a", "\"\\", "\"\\u12\"", "\"\\u12g4\"",
    "\"\\u+123\"",
    "\"\\U0041\"", "\"\\a\"", "\"\\'\"", "\"\\ud800\"", "\"\\udfff\"", "\"\\ud800\\ud800\"", "\"\\udbff\\udfff\"",
    "\"\\ud800x\"",
    "\"\\ud83d\\u\"", "\"a\tb\"", "\"a\nb\"", "\"a\u{0}b\"", "\u{0}", "1\u{0}", "\u{b}1", "\u{a0}1", "\u{2028}1",
    "\u{3000}1", "1\u{c}",
    "[1]]", "[[1]", "{}}", "1 1", "{}{}", "[\"a\"\"b\"]", "{\"a\":1,\"a\":1}", "{\"a\":{\"a\":1},\"b\":{\"a\":1}}",
    "{\"\":1,\"\":2}", "{\"a\":1,\"A\":2}", "{\"\\u0061\":1,\"a\":2}", "{\"é\":1,\"e\u{301}\":2}", "-0", "-0.0", "-0e0",
    "0e999999", "1e999999",
    "0.00000000000000000000000000000000001e35", "\"\\u0000\"", "\"\\uD834\\uDD1E\"",
    String(repeating: "9", count: 256), String(repeating: "9", count: 257), "1." + String(repeating: "0", count: 254),
    "1." + String(repeating: "0", count: 255), String(repeating: "[", count: 64) + String(repeating: "]", count: 64),
    String(repeating: "[", count: 65) + String(repeating: "]", count: 65), String(repeating: "[", count: 500),
    String(repeating: "{\"a\":", count: 64) + "1" + String(repeating: "}", count: 64),
    String(repeating: "{\"a\":", count: 65) + "1" + String(repeating: "}", count: 65),
    String(repeating: "[{\"a\":", count: 33) + "1" + String(repeating: "}]", count: 33),
  ]

  private static let bytes: [[UInt8]] = [
    [0xff], [0xfe, 0xff, 0x00, 0x31], [0xff, 0xfe, 0x31, 0x00], [0x22, 0xc3, 0x22], [0x22, 0xc0, 0xaf, 0x22],
    [0x22, 0xed, 0xa0, 0x80, 0x22], [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22], [0x22, 0xe2, 0x82, 0x22], [0x22, 0x80, 0x22],
    [0x22, 0x5c, 0xc3, 0xa9, 0x22], [0x22, 0x5c, 0x75, 0x30, 0x30, 0x34, 0xc3, 0x22], [0xef, 0xbb, 0x31],
    [0xef, 0xbb, 0xbf],
    [0x31, 0x00], [0x00, 0x31], [0x5b, 0x31, 0x2c, 0xa0, 0x32, 0x5d],
  ]
}

extension SeededRandom {
  fileprivate mutating func next(below bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
