import GatehouseWire

/// Roles as sets of permissions: those that are built in, and those of one's own.
struct RolePages: ConsolePages {
  static let address = Address("roles")

  var areas: [Area] { [Area("Roles", .access, Self.address, needs: ["role.grant", "role.define"])] }

  func add(to console: ConsoleRouter) {
    console.get("roles") { visit in .page(try await Self.list(visit)) }
    console.get("roles/define") { visit in .page(try await Self.defining(visit)) }
    console.post("roles/define") { visit in
      let (name, permissions) = (visit.form["name"], visit.form.all("permission"))
      let reply: RESPValue
      do {
        if visit.form["change"].isEmpty, try await Self.role(visit, name, visit.form["scope"]) != nil {
          throw CommandFailure(
            "CONFLICT the role \(name) is there already; choose another name, or change that one", field: "name")
        }
        reply = try await visit.write(["ROLE.DEFINE", name] + Self.scope(visit.form) + permissions)
      } catch let failure as CommandFailure where !failure.isPassing {
        return .page(try await Self.defining(visit, failure))
      }
      return .redirect(
        Self.address, await visit.done(reply, "The role \(name) gives \(permissions.count) permissions now."))
    }
    console.get("roles/drop") { visit in
      let confirmation = Confirmation(
        "Drop the role", ["ROLE.DROP", visit.query["name"]] + Self.scope(visit.query), to: Address("roles", "drop"),
        hidden: [("name", visit.query["name"]), ("scope", visit.query["scope"])], cancel: Self.address,
        undo: "It cannot be taken back: everybody who has it loses it.")
      return .page(
        Page("Drop the role \(visit.query["name"])?", area: Self.address, try await confirmation.blocks(visit)))
    }
    console.post("roles/drop") { visit in
      let reply = try await visit.write(["ROLE.DROP", visit.form["name"]] + Self.scope(visit.form))
      return .redirect(Self.address, await visit.done(reply, "The role \(visit.form["name"]) is gone."))
    }
  }

  /// The workspace that a role is for; none if it can be granted anywhere.
  private static func scope(_ fields: FormFields) -> [String] {
    let scope = fields["scope"]
    return scope.isEmpty || scope == "everywhere" ? [] : ["WORKSPACE", scope]
  }

  /// The workspace in `workspace acme`.
  private static func scope(of role: RESPValue) -> String {
    let scope = role["scope"]?.string ?? ""
    return scope.hasPrefix("workspace ") ? String(scope.dropFirst("workspace ".count)) : scope
  }

  // MARK: The list

  private static func list(_ visit: Visit) async throws -> Page {
    let roles = try await visit.read("ROLE.LIST").elements ?? []
    var mayDefine: [String: Bool] = [:]
    for scope in Set(roles.map(Self.scope(of:)) + [visit.workspace]) {
      mayDefine[scope] =
        scope == "everywhere" || scope.isEmpty
        ? await visit.holdsEverywhere("role.define") : await visit.holds("role.define", overAllOf: scope)
    }
    let rows = roles.map { role -> Table.Row in
      let name = role["role"]?.string ?? ""
      let isBuiltIn = role["rank"]?.isNull == false
      let permissions = (role["permissions"]?.elements ?? []).compactMap(\.string)
      let scope = Self.scope(of: role)
      let there = Address("roles", "define").adding("name", name).adding("scope", scope)
      let drop = Address("roles", "drop").adding("name", name).adding("scope", scope)
      return Table.Row(
        [
          [.strong(name)], [isBuiltIn ? .badge("built in", .quiet) : .text(scope)],
          [.number(Int64(permissions.count))], [.muted(permissions.joined(separator: ", "))],
        ],
        buttons: [.link("Who has it?", Address("people").adding("role", name))]
          + (isBuiltIn || mayDefine[scope] != true ? [] : [.link("Change", there), .link("Drop", drop, .danger)]))
    }
    let table = Table(
      caption: "Roles",
      columns: [.init("Role"), .init("Where"), .init("Permissions", isNumeric: true), .init("Which")], rows: rows)
    return Page(
      "Roles", area: address,
      intro: [.text("A role is a set of permissions; who has one, has it over a place or its people.")],
      actions: mayDefine[visit.workspace] == true ? [.link("Define a role", Address("roles", "define"), .primary)] : [],
      [table.block])
  }

  // MARK: Defining one

  /// A role of one's own.
  private static func role(_ visit: Visit, _ name: String, _ scope: String) async throws -> RESPValue? {
    let roles = try await visit.readQuietly(["ROLE.LIST"]).elements ?? []
    return roles.first { $0["role"]?.string == name && Self.scope(of: $0) == scope }
  }

  private static func defining(_ visit: Visit, _ failure: CommandFailure? = nil) async throws -> Page {
    let fields = failure == nil ? visit.query : visit.form
    let name = fields["name"]
    let scope = fields["scope"].nonEmpty ?? visit.workspace
    let all = try await visit.read("PERMISSION.LIST").elements ?? []
    // A form that was refused stays what it was.
    let isNew = failure != nil && fields["change"].isEmpty
    let own = isNew ? nil : try await role(visit, name, scope)
    let held = Set(
      failure == nil ? (own?["permissions"]?.elements ?? []).compactMap(\.string) : fields.all("permission"))
    // A role stays where it is.
    let places = own == nil ? [visit.workspace, "everywhere"] : [scope]
    let choices = all.map { item -> Field in
      let permission = item["permission"]?.string ?? ""
      return Field(
        "permission", permission, .checkbox(isOn: held.contains(permission)), value: permission,
        hint: item["summary"]?.string)
    }
    let form = Form(
      Address("roles", "define"), layout: .grid,
      fields: [
        Field("name", "Name", value: name, required: true),
        Field(
          "scope", "Where it can be granted",
          .choice(places.map { .init($0, $0 == "everywhere" ? "Everywhere" : "In \($0)") }), value: scope),
      ] + choices, hidden: own == nil ? [] : [("change", "1")], submit: "Save the role", cancel: address)
    return Page(
      own == nil ? "Define a role" : "Change the role \(name)", area: address,
      intro: [.text("Nobody defines a role that gives what they do not hold themselves.")], failure: failure,
      [form.block])
  }
}
