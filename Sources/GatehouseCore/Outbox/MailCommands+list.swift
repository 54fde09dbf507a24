extension CommandTable {
  static let mailListCommands: [CommandSpec] = [
    CommandSpec(
      "MAIL.LIST", .mail, "The mails that wait to be sent, and dead letters, without their texts",
      [
        .option("STATE", "state"), .option("KIND", "kind"), .option("USER", "user"), .option("WORKSPACE", "workspace"),
        .option("CURSOR", "cursor"), .option("COUNT", "n", .integer),
      ],
      reply:
        "`[cursor, items]`; maps `id, state, kind, workspace, user, username, to, created, attempts, next, expires,"
        + " error`; the user is whom a mail is about, who need not be whom it goes `to`, and of who was merged the kept one; where the workspace does not know the name that somebody"
        + " has by now, `username` is `#id`. Only super administrators see or handle mails about super administrators."
        + " States are \(QueuedMail.State.allCases.map(\.rawValue).joined(separator: ", ")); kinds are"
        + " \(Mail.Kind.allCases.map(\.name).joined(separator: ", "))",
      rights: .mail, needs: .permission(.mailHandle, over: .anything), route: .everywhere,
      body: .gather(collect: collectMails, finish: finishMails))
  ]

  private struct Filter {
    let reach: Reach
    let state: QueuedMail.State?
    let kind: Mail.Kind?
    let user: UserID?
    let after: UInt64

    init(_ turn: Turn) throws(Halt) {
      var reach = turn.reach(of: .mailHandle)
      if turn.has("WORKSPACE") { reach = reach.intersection(.only([try turn.workspace().id])) }
      self.reach = reach
      state = try turn.option("STATE").map { (text) throws(Halt) in
        guard let state = QueuedMail.State(rawValue: text.lowercased()) else {
          throw .refused(
            .syntax("STATE must be one of \(QueuedMail.State.allCases.map(\.rawValue).joined(separator: ", "))"))
        }
        return state
      }
      kind = try turn.option("KIND").map { (text) throws(Halt) in try Turn.mailKind(text) }
      user = try turn.person(ofOption: "USER")
      after = try turn.cursor(of: 1)?.numbers[0] ?? 0
    }

    /// - Parameter user: whom it is about now.
    func passes(_ mail: QueuedMail, about user: UserID, _ now: Milliseconds) -> Bool {
      reach.contains(mail.mail.workspace) && mail.mail.id.raw > after
        && (state.map { $0 == mail.state(at: now) } ?? true) && (kind.map { $0 == mail.mail.kind } ?? true)
        && (self.user.map { [mail.mail.user, user].contains($0) } ?? true)
    }
  }

  @Sendable private static func collectMails(
    _ turn: Turn, _ cell: HeldPartition, _ gathered: inout Gathered
  ) throws(Halt) {
    turn.read(cell.state.lsn)
    turn.read(turn.directory.lsn)
    let filter = try Filter(turn)
    if cell.state.outbox.count == 0 { return }
    let count = try turn.listCount()
    for id in ids(cell, after: filter.after, turn, &gathered) {
      guard let mail = cell.state.outbox[id] else { continue }
      // L13: a mail about somebody who was merged leads to the kept user.
      let serial = turn.partitioning.serial(of: mail.mail.user)
      let user = cell.state.people.successor(ofUser: serial) ?? mail.mail.user
      guard filter.passes(mail, about: user, turn.now), isManaged(user, mail.mail, cell, turn) else { continue }
      let shown = turn.isLimited && !isKnown(user, cell, turn) ? mail.mail.user : user
      gathered.items.append(Gathered.Item(key: [], id: id.raw, reply: show(mail, about: shown, cell, turn)))
    }
    // The items of all partitions are sorted by id in the end, so of this one no more than a page is needed.
    if gathered.items.count > 2 * count + Limits.rowsOfSlice {
      gathered.items.sort { $0.id < $1.id }
      gathered.items.removeLast(gathered.items.count - count - 1)
    }
  }

  /// Whether the caller certainly knows somebody. Of who lives in another partition that is not known yet, and then the
  /// one who was merged is shown, whose id leads to the kept one for those who know both.
  private static func isKnown(_ user: UserID, _ cell: HeldPartition, _ turn: Turn) -> Bool {
    guard cell.state.isMine(user), let serial = cell.state.serial(of: user) else { return false }
    return turn.knows(UserReference(id: user, cell: cell, serial: serial))
  }

  /// L10: whether the caller may handle what is mailed about somebody. Of who was merged into somebody of another partition
  /// the power is not known here, and is asked when the mail is dropped or tried again.
  private static func isManaged(_ user: UserID, _ mail: Mail, _ cell: HeldPartition, _ turn: Turn) -> Bool {
    guard turn.isLimited else { return true }
    let id = cell.state.isMine(user) ? user : mail.user
    guard let serial = cell.state.serial(of: id) else { return true }
    return turn.mayHandle(mail, about: UserReference(id: id, cell: cell, serial: serial))
  }

  /// The ids to look at while the partition is held this time. Few mails are looked at in one go; many by their numbers, so
  /// that the scan can leave in between, and a number whose mail is gone costs a look.
  private static func ids(
    _ cell: HeldPartition, after: UInt64, _ turn: Turn, _ gathered: inout Gathered
  ) -> [MailID] {
    if cell.state.outbox.count <= 2 * Limits.rowsOfSlice, gathered.isAtStart { return cell.state.outbox.ids }
    let first = max(1, turn.partitioning.serial(of: MailID(raw: after)))
    return gathered.slice(from: first, through: cell.state.outbox.last).map { cell.state.id($0) }
  }

  @Sendable private static func finishMails(_ turn: Turn, _ gathered: inout Gathered) throws(Halt) {
    let count = try turn.listCount()
    gathered.items.sort { $0.id < $1.id }
    let shown = gathered.items.prefix(count)
    turn.reply.array(2)
    let hasMore = gathered.items.count > count
    turn.reply.text(hasMore ? ListCursor([shown[shown.endIndex - 1].id]).text : ListCursor.end)
    turn.reply.array(shown.count)
    for item in shown { turn.reply.append(item.reply) }
  }

  private static func show(_ queued: QueuedMail, about user: UserID, _ cell: HeldPartition, _ turn: Turn) -> Reply {
    let mail = queued.mail
    let state = queued.state(at: turn.now)
    var reply = Reply()
    reply.map(12)
    reply.text("id")
    reply.integer(mail.id.raw)
    reply.text("state")
    reply.text(state.rawValue)
    reply.text("kind")
    reply.text(mail.kind.name)
    reply.text("workspace")
    reply.text(turn.directory.workspace(mail.workspace).name)
    reply.text("user")
    reply.integer(user.raw)
    reply.text("username")
    let named = UserReference(id: mail.user, cell: cell, serial: turn.partitioning.serial(of: mail.user))
    reply.text(turn.nameForSender(of: named, mail))
    reply.text("to")
    // Who was merged leads to somebody who may live in another partition: there it shows when the mail is taken.
    let person = cell.state.serial(of: user).map { UserReference(id: user, cell: cell, serial: $0) }
    reply.text(
      user == mail.user ? person.map { turn.recipient(of: mail, about: $0) } ?? mail.recipient : mail.recipient)
    reply.text("created")
    reply.integer(mail.created)
    reply.text("attempts")
    reply.integer(queued.attempts)
    reply.text("next")
    reply.optional(state == .dead ? nil : queued.due)
    reply.text("expires")
    reply.integer(mail.expires)
    reply.text("error")
    let error = state == .dead ? queued.cause(at: turn.now) : queued.error
    reply.optional(error.isEmpty ? nil : error)
    return reply
  }
}

extension Turn {
  static func mailKind(_ text: String) throws(Halt) -> Mail.Kind {
    guard let kind = Mail.Kind(name: text.lowercased()) else {
      throw .refused(
        .syntax("no kind of mail '\(text)'; kinds are \(Mail.Kind.allCases.map(\.name).joined(separator: ", "))"))
    }
    return kind
  }
}
