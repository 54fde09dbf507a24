/// Writes comma-separated values (RFC 4180): a cell is quoted where it must be, and rows end with CRLF.
struct CSVWriter {
  private(set) var bytes: [UInt8] = []
  private let delimiter: UInt8
  private var isAtStart = true

  /// - Parameter hasMark: whether a byte order mark comes first, by which Excel knows UTF-8.
  init(delimiter: UInt8 = UInt8(ascii: ","), hasMark: Bool = false) {
    self.delimiter = delimiter
    if hasMark { bytes = [0xef, 0xbb, 0xbf] }
  }

  mutating func row(_ cells: [some Collection<UInt8>]) {
    for cell in cells { add(cell) }
    endRow()
  }

  mutating func add(_ cell: some Collection<UInt8>) {
    if !isAtStart { bytes.append(delimiter) }
    let quote = UInt8(ascii: "\"")
    let isSpecial = cell.contains { $0 == quote || $0 == delimiter || $0 == 0x0a || $0 == 0x0d || $0 == 0 }
    // A row that is one empty cell would be an empty line.
    if isSpecial || isAtStart && cell.isEmpty {
      bytes.append(quote)
      for byte in cell {
        if byte == quote { bytes.append(quote) }
        bytes.append(byte)
      }
      bytes.append(quote)
    } else {
      bytes.append(contentsOf: cell)
    }
    isAtStart = false
  }

  mutating func endRow() {
    bytes += [0x0d, 0x0a]
    isAtStart = true
  }

  /// Removes and returns what was written so far.
  mutating func take() -> [UInt8] {
    defer { bytes.removeAll(keepingCapacity: true) }
    return bytes
  }
}

/// Formula injection: a spreadsheet carries out a cell that begins with one of these bytes. An apostrophe in front makes
/// it a text.
///
/// So that the round trip is exact, an apostrophe is also put before values that already begin with apostrophes and then
/// such a byte, and only one is ever taken away. Other values that begin with an apostrophe, such as `'t Hooft`, are left
/// as they are in both directions.
enum FormulaGuard {
  private static let apostrophe = UInt8(ascii: "'")

  private static func isTrigger(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), 0x09, 0x0a, 0x0d: true
    default: false
    }
  }

  static func guarded(_ value: [UInt8]) -> [UInt8] {
    guard let first = value.first(where: { $0 != apostrophe }), isTrigger(first) else { return value }
    return [apostrophe] + value
  }

  static func unguarded(_ cell: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard cell.first == apostrophe, let first = cell.first(where: { $0 != apostrophe }), isTrigger(first) else {
      return cell
    }
    return cell.dropFirst()
  }
}
