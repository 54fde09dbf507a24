import GatehouseWire

/// Contacts: the people themselves, with a login or without. A login is given to a contact that is there, so that nobody is
/// there twice.
struct ContactPages: ConsolePages {
  static let address = Address("contacts")

  var areas: [Area] { [Area("Contacts", .people, Self.address, needs: ["contact.set", "user.create"])] }

  func add(to console: ConsoleRouter) {
    console.get("contacts") { visit in .page(try await Self.list(visit)) }
    console.get("contacts/new") { visit in .page(try await Self.adding(visit, nil)) }
    console.post("contacts/new") { visit in
      do {
        let reply = try await visit.write(
          ["CONTACT.CREATE", "WORKSPACE", visit.workspace] + Self.given(visit.form).flatMap { [$0.uppercased(), $1] })
        let address = reply["contact"].map { Self.address(of: $0.shown) } ?? Self.address
        return .redirect(address, await visit.done(reply, "The contact is there."))
      } catch let failure as CommandFailure where !failure.isPassing {
        return .page(try await Self.adding(visit, failure))
      }
    }
    console.get("contacts/:contact") { visit in .page(try await Self.page(visit, nil)) }
    console.post("contacts/:contact") { visit in
      let id = Self.word(visit)
      let card = try await visit.read("CONTACT.GET", id)
      let changed = PersonFields.contact.filter {
        visit.form.has($0.name) && visit.form[$0.name] != card.shown($0.name)
      }
      let there = Self.address(of: visit.parameter("contact"))
      guard !changed.isEmpty else { return .redirect(there, Flash("Nothing was different.", tone: .quiet)) }
      do {
        let reply = try await visit.write(
          ["CONTACT.SET", id] + changed.flatMap { [$0.name, visit.form[$0.name]] })
        return .redirect(there, await visit.done(reply, "The contact is changed."))
      } catch let failure as CommandFailure where !failure.isPassing {
        return .page(try await Self.page(visit, failure))
      }
    }
    console.get("contacts/:contact/delete") { visit in
      let confirmation = Confirmation(
        "Delete the contact", ["CONTACT.DELETE", Self.word(visit)],
        to: Address("contacts", visit.parameter("contact"), "delete"),
        cancel: Self.address(of: visit.parameter("contact")), undo: "This cannot be taken back.")
      return .page(Page("Delete this contact?", area: Self.address, try await confirmation.blocks(visit)))
    }
    console.post("contacts/:contact/delete") { visit in
      let reply = try await visit.write("CONTACT.DELETE", Self.word(visit))
      return .redirect(Self.address, await visit.done(reply, "The contact is gone."))
    }
  }

  static func address(of contact: String) -> Address { Address("contacts", contact) }

  private static func word(_ visit: Visit) -> String { "#" + visit.parameter("contact") }

  /// The fields of a form that say something.
  private static func given(_ form: FormFields) -> [(String, String)] {
    PersonFields.contact.compactMap { form[$0.name].isEmpty ? nil : ($0.name, form[$0.name]) }
  }

  // MARK: The list

  private static func list(_ visit: Visit) async throws -> Page {
    let words = SearchPages.words(ofName: visit.query["q"])
    let isWithout = visit.query["without"] == "1"
    let items: [RESPValue]
    var next: String?
    if words.isEmpty {
      var command = ["CONTACT.LIST", "WHERE", "workspace", "=", visit.workspace]
      if isWithout { command += ["WHERE", "user", "=", ""] }
      command += ["SORT", "last", "COUNT", "50", "FIELDS", "5", "contact", "name", "email", "user", "username"]
      if let cursor = visit.query["cursor"].nonEmpty { command += ["CURSOR", cursor] }
      let page = ListPage(try await visit.read(command))
      (items, next) = (page.items, page.cursor)
    } else {
      items = try await visit.read(["CONTACT.SEARCH"] + words).elements ?? []
    }
    let here = address.adding("q", visit.query["q"].nonEmpty).adding("without", isWithout ? "1" : nil)
    let mayCreate = await visit.verdict("CONTACT.CREATE", "NAME", "-", "WORKSPACE", visit.workspace).isAllowed
    var table = table(of: items, empty: .empty("Nobody here", "No contact is like that, or none that you may see."))
    table.next = next.map { here.adding("cursor", $0) }
    table.first = visit.query["cursor"].isEmpty ? nil : here
    let search = Form(
      address, .get, layout: .row,
      fields: [
        Field("q", "Name, e-mail or username", .search, value: visit.query["q"]),
        Field("without", "Only those without a login", .checkbox(isOn: isWithout)),
      ], submit: "Find")
    return Page(
      "Contacts", area: address, intro: [.text("The people of \(visit.workspace), with a login or without.")],
      actions: mayCreate ? [.link("Add a contact", Address("contacts", "new"), .primary)] : [],
      [search.block, table.block])
  }

  /// Contacts, each with the login or the way to one.
  static func table(of contacts: [RESPValue], empty: Block) -> Table {
    Table(
      caption: "Contacts", columns: [.init("Name"), .init("E-mail"), .init("Login")],
      rows: contacts.map { contact in
        let id = contact.shown("contact")
        let user = contact.shown("user")
        return .init(
          [
            [.link(contact.shown("name").nonEmpty ?? "#\(id)", address(of: id))], [.value(contact["email"])],
            [user.isEmpty ? .muted("none") : .link(contact.shown("username"), Address("people", user))],
          ], buttons: user.isEmpty ? [.link("Give a login", newLogin(id))] : [])
      }, empty: empty)
  }

  private static func newLogin(_ contact: String) -> Address {
    Address("people", "new").adding("contact", contact)
  }

  // MARK: One contact

  private static func page(_ visit: Visit, _ failure: CommandFailure?) async throws -> Page {
    let card = try await visit.read("CONTACT.GET", word(visit))
    let id = card.shown("contact")
    let logins = (card["logins"]?.elements ?? []).map { login in
      Table.Row([
        [.link(login.shown("username"), Address("people", login.shown("user")))], [.status(login.shown("status"))],
        [.time(login["created"]?.integer)],
      ])
    }
    var blocks: [Block] = [
      .section(
        "Logins",
        [
          Table(
            caption: "Logins", columns: [.init("Username"), .init("Status"), .init("Since")], rows: logins,
            empty: .text(.muted("None yet."))
          ).block
        ])
    ]
    let trial = await visit.verdict("CONTACT.SET", word(visit), "department", card.shown("department"))
    if trial.isAllowed {
      let form = Form(
        address(of: id), layout: .grid,
        fields: PersonFields.contact.map {
          PersonFields.field($0, value: failure == nil ? card.shown($0.name) : visit.form[$0.name])
        } + [Field("reason", "Reason", value: visit.form["reason"], hint: "Recorded in the trail.")])
      blocks.append(.section("Card", [form.block]))
    } else {
      blocks.append(
        .section(
          "Card",
          [
            .facts(
              PersonFields.contact.filter { !card.shown($0.name).isEmpty }.map {
                ($0.label, [.text(card.shown($0.name))])
              })
          ]))
    }
    var actions: [Button?] = []
    if card.shown("user").isEmpty {
      actions = [
        .link("Give a login", newLogin(id), .primary),
        .asked(
          await visit.verdict("CONTACT.DELETE", word(visit)),
          .link("Delete", Address("contacts", id, "delete"), .danger),
          "Delete"),
      ]
    }
    return Page(
      card.shown("name").nonEmpty ?? "Contact #\(id)", area: address,
      intro: [.muted("home "), .text(card.shown("home"))], actions: actions.compactMap { $0 }, failure: failure, blocks)
  }

  private static func adding(_ visit: Visit, _ failure: CommandFailure?) async throws -> Page {
    let form = Form(
      Address("contacts", "new"), layout: .grid,
      fields: PersonFields.contact.map { PersonFields.field($0, value: visit.form[$0.name]) } + [
        Field("reason", "Reason", value: visit.form["reason"], hint: "Recorded in the trail.")
      ], submit: "Add the contact", cancel: address)
    return Page(
      "Add a contact", area: address, intro: [.text("Somebody of \(visit.workspace) who does not log in, or not yet.")],
      failure: failure, [.section("Card", [form.block])])
  }
}
