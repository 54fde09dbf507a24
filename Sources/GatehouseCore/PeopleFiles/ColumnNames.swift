/// Finds the columns of a file by their names.
package struct ColumnNames {
  package enum Meaning: Equatable {
    case column(PersonColumn)
    case ignored
    case unknown
  }

  /// All columns that a file may have.
  package let known: [PersonColumn]
  /// The one that it must have: users are found by it.
  package var needed: PersonColumn? { known.contains(.username) ? .username : nil }
  private var columns: [String: PersonColumn] = [:]
  private var maps: [String: PersonColumn] = [:]
  private let ignored: Set<String>
  /// What can be done about a name that no column has, where the file is read.
  package var remedy: String?

  /// - Parameters:
  ///   - fields: those that the workspace has added. Their names come before aliases.
  ///   - ignored: the names of columns that are not read.
  package init(_ standard: [PersonColumn], fields: [String], ignored: [String]) {
    known = standard + fields.map(PersonColumn.custom)
    self.ignored = Set(ignored.map(ListField.plain))
    for column in standard {
      for alias in column.aliases { columns[alias] = column }
    }
    for column in known.reversed() { columns[ListField.plain(column.name)] = column }
  }

  /// Takes a name for another one, as `--map "Given name=first"` says; false if there is no such column.
  package mutating func map(_ name: String, to column: String) -> Bool {
    guard case .column(let found) = meaning(of: column) else { return false }
    maps[ListField.plain(name)] = found
    return true
  }

  package func meaning(of name: String) -> Meaning {
    let plain = ListField.plain(name)
    if let mapped = maps[plain] { return .column(mapped) }
    if ignored.contains(plain) { return .ignored }
    return columns[plain].map(Meaning.column) ?? .unknown
  }
}

extension ColumnNames {
  /// A column of a file, as it calls it.
  package struct Named {
    package let column: PersonColumn
    package let header: String
  }

  /// The columns that a header names, nil for those that are ignored; all that is wrong with it is said at once.
  package func columns(of header: CSVReader.Row) throws(HeaderFault) -> [Named?] {
    var columns: [Named?] = []
    var faults: [String] = []
    for index in 0..<header.count {
      guard let name = String(validating: FormulaGuard.unguarded(header[index]), as: UTF8.self) else {
        throw HeaderFault(faults: ["the names of the columns are not UTF-8; give --encoding"])
      }
      let shown = name.withoutBlanksAround
      switch meaning(of: shown) {
      case .column(let column):
        if let other = columns.compactMap(\.self).first(where: { $0.column == column }) {
          faults.append("the columns '\(other.header)' and '\(shown)' are both \(column.name)")
        }
        columns.append(Named(column: column, header: shown))
      case .ignored: columns.append(nil)
      case .unknown:
        faults.append(shown.isEmpty ? "column \(index + 1) has no name" : "unknown column '\(shown)'")
        columns.append(nil)
      }
    }
    if let needed, !columns.contains(where: { $0?.column == needed }) {
      faults.append("there is no column '\(needed.name)'")
    }
    guard faults.isEmpty else { throw HeaderFault(faults: faults, known: known.map(\.name), remedy: remedy) }
    return columns
  }
}

/// What is wrong with the names of the columns.
package struct HeaderFault: Error, CustomStringConvertible {
  package let faults: [String]
  package let known: [String]
  private let remedy: String?

  package init(faults: [String], known: [String] = [], remedy: String? = nil) {
    self.faults = faults
    self.known = known
    self.remedy = remedy
  }

  package var description: String {
    let columns = known.isEmpty ? "" : "; columns are \(known.joined(separator: ", "))"
    return faults.joined(separator: "; ") + columns + (remedy.map { "; \($0)" } ?? "")
  }
}

extension String {
  /// Without what Unicode calls white space at its beginning and end.
  fileprivate var withoutBlanksAround: String {
    var rest = Substring(self).unicodeScalars
    while rest.first?.properties.isWhitespace == true { rest.removeFirst() }
    while rest.last?.properties.isWhitespace == true { rest.removeLast() }
    return String(rest)
  }
}
