/// Ends sessions and impersonations when the right they depend on is lost.
///
/// One rule (`Turn.lapse`) decides whether a session may continue. It is applied where something changes, so that what has
/// ended never comes back, and once more by whoever reads a session (`isInForce`):
///
/// - When a command changes a fact of a person that the rule reads, it checks the person's sessions before and after
///   the change, and those that fail end in the same record (`endWhatLostItsRight`). Commands get this without asking
///   for it.
/// - A setting of a workspace can affect everybody in it, a role everybody who has it, an account that leaves a group
///   everybody with power over the group, and the first pool of a product everybody in it. A search through all
///   partitions finds them (`Search`), and what they lose ends in the same record. If more would end than fits into one
///   record, the command is refused.
///
/// Logs of version 0.1.0 have settings that ended nothing by themselves. A session that such a setting forbade does not
/// come back when the setting is lifted: the requirement of that time still applies to it (`Workspace.asks(_:since:)`).
extension Turn {
  // MARK: Judging

  /// Why a session must end before its time; nil if it may continue.
  @inline(__always)
  func lapse(_ cell: HeldPartition, _ slot: Int) throws(Halt) -> SessionEnd? {
    let row = cell.state.sessions[slot]
    let cause = withDirectory { directory -> SessionEnd? in
      if directory.isAbandoned(row) { return .rightLost }
      return holder(cell, slot).sessionDenial(row, in: directory, at: now).map { SessionEnd($0) }
    }
    if row.kind == .login || cause != nil { return cause }
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
    if directory.isAbandoned(actors.state.sessions[login]) { return .actorEnded }
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
    if traits.contains(.concernsSomebody) {
      let people = try peopleConcerned()
      try endWhatLostItsRight(of: people)
      try endRequestsThatLostTheirRight(of: people)
    }
    if traits.contains(.changesDirectory) { try endWhatSettingsForbid() }
  }

  /// Checks the sessions of these people, and ends those that fail.
  func endWhatLostItsRight(of people: [UserReference]) throws(Halt) {
    var sessions: [SessionID] = []
    var partitions = Set<Int>()
    for user in people { list(user, &sessions, &partitions) }
    let keyHolders = people.filter { $0.cell.state.apiKeys.hasAny(of: $0.serial) }
    let waiting = people.filter { !$0.cell.state.secondFactors.challenges(of: $0.serial).isEmpty }
    if sessions.isEmpty, keyHolders.isEmpty, waiting.isEmpty { return }
    try hold(partitions)
    let outlook = Outlook(self)
    // S12: keys do not come back with the login.
    for user in keyHolders where outlook.person(user).status == .deleted { endKeys(of: user, .userDeleted) }
    for user in waiting { endChallengesThatLostTheirRight(of: user, in: outlook) }
    for id in sessions {
      if let cause = try lapse(id, in: outlook) { try endSession(id, cause) }
    }
  }

  func peopleConcerned() throws(Halt) -> [UserReference] {
    var people: [UserReference] = []
    var known = Set<UserID>()
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
      for id in ids where known.insert(id).inserted {
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

  // MARK: Changing settings

  /// Ends the sessions that the decision's new settings of a workspace forbid.
  private func endWhatSettingsForbid() throws(Halt) {
    var outlook: Outlook?
    var seen = Set<WorkspaceID>()
    for index in changes.indices {
      guard let set = changes[index].as(WorkspaceSet.self), seen.insert(set.workspace).inserted else { continue }
      let settled = outlook ?? Outlook(self)
      outlook = settled
      guard let search = SessionSearch(set.workspace, changes, directory, settled.directory, at: now) else { continue }
      try endWhatLostItsRight(search, in: settled)
    }
    try endWhatLeftGroups()
    try endWhatNeedsLicences()
  }

  /// Ends the sessions of those without a licence, where a product gets its first pool of a type.
  private func endWhatNeedsLicences() throws(Halt) {
    for set in changes.compactMap({ $0.as(PoolSet.self) }) {
      guard let product = directory.product(set.product), !product.needsLicence else { continue }
      let outlook = Outlook(self)
      guard outlook.directory.product(product.id)?.needsLicence == true else { continue }
      try endWhatLostItsRight(
        SessionSearch(licensing: product, directory, outlook.directory, at: now), in: outlook)
    }
  }

  /// Ends the impersonations that rested on accounts being in a group from which the decision takes them.
  private func endWhatLeftGroups() throws(Halt) {
    let left = changes.compactMap { $0.as(AccountLeftGroup.self) }
    guard let workspace = left.first?.workspace else { return }
    try endWhatLostItsRight(SessionSearch(leaving: left, workspace, directory, at: now), in: Outlook(self))
  }

  private func endWhatLostItsRight(_ search: SessionSearch, in outlook: Outlook) throws(Halt) {
    var ending: [(id: SessionID, cause: SessionEnd)] = []
    for raw in try found(.sessions(search)) {
      let id = SessionID(raw: raw)
      if let cause = try lapse(id, in: outlook) { ending.append((id, cause)) }
    }
    guard ending.count <= Limits.lossesOfRecord else {
      throw .refused(
        .limit(
          "sessions: \(ending.count) would end by this, and one record ends at most \(Limits.lossesOfRecord);"
            + " end some of them first with SESSION.REVOKEALL user"))
    }
    for (id, cause) in ending { try endSession(id, cause) }
  }

  // MARK: Changing roles

  /// Who has a role, with the grants that say so, to be named in the record that takes it or a part of it away.
  func holders(of role: Role) throws(Halt) -> [(user: UserReference, grants: [Grant])] {
    let ids = try found(.holders(of: role))
    guard ids.count <= Limits.lossesOfRecord else {
      throw .refused(
        .limit(
          "roles: \(ids.count) users have the role \(directory.name(of: role)), and one record takes it from at most"
            + " \(Limits.lossesOfRecord); take it from some of them first with ROLE.REVOKE"))
    }
    var holders: [(user: UserReference, grants: [Grant])] = []
    for raw in ids {
      guard let user = try user(UserID(raw: raw)) else { continue }
      holders.append((user, user.grants.filter { $0.role == role }))
    }
    return holders
  }

  // MARK: Looking ahead

  /// The facts after the decision's changes.
  struct Outlook {
    let directory: Directory
    private var ofUsers: [UserID: [AnyChange]] = [:]
    private var ofContacts: [ContactID: [AnyChange]] = [:]

    init(_ turn: Turn) {
      for change in turn.changes {
        switch change.concern {
        case .nobody, .owners: break
        case .user(let id): ofUsers[id, default: []].append(change)
        case .contact(let id): ofContacts[id, default: []].append(change)
        }
      }
      // `.max`: every session is older than this decision.
      directory = turn.directory.changed(by: turn.changes, lsn: .max, time: turn.now)
    }

    func person(_ user: UserReference) -> PersonFacts {
      var facts = PersonFacts(user)
      for change in ofUsers[user.id] ?? [] { change.known?.apply(to: &facts) }
      for change in ofContacts[user.contactID] ?? [] { change.known?.apply(to: &facts) }
      return facts
    }
  }

  /// Why a session must end by the decision; nil where it has ended, or may go on.
  private func lapse(_ id: SessionID, in outlook: Outlook) throws(Halt) -> SessionEnd? {
    if endedSessions.contains(id) { return nil }
    let cell = try cell(partitioning.partition(of: id))
    guard let slot = cell.state.slot(of: id) else { return nil }
    // What has no right now would get one back by the change: it ends first.
    if let cause = try lapse(cell, slot) { return cause }
    return try lapse(cell, slot, in: outlook)
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

/// Looks for sessions that new settings of a workspace may end. Which of them do end is then judged one by one.
public struct SessionSearch: Sendable, Equatable {
  private let workspace: WorkspaceID
  /// The version of the workspace that the settings change.
  private let version: UInt32
  private let settings: [WorkspaceSet]
  /// The accounts that leave groups of the workspace.
  private let left: [AccountLeftGroup]
  private let asksEmployment: Bool
  /// The product that begins to need licences.
  private let product: ProductID?
  private let directory: Directory
  private let now: Milliseconds

  /// - Returns: nil where the changes restrict nobody.
  init?(
    _ id: WorkspaceID, _ changes: [AnyChange], _ before: Directory, _ after: Directory, at now: Milliseconds
  ) {
    // Nobody has a session in a workspace that is being made.
    guard Int(id) <= before.workspaces.count else { return nil }
    let (old, new) = (before.workspace(id), after.workspace(id))
    let added = Workspace.Restriction.allCases.filter { new.asks($0) && !old.asks($0) }
    // The day that it is decides on who is employed, and so whom power over accounts reaches.
    let movesDays = old.policies.timezone != new.policies.timezone
    if added.isEmpty, !movesDays { return nil }
    workspace = id
    version = old.version
    settings = changes.compactMap { $0.as(WorkspaceSet.self) }.filter { $0.workspace == id }
    left = []
    asksEmployment = movesDays && new.asks(.employment) || added.contains(.employment)
    product = nil
    directory = after
    self.now = now
  }

  /// The impersonations that may end because accounts leave groups.
  init(leaving left: [AccountLeftGroup], _ id: WorkspaceID, _ before: Directory, at now: Milliseconds) {
    workspace = id
    version = before.workspace(id).version
    settings = []
    self.left = left
    asksEmployment = false
    product = nil
    directory = before
    self.now = now
  }

  /// The sessions of those who have no licence for a product that begins to need one.
  init(licensing product: Product, _ before: Directory, _ after: Directory, at now: Milliseconds) {
    workspace = product.workspace
    version = before.workspace(product.workspace).version
    settings = []
    left = []
    asksEmployment = false
    self.product = product.id
    directory = after
    self.now = now
  }

  public static func == (one: SessionSearch, other: SessionSearch) -> Bool {
    one.workspace == other.workspace && one.version == other.version && one.settings == other.settings
      && one.left == other.left && one.product == other.product
  }

  func finds(_ cell: HeldPartition, _ slot: Int) -> Bool {
    let row = cell.state.sessions[slot]
    guard row.isLive(at: now) else { return false }
    if let product {
      guard row.product == product else { return false }
    } else if row.kind == .impersonation {
      // One that is not bound counts in the subject's other workspaces, too.
      return row.workspace == workspace || !row.isBound
    } else {
      guard row.workspace == workspace, asksEmployment else { return false }
    }
    let user = UserReference(id: cell.state.id(Int(row.user)), cell: cell, serial: Int(row.user))
    return user.sessionDenial(row, in: directory, at: now) != nil
  }
}
