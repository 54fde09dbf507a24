/// Ends sessions and impersonations when the right they depend on is lost.
///
/// One rule (`Turn.lapse`) decides whether a session may continue. It is applied at two moments, so that what has ended
/// never comes back:
///
/// - When a command changes a fact of a person that the rule reads, it checks the person's sessions before and after
///   the change, and those that fail end in the same record (`endWhatLostItsRight`). Commands get this without asking
///   for it.
/// - A setting of a workspace or the first pool of a product can affect everybody, so it does not check all sessions at
///   once. Whoever reads a session, by its token or in a list, finds out and ends it (`isInForce`). A session that
///   nobody reads while a setting is in force gains nothing: the requirement of that time still applies to it
///   (`Workspace.asks(_:since:)`).
extension Turn {
  // MARK: Judging

  /// Why a session must end before its time; nil if it may continue.
  @inline(__always)
  func lapse(_ cell: HeldPartition, _ slot: Int) throws(Halt) -> SessionEnd? {
    let row = cell.state.sessions[slot]
    if let denial = holder(cell, slot).sessionDenial(row, in: directory, at: now) { return SessionEnd(denial) }
    if row.kind == .login { return nil }
    return try impersonationLapse(cell, slot, in: directory) { $0 }
  }

  /// Why an impersonation must end: its actor's login is gone, or the actor could no longer begin it.
  private func impersonationLapse<Person: PersonView>(
    _ cell: HeldPartition, _ slot: Int, in directory: Directory, as person: (UserReference) -> Person
  ) throws(Halt) -> SessionEnd? {
    guard let impersonation = cell.state.sessions.impersonation(ofSlot: slot) else { return .actorEnded }
    let row = cell.state.sessions[slot]
    let actors = try self.cell(partitioning.partition(of: impersonation.actorSession))
    guard let login = actors.state.slot(of: impersonation.actorSession), actors.state.sessions[login].isLive(at: now)
    else {
      read(actors.state.lsn)
      return .actorEnded
    }
    let actor = holder(actors, login)
    read(actors.state.people.users[actor.serial].lsn)
    let actorNow = person(actor)
    if actorNow.sessionDenial(actors.state.sessions[login], in: directory, at: now) != nil { return .actorEnded }
    let target = person(holder(cell, slot))
    return directory.denial(of: row, actor: actorNow, target: target, at: now).map { SessionEnd($0) }
  }

  /// Whether a session may continue. One that may not ends with this command, even if the command is refused.
  func isInForce(_ cell: HeldPartition, _ slot: Int) throws(Halt) -> Bool {
    guard cell.state.sessions[slot].isLive(at: now) else {
      // End it now: the upkeep that ends sessions may be half a second late, and after a crash or with a clock set back
      // the client would find it in force again.
      lapsed.append((cell.state.sessionID(ofSlot: slot), .expired))
      return false
    }
    guard let cause = try lapse(cell, slot) else { return true }
    lapsed.append((cell.state.sessionID(ofSlot: slot), cause))
    return false
  }

  // MARK: Changing people

  /// Checks the sessions of everybody whom the decision's changes concern, and ends those that fail.
  func endWhatLostItsRight() throws(Halt) {
    if traits.contains(.concernsSomebody) { try endWhatLostItsRight(of: try peopleConcerned()) }
  }

  /// Checks the sessions of these people, and ends those that fail.
  func endWhatLostItsRight(of people: [UserReference]) throws(Halt) {
    var sessions: [SessionID] = []
    var partitions = Set<Int>()
    for user in people { list(user, &sessions, &partitions) }
    if sessions.isEmpty { return }
    try hold(partitions)
    let outlook = Outlook(self)
    for id in sessions where !endedSessions.contains(id) {
      let cell = try cell(partitioning.partition(of: id))
      guard let slot = cell.state.slot(of: id) else { continue }
      // A session without a right must not regain it through this change, so it ends first. Exception: licences. When a
      // product gets its first pool, they are assigned after that, and only users who were refused meanwhile are out.
      if let cause = try lapse(cell, slot), cause != .licenceRemoved {
        try endSession(id, cause)
      } else if let cause = try lapse(cell, slot, in: outlook) {
        try endSession(id, cause)
      }
    }
  }

  func peopleConcerned() throws(Halt) -> [UserReference] {
    var people: [UserReference] = []
    for index in changes.indices {
      let ids: [UserID]
      switch changes[index].concern {
      case .nobody: continue
      case .user(let id): ids = [id]
      case .contact(let id):
        let cell = try cell(partitioning.partition(of: id))
        guard let contact = cell.state.serial(of: id), cell.state.people.contacts[contact].user != 0 else { continue }
        ids = [cell.state.id(Int(cell.state.people.contacts[contact].user))]
      case .owners(let old, let new): ids = [old, new].compactMap { $0 }
      }
      for id in ids where !people.contains(where: { $0.id == id }) {
        // A user created by this very command has no session yet.
        if let user = try user(id) { people.append(user) }
      }
    }
    return people
  }

  /// Adds a user's sessions, the impersonations that the user began, and the partitions needed to check them.
  private func list(_ user: UserReference, _ sessions: inout [SessionID], _ partitions: inout Set<Int>) {
    let state = user.cell
    for id in state.state.sessionIDs(of: user.serial) {
      sessions.append(id)
      if let slot = state.state.slot(of: id), let actor = state.state.sessions.impersonation(ofSlot: slot)?.actorSession
      {
        partitions.insert(partitioning.partition(of: actor))
      }
      for begun in state.state.sessions.impersonations[id] ?? [] {
        sessions.append(begun)
        partitions.insert(partitioning.partition(of: begun))
      }
    }
  }

  /// The facts after the decision's changes.
  private struct Outlook {
    let directory: Directory
    let changes: [AnyChange]

    init(_ turn: Turn) {
      changes = turn.changes
      // `.max`: every session is older than this decision.
      directory = turn.directory.changed(by: turn.changes, lsn: .max, time: turn.now)
    }

    func person(_ user: UserReference) -> PersonFacts {
      var facts = PersonFacts(user)
      for change in changes { change.known?.apply(to: &facts) }
      return facts
    }
  }

  /// Why a session will have to end after the changes.
  private func lapse(_ cell: HeldPartition, _ slot: Int, in outlook: Outlook) throws(Halt) -> SessionEnd? {
    let row = cell.state.sessions[slot]
    let user = holder(cell, slot)
    let facts = outlook.person(user)
    if let denial = facts.sessionDenial(row, in: outlook.directory, at: now) { return SessionEnd(denial) }
    if user.isMember(of: row.workspace), !facts.isMember(of: row.workspace, at: now) { return .accessRemoved }
    if row.kind == .login { return nil }
    return try impersonationLapse(cell, slot, in: outlook.directory) { outlook.person($0) }
  }
}
