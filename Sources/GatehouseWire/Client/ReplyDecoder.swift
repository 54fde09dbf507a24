/// Why bytes are not a reply.
public enum ReplyError: Error, Sendable, Equatable, CustomStringConvertible {
  case malformed
  /// Values are nested more deeply than `ReplyDecoder.maximumDepth`.
  case tooDeep

  public var description: String {
    switch self {
    case .malformed: "the server sent what is not a reply"
    case .tooDeep: "the server sent a reply that is nested too deeply"
    }
  }
}

/// Decodes one reply, whose end `ReplyScanner` has found.
struct ReplyDecoder {
  static let maximumDepth = 64

  private let bytes: ArraySlice<UInt8>
  /// The index of the next byte.
  private var at: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    at = bytes.startIndex
  }

  mutating func value(depth: Int = 0) throws(ReplyError) -> RESPValue {
    guard depth < Self.maximumDepth else { throw .tooDeep }
    let sign = try byte()
    switch sign {
    case UInt8(ascii: "+"): return .simple(try lineText())
    case UInt8(ascii: "-"): return .error(try lineText())
    case UInt8(ascii: ":"): return .integer(try number())
    case UInt8(ascii: "$"): return try text().map { .bulk($0) } ?? .null
    case UInt8(ascii: "!"): return .error(String(decoding: try text() ?? [], as: UTF8.self))
    case UInt8(ascii: "="): return try verbatim()
    case UInt8(ascii: "_"): return try null()
    case UInt8(ascii: "#"): return .boolean(try boolean())
    case UInt8(ascii: ","): return .double(try double())
    case UInt8(ascii: "("): return .bigNumber(try bigNumber())
    case UInt8(ascii: "*"): return try elements(depth).map { .array($0) } ?? .null
    case UInt8(ascii: "~"): return .set(try elements(depth) ?? [])
    case UInt8(ascii: ">"): return .push(try elements(depth) ?? [])
    case UInt8(ascii: "%"): return .map(try pairs(depth))
    case UInt8(ascii: "|"):
      _ = try pairs(depth)
      return try value(depth: depth + 1)
    default: throw .malformed
    }
  }

  // MARK: Aggregates

  private mutating func elements(_ depth: Int) throws(ReplyError) -> [RESPValue]? {
    let count = try number()
    guard count >= 0 else { return nil }
    var elements: [RESPValue] = []
    // All elements have arrived, and each takes at least three bytes, so a larger count is wrong.
    guard count <= bytes.count else { throw .malformed }
    elements.reserveCapacity(Int(count))
    for _ in 0..<count { elements.append(try value(depth: depth + 1)) }
    return elements
  }

  private mutating func pairs(_ depth: Int) throws(ReplyError) -> [RESPValue.Pair] {
    let count = try number()
    var pairs: [RESPValue.Pair] = []
    guard count <= bytes.count else { throw .malformed }
    pairs.reserveCapacity(max(0, Int(count)))
    for _ in 0..<max(0, count) {
      let key = try value(depth: depth + 1)
      pairs.append(RESPValue.Pair(key, try value(depth: depth + 1)))
    }
    return pairs
  }

  // MARK: Scalars

  private mutating func text() throws(ReplyError) -> [UInt8]? {
    let count = try number()
    guard count >= 0 else { return nil }
    guard count <= bytes.endIndex - at - 2 else { throw .malformed }
    defer { at += Int(count) + 2 }
    return Array(bytes[at..<at + Int(count)])
  }

  private mutating func verbatim() throws(ReplyError) -> RESPValue {
    guard let text = try text(), text.count >= 4, text[3] == UInt8(ascii: ":") else { throw .malformed }
    return .verbatim(format: String(decoding: text[..<3], as: UTF8.self), Array(text[4...]))
  }

  private mutating func null() throws(ReplyError) -> RESPValue {
    guard try line().isEmpty else { throw .malformed }
    return .null
  }

  private mutating func boolean() throws(ReplyError) -> Bool {
    switch try lineText() {
    case "t": return true
    case "f": return false
    default: throw .malformed
    }
  }

  private mutating func double() throws(ReplyError) -> Double {
    switch try lineText() {
    case "inf": return .infinity
    case "-inf": return -.infinity
    case "nan", "-nan": return .nan
    case let text:
      guard let value = Double(text) else { throw .malformed }
      return value
    }
  }

  private mutating func bigNumber() throws(ReplyError) -> String {
    let text = try lineText()
    let digits = text.utf8.drop { $0 == Byte.minus || $0 == UInt8(ascii: "+") }
    guard !digits.isEmpty, text.utf8.count - digits.count <= 1,
      digits.allSatisfy({ $0 >= Byte.zero && $0 <= UInt8(ascii: "9") })
    else { throw .malformed }
    return text
  }

  private mutating func number() throws(ReplyError) -> Int64 {
    guard let value = Int64(try lineText()) else { throw .malformed }
    return value
  }

  // MARK: Bytes

  private mutating func byte() throws(ReplyError) -> UInt8 {
    guard at < bytes.endIndex else { throw .malformed }
    defer { at += 1 }
    return bytes[at]
  }

  private mutating func lineText() throws(ReplyError) -> String { String(decoding: try line(), as: UTF8.self) }

  /// The bytes up to the next CR; the CR and its LF are skipped.
  private mutating func line() throws(ReplyError) -> ArraySlice<UInt8> {
    let start = at
    while try byte() != Byte.carriageReturn {}
    let end = at - 1
    guard try byte() == Byte.lineFeed else { throw .malformed }
    return bytes[start..<end]
  }
}
