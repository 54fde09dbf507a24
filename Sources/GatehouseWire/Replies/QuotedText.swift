internal import GatehouseCore

/// Bytes in quotes with unprintable ones escaped, as redis-cli and `MONITOR` show them. An inline request accepts this
/// form and yields the same bytes.
public enum QuotedText {
  /// Appends the quoted form of `bytes`.
  /// - Parameter keepsUTF8: whether valid UTF-8 beyond ASCII is left readable (for people) or escaped (as Redis does).
  public static func append(_ bytes: some Collection<UInt8>, to output: inout [UInt8], keepsUTF8: Bool = false) {
    output.append(Byte.quote)
    if keepsUTF8, bytes.contains(where: { $0 >= 0x80 }), let text = String(validating: bytes, as: UTF8.self) {
      for scalar in text.unicodeScalars { appendEscaped(scalar, to: &output) }
    } else {
      for byte in bytes { appendEscaped(byte, to: &output) }
    }
    output.append(Byte.quote)
  }

  /// Non-ASCII characters that could redraw a terminal, end a line or change the direction of text are escaped too,
  /// byte by byte.
  private static func appendEscaped(_ scalar: Unicode.Scalar, to output: inout [UInt8]) {
    let isReadable = scalar.value >= 0x80 && !ShownText.isUnprintable(scalar)
    for byte in UTF8.encode(scalar)! {
      if isReadable { output.append(byte) } else { appendEscaped(byte, to: &output) }
    }
  }

  private static func appendEscaped(_ byte: UInt8, to output: inout [UInt8]) {
    switch byte {
    case Byte.quote, Byte.backslash:
      output.append(Byte.backslash)
      output.append(byte)
    case 0x0a: append("\\n", to: &output)
    case 0x0d: append("\\r", to: &output)
    case 0x09: append("\\t", to: &output)
    case 0x07: append("\\a", to: &output)
    case 0x08: append("\\b", to: &output)
    case 0x20..<0x7f:
      output.append(byte)
    default:
      append("\\x", to: &output)
      output.append(Byte.hexDigit(byte >> 4))
      output.append(Byte.hexDigit(byte & 15))
    }
  }

  private static func append(_ text: StaticString, to output: inout [UInt8]) {
    output.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }
}
