import GatehouseWire

/// Where somebody is employed: accounts with their first and last day, one of them the main one.
struct EmploymentPages {
  func add(to console: ConsoleRouter) {
    console.get("people/:user/employ") { visit in .page(try await adding(visit, nil)) }
    console.post("people/:user/employ") { visit in
      let person = try await Person(visit)
      let form = visit.form
      var words = ["EMPLOY.ADD", person.word, form["account"]]
      for (option, name) in [("FROM", "from"), ("TO", "to")] where !form[name].isEmpty {
        words += [option, form[name]]
      }
      if form["main"] == "1" { words.append("MAIN") }
      do {
        let reply = try await visit.write(words)
        return .redirect(
          Self.address(person), await visit.done(reply, "\(person.username) works for \(form["account"]) now."))
      } catch let failure as CommandFailure where !failure.isPassing {
        return .page(try await adding(visit, failure))
      }
    }
    console.get("people/:user/employment") { visit in .page(try await changing(visit, nil)) }
    console.post("people/:user/employment") { visit in
      let person = try await Person(visit)
      let form = visit.form
      var words = ["EMPLOY.SET", person.word, form["account"]]
      for (option, name) in [("FROM", "from"), ("TO", "to")] { words += [option, form[name].nonEmpty ?? "none"] }
      if form["main"] == "1" { words.append("MAIN") }
      do {
        let reply = try await visit.write(words)
        return .redirect(Self.address(person), await visit.done(reply, "The employment is changed."))
      } catch let failure as CommandFailure where !failure.isPassing {
        return .page(try await changing(visit, failure))
      }
    }
    console.get("people/:user/employment-end") { visit in
      let person = try await Person(visit)
      let account = visit.query["account"]
      let confirmation = Confirmation(
        "End the employment", ["EMPLOY.END", person.word, account], to: person.address("employment-end"),
        hidden: [("account", account)], cancel: Self.address(person),
        undo: "Employing the person there again begins it anew.", about: person)
      return .page(
        Page(
          "End \(person.name)'s work for \(account)?", area: PeoplePages.address, try await confirmation.blocks(visit)))
    }
    console.post("people/:user/employment-end") { visit in
      let person = try await Person(visit)
      let reply = try await visit.write("EMPLOY.END", person.word, visit.form["account"])
      return .redirect(Self.address(person), await visit.done(reply, "The employment has ended."))
    }
  }

  private static func address(_ person: Person) -> Address { person.address.at("employments") }

  // MARK: On the person's page

  /// - Returns: nil for who may not see employments.
  static func section(_ visit: Visit, _ person: Person) async throws -> Block? {
    guard let list = try await visit.readIfAllowed("EMPLOY.LIST", person.word)?.elements else { return nil }
    let mayChange = await visit.holds("employment.manage", over: person) && !person.isDeleted
    guard mayChange || !list.isEmpty else { return nil }
    var rows: [Table.Row] = []
    for item in list {
      let account = reference(item)
      var buttons: [Button?] = []
      if mayChange, await visit.verdict("EMPLOY.SET", person.word, account).isAllowed {
        buttons = [
          .link("Change", person.address("employment").adding("account", account)),
          .link("End", person.address("employment-end").adding("account", account), .danger),
        ]
      }
      rows.append(
        .init(
          [
            [.strong(item.shown("account"))] + (item.flag("main") ? [.text(" "), .badge("main", .quiet)] : []),
            [.text(item.shown("workspace"))], [.value(item["from"])], [.value(item["to"])],
            [item.flag("current") ? .badge("current", .good) : .badge("not now", .quiet)],
          ], buttons: buttons.compactMap { $0 }))
    }
    return .section(
      "Employments", id: "employments",
      actions: mayChange ? [.link("Add an employment", person.address("employ"))] : [],
      [
        Table(
          caption: "Employments",
          columns: [.init("Account"), .init("Workspace"), .init("From"), .init("To"), .init("Now")], rows: rows,
          empty: .text(.muted("Employed by no account."))
        ).block
      ])
  }

  private static func reference(_ item: RESPValue) -> String { "\(item.shown("workspace"))/\(item.shown("account"))" }

  // MARK: Forms

  private func adding(_ visit: Visit, _ failure: CommandFailure?) async throws -> Page {
    let person = try await Person(visit)
    let choices = try await accounts(visit, person)
    guard !choices.isEmpty else {
      return Page(
        "Employ \(person.name)", area: PeoplePages.address,
        [
          .empty(
            "No account yet", "An account is an employer. Add one first.",
            [.link("Accounts and groups", AccountPages.address)])
        ])
    }
    let form = visit.form
    let block = Form(
      person.address("employ"),
      fields: [
        Field("account", "Account", .choice(choices), value: form["account"], required: true),
        Field("from", "First day", .day, value: form["from"], hint: "Empty if it is not known."),
        Field("to", "Last day", .day, value: form["to"], hint: "Empty for no end."),
        Field("main", "This is the main account", .checkbox(isOn: form["main"] == "1")),
        Field("reason", "Reason", value: form["reason"], hint: "Recorded in the trail."),
      ], submit: "Add the employment", cancel: Self.address(person)
    ).block
    return Page(
      "Employ \(person.name)", area: PeoplePages.address, failure: failure, [.section("Employment", [block])])
  }

  /// The accounts of the person's workspaces, as far as somebody may see them. Nobody is employed at the guests' one.
  private func accounts(_ visit: Visit, _ person: Person) async throws -> [Field.Option] {
    var options: [Field.Option] = []
    for workspace in (person.card["workspaces"]?.elements ?? []).map(\.shown).prefix(20) {
      let reply = try await visit.readIfAllowed("ACCOUNT.LIST", "WORKSPACE", workspace, "COUNT", "1000")
      for account in reply.map({ ListPage($0).items }) ?? [] where account.shown("name") != "Guest Account" {
        let reference = "\(workspace)/\(account.shown("name"))"
        options.append(.init(reference))
      }
    }
    return options
  }

  private func changing(_ visit: Visit, _ failure: CommandFailure?) async throws -> Page {
    let person = try await Person(visit)
    let account = failure == nil ? visit.query["account"] : visit.form["account"]
    let list = try await visit.read("EMPLOY.LIST", person.word).elements ?? []
    guard let item = list.first(where: { Self.reference($0) == account }) else {
      throw CommandFailure("NOTFOUND employment: \(person.username) is not employed by \(account)")
    }
    func value(_ name: String) -> String { failure == nil ? item.shown(name) : visit.form[name] }
    let isMain = item.flag("main")
    let main = Field("main", "This is the main account", .checkbox(isOn: visit.form["main"] == "1"))
    let block = Form(
      person.address("employment"),
      fields: [
        Field("from", "First day", .day, value: value("from"), hint: "Empty if it is not known."),
        Field("to", "Last day", .day, value: value("to"), hint: "Empty for no end."),
      ] + (isMain ? [] : [main]) + [
        Field("reason", "Reason", value: visit.form["reason"], hint: "Recorded in the trail.")
      ], hidden: [("account", account)], cancel: Self.address(person)
    ).block
    return Page(
      "\(person.name)'s work for \(item.shown("account"))", area: PeoplePages.address, failure: failure,
      [.section("Employment", [block])])
  }
}
