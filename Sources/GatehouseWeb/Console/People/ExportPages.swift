import GatehouseWire

/// The list of people as a file: the conditions, columns and order that the list has, and all of its pages.
struct ExportPages {
  static let address = Address("people", "export")

  /// As many as a browser waits for; `gatehousectl export` writes any number.
  private static let most = 100_000
  private static let pageSize = 1000

  func add(to console: ConsoleRouter) {
    console.get("people/export") { visit in
      let query = PeopleQuery(visit.query, workspace: visit.workspace, now: visit.now)
      let count = try await visit.readQuietly(["USER.COUNT"] + query.conditions).integer ?? 0
      guard count <= Self.most else {
        throw CommandFailure(
          "LIMIT people: \(count) match, and a file has at most \(Self.most); narrow the filter down, or use gatehousectl export"
        )
      }
      let titles = Dictionary(uniqueKeysWithValues: PeopleQuery.columns.map { ($0.name, $0.title) })
      let columns = ["id"] + query.columns.filter { $0 != "id" }
      var rows = [columns.map { titles[$0] ?? $0 }]
      var cursor = ""
      repeat {
        let page = ListPage(
          try await visit.readQuietly(query.command(from: cursor, count: String(Self.pageSize))))
        rows += page.items.map { person in columns.map { Self.text($0, person) } }
        cursor = page.cursor ?? ""
        await Task.yield()
      } while !cursor.isEmpty && rows.count <= Self.most
      return .file(name: "people.csv", type: "text/csv; charset=utf-8", text: CSV.text(rows))
    }
  }

  private static func text(_ column: String, _ person: RESPValue) -> String {
    switch column {
    case "last-login", "created": person[column]?.integer.map { Moment.text($0) } ?? ""
    default: person.shown(column)
    }
  }
}
