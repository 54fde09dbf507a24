/// Why a user may not impersonate another.
public enum ImpersonationDenial: Sendable {
  case oneself, actorStatus, targetStatus, targetEmployment, superAdministrator, needsOwner, needsEnterprise, notMember,
    role, chain
  case approval, actorEnded, unbound

  public var rule: StaticString {
    switch self {
    case .oneself: "oneself"
    case .actorStatus: "actor-status"
    case .targetStatus: "target-status"
    case .targetEmployment: "target-employment"
    case .superAdministrator: "super-administrator"
    case .needsOwner: "needs-owner"
    case .needsEnterprise: "needs-enterprise"
    case .notMember: "not-a-member"
    case .role: "role"
    case .chain: "no-chains"
    case .approval: "approval"
    case .actorEnded: "actor-ended"
    case .unbound: "unbound"
    }
  }

  /// What to do instead.
  var remedy: String {
    switch self {
    case .oneself: "name somebody else"
    case .actorStatus, .actorEnded: "log in again, with a status that may log in"
    case .targetStatus: "set a status that may log in first with USER.STATUS user active"
    case .targetEmployment:
      "set the days of employment first with USER.SET user hired day released day, or name a workspace without the policy"
        + " login.within-employment"
    case .superAdministrator: "nobody logs in as a super administrator; ask them to do it themselves"
    case .needsOwner: "ask the owner of the workspace, as its policy accounts.needs-owner wants it"
    case .needsEnterprise:
      "the policy accounts.needs-enterprise wants the enterprise plan: ask the operator of the server for it"
    case .notMember: "name a workspace of the user with WORKSPACE"
    case .role:
      "it takes the permission impersonate there, and more power than the other has; WORKSPACE names where you have"
        + " them"
    case .chain: "start from your own login, not from an impersonation"
    case .approval: "two people would have to agree, and a session cannot wait; ask the person to act themselves"
    case .unbound: "start it again"
    }
  }
}

/// The rules for who may impersonate whom, and where.
extension Directory {
  /// L14, K1: whether `actor` may impersonate `target` in a workspace. Compares all grants of both that hold where the
  /// actor's rights reach.
  ///
  /// W5: it must be one of the target's workspaces, because these say who may act as them, how long, and who is told.
  ///
  /// - Parameter opened: the record that began the impersonation to be checked.
  func impersonationDenial(
    in id: WorkspaceID, actor: some PersonView, target: some PersonView, at now: Milliseconds, since opened: LSN = .max
  ) -> ImpersonationDenial? {
    if actor.id == target.id { return .oneself }
    if !actor.status.mayLogIn { return .actorStatus }
    if !target.status.mayLogIn { return .targetStatus }
    if target.employmentDenial(asked: id, in: self, at: now, since: opened) != nil { return .targetEmployment }
    let others = target.grants.filter { $0.isInForce(at: now) }
    if others.contains(where: { $0.role == .superAdministrator && $0.scope == .everywhere }) {
      return .superAdministrator
    }
    if let denial = denial(ofActor: actor, in: id, since: opened) { return denial }
    let held = impersonating(actor, target, in: id, at: now, since: opened)
    let isMember = target.isMember(of: id, at: now)
    if workspace(id).owner == actor.id, !isMember { return .notMember }
    if held.isEmpty { return .role }
    // B13: whoever approves cannot hand the session on, so what needs two people is not begun at all.
    if opened == .max, workspace(id).needsTwoToImpersonate { return .approval }
    if !isMember { return .notMember }
    let reachesAll = held.contains { $0.workspace == nil }
    let compared = others.filter { grant in
      let within = workspace(of: grant.scope)
      return reachesAll || within == nil || within == id
    }
    if compared.contains(where: { $0.role == .superAdministrator }) { return .superAdministrator }
    if held.contains(where: \.isSupreme) { return nil }
    if compared.contains(where: { isAdministrators($0.role) }) { return .role }
    if administersMore(target, than: actor, in: reachesAll ? nil : id, at: now, since: opened) { return .role }
    return !reachesAll && workspace(id).owner == target.id ? .role : nil
  }

  /// T7: whether somebody administers a product, which the actor does not.
  private func administersMore(
    _ target: some PersonView, than actor: some PersonView, in id: WorkspaceID?, at now: Milliseconds, since opened: LSN
  ) -> Bool {
    guard !target.administeredAccesses.isEmpty else { return false }
    let own = actor.holdings(in: self, at: now, since: opened)
    return target.holdings(in: self, at: now).contains { theirs in
      theirs.source == .productAdministration && (id == nil || theirs.workspace == id)
        && !own.contains { $0.includes(theirs) }
    }
  }

  /// Whether an impersonation counts in another workspace than its own: where its actor could begin it, too. The products
  /// there know the subject, and let in whoever shows the session with all that the subject may do there.
  func mayImpersonate(
    in id: WorkspaceID, with session: SessionRow, actor: some PersonView, target: some PersonView, at now: Milliseconds
  ) -> Bool {
    impersonationDenial(in: id, actor: actor, target: target, at: now) == nil
      && impersonationDenial(in: id, actor: actor, target: target, at: now, since: session.lsn) == nil
  }

  /// K1: what the workspace requires of every actor.
  func denial(ofActor actor: some PersonView, in id: WorkspaceID, since opened: LSN = .max) -> ImpersonationDenial? {
    let workspace = workspace(id)
    if workspace.asks(.owner, since: opened), workspace.owner != actor.id { return .needsOwner }
    return workspace.asks(.enterprise, since: opened) ? .needsEnterprise : nil
  }

  /// The grants that let a user impersonate another in a workspace.
  private func impersonating(
    _ actor: some PersonView, _ target: some PersonView, in id: WorkspaceID, at now: Milliseconds, since opened: LSN
  ) -> [Holding] {
    var known: Employers?
    return actor.holdings(in: self, at: now, since: opened).filter {
      $0.covers(.workspace(id), .impersonate, of: target, &known, in: self, at: now)
    }
  }

  /// Whether an impersonation must stay in its workspace. It must if the workspace has its own subdomain (K4), if the
  /// target's home is elsewhere, because then only part of the person belongs to the workspace (W3), and if another
  /// workspace in which it would count does not allow it, or not beside others (W5).
  func bindsImpersonation(
    in id: WorkspaceID, actor: some PersonView, target: some PersonView, at now: Milliseconds, since opened: LSN = .max
  ) -> Bool {
    if workspace(id).asks(.bound, since: opened) { return true }
    if target.memberships.first != id,
      !impersonating(actor, target, in: id, at: now, since: opened).contains(where: { $0.workspace == nil })
    {
      return true
    }
    return workspacesBeside(id, actor: actor, target: target, at: now, since: opened).contains {
      denial(ofActor: actor, in: $0, since: opened) != nil || workspace($0).asks(.bound, since: opened)
        || opened == .max && workspace($0).needsTwoToImpersonate
    }
  }

  /// The workspaces in which an impersonation counts, its own first.
  func placesOfImpersonation(
    in id: WorkspaceID, isBound: Bool, actor: some PersonView, target: some PersonView, at now: Milliseconds
  ) -> [WorkspaceID] {
    isBound ? [id] : [id] + workspacesBeside(id, actor: actor, target: target, at: now)
  }

  /// The other workspaces in which an impersonation that is not bound counts: those of the target in which the actor has
  /// any power.
  private func workspacesBeside(
    _ id: WorkspaceID, actor: some PersonView, target: some PersonView, at now: Milliseconds, since opened: LSN = .max
  ) -> [WorkspaceID] {
    let others = target.memberships.filter { $0 != id && !target.isShutOut(of: $0, at: now) }
    if others.isEmpty { return [] }
    let held = actor.holdings(in: self, at: now, since: opened)
    return others.filter { other in held.contains { $0.workspace == nil || $0.workspace == other } }
  }

  /// Why an impersonation cannot continue.
  func denial(
    of session: SessionRow, actor: some PersonView, target: some PersonView, at now: Milliseconds
  ) -> ImpersonationDenial? {
    if let denial = impersonationDenial(
      in: session.workspace, actor: actor, target: target, at: now, since: session.lsn)
    {
      return denial
    }
    // One that began before it had to be bound reaches too far.
    guard !session.isBound else { return nil }
    return bindsImpersonation(in: session.workspace, actor: actor, target: target, at: now, since: session.lsn)
      ? .unbound : nil
  }
}

extension Turn {
  /// The principal of a token's holder. The sides of the service, which are there already, come first.
  func principal(of token: UnsafeRawBufferPointer) throws(Halt) -> UserPrincipal {
    read(directory.lsn)
    if SecretText.apiKey(of: token) != nil { return try principal(ofKey: token) }
    guard let (cell, slot) = try session(token: token), try isInForce(cell, slot) else {
      throw .refused(.noPermission("a session in force: the token after AS is unknown, expired or revoked"))
    }
    try use(cell, slot: slot)
    let row = cell.state.sessions[slot]
    let subject = holder(cell, slot)
    read(cell.state.people.users[subject.serial].lsn)
    try requireSignedIn(cell, slot)
    var sides = sides + (try openerSides(cell, slot))
    var reach = sides.reduce(Reach.all) { $0.intersection($1.knownWorkspaces) }
    if row.isBound { reach = reach.intersection(.only([row.workspace])) }
    var actor: Side?
    if let impersonation = cell.state.sessions.impersonation(ofSlot: slot), let found = try user(impersonation.actor) {
      let side = Side(.actor, found, within: reach, in: directory, at: now)
      // The actor learns nothing of workspaces where only the subject has rights, not even from refusals.
      reach = reach.intersection(side.powerfulIn)
      actor = side
    }
    let mustChange = cell.state.sessions.mustChangePassword(inSlot: slot)
    sides.append(
      mustChange
        ? Side(.subject, withoutRolesOf: subject, at: now)
        : Side(.subject, subject, within: reach, in: directory, at: now))
    if let actor { sides.append(actor) }
    if row.isBound { sides.append(Side(.binding, boundTo: [row.workspace])) }
    return UserPrincipal(
      actor: actor?.person?.id ?? subject.id, subject: subject.id, isImpersonation: row.kind == .impersonation,
      isByKey: false, boundTo: row.isBound ? row.workspace : nil,
      reason: cell.state.sessions.impersonation(ofSlot: slot)?.reason ?? "", mustChangePassword: mustChange,
      sides: sides)
  }

  /// The sides of the service that sends the command; none if it may do everything everywhere.
  func serviceSides() -> [Side] {
    guard connection.isBound, let id = connection.service else { return [] }
    return [directory.service(id).flatMap { side(of: $0) } ?? Side(.service(id), boundTo: [])]
  }
}

extension Workspace {
  /// The plan that account tools may require (K1).
  public static let enterprise = "enterprise"

  /// B13: whether two people would have to agree to an impersonation.
  var needsTwoToImpersonate: Bool { policies.approvalNeeds.contains("\(Permission.impersonate.name)") }
}
