/// Formula injection: a spreadsheet carries out a cell that begins with one of these characters. An apostrophe in front
/// makes it a text.
///
/// Some spreadsheets skip blanks and characters without a shape first, and take the wide forms of East Asian scripts for
/// the ASCII ones; so both count. So that the round trip is exact, an apostrophe is also put before values that already
/// begin with apostrophes and then such a character, and only one is ever taken away. Other values that begin with an
/// apostrophe, such as `'t Hooft`, are left as they are in both directions.
package enum FormulaGuard {
  private static let apostrophe = UInt8(ascii: "'")

  private static func isTrigger(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "=", "+", "-", "@", "\t", "\n", "\r", "\u{ff1d}", "\u{ff0b}", "\u{ff0d}", "\u{ff20}": true
    default: false
    }
  }

  /// Whether what follows the apostrophes, and then the blanks, at the beginning of a cell would be carried out.
  private static func isCarriedOut(_ cell: some Collection<UInt8>) -> Bool {
    let rest = cell.drop { $0 == apostrophe }
    // Most cells begin with a letter or a digit.
    guard let first = rest.first, !(first &- 0x30 < 10), !((first | 0x20) &- 0x61 < 26) else { return false }
    for scalar in String(decoding: rest.prefix(mostSkipped), as: UTF8.self).unicodeScalars {
      if isTrigger(scalar) { return true }
      guard scalar.properties.isWhitespace || ShownText.isUnprintable(scalar) else { return false }
    }
    // So many blanks that nobody can say.
    return rest.count > mostSkipped
  }

  /// How many bytes of blanks are looked past.
  private static let mostSkipped = 256

  package static func guarded(_ value: [UInt8]) -> [UInt8] { isCarriedOut(value) ? [apostrophe] + value : value }

  package static func unguarded(_ cell: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    cell.first == apostrophe && isCarriedOut(cell) ? cell.dropFirst() : cell
  }
}
