/// Bytes as lower-case hexadecimal digits, two a byte: how the manifest writes keys and hashes.
enum Hexadecimal {
  private static let digits = Array("0123456789abcdef".utf8)

  static func text(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// The bytes, or nil if the text is not an even number of lower-case digits.
  static func bytes(_ text: some StringProtocol) -> [UInt8]? {
    let nibbles = text.utf8.map { digits.firstIndex(of: $0) }
    guard nibbles.count.isMultiple(of: 2), !nibbles.contains(nil) else { return nil }
    return stride(from: 0, to: nibbles.count, by: 2).map { at in
      UInt8(nibbles[at]! << 4 | nibbles[at + 1]!)
    }
  }
}
