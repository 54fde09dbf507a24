import Foundation
import GatehouseCore

/// The rows of a file of people, whatever its format.
struct PersonRows {
  enum Format: String, CaseIterable {
    case csv, jsonl
  }

  /// How a file is read.
  struct Options {
    var format = Format.csv
    var encoding: TextEncoding?
    /// nil to find out.
    var delimiter: UInt8?
  }

  /// One of these two.
  private var csv: CSVReader?
  private var json: JSONLines?
  /// The columns of CSV; nil for those that are ignored.
  private var header: [SourceColumn?] = []
  private let names: ColumnNames
  private let file: InputFile
  /// The columns that JSON lines have named so far; nil for those that are ignored.
  private var columns: [String: SourceColumn?] = [:]

  var identity: InputFile.Identity { file.identity }
  /// How many bytes of the file were read.
  var position: UInt64 { file.position }

  /// Opens the file, and finds the columns of CSV.
  init(_ path: String, _ options: Options, _ names: ColumnNames) throws {
    self.names = names
    let file = try InputFile(path)
    self.file = file
    var decoder = TextDecoder(options.encoding)
    let source = { () throws(TableError) -> [UInt8] in
      while true {
        let piece = try file.next()
        let text = try decoder.decode(piece)
        if piece.isEmpty || !text.isEmpty { return text }
      }
    }
    switch options.format {
    case .csv:
      var csv = try CSVReader(delimiter: options.delimiter, source: source)
      guard try csv.next() else { throw TableError.empty }
      header = try names.columns(of: csv.row).map { $0.map { SourceColumn($0.column, header: $0.header) } }
      self.csv = csv
    case .jsonl:
      json = JSONLines(source: source)
    }
  }

  /// The next row, or why it cannot be read; nil at the end.
  mutating func next() throws -> (line: Int, Result<PersonRow, RowFault>)? {
    if let values = try json?.next() {
      let line = json?.line ?? 0
      return (line, values.flatMap { row(line, $0) })
    }
    guard try csv?.next() ?? false, let found = csv?.row else { return nil }
    return (found.line, Self.row(found, header))
  }

  // MARK: CSV

  private static func row(_ row: CSVReader.Row, _ columns: [SourceColumn?]) -> Result<PersonRow, RowFault> {
    guard row.count == columns.count else {
      return .failure(RowFault(reason: "the row has \(row.count) cells, and the header \(columns.count)"))
    }
    var person = PersonRow(line: row.line)
    person.cells.reserveCapacity(columns.count)
    for (index, source) in columns.enumerated() {
      guard let source else { continue }
      let value = FormulaGuard.unguarded(row[index])
      if value.isEmpty { continue }
      guard isText(value) else {
        return .failure(
          RowFault(column: source.header, reason: "the text is not UTF-8; give --encoding, such as windows-1252"))
      }
      person.cells.append(PersonRow.Cell(source: source, value: value))
    }
    return .success(person)
  }

  private static func isText(_ value: ArraySlice<UInt8>) -> Bool {
    value.allSatisfy { $0 < 0x80 } || String(validating: value, as: UTF8.self) != nil
  }

  // MARK: JSON lines

  private mutating func row(_ line: Int, _ values: [String: JSONCell]) -> Result<PersonRow, RowFault> {
    var person = PersonRow(line: line)
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      let source: SourceColumn?
      if let found = columns[name] {
        source = found
      } else {
        switch names.meaning(of: name) {
        case .column(let column): source = SourceColumn(column, header: name)
        case .ignored: source = nil
        case .unknown:
          let known = names.known.map(\.name).joined(separator: ", ")
          return .failure(
            RowFault(
              column: name, reason: "unknown column; columns are \(known); --map or --ignore says what to do with it"))
        }
        columns.updateValue(source, forKey: name)
      }
      guard let source, case .text(let text) = value, !text.isEmpty else { continue }
      if let other = person.cell(source.column) {
        return .failure(RowFault(column: name, reason: "it is given twice, also as \(other.source.header)"))
      }
      person.cells.append(PersonRow.Cell(source: source, value: Array(text.utf8)[...]))
    }
    return .success(person)
  }
}
