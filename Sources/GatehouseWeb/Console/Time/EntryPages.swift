import GatehouseWire
import HTTPTypes

/// One entry of somebody's time: corrected in place, with every version that it had.
struct EntryPages: ConsolePages {
  var areas: [Area] { [] }

  static func address(of entry: Int64) -> Address { address(of: String(entry)) }
  private static func address(of entry: String) -> Address { Address("entries", entry) }

  /// The time of the person whose entry it is.
  private static func person(_ entry: RESPValue) -> Address {
    Address("people", String(entry["user"]?.integer ?? 0)).at("time")
  }

  /// Whether somebody may correct an entry is asked with what it says already: a correction of nothing is refused.
  static func trial(_ entry: RESPValue) -> [String] {
    ["ENTRY.CORRECT", entry.shown("entry"), "NOTE", entry.shown("note")]
  }

  func add(to console: ConsoleRouter) {
    console.get("entries/:entry") { visit in .page(try await Self.page(visit)) }
    console.post("entries/:entry") { visit in try await Self.correct(visit) }
    console.get("entries/:entry/delete") { visit in
      let there = Self.address(of: visit.parameter("entry"))
      let confirmation = Confirmation(
        "Delete the entry", ["ENTRY.DELETE", visit.parameter("entry")],
        to: Address("entries", visit.parameter("entry"), "delete"), cancel: there,
        undo: "Its versions stay in the record; the same time can be added again.")
      return .page(Page("Delete this entry?", area: PeoplePages.address, try await confirmation.blocks(visit)))
    }
    console.post("entries/:entry/delete") { visit in
      let entry = try await visit.write("ENTRY.DELETE", visit.parameter("entry"))
      return .redirect(Self.person(entry), await visit.done(entry, "The entry is deleted."))
    }
    console.get("people/:user/time/new") { visit in .page(try await Self.adding(visit, nil)) }
    console.post("people/:user/time/new") { visit in try await Self.addEntry(visit) }
  }

  private static func page(_ visit: Visit, error: String? = nil) async throws -> Page {
    let entry = try await visit.read("ENTRY.GET", visit.parameter("entry"))
    let name = entry.shown("username")
    let person = person(entry)
    let history = try await visit.read("ENTRY.HISTORY", visit.parameter("entry")).elements ?? []
    var blocks: [Block] = []
    switch await visit.verdict(trial(entry)) {
    case .allowed: blocks.append(.section("Correct it", [form(visit, entry, cancel: person, error).block]))
    case .refused(let failure): blocks.append(failure.block)
    case .forbidden: break
    }
    blocks.append(.section("Every version", [versions(history).block]))
    return Page(
      "An entry of \(name)", area: PeoplePages.address,
      intro: [.text("In "), .strong(entry.shown("workspace")), .text(", by "), .link(name, person), .text(".")],
      actions: await deletion(visit, entry), blocks)
  }

  private static func deletion(_ visit: Visit, _ entry: RESPValue) async -> [Button] {
    let id = entry.shown("entry")
    let button = Button.link("Delete", Address("entries", id, "delete"), .danger)
    let verdict = await visit.verdict("ENTRY.DELETE", id)
    return Button.asked(verdict, button, "Delete").map { [$0] } ?? []
  }

  private static func form(_ visit: Visit, _ entry: RESPValue, cancel: Address, _ error: String?) -> Form {
    let form = visit.form
    func value(_ name: String, _ now: String) -> String { error == nil ? now : form[name] }
    func time(_ name: String) -> String {
      Moment.field(error == nil ? entry[name]?.integer : Moment.time(form[name]))
    }
    return Form(
      address(of: entry["entry"]?.integer ?? 0), layout: .grid,
      fields: [
        Field("start", "Start", .moment, value: time("start"), required: true),
        Field("end", "End", .moment, value: time("end"), required: true),
        Field("project", "Project", value: value("project", entry.shown("project"))),
        Field("note", "Note", value: value("note", entry.shown("note"))),
        Field("reason", "Reason", value: form["reason"], hint: "Recorded in the trail."),
      ], hidden: [("version", entry.shown("version"))], submit: "Save the correction", cancel: cancel, error: error)
  }

  private static func correct(_ visit: Visit) async throws -> Outcome {
    let id = visit.parameter("entry")
    var words = ["ENTRY.CORRECT", id]
    for name in ["start", "end"] { words += [name.uppercased(), visit.form.moment(name)] }
    words += ["PROJECT", visit.form["project"], "NOTE", visit.form["note"]]
    if let version = visit.form["version"].nonEmpty { words += ["IFVERSION", version] }
    do {
      let reply = try await visit.write(words)
      return .redirect(
        address(of: id), await visit.done(reply, "The entry is corrected. The version before stays below."))
    } catch let failure as CommandFailure where !failure.isPassing {
      return .page(try await page(visit, error: failure.detail))
    }
  }

  // MARK: Time without a timer

  private static func adding(_ visit: Visit, _ failure: CommandFailure?) async throws -> Page {
    let person = try await Person(visit)
    let form = visit.form
    let workspace = form["workspace"].nonEmpty ?? visit.workspace
    let block = Form(
      person.address("time", "new"), layout: .grid,
      fields: [
        Field("start", "Start", .moment, value: Moment.field(Moment.time(form["start"])), required: true),
        Field("end", "End", .moment, value: Moment.field(Moment.time(form["end"])), required: true),
        Field("project", "Project", value: form["project"]), Field("note", "Note", value: form["note"]),
        Field("reason", "Reason", value: form["reason"], hint: "Recorded in the trail."),
      ], hidden: [("workspace", workspace)], submit: "Add the time", cancel: person.address.at("time")
    ).block
    return Page(
      "Add time of \(person.name)", area: PeoplePages.address, intro: [.text("In "), .strong(workspace), .text(".")],
      failure: failure, [.section("Worked without a timer", [block])])
  }

  private static func addEntry(_ visit: Visit) async throws -> Outcome {
    let person = try await Person(visit)
    let form = visit.form
    do {
      let entry = try await visit.write([
        "ENTRY.ADD", person.word, "START", form.moment("start"), "END", form.moment("end"), "WORKSPACE",
        form["workspace"], "PROJECT", form["project"], "NOTE", form["note"],
      ])
      return .redirect(person.address.at("time"), await visit.done(entry, "The time is added."))
    } catch let failure as CommandFailure where !failure.isPassing {
      return .page(try await adding(visit, failure))
    }
  }

  // MARK: What it said

  private static func versions(_ history: [RESPValue]) -> Table {
    Table(
      caption: "Versions of the entry",
      columns: [
        .init("Version", isNumeric: true), .init("Start"), .init("End"), .init("Project"), .init("Note"),
        .init("By"), .init("As"), .init("When"), .init("Reason"),
      ],
      rows: history.map { version in
        .init([
          [.value(version["version"])], [.time(version["start"]?.integer)], [.time(version["end"]?.integer)],
          [.value(version["project"])], [.value(version["note"])], [.value(version["by"])],
          [.value(version["as"])], [.time(version["time"]?.integer)], [.value(version["reason"])],
        ])
      })
  }
}
