extension RESPValue {
  /// The value as one line of JSON, without a line end.
  ///
  /// Maps become objects, sets and pushes arrays, integers of any size numbers, an error the object `{"error": text}`.
  /// JSON has neither infinity nor NaN, so these become strings. A byte that is not UTF-8 becomes the text `\xHH`.
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
    case .bigNumber(let digits): output += digits.hasPrefix("+") ? String(digits.dropFirst()) : digits
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

  /// The text of a key: JSON takes nothing else.
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
      let (text, length) = validPrefix(rest)
      for scalar in text.unicodeScalars { append(scalar, to: &output) }
      rest = rest.dropFirst(length)
      if let stray = rest.popFirst() {
        // Two backslashes: to a reader of JSON they are one.
        output += "\\\\x"
        output.unicodeScalars.append(Unicode.Scalar(Byte.hexDigit(stray >> 4)))
        output.unicodeScalars.append(Unicode.Scalar(Byte.hexDigit(stray & 15)))
      }
    }
    output += "\""
  }

  /// The text before the first byte that is not UTF-8, and how many bytes it takes.
  private static func validPrefix(_ bytes: ArraySlice<UInt8>) -> (text: String, length: Int) {
    if let text = String(validating: bytes, as: UTF8.self) { return (text, bytes.count) }
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    var text = String.UnicodeScalarView()
    var length = 0
    while case .scalarValue(let scalar) = decoder.decode(&iterator) {
      text.append(scalar)
      length += UTF8.width(scalar)
    }
    return (String(text), length)
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
    case _ where scalar.value < 0x20 || scalar.value == 0x7f:
      let byte = UInt8(scalar.value)
      output += "\\u00"
      output.unicodeScalars.append(Unicode.Scalar(Byte.hexDigit(byte >> 4)))
      output.unicodeScalars.append(Unicode.Scalar(Byte.hexDigit(byte & 15)))
    default: output.unicodeScalars.append(scalar)
    }
  }
}
