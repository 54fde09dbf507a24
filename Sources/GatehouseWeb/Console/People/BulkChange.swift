import GatehouseWire

/// One field set for many people: whom, what, and the commands for it.
struct BulkChange {
  /// Fields that make sense for many at once; those of the workspace come from `FIELD.LIST`.
  static let fields = [
    "status", "department", "division", "timezone", "language", "schedule", "leave", "phone", "hired", "released",
    "restrict-bookings", "authority",
  ]
  /// As many as one command takes.
  static let most = 1000
  /// As many as a form changes, in parts: the browser waits for all of them.
  static let mostOfForm = 20_000

  let field: String
  let value: String
  /// Who was ticked; empty if all who match are meant.
  let ids: [String]
  /// The filter of all who match.
  let match: String
  private let conditions: [String]
  /// The list of people as it was filtered.
  let list: Address

  init(_ visit: Visit) throws {
    field = visit.form["field"]
    value = visit.form["value"]
    match = visit.form["match"]
    let ticked = visit.form.all("id").filter { !$0.isEmpty && $0.allSatisfy { $0.isASCII && $0.isNumber } }
    ids = visit.form["all"] == "1" ? [] : ticked
    let query = PeopleQuery(try FormFields(parsing: match), workspace: visit.workspace, now: visit.now)
    conditions = query.conditions
    list = query.address(cursor: nil)
    if ids.isEmpty, visit.form["all"] != "1" {
      throw CommandFailure("ERR nobody is ticked; go back and tick people, or take all who match")
    }
  }

  var command: [String] { command(ids) }

  /// For these people alone.
  func command(_ ids: [String]) -> [String] {
    let who = ids.isEmpty ? conditions : ["IDS", String(ids.count)] + ids.map { "#" + $0 }
    return ["USER.BULK", "SET", field, value] + who
  }

  /// What a form needs to ask for the same again.
  func hidden(_ ids: [String]) -> [(name: String, value: String)] {
    let who = ids.isEmpty ? [("all", "1")] : ids.map { ("id", $0) }
    return [("field", field), ("value", value), ("match", match)] + who
  }

  /// The commands, each for as many as one takes: one where that is enough for all.
  ///
  /// - Throws: `CommandFailure` if they are more than a form changes.
  func commands(_ visit: Visit) async throws -> [[String]] {
    let count =
      ids.isEmpty ? Int(try await visit.read(["USER.COUNT"] + conditions).integer ?? 0) : ids.count
    guard count > Self.most else { return [command] }
    guard count <= Self.mostOfForm else {
      throw CommandFailure(
        "LIMIT people: \(count) match, and a form changes at most \(Self.mostOfForm); narrow the filter down")
    }
    let all = try await people(visit).map(\.id)
    return stride(from: 0, to: all.count, by: Self.most).map { start in
      command(Array(all[start..<min(start + Self.most, all.count)]))
    }
  }

  /// Who is meant, with names; as many as a form changes.
  func people(_ visit: Visit) async throws -> [(id: String, username: String)] {
    var people: [(id: String, username: String)] = []
    guard ids.isEmpty else {
      for id in ids.prefix(Self.mostOfForm) {
        let user = try await visit.readQuietly(["USER.GET", "#" + id])
        people.append((id, user.shown("username")))
      }
      return people
    }
    var cursor: String?
    repeat {
      let words = ["USER.LIST"] + conditions + (cursor.map { ["CURSOR", $0] } ?? [])
      let page = ListPage(
        try await visit.readQuietly(words + ["COUNT", String(Self.most), "FIELDS", "2", "id", "username"]))
      people += page.items.map { ($0.shown("id"), $0.shown("username")) }
      cursor = page.cursor
    } while cursor != nil && people.count < Self.mostOfForm
    return people
  }

  /// How many are meant who are not among them.
  func left(of people: Int, _ visit: Visit) async throws -> Int {
    guard ids.isEmpty else { return max(0, ids.count - people) }
    return max(0, Int(try await visit.readQuietly(["USER.COUNT"] + conditions).integer ?? 0) - people)
  }

  /// What would become of one person.
  struct Result {
    let id: String
    let username: String
    let verdict: Verdict
    let changes: Bool

    var text: (result: String, rule: String, why: String) {
      switch verdict {
      case .allowed: (changes ? "would change" : "is so already", "", "")
      case .refused(let failure): ("refused", failure.rule ?? failure.code, failure.detail)
      case .forbidden: ("refused", "NOPERM", "you may not change this person")
      }
    }
  }

  /// Tries everybody by themselves, because all are changed or none.
  func results(_ visit: Visit) async throws -> [Result] {
    var results: [Result] = []
    for person in try await people(visit) {
      let (verdict, reply) = await visit.trial(command([person.id]))
      let changes = !(reply["changes"]?.elements ?? []).isEmpty
      results.append(Result(id: person.id, username: person.username, verdict: verdict, changes: changes))
    }
    return results
  }
}
