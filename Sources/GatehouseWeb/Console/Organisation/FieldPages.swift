import GatehouseWire

/// The fields that a workspace adds to its people.
struct FieldPages: ConsolePages {
  static let address = Address("fields")

  var areas: [Area] { [Area("Fields", .people, Self.address, needs: ["field.define"])] }

  private static let types = [
    ("text", "Text"), ("number", "Number"), ("day", "Day"), ("flag", "Yes or no"), ("choice", "One of several words"),
  ]

  func add(to console: ConsoleRouter) {
    console.get("fields") { visit in .page(try await Self.list(visit, nil)) }
    console.post("fields") { visit in
      let form = visit.form
      let choices = form["choices"].split(whereSeparator: { $0 == "," || $0.isNewline }).map { String($0).trimmed }
        .filter { !$0.isEmpty }
      var words = ["FIELD.DEFINE", form["name"], form["type"], "WORKSPACE", form["workspace"]]
      if form["mandatory"] == "1" { words.append("MANDATORY") }
      if !choices.isEmpty { words += ["CHOICES", String(choices.count)] + choices }
      do {
        let reply = try await visit.write(words)
        return .redirect(Self.address, await visit.done(reply, "The field \(form["name"]) is there."))
      } catch let failure as CommandFailure where !failure.isPassing {
        return .page(try await Self.list(visit, failure))
      }
    }
    console.get("fields/drop") { visit in
      let name = visit.query["name"]
      let confirmation = Confirmation(
        "Drop the field", ["FIELD.DROP", name, "WORKSPACE", visit.workspace], to: Address("fields", "drop"),
        hidden: [("name", name), ("workspace", visit.workspace)], cancel: Self.address,
        undo: "People's values are no longer shown; defining the field again shows what they had.")
      return .page(Page("Drop the field \(name)?", area: Self.address, try await confirmation.blocks(visit)))
    }
    console.post("fields/drop") { visit in
      let reply = try await visit.write("FIELD.DROP", visit.form["name"], "WORKSPACE", visit.form["workspace"])
      return .redirect(Self.address, await visit.done(reply, "The field \(visit.form["name"]) is dropped."))
    }
  }

  private static func list(_ visit: Visit, _ failure: CommandFailure?) async throws -> Page {
    let fields = try await visit.read("FIELD.LIST", "WORKSPACE", visit.workspace).elements ?? []
    let mayChange = await visit.holds("field.define", overAllOf: visit.workspace)
    let names = Dictionary(uniqueKeysWithValues: types)
    let rows = fields.map { field -> Table.Row in
      let name = field.shown("name")
      return .init(
        [
          [.strong(name)], [.text(names[field.shown("type")] ?? field.shown("type"))],
          [field.flag("mandatory") ? .badge("mandatory", .warn) : .muted("no")], [.text(field.shown("choices"))],
        ],
        buttons: mayChange
          ? [
            .link(
              "Change",
              address.adding("name", name).adding("type", field.shown("type"))
                .adding("mandatory", field.flag("mandatory") ? "1" : "0").adding("choices", field.shown("choices"))
                .at("define")),
            .link("Drop", Address("fields", "drop").adding("name", name), .danger),
          ] : [])
    }
    var blocks = [
      Table(
        caption: "Fields of \(visit.workspace)",
        columns: [.init("Field"), .init("Type"), .init("Mandatory"), .init("Words")], rows: rows,
        empty: .empty("No field yet", "Add what the card of a person should have beside name, e-mail and the like.")
      ).block
    ]
    if mayChange { blocks.append(form(failure == nil ? visit.query : visit.form, visit)) }
    return Page(
      "Fields", area: address, intro: [.text("What \(visit.workspace) keeps of its people beside the usual.")],
      failure: failure, blocks)
  }

  private static func form(_ values: FormFields, _ visit: Visit) -> Block {
    let form = Form(
      address, layout: .grid,
      fields: [
        Field("name", "Name", value: values["name"], required: true),
        Field("type", "Type", .choice(types.map { .init($0.0, $0.1) }), value: values["type"].nonEmpty ?? "text"),
        Field(
          "choices", "Words to choose from", value: values["choices"], hint: "Only for the last type, with commas."),
        Field("mandatory", "Everybody must have a value", .checkbox(isOn: values["mandatory"] == "1")),
        Field("reason", "Reason", value: values["reason"], hint: "Recorded in the trail."),
      ], hidden: [("workspace", visit.workspace)], submit: "Save the field")
    return .section(
      "Add a field, or change one", id: "define",
      note: "The type of a field stays as it is. A word that people have cannot be taken away.", [form.block])
  }
}
