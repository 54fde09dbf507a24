import GatehouseCore
import GatehouseWire

/// The whole trail of a person, with a filter, an export, and the proof that nothing of it was changed.
struct PersonTrailPages {
  /// As many records as an export holds.
  private static let mostExported = 10_000

  func add(to console: ConsoleRouter) {
    console.get("people/:user/trail") { visit in .page(try await page(visit)) }
    console.get("people/:user/trail/export") { visit in
      let person = try await Person(visit)
      let records = try await all(visit, person)
      if visit.query["format"] == "json" {
        let json = JSON.array(records.map(Self.json)).text
        return .file(name: "trail-\(person.username).json", type: "application/json", text: json)
      }
      return .file(
        name: "trail-\(person.username).csv", type: "text/csv; charset=utf-8",
        text: CSV.text(Self.rows(records, person)))
    }
    console.post("people/:user/trail/verify") { visit in
      let person = try await Person(visit)
      let reply = try await visit.read("AUDIT.VERIFY")
      let flash =
        reply.flag("ok")
        ? Flash("Verified to LSN \(reply.shown("through")): nothing was changed or left out.")
        : Flash("The chain is broken: \(reply.shown("problem"))", tone: .bad)
      return .redirect(person.address("trail"), flash)
    }
  }

  private func page(_ visit: Visit) async throws -> Page {
    let person = try await Person(visit)
    let query = visit.query
    let list = ListPage(try await visit.read(command(person, query, count: "50")))
    let filter = Form(
      person.address("trail"), .get, layout: .row,
      fields: [
        Field("actor", "Who did it", value: query["actor"]),
        Field("from", "From", .moment, value: Moment.field(Moment.time(query["from"]))),
        Field("to", "To", .moment, value: Moment.field(Moment.time(query["to"]))),
      ], submit: "Filter", cancel: person.address("trail"))
    let export = person.address("trail", "export").adding(Self.filter(query))
    var actions: [Button] = [
      .link("CSV", export.adding("format", "csv")), .link("JSON", export.adding("format", "json")),
    ]
    if await visit.holdsEverywhere("server.manage") {
      actions.append(.post("Verify the chain", person.address("trail", "verify")))
    }
    var blocks = [
      filter.block,
      .section(
        "Trail",
        [
          list.items.isEmpty
            ? .empty("Nothing here", "Nothing happened that you may see, or the filter is too narrow.")
            : await Timeline(list.items, about: person, for: visit).block
        ]),
    ]
    if let cursor = list.cursor {
      let next = person.address("trail").adding(Self.filter(query)).adding("cursor", cursor)
      blocks.append(.buttons([.link("Older", next)]))
    }
    return Page(
      "Trail of \(person.name)", area: PeoplePages.address,
      intro: [.link("Back to \(person.username)", person.address)], actions: actions, blocks)
  }

  private func command(_ person: Person, _ query: FormFields, cursor: String? = nil, count: String) -> [String] {
    var words = ["AUDIT.LIST", "USER", person.word]
    for (option, name) in [("ACTOR", "actor"), ("FROM", "from"), ("TO", "to"), ("CURSOR", "cursor")]
    where !query[name].isEmpty && !(name == "cursor" && cursor != nil) {
      words += [option, ["from", "to"].contains(name) ? query.moment(name) : query[name]]
    }
    if let cursor { words += ["CURSOR", cursor] }
    return words + ["COUNT", count]
  }

  private static func filter(_ query: FormFields) -> [(name: String, value: String)] {
    ["actor", "from", "to"].filter { !query[$0].isEmpty }.map { ($0, query[$0]) }
  }

  // MARK: Export

  private func all(_ visit: Visit, _ person: Person) async throws -> [RESPValue] {
    var records: [RESPValue] = []
    var cursor: String?
    repeat {
      let page = ListPage(
        try await visit.readQuietly(command(person, visit.query, cursor: cursor, count: "500")))
      records += page.items
      cursor = page.cursor
    } while cursor != nil && records.count < Self.mostExported
    return records
  }

  private static func rows(_ records: [RESPValue], _ person: Person) -> [[String]] {
    let head = ["lsn", "time", "actor", "as", "service", "command", "reason", "change", "of", "field", "old", "new"]
    return [head]
      + records.flatMap { record -> [[String]] in
        let who = [
          record.shown("lsn"), record["time"]?.integer.map { TimeText.text(of: $0) } ?? "", record.shown("actor"),
          record.shown("subject"), record.shown("service"), record.shown("command"), record.shown("reason"),
        ]
        return Timeline.changes(of: record, about: person).flatMap { change -> [[String]] in
          let what = who + [change.shown("change"), change.shown("entity")]
          let fields = change["fields"]?.elements ?? []
          guard !fields.isEmpty else { return [what + ["", "", ""]] }
          return fields.map { what + [$0.shown("name"), $0.shown("old"), $0.shown("new")] }
        }
      }
  }

  private static func json(_ value: RESPValue) -> JSON {
    switch value {
    case .null: return .null
    case .integer(let number): return .integer(number)
    case .boolean(let flag): return .bool(flag)
    case .double(let number): return .number(number)
    case .map(let pairs): return .object(pairs.map { ($0.key.shown, json($0.value)) })
    case .array(let elements), .set(let elements), .push(let elements): return .array(elements.map(json))
    default: return .string(value.shown)
    }
  }
}
