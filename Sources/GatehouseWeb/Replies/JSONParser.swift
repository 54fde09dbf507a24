/// Reads JSON (RFC 8259) in one pass over its bytes, strictly.
///
/// What other readers take in different ways is refused, so that nobody is told another thing than Gatehouse understands:
/// two members of one name, half of a surrogate pair, bytes that are not UTF-8. What may cost more than its length is
/// bounded: how deeply values nest, and how long a number is. A byte order mark in front is passed over.
struct JSONParser {
  static let mostDepth = 64
  static let mostDigits = 256
  /// From so many members on, names are looked up instead of compared one by one.
  private static let fewMembers = 16

  /// What is wrong, and at which byte, from 1.
  struct Fault: Error, Equatable {
    let what: String
    let position: Int
  }

  private let bytes: UnsafeRawBufferPointer
  private var index = 0
  private var depth = 0

  static func value(of bytes: UnsafeRawBufferPointer) throws(Fault) -> JSON {
    var parser = JSONParser(bytes: bytes)
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { parser.index = 3 }
    parser.skipBlanks()
    let value = try parser.value()
    parser.skipBlanks()
    guard parser.index == bytes.count else { throw parser.fault("something follows the value") }
    return value
  }

  private init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  // MARK: Values

  private mutating func value() throws(Fault) -> JSON {
    guard index < bytes.count else { throw fault("a value is missing") }
    switch bytes[index] {
    case 0x7b: return try nested { (parser) throws(Fault) in try parser.object() }
    case 0x5b: return try nested { (parser) throws(Fault) in try parser.array() }
    case 0x22: return .string(try string())
    case 0x2d, 0x30...0x39: return try number()
    case 0x74: return try word("true", .bool(true))
    case 0x66: return try word("false", .bool(false))
    case 0x6e: return try word("null", .null)
    default: throw fault("no value begins so")
    }
  }

  private mutating func nested(_ body: (inout JSONParser) throws(Fault) -> JSON) throws(Fault) -> JSON {
    depth += 1
    guard depth <= Self.mostDepth else { throw fault("more than \(Self.mostDepth) values inside each other") }
    index += 1
    skipBlanks()
    let value = try body(&self)
    depth -= 1
    return value
  }

  private mutating func word(_ word: StaticString, _ value: JSON) throws(Fault) -> JSON {
    let end = index + word.utf8CodeUnitCount
    guard end <= bytes.count,
      bytes[index..<end].elementsEqual(UnsafeBufferPointer(start: word.utf8Start, count: end - index))
    else { throw fault("no value begins so") }
    index = end
    return value
  }

  private mutating func array() throws(Fault) -> JSON {
    var elements: [JSON] = []
    if take(0x5d) { return .array(elements) }
    while true {
      elements.append(try value())
      skipBlanks()
      if take(0x5d) { return .array(elements) }
      guard take(0x2c) else { throw fault("a comma or the end of the list is missing") }
      skipBlanks()
    }
  }

  private mutating func object() throws(Fault) -> JSON {
    var members: [JSON.Member] = []
    var names = Set<[UInt8]>()
    if take(0x7d) { return .object(members) }
    while true {
      guard index < bytes.count, bytes[index] == 0x22 else { throw fault("the name of a member is missing") }
      let start = index
      let name = try string()
      guard !Self.has(name, members, &names) else {
        throw Fault(what: "two members of an object have the same name", position: start + 1)
      }
      skipBlanks()
      guard take(0x3a) else { throw fault("a colon is missing behind a name") }
      skipBlanks()
      members.append((name, try value()))
      skipBlanks()
      if take(0x7d) { return .object(members) }
      guard take(0x2c) else { throw fault("a comma or the end of the object is missing") }
      skipBlanks()
    }
  }

  /// Whether an object has a name already. Names are the same if their characters are, not if they look alike.
  private static func has(_ name: String, _ members: [JSON.Member], _ names: inout Set<[UInt8]>) -> Bool {
    if members.count < fewMembers { return members.contains { $0.name.utf8.elementsEqual(name.utf8) } }
    if names.isEmpty { for member in members { names.insert(Array(member.name.utf8)) } }
    return !names.insert(Array(name.utf8)).inserted
  }

  // MARK: Numbers

  private mutating func number() throws(Fault) -> JSON {
    let start = index
    _ = take(0x2d)
    if !take(0x30) { try digits() }
    var isWhole = true
    if take(0x2e) {
      isWhole = false
      try digits()
    }
    if take(0x65) || take(0x45) {
      isWhole = false
      if !take(0x2b) { _ = take(0x2d) }
      try digits()
    }
    guard index - start <= Self.mostDigits else {
      throw Fault(what: "a number has more than \(Self.mostDigits) characters", position: start + 1)
    }
    let text = String(decoding: bytes[start..<index], as: UTF8.self)
    if isWhole, let integer = Int64(text) { return .integer(integer) }
    // A number that the processor's numbers do not hold exactly stays as it was written.
    guard let number = Double(text), number.isFinite, DecimalDigits(text) == DecimalDigits("\(number)") else {
      return .decimal(text)
    }
    return .number(number)
  }

  private mutating func digits() throws(Fault) {
    let start = index
    while index < bytes.count, bytes[index] &- 0x30 < 10 { index += 1 }
    guard index > start else { throw fault("a digit is missing") }
  }

  // MARK: Strings

  private mutating func string() throws(Fault) -> String {
    index += 1
    let start = index
    // Fast path: nearly all are plain.
    while index < bytes.count, bytes[index] != 0x22, bytes[index] != 0x5c, bytes[index] >= 0x20 { index += 1 }
    var text: [UInt8]?
    if index < bytes.count, bytes[index] == 0x5c { text = try unescaped(from: start) }
    guard index < bytes.count else { throw fault("a text without its closing quote") }
    guard bytes[index] == 0x22 else { throw fault("a control character inside a text; write it as \\u00XX") }
    let plain =
      text.map { String(validating: $0, as: UTF8.self) } ?? String(validating: bytes[start..<index], as: UTF8.self)
    guard let plain else { throw Fault(what: "a text that is not UTF-8", position: start + 1) }
    index += 1
    return plain
  }

  /// The text up to its closing quote, or to what may not stand in it.
  private mutating func unescaped(from start: Int) throws(Fault) -> [UInt8] {
    var text = Array(bytes[start..<index])
    while index < bytes.count, bytes[index] != 0x22, bytes[index] >= 0x20 {
      if bytes[index] == 0x5c {
        index += 1
        try escape(into: &text)
      } else {
        text.append(bytes[index])
        index += 1
      }
    }
    return text
  }

  private mutating func escape(into text: inout [UInt8]) throws(Fault) {
    guard index < bytes.count else { throw fault("a text without its closing quote") }
    let byte = bytes[index]
    index += 1
    switch byte {
    case 0x22, 0x5c, 0x2f: text.append(byte)
    case 0x62: text.append(8)
    case 0x66: text.append(12)
    case 0x6e: text.append(10)
    case 0x72: text.append(13)
    case 0x74: text.append(9)
    case 0x75: text += UTF8.encode(try scalar())!
    default: throw Fault(what: "an escape that JSON does not have", position: index)
    }
  }

  private mutating func scalar() throws(Fault) -> Unicode.Scalar {
    let start = index - 1
    var value = try hexadecimal()
    if (0xd800..<0xdc00).contains(value), index + 1 < bytes.count, bytes[index] == 0x5c, bytes[index + 1] == 0x75 {
      index += 2
      let low = try hexadecimal()
      // No scalar, so that it is refused below.
      value = (0xdc00..<0xe000).contains(low) ? 0x10000 + (value - 0xd800) << 10 + (low - 0xdc00) : 0xd800
    }
    guard let scalar = Unicode.Scalar(value) else {
      throw Fault(what: "half of a surrogate pair", position: start)
    }
    return scalar
  }

  private mutating func hexadecimal() throws(Fault) -> UInt32 {
    guard index + 4 <= bytes.count else { throw fault("\\u without four hexadecimal digits") }
    var value: UInt32 = 0
    for byte in bytes[index..<index + 4] {
      let digit: UInt8
      switch byte {
      case 0x30...0x39: digit = byte - 0x30
      case 0x41...0x46, 0x61...0x66: digit = (byte | 0x20) - 0x57
      default: throw fault("\\u without four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
    }
    index += 4
    return value
  }

  // MARK: Characters

  private mutating func skipBlanks() {
    while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 9 || bytes[index] == 10 || bytes[index] == 13 {
      index += 1
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard index < bytes.count, bytes[index] == byte else { return false }
    index += 1
    return true
  }

  private func fault(_ what: String) -> Fault { Fault(what: what, position: index + 1) }
}

/// A number's digits without the zeros around them, and where its point stands: the same for all ways to write it.
private struct DecimalDigits: Equatable {
  private var isNegative = false
  private var digits: [UInt8] = []
  private var exponent = 0

  init(_ text: String) {
    var parts = Array(text.utf8)[...]
    if parts.first == 0x2d {
      isNegative = true
      parts = parts.dropFirst()
    }
    if let mark = parts.firstIndex(where: { $0 | 0x20 == 0x65 }) {
      exponent = Int(String(decoding: parts[(mark + 1)...], as: UTF8.self)) ?? Int(Int32.max)
      parts = parts[..<mark]
    }
    if let point = parts.firstIndex(of: 0x2e) {
      exponent -= parts.endIndex - point - 1
      parts = parts[..<point] + parts[(point + 1)...]
    }
    digits = Array(parts.drop { $0 == 0x30 })
    while digits.last == 0x30 {
      digits.removeLast()
      exponent += 1
    }
    if digits.isEmpty { (exponent, isNegative) = (0, false) }
  }
}
