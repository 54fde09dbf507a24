import GatehouseCore

/// A table as comma-separated values, for spreadsheets, which carry out none of it.
enum CSV {
  static func text(_ rows: [[String]]) -> String {
    var table = CSVWriter()
    for row in rows { table.guardedRow(row) }
    return String(decoding: table.take(), as: UTF8.self)
  }
}
