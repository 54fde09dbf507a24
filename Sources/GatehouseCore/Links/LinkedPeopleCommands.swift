/// L3: who is linked to a record: the delegates of a course, those who booked it. `LINK.LIST` tells the records of a person;
/// this is the other way round.
extension CommandTable {
  static let linkedPeopleCommands: [CommandSpec] = [
    CommandSpec(
      "LINK.PEOPLE", .people, "The people who are linked to a record, such as the delegates of a course, newest first",
      [
        .word("kind"), .word("ref"), .option("WORKSPACE", "workspace"), .option("STATUS", "status"),
        .option("CURSOR", "cursor"), .option("COUNT", "count", .integer),
      ],
      reply:
        "`[cursor, items]`; maps `link, contact, user, username, name, email, workspace, status, attributes, created`, of"
        + " the people and workspaces that the caller may see; `user` and `username` are null where somebody has no"
        + " login. LINK.LIST tells who made a link",
      needs: .permission(.userRead, over: .anything), route: .everywhere,
      body: .gather(collect: collectLinked, finish: finishLinked))
  ]

  private struct Wanted {
    let kind: LinkKind
    let reference: String
    let workspace: WorkspaceID?
    let status: String?
    /// The link after which a page begins: newer ones were shown.
    let before: (created: Milliseconds, id: UInt64)?

    init(_ turn: Turn) throws(Halt) {
      kind = try turn.linkKind(try turn.text(1, "kind", limit: Limits.nameBytes))
      reference = try turn.text(2, "ref", limit: Limits.fieldBytes)
      workspace = turn.has("WORKSPACE") ? try turn.workspace().id : nil
      status = try turn.option("STATUS", limit: Limits.fieldBytes)
      before = try turn.cursor(of: 2).map { (Milliseconds(clamping: $0.numbers[0]), $0.numbers[1]) }
    }

    func isMeant(_ link: LinkReference) -> Bool {
      let row = link.row
      if let before, (row.created, link.id.raw) >= before { return false }
      return row.kind == kind && (workspace == nil || row.workspace == workspace) && link.reference == reference
        && (status == nil || link.content.status == status)
    }
  }

  @Sendable private static func collectLinked(
    _ turn: Turn, _ cell: HeldPartition, _ gathered: inout Gathered
  ) throws(Halt) {
    turn.read(cell.state.lsn)
    turn.read(turn.directory.lsn)
    let wanted = try Wanted(turn)
    let most = try turn.listCount() + 1
    for serial in gathered.slice(through: cell.state.links.rows.last) where cell.state.links.rows[serial].isUsed {
      let contact = Int(cell.state.links.rows[serial].contact)
      let person = ContactReference(id: cell.state.id(contact), cell: cell, serial: contact)
      let link = LinkReference(contact: person, serial: serial)
      guard wanted.isMeant(link), turn.shows(link) else { continue }
      // Newest first, and the larger id before the smaller one.
      let order = [UInt64.max - UInt64(clamping: link.row.created), UInt64.max - link.id.raw]
      let key = ContiguousArray(order.flatMap { number in withUnsafeBytes(of: number.bigEndian) { Array($0) } })
      gathered.insert(Gathered.Item(key: key, id: link.id.raw, reply: turn.view(link)), most: most)
    }
  }

  @Sendable private static func finishLinked(_ turn: Turn, _ gathered: inout Gathered) throws(Halt) {
    let count = try turn.listCount()
    let shown = gathered.items.prefix(count)
    turn.reply.array(2)
    if gathered.items.count > count, let last = shown.last {
      let created = last.key.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      turn.reply.text(ListCursor([UInt64.max - created, last.id]).text)
    } else {
      turn.reply.text(ListCursor.end)
    }
    turn.reply.array(shown.count)
    for item in shown { turn.reply.append(item.reply) }
  }
}

extension Turn {
  /// Whether the caller may see a link: the person, and what the workspace of the link holds of the person (W4).
  fileprivate func shows(_ link: LinkReference) -> Bool {
    guard isLimited else { return true }
    guard let login = link.contact.newestLogin else {
      return knows(link.contact) && reach(of: .userRead).contains(link.row.workspace)
    }
    return shows(login) && seen(of: login).contains(link.row.workspace)
  }

  /// A link as a list of people shows it.
  fileprivate func view(_ link: LinkReference) -> Reply {
    let login = link.contact.newestLogin
    let content = link.content
    var reply = Reply()
    reply.map(10)
    reply.text("link")
    reply.integer(link.id.raw)
    reply.text("contact")
    reply.integer(link.contact.id.raw)
    reply.text("user")
    reply.optional(login.map { Int64($0.id.raw) })
    reply.text("username")
    reply.optional(login?.username)
    reply.text("name")
    let format = directory.workspace(link.row.workspace).policies.nameFormat
    reply.text(link.contact.name.text(format: format))
    reply.text("email")
    reply.optional(link.contact.text(.email).isEmpty ? nil : link.contact.text(.email))
    reply.text("workspace")
    reply.text(directory.workspace(link.row.workspace).name)
    reply.text("status")
    reply.optional(content.status.isEmpty ? nil : content.status)
    reply.text("attributes")
    reply.map(content.attributes.count)
    for attribute in content.attributes {
      reply.text(attribute.name)
      reply.text(attribute.value)
    }
    reply.text("created")
    reply.integer(link.row.created)
    return reply
  }
}
