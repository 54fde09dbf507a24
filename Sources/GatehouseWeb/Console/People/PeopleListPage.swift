import GatehouseWire

/// The list of people.
struct PeopleListPage {
  let visit: Visit
  let query: PeopleQuery
  /// The fields that the workspace has added.
  private let ownFields: [String]

  init(_ visit: Visit) async {
    self.visit = visit
    query = PeopleQuery(visit.query, workspace: visit.workspace, now: visit.now)
    let fields = try? await visit.readQuietly(["FIELD.LIST", "WORKSPACE", visit.workspace]).elements
    ownFields = (fields ?? []).map { $0.shown("name") }
  }

  func page() async throws -> Page {
    let list: ListPage
    let count: Int64
    do {
      list = ListPage(try await visit.read(query.command))
      count = try await visit.read(["USER.COUNT"] + query.conditions).integer ?? 0
    } catch let failure as CommandFailure where !failure.isPassing && failure.code != "NOPERM" {
      // A name that there is not, or a condition that is none: what was typed stays, to be put right.
      return Page(
        "People", area: PeoplePages.address, failure: failure, [views, filters, columnChoice])
    }
    var actions: [Button] = []
    let (text, form) = ("Add a person", Address("people", "new"))
    if let add = Button.asked(await NewPersonPages.verdict(visit), .link(text, form, .primary), text) {
      actions += [add, ImportPages.button()]
    }
    actions.append(.link("Download as CSV", ExportPages.address.adding(query.pairs)))
    let mayChange = await mayChange()
    var blocks = [views, filters, table(list, isSelectable: mayChange)]
    if mayChange, !list.items.isEmpty { blocks.append(bulk(count)) }
    blocks.append(columnChoice)
    let noun: [Cell] = [.number(count), .text(count == 1 ? " person" : " people")]
    let place: [Cell] = query.isEverywhere ? [.text(" in all workspaces")] : [.text(" in "), .strong(visit.workspace)]
    let order: [Cell] = list.items.isEmpty ? [] : [.text(query.orderText)]
    return Page("People", area: PeoplePages.address, intro: noun + place + order, actions: actions, blocks)
  }

  private func mayChange() async -> Bool {
    for permission in ["contact.set", "user.set", "user.status"] where await visit.holds(permission) { return true }
    return false
  }

  // MARK: Parts

  private var views: Block {
    let own = PeopleViews.read(visit.cookie(.views))
    let usual = PeopleViews.usual.map { view in
      (text: view.name, address: PeoplePages.address.adding(view.query), isCurrent: false)
    }
    let saved = own.map { view in
      (text: view.name, address: Address(raw: PeoplePages.address.text + "?" + view.query), isCurrent: false)
    }
    let here = query.address(cursor: nil)
    return .links("Views", (usual + saved).map { ($0.text, $0.address, $0.address == here) })
  }

  private var filters: Block {
    let operators = ["=", "!=", "<", ">", "<=", ">=", "^=", "~="].map { Field.Option($0) }
    // The usual number comes first, so that it does not unfold the rest.
    let sizes = (["50"] + PeopleQuery.sizes.filter { $0 != "50" }).map { Field.Option($0) }
    let kept = query.pairs.filter { ["column", "sort", "desc"].contains($0.name) }
    var form = Form(
      PeoplePages.address, .get, layout: .row, id: "filter",
      fields: [
        Field(
          "status", "Status", .choice([.init("", "All but deleted")] + PeopleQuery.statuses.map { .init($0) }),
          value: query.status),
        Field("product", "Product", value: query.product), Field("role", "Role", value: query.role),
        Field("department", "Department", value: query.department),
        Field(
          "dormant", "Last login",
          .choice([
            .init("", "Any time"), .init("never", "Never"), .init("30", "Not for 30 days"),
            .init("90", "Not for 90 days"), .init("365", "Not for a year"),
          ]), value: query.dormant),
      ], hidden: kept, submit: "Filter", cancel: PeoplePages.address)
    form.cancelText = "Reset"
    form.more = [
      Field("field", "Any field", value: query.custom.field),
      Field("op", "Is", .choice(operators), value: query.custom.comparison.isEmpty ? "=" : query.custom.comparison),
      Field("value", "Value", value: query.custom.value),
      Field("size", "Rows", .choice(sizes), value: query.size),
      Field("everywhere", "All workspaces", .checkbox(isOn: query.isEverywhere)),
    ]
    return form.block
  }

  private func table(_ list: ListPage, isSelectable: Bool) -> Block {
    let titles = Dictionary(uniqueKeysWithValues: PeopleQuery.columns.map { ($0.name, $0.title) })
    var shown = query.columns
    // The status is always there: it is what administrators scan.
    if !shown.contains("status") { shown.insert("status", at: min(1, shown.count)) }
    let columns = shown.map { name in
      Table.Column(titles[name] ?? name, sort: query.address(sortedBy: name), order: query.order(of: name))
    }
    let rows = list.items.map { person -> Table.Row in
      let id = String(person["id"]?.integer ?? 0)
      let username = person.shown("username")
      let cells = shown.enumerated().map { index, name -> [Cell] in
        let cells = cell(name, person)
        guard name == "username" || index == 0 && !shown.contains("username") else { return cells }
        return [
          .link(
            name == "username" ? username : person.shown(name).isEmpty ? "#" + id : person.shown(name),
            Address("people", id))
        ]
      }
      return Table.Row(cells, selection: isSelectable ? (id, username) : nil)
    }
    return Table(
      caption: "People", columns: columns, rows: rows, selection: isSelectable ? ("id", "bulk") : nil,
      first: query.cursor.isEmpty ? nil : query.address(cursor: nil),
      next: list.cursor.map { query.address(cursor: $0) },
      empty: .empty(
        "Nobody meets these conditions", "Change the filter, or look in all workspaces.",
        [.link("Everybody", PeoplePages.address)])
    ).block
  }

  private func cell(_ name: String, _ person: RESPValue) -> [Cell] {
    switch name {
    case "status": [.status(person.shown("status"))]
    case "last-login", "created": [.time(person[name]?.integer)]
    case "sessions", "id", "contact", "version": [.value(person[name])]
    default: person.shown(name).isEmpty ? [.none] : [.text(person.shown(name))]
    }
  }

  /// The form whose checkboxes stand in the table.
  private func bulk(_ count: Int64) -> Block {
    let form = Form(
      Address("people", "bulk"), layout: .row, id: "bulk",
      fields: [
        Field("field", "Set", .choice((BulkChange.fields + ownFields).map { .init($0) })),
        Field("value", "to", hint: "Empty clears the field."),
        Field(
          "all", "All \(count) who match, not only those ticked", .checkbox(isOn: false),
          hint: count > BulkChange.mostOfForm
            ? "A form changes at most \(BulkChange.mostOfForm): narrow the filter down." : nil),
      ],
      hidden: [("match", query.text)], submit: "See what would change", otherSubmit: mergeSubmit)
    return .section(
      "Change several people", note: "Nothing is changed before you have seen what would be, and have confirmed it.",
      [form.block])
  }

  /// The ticked people are sent there instead.
  private var mergeSubmit: Form.OtherSubmit { .init("Merge the ticked people", Address("people", "merge-several")) }

  private var columnChoice: Block {
    let kept = query.pairs.filter { $0.name != "column" }
    let chosen = Set(query.columns)
    let choice = Form(
      PeoplePages.address, .get, layout: .row, id: "columns",
      fields: (PeopleQuery.columns + ownFields.map { ($0, $0) }).map { column in
        var field = Field("column", column.title, .checkbox(isOn: chosen.contains(column.name)))
        field.value = column.name
        return field
      }, hidden: kept, submit: "Show these columns")
    let save = Form(
      Address("people", "views"), layout: .row, id: "views",
      fields: [Field("name", "Save this view as", required: true)], hidden: [("query", query.text)],
      submit: "Save the view")
    var blocks = [choice.block, save.block]
    if !PeopleViews.read(visit.cookie(.views)).isEmpty {
      blocks.append(.buttons([.post("Forget my saved views", Address("people", "views", "forget"))]))
    }
    return .section(
      "Columns and views", note: "Views are kept in this browser; the address of a view can be shared.", blocks)
  }
}
