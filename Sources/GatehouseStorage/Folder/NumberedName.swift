/// File names that contain a record number: always twenty digits, so that they sort by number.
enum NumberedName {
  static let digits = 20

  static func text(_ number: UInt64) -> String {
    let plain = String(number)
    return String(repeating: "0", count: digits - plain.count) + plain
  }

  /// The number, or nil if the text is not exactly twenty digits.
  static func number(_ text: some StringProtocol) -> UInt64? {
    guard text.utf8.count == digits, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
    return UInt64(text)
  }
}
