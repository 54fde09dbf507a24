internal import GatehouseCore

extension RESPValue {
  /// The value as one line of JSON, without a line end.
  ///
  /// Maps become objects; sets and pushes arrays; integers of any size numbers; an error the object `{"error": text}`.
  /// Infinity and NaN become strings, because JSON has neither. A byte that is not UTF-8 becomes the text `\xHH`.
  /// Characters that must not reach a terminal (see `ShownText`) are escaped, though JSON requires that only below
  /// U+0020.
  public func json() -> String {
    var output = ""
    append(to: &output)
    return output
  }

  private func append(to output: inout String) {
    switch self {
    case .simple(let text): Self.append(Array(text.utf8), to: &output)
    case .error(let text):
      output += "{\"error\":"
      Self.append(Array(text.utf8), to: &output)
      output += "}"
    case .integer(let value): output += String(value)
    case .bulk(let bytes), .verbatim(_, let bytes): Self.append(bytes, to: &output)
    case .null: output += "null"
    case .boolean(let value): output += value ? "true" : "false"
    case .double(let value):
      if value.isFinite { output += WireCursor.shown(value) } else { output += "\"\(WireCursor.shown(value))\"" }
    case .bigNumber(let text):
      let number = text.hasPrefix("+") ? text.dropFirst() : text[...]
      let digits = number.hasPrefix("-") ? number.dropFirst() : number
      let isNumber = !digits.isEmpty && digits.utf8.allSatisfy { $0 &- 0x30 < 10 }
      if isNumber { output += number } else { Self.append(Array(text.utf8), to: &output) }
    case .array(let elements), .set(let elements), .push(let elements):
      output += "["
      for (index, element) in elements.enumerated() {
        if index > 0 { output += "," }
        element.append(to: &output)
      }
      output += "]"
    case .map(let pairs):
      output += "{"
      for (index, pair) in pairs.enumerated() {
        if index > 0 { output += "," }
        Self.append(pair.key.jsonKey, to: &output)
        output += ":"
        pair.value.append(to: &output)
      }
      output += "}"
    }
  }

  /// The text of a map key; JSON allows only strings.
  private var jsonKey: [UInt8] {
    switch self {
    case .simple(let text): Array(text.utf8)
    case .bulk(let bytes), .verbatim(_, let bytes): bytes
    default: Array(json().utf8)
    }
  }

  private static func append(_ bytes: [UInt8], to output: inout String) {
    output += "\""
    var rest = bytes[...]
    while !rest.isEmpty {
      for scalar in takeText(&rest).unicodeScalars { append(scalar, to: &output) }
      // Two backslashes, which a JSON parser reads as one.
      if let stray = rest.popFirst() { output += "\\\\x\(hexadecimal(stray))" }
    }
    output += "\""
  }

  private static func append(_ scalar: Unicode.Scalar, to output: inout String) {
    switch scalar {
    case "\"": output += "\\\""
    case "\\": output += "\\\\"
    case "\n": output += "\\n"
    case "\r": output += "\\r"
    case "\t": output += "\\t"
    case "\u{8}": output += "\\b"
    case "\u{c}": output += "\\f"
    case _ where ShownText.isUnprintable(scalar):
      for unit in UTF16.encode(scalar)! {
        output += "\\u\(hexadecimal(UInt8(unit >> 8)))\(hexadecimal(UInt8(unit & 0xff)))"
      }
    default: output.unicodeScalars.append(scalar)
    }
  }
}
