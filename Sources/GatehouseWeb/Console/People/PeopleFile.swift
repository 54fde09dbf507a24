import GatehouseCore

/// A file of new people, read as `gatehousectl import` reads it, for `USER.CREATEMANY`: all are added, or none.
struct PeopleFile {
  /// As many as one command adds.
  static let mostRows = Limits.usersOfCreateMany

  struct Row {
    /// The line of the file on which it begins.
    let line: Int
    /// Fields of `USER.CREATEMANY` with their values; some may be there several times.
    let values: [(field: String, value: String)]

    var username: String { values.first { $0.field == "username" }?.value ?? "" }
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
  /// By the fields of the command, how the file calls its columns.
  private var headers: [String: String] = [:]

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
    var values: [(field: String, value: String)] = []
    var licences: [String] = []
    var employer: (header: String, account: String)?
    for (index, named) in columns.enumerated() {
      guard let named else { continue }
      let text = String(decoding: FormulaGuard.unguarded(row[index]), as: UTF8.self)
      if text.isEmpty { continue }
      if let fault = named.column.fault(of: text) { return refuse(row.line, name(values), named.header, fault) }
      headers[named.column.name] = named.header
      switch named.column {
      case .products:
        let accesses = (try? PersonColumn.accesses(in: text)) ?? []
        if let marked = accesses.first(where: { !$0.isPlain }) {
          return refuse(row.line, name(values), named.header, Self.onPage(marked.value.word(.markedWords)))
        }
        values += accesses.map { ("product", $0.product) }
      case .licences: licences = (try? PersonColumn.licences(in: text)) ?? []
      case .roles:
        let roles = (try? PersonColumn.roles(in: text)) ?? []
        if let marked = roles.first(where: { $0.scope != .usual || $0.limits != .open }) {
          return refuse(row.line, name(values), named.header, Self.onPage(marked.value.word(.markedWords)))
        }
        values += roles.map { ("role", $0.role) }
      case .employments:
        let employments = (try? PersonColumn.employments(in: text)) ?? []
        // `account` says the same of one without days.
        guard employments.count == 1, employments[0].days == .open else {
          return refuse(row.line, name(values), named.header, Self.onPage(text))
        }
        employer = (named.header, employments[0].account)
      case .manages:
        return refuse(row.line, name(values), named.header, Self.onPage(text))
      default: values.append((named.column.name, text))
      }
    }
    if let employer {
      let account = values.first { $0.field == "account" }?.value
      guard account == nil || account == employer.account else {
        return refuse(row.line, name(values), employer.header, Self.onPage(employer.account))
      }
      if account == nil {
        headers["account"] = employer.header
        values.append(("account", employer.account))
      }
    }
    let products = values.filter { $0.field == "product" }.map(\.value)
    for licence in licences {
      guard licence.contains(":") || products.count == 1 else {
        return refuse(
          row.line, name(values), headers["licences"] ?? "",
          "the licence '\(licence)' does not say of which product; write product:\(licence)")
      }
      values.append(("licence", licence.contains(":") ? licence : products[0] + ":" + licence))
    }
    guard !name(values).isEmpty else { return refuse(row.line, "", headers["username"] ?? "username", "it is missing") }
    rows.append(Row(line: row.line, values: values))
  }

  /// What `USER.CREATEMANY` does not take.
  private static func onPage(_ value: String) -> String {
    "\(value) is given on the person's page, or by gatehousectl import"
  }

  private func name(_ values: [(field: String, value: String)]) -> String {
    values.first { $0.field == "username" }?.value ?? ""
  }

  private mutating func refuse(_ line: Int, _ username: String, _ column: String, _ why: String) {
    faults.append(Fault(line: line, username: username, column: column, why: why))
  }

  // MARK: The command

  /// `USER.CREATEMANY` of some rows.
  static func command(_ rows: [Row], workspace: String, invites: Bool) -> [String] {
    var most: [String: Int] = [:]
    var order: [String] = []
    for row in rows {
      var counts: [String: Int] = [:]
      for (field, _) in row.values { counts[field, default: 0] += 1 }
      for (field, _) in row.values where most[field] == nil {
        most[field] = 0
        order.append(field)
      }
      for (field, count) in counts { most[field] = max(most[field] ?? 0, count) }
    }
    let fields = order.flatMap { Array(repeating: $0, count: most[$0] ?? 1) }
    let values = rows.flatMap { row -> [String] in
      order.flatMap { field -> [String] in
        let own = row.values.filter { $0.field == field }.map(\.value)
        return own + Array(repeating: "", count: (most[field] ?? 1) - own.count)
      }
    }
    return ["USER.CREATEMANY", "WORKSPACE", workspace, "FIELDS", String(fields.count)] + fields
      + ["ROWS", String(values.count)] + values + ["WITHIN"] + (invites ? [] : ["NOINVITE"]) + ["ACCEPT-BILLING"]
  }

  /// A refusal of the server about one row, told by its column: `email is not an e-mail address`.
  func fault(_ row: Row, _ failure: CommandFailure) -> Fault {
    let name = failure.why.prefix { $0 != " " && $0 != ":" }.lowercased()
    return Fault(
      line: row.line, username: row.username, column: headers[name] ?? headers[name + "s"] ?? "", why: failure.detail)
  }
}
