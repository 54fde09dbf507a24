import Mustache

/// How text stands in HTML, in elements and in quoted attributes.
///
/// Byte by byte, as browsers read it. The escaping of swift-mustache compares whole characters, and a `<` is part of
/// another one where something joins with it: an accent behind it, or a letter such as U+0D4E before it. It would go out
/// as it is.
struct HTMLText: MustacheContentType {
  /// What templates begin with, so that their values are escaped here.
  static let pragma = "{{% CONTENT_TYPE:\(name)}}"
  private static let name = "GATEHOUSE"

  static func register() { MustacheContentTypes.register(HTMLText(), named: name) }

  func escapeText(_ text: String) -> String { Self.escaped(text) }

  static func escaped(_ text: String) -> String {
    guard text.utf8.contains(where: { replacement(of: $0) != nil }) else { return text }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count + 32)
    for byte in text.utf8 {
      if let replacement = replacement(of: byte) {
        bytes.append(contentsOf: replacement.utf8)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func replacement(of byte: UInt8) -> String? {
    switch byte {
    case UInt8(ascii: "<"): "&lt;"
    case UInt8(ascii: ">"): "&gt;"
    case UInt8(ascii: "&"): "&amp;"
    case UInt8(ascii: "\""): "&quot;"
    case UInt8(ascii: "'"): "&#39;"
    default: nil
    }
  }
}
