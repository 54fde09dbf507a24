import GatehouseCore
import GatehouseWire

/// The search of every page: people by the beginnings of their names, their keys, and the trail.
struct SearchPages: ConsolePages {
  var areas: [Area] { [] }

  private static let mostPeople = 25

  func add(to console: ConsoleRouter) {
    console.get("search") { visit in .page(try await page(visit)) }
  }

  private func page(_ visit: Visit) async throws -> Page {
    let words = Self.words(of: visit.query["q"])
    guard !words.isEmpty else {
      return Page(
        "Search",
        [
          .empty(
            "What are you looking for?",
            """
            The beginnings of a name, username or e-mail; #id; a command such as USER.DELETE; or a record such as lsn 1752.
            """)
        ])
    }
    if words.count == 1, words[0].first == "#", let id = Int64(words[0].dropFirst()) {
      return try await page(visit, id)
    }
    if words.count == 2, ["lsn", "record"].contains(words[0]), let lsn = Int64(words[1]) {
      return try await page(visit, record: lsn)
    }
    if words.count == 1, let command = CommandTable.all.first(where: { $0.name == words[0].uppercased() })?.name,
      await visit.holds("audit.read")
    {
      return try await page(visit, command: command)
    }
    let reply = try await visit.read(
      ["USER.SEARCH"] + Self.plain(words) + ["LIMIT", String(Self.mostPeople)])
    let people = reply.elements ?? []
    var blocks = [Self.people(people)]
    if let contacts = try await contacts(visit, words) { blocks.append(contacts) }
    if let keys = try await keys(visit, people) { blocks.append(keys) }
    if let trail = try await trail(visit, people) { blocks.append(trail) }
    return Page("Search: \(visit.query["q"])", blocks)
  }

  private static func words(of text: String) -> [String] {
    text.split { $0.isWhitespace }.map { $0.lowercased() }
  }

  /// The words of a search by a name that somebody typed, such as `Ode, Ruth`; empty if there are none.
  static func words(ofName text: String) -> [String] { plain(words(of: text.replacing(",", with: " "))) }

  /// A word that would be taken for an option of the command goes without its last letter: beginnings are searched.
  private static func plain(_ words: [String]) -> [String] {
    words.prefix(10).map { ["limit", "product", "workspace"].contains($0) ? String($0.dropLast()) : $0 }
  }

  private static func people(_ people: [RESPValue]) -> Block {
    let rows = people.map { user in
      Table.Row([
        [.link(user.shown("username"), Address("people", user.shown("id")))], [.value(user["name"])],
        [.value(user["email"])], [.status(user.shown("status"))],
      ])
    }
    let note = people.count == mostPeople ? "The first \(mostPeople); another word narrows it down." : nil
    return .section(
      "People", note: note,
      [
        Table(
          caption: "People", columns: [.init("Username"), .init("Name"), .init("E-mail"), .init("Status")], rows: rows,
          empty: .empty("Nobody is called so", "Every word must begin a part of the name, the username or the e-mail.")
        ).block
      ])
  }

  /// Who has no login.
  private func contacts(_ visit: Visit, _ words: [String]) async throws -> Block? {
    let found = try await visit.readIfAllowed(["CONTACT.SEARCH"] + Self.plain(words) + ["LIMIT", "10"])?.elements ?? []
    let others = found.filter { $0.shown("user").isEmpty }
    guard !others.isEmpty else { return nil }
    return .section("Contacts without a login", [ContactPages.table(of: others, empty: .text(.none)).block])
  }

  /// The keys of the first people found, where the reader may see them.
  private func keys(_ visit: Visit, _ people: [RESPValue]) async throws -> Block? {
    guard await visit.holds("credential.set") else { return nil }
    var rows: [Table.Row] = []
    for person in people.prefix(5) {
      let keys = try await visit.readIfAllowed("APIKEY.LIST", "#" + person.shown("id"))?.elements ?? []
      for key in keys.prefix(5) where key.flag("active") {
        rows.append(
          .init([
            [.text(key.shown("name"))],
            [.link(person.shown("username"), Address("people", person.shown("id")).at("keys-of"))],
            [.time(key["last-used"]?.integer)],
          ]))
      }
    }
    guard !rows.isEmpty else { return nil }
    return .section(
      "Keys", [Table(caption: "Keys", columns: [.init("Name"), .init("Of"), .init("Last used")], rows: rows).block])
  }

  /// What happened to the one who fits best.
  private func trail(_ visit: Visit, _ people: [RESPValue]) async throws -> Block? {
    guard let best = people.first,
      let reply = try await visit.readIfAllowed("AUDIT.LIST", "USER", "#" + best.shown("id"), "COUNT", "5")
    else { return nil }
    let records = ListPage(reply).items
    guard !records.isEmpty else { return nil }
    return .section(
      "Trail of \(best.shown("username"))",
      actions: [.link("All of it", Address("people", best.shown("id"), "trail"))], [Timeline(records).block])
  }

  /// Everything that has this id.
  private func page(_ visit: Visit, _ id: Int64) async throws -> Page {
    var blocks: [Block] = []
    if let user = try await visit.readIfAllowed("USER.GET", "#\(id)") { blocks.append(Self.people([user])) }
    for kind in ["key", "session", "entry"] {
      guard let reply = try await visit.readIfAllowed("AUDIT.LIST", "ENTITY", kind, "#\(id)", "COUNT", "5") else {
        continue
      }
      let records = ListPage(reply).items
      if !records.isEmpty { blocks.append(.section("Trail of the \(kind) #\(id)", [Timeline(records).block])) }
    }
    if let reply = try await visit.readIfAllowed("AUDIT.LIST", "CURSOR", String(max(id, 1)), "COUNT", "1"),
      let record = ListPage(reply).items.first, record["lsn"]?.integer == id
    {
      blocks.append(.section("Record #\(id)", [Timeline([record]).block]))
    }
    if blocks.isEmpty { blocks = [.empty("Nothing has the id #\(id)", "Or you may not see it.")] }
    return Page("Search: #\(id)", blocks)
  }

  /// Who has run a command of late.
  private func page(_ visit: Visit, command: String) async throws -> Page {
    let records = ListPage(try await visit.read("AUDIT.LIST", "COMMAND", command, "COUNT", "5")).items
    let block = records.isEmpty ? Block.empty("No record of it", "Nobody ran it of late.") : Timeline(records).block
    return Page(
      "Search: \(command)",
      [.section("Trail of \(command)", actions: [.link("All of it", TrailPages.address(ofCommand: command))], [block])])
  }

  private func page(_ visit: Visit, record lsn: Int64) async throws -> Page {
    let reply = try await visit.read("AUDIT.LIST", "CURSOR", String(lsn), "COUNT", "5")
    let records = ListPage(reply).items
    guard let newest = records.first else {
      return Page(
        "Record \(lsn)", [.empty("There is no such record", "Or it tells of something that you may not see.")])
    }
    let isThere = newest["lsn"]?.integer == lsn
    return Page(
      "Record \(lsn)",
      (isThere
        ? [] : [.notice(.warn, "Record \(lsn) is not shown", [.text("There is none, or you may not see it.")])])
        + [.section(isThere ? "This one and those before it" : "Those before it", [Timeline(records).block])])
  }
}
