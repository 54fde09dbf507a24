extension CommandTable {
  static let contactCommands: [CommandSpec] = [
    CommandSpec(
      "CONTACT.CREATE", .people, "Add a person who has no login yet",
      [.option("WORKSPACE", "workspace")] + ContactCard.options + [GivenFields.option],
      reply: "a map `contact`: the id, for USER.CREATE … CONTACT #id", effect: .write, rights: .admin,
      needs: .permission(.contactSet, over: .newContact), route: .directory, body: .decide(contactCreate)),
    CommandSpec(
      "CONTACT.GET", .people, "The data of a person with or without a login", [.word("#id")],
      reply:
        "a map `contact, name`, the fields of the contact, `fields, home, user, username, logins, created, version`;"
        + " `logins` is an array of maps `user, username, status, created`, the newest first",
      needs: .permission(.userRead, over: .contact(1), own: .userRead), route: .identifier(1), body: .decide(contactGet)
    ),
    CommandSpec(
      "CONTACT.SET", .people, "Set fields of a contact, all or none",
      [.word("#id"), .word("field"), .word("value"), .pairs("field", "value")],
      reply: "how many fields changed; an empty value clears a field", effect: .write, isVersioned: true,
      rights: .admin,
      needs: .permissions([.contactSet, .memberManage], over: .contact(1), own: .contactSet), route: .identifier(1),
      body: .decide(contactSet)),
    CommandSpec(
      "CONTACT.DELETE", .people, "Delete a contact to which nothing refers", [.word("#id")],
      reply: "`OK`; refused while a login, an entry or another record refers to the contact", effect: .write,
      isVersioned: true,
      rights: .admin, needs: .permission(.userPurge, over: .contact(1)), route: .identifier(1),
      body: .decide(contactDelete)),
  ]

  @Sendable private static func contactCreate(_ turn: Turn) throws(Halt) {
    let workspace = try turn.workspace()
    var card = try ContactCard(turn, in: workspace)
    let given = try GivenFields(turn, in: workspace)
    guard !card.isNameless else {
      throw .refused(.syntax("a contact needs a name or an e-mail; give NAME, FIRST, LAST or EMAIL"))
    }
    try card.settle(turn)
    // In the partition where a login with the e-mail as its name would be, so that a login touches one partition.
    let name = card[.email].isEmpty ? card[.first] + card[.last] + card[.middle] : card[.email]
    let id = turn.emitContact(card, in: try turn.cell(NameKey(name, turn.partitioning).partition))
    given.emit(over: id, nil, turn)
    turn.reply.map(1)
    turn.reply.text("contact")
    turn.reply.integer(id.raw)
  }

  @Sendable private static func contactGet(_ turn: Turn) throws(Halt) {
    let contact = try turn.contact(at: 1)
    turn.read(turn.directory.lsn)
    let seen = contact.newestLogin.map { turn.seen(of: $0) } ?? turn.reach(of: .userRead)
    let home = contact.home.flatMap { seen.contains($0) ? $0 : nil }
    let showing = turn.directory.workspace(home ?? mainWorkspace)
    // Logins elsewhere are another workspace's business (W4).
    let logins = try turn.wholePerson(contact).flatMap(\.logins).filter {
      $0.home.map(seen.contains) ?? seen.isAll || turn.shows($0)
    }
    turn.reply.map(9 + ContactField.allCases.count)
    turn.reply.text("contact")
    turn.reply.integer(contact.id.raw)
    turn.reply.text("name")
    turn.reply.text(contact.name.text(format: showing.policies.nameFormat))
    for field in ContactField.allCases { turn.show(field.name, contact.text(field)) }
    turn.showCustomFields(of: contact, seen, home: home)
    turn.reply.text("home")
    turn.reply.optional(home.map { turn.directory.workspace($0).name })
    turn.reply.text("user")
    turn.reply.optional(contact.user.map { Int64($0.id.raw) })
    turn.reply.text("username")
    turn.reply.optional(contact.user?.username)
    turn.reply.text("logins")
    turn.reply.array(logins.count)
    for login in logins {
      turn.reply.map(4)
      turn.reply.text("user")
      turn.reply.integer(login.id.raw)
      turn.reply.text("username")
      turn.reply.text(login.username)
      turn.reply.text("status")
      turn.reply.text(login.row.status.name)
      turn.reply.text("created")
      turn.reply.integer(login.row.created)
    }
    turn.reply.text("created")
    turn.reply.integer(contact.row.created)
    turn.reply.text("version")
    turn.reply.integer(turn.version(of: contact))
  }

  @Sendable private static func contactSet(_ turn: Turn) throws(Halt) {
    let contact = try turn.contact(at: 1)
    var pairs = try FieldPairs(turn, over: contact)
    if let field = pairs.user.first?.field {
      throw .refused(.syntax("\(field.name) is a field of the login; set it with USER.SET user \(field.name) value"))
    }
    try turn.checkVersion(turn.version(of: contact))
    try pairs.authorise(over: contact, turn)
    pairs.settleDays(of: contact, turn)
    try pairs.check(contact, turn)
    turn.reply.integer(turn.emit(pairs, over: contact))
  }

  @Sendable private static func contactDelete(_ turn: Turn) throws(Halt) {
    let contact = try turn.contact(at: 1)
    try turn.checkVersion(turn.version(of: contact))
    turn.read(contact.cell.state.lsn)
    let references = turn.references(to: contact)
    guard references.isEmpty else {
      throw .refused(
        .rule(
          "references", "contact #\(contact.id.raw) is referred to by \(references.joined(separator: ", "))",
          instead: "remove what can be removed first, or clear the personal data with "
            + (contact.newestLogin == nil ? "CONTACT.ANONYMISE #\(contact.id.raw)" : "USER.ANONYMISE")))
    }
    // Values of custom fields are the business of the workspaces whose fields they are, and so have changes of their own.
    for value in contact.cell.state.people.customValues(of: contact.serial) {
      guard let field = turn.directory.field(value.field), !field.isDropped else { continue }
      turn.emit(CustomFieldSet(contact.id, field, old: value.text, new: ""))
    }
    let fields = ContactField.allCases.map { ContactText($0, contact.text($0)) }.filter { !$0.text.isEmpty }
    turn.emit(ContactDeleted(contact.id, fields: fields, workspace: contact.home ?? mainWorkspace))
    turn.reply.ok()
  }
}

extension Turn {
  /// What refers to a contact, in words.
  func references(to contact: ContactReference) -> [String] {
    let state = contact.cell
    var found = contact.logins.map { login in
      login.row.status == .deleted
        ? "the deleted login \(login.username) (USER.PURGE removes it)" : "the login \(login.username) (USER.DELETE)"
    }
    let seen = contact.newestLogin.map { self.seen(of: $0) } ?? reach(of: .userRead)
    let entries = state.state.time.workspacesOfEntries(ofContact: contact.serial)
    if entries.contains(where: seen.contains) { found.append("time entries (ENTRY.DELETE)") }
    let links = state.state.links.links(of: contact.serial, in: .all, nil).map { state.state.links.rows[$0].workspace }
    let own = links.count(where: seen.contains)
    if own > 0 { found.append("\(own) linked record\(own == 1 ? "" : "s") (LINK.REMOVE)") }
    let employers = state.state.people.employments(of: contact.serial).map(\.workspace)
    let employments = employers.count(where: seen.contains)
    if employments > 0 { found.append("\(employments) employment\(employments == 1 ? "" : "s") (EMPLOY.END)") }
    if (entries + links + employers).contains(where: { !seen.contains($0) }) {
      found.append("records that you may not see")
    }
    let merged = state.state.people.merged(into: contact.serial)
    return found + merged.map { "contact #\($0.raw), which was merged into it" }
  }
}

extension ContactReference {
  var name: PersonName { PersonName(first: text(.first), middle: text(.middle), last: text(.last)) }
}

extension ContactCard {
  /// Whether there is nothing by which the person could be found.
  fileprivate var isNameless: Bool {
    [ContactField.first, .middle, .last, .email].allSatisfy { self[$0].isEmpty }
  }
}
