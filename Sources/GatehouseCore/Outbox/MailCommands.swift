/// Taking mails to send them, and what becomes of them.
///
/// Mails are sent at least once: a mail leaves the outbox when its sender says that it was sent, and whoever dies in between
/// leaves it to the next one, once the lease has ended.
extension CommandTable {
  static let mailCommands: [CommandSpec] = [
    CommandSpec(
      "MAIL.NEXT", .mail, "Take mails that are due, to send them",
      [.option("COUNT", "n", .integer), .option("LEASE", "duration")],
      reply:
        "an array of maps `id, kind, workspace, user, username, name, to, language, subject, text, secret, attempt,"
        + " until, created, expires`, earliest due first. Nobody else gets them before `until`, when the lease ends (after"
        + " 5 minutes unless `LEASE` says otherwise). Answer each with `MAIL.ACK`, `MAIL.FAIL` or `MAIL.RETURN`; what is not"
        + " answered is handed out again, \(Limits.mailAttempts) times in all. Fewer than `COUNT` where their texts"
        + " together have \(Limits.mailBytesOfLease) bytes: ask again until there is none. A service that is bound to"
        + " workspaces gets no mail with a secret for who has power beyond them, whose password it could not set",
      effect: .write, rights: .mail, needs: .service(), route: .directory, body: .decide(takeMails)),
    CommandSpec(
      "MAIL.ACK", .mail, "A mail was sent", [.word("id"), .option("ATTEMPT", "n", .integer)],
      reply:
        "1, or 0 where it was not handed out, or not for this `ATTEMPT`, and nothing changes, as after an `MAIL.ACK`"
        + " before",
      effect: .write, rights: .mail, needs: .service(), route: .identifier(1), body: .decide(acknowledge)),
    CommandSpec(
      "MAIL.FAIL", .mail, "A mail could not be sent",
      [.word("id"), .word("why"), .option("ATTEMPT", "n", .integer), .flag("FINAL")],
      reply:
        "null where the mail is a dead letter from now on, as with `FINAL`; the time when it is tried again; 0 where"
        + " it is not leased, or not for this `ATTEMPT` any more, and nothing changes",
      effect: .write, rights: .mail, needs: .service(), route: .identifier(1), body: .decide(fail)),
    CommandSpec(
      "MAIL.RETURN", .mail, "Give back a mail that nobody has tried to send",
      [.word("id"), .option("ATTEMPT", "n", .integer)],
      reply:
        "1, and it can be handed out again at once, without this attempt being counted; 0 where it is not leased, or not"
        + " for this `ATTEMPT` any more, and nothing changes",
      effect: .write, rights: .mail, needs: .service(), route: .identifier(1), body: .decide(giveBack)),
    CommandSpec(
      "MAIL.RETRY", .mail, "Send a dead letter after all, or a waiting mail now", [.word("id")],
      reply: "1, or 0 where it is being sent just now; its attempts and its time begin anew", effect: .write,
      rights: .mail, needs: .permission(.mailHandle, over: .anything), route: .identifier(1), body: .decide(retry)),
    CommandSpec(
      "MAIL.DROP", .mail, "Give up a mail for good", [.word("id")],
      reply:
        "1, or 0 where there is no such mail; one that reports an act, such as `impersonated`, needs `security.set`",
      effect: .write, rights: .mail, needs: .permission(.mailHandle, over: .anything), route: .identifier(1),
      body: .decide(drop)),
  ]

  // MARK: Taking

  /// How many mails that must not be sent any more one command comes to terms with.
  private static let lettersDying = 100

  @Sendable private static func takeMails(_ turn: Turn) throws(Halt) {
    let count = try turn.integer("COUNT", in: 1...Limits.mailsOfLease) ?? 1
    let lease = try turn.duration("LEASE") ?? Limits.mailLeaseDefault
    guard Limits.mailLease.contains(lease) else {
      throw .refused(.syntax("LEASE must be from 1s to 1h"))
    }
    guard !turn.has("IDEM") else {
      // The answer, with the secrets in the texts, would have to be kept.
      throw .refused(
        .syntax("IDEM has no meaning here: what is lost on its way is handed out again when its lease ends"))
    }
    let reach = turn.reach(of: .mailHandle)
    // Most partitions have no mails, and a look at each is a comparison: this is no scan.
    try turn.hold(0..<turn.partitioning.count)
    var due = DueMails()
    for partition in 0..<turn.partitioning.count {
      let cell = try turn.cell(partition)
      turn.read(cell.state.lsn)
      due.add(cell, reach, at: turn.now)
    }
    var taken: [(queued: QueuedMail, written: WrittenMail)] = []
    var (dying, bytes) = (0, 0)
    while taken.count < count, dying < lettersDying, bytes < Limits.mailBytesOfLease,
      let (id, cell) = due.next(at: turn.now)
    {
      guard let queued = cell.state.outbox[id], let named = try turn.user(queued.mail.user) else { continue }
      // L13: who was merged leads to the kept one here as well.
      let user = try turn.lead(from: named)
      if let fault = queued.fault(at: turn.now) ?? turn.fault(of: queued.mail, user) {
        turn.emit(MailFailed(queued.mail, fault.text, next: nil))
        dying += 1
      } else if turn.mayTake(queued.mail, about: user) {
        let written = turn.write(queued.mail, about: user)
        bytes += written.text.subject.utf8.count + written.text.body.utf8.count
        taken.append((queued, written))
      }
    }
    turn.reply.array(taken.count)
    for (queued, written) in taken {
      turn.emit(MailLeased(queued, until: turn.now + lease))
      turn.show(queued, written, until: turn.now + lease)
    }
  }

  // MARK: Answering

  @Sendable private static func acknowledge(_ turn: Turn) throws(Halt) {
    let queued = try turn.leasedMail()
    turn.reply.flag(queued != nil)
    if let queued { turn.emit(MailRemoved(queued.mail, .sent)) }
  }

  @Sendable private static func drop(_ turn: Turn) throws(Halt) {
    let queued = try turn.mail(1)
    if let mail = queued?.mail, mail.kind.reportsAct {
      // Whoever acts must not silence the notice of it.
      try turn.require(.securitySet, over: .workspace(mail.workspace))
    }
    turn.reply.flag(queued != nil)
    if let queued { turn.emit(MailRemoved(queued.mail, .dropped)) }
  }

  @Sendable private static func fail(_ turn: Turn) throws(Halt) {
    let why = turn.foreignLine(2, bytes: Limits.reasonBytes)
    guard let queued = try turn.leasedMail() else { return turn.reply.integer(0) }
    let isOver = turn.has("FINAL") || queued.attempts >= Limits.mailAttempts
    let next = isOver ? nil : turn.now + QueuedMail.pause(afterAttempts: queued.attempts)
    turn.emit(MailFailed(queued.mail, why, next: next))
    turn.reply.optional(next)
  }

  @Sendable private static func giveBack(_ turn: Turn) throws(Halt) {
    let queued = try turn.leasedMail()
    turn.reply.flag(queued != nil)
    if let queued { turn.emit(MailReturned(queued)) }
  }

  @Sendable private static func retry(_ turn: Turn) throws(Halt) {
    guard let queued = try turn.mail(1) else { throw .refused(.notFound("mail\(turn.repeatedID(1))")) }
    let isLeased = queued.state(at: turn.now) == .leased
    turn.reply.flag(!isLeased)
    if isLeased { return }
    guard try turn.heldCell(of: queued.mail).state.outbox.hasRoom(for: queued.mail.workspace, at: turn.now) else {
      throw .refused(.limit("mails: more than \(Limits.mailsOfWorkspace) wait to be sent"))
    }
    turn.emit(MailRevived(queued.mail, expires: turn.now + Limits.mailLife))
  }
}

extension Turn {
  /// The mail that a word names; nil where there is none, where it is of a workspace whose mails the caller may not handle
  /// (W4), and where it is about somebody with more power (L10).
  func mail(_ word: Int) throws(Halt) -> QueuedMail? {
    let id: MailID = try id(word, "id")
    let cell = try cell(partitioning.partition(of: id))
    read(cell.state.lsn)
    guard let queued = cell.state.outbox[id], reach(of: .mailHandle).contains(queued.mail.workspace) else { return nil }
    guard isLimited, let named = try user(queued.mail.user) else { return queued }
    return mayHandle(queued.mail, about: try lead(from: named)) ? queued : nil
  }

  /// Whether the power of the person whom a mail is about does not stand in the way of handling it.
  func mayHandle(_ mail: Mail, about user: UserReference) -> Bool {
    reach(of: .mailHandle, notBelow: user).contains(mail.workspace)
  }

  /// The mail at word 1 if it was handed out, and for this `ATTEMPT` if one is given. Its lease may have ended: as long as
  /// nobody else has got it, its answer is the newest.
  fileprivate func leasedMail() throws(Halt) -> QueuedMail? {
    let attempt = try integer("ATTEMPT", in: 1...Limits.mailAttempts)
    guard let queued = try mail(1), queued.isLeased, queued.died == 0,
      attempt.map({ queued.attempts == UInt32($0) }) ?? true
    else { return nil }
    return queued
  }

  func heldCell(of mail: Mail) throws(Halt) -> HeldPartition { try cell(partitioning.partition(of: mail.id)) }

  /// Why what has become of the user makes a mail pointless.
  fileprivate func fault(of mail: Mail, _ user: UserReference) -> MailFault? {
    if mail.isPointless(for: user.row.status, at: address(of: user)) { return .noLogin }
    return mail.kind == .passwordReset && !isAnsweringReset(mail, of: user) ? .secretEnded : nil
  }

  /// Whether the token in a mail is the one that a user's reset takes now.
  private func isAnsweringReset(_ mail: Mail, of user: UserReference) -> Bool {
    guard now < user.cell.state.credentials.row(of: user.serial).resetEnds,
      let token = user.cell.state.credentials.resetToken(of: user.serial)
    else { return false }
    var text = secret(of: mail)
    return token.matches(text.withUTF8 { digest(UnsafeRawBufferPointer($0)) })
  }

  /// Whether the caller may be handed a mail. Whoever reads a secret can log in as its recipient, so it goes only to a
  /// service that could set that person's password as well. That of an administrator of the whole server waits for a
  /// service that is not bound to workspaces.
  fileprivate func mayTake(_ mail: Mail, about user: UserReference) -> Bool {
    mail.secret.isEmpty || mayTakeOver(user, by: [.credentialSet])
  }

  fileprivate func show(_ queued: QueuedMail, _ written: WrittenMail, until: Milliseconds) {
    let mail = queued.mail
    reply.map(15)
    reply.text("id")
    reply.integer(mail.id.raw)
    reply.text("kind")
    reply.text(mail.kind.name)
    reply.text("workspace")
    reply.text(directory.workspace(mail.workspace).name)
    reply.text("user")
    reply.integer(written.user.raw)
    reply.text("username")
    reply.text(written.username)
    reply.text("name")
    reply.text(written.name)
    reply.text("to")
    reply.text(written.recipient)
    reply.text("language")
    reply.text(written.language)
    reply.text("subject")
    reply.text(written.text.subject)
    reply.text("text")
    if mail.secret.isEmpty { reply.text(written.text.body) } else { reply.secret(written.text.body) }
    reply.text("secret")
    if mail.secret.isEmpty { reply.null() } else { reply.secret(secret(of: mail)) }
    reply.text("attempt")
    reply.integer(queued.attempts + 1)
    reply.text("until")
    reply.integer(until)
    reply.text("created")
    reply.integer(mail.created)
    reply.text("expires")
    reply.integer(mail.expires)
  }
}
