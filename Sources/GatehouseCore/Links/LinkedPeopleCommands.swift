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
      guard wanted.isMeant(link) else { continue }
      let keep = cell.state.people.successor(ofContact: contact)
      let found = FoundLink(link)
      let isShown = turn.shows(found, of: person)
      if let keep { gathered.mergedLinks[link.id.raw] = MergedLink(link: found, keep: keep, isShown: isShown) }
      guard isShown || keep != nil else { continue }
      // Newest first, and the larger id before the smaller one.
      let order = [UInt64.max - UInt64(clamping: link.row.created), UInt64.max - link.id.raw]
      let key = ContiguousArray(order.flatMap { number in withUnsafeBytes(of: number.bigEndian) { Array($0) } })
      gathered.insert(Gathered.Item(key: key, id: link.id.raw, reply: turn.view(found, of: person)), most: most)
    }
  }

  @Sendable private static func finishLinked(_ turn: Turn, _ gathered: inout Gathered) throws(Halt) {
    let count = try turn.listCount()
    if gathered.isLookingUpMerged(in: turn.partitioning) { return }
    let page = gathered.items.prefix(count)
    let merged = gathered.mergedLinks
    let shown = page.compactMap { item in merged[item.id].map { $0.reply(or: item.reply) } ?? item.reply }
    turn.reply.array(2)
    if gathered.items.count > count, let last = page.last {
      let created = last.key.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      turn.reply.text(ListCursor([UInt64.max - created, last.id]).text)
    } else {
      turn.reply.text(ListCursor.end)
    }
    turn.reply.array(shown.count)
    for reply in shown { turn.reply.append(reply) }
  }
}

/// What a link says, whoever it is of.
struct FoundLink: Sendable {
  let id: LinkID
  let row: LinkRow
  let content: LinkContent

  init(_ link: LinkReference) { (id, row, content) = (link.id, link.row, link.content) }
}

/// A link of somebody who was merged into somebody else, whose it is by now (L13).
struct MergedLink: Sendable {
  let link: FoundLink
  /// To whom it leads, as far as is known.
  var keep: ContactID
  /// Whether the caller may see it as a link of the one who was merged: where the other is unknown, that one stands there.
  let isShown: Bool
  /// nil until the other was looked up.
  var view: View?

  enum View: Sendable {
    case own
    case hidden
    case reply(Reply)
  }

  /// - Parameter own: the reply that names the one who was merged.
  func reply(or own: Reply) -> Reply? {
    switch view {
    case .reply(let reply): reply
    case .hidden: nil
    case .own, nil: own
    }
  }
}

extension Gathered {
  /// Has those looked up to whom links lead, one step of their way at a time.
  ///
  /// - Returns: whether any are left.
  fileprivate mutating func isLookingUpMerged(in partitioning: Partitioning) -> Bool {
    let open = mergedLinks.values.filter { $0.view == nil }.map { partitioning.partition(of: $0.keep) }
    look(again: Set(open)) { turn, cell, gathered in
      for (id, merged) in gathered.mergedLinks
      where merged.view == nil && partitioning.partition(of: merged.keep) == cell.index {
        gathered.mergedLinks[id] = turn.followed(merged, in: cell)
      }
    }
    return !open.isEmpty
  }
}

extension Turn {
  /// A link with the one to whom it leads, or the next on the way there.
  fileprivate func followed(_ merged: MergedLink, in cell: HeldPartition) -> MergedLink {
    var merged = merged
    guard let serial = cell.state.serial(of: merged.keep) else {
      merged.view = merged.isShown ? .own : .hidden
      return merged
    }
    if let next = cell.state.people.successor(ofContact: serial) {
      merged.keep = next
      return merged
    }
    let kept = ContactReference(id: merged.keep, cell: cell, serial: serial)
    if shows(merged.link, of: kept) {
      merged.view = .reply(view(merged.link, of: kept))
    } else {
      merged.view = merged.isShown && !knows(kept) ? .own : .hidden
    }
    return merged
  }

  /// Whether the caller may see a link: the person, and what the workspace of the link holds of the person (W4).
  fileprivate func shows(_ link: FoundLink, of person: ContactReference) -> Bool {
    guard isLimited else { return true }
    guard let login = person.newestLogin else {
      return knows(person) && reach(of: .userRead).contains(link.row.workspace)
    }
    return shows(login) && seen(of: login).contains(link.row.workspace)
  }

  /// A link as a list of people shows it.
  fileprivate func view(_ link: FoundLink, of person: ContactReference) -> Reply {
    let login = person.newestLogin
    var reply = Reply()
    reply.map(10)
    reply.text("link")
    reply.integer(link.id.raw)
    reply.text("contact")
    reply.integer(person.id.raw)
    reply.text("user")
    reply.optional(login.map { Int64($0.id.raw) })
    reply.text("username")
    reply.optional(login?.username)
    reply.text("name")
    let format = directory.workspace(link.row.workspace).policies.nameFormat
    reply.text(person.name.text(format: format))
    reply.text("email")
    reply.optional(person.text(.email).isEmpty ? nil : person.text(.email))
    reply.text("workspace")
    reply.text(directory.workspace(link.row.workspace).name)
    reply.text("status")
    reply.optional(link.content.status.isEmpty ? nil : link.content.status)
    reply.text("attributes")
    reply.map(link.content.attributes.count)
    for attribute in link.content.attributes {
      reply.text(attribute.name)
      reply.text(attribute.value)
    }
    reply.text("created")
    reply.integer(link.row.created)
    return reply
  }
}
