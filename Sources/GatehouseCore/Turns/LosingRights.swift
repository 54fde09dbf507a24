/// Ending what rests on a right when the right goes: sessions and impersonations.
///
/// Whether a session may go on is one rule (`Turn.lapse`), asked in two places, so that what has ended never comes back:
///
/// - Whoever changes something of a person that the rule reads has that person's sessions judged, as things stand and
///   as they will be, and those that fail end in the same record (`endWhatLostItsRight`). No command need think of it.
/// - A setting of a workspace or the first pool of a product can concern everybody, and is not held against all
///   sessions at once. Who looks at a session, by its token or in a list, finds out and ends it (`isInForce`). What
///   nobody looks at while a setting is in force does not profit: a session remains bound by what was asked while it
///   was there (`Workspace.asks(_:since:)`).
extension Turn {
  // MARK: Judging

  /// Why a session must end although its time is not up; nil where it may go on.
  @inline(__always)
  func lapse(_ cell: HeldPartition, _ slot: Int) throws(Halt) -> SessionEnd? {
    let row = cell.state.sessions[slot]
    if let denial = holder(cell, slot).sessionDenial(row, in: directory, at: now) { return SessionEnd(denial) }
    if row.kind == .login { return nil }
    return try impersonationLapse(cell, slot, in: directory) { $0 }
  }

  /// Why an impersonation must end: its actor's login is gone, or the actor could not begin it any more.
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

  /// Whether a session may go on. One that may not ends with this command, whatever else comes of it.
  func isInForce(_ cell: HeldPartition, _ slot: Int) throws(Halt) -> Bool {
    guard cell.state.sessions[slot].isLive(at: now) else {
      // Whoever is told so finds it so after a crash too, even if the clock is set back meanwhile: the upkeep that ends
      // sessions comes up to half a second later.
      lapsed.append((cell.state.sessionID(ofSlot: slot), .expired))
      return false
    }
    guard let cause = try lapse(cell, slot) else { return true }
    lapsed.append((cell.state.sessionID(ofSlot: slot), cause))
    return false
  }

  // MARK: Changing people

  /// Judges the sessions of everybody whom the decision's changes concern, and ends those that fail.
  func endWhatLostItsRight() throws(Halt) {
    if traits.contains(.concernsSomebody) { try endWhatLostItsRight(of: try peopleConcerned()) }
  }

  /// Judges the sessions of these people, and ends those that fail.
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
      // What has no right now would get one back by the change: it ends first. Licences are the exception: where a
      // product gets its first pool, they are assigned after that, and only who was turned away meanwhile is out.
      if let cause = try lapse(cell, slot), cause != .licenceRemoved {
        try endSession(id, cause)
      } else if let cause = try lapse(cell, slot, in: outlook) {
        try endSession(id, cause)
      }
    }
  }

  func peopleConcerned() throws(Halt) -> [UserReference] {
    var people: [UserReference] = []
    for place in changes.indices {
      let ids: [UserID]
      switch changes[place].concern {
      case .nobody: continue
      case .user(let id): ids = [id]
      case .contact(let id):
        let cell = try cell(partitioning.partition(of: id))
        guard let contact = cell.state.serial(of: id), cell.state.people.contacts[contact].user != 0 else { continue }
        ids = [cell.state.id(Int(cell.state.people.contacts[contact].user))]
      case .owners(let old, let new): ids = [old, new].compactMap { $0 }
      }
      for id in ids where !people.contains(where: { $0.id == id }) {
        // Whom this very command makes has no session yet.
        if let user = try user(id) { people.append(user) }
      }
    }
    return people
  }

  /// Adds a user's sessions, the impersonations that the user began, and the partitions that are needed to judge them.
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

  /// How things will stand after the decision's changes.
  private struct Outlook {
    let directory: Directory
    let changes: [AnyChange]

    init(_ turn: Turn) {
      changes = turn.changes
      // No session is younger than what is being decided.
      directory = turn.directory.changed(by: turn.changes, lsn: .max, time: turn.now)
    }

    func person(_ user: UserReference) -> PersonFacts {
      var facts = PersonFacts(user)
      for change in changes { change.known?.carryOut(on: &facts) }
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
