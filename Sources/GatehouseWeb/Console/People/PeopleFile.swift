import GatehouseCore

/// A file of new people, read as `gatehousectl import` reads it, for `USER.CREATEMANY`: all are added, or none.
struct PeopleFile {
  /// As many as one command adds.
  static let mostRows = Limits.usersOfCreateMany

  struct Row {
    /// The line of the file on which it begins.
    let line: Int
    /// Those that are not empty, as the file has them.
    var cells: [(column: PersonColumn, text: String)]

    var username: String { text(.username) ?? "" }

    func text(_ column: PersonColumn) -> String? { cells.first { $0.column == column }?.text }
  }

  /// Why a row is refused.
  struct Fault {
    let line: Int
    let username: String
    /// As the file calls it.
    let column: String
    let why: String
  }

  private(set) var rows: [Row] = []
  /// The rows that cannot be read.
  private(set) var faults: [Fault] = []
  /// How the file calls its columns.
  private var headers: [PersonColumn: String] = [:]
  /// The usernames of the rows, folded.
  private var usernames: Set<String> = []

  /// - Parameter fields: those that the workspace has added.
  /// - Throws: `CommandFailure` about the file as a whole.
  init(_ text: String, fields: [String]) throws {
    do {
      try read(text, ColumnNames(PersonColumn.ofUsers, fields: fields, ignored: []))
    } catch let error as TableError {
      throw Self.refused(error.description)
    } catch let error as HeaderFault {
      throw Self.refused(error.description)
    }
    guard !rows.isEmpty || !faults.isEmpty else {
      throw Self.refused("the file has no people, only the names of columns")
    }
  }

  private static func refused(_ why: String) -> CommandFailure { CommandFailure("ERR " + why, field: "file") }

  private mutating func read(_ text: String, _ names: ColumnNames) throws {
    var pieces = [Array(text.utf8)]
    var reader = try CSVReader { () throws(TableError) in pieces.popLast() ?? [] }
    guard try reader.next() else { throw TableError.empty }
    let columns = try names.columns(of: reader.row)
    while try reader.next() {
      guard rows.count + faults.count < Self.mostRows else {
        throw Self.refused(
          "the file has more than \(Self.mostRows) people; send it in parts, or use gatehousectl import")
      }
      add(reader.row, columns)
    }
  }

  private mutating func add(_ row: CSVReader.Row, _ columns: [ColumnNames.Named?]) {
    guard row.count == columns.count else {
      return refuse(row.line, "", "", "the row has \(row.count) cells, and the header \(columns.count)")
    }
    var read = Row(line: row.line, cells: [])
    for (index, named) in columns.enumerated() {
      guard let named else { continue }
      let text = String(decoding: FormulaGuard.unguarded(row[index]), as: UTF8.self)
      if text.isEmpty { continue }
      headers[named.column] = named.header
      if let fault = named.column.fault(of: text) { return refuse(row.line, read.username, named.header, fault) }
      read.cells.append((named.column, text))
    }
    guard !read.username.isEmpty else {
      return refuse(row.line, "", headers[.username] ?? "username", "it is missing")
    }
    usernames.insert(FoldedName(read.username).text)
    rows.append(read)
  }

  private mutating func refuse(_ line: Int, _ username: String, _ column: String, _ why: String) {
    faults.append(Fault(line: line, username: username, column: column, why: why))
  }

  // MARK: The command

  /// `USER.CREATEMANY` of some rows.
  static func command(_ rows: [Row], workspace: String, invites: Bool) -> [String] {
    var columns: [PersonColumn] = []
    for row in rows {
      for cell in row.cells where !columns.contains(cell.column) { columns.append(cell.column) }
    }
    let values = rows.flatMap { row in columns.map { row.text($0) ?? "" } }
    return ["USER.CREATEMANY", "WORKSPACE", workspace, "FIELDS", String(columns.count)] + columns.map(\.name)
      + ["ROWS", String(values.count)] + values + ["WITHIN"] + (invites ? [] : ["NOINVITE"]) + ["ACCEPT-BILLING"]
  }

  /// A row as it can be tried by itself: it looks after nobody of the other rows, who are not there yet.
  func alone(_ row: Row) -> Row {
    guard let text = row.text(.manages), let form = PersonColumn.manages.form,
      let managed = try? PersonColumn.managed(in: text)
    else { return row }
    let others = managed.filter { value in
      let name = FoldedName(value.name).text
      return value.kind != .user || name == FoldedName(row.username).text || !usernames.contains(name)
    }
    var alone = row
    alone.cells.removeAll { $0.column == .manages }
    if !others.isEmpty { alone.cells.append((.manages, CellValue.cell(others.map(\.value), form))) }
    return alone
  }

  /// A refusal of the server about one row, told by its column: `email is not an e-mail address`.
  func fault(_ row: Row, _ failure: CommandFailure) -> Fault {
    let column = PersonColumn.meant(by: "\(failure.code) \(failure.detailAsItIs)", among: row.cells)
    return Fault(
      line: row.line, username: row.username, column: column.flatMap { headers[$0] } ?? "", why: failure.detail)
  }
}
