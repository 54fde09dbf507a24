extension CommandTable {
  static let impersonationCommands: [CommandSpec] = [
    CommandSpec(
      "IMPERSONATE.CAN", .impersonation, "May one user log in as another",
      [.word("actor"), .word("target"), .option("WORKSPACE", "workspace")],
      reply:
        "`ALLOW`, or `DENY rule` with the first rule that refuses: `oneself`, `actor-status`, `target-status`, `target-employment`, "
        + "`super-administrator`, `needs-owner`, `needs-enterprise`, `not-a-member`, `role`, `approval`: two people would have to agree,"
        + " and a session cannot wait for the second. Without `WORKSPACE` it is asked of the target's home, and if that"
        + " refuses, of the target's other workspaces",
      needs: .permission(.userRead, over: .user(1), own: .userRead), route: .user(1), body: .decide(impersonateCan)),
    CommandSpec(
      "IMPERSONATE.START", .impersonation, "Log in as somebody else, from a login of the actor",
      [
        .word("actor-token"), .word("target"), .mandatory("REASON", "text"), .option("PRODUCT", "product"),
        .option("WORKSPACE", "workspace"),
        .option("TTL", "duration"),
      ] + SessionOrigin.options,
      reply: "a map `session` (the token, shown once), `id, actor, subject, workspace, expires`; "
        + "`REFUSED impersonation: rule; what to do`. The workspace is one of the target's: that of `WORKSPACE` or of"
        + " `PRODUCT`, else the home, or the first other in which the actor may. It counts in the target's other workspaces"
        + " too where their policies allow that, and then the strictest apply. Policy limits `TTL`; longer values are"
        + " shortened. It ends with the actor's login at the latest",
      effect: .write, rights: .sessions, needs: .service(), route: .session(1), secrets: [1],
      body: .decide(impersonateStart)),
    CommandSpec(
      "IMPERSONATE.END", .impersonation, "End an impersonation, by token or id",
      [.word("impersonation"), .flag("TOKEN")],
      reply: "1, or 0 if there is none. With `TOKEN` an id is none, as in SESSION.REVOKE", effect: .write,
      rights: .sessions,
      needs: .permission(.sessionRevoke, over: .session(1), own: .sessionRevoke), route: .session(1), secrets: [1],
      body: .decide(impersonateEnd)),
    CommandSpec(
      "IMPERSONATE.LIST", .impersonation, "The impersonations in force, newest first",
      [.option("ACTOR", "user"), .option("TARGET", "user")],
      reply: "an array of maps `id, actor, subject, workspace, product, reason, created, expires, last-seen`; users "
        + "see those in which they take part, owners and administrators those in their workspaces. One that has lost its"
        + " right is not shown, and ends",
      needs: .nothing, route: .everywhere,
      body: .gather(collect: collectImpersonations, finish: finishImpersonations)),
  ]

  @Sendable private static func impersonateCan(_ turn: Turn) throws(Halt) {
    let actor = try turn.user(1)
    let target = try turn.user(2)
    let workspace = try turn.has("WORKSPACE") ? turn.workspace() : turn.placeToImpersonate(target, by: actor)
    try turn.requireReach(to: workspace.id)
    if let denial = turn.directory.impersonationDenial(in: workspace.id, actor: actor, target: target, at: turn.now) {
      turn.reply.text("DENY \(denial.rule)")
    } else {
      turn.reply.text("ALLOW")
    }
  }

  // MARK: Starting

  @Sendable private static func impersonateStart(_ turn: Turn) throws(Halt) {
    let reason = try turn.option("REASON", limit: Limits.reasonBytes) ?? ""
    guard !EntityNames.isBlank(reason) else {
      throw .refused(.syntax("REASON is empty; say why you log in as somebody else"))
    }
    let (login, slot) = try turn.actorLogin()
    let actor = turn.holder(login, slot)
    let product = try turn.option("PRODUCT").map { (name) throws(Halt) in try turn.product(named: name) }
    let named = try turn.namedPlaceToImpersonate(product)
    if let named { try turn.requireOfService(.impersonate, over: turn.siteToImpersonate(product, named)) }
    let target = try turn.impersonated(2, by: actor, in: named)
    let workspace: Workspace
    if let named {
      workspace = named
    } else {
      workspace = try turn.placeToImpersonate(target, by: actor)
      try turn.requireOfService(.impersonate, over: .workspace(workspace.id))
    }
    turn.noteTried([.impersonate], over: Target(.workspace(workspace.id), target))
    if let denial = turn.directory.impersonationDenial(in: workspace.id, actor: actor, target: target, at: turn.now) {
      throw .refused(refusal(denial))
    }
    if let product, let denial = target.loginDenial(to: product.id, in: turn.directory, at: turn.now) {
      throw .refused(Refusal(.refused, "login: \(denial.reason)"))
    }
    let actorSession = login.state.sessionID(ofSlot: slot)
    guard target.row.sessionCount < Limits.sessionsOfUser else {
      turn.read(target.cell.state.lsn)
      throw .refused(.limit("sessions: a user has at most \(Limits.sessionsOfUser); revoke some"))
    }
    guard (login.state.sessions.impersonations[actorSession]?.count ?? 0) < Limits.impersonationsOfSession else {
      turn.read(login.state.lsn)
      throw .refused(
        .limit("impersonations: a login begins at most \(Limits.impersonationsOfSession); end some"))
    }
    let id = target.cell.state.nextSession()
    let token = SecretText.sessionToken(id, turn.entropy.draw())
    let isBound = turn.directory.bindsImpersonation(in: workspace.id, actor: actor, target: target, at: turn.now)
    let places = turn.directory.placesOfImpersonation(
      in: workspace.id, isBound: isBound, actor: actor, target: target, at: turn.now
    ).map { turn.directory.workspace($0) }
    let opened = SessionOpened(
      session: id, user: target.id, token: token.withBytes(turn.digest),
      product: product?.id ?? 0, workspace: workspace.id,
      expires: try turn.impersonationEnd(login.state.sessions[slot], in: places), idleSeconds: 0, isBound: isBound,
      impersonation: Impersonation(
        actor: actor.id, actorName: actor.username, actorSession: actorSession, reason: reason),
      opener: turn.opener)
    turn.emit(opened)
    let origin = try turn.sessionOrigin()
    if !origin.isEmpty {
      turn.emit(
        SessionOriginTold(
          id, of: target.id, by: actor.id, product: opened.product, workspace: workspace.id, origin))
    }
    try turn.tell(of: opened, target, in: places, actor: actor.username, reason: reason)
    turn.reply.map(6)
    turn.reply.text("session")
    turn.reply.secret(token)
    turn.reply.text("id")
    turn.reply.integer(id.raw)
    turn.reply.text("actor")
    turn.reply.text(actor.username)
    turn.reply.text("subject")
    turn.reply.text(target.username)
    turn.reply.text("workspace")
    turn.reply.text(workspace.name)
    turn.reply.text("expires")
    turn.reply.integer(opened.expires)
  }

  fileprivate static func refusal(_ denial: ImpersonationDenial) -> Refusal {
    .rule("impersonation", "\(denial.rule)", instead: denial.remedy)
  }

  // MARK: Ending

  @Sendable private static func impersonateEnd(_ turn: Turn) throws(Halt) {
    guard let (cell, slot) = try turn.sessionToEnd(1), cell.state.sessions[slot].kind == .impersonation else {
      return turn.reply.flag(false)
    }
    let id = cell.state.sessionID(ofSlot: slot)
    try turn.endSession(id, .revoked)
    turn.reply.flag(cell.state.sessions[slot].isLive(at: turn.now))
  }

  // MARK: Listing

  @Sendable private static func collectImpersonations(
    _ turn: Turn, _ cell: HeldPartition, _ gathered: inout Gathered
  ) throws(Halt) {
    turn.read(cell.state.lsn)
    turn.read(turn.directory.lsn)
    for login in cell.state.sessions.impersonations.keys where gathered.isAtStart {
      guard let slot = cell.state.slot(of: login) else { continue }
      gathered.logins[login] = ListedLogin(
        actor: PersonFacts(turn.holder(cell, slot)), username: turn.holder(cell, slot).username,
        isInForce: cell.state.sessions[slot].isLive(at: turn.now) && turn.userMayGoOn(cell, slot))
    }
    let target = try turn.person(ofOption: "TARGET")
    for slot in gathered.slice(through: cell.state.sessions.rows.last) {
      let row = cell.state.sessions[slot]
      guard row.isLive(at: turn.now), let impersonation = cell.state.sessions.impersonation(ofSlot: slot) else {
        continue
      }
      let subject = turn.holder(cell, slot)
      if let target, target != subject.id { continue }
      guard turn.maySee(impersonation, of: subject, row) else { continue }
      let newestFirst = withUnsafeBytes(of: UInt64(clamping: .max - row.created).bigEndian) { ContiguousArray($0) }
      gathered.items.append(
        Gathered.Item(
          key: newestFirst, id: cell.state.sessionID(ofSlot: slot).raw,
          reply: turn.view(impersonation, cell, slot, subject.username),
          impersonation: ListedImpersonation(
            actor: impersonation.actor, actorName: impersonation.actorName, login: impersonation.actorSession,
            target: PersonFacts(subject), session: row, mayTargetLogIn: turn.userMayGoOn(cell, slot))))
    }
  }

  @Sendable private static func finishImpersonations(_ turn: Turn, _ gathered: inout Gathered) throws(Halt) {
    let asked = try turn.person(ofOption: "ACTOR")
    var found: [(item: Gathered.Item, actor: String)] = []
    for item in gathered.items {
      guard let impersonation = item.impersonation else { continue }
      let login = gathered.logins[impersonation.login]
      guard impersonation.isInForce(login, in: turn.directory, at: turn.now) else {
        gathered.lapsed.append(SessionID(raw: item.id))
        continue
      }
      guard asked == nil || asked == impersonation.actor else { continue }
      found.append((item, login?.username ?? impersonation.actorName))
    }
    found.sort {
      $0.item.key == $1.item.key ? $0.item.id > $1.item.id : $0.item.key.lexicographicallyPrecedes($1.item.key)
    }
    let shown = found.prefix(Limits.listMost)
    turn.reply.array(shown.count)
    for (item, actor) in shown {
      turn.reply.map(9)
      turn.reply.text("id")
      turn.reply.integer(item.id)
      turn.reply.text("actor")
      turn.reply.text(actor)
      turn.reply.append(item.reply)
    }
  }
}

/// A login that began impersonations, as listed from its partition.
public struct ListedLogin: Sendable {
  let actor: PersonFacts
  let username: String
  /// Whether the login itself is in force.
  let isInForce: Bool
}

/// An impersonation as listed from its partition; its actor may be in another.
public struct ListedImpersonation: Sendable {
  let actor: UserID
  /// The actor's username when it began.
  let actorName: String
  let login: SessionID
  let target: PersonFacts
  let session: SessionRow
  /// Whether the login rules allow the target to be there.
  let mayTargetLogIn: Bool

  /// Whether it is in force. A list reads one partition at a time; if the login was not found, it began since.
  func isInForce(_ login: ListedLogin?, in directory: Directory, at now: Milliseconds) -> Bool {
    guard mayTargetLogIn else { return false }
    guard let login else { return true }
    return login.isInForce && directory.denial(of: session, actor: login.actor, target: target, at: now) == nil
  }
}

extension Turn {
  /// B12: the notices of an impersonation, as the policies of the workspaces in which it counts want them. The person and
  /// each mailbox get one.
  fileprivate func tell(
    of opened: SessionOpened, _ target: UserReference, in places: [Workspace], actor: String, reason: String
  ) throws(Halt) {
    let facts: [(MailFact, String)] = [
      (.actor, actor), (.start, TimeText.text(of: now)), (.end, TimeText.text(of: opened.expires)), (.reason, reason),
    ]
    if let place = places.first(where: \.policies.tellsImpersonated) {
      try queueMail(
        .impersonated, about: target.id, in: target.cell, of: place.id, to: address(of: target), facts: facts)
    }
    var told = Set<String>()
    for place in places where place.policies.tellsMailbox && told.insert(place.policies.impersonationMailbox).inserted {
      try queueMail(
        .impersonationReported, about: target.id, in: target.cell, of: place.id,
        to: place.policies.impersonationMailbox, facts: facts)
    }
  }

  /// The login from which an impersonation starts. The command is recorded as the actor's.
  fileprivate func actorLogin() throws(Halt) -> (cell: HeldPartition, slot: Int) {
    guard let (cell, slot) = try session(token: word(1)), cell.state.sessions[slot].isLive(at: now) else {
      throw .refused(.noPermission("a session in force: the actor's token is unknown, expired or revoked"))
    }
    guard cell.state.sessions[slot].kind == .login else { throw .refused(CommandTable.refusal(.chain)) }
    read(directory.lsn)
    guard try isInForce(cell, slot) else {
      throw .refused(CommandTable.refusal(.actorStatus))
    }
    let principal = try principal(of: word(1))
    try requireLastingPassword(principal)
    userPrincipal = principal
    // From here on the actor's rights count too: nobody impersonates a user whom the actor does not know.
    sides = principal.sides
    return (cell, slot)
  }

  /// The user at a word, whom an actor would impersonate. Nothing is revealed of users whom the actor does not know.
  fileprivate func impersonated(
    _ word: Int, by actor: UserReference, in workspace: Workspace?
  ) throws(Halt) -> UserReference {
    if let target = try userIfAny(word) { return target }
    guard sides.allSatisfy({ $0.holds(.impersonate) }) else {
      throw .refused(CommandTable.refusal(workspace.flatMap { directory.denial(ofActor: actor, in: $0.id) } ?? .role))
    }
    throw .refused(noUser(word))
  }

  /// Whether a session may continue as far as its own user is concerned.
  fileprivate func userMayGoOn(_ cell: HeldPartition, _ slot: Int) -> Bool {
    let row = cell.state.sessions[slot]
    return !directory.isAbandoned(row) && holder(cell, slot).sessionDenial(row, in: directory, at: now) == nil
  }

  /// The workspace of an impersonation, if the command names it or a product of it.
  fileprivate func namedPlaceToImpersonate(_ product: Product?) throws(Halt) -> Workspace? {
    let named = try has("WORKSPACE") ? workspace() : nil
    guard let product else { return named }
    if let named, named.id != product.workspace {
      throw .refused(.syntax("PRODUCT is not one of WORKSPACE; leave WORKSPACE out"))
    }
    return directory.workspace(product.workspace)
  }

  fileprivate func siteToImpersonate(_ product: Product?, _ workspace: Workspace) -> Site {
    product.map { site(of: $0) } ?? .workspace(workspace.id)
  }

  /// Where somebody is impersonated if the command does not say: in the first of the target's workspaces in which the actor
  /// may, home first. A workspace that the caller does not know is none.
  fileprivate func placeToImpersonate(_ target: UserReference, by actor: UserReference) throws(Halt) -> Workspace {
    read(directory.lsn)
    let known = knownWorkspaces
    let places = target.memberships.filter { !target.isShutOut(of: $0, at: now) && known.touches($0) }
    let place = places.first { directory.impersonationDenial(in: $0, actor: actor, target: target, at: now) == nil }
    guard let place = place ?? places.first else { return try workspace() }
    return directory.workspace(place)
  }

  /// When the impersonation ends: after the shortest time of the policies where it counts, or after a shorter one, and at
  /// the latest with the actor's login. If that ends by not being used, the impersonation ends with it.
  fileprivate func impersonationEnd(_ login: SessionRow, in places: [Workspace]) throws(Halt) -> Milliseconds {
    let longest = places.map(\.policies.impersonationTTL).min() ?? 0
    let life = min(try duration("TTL") ?? longest, longest)
    guard life > 0 else { throw .refused(.syntax("TTL must be more than 0")) }
    return min(now + life, login.expires)
  }

  /// Users see impersonations in which they take part, and administrators those in their workspaces.
  fileprivate func maySee(_ impersonation: Impersonation, of subject: UserReference, _ row: SessionRow) -> Bool {
    if !isLimited { return true }
    let site = site(of: row)
    return sides.allSatisfy { side in
      side.isOneself(subject) || side.person?.id == impersonation.actor
        || side.allows(.sessionRead, over: site, of: side.isBinding ? nil : subject, in: directory, at: now)
    }
  }

  /// The seven pairs after id and actor.
  fileprivate func view(
    _ impersonation: Impersonation, _ cell: HeldPartition, _ slot: Int, _ subject: String
  ) -> Reply {
    let row = cell.state.sessions[slot]
    var reply = Reply()
    reply.text("subject")
    reply.text(subject)
    reply.text("workspace")
    reply.text(directory.workspace(row.workspace).name)
    reply.text("product")
    reply.optional(directory.product(row.product).map { directory.productName($0) })
    reply.text("reason")
    reply.text(impersonation.reason)
    reply.text("created")
    reply.integer(row.created)
    reply.text("expires")
    reply.integer(row.expires)
    reply.text("last-seen")
    reply.integer(row.lastSeen)
    return reply
  }
}
