import GatehouseWire

/// Changing one person: the card, the username, the status, what they use, roles, sessions and keys.
struct PersonChangePages {
  func add(to console: ConsoleRouter) {
    console.get("people/:user/edit") { visit in .page(try await editPage(visit, nil)) }
    console.post("people/:user/edit") { visit in
      let person = try await Person(visit)
      let words = changes(visit, person)
      guard !words.isEmpty else { return .redirect(person.address, Flash("Nothing was different.", tone: .quiet)) }
      do {
        let version = visit.form["version"]
        let reply = try await visit.write(
          ["USER.SET", person.word] + words + (version.isEmpty ? [] : ["IFVERSION", version]))
        return .redirect(person.address, await visit.done(reply, "\(person.username) was changed."))
      } catch let failure as CommandFailure where !failure.isPassing {
        return .page(try await editPage(visit, failure))
      }
    }
    addIdentity(console)
    addAccess(console)
    addRoles(console)
  }

  // MARK: The card

  private func editPage(_ visit: Visit, _ failure: CommandFailure?) async throws -> Page {
    let person = try await Person(visit)
    let isAgain = failure != nil
    func value(_ name: String) -> String { isAgain ? visit.form[name] : person.card.shown(name) }
    var fields: [Field] = []
    var kept: [Cell] = []
    for field in PersonFields.contact + PersonFields.user {
      if let rule = await Self.obstacle(to: field.name, person, visit) {
        kept += [.text(kept.isEmpty ? "" : ", "), .text(field.label + " ("), .code(rule), .text(")")]
      } else {
        fields.append(PersonFields.field(field, value: value(field.name)))
      }
    }
    let shown = fields.map(\.name).joined(separator: " ")
    let definitions =
      try await visit.readIfAllowed("FIELD.LIST", "WORKSPACE", person.card.shown("home"))?.elements ?? []
    fields += PersonFields.custom(definitions) { name in
      isAgain ? visit.form["x:" + name] : person.card["fields"]?.shown(name) ?? ""
    }
    fields.append(Field("reason", "Reason", value: visit.form["reason"], hint: "Recorded in the trail."))
    let form = Form(
      person.address("edit"), layout: .grid, fields: fields,
      // The version that was shown: what somebody else changes meanwhile is not overwritten.
      hidden: [("version", person.card.shown("version")), ("shown", shown)], cancel: person.address)
    let others: [Block] = kept.isEmpty ? [] : [.text([.muted("Not to be changed by you here: ")] + kept)]
    return Page(
      "Edit \(person.name)", area: PeoplePages.address, failure: failure,
      [.section("Card", [form.block] + others)])
  }

  /// The permission or rule for which the server would not let the reader change a field, whatever the value.
  private static func obstacle(to field: String, _ person: Person, _ visit: Visit) async -> String? {
    guard let failure = await visit.refusal(of: ["USER.SET", person.word, field, person.card.shown(field)]) else {
      return nil
    }
    if failure.code == "NOPERM" { return failure.why.head(before: ",") }
    return failure.rule == "impersonation" ? failure.rule : nil
  }

  /// The fields that are other than before, `field value …`.
  private func changes(_ visit: Visit, _ person: Person) -> [String] {
    var words: [String] = []
    let shown = visit.form["shown"].split(separator: " ").map(String.init)
    for field in PersonFields.contact + PersonFields.user where shown.isEmpty || shown.contains(field.name) {
      let now = PersonFields.value(of: field, in: visit.form)
      let isSent = visit.form.has(field.name) || now == "0"
      if isSent, now != person.card.shown(field.name) { words += [field.name, now] }
    }
    for (name, value) in visit.form.pairs where name.hasPrefix("x:") {
      let plain = String(name.dropFirst(2))
      if value.trimmed != person.card["fields"]?.shown(plain) ?? "" { words += [plain, value.trimmed] }
    }
    return words
  }

  // MARK: Username and status

  private func addIdentity(_ console: ConsoleRouter) {
    console.get("people/:user/rename") { visit in .page(try await renamePage(visit, nil)) }
    console.post("people/:user/rename") { visit in
      let person = try await Person(visit)
      do {
        let reply = try await visit.write("USER.RENAME", person.word, visit.form["username"])
        return .redirect(
          person.address,
          await visit.done(reply, "\(person.username) is \(visit.form["username"]) now; a notice waits to be sent."))
      } catch let failure as CommandFailure where !failure.isPassing {
        return .page(try await renamePage(visit, failure))
      }
    }
    console.get("people/:user/status") { visit in
      let person = try await Person(visit)
      let status = visit.query["to"]
      guard !status.isEmpty else { return .page(Self.choosingStatus(person)) }
      let confirmation = Confirmation(
        "Set the status", ["USER.STATUS", person.word, status], to: person.address("status"),
        hidden: [("status", status)], cancel: person.address, undo: "The status can be set back at any time.",
        about: person)
      return .page(
        Page(
          "Set \(person.name) to \(status)?", area: PeoplePages.address, try await confirmation.blocks(visit)))
    }
    console.post("people/:user/status") { visit in
      let person = try await Person(visit)
      let reply = try await visit.write("USER.STATUS", person.word, visit.form["status"])
      return .redirect(person.address, await visit.done(reply, "\(person.username) is \(visit.form["status"])."))
    }
    act(console, "unlock", "unlocked, and wrong passwords are forgotten") { ["LOGIN.UNLOCK", $0.word] }
    act(console, "invite", "invited again; the mail waits to be sent") { ["USER.INVITE", $0.word] }
  }

  private static func choosingStatus(_ person: Person) -> Page {
    let options = ["new", "import", "temporary", "pending", "active", "inactive", "locked"]
    let form = Form(
      person.address("status"), .get,
      fields: [
        Field(
          "to", "Status", .choice(options.filter { $0 != person.status }.map { .init($0) }),
          hint: "Those who are active, new, import or temporary may log in, as far as the policies let them.")
      ], submit: "See what would change", cancel: person.address)
    return Page(
      "Set the status of \(person.name)", area: PeoplePages.address,
      intro: [.text("It is "), .status(person.status), .text(" now.")], [.section("Status", [form.block])])
  }

  /// A form without fields that does one thing to the person.
  private func act(
    _ console: ConsoleRouter, _ path: String, _ done: String, _ command: @escaping @Sendable (Person) -> [String]
  ) {
    console.post("people/:user/" + path) { visit in
      let person = try await Person(visit)
      let reply = try await visit.write(command(person))
      return .redirect(person.address, await visit.done(reply, "\(person.username) is \(done)."))
    }
  }

  private func renamePage(_ visit: Visit, _ failure: CommandFailure?) async throws -> Page {
    let person = try await Person(visit)
    let form = Form(
      person.address("rename"),
      fields: [
        Field(
          "username", "New username", value: failure == nil ? person.username : visit.form["username"],
          hint: "The e-mail address of the contact follows, if the username is one.", required: true),
        Field("reason", "Reason", value: visit.form["reason"], hint: "Recorded in the trail."),
      ], submit: "Rename", cancel: person.address)
    return Page(
      "Rename \(person.username)", area: PeoplePages.address, failure: failure,
      [.section("Username", [form.block])])
  }

  // MARK: Products

  private func addAccess(_ console: ConsoleRouter) {
    console.get("people/:user/access") { visit in .page(try await accessPage(visit, visit.query["product"], nil)) }
    console.post("people/:user/access") { visit in
      let person = try await Person(visit)
      let form = visit.form
      var words = ["PRODUCT.ENABLE", person.word, form["product"], form["kind"] == "admin" ? "ADMIN" : "REGULAR"]
      if !form["licence"].isEmpty { words += ["LICENCE", form["licence"]] }
      for (option, name) in [("FROM", "from"), ("UNTIL", "until")] {
        words += [option, form[name].isEmpty ? "none" : form.moment(name)]
      }
      do {
        let reply = try await visit.write(words)
        let (name, product) = (person.username, form["product"])
        let text =
          await visit.lacksLicence(person.word, product)
          ? "\(name) is let in, but cannot log in to \(product) before they have a licence of it."
          : "\(name) may use \(product)."
        return .redirect(person.address.at("access"), await visit.done(reply, text))
      } catch let failure as CommandFailure where !failure.isPassing {
        return .page(try await accessPage(visit, form["product"], failure))
      }
    }
    console.get("people/:user/access-end") { visit in
      let person = try await Person(visit)
      let product = visit.query["product"]
      let confirmation = Confirmation(
        "Keep out", ["PRODUCT.DISABLE", person.word, product], to: person.address("access-end"),
        hidden: [("product", product)], cancel: person.address,
        undo: "Letting the person in again gives the same access back, if a seat is left then.", about: person)
      return .page(
        Page("Keep \(person.name) out of \(product)?", area: PeoplePages.address, try await confirmation.blocks(visit)))
    }
    console.post("people/:user/access-end") { visit in
      let person = try await Person(visit)
      let reply = try await visit.write("PRODUCT.DISABLE", person.word, visit.form["product"])
      return .redirect(
        person.address.at("access"),
        await visit.done(reply, "\(person.username) is kept out of \(visit.form["product"])."))
    }
  }

  private func accessPage(_ visit: Visit, _ product: String, _ failure: CommandFailure?) async throws -> Page {
    let person = try await Person(visit)
    let access = person.card["products"]?.elements?.first { $0.shown("product") == product }
    let pools = try await visit.readIfAllowed("POOL.LIST", product)?.elements ?? []
    let types = pools.filter { $0.shown("type") != "*" }.map { pool -> Field.Option in
      let left = max(0, (pool["bought"]?.integer ?? 0) - (pool["used"]?.integer ?? 0))
      return .init(pool.shown("type"), "\(pool.shown("type")), \(left) left")
    }
    let isAgain = failure != nil
    func value(_ name: String, _ now: String) -> String { isAgain ? visit.form[name] : now }
    func moment(_ name: String) -> String {
      Moment.field(isAgain ? Moment.time(visit.form[name]) : access?[name]?.integer)
    }
    var fields = [
      Field(
        "kind", "As", .choice([.init("regular", "One of its people"), .init("admin", "Its administrator")]),
        value: value("kind", access?.flag("admin") == true ? "admin" : "regular"))
    ]
    if !types.isEmpty {
      fields.append(
        Field(
          "licence", "Licence",
          .choice([.init("", (access?.shown("licence") ?? "").isEmpty ? "None" : "As it is")] + types),
          value: value("licence", access?.shown("licence") ?? "")))
    }
    fields += [
      Field("from", "From", .moment, value: moment("from"), hint: "Empty for now."),
      Field("until", "Until", .moment, value: moment("until"), hint: "Access ends then by itself; empty for no end."),
      Field("reason", "Reason", value: visit.form["reason"], hint: "Recorded in the trail."),
    ]
    let form = Form(
      person.address("access"), fields: fields, hidden: [("product", product)], submit: "Let in", cancel: person.address
    )
    return Page(
      "\(person.name) in \(product)", area: PeoplePages.address, failure: failure,
      [.section("Access", [form.block])])
  }

  // MARK: Roles

  private func addRoles(_ console: ConsoleRouter) {
    console.get("people/:user/role") { visit in .page(try await rolePage(visit, nil)) }
    console.post("people/:user/role") { visit in
      let person = try await Person(visit)
      let form = visit.form
      var words = ["ROLE.GRANT", person.word, form["role"]]
      if RoleScope.kinds.contains(form["kind"]), form["kind"] != "everywhere" {
        words += [form["kind"].uppercased(), form["of"]]
      }
      if form["main"] == "1" { words.append("MAIN") }
      for (option, name) in [("FROM", "from"), ("UNTIL", "until")] where !form[name].isEmpty {
        words += [option, form.moment(name)]
      }
      do {
        let reply = try await visit.write(words)
        return .redirect(person.address.at("roles"), await visit.done(reply, "\(person.username) is \(form["role"])."))
      } catch let failure as CommandFailure where !failure.isPassing {
        return .page(try await rolePage(visit, failure))
      }
    }
  }

  private func rolePage(_ visit: Visit, _ failure: CommandFailure?) async throws -> Page {
    let person = try await Person(visit)
    let roles = try await visit.read("ROLE.LIST").elements ?? []
    let form = visit.form
    let block = Form(
      person.address("role"),
      fields: [
        Field("role", "Role", .choice(roles.map { .init($0.shown("role")) }), value: form["role"]),
        Field(
          "kind", "Where it holds", .choice(RoleScope.kinds.map { .init($0) }),
          value: failure == nil ? "workspace" : form["kind"]),
        Field(
          "of", "Which", value: failure == nil ? visit.workspace : form["of"],
          hint: "The name of the workspace, product, account or group; nothing for everywhere."),
        Field("from", "From", .moment, value: Moment.field(Moment.time(form["from"])), hint: "Empty for now."),
        Field(
          "until", "Until", .moment, value: Moment.field(Moment.time(form["until"])),
          hint: "The role ends then by itself; empty for no end."),
        Field("main", "This is the person's main role", .checkbox(isOn: form["main"] == "1")),
        Field("reason", "Reason", value: form["reason"], hint: "Recorded in the trail."),
      ], submit: "Grant the role", cancel: person.address
    ).block
    return Page(
      "Grant \(person.name) a role", area: PeoplePages.address, failure: failure,
      [.section("Role", [block])])
  }
}
