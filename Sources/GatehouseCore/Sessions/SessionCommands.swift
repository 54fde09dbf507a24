extension CommandTable {
  static let sessionCommands: [CommandSpec] = [
    CommandSpec(
      "SESSION.CREATE", .session, "Open a session for a user whom the application authenticated",
      [.word("user"), .word("product"), .option("TTL", "duration"), .option("IDLE", "duration")]
        + SessionOrigin.options,
      reply: "a map `session` (the token, shown once), `id`, `expires`; the workspace's policies limit `TTL` and "
        + "`IDLE`; longer values are shortened. With the policy `session.max` the user's login there that was used least "
        + "lately ends for it; a service of products counts and ends those of its own. `IP` and `AGENT` say from where, and "
        + "SESSION.GET shows it. `REFUSED login: reason` if a login rule refuses",
      effect: .write, rights: .sessions, needs: .service(),
      route: .user(1), touches: .newSession, body: .decide(sessionCreate)),
    CommandSpec(
      "SESSION.CHECK", .session, "Whose token this is, with every login rule checked again",
      [.word("token"), .option("PRODUCT", "product")],
      reply: "null, or a map `id, kind, user, username, product, workspace, actor, actor-id, created,"
        + " expires, last-seen`, and "
        + "`must-change` 1 where a temporary password has opened the session: it is to be changed before anything else, and "
        + "`signed-in` 1 where Gatehouse has opened it itself, in the console. A session rests on the word of the service "
        + "that opened it, reaches no further, and ends once that service is deleted. One that has lost its right ends for "
        + "good, even if the right comes back",
      needs: .service(), route: .session(1), secrets: [1], body: .decide(sessionCheck)),
    CommandSpec(
      "SESSION.GET", .session, "A session by its id", [.word("id", .integer)],
      reply:
        "a map of what SESSION.CHECK tells, and `idle, reason, ip, agent, service`: `ip` and `agent` null where the "
        + "application has not told them, and `service`, which opened it, null where that is none or not yours to know; or an"
        + " error `NOTFOUND session`",
      needs: .permission(.sessionRead, over: .session(1), own: .sessionRead), route: .session(1), secrets: [1],
      body: .decide(sessionGet)),
    CommandSpec(
      "SESSION.LIST", .session, "The sessions of a user, newest first", [.word("user")], reply: "an array of maps",
      needs: .permission(.sessionRead, over: .user(1), own: .sessionRead), route: .user(1), body: .decide(sessionList)),
    CommandSpec(
      "SESSION.REVOKE", .session, "End a session, by token or id", [.word("session"), .flag("TOKEN")],
      reply: "1, or 0 if there is none. With `TOKEN` an id is none: for what a user's browser or program has sent, who "
        + "could else end the sessions of others by their numbers",
      effect: .write, rights: .sessions,
      needs: .permission(.sessionRevoke, over: .session(1), own: .sessionRevoke), route: .session(1), secrets: [1],
      isForTemporary: true, body: .decide(sessionRevoke)),
    CommandSpec(
      "SESSION.REVOKEALL", .session, "End all sessions of a user", [.word("user"), .option("EXCEPT", "id", .integer)],
      reply: "how many ended; administrators of the user's home end those in other workspaces too, uncounted",
      effect: .write, rights: .sessions,
      needs: .permission(.sessionRevoke, over: .user(1), own: .sessionRevoke), route: .user(1),
      isForTemporary: true, body: .decide(sessionRevokeAll)),
  ]

  @Sendable private static func sessionCreate(_ turn: Turn) throws(Halt) {
    let found = try turn.userIfAny(1)
    turn.read(turn.directoryLSN)
    let (user, product) = try turn.withDirectory { (directory) throws(Halt) in
      let product = turn.productID(turn.word(2), in: directory)
      guard let user = found else { throw refusing(.unknownUser, nil, product, turn) }
      if let denial = user.loginDenial(to: product, in: directory, at: turn.now) {
        throw refusing(denial, user, product, turn)
      }
      guard let product else { throw .refused(turn.noProduct(2)) }
      return (user, product)
    }
    let opened = try turn.openSession(of: user, in: product, try turn.sessionWish())
    turn.noteAdmission(to: product)
    turn.reply.map(3)
    turn.show(opened)
  }

  private static func refusing(
    _ denial: LoginDenial, _ user: UserReference?, _ product: ProductID?, _ turn: Turn
  ) -> Halt {
    turn.note(denial, of: user, to: product, username: 1, productName: 2)
    return .refused(Refusal(.refused, "login: \(denial.reason)"))
  }

  @Sendable private static func sessionCheck(_ turn: Turn) throws(Halt) {
    turn.read(turn.directoryLSN)
    guard let (cell, slot) = try turn.session(token: turn.word(1)) else { return turn.reply.null() }
    let row = cell.state.sessions[slot]
    turn.read(cell.state.people.users[Int(row.user)].lsn)
    guard try turn.isInForce(cell, slot) else {
      noteDenial(of: row, turn.holder(cell, slot), turn)
      return turn.reply.null()
    }
    if !turn.chosen.isEmpty, let word = turn.optionWord("PRODUCT"), try !mayEnter(word, with: cell, slot, turn) {
      return turn.reply.null()
    }
    turn.noteAdmission(to: row.product)
    try turn.use(cell, slot: slot)
    logUse(cell, slot, turn)
    // As `Turn.use` does: with an impersonation its actor uses the own login.
    if row.kind == .impersonation, let login = cell.state.sessions.impersonation(ofSlot: slot)?.actorSession {
      let actors = try turn.cell(turn.partitioning.partition(of: login))
      if let slot = actors.state.slot(of: login) { logUse(actors, slot, turn) }
    }
    // Only the server asks for whom it may then act (`CommandDoor.caller(ofSession:)`).
    let marks = try SessionMarks(cell, slot, turn)
    turn.reply.map(11 + marks.count + (turn.connection.isServer ? 1 : 0))
    try describe(cell, slot, lastSeen: turn.isFollower ? row.lastSeen : turn.now, turn)
    marks.show(&turn.reply)
    if turn.connection.isServer { showService(row, turn) }
  }

  /// Logs the use of a session. A read must not become a write: a use is logged only after an eighth of the idle limit has
  /// passed. On a follower it is no use at all, because the leader does not hear of it.
  @inline(__always)
  private static func logUse(_ cell: HeldPartition, _ slot: Int, _ turn: Turn) {
    let row = cell.state.sessions[slot]
    if !turn.isFollower, row.idleSeconds > 0, turn.now - row.loggedSeen > Milliseconds(row.idleSeconds) * 125 {
      turn.emit(SessionSeen(cell.state.sessionID(ofSlot: slot), cell.state.id(Int(row.user)), turn.now))
    }
  }

  /// The pairs that a session has only where there is something to say.
  private struct SessionMarks {
    /// P13.
    let mustChange: Bool
    let isSignedIn: Bool

    init(_ cell: HeldPartition, _ slot: Int, _ turn: Turn) throws(Halt) {
      mustChange = cell.state.sessions.mustChangePassword(inSlot: slot)
      isSignedIn = try turn.isSignedIn(cell, slot)
    }

    var count: Int { (mustChange ? 1 : 0) + (isSignedIn ? 1 : 0) }

    func show(_ reply: inout Reply) {
      if mustChange {
        reply.text("must-change")
        reply.flag(true)
      }
      if isSignedIn {
        reply.text("signed-in")
        reply.flag(true)
      }
    }
  }

  /// The pair `service`: who opened a session. Services are the operator's, who alone learns their names.
  private static func showService(_ session: SessionRow, _ turn: Turn) {
    let service = turn.isLimited ? nil : session.opener.service.flatMap { turn.directory.service($0) }
    turn.reply.text("service")
    turn.reply.optional(service?.name)
  }

  /// Notes why the user of an ended session could not log in now either, if so.
  private static func noteDenial(of row: SessionRow, _ user: UserReference, _ turn: Turn) {
    guard let denial = user.sessionDenial(row, in: turn.directory, at: turn.now) else { return }
    turn.note(denial, of: user, to: row.product == 0 ? nil : row.product, in: row.workspace)
  }

  /// Whether the user of a session may enter a product with it, and the services on whose word it rests log people in
  /// there: else it is a session elsewhere, which says nothing there. A refusal does not end the session.
  private static func mayEnter(
    _ word: Int, with cell: HeldPartition, _ slot: Int, _ turn: Turn
  ) throws(Halt) -> Bool {
    let row = cell.state.sessions[slot]
    let user = turn.holder(cell, slot)
    let product = turn.productID(turn.word(word))
    if let product, let place = turn.directory.product(product)?.workspace, place != row.workspace {
      if row.isBound { return false }
      if let actor = cell.state.sessions.impersonation(ofSlot: slot)?.actor {
        guard let actor = try turn.user(actor),
          turn.directory.mayImpersonate(in: place, with: row, actor: actor, target: user, at: turn.now)
        else { return false }
      }
    }
    if let denial = user.loginDenial(to: product, in: turn.directory, at: turn.now, since: row.lsn) {
      turn.note(denial, of: user, to: product, productName: word, in: row.workspace)
      return false
    }
    guard let known = product.flatMap({ turn.directory.product($0) }) else { return true }
    return try turn.openersReach(cell, slot) { $0.contains(known) }
  }

  /// The eleven pairs common to all views of a session.
  static func describe(_ cell: HeldPartition, _ slot: Int, lastSeen: Milliseconds, _ turn: Turn) throws(Halt) {
    let row = cell.state.sessions[slot]
    try turn.describe(
      cell.state.sessionID(ofSlot: slot).raw, row.kind.name, of: turn.holder(cell, slot), in: row.product,
      row.workspace, actor: cell.state.sessions.impersonation(ofSlot: slot)?.actor, created: row.created,
      expires: row.expires, lastSeen: lastSeen)
  }

  @Sendable private static func sessionGet(_ turn: Turn) throws(Halt) {
    turn.read(turn.directory.lsn)
    guard let (cell, slot) = try turn.session(1), try turn.isInForce(cell, slot) else {
      throw .refused(.notFound("session\(turn.repeatedID(1))"))
    }
    try view(cell, slot, turn)
  }

  /// A session as `SESSION.GET` and `SESSION.LIST` show it.
  private static func view(_ cell: HeldPartition, _ slot: Int, _ turn: Turn) throws(Halt) {
    let row = cell.state.sessions[slot]
    let origin = cell.state.sessions.origin(ofSlot: slot)
    let marks = try SessionMarks(cell, slot, turn)
    turn.reply.map(16 + marks.count)
    try describe(cell, slot, lastSeen: row.lastSeen, turn)
    marks.show(&turn.reply)
    turn.reply.text("idle")
    turn.reply.integer(Milliseconds(row.idleSeconds) * 1000)
    turn.reply.text("reason")
    turn.reply.optional(cell.state.sessions.impersonation(ofSlot: slot)?.reason)
    turn.reply.text("ip")
    turn.reply.optional(origin.address.isEmpty ? nil : origin.address)
    turn.reply.text("agent")
    turn.reply.optional(origin.agent.isEmpty ? nil : origin.agent)
    showService(row, turn)
  }

  @Sendable private static func sessionList(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    let reach = turn.reach(of: .sessionRead, over: user)
    let slots = try turn.sessionsInForce(of: user).filter { reach.contains(user.cell.state.sessions[$0]) }
    turn.reply.array(slots.count)
    for slot in slots { try view(user.cell, slot, turn) }
  }

  @Sendable private static func sessionRevoke(_ turn: Turn) throws(Halt) {
    guard let (cell, slot) = try turn.sessionToEnd(1) else { return turn.reply.flag(false) }
    try turn.endSession(cell.state.sessionID(ofSlot: slot), .revoked)
    turn.reply.flag(cell.state.sessions[slot].isLive(at: turn.now))
  }

  @Sendable private static func sessionRevokeAll(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    turn.read(user.cell.state.lsn)
    let reach = turn.reach(of: .sessionRevoke, over: user)
    // W2: sessions in general belong to the home. It must not learn how many there are elsewhere.
    let isHome = user.home.map(reach.contains) ?? reach.isAll
    var kept: SessionID?
    if let word = turn.optionWord("EXCEPT") { kept = try turn.id(word, "EXCEPT") }
    var count = 0
    for id in user.cell.state.sessionIDs(of: user.serial) where id != kept {
      guard let slot = user.cell.state.slot(of: id) else { continue }
      let session = user.cell.state.sessions[slot]
      let isSeen = reach.contains(session)
      guard isSeen || isHome else { continue }
      if isSeen, session.isLive(at: turn.now) { count += 1 }
      try turn.endSession(id, .revoked)
    }
    turn.reply.integer(count)
  }
}

/// A session that a decision opens.
struct OpenedSession {
  let id: SessionID
  let token: SecretText.Whole
  let expires: Milliseconds
}

extension Turn {
  /// The eleven pairs that tell of a session, or of another way to act as a user.
  ///
  /// - Parameter expires: 0 if it has no limit.
  func describe(
    _ id: UInt64, _ kind: StaticString, of user: UserReference, in product: ProductID, _ workspace: WorkspaceID,
    actor: UserID?, created: Milliseconds, expires: Milliseconds, lastSeen: Milliseconds
  ) throws(Halt) {
    let username = user.withUsername { reply.store($0) }
    let places = withDirectory { directory in
      (
        product: directory.shownProduct(product).map { reply.store($0) } ?? .null,
        workspace: reply.store(directory.shownWorkspace(workspace))
      )
    }
    var actorName = Reply.Node.null
    if let actor, let actor = try self.user(actor) { actorName = actor.withUsername { reply.store($0) } }
    reply.add([
      .text("id"), .integer(id), .text("kind"), .text(kind), .text("user"), .integer(user.id.raw), .text("username"),
      username, .text("product"), places.product, .text("workspace"), places.workspace, .text("actor"), actorName,
      .text("actor-id"), actor.map { Reply.Node.integer($0.raw) } ?? .null, .text("created"), .integer(created),
      .text("expires"), expires == 0 ? .null : .integer(expires), .text("last-seen"), .integer(lastSeen),
    ])
  }

  /// What the options of the command ask of the session.
  @inline(__always)
  func sessionWish() throws(Halt) -> SessionWish {
    if chosen.isEmpty { return SessionWish() }
    let wish = SessionWish(life: try duration("TTL"), idle: try duration("IDLE"), origin: try sessionOrigin())
    if wish.life == 0 { throw .refused(.syntax("TTL must be more than 0")) }
    return wish
  }

  /// Opens a session for a user who may log in to the product.
  @inline(__always)
  func openSession(
    of user: UserReference, in product: ProductID, _ wish: SessionWish
  ) throws(Halt) -> OpenedSession {
    let (workspace, facts) = try withDirectory { (directory) throws(Halt) in
      let workspace = directory.facts(ofProduct: product).workspace
      return (workspace, directory.facts(ofWorkspace: workspace))
    }
    guard user.row.sessionCount < Limits.sessionsOfUser else {
      read(user.cell.state.lsn)
      throw .refused(.limit("sessions: a user has at most \(Limits.sessionsOfUser); revoke some"))
    }
    let life = min(wish.life ?? facts.sessionTTL, facts.sessionTTL)
    let idle = Self.tighter(wish.idle ?? 0, facts.sessionIdle)
    let id = user.cell.state.nextSession()
    let opened = OpenedSession(id: id, token: SecretText.sessionToken(id, entropy.draw()), expires: now + life)
    emit(
      SessionOpened(
        session: id, user: user.id, token: opened.token.withBytes(digest), product: product, workspace: workspace,
        expires: opened.expires, idleSeconds: UInt32(clamping: (idle + 999) / 1000), opener: opener))
    if !wish.origin.isEmpty {
      emit(SessionOriginTold(id, of: user.id, product: product, workspace: workspace, wish.origin))
    }
    // After the new one, which takes a slot that is free already.
    if facts.sessionMax != 0 { try endLeastUsed(of: user, in: workspace, beyond: Int(facts.sessionMax)) }
    return opened
  }

  /// The three pairs of a new session.
  @inline(__always)
  func show(_ opened: OpenedSession) {
    reply.text("session")
    reply.secret(opened.token)
    reply.add([.text("id"), .integer(opened.id.raw), .text("expires"), .integer(opened.expires)])
  }

  /// The shorter of two idle limits; 0 means no limit.
  private static func tighter(_ a: Milliseconds, _ b: Milliseconds) -> Milliseconds {
    a == 0 || b == 0 ? max(a, b) : min(a, b)
  }

  /// The user as whom a session acts.
  public func holder(_ cell: HeldPartition, _ slot: Int) -> UserReference {
    let serial = Int(cell.state.sessions[slot].user)
    return UserReference(id: cell.state.id(serial), cell: cell, serial: serial)
  }

  /// The slots of a user's sessions in force, newest first.
  func sessionsInForce(of user: UserReference) throws(Halt) -> [Int] {
    read(user.cell.state.lsn)
    read(directory.lsn)
    let all = user.cell.state.sessionIDs(of: user.serial).compactMap { user.cell.state.slot(of: $0) }
    try hold(
      Set(
        all.compactMap { user.cell.state.sessions.impersonation(ofSlot: $0)?.actorSession }.map(
          partitioning.partition(of:))))
    var slots: [Int] = []
    for slot in all where try isInForce(user.cell, slot) { slots.append(slot) }
    return slots
  }
}
