/// Writes comma-separated values (RFC 4180): a cell is quoted where it must be, and rows end with CRLF.
///
/// Works on bytes: a quotation mark with an accent behind it is another character, and yet ends the cell for whoever reads
/// the file.
package struct CSVWriter {
  package private(set) var bytes: [UInt8] = []
  private let delimiter: UInt8
  private var isAtStart = true

  /// - Parameter hasMark: whether a byte order mark comes first, by which Excel knows UTF-8.
  package init(delimiter: UInt8 = UInt8(ascii: ","), hasMark: Bool = false) {
    self.delimiter = delimiter
    if hasMark { bytes = [0xef, 0xbb, 0xbf] }
  }

  package mutating func row(_ cells: [some Collection<UInt8>]) {
    for cell in cells { add(cell) }
    endRow()
  }

  package mutating func add(_ cell: some Collection<UInt8>) {
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

  package mutating func endRow() {
    bytes += [0x0d, 0x0a]
    isAtStart = true
  }

  /// Removes and returns what was written so far.
  package mutating func take() -> [UInt8] {
    defer { bytes.removeAll(keepingCapacity: true) }
    return bytes
  }

  /// A row of texts, of which none is carried out by a spreadsheet.
  package mutating func guardedRow(_ texts: [String]) { row(texts.map { FormulaGuard.guarded(Array($0.utf8)) }) }
}
