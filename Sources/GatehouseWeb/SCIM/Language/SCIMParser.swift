/// Reads filters and paths. Each character is looked at once, and brackets nest to a limit, so hostile text costs no more
/// than its length.
struct SCIMParser {
  /// The longest filter, and how deeply brackets nest.
  static let mostBytes = 4096
  static let mostDepth = 16

  private let bytes: [UInt8]
  private var index = 0
  private var depth = 0
  private let kind: SCIMError.Kind

  private init(_ text: String, _ kind: SCIMError.Kind) throws(SCIMError) {
    bytes = Array(text.utf8)
    self.kind = kind
    guard bytes.count <= Self.mostBytes else {
      throw .invalid(kind, "longer than \(Self.mostBytes) bytes; shorten it")
    }
  }

  static func filter(_ text: String) throws(SCIMError) -> SCIMFilter {
    var parser = try SCIMParser(text, .invalidFilter)
    let filter = try parser.disjunction()
    try parser.expectEnd()
    return filter
  }

  static func path(_ text: String) throws(SCIMError) -> SCIMPath {
    var parser = try SCIMParser(text, .invalidPath)
    parser.skipBlanks()
    var path = SCIMPath(try parser.attributePath())
    if parser.take(0x5b) {
      path.filter = try parser.nested { (parser) throws(SCIMError) in try parser.disjunction() }
      try parser.expect(0x5d, "]")
      if parser.take(0x2e) {
        guard path.attribute.sub == nil else { throw parser.failure("a second sub-attribute") }
        path.attribute.sub = try parser.word("a sub-attribute")
      }
    }
    try parser.expectEnd()
    return path
  }

  /// An attribute alone, as in `attributes` and `sortBy`.
  static func attribute(_ text: String) throws(SCIMError) -> SCIMAttributePath {
    var parser = try SCIMParser(text, .invalidPath)
    parser.skipBlanks()
    let path = try parser.attributePath()
    try parser.expectEnd()
    return path
  }

  // MARK: Logic

  private mutating func disjunction() throws(SCIMError) -> SCIMFilter {
    var filter = try conjunction()
    while takeWord("or") { filter = .or(filter, try conjunction()) }
    return filter
  }

  private mutating func conjunction() throws(SCIMError) -> SCIMFilter {
    var filter = try term()
    while takeWord("and") { filter = .and(filter, try term()) }
    return filter
  }

  private mutating func term() throws(SCIMError) -> SCIMFilter {
    skipBlanks()
    if take(0x28) { return try brackets() }
    if isNegation() {
      skipBlanks()
      guard take(0x28) else { throw failure("'(' is missing after not") }
      return .not(try brackets())
    }
    return try comparison()
  }

  /// Takes `not` in front of a bracket; an attribute may be called `not`, too.
  private mutating func isNegation() -> Bool {
    let start = index
    if takeWord("not") {
      skipBlanks()
      if index < bytes.count, bytes[index] == 0x28 { return true }
    }
    index = start
    return false
  }

  private mutating func brackets() throws(SCIMError) -> SCIMFilter {
    let filter = try nested { (parser) throws(SCIMError) in try parser.disjunction() }
    try expect(0x29, ")")
    return filter
  }

  private mutating func nested(
    _ body: (inout SCIMParser) throws(SCIMError) -> SCIMFilter
  ) throws(SCIMError) -> SCIMFilter {
    depth += 1
    guard depth <= Self.mostDepth else { throw failure("more than \(Self.mostDepth) brackets inside each other") }
    let filter = try body(&self)
    depth -= 1
    return filter
  }

  private mutating func comparison() throws(SCIMError) -> SCIMFilter {
    let path = try attributePath()
    if take(0x5b) {
      let inner = try nested { (parser) throws(SCIMError) in try parser.disjunction() }
      try expect(0x5d, "]")
      return try valueComparison(path, inner)
    }
    skipBlanks()
    let name = try word("an operator").lowercased()
    if name == "pr" { return .present(path) }
    guard let comparison = SCIMComparison(rawValue: name) else {
      let all = SCIMComparison.allCases.map(\.rawValue).joined(separator: " ")
      throw failure("no operator '\(name)'; operators are \(all) pr")
    }
    return .compare(path, comparison, try literal())
  }

  /// What follows `emails[…]`: nothing, or `.value eq "x"`, which providers send (the grammar has it in paths alone).
  private mutating func valueComparison(
    _ path: SCIMAttributePath, _ inner: SCIMFilter
  ) throws(SCIMError) -> SCIMFilter {
    guard take(0x2e) else { return .anyValue(path, inner) }
    let sub = SCIMAttributePath(try word("a sub-attribute"))
    skipBlanks()
    let name = try word("an operator").lowercased()
    if name == "pr" { return .anyValue(path, .and(inner, .present(sub))) }
    guard let comparison = SCIMComparison(rawValue: name) else { throw failure("no operator '\(name)'") }
    return .anyValue(path, .and(inner, .compare(sub, comparison, try literal())))
  }

  // MARK: Words

  /// `[urn:]name[.sub]`. The last colon ends the URN, in which there may be dots, as in `…:2.0:User:manager.value`.
  private mutating func attributePath() throws(SCIMError) -> SCIMAttributePath {
    let start = index
    while index < bytes.count, Self.isOfPath(bytes[index]) { index += 1 }
    var text = bytes[start..<index]
    guard !text.isEmpty else { throw failure("an attribute is missing") }
    var urn: String?
    if let colon = text.lastIndex(of: 0x3a) {
      urn = String(decoding: text[..<colon], as: UTF8.self)
      text = text[(colon + 1)...]
    }
    let parts = text.split(separator: 0x2e, omittingEmptySubsequences: false)
    guard parts.count <= 2, parts.allSatisfy({ Self.isName($0) }) else {
      throw failure("'\(String(decoding: bytes[start..<index], as: UTF8.self))' is no attribute")
    }
    let name = String(decoding: parts[0], as: UTF8.self)
    return SCIMAttributePath(name, parts.count > 1 ? String(decoding: parts[1], as: UTF8.self) : nil, urn: urn)
  }

  private static func isOfPath(_ byte: UInt8) -> Bool {
    isLetter(byte) || isDigit(byte) || byte == 0x2d || byte == 0x5f || byte == 0x2e || byte == 0x3a || byte == 0x24
  }

  private static func isName(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard let first = bytes.first, isLetter(first) || first == 0x24 else { return false }
    return bytes.dropFirst().allSatisfy { isLetter($0) || isDigit($0) || $0 == 0x2d || $0 == 0x5f }
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
  private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

  private mutating func word(_ what: String) throws(SCIMError) -> String {
    let start = index
    while index < bytes.count,
      Self.isLetter(bytes[index]) || Self.isDigit(bytes[index]) || bytes[index] == 0x5f
        || bytes[index] == 0x24 || bytes[index] == 0x2d
    {
      index += 1
    }
    guard index > start else { throw failure("\(what) is missing") }
    return String(decoding: bytes[start..<index], as: UTF8.self)
  }

  /// Takes a word in any case, if it stands there by itself.
  private mutating func takeWord(_ word: String) -> Bool {
    let start = index
    skipBlanks()
    let end = index + word.utf8.count
    guard end <= bytes.count, zip(bytes[index..<end], word.utf8).allSatisfy({ $0 | 0x20 == $1 }),
      end == bytes.count || !Self.isOfPath(bytes[end])
    else {
      index = start
      return false
    }
    index = end
    return true
  }

  private mutating func literal() throws(SCIMError) -> SCIMLiteral {
    skipBlanks()
    if index < bytes.count, bytes[index] == 0x22 { return .string(try string()) }
    if takeWord("true") { return .bool(true) }
    if takeWord("false") { return .bool(false) }
    if takeWord("null") { return .null }
    let start = index
    while index < bytes.count, Self.isDigit(bytes[index]) || [0x2b, 0x2d, 0x2e, 0x45, 0x65].contains(bytes[index]) {
      index += 1
    }
    guard let number = Double(String(decoding: bytes[start..<index], as: UTF8.self)), number.isFinite else {
      throw failure("a value is missing: a text in quotes, a number, true, false or null")
    }
    return .number(number)
  }

  /// A JSON string.
  private mutating func string() throws(SCIMError) -> String {
    index += 1
    var text: [UInt8] = []
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      switch byte {
      case 0x22: return String(decoding: text, as: UTF8.self)
      case 0x5c: text += try escape()
      default: text.append(byte)
      }
    }
    throw failure("a text without its closing quote")
  }

  private mutating func escape() throws(SCIMError) -> [UInt8] {
    guard index < bytes.count else { throw failure("a text without its closing quote") }
    let byte = bytes[index]
    index += 1
    switch byte {
    case 0x22, 0x5c, 0x2f: return [byte]
    case 0x62: return [8]
    case 0x66: return [12]
    case 0x6e: return [10]
    case 0x72: return [13]
    case 0x74: return [9]
    case 0x75: return try unicode()
    default: throw failure("an escape that JSON does not have")
    }
  }

  private mutating func unicode() throws(SCIMError) -> [UInt8] {
    var value = try hexadecimal()
    if (0xd800..<0xdc00).contains(value) {
      guard index + 1 < bytes.count, bytes[index] == 0x5c, bytes[index + 1] == 0x75 else {
        throw failure("half of a surrogate pair")
      }
      index += 2
      let low = try hexadecimal()
      guard (0xdc00..<0xe000).contains(low) else { throw failure("half of a surrogate pair") }
      value = 0x10000 + (value - 0xd800) << 10 + (low - 0xdc00)
    }
    guard let scalar = Unicode.Scalar(value) else { throw failure("half of a surrogate pair") }
    return Array(String(scalar).utf8)
  }

  private mutating func hexadecimal() throws(SCIMError) -> UInt32 {
    guard index + 4 <= bytes.count,
      let value = UInt32(String(decoding: bytes[index..<index + 4], as: UTF8.self), radix: 16)
    else { throw failure("\\u without four hexadecimal digits") }
    index += 4
    return value
  }

  // MARK: Characters

  private mutating func skipBlanks() {
    while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 9 { index += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard index < bytes.count, bytes[index] == byte else { return false }
    index += 1
    return true
  }

  private mutating func expect(_ byte: UInt8, _ name: String) throws(SCIMError) {
    skipBlanks()
    guard take(byte) else { throw failure("'\(name)' is missing") }
  }

  private mutating func expectEnd() throws(SCIMError) {
    skipBlanks()
    guard index == bytes.count else { throw failure("this is not understood") }
  }

  private func failure(_ what: String) -> SCIMError {
    let around = String(decoding: bytes[max(0, index - 12)..<min(bytes.count, index + 12)], as: UTF8.self)
    return .invalid(kind, "\(what), at character \(index + 1), near '\(around)'")
  }
}
