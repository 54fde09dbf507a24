import Foundation
import GatehouseTestSupport
import Glibc
import Testing

@testable import GatehouseWeb

/// What is taken for JSON, and for which.
@Suite(.blocking) struct JSONParserTests {
  private func text(_ json: String) throws -> String { try JSON(text: json).text }

  private func fault(_ bytes: [UInt8]) -> JSONParser.Fault? {
    bytes.withUnsafeBytes { bytes in
      do throws(JSONParser.Fault) {
        _ = try JSONParser.value(of: bytes)
        return nil
      } catch {
        return error
      }
    }
  }

  @Test(
    "a fault says what is wrong, and where",
    arguments: [
      ("", "a value is missing", 1), (#"{"a":1,"a":2}"#, "two members of an object have the same name", 8),
      (#"{"a":1,"\u0061":2}"#, "two members of an object have the same name", 8),
      (#""\ud800""#, "half of a surrogate pair", 2), (#""\udc00\ud800""#, "half of a surrogate pair", 2),
      (#""\ud800\u0041""#, "half of a surrogate pair", 2), (#""\x""#, "an escape that JSON does not have", 3),
      ("[1,]", "no value begins so", 4), ("[1", "a comma or the end of the list is missing", 3),
      ("{\"a\" 1}", "a colon is missing behind a name", 6), ("01", "something follows the value", 2),
      ("\"\u{1}\"", "a control character inside a text; write it as \\u00XX", 2), ("1.", "a digit is missing", 3),
      ("nul", "no value begins so", 1), ("NaN", "no value begins so", 1),
      ("{a:1}", "the name of a member is missing", 2),
      (#"{"a":1,}"#, "the name of a member is missing", 8),
    ] as [(String, String, Int)]) func faults(_ json: String, _ what: String, _ position: Int)
  {
    #expect(fault(Array(json.utf8)) == JSONParser.Fault(what: what, position: position), "\(json)")
  }

  @Test(
    "bytes that are not UTF-8 are refused, in any disguise",
    arguments: [
      [0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82],
    ] as [[UInt8]]) func encodings(_ bytes: [UInt8])
  {
    #expect(fault([0x22] + bytes + [0x22])?.what == "a text that is not UTF-8")
    #expect(fault([0x22, 0x5c, 0x6e] + bytes + [0x22])?.what == "a text that is not UTF-8")
    #expect(fault(bytes) != nil)
  }

  @Test("values nest to a limit, and numbers have one") func limits() throws {
    func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    #expect(try text(nested(64)) == nested(64))
    #expect(fault(Array(nested(65).utf8))?.what == "more than 64 values inside each other")
    let objects = String(repeating: #"{"a":"#, count: 65) + "1" + String(repeating: "}", count: 65)
    #expect(fault(Array(objects.utf8))?.what == "more than 64 values inside each other")
    #expect(fault(Array(String(repeating: "1", count: 257).utf8))?.what == "a number has more than 256 characters")
  }

  @Test("numbers are kept exactly") func numbers() throws {
    for number in [
      "0", "-1", "9223372036854775807", "9223372036854775808", "12345678901234567890123456789", "0.1", "1e400",
      "-1E-400",
      "0.12345678901234567890123", "100.0", "1e2", "5e-324", "-0.0",
    ] {
      let read = try text(number)
      #expect(Self.digits(read) == Self.digits(number), "\(number): \(read)")
    }
    #expect(try JSON(text: "9223372036854775807").integer == .max)
    #expect(try JSON(text: "-9223372036854775808").integer == .min)
  }

  /// Sign, digits and exponent.
  private static func digits(_ number: String) -> String {
    let parts = number.lowercased().split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    var exponent = parts.count > 1 ? Int(parts[1])! : 0
    exponent -= mantissa.count > 1 ? mantissa[1].count : 0
    var digits = mantissa.joined().filter { $0 != "-" }.drop { $0 == "0" }
    while digits.last == "0" {
      digits.removeLast()
      exponent += 1
    }
    return digits.isEmpty ? "0" : "\(number.hasPrefix("-") ? "-" : "")\(digits)e\(exponent)"
  }

  @Test("names are the same if their characters are, and not if they look alike") func names() throws {
    #expect(try JSON(text: "{\"\u{e9}\":1,\"e\u{301}\":2}").members?.count == 2)
    let many = (0..<10_000).map { "\"n\($0)\":\($0)" }.joined(separator: ",")
    #expect(try JSON(text: "{\(many)}")["n9999"]?.integer == 9999)
    #expect(fault(Array("{\(many),\"n7\":1}".utf8))?.what == "two members of an object have the same name")
  }

  // MARK: Beside another reader

  /// Reads each text with Python, by the same rules, and what Gatehouse has made of it. Prints those that differ.
  private static let oracle = #"""
    import decimal, json, re, sys
    LONE = re.compile('[\ud800-\udfff]')
    class Bad(Exception): pass
    def pairs(found):
        if len({name for name, _ in found}) < len(found): raise Bad()
        for name, _ in found: plain(name)
        return ('object', found)
    def plain(text):
        if LONE.search(text): raise Bad()
    def number(text):
        if len(text) > 256: raise Bad()
        return decimal.Decimal(text)
    def no(_): raise Bad()
    def walk(value, depth):
        if isinstance(value, str): plain(value)
        elif isinstance(value, list):
            if depth == 64: raise Bad()
            for one in value: walk(one, depth + 1)
        elif isinstance(value, tuple):
            if depth == 64: raise Bad()
            for _, one in value[1]: walk(one, depth + 1)
    def read(data):
        try:
            text = data.decode('utf-8')
            if text.startswith('\ufeff'): text = text[1:]
            value = json.loads(text, object_pairs_hook=pairs, parse_int=number, parse_float=number, parse_constant=no)
            walk(value, 0)
            return True, value
        except (ValueError, Bad, RecursionError):
            return False, None
    count = 0
    good = 0
    for line in open(sys.argv[1]):
        given, made = line.rstrip('\n').split(' ')
        isGood, value = read(bytes.fromhex(given))
        count += 1
        good += isGood
        if made == 'E': same = not isGood
        else: same = isGood and read(bytes.fromhex(made)) == (True, value)
        if not same: print(given, made, isGood)
    print('read', count, 'good', good)
    """#

  @Test("thousands of texts, whole, broken and hostile, are taken and refused as by Python's strict reading")
  func oracle() throws {
    let folder = try TemporaryFolder("json")
    let samples = JSONSamples().all
    var lines = ""
    for sample in samples {
      let made = try? sample.withUnsafeBytes { bytes in try JSONParser.value(of: bytes).text }
      lines += "\(Self.hex(sample)) \(made.map { Self.hex(Array($0.utf8)) } ?? "E")\n"
    }
    try lines.write(toFile: folder.path("samples"), atomically: true, encoding: .utf8)
    let result = try runProgram("python3", ["-c", Self.oracle, folder.path("samples")], limit: .seconds(60))
    #expect(result.succeeded, "\(result.errors)")
    let told = result.output.split(separator: "\n")
    #expect(told.count == 1, "\(told.prefix(5))")
    let words = try #require(told.last).split(separator: " ")
    #expect(words[1] == "\(samples.count)")
    // Of both kinds there are enough.
    let good = try #require(Int(words[3]))
    #expect(good > samples.count / 5 && good < samples.count * 4 / 5, "\(good) of \(samples.count)")
  }

  @Test("what is written escapes what must be, alone, at both ends and beside other characters")
  func escapes() {
    let escapes = [
      ("\"", #"\""#), ("\\", #"\\"#), ("\n", #"\n"#), ("\r", #"\r"#), ("\t", #"\t"#), ("\0", #"\u0000"#),
      ("\u{b}", #"\u000b"#), ("\u{1f}", #"\u001f"#), ("<", #"\u003c"#), (">", #"\u003e"#), ("\u{2028}", #"\u2028"#),
      ("\u{2029}", #"\u2029"#), ("\r\n", #"\r\n"#),
    ]
    let plain = ["", "a", "é", "\u{7f}", "\u{2027}", "\u{202a}", "\u{20a8}", "日本", "👩‍👩‍👧"]
    for (character, escape) in escapes {
      for (before, after) in plain.flatMap({ before in plain.map { (before, $0) } }) {
        let text = before + character + after + character
        #expect(JSON.string(text).text == "\"" + before + escape + after + escape + "\"")
      }
    }
    for text in plain { #expect(JSON.object([(text, .string(text))]).text == #"{"\#(text)":"\#(text)"}"#) }
  }

  private static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  /// As deep as values may be, inside of one.
  private static let deep = String(repeating: "[", count: 63) + String(repeating: "]", count: 63)

  @Test(
    "a body of a mebibyte costs no more than its length, however it nests",
    arguments: [
      JSONParserTests.deep,
      "{}", "\"\\u0041\"",
      "1e1", "\"\"", "{\"a\":[{\"b\":[{\"c\":[1.25]}]}]}",
    ], [true, false]) func cost(_ element: String, isList: Bool) throws
  {
    let count = (1 << 20) / (element.utf8.count + (isList ? 1 : 10))
    let text =
      isList
      ? "[" + Array(repeating: element, count: count).joined(separator: ",") + "]"
      : "{" + (0..<count).map { "\"\($0 + 1_000_000)\":\(element)" }.joined(separator: ",") + "}"
    let start = Self.processorSeconds()
    _ = try JSON(text: text)
    // Quadratic costs would be minutes.
    #expect(Self.processorSeconds() - start < 10)
  }

  /// What this thread has used of the processor, so that others who use it do not count.
  private static func processorSeconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return time.tv_sec
  }
}
