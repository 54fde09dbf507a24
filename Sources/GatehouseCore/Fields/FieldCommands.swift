extension CommandTable {
  static let fieldCommands: [CommandSpec] = [
    CommandSpec(
      "FIELD.DEFINE", .people, "Add a field to the people of a workspace, or change its definition",
      [
        .word("name"), .word("type"), .option("WORKSPACE", "workspace"), .flag("MANDATORY"),
        .counted("CHOICES", "word"),
      ],
      reply: "`OK`; types are text, number, day, flag and choice. Without MANDATORY it stops being mandatory; the type"
        + " of a field cannot change, and a choice keeps the words that people have. A field is not named like an option"
        + " of the commands that set fields; one that is named so already is set as `workspace/name`",
      effect: .write, rights: .admin, needs: .permission(.fieldDefine, over: .namedWorkspace), route: .directory,
      body: .decide(fieldDefine)),
    CommandSpec(
      "FIELD.LIST", .people, "The fields of a workspace", [.option("WORKSPACE", "workspace")],
      reply: "an array of maps `name, type, mandatory, choices`", needs: .nothing, route: .directory,
      body: .decide(fieldList)),
    CommandSpec(
      "FIELD.DROP", .people, "Drop a field; people's values are no longer shown",
      [.word("name"), .option("WORKSPACE", "workspace")], reply: "`OK`", effect: .write, rights: .admin,
      needs: .permission(.fieldDefine, over: .namedWorkspace), route: .directory, body: .decide(fieldDrop)),
  ]

  @Sendable private static func fieldDefine(_ turn: Turn) throws(Halt) {
    let name = try Turn.name(try turn.text(1, "name", limit: Limits.nameBytes).folded, "name")
    let type = try turn.text(2, "type", limit: Limits.nameBytes).folded
    guard let kind = FieldDefinition.Kind.allCases.first(where: { $0.name == type }) else {
      let all = FieldDefinition.Kind.allCases.map(\.name).joined(separator: ", ")
      throw .refused(.syntax("no type '\(type)'; types are \(all)"))
    }
    _ = try turn.directoryState()
    let workspace = try turn.workspace()
    let fields = turn.directory.fields(of: workspace.id)
    let old = fields.first { $0.name == name }
    // One that it has from before there was such a built-in field can be changed, and need not stay mandatory.
    guard old != nil || !ListField.isBuiltIn(name) else {
      throw .refused(.conflict("field: \(name) is a built-in field; choose another name", of: "name"))
    }
    let choices = try turn.options("CHOICES").first ?? []
    guard choices.isEmpty != (kind == .choice) else {
      throw .refused(.syntax("a choice needs CHOICES n word…, and only a choice has them"))
    }
    guard Set(choices.map(\.folded)).count == choices.count, choices.count <= Limits.choicesOfField,
      !choices.contains(where: { EntityNames.isBlank($0) || $0.utf8.count > Limits.fieldBytes })
    else {
      throw .refused(
        .syntax("CHOICES are up to \(Limits.choicesOfField) different words of at most \(Limits.fieldBytes) bytes"))
    }
    if old == nil, let other = fields.first(where: { ListField.plain($0.name) == ListField.plain(name) }) {
      throw .refused(
        .conflict("field: \(name) differs from \(other.name) in punctuation alone; choose another name", of: "name"))
    }
    if old == nil, let option = turn.optionNamed(name) {
      throw .refused(
        .conflict(
          "field: \(name) is an option of \(option), which would take it for that; choose another name, such as"
            + " \(name)-text"))
    }
    if let old, old.kind != kind {
      throw .refused(.conflict("field: \(name) is of type \(old.kind.name); drop it first with FIELD.DROP \(name)"))
    }
    if old == nil, fields.count >= Limits.fieldsOfWorkspace {
      throw .refused(.limit("fields: a workspace has at most \(Limits.fieldsOfWorkspace); drop one with FIELD.DROP"))
    }
    if old == nil {
      try Limits.fieldNumbers.check(
        "fields", ofWorkspace: turn.directory.tables.fields.numbers(of: workspace.id),
        ofAll: turn.directory.tables.fields.rows.count, note: ", dropped ones included")
    }
    let id = old?.id ?? FieldID(turn.directory.tables.fields.rows.count + 1)
    var new = FieldDefinition(id: id, workspace: workspace.id, name: name, kind: kind)
    new.choices = choices
    new.isMandatory = turn.has("MANDATORY")
    turn.reply.ok()
    if let old, old.choices == new.choices, old.isMandatory == new.isMandatory { return }
    if let old { try turn.requireUnused(wordsOf: old, missingIn: new) }
    turn.emit(FieldDefined(new, old: old))
  }

  @Sendable private static func fieldList(_ turn: Turn) throws(Halt) {
    let fields = turn.directory.fields(of: try turn.workspace().id)
    turn.reply.array(fields.count)
    for field in fields {
      turn.reply.map(4)
      turn.reply.text("name")
      turn.reply.text(field.name)
      turn.reply.text("type")
      turn.reply.text(field.kind.name)
      turn.reply.text("mandatory")
      turn.reply.flag(field.isMandatory)
      turn.reply.text("choices")
      turn.reply.array(field.choices.count)
      for choice in field.choices { turn.reply.text(choice) }
    }
  }

  @Sendable private static func fieldDrop(_ turn: Turn) throws(Halt) {
    _ = try turn.directoryState()
    let name = try turn.text(1, "name", limit: Limits.nameBytes)
    turn.emit(FieldDropped(try turn.field(named: name, in: try turn.workspace())))
    turn.reply.ok()
  }
}

extension Turn {
  /// A command that sets fields and has an option of this name: what stands there is taken for the option, not for the
  /// field.
  fileprivate func optionNamed(_ name: String) -> String? {
    CommandTable.all.first { $0.setsFields && $0.options.contains { $0.token?.lowercased() == name } }?.name
  }
}

extension CommandSpec {
  /// Whether names and values of fields are among its words, and not behind an option that says how many there are.
  fileprivate var setsFields: Bool { arguments.contains { $0.isVariadic && $0.parts == ["field", "value"] } }
}
