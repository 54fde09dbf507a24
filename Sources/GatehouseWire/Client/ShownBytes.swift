internal import GatehouseCore

/// Removes and returns the text before the first byte that is not UTF-8.
func takeText(_ bytes: inout ArraySlice<UInt8>) -> String {
  if let text = String(validating: bytes, as: UTF8.self) {
    bytes = []
    return text
  }
  var decoder = UTF8()
  var iterator = bytes.makeIterator()
  var text = String.UnicodeScalarView()
  var length = 0
  while case .scalarValue(let scalar) = decoder.decode(&iterator) {
    text.append(scalar)
    length += UTF8.width(scalar)
  }
  bytes = bytes.dropFirst(length)
  return String(text)
}

/// A byte as two hexadecimal digits.
func hexadecimal(_ byte: UInt8) -> String {
  String(decoding: [Byte.hexDigit(byte >> 4), Byte.hexDigit(byte & 15)], as: UTF8.self)
}

extension ShownText {
  /// A text that may not be UTF-8: each invalid byte becomes `\xHH`.
  /// - Parameter show: how to show the valid parts.
  static func bytes(_ bytes: [UInt8], _ show: (String) -> String) -> String {
    var rest = bytes[...]
    var shown = ""
    while !rest.isEmpty {
      shown += show(takeText(&rest))
      if let stray = rest.popFirst() { shown += "\\x\(hexadecimal(stray))" }
    }
    return shown
  }
}
