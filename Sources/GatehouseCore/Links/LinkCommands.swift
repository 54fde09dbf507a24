extension CommandTable {
  private static let linkFields =
    "`link, contact, workspace, kind, ref, status, attributes, created, created-by, created-as, version`"

  static let linkCommands: [CommandSpec] = [
    CommandSpec(
      "LINK.ADD", .people, "Link a person to a record of another system: a place on a course, a booking, an invoice",
      [
        .word("user-or-#contact"), .word("kind"), .word("ref"), .option("WORKSPACE", "workspace"),
        .option("STATUS", "status"), .option("ATTR", parts: ["name", "value"], repeats: true),
      ],
      reply:
        "the link, a map \(linkFields); kinds are delegate, booking, invoice, award, matter and task. Here `#id` is"
        + " that of a contact. Of oneself one adds bookings only",
      effect: .write, rights: .admin, needs: .permission(.linkWrite, over: .linked(1), own: .linkWrite),
      route: .user(1),
      body: .decide(linkAdd)),
    CommandSpec(
      "LINK.SET", .people, "Change the status or attributes of a link",
      [
        .word("link", .integer), .option("STATUS", "status"),
        .option("ATTR", parts: ["name", "value"], repeats: true),
      ],
      reply: "the link as `LINK.ADD`; an empty value removes an attribute", effect: .write, isVersioned: true,
      rights: .admin,
      needs: .permission(.linkWrite, over: .link(1)), route: .identifier(1), body: .decide(linkSet)),
    CommandSpec(
      "LINK.REMOVE", .people, "Remove a link; the trail keeps its content", [.word("link", .integer)], reply: "`OK`",
      effect: .write, isVersioned: true, rights: .admin, needs: .permission(.linkWrite, over: .link(1)),
      route: .identifier(1),
      body: .decide(linkRemove)),
    CommandSpec(
      "LINK.LIST", .people, "The links of a person, newest first",
      [
        .word("user-or-#contact"), .option("KIND", "kind"), .option("WORKSPACE", "workspace"),
        .option("CURSOR", "cursor"), .option("COUNT", "count", .integer),
      ],
      reply: "`[cursor, items]`, the items as `LINK.ADD`, of the workspaces that the caller may see",
      needs: .permission(.userRead, over: .personOf(1), own: .userRead), route: .user(1), body: .decide(linkList)),
  ]

  @Sendable private static func linkAdd(_ turn: Turn) throws(Halt) {
    let contact = try turn.contactOfPerson(1)
    let workspace = try turn.workspace()
    let kind = try turn.linkKind(try turn.text(2, "kind", limit: Limits.nameBytes))
    let reference = try turn.text(3, "ref", limit: Limits.fieldBytes)
    if EntityNames.isBlank(reference) { throw .refused(.syntax("ref is empty; give the record's number or name")) }
    // Everybody books themselves; the other records are for others to write.
    if kind != .booking { try turn.require(.linkWrite, over: .workspace(workspace.id), of: contact.user) }
    try turn.requireLinkable(contact, in: workspace)
    try turn.requireBooking(kind)
    let links = contact.cell.state.links
      .find(kind, reference, of: contact.serial, in: workspace.id)
    if let links {
      throw .refused(
        .conflict("link: #\((contact.cell.state.id(links) as LinkID).raw) links to \(kind.name) \(reference) already"))
    }
    let count = contact.cell.state.links.ofContact[UInt32(contact.serial)]?.count ?? 0
    guard count < Limits.linksOfContact else {
      throw .refused(.limit("links: a person has at most \(Limits.linksOfContact); remove some with LINK.REMOVE"))
    }
    let id: LinkID = turn.newID(in: contact.cell, after: contact.cell.state.links.rows.last)
    var change = LinkAdded(id, contact.id, workspace.id, kind, reference)
    change.content = try turn.linkContent(over: LinkContent())
    turn.emit(change)
    try turn.show(
      LinkView(
        id: id, contact: contact.id, workspace: workspace.id, kind: kind, reference: reference, content: change.content,
        created: turn.now, maker: LinkMaker(author: turn.author, subject: turn.impersonatedUser), version: 1))
  }

  @Sendable private static func linkSet(_ turn: Turn) throws(Halt) {
    let link = try turn.link(1)
    try turn.checkVersion(link.row.version)
    try turn.requireBooking(link.row.kind)
    guard turn.has("STATUS") || turn.has("ATTR") else {
      throw .refused(.syntax("nothing to change; give STATUS or ATTR name value"))
    }
    let new = try turn.linkContent(over: link.content)
    if new != link.content { turn.emit(LinkSet(link, new)) }
    try turn.show(LinkView(link, next: new))
  }

  @Sendable private static func linkRemove(_ turn: Turn) throws(Halt) {
    let link = try turn.link(1)
    try turn.checkVersion(link.row.version)
    try turn.requireBooking(link.row.kind)
    turn.emit(LinkRemoved(link))
    turn.reply.ok()
  }

  @Sendable private static func linkList(_ turn: Turn) throws(Halt) {
    let contact = try turn.recordedPerson(1)
    turn.read(turn.directory.lsn)
    var seen = contact.newestLogin.map { turn.seen(of: $0) } ?? turn.reach(of: .userRead)
    if turn.has("WORKSPACE") { seen = seen.intersection(.only([try turn.workspace().id])) }
    let kind = try turn.option("KIND").map { (name) throws(Halt) in try turn.linkKind(name) }
    let before = try turn.cursor(of: 2).map { (Milliseconds(clamping: $0.numbers[0]), LinkID(raw: $0.numbers[1])) }
    let count = try turn.listCount()
    var all: [LinkReference] = []
    for person in try turn.wholePerson(contact) {
      turn.read(person.cell.state.lsn)
      let links = person.cell.state.links.links(of: person.serial, in: seen, kind)
      all += links.map { LinkReference(contact: person, serial: $0) }
    }
    all.sort { ($0.row.created, $0.id) > ($1.row.created, $1.id) }
    if let before { all.removeAll { ($0.row.created, $0.id) >= before } }
    let shown = all.prefix(count).map { LinkView($0) }
    try turn.hold(makersOf: shown)
    turn.reply.array(2)
    if all.count > count, let last = shown.last {
      turn.reply.text(ListCursor([UInt64(clamping: last.created), last.id.raw]).text)
    } else {
      turn.reply.text(ListCursor.end)
    }
    turn.reply.array(shown.count)
    for link in shown { try turn.show(link) }
  }
}

extension Turn {
  /// The contact of a person, given by username or by the contact's `#id`.
  func contactOfPerson(_ index: Int) throws(Halt) -> ContactReference {
    if word(index).first == 0x23 { return try contact(at: index) }
    let user = try user(index)
    read(user.contactReference.row.lsn)
    return user.contactReference
  }

  func linkKind(_ name: String) throws(Halt) -> LinkKind {
    guard let kind = LinkKind.allCases.first(where: { $0.name == name.folded }) else {
      let all = LinkKind.allCases.map(\.name).joined(separator: ", ")
      throw .refused(.syntax("no kind '\(name)'; kinds are \(all)"))
    }
    return kind
  }

  /// The link with this id, if the caller may see links of its workspace.
  func link(_ index: Int) throws(Halt) -> LinkReference {
    let id: LinkID = try id(index, "link")
    let cell = try cell(partitioning.partition(of: id))
    let serial = partitioning.serial(of: id)
    read(cell.state.lsn)
    guard cell.state.links.rows.contains(serial), cell.state.links.rows[serial].isUsed else {
      throw .refused(.notFound("link #\(id.raw)"))
    }
    let row = cell.state.links.rows[serial]
    let contact = ContactReference(id: cell.state.id(Int(row.contact)), cell: cell, serial: Int(row.contact))
    let seen = try lead(from: contact).newestLogin.map { self.seen(of: $0) } ?? reach(of: .userRead)
    guard !isLimited || seen.contains(row.workspace) else { throw .refused(.notFound("link #\(id.raw)")) }
    return LinkReference(contact: contact, serial: serial)
  }

  /// A person with a login can be linked in the workspaces of which the user is a member, others in the one that
  /// governs them.
  fileprivate func requireLinkable(_ contact: ContactReference, in workspace: Workspace) throws(Halt) {
    let isThere = contact.user.map { $0.isMember(of: workspace.id, at: now) } ?? (contact.home == workspace.id)
    guard isThere else {
      let name = contact.user?.username ?? "contact #\(contact.id.raw)"
      throw .refused(
        .rule(
          "member", "\(name) is not in workspace \(workspace.name)",
          instead: "name another with WORKSPACE, or add the user with WORKSPACE.MEMBER"))
    }
  }

  /// L4: a user with restricted bookings makes none, and nobody makes any as that user.
  fileprivate func requireBooking(_ kind: LinkKind) throws(Halt) {
    guard kind == .booking, let principal = asUser, let user = try user(principal.subject),
      user.row.flags.contains(.restrictsBookings)
    else { return }
    throw .refused(
      .rule(
        "restrict-bookings", "\(user.username) may not make bookings",
        instead: "let an administrator make it, or allow it with USER.SET \(user.username) restrict-bookings 0"))
  }

  /// The new content of a link: the options that are given, else the old values.
  fileprivate func linkContent(over old: LinkContent) throws(Halt) -> LinkContent {
    var new = old
    if let status = try option("STATUS", limit: Limits.fieldBytes) { new.status = status }
    for words in try options("ATTR") {
      let name = try Self.name(words[0].folded, "the name of an attribute")
      guard words[1].utf8.count <= Limits.textBytes else {
        throw .refused(.syntax("the attribute \(name) is longer than \(Limits.textBytes) bytes; shorten it"))
      }
      new.set(name, words[1])
    }
    guard new.attributes.count <= Limits.attributesOfLink else {
      throw .refused(.limit("attributes: a link has at most \(Limits.attributesOfLink)"))
    }
    return new
  }

  /// Asks for the partitions of everybody who made a link, at once.
  fileprivate func hold(makersOf links: [LinkView]) throws(Halt) {
    var partitions = Set<Int>()
    for link in links {
      if case .user(let id) = link.maker.author { partitions.insert(partitioning.partition(of: id)) }
      if let subject = link.maker.subject { partitions.insert(partitioning.partition(of: subject)) }
    }
    try hold(partitions)
  }
}
