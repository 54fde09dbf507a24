import GatehouseWire

/// Services: the applications that ask Gatehouse, what each may do, and their secrets.
struct ServicePages: ConsolePages {
  static let address = Address("services")

  var areas: [Area] { [Area("Services", .server, Self.address, needs: ["service.manage"], isOfServer: true)] }

  private static let rights = [
    (name: "READ", hint: "Login checks, sessions and lists."),
    (name: "SESSIONS", hint: "Opens and ends sessions and impersonations, and takes passwords."),
    (name: "TIMERS", hint: "Starts and stops timers, and writes entries."),
    (name: "MAIL", hint: "Takes mails, whose texts hold secrets, and sends them."),
    (name: "ADMIN", hint: "Changes people, the organisation and the server; includes MAIL."),
  ]

  func add(to console: ConsoleRouter) {
    console.get("services") { visit in .page(try await Self.list(visit)) }
    console.post("services/new") { visit in
      let name = visit.form["name"]
      let rights = Self.rights.map(\.name).filter { visit.form.has($0) }
      let bounds = [("workspaces", "WORKSPACE"), ("products", "PRODUCT")].flatMap { field, option in
        visit.form[field].split(separator: " ").flatMap { [option, String($0)] }
      }
      let made = try await visit.write(["SERVICE.CREATE", name] + rights + bounds)
      return .page(Self.secret(of: name, made["secret"]?.string))
    }
    console.post("services/rotate") { visit in
      let name = visit.form["name"]
      let made = try await visit.write("SERVICE.ROTATE", name, "OVERLAP", "1d")
      return .page(Self.secret(of: name, made["secret"]?.string))
    }
    console.get("services/delete") { visit in
      let name = visit.query["name"]
      let confirmation = Confirmation(
        "Delete the service", ["SERVICE.DELETE", name], to: Address("services", "delete"), hidden: [("name", name)],
        cancel: Self.address, undo: "It cannot be taken back: the application is refused from then on.")
      return .page(Page("Delete the service \(name)?", area: Self.address, try await confirmation.blocks(visit)))
    }
    console.post("services/delete") { visit in
      let reply = try await visit.write("SERVICE.DELETE", visit.form["name"])
      return .redirect(Self.address, await visit.done(reply, "The service \(visit.form["name"]) is gone."))
    }
  }

  /// The secret, which is shown once.
  private static func secret(of name: String, _ secret: String?) -> Page {
    Page(
      "The secret of \(name)", area: address,
      [
        .notice(.warn, "It is shown this once", [.text("Copy it to the application's settings now.")]),
        .code("Secret", secret ?? "it was shown when this form was sent first"),
        .buttons([.link("Services", address)]),
      ])
  }

  private static func list(_ visit: Visit) async throws -> Page {
    let services = try await visit.read("SERVICE.LIST").elements ?? []
    let rows = services.map { service -> Table.Row in
      let name = service["name"]?.string ?? ""
      let products = service["products"]?.elements
      let bound = (products ?? service["workspaces"]?.elements ?? []).compactMap(\.string)
      return Table.Row(
        [
          [.strong(name)],
          (service["rights"]?.elements ?? []).compactMap(\.string).flatMap { [.badge($0, .quiet), .text(" ")] },
          [bound.isEmpty ? .muted("everything") : .text(bound.joined(separator: ", "))],
          [.time(service["created"]?.integer)],
        ],
        buttons: [
          .link("Trail", TrailPages.address(ofService: name), label: "Trail of \(name)"),
          .post("New secret", Address("services", "rotate"), [("name", name)], label: "New secret for \(name)"),
          .link("Delete", Address("services", "delete").adding("name", name), .danger),
        ])
    }
    let table = Table(
      caption: "Services",
      columns: [.init("Service"), .init("May"), .init("Bound to"), .init("Since")], rows: rows,
      empty: .empty(
        "No service yet",
        "Until there is one, everybody on this machine may do everything. The first needs the right ADMIN."))
    let form = Form(
      Address("services", "new"), layout: .grid,
      fields: [Field("name", "Name", required: true)]
        + rights.map { Field($0.name, $0.name, .checkbox(isOn: $0.name == "READ"), value: "1", hint: $0.hint) }
        + [
          Field("workspaces", "Only for these workspaces", hint: "Separated by blanks; empty for all."),
          Field(
            "products", "Only for these products",
            hint: "As workspace/product, instead of workspaces. It then knows nothing else of their workspaces."),
        ],
      submit: "Add the service")
    return Page(
      "Services", area: address,
      intro: [.text("Applications that ask. Once there is one, every connection has to show a secret.")],
      [table.block, .section("Add a service", [form.block])])
  }
}
