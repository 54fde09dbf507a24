import GatehouseWire

/// Whom and what somebody looks after: people, accounts, groups of accounts.
struct ManagedPages {
  private static let kinds = [("USER", "A person"), ("ACCOUNT", "An account"), ("GROUP", "A group of accounts")]

  func add(to console: ConsoleRouter) {
    console.get("people/:user/manage") { visit in .page(try await adding(visit)) }
    console.post("people/:user/manage") { visit in
      let person = try await Person(visit)
      let form = visit.form
      let reply = try await visit.write(
        "MANAGE.ADD", person.word, form["kind"], form["managed"], "WORKSPACE", form["workspace"])
      let done =
        reply.integer == 0
        ? "\(person.username) does so already." : "\(person.username) looks after \(form["managed"]) now."
      return .redirect(Self.address(person), await visit.done(reply, done))
    }
    console.post("people/:user/manage-end") { visit in
      let person = try await Person(visit)
      let reply = try await visit.write(
        "MANAGE.REMOVE", person.word, visit.form["kind"], visit.form["managed"], "WORKSPACE", visit.form["workspace"])
      return .redirect(Self.address(person), await visit.done(reply, "\(person.username) looks after it no longer."))
    }
  }

  private static func address(_ person: Person) -> Address { person.address.at("managed") }

  // MARK: On the person's page

  /// - Returns: nil for who may not see it.
  static func section(_ visit: Visit, _ person: Person) async throws -> Block? {
    guard let list = try await visit.readIfAllowed("MANAGE.LIST", person.word)?.elements else { return nil }
    let mayChange = await visit.holds("employment.manage", over: person) && !person.isDeleted
    guard mayChange || !list.isEmpty else { return nil }
    var rows: [Table.Row] = []
    for item in list {
      let kind = item.shown("kind").lowercased()
      let id = "#" + item.shown("id")
      let name = item.shown("name").nonEmpty ?? id
      let what: Cell = kind == "user" ? .link(name, Address("people", item.shown("id"))) : .strong(name)
      let workspace = item.shown("workspace")
      let end = Button.asked(
        await visit.verdict("MANAGE.REMOVE", person.word, kind.uppercased(), id, "WORKSPACE", workspace),
        .post(
          "End", person.address("manage-end"),
          [("kind", kind.uppercased()), ("managed", id), ("workspace", workspace)], label: "End looking after \(name)"),
        "End")
      rows.append(.init([[what], [.text(kind)], [.text(workspace)]], buttons: end.map { [$0] } ?? []))
    }
    return .section(
      "Looks after", id: "managed",
      note: "With the role manager this is who the person may manage: the people of these accounts.",
      actions: mayChange ? [.link("Add", person.address("manage"))] : [],
      [
        Table(
          caption: "Looks after", columns: [.init("Whom or what"), .init("Kind"), .init("Workspace")], rows: rows,
          empty: .text(.muted("Nobody and nothing."))
        ).block
      ])
  }

  // MARK: The form

  private func adding(_ visit: Visit) async throws -> Page {
    let person = try await Person(visit)
    let block = Form(
      person.address("manage"),
      fields: [
        Field("kind", "What", .choice(Self.kinds.map { .init($0.0, $0.1) }), value: "ACCOUNT"),
        Field(
          "managed", "Which", hint: "The username, or the name of the account or group.", required: true),
        Field("reason", "Reason", hint: "Recorded in the trail."),
      ], hidden: [("workspace", visit.workspace)], submit: "Add", cancel: Self.address(person)
    ).block
    return Page(
      "Whom \(person.name) looks after", area: PeoplePages.address, intro: [.text("In \(visit.workspace).")],
      [.section("Look after", [block])])
  }
}
