internal import GatehouseCore

extension RESPValue {
  /// The value as redis-cli shows it on a terminal: numbered, indented, with texts in quotes, and a line end after
  /// each.
  /// - Parameter escapesNonASCII: whether non-ASCII characters are shown as `\xHH`, as redis-cli does.
  public func formatted(escapesNonASCII: Bool = false) -> String {
    var output: [UInt8] = []
    append(to: &output, prefix: "", keepsUTF8: !escapesNonASCII)
    return String(decoding: output, as: UTF8.self)
  }

  private func append(to output: inout [UInt8], prefix: String, keepsUTF8: Bool) {
    switch self {
    case .simple(let text): output += "\(ShownText.line(text, isOwn: true))\n".utf8
    case .error(let text): output += "(error) \(ShownText.line(text))\n".utf8
    case .integer(let value): output += "(integer) \(value)\n".utf8
    case .double(let value): output += "(double) \(WireCursor.shown(value))\n".utf8
    case .bigNumber(let digits): output += "(bignum) \(ShownText.line(digits))\n".utf8
    case .null: output += "(nil)\n".utf8
    case .boolean(let value): output += "(\(value))\n".utf8
    case .verbatim(_, let bytes): output += "\(ShownText.bytes(bytes) { ShownText.lines($0) })\n".utf8
    case .bulk(let bytes):
      QuotedText.append(bytes, to: &output, keepsUTF8: keepsUTF8)
      output.append(Byte.lineFeed)
    case .array(let elements):
      Self.append(elements, mark: ")", empty: "array", to: &output, prefix: prefix, keepsUTF8: keepsUTF8)
    case .set(let elements):
      Self.append(elements, mark: "~", empty: "set", to: &output, prefix: prefix, keepsUTF8: keepsUTF8)
    case .push(let elements):
      Self.append(elements, mark: ")", empty: "push", to: &output, prefix: prefix, keepsUTF8: keepsUTF8)
    case .map(let pairs):
      Self.append(pairs, to: &output, prefix: prefix, keepsUTF8: keepsUTF8)
    }
  }

  private static func append(
    _ elements: [RESPValue], mark: String, empty: String, to output: inout [UInt8], prefix: String, keepsUTF8: Bool
  ) {
    if elements.isEmpty { output += "(empty \(empty))\n".utf8 }
    let width = String(elements.count).utf8.count
    let inner = prefix + String(repeating: " ", count: width + 2)
    for (index, element) in elements.enumerated() {
      output += number(index, width, mark, prefix).utf8
      element.append(to: &output, prefix: inner, keepsUTF8: keepsUTF8)
    }
  }

  private static func append(_ pairs: [Pair], to output: inout [UInt8], prefix: String, keepsUTF8: Bool) {
    if pairs.isEmpty { output += "(empty hash)\n".utf8 }
    let width = String(pairs.count).utf8.count
    let inner = prefix + String(repeating: " ", count: width + 2)
    for (index, pair) in pairs.enumerated() {
      output += number(index, width, "#", prefix).utf8
      pair.key.append(to: &output, prefix: inner, keepsUTF8: keepsUTF8)
      output.removeLast()
      output += " => ".utf8
      // A nested list starts on a line of its own, so that its elements are aligned.
      if pair.value.isList { output += "\n\(inner)".utf8 }
      pair.value.append(to: &output, prefix: inner, keepsUTF8: keepsUTF8)
    }
  }

  /// Whether the value is, or contains, an aggregate of several elements.
  private var isList: Bool {
    switch self {
    case .array(let elements), .set(let elements), .push(let elements):
      elements.count > 1 || elements.contains { $0.isList }
    case .map(let pairs):
      pairs.count > 1 || pairs.contains { $0.key.isList || $0.value.isList }
    default: false
    }
  }

  /// The number before an element. The first is not indented, because it follows its parent's number on the same line.
  private static func number(_ index: Int, _ width: Int, _ mark: String, _ prefix: String) -> String {
    let number = String(index + 1)
    let padding = String(repeating: " ", count: width - number.utf8.count)
    return (index == 0 ? "" : prefix) + padding + number + mark + " "
  }
}

extension RESPValue {
  /// The value as plain lines: no quotes and no numbers, one element a line, a map's field and value on one line. Line
  /// ends within values are escaped, so there are as many lines as elements. There is no line end after the last.
  public func plain() -> [UInt8] {
    switch self {
    case .simple(let text): Array(ShownText.line(text, isOwn: true).utf8)
    case .error(let text), .bigNumber(let text): Array(ShownText.line(text).utf8)
    case .integer(let value): Array("\(value)".utf8)
    case .double(let value): Array(WireCursor.shown(value).utf8)
    case .boolean(let value): Array("(\(value))".utf8)
    case .null: []
    case .bulk(let bytes): Array(ShownText.bytes(bytes) { ShownText.line($0) }.utf8)
    case .verbatim(_, let bytes): Array(ShownText.bytes(bytes) { ShownText.lines($0) }.utf8)
    case .array(let elements), .set(let elements), .push(let elements):
      Array(elements.map { $0.plain() }.joined(separator: [Byte.lineFeed]))
    case .map(let pairs):
      Array(pairs.map { $0.key.plain() + [Byte.space] + $0.value.plain() }.joined(separator: [Byte.lineFeed]))
    }
  }
}
