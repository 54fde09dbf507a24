import GatehouseWire

/// The records of other systems that somebody is linked to: places on courses, bookings, invoices, awards, matters, tasks.
struct LinkPages {
  private static let kinds = ["delegate", "booking", "invoice", "award", "matter", "task"]

  func add(to console: ConsoleRouter) {
    console.get("people/:user/link") { visit in .page(try await adding(visit)) }
    console.post("people/:user/link") { visit in
      let person = try await Person(visit)
      let form = visit.form
      let words = ["LINK.ADD", person.contact, form["kind"], form["ref"], "WORKSPACE", form["workspace"]]
      let reply = try await visit.write(words + Self.status(form) + Self.attributes(form))
      return .redirect(Self.address(person), await visit.done(reply, "\(form["ref"]) is linked."))
    }
    console.get("people/:user/link/:link") { visit in .page(try await changing(visit)) }
    console.post("people/:user/link/:link") { visit in
      let person = try await Person(visit)
      let form = visit.form
      let reply = try await visit.write(
        ["LINK.SET", visit.parameter("link"), "STATUS", form["status"]] + Self.attributes(form))
      return .redirect(Self.address(person), await visit.done(reply, "The record is changed."))
    }
    console.get("people/:user/link/:link/remove") { visit in
      let person = try await Person(visit)
      let id = visit.parameter("link")
      let confirmation = Confirmation(
        "Remove the record", ["LINK.REMOVE", id], to: person.address("link", id, "remove"),
        cancel: Self.address(person),
        undo: "The trail keeps what it said, so that it can be added anew.", about: person)
      return .page(
        Page(
          "Remove a record linked to \(person.name)?", area: PeoplePages.address, try await confirmation.blocks(visit)))
    }
    console.post("people/:user/link/:link/remove") { visit in
      let person = try await Person(visit)
      let reply = try await visit.write("LINK.REMOVE", visit.parameter("link"))
      return .redirect(Self.address(person), await visit.done(reply, "It is linked no longer; the trail keeps it."))
    }
  }

  private static func address(_ person: Person) -> Address { person.address.at("links") }

  private static func status(_ form: FormFields) -> [String] {
    form["status"].isEmpty ? [] : ["STATUS", form["status"]]
  }

  /// The details of a form: one new one, and those that were there under `a:name`.
  private static func attributes(_ form: FormFields) -> [String] {
    let kept = form.pairs.filter { $0.name.hasPrefix("a:") }.flatMap { pair in
      ["ATTR", String(pair.name.dropFirst(2)), pair.value.trimmed]
    }
    return kept + (form["attribute"].isEmpty ? [] : ["ATTR", form["attribute"], form["value"]])
  }

  // MARK: On the person's page

  /// - Returns: nil for who may not see them.
  static func section(_ visit: Visit, _ person: Person) async throws -> Block? {
    guard let reply = try await visit.readIfAllowed("LINK.LIST", person.contact, "COUNT", "25") else { return nil }
    var rows: [Table.Row] = []
    for link in ListPage(reply).items {
      let id = link.shown("link")
      let details = (link["attributes"]?.pairs ?? []).map { "\($0.key.shown) \($0.value.shown)" }
      let name = "\(link.shown("kind")) \(link.shown("ref"))"
      let buttons: [Button] =
        await visit.verdict("LINK.SET", id, "STATUS", link.shown("status")).isAllowed
        ? [
          .link("Change", person.address("link", id)),
          .link("Remove", person.address("link", id, "remove"), .danger, label: "Remove \(name)"),
        ] : []
      rows.append(
        .init(
          [
            [.text(link.shown("kind"))], [.strong(link.shown("ref"))], [.value(link["status"])],
            [.text(details.joined(separator: ", "))], [.text(link.shown("created-by"))],
          ], buttons: buttons))
    }
    // Asked with a record that nobody would name so; nothing is added.
    let mayAdd = await visit.verdict("LINK.ADD", person.contact, "booking", "-", "WORKSPACE", visit.workspace).isAllowed
    guard mayAdd || !rows.isEmpty else { return nil }
    return .section(
      "Linked records", id: "links", actions: mayAdd ? [.link("Add a record", person.address("link"))] : [],
      [
        Table(
          caption: "Linked records",
          columns: [.init("Kind"), .init("Record"), .init("Status"), .init("Details"), .init("By")], rows: rows,
          empty: .text(.muted("No course, booking, invoice or task is linked."))
        ).block
      ])
  }

  // MARK: Forms

  private func adding(_ visit: Visit) async throws -> Page {
    let person = try await Person(visit)
    let block = Form(
      person.address("link"), layout: .grid,
      fields: [
        Field("kind", "Kind", .choice(Self.kinds.map { .init($0) })),
        Field("ref", "Record", hint: "As the other system names it, such as a course and its date.", required: true),
        Field("status", "Status", hint: "Such as booked or attended."),
        Field("attribute", "A detail's name", hint: "Such as date."), Field("value", "The detail"),
        Field("reason", "Reason", hint: "Recorded in the trail."),
      ], hidden: [("workspace", visit.workspace)], submit: "Add the record", cancel: Self.address(person)
    ).block
    return Page(
      "Link \(person.name) to a record", area: PeoplePages.address, intro: [.text("Of \(visit.workspace).")],
      [.section("Record", [block])])
  }

  private func changing(_ visit: Visit) async throws -> Page {
    let person = try await Person(visit)
    let id = visit.parameter("link")
    let reply = try await visit.read("LINK.LIST", person.contact, "COUNT", "1000")
    guard let link = ListPage(reply).items.first(where: { $0.shown("link") == id }) else {
      throw CommandFailure("NOTFOUND link: \(person.name) has no linked record \(id)")
    }
    let details = (link["attributes"]?.pairs ?? []).map { pair -> Field in
      Field("a:" + pair.key.shown, pair.key.shown, value: pair.value.shown, hint: "Empty removes it.")
    }
    let block = Form(
      person.address("link", id), layout: .grid,
      fields: [Field("status", "Status", value: link.shown("status"))] + details + [
        Field("attribute", "Another detail's name"), Field("value", "The detail"),
        Field("reason", "Reason", hint: "Recorded in the trail."),
      ], cancel: Self.address(person)
    ).block
    return Page(
      "\(link.shown("ref")), linked to \(person.name)", area: PeoplePages.address,
      [.section("Record", [block])])
  }
}
