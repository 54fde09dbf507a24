import GatehouseWire

/// Adding a person: who they are, what they may use, what they may do, and whether they are invited.
struct NewPersonPages {
  func add(to console: ConsoleRouter) {
    console.get("people/new") { visit in
      if case .refused(let failure) = await Self.verdict(visit) {
        return .page(
          Page(
            "Add a person", area: PeoplePages.address, failure: failure,
            [.buttons([.link("People", PeoplePages.address)])]))
      }
      return .page(try await page(visit, nil))
    }
    console.post("people/new") { visit in
      do {
        let reply = try await visit.write(command(visit))
        let name = visit.form["username"]
        guard let id = reply["id"]?.integer else {
          return .redirect(PeoplePages.address, await visit.done(reply, "\(name) was added."))
        }
        var text = "\(name) was added."
        if visit.form["invite"] == "1" {
          let card = try await visit.readQuietly(["USER.GET", "#\(id)"])
          text +=
            card.shown("email").isEmpty
            ? " They have no e-mail address, so no invitation is sent." : " An invitation waits to be sent."
        }
        for product in chosenProducts(visit.form) where await visit.lacksLicence("#\(id)", product) {
          text += " They cannot log in to \(product) before they have a licence of it."
        }
        return .redirect(Address("people", String(id)), await visit.done(reply, text))
      } catch let failure as CommandFailure where !failure.isPassing {
        return .page(try await page(visit, failure))
      }
    }
  }

  /// Whether the person may add anybody, tried with a name that nobody has. Who may it in some account alone is not
  /// refused before the form says which.
  static func verdict(_ visit: Visit) async -> Verdict {
    guard await visit.holds("user.create") else { return .forbidden }
    let verdict = await visit.mayBegin(
      [
        "USER.CREATE", FormToken.random(), "WORKSPACE", visit.workspace, "NOINVITE", "ACCEPT-BILLING", "REASON",
        "trial",
      ],
      besides: ["user.required-fields"])
    if case .forbidden = verdict { return .allowed }
    return verdict
  }

  /// The products that are ticked, and those of which a licence is chosen, which says the same.
  private func chosenProducts(_ form: FormFields) -> [String] {
    let licensed = form.pairs.filter { $0.name.hasPrefix("licence:") && !$0.value.isEmpty }
    var products = form.all("product").filter { !$0.isEmpty }
    for name in licensed.map({ String($0.name.dropFirst("licence:".count)) }) where !products.contains(name) {
      products.append(name)
    }
    return products
  }

  private func command(_ visit: Visit) -> [String] {
    let form = visit.form
    var words = ["USER.CREATE", form["username"], "WORKSPACE", visit.workspace]
    for (option, name) in [
      ("NAME", "name"), ("FIRST", "first"), ("MIDDLE", "middle"), ("LAST", "last"), ("EMAIL", "email"),
      ("PHONE", "phone"),
      ("DEPARTMENT", "department"), ("LANGUAGE", "language"), ("TIMEZONE", "timezone"), ("HIRED", "hired"),
      ("RELEASED", "released"), ("SCHEDULE", "schedule"), ("LEAVE", "leave"), ("INITIALS", "initials"),
      ("REFERENCE", "reference"), ("DIVISION", "division"),
      ("STATUS", "status"), ("ROLE", "role"), ("ACCOUNT", "account"), ("MESSAGE", "message"),
    ] where !form[name].isEmpty { words += [option, form[name]] }
    if !form["contact"].isEmpty { words += ["CONTACT", "#" + form["contact"]] }
    if !form["role"].isEmpty, form["where"] != "everywhere" { words.append("WITHIN") }
    for product in chosenProducts(form) {
      let licence = form["licence:" + product]
      words += licence.isEmpty ? ["PRODUCT", product] : ["LICENCE", product, licence]
    }
    for (name, value) in form.pairs where name.hasPrefix("x:") && !value.trimmed.isEmpty {
      words += ["FIELD", String(name.dropFirst(2)), value.trimmed]
    }
    if form["invite"] != "1" { words.append("NOINVITE") }
    if form["accept-billing"] == "1" { words.append("ACCEPT-BILLING") }
    return words
  }

  private func page(_ visit: Visit, _ failure: CommandFailure?) async throws -> Page {
    let form = visit.form
    let isFirst = failure == nil
    let contact = form["contact"].nonEmpty ?? visit.query["contact"]
    let card = contact.isEmpty ? nil : try await visit.read("CONTACT.GET", "#" + contact)
    var person = [
      Field("first", "First name", value: form["first"]), Field("last", "Last name", value: form["last"]),
      Field("username", "Username", value: form["username"].nonEmpty ?? visit.query["username"], required: true),
      Field("email", "E-mail", .email, value: form["email"]), Field("phone", "Phone", value: form["phone"]),
      Field("language", "Language", value: form["language"], hint: "Such as en or pt-br."),
      Field("timezone", "Time zone", value: form["timezone"], hint: "Such as Europe/Prague."),
    ]
    // Few workspaces want these: they stand in the form where they must be given.
    let wanted =
      try await visit.readIfAllowed("WORKSPACE.GET", visit.workspace)?
      .shown("policy.user.required-fields").split(separator: ",").map(String.init) ?? []
    let rare = [("middle", "Middle name"), ("schedule", "Schedule"), ("leave", "Leave")]
      .filter { wanted.contains($0.0) }.map { Field($0.0, $0.1, value: form[$0.0]) }
    person += rare.filter { $0.name == "middle" }
    if card != nil { person.removeAll { !["username", "language"].contains($0.name) } }
    // P3, S3: what was typed to look for somebody becomes the name, parted as the workspace writes names.
    let name = card == nil ? (isFirst ? visit.query["who"] : form["name"]).trimmed : ""
    if !name.isEmpty {
      person.removeAll { ["first", "middle", "last"].contains($0.name) }
      person.insert(
        Field("name", "Name", value: name, hint: "Parted into first and last name as the workspace writes names."),
        at: 0)
    }
    let definitions = try await visit.read("FIELD.LIST", "WORKSPACE", visit.workspace).elements ?? []
    let job =
      [
        Field("department", "Department", value: form["department"]),
        Field("division", "Division", value: form["division"]),
        Field("account", "Account", value: form["account"], hint: "Where the person is employed."),
        Field("initials", "Initials", value: form["initials"]),
        Field("reference", "Reference", value: form["reference"]),
        Field("hired", "Hired", .day, value: form["hired"]),
        Field("released", "Released", .day, value: form["released"]),
      ] + rare.filter { $0.name != "middle" } + PersonFields.custom(definitions) { form["x:" + $0] }
    let roles = try await visit.read("ROLE.LIST").elements ?? []
    let statuses = [Field.Option("", "As the workspace has it")] + ["active", "pending", "inactive"].map { .init($0) }
    let role =
      [
        Field(
          "role", "Role", .choice([.init("", "None")] + roles.map { .init($0.shown("role")) }), value: form["role"]),
        Field("status", "Status", .choice(statuses), value: form["status"]),
      ] + (await scope(visit))
    let invitation = [
      Field("invite", "Send an invitation by mail", .checkbox(isOn: isFirst || form["invite"] == "1")),
      Field("message", "Words of your own in it", .longText, value: form["message"]),
      Field("accept-billing", "I accept that this may change the bill", .checkbox(isOn: form["accept-billing"] == "1")),
      Field("reason", "Reason", value: form["reason"], hint: "Recorded in the trail."),
    ]
    var whole = Form(
      Address("people", "new"), layout: .grid, hidden: contact.isEmpty ? [] : [("contact", contact)],
      submit: "Add the person", cancel: PeoplePages.address)
    whole.groups = [
      ("Person", person), ("Work", job), ("What they may use and do", try await access(visit) + role),
      ("Invitation", invitation),
    ]
    let already = card == nil ? [try await lookup(visit, name)] : []
    return Page(
      card.map { "Give \($0.shown("name").nonEmpty ?? "contact #\(contact)") a login" } ?? "Add a person",
      area: PeoplePages.address,
      intro: [.text("To the workspace "), .strong(visit.workspace), .text(".")]
        + (card == nil
          ? [
            .text(" Somebody who is a contact already gets a login from there: look for the name first, or in "),
            .link("Contacts", ContactPages.address), .text("."),
          ]
          : []),
      failure: failure, already + [.section("New person", [whole.block])])
  }

  /// Whether somebody is a contact already, by the beginnings of their names.
  private func lookup(_ visit: Visit, _ name: String) async throws -> Block {
    let form = Form(
      Address("people", "new"), .get, layout: .row, id: "lookup",
      fields: [Field("who", "Start with a name", .search, value: name)], submit: "Look for them")
    let words = SearchPages.words(ofName: name)
    var blocks = [form.block]
    if !words.isEmpty,
      let found = try await visit.readIfAllowed(["CONTACT.SEARCH"] + words + ["LIMIT", Self.mostFound])?.elements
    {
      let empty = Block.empty("Nobody is called so yet", "The form has the name: a contact is made with the login.")
      blocks.append(ContactPages.table(of: found, empty: empty).block)
    }
    return .section("Are they here already?", blocks)
  }

  private static let mostFound = "10"

  /// Where the role holds: in the workspace, unless somebody may give roles everywhere and wants that.
  private func scope(_ visit: Visit) async -> [Field] {
    guard await visit.permissions().contains(where: { $0.permission == "role.grant" && $0.scope == "everywhere" })
    else {
      return []
    }
    let options = [Field.Option("workspace", "In \(visit.workspace)"), .init("everywhere", "Everywhere")]
    return [Field("where", "Where the role holds", .choice(options), value: visit.form["where"])]
  }

  /// A tick for each product, and beside it its licences with the seats that are left.
  private func access(_ visit: Visit) async throws -> [Field] {
    let products = try await visit.read("PRODUCT.LIST", "WORKSPACE", visit.workspace).elements ?? []
    let pools = try await visit.readIfAllowed("POOL.LIST")?.elements ?? []
    let ticked = Set(chosenProducts(visit.form))
    return products.prefix(50).flatMap { product -> [Field] in
      let name = product.shown("product")
      var tick = Field("product", "Product \(name)", .checkbox(isOn: ticked.contains(name)))
      tick.value = name
      let types = (product["pools"]?.elements ?? []).map(\.shown).filter { $0 != "*" }
      guard !types.isEmpty else { return [tick] }
      let options = types.map { type -> Field.Option in
        let pool = pools.first { $0.shown("product") == name && $0.shown("type") == type }
        let left = pool.map { max(0, ($0["bought"]?.integer ?? 0) - ($0["used"]?.integer ?? 0)) }
        return .init(type, left.map { "\(type), \($0) left" } ?? type)
      }
      return [
        tick,
        Field(
          "licence:" + name, "Licence of \(name)", .choice([.init("", "None")] + options),
          value: visit.form["licence:" + name]),
      ]
    }
  }
}
