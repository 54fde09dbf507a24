import GatehouseWire

/// Accounts, which are employers, and groups of them.
struct AccountPages: ConsolePages {
  static let address = Address("accounts")

  var areas: [Area] { [Area("Accounts and groups", .people, Self.address, needs: ["account.manage"])] }

  func add(to console: ConsoleRouter) {
    console.get("accounts") { visit in .page(try await Self.list(visit)) }
    console.post("accounts/new") { visit in
      let name = visit.form["name"]
      let reply = try await visit.write("ACCOUNT.CREATE", name, visit.form["type"], "WORKSPACE", visit.workspace)
      return .redirect(Self.address, await visit.done(reply, "The account \(name) is there."))
    }
    console.post("accounts/new-group") { visit in
      let name = visit.form["name"]
      let reply = try await visit.write("GROUP.CREATE", name, "WORKSPACE", visit.workspace)
      return .redirect(Self.group(name, visit.workspace), await visit.done(reply, "The group \(name) is there."))
    }
    console.get("accounts/edit") { visit in .page(try await Self.editing(visit)) }
    console.post("accounts/edit") { visit in
      let (account, name) = (visit.form["account"], visit.form["name"])
      let reply = try await visit.write("ACCOUNT.SET", account, "name", name, "type", visit.form["type"])
      return .redirect(Self.address, await visit.done(reply, "The account \(name) is saved."))
    }
    console.get("accounts/delete") { visit in
      .page(try await Self.confirm("ACCOUNT.DELETE", "account", visit))
    }
    console.post("accounts/delete") { visit in
      let reply = try await visit.write("ACCOUNT.DELETE", visit.form["id"])
      return .redirect(Self.address, await visit.done(reply, "The account \(visit.form["name"]) is gone."))
    }
    console.get("accounts/group") { visit in .page(try await Self.groupPage(visit)) }
    console.post("accounts/group/rename") { visit in
      let (group, name) = (visit.form["group"], visit.form["to"])
      let reply = try await visit.write("GROUP.RENAME", group, name)
      let workspace = group.split(separator: "/", maxSplits: 1).first.map(String.init) ?? visit.workspace
      return .redirect(Self.group(name, "\(workspace)/\(name)"), await visit.done(reply, "The group is \(name) now."))
    }
    console.get("accounts/group/delete") { visit in
      let (group, name) = (visit.query["group"], visit.query["name"])
      let confirmation = Confirmation(
        "Delete the group", ["GROUP.DELETE", group], to: Address("accounts", "group", "delete"),
        hidden: [("group", group), ("name", name)], cancel: Self.group(name, group),
        undo: "Its accounts stay; a group can be made again.")
      return .page(Page("Delete the group \(name)?", area: Self.address, try await confirmation.blocks(visit)))
    }
    console.post("accounts/group/delete") { visit in
      let reply = try await visit.write("GROUP.DELETE", visit.form["group"])
      return .redirect(Self.address, await visit.done(reply, "The group \(visit.form["name"]) is gone."))
    }
    console.post("accounts/group/:what") { visit in
      let (group, account) = (visit.form["group"], visit.form["account"])
      let command = visit.parameter("what") == "add" ? "GROUP.ADD" : "GROUP.REMOVE"
      let reply = try await visit.write(command, group, account)
      return .redirect(Self.group(visit.form["name"], group), await visit.done(reply, "The group is changed."))
    }
  }

  /// The page of a group, which is known by `workspace/name`.
  private static func group(_ name: String, _ reference: String) -> Address {
    Address("accounts", "group").adding("name", name).adding("group", reference)
  }

  private static func reference(_ item: RESPValue) -> String {
    let (name, workspace) = (item["name"]?.string ?? "", item["workspace"]?.string ?? "main")
    return "\(workspace)/\(name)"
  }

  // MARK: Lists

  private static func all(_ command: String, _ visit: Visit, _ more: [String] = []) async throws -> [RESPValue] {
    try await visit.read([command, "WORKSPACE", visit.workspace, "COUNT", "1000"] + more).elements?.last?.elements ?? []
  }

  private static func list(_ visit: Visit) async throws -> Page {
    let accounts = try await all("ACCOUNT.LIST", visit)
    let groups = try await all("GROUP.LIST", visit)
    let mayManage = await visit.holds("account.manage", overAllOf: visit.workspace)
    var rows: [Table.Row] = []
    for account in accounts {
      rows.append(
        Table.Row(
          [[.strong(account.shown("name"))], [.value(account["type"])], [.time(account["created"]?.integer)]],
          buttons: await buttons(of: account, visit, mayManage: mayManage)))
    }
    let table = Table(
      caption: "Accounts of \(visit.workspace)", columns: [.init("Account"), .init("Type"), .init("Since")], rows: rows,
      empty: .empty("No account yet", "An account is an employer, a customer or the company itself."))
    let groupTable = Table(
      caption: "Groups of \(visit.workspace)", columns: [.init("Group"), .init("Accounts", isNumeric: true)],
      rows: groups.map { one in
        let name = one["name"]?.string ?? ""
        return Table.Row([[.link(name, group(name, reference(one)))], [.value(one["accounts"])]])
      }, empty: .empty("No group yet", "A group lets a manager look after several accounts at once."))
    var blocks: [Block] = [.section("Accounts", [table.block]), .section("Groups", [groupTable.block])]
    if mayManage { blocks += newForms }
    return Page("Accounts and groups", area: address, intro: [.text("Of the workspace \(visit.workspace).")], blocks)
  }

  private static func buttons(of account: RESPValue, _ visit: Visit, mayManage: Bool) async -> [Button] {
    let (name, reference) = (account.shown("name"), reference(account))
    let people = Button.link(
      "People",
      Address("people").adding([("everywhere", "1"), ("field", "account"), ("op", "="), ("value", reference)]))
    guard mayManage, name != "Guest Account" else { return [people] }
    let change = Address("accounts", "edit").adding("account", reference).adding("name", name)
      .adding("type", account["type"]?.string)
    return [
      people, .link("Change", change),
      .asked(
        await visit.verdict("ACCOUNT.DELETE", reference),
        .link("Delete", Address("accounts", "delete").adding("id", reference).adding("name", name), .danger), "Delete"),
    ].compactMap { $0 }
  }

  private static let types: [Field.Option] = [.init("CUSTOMER", "Customer"), .init("PROVIDER", "Provider")]

  private static var newForms: [Block] {
    let account = Form(
      Address("accounts", "new"), layout: .row, id: "account",
      fields: [Field("name", "Name", required: true), Field("type", "Type", .choice(types), value: "CUSTOMER")],
      submit: "Add the account")
    let group = Form(
      Address("accounts", "new-group"), layout: .row, id: "group", fields: [Field("name", "Name", required: true)],
      submit: "Add the group")
    return [
      .columns(
        main: [.section("Add an account", [account.block])], side: [.section("Add a group", [group.block])])
    ]
  }

  // MARK: One of them

  private static func editing(_ visit: Visit) async throws -> Page {
    let form = Form(
      Address("accounts", "edit"),
      fields: [
        Field("name", "Name", value: visit.query["name"], required: true),
        Field("type", "Type", .choice(types), value: visit.query["type"].uppercased()),
      ], hidden: [("account", visit.query["account"])], cancel: address)
    return Page("Change \(visit.query["name"])", area: address, [form.block])
  }

  private static func confirm(_ command: String, _ what: String, _ visit: Visit) async throws -> Page {
    let confirmation = Confirmation(
      "Delete the \(what)", [command, visit.query["id"]], to: Address("accounts", "delete"),
      hidden: [("id", visit.query["id"]), ("name", visit.query["name"])], cancel: address,
      undo: "It cannot be taken back. People employed there have to be employed elsewhere first.")
    return Page("Delete the \(what) \(visit.query["name"])?", area: address, try await confirmation.blocks(visit))
  }

  private static func groupPage(_ visit: Visit) async throws -> Page {
    let (name, reference) = (visit.query["name"], visit.query["group"])
    let group = reference.contains("/") ? reference : "\(reference)/\(name)"
    let members = try await visit.read("ACCOUNT.LIST", "GROUP", group, "COUNT", "1000").elements?.last?.elements ?? []
    let mayManage = await visit.holds("account.manage", overAllOf: group.head(before: "/"))
    let table = Table(
      caption: "Accounts of \(name)", columns: [.init("Account"), .init("Type")],
      rows: members.map { account in
        let hidden = [("group", group), ("account", Self.reference(account)), ("name", name)]
        return Table.Row(
          [[.strong(account["name"]?.string ?? "")], [.value(account["type"])]],
          buttons: mayManage
            ? [.post("Take out", Address("accounts", "group", "remove"), hidden.map { (name: $0.0, value: $0.1) })] : []
        )
      }, empty: .empty("No account yet", "Put accounts into the group below."))
    var blocks = [table.block]
    if mayManage {
      let inside = Set(members.map(Self.reference))
      let others = try await all("ACCOUNT.LIST", visit).map(Self.reference).filter { !inside.contains($0) }
      let form = Form(
        Address("accounts", "group", "add"), layout: .row,
        fields: [Field("account", "Account", .choice(others.map { .init($0) }))],
        hidden: [("group", group), ("name", name)], submit: "Put in")
      let rename = Form(
        Address("accounts", "group", "rename"), layout: .row, id: "rename",
        fields: [Field("to", "Name", value: name, required: true)], hidden: [("group", group)], submit: "Rename")
      blocks.append(.section("Name", [rename.block]))
      if !others.isEmpty { blocks.append(.section("Put an account in", [form.block])) }
    }
    let delete = Button.asked(
      await visit.verdict("GROUP.DELETE", group),
      .link("Delete", Address("accounts", "group", "delete").adding("group", group).adding("name", name), .danger),
      "Delete")
    return Page("Group \(name)", area: address, actions: [delete].compactMap { $0 }, blocks)
  }
}
