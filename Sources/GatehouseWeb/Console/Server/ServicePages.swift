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
    console.get("services/change") { visit in .page(try await Self.changing(visit, nil)) }
    console.post("services/change") { visit in
      let (name, service) = (visit.form["name"], try await Self.service(visit, visit.form["name"]))
      do {
        let reply = try await visit.write(["SERVICE.SET", name] + Self.changes(of: service, visit.form))
        return .redirect(Self.address, await visit.done(reply, "\(name) is changed, from its next command on."))
      } catch let failure as CommandFailure where !failure.isPassing {
        return .page(try await Self.changing(visit, failure))
      }
    }
    console.post("services/rotate") { visit in
      let name = visit.form["name"]
      let made = try await visit.write("SERVICE.ROTATE", name, "OVERLAP", "1d")
      return .page(Self.secret(of: name, made["secret"]?.string, isNew: true))
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

  // MARK: Changing one

  private static let limits = [
    (name: "connections", label: "Connections at most"), (name: "commands", label: "Commands a second at most"),
    (name: "bytes", label: "Bytes a second at most"),
  ]

  private static func service(_ visit: Visit, _ name: String) async throws -> RESPValue {
    let services = try await visit.read("SERVICE.LIST").elements ?? []
    guard let found = services.first(where: { $0.shown("name") == name }) else {
      throw CommandFailure("NOTFOUND service \(name)")
    }
    return found
  }

  /// What it is bound to, as it is typed. The workspaces of products are not of its own.
  private static func words(_ service: RESPValue, _ field: String) -> String {
    if field == "workspaces", service["products"]?.elements != nil { return "" }
    return (service[field]?.elements ?? []).compactMap(\.string).joined(separator: " ")
  }

  /// The options of `SERVICE.SET`: the rights as they are ticked, and whatever else is other than before.
  private static func changes(of service: RESPValue, _ form: FormFields) -> [String] {
    var options = rights.map(\.name).filter { form.has($0) }
    for (field, option) in [("workspaces", "WORKSPACE"), ("products", "PRODUCT")]
    where form[field] != words(service, field) {
      options += form[field].split(separator: " ").flatMap { [option, String($0)] }
    }
    let certificate = form["certificate"]
    if certificate != service.shown("certificate") {
      options += certificate.isEmpty ? ["NOCERT"] : ["CERT", certificate]
    }
    for limit in limits where form[limit.name] != service.shown(limit.name) {
      options += [limit.name.uppercased(), form[limit.name].nonEmpty ?? "0"]
    }
    return options
  }

  private static func changing(_ visit: Visit, _ failure: CommandFailure?) async throws -> Page {
    let name = visit.isForm ? visit.form["name"] : visit.query["name"]
    let service = try await service(visit, name)
    let held = Set((service["rights"]?.elements ?? []).compactMap(\.string))
    func value(_ field: String, _ now: String) -> String { visit.isForm ? visit.form[field] : now }
    let form = Form(
      Address("services", "change"), layout: .grid,
      fields: rights.map { right in
        let isOn = visit.isForm ? visit.form.has(right.name) : held.contains(right.name)
        return Field(right.name, right.name, .checkbox(isOn: isOn), value: "1", hint: right.hint)
      } + [
        Field(
          "workspaces", "Only for these workspaces", value: value("workspaces", words(service, "workspaces")),
          hint: "Separated by blanks. A bound service is bound elsewhere, but never to nothing."),
        Field("products", "Only for these products", value: value("products", words(service, "products"))),
        Field(
          "certificate", "Name in its client certificate",
          value: value("certificate", service.shown("certificate")),
          hint: "A client with a valid certificate of this name needs no secret; empty for none."),
      ]
        + limits.map { limit in
          Field(
            limit.name, limit.label, .number, value: value(limit.name, service.shown(limit.name)),
            hint: "Of all its connections together; 0 for no limit of its own.")
        } + [Field("reason", "Reason", value: visit.form["reason"], hint: "Recorded in the trail.")],
      hidden: [("name", name)], submit: "Change the service", cancel: address)
    return Page(
      "Change the service \(name)", area: address, failure: failure, [.section("What it may do", [form.block])])
  }

  // MARK: The list

  /// The secret, which is shown once.
  private static func secret(of name: String, _ secret: String?, isNew: Bool = false) -> Page {
    Page(
      "The secret of \(name)", area: address,
      [
        .notice(
          .warn, "It is shown this once",
          [.text("Copy it to the application's settings now." + (isNew ? " The old one stays good for a day." : ""))]),
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
          .link("Change", Address("services", "change").adding("name", name), label: "Change \(name)"),
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
