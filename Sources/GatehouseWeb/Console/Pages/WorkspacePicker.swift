import GatehouseWire

/// Which workspace the console looks at: one of those in which the person may do something.
struct WorkspacePicker: ConsolePages {
  var areas: [Area] { [] }

  /// A server may have a million; who has more to choose from types the name.
  private static let mostShown = 200

  func add(to console: ConsoleRouter) {
    console.get("workspace") { visit in
      let scopes = await visit.permissions().map(\.scope)
      let isEverywhere = scopes.contains("everywhere")
      let own = Set(scopes.compactMap(RoleScope.workspace))
      let all = try await visit.read("WORKSPACE.LIST").elements ?? []
      let names = all.map { $0.shown("name") }.filter { isEverywhere || own.contains($0) }
      let rows = names.prefix(Self.mostShown).map { name in
        Table.Row(
          [[.strong(name)] + (name == visit.workspace ? [.text(" "), .badge("looked at", .accent)] : [])],
          buttons: name == visit.workspace
            ? [] : [.post("Look at it", Address("workspace"), [("workspace", name)], label: "Look at \(name)")])
      }
      let form = Form(
        Address("workspace"), layout: .row, fields: [Field("workspace", "Or by its name", required: true)],
        submit: "Look at it")
      let table = Table(
        caption: "Workspaces", columns: [.init("Workspace")], rows: Array(rows),
        empty: .empty("You administer no workspace", "You see what is your own."))
      return .page(
        Page("Workspace", intro: [.text("What lists show and new people join.")], [table.block, form.block]))
    }
    console.post("workspace") { visit in
      let reply = try await visit.read("WORKSPACE.GET", visit.form["workspace"])
      let name = reply.shown("name")
      visit.set(visit.person.workspaceCookie, Address.encoded(name), seconds: 365 * 86_400)
      return .redirect(PeoplePages.address, Flash("You look at the workspace \(name)."))
    }
  }
}
