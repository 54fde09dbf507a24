/// Rows under headings, fitted to the width of the terminal.
struct TextTable {
  private let headings: [String]
  private var rows: [[String]]
  /// The places of columns that are never cut.
  private let whole: Set<Int>
  private static let gap = 2
  /// Columns are not narrowed below this, or they could not be read.
  private static let narrowest = 8

  init(headings: [String], rows: [[String]], whole: Set<Int> = []) {
    self.headings = headings
    self.rows = rows
    self.whole = whole
  }

  /// The lines of the table; nil if it does not fit even after cutting.
  ///
  /// First empty columns are dropped, then the widest texts are cut. Numbers, times and the columns that must stay whole
  /// are never cut, because a part of one means something else.
  func lines(width: Int, style: TextStyle) -> [String]? {
    var columns = Array(headings.indices)
    if total(widths(of: columns)) > width {
      columns.removeAll { column in rows.allSatisfy { $0[column].isEmpty } }
    }
    var widths = widths(of: columns)
    while total(widths) > width {
      let texts = widths.indices.filter {
        !isNumeric(columns[$0]) && !whole.contains(columns[$0]) && widths[$0] > Self.narrowest
      }
      guard let widest = texts.max(by: { widths[$0] < widths[$1] }) else { return nil }
      widths[widest] -= 1
    }
    let heading = line(columns.map { headings[$0] }, widths)
    return [style.heading(heading)] + rows.map { row in line(columns.map { row[$0] }, widths) }
  }

  private func widths(of columns: [Int]) -> [Int] {
    columns.map { column in
      rows.reduce(TextWidth.of(headings[column])) { max($0, TextWidth.of($1[column])) }
    }
  }

  private func isNumeric(_ column: Int) -> Bool {
    rows.allSatisfy { $0[column].utf8.allSatisfy { "0123456789-: ".utf8.contains($0) } }
  }

  private func total(_ widths: [Int]) -> Int { widths.reduce(0, +) + Self.gap * max(0, widths.count - 1) }

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    var line = ""
    for (index, cell) in cells.enumerated() {
      let cut = TextWidth.cut(cell, to: widths[index])
      // No trailing blanks, because they would be copied along with the line.
      line += index == cells.count - 1 ? cut : TextWidth.padded(cut, to: widths[index] + Self.gap)
    }
    return String(line.reversed().drop { $0 == " " }.reversed())
  }
}
