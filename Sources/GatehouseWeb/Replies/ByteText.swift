/// Texts from outside, taken apart by bytes, as their readers do: a separator with an accent behind it is another
/// `Character`, and yet the separator.
extension StringProtocol {
  /// The parts between single ASCII characters.
  func parts(
    separatedBy separator: Unicode.Scalar, most: Int = .max, keepsEmpty: Bool = true
  ) -> [String] {
    utf8.split(
      separator: UInt8(ascii: separator), maxSplits: most - 1, omittingEmptySubsequences: !keepsEmpty
    ).map { String(decoding: $0, as: UTF8.self) }
  }

  /// What stands before the first of some ASCII characters; all of it if there is none.
  func head(before ends: Unicode.Scalar...) -> String {
    let ends = ends.map { UInt8(ascii: $0) }
    return String(decoding: utf8.prefix { !ends.contains($0) }, as: UTF8.self)
  }

  /// The text with each of an ASCII character replaced.
  func replacing(byte: Unicode.Scalar, with replacement: String) -> String {
    parts(separatedBy: byte).joined(separator: replacement)
  }
}
