/// The names of files that are ordered by a record number: twenty digits, so that names sort as numbers do.
enum NumberedName {
  static let digits = 20

  static func text(_ number: UInt64) -> String {
    let plain = String(number)
    return String(repeating: "0", count: digits - plain.count) + plain
  }

  /// The number that twenty digits write, or nil where they are not exactly that.
  static func number(_ text: some StringProtocol) -> UInt64? {
    guard text.utf8.count == digits, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
    return UInt64(text)
  }
}
