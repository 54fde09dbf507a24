import GatehouseCore
import GatehouseWire
import HTTPTypes

/// One entry of somebody's time: corrected in place, with every version that it had.
struct EntryPages: ConsolePages {
  var areas: [Area] { [] }

  static func address(of entry: Int64) -> Address { Address("entries", String(entry)) }

  func add(to console: ConsoleRouter) {
    console.get("entries/:entry") { visit in .page(try await Self.page(visit)) }
    console.post("entries/:entry") { visit in try await Self.correct(visit) }
  }

  private static func page(_ visit: Visit, error: String? = nil) async throws -> Page {
    let entry = try await visit.read("ENTRY.GET", visit.parameter("entry"))
    let user = entry["user"]?.integer ?? 0
    let name = entry.shown("username")
    let person = Address("people", String(user)).at("time")
    let history = try await visit.read("ENTRY.HISTORY", visit.parameter("entry")).elements ?? []
    var blocks: [Block] = []
    if await visit.verdict(["ENTRY.CORRECT", visit.parameter("entry")]).isAllowed {
      blocks.append(.section("Correct it", [form(visit, entry, cancel: person, error).block]))
    }
    blocks.append(.section("Every version", [versions(history).block]))
    return Page(
      "An entry of \(name)", area: PeoplePages.address,
      intro: [.text("In "), .strong(entry.shown("workspace")), .text(", by "), .link(name, person), .text(".")], blocks)
  }

  private static func form(_ visit: Visit, _ entry: RESPValue, cancel: Address, _ error: String?) -> Form {
    let form = visit.form
    func value(_ name: String, _ now: String) -> String { error == nil ? now : form[name] }
    func time(_ name: String) -> String {
      value(name, entry[name]?.integer.map { Self.shown($0) } ?? "")
    }
    return Form(
      address(of: entry["entry"]?.integer ?? 0), layout: .grid,
      fields: [
        Field("start", "Start (UTC)", value: time("start"), required: true),
        Field("end", "End (UTC)", value: time("end"), hint: "As 2026-11-30 17:30.", required: true),
        Field("project", "Project", value: value("project", entry.shown("project"))),
        Field("note", "Note", value: value("note", entry.shown("note"))),
        Field("reason", "Reason", value: form["reason"], hint: "Recorded in the trail."),
      ], hidden: [("version", entry.shown("version"))], submit: "Save the correction", cancel: cancel, error: error)
  }

  private static func shown(_ time: Int64) -> String {
    let text = TimeText.text(of: time)
    return "\(text.prefix(10)) \(text.dropFirst(11).prefix(8))"
  }

  private static func correct(_ visit: Visit) async throws -> Outcome {
    let id = visit.parameter("entry")
    var words = ["ENTRY.CORRECT", id]
    for name in ["start", "end"] {
      guard let time = TimerPages.moment(visit.form[name]) else {
        return .page(
          try await page(visit, error: "The \(name) is not understood. Write it as 2026-11-30 17:30, in UTC."))
      }
      words += [name.uppercased(), TimeText.text(of: time)]
    }
    words += ["PROJECT", visit.form["project"], "NOTE", visit.form["note"]]
    if let version = visit.form["version"].nonEmpty { words += ["IFVERSION", version] }
    do {
      let reply = try await visit.write(words)
      let there = Address("entries", id)
      return .redirect(there, await visit.done(reply, "The entry is corrected. The version before stays below."))
    } catch let failure as CommandFailure where !failure.isPassing {
      return .page(try await page(visit, error: failure.detail))
    }
  }

  private static func versions(_ history: [RESPValue]) -> Table {
    Table(
      caption: "Versions of the entry",
      columns: [
        .init("Version", isNumeric: true), .init("Start"), .init("End"), .init("Project"), .init("Note"),
        .init("By"), .init("When"), .init("Reason"),
      ],
      rows: history.map { version in
        .init([
          [.value(version["version"])], [.time(version["start"]?.integer)], [.time(version["end"]?.integer)],
          [.value(version["project"])], [.value(version["note"])], [.value(version["by"])],
          [.time(version["time"]?.integer)], [.value(version["reason"])],
        ])
      })
  }
}
