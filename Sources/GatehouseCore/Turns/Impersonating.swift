/// Why somebody may not log in as somebody else.
public enum ImpersonationDenial: Sendable {
  case oneself, actorStatus, targetStatus, superAdministrator, needsOwner, needsEnterprise, notMember, role, chain
  case actorEnded, unbound

  public var rule: StaticString {
    switch self {
    case .oneself: "oneself"
    case .actorStatus: "actor-status"
    case .targetStatus: "target-status"
    case .superAdministrator: "super-administrator"
    case .needsOwner: "needs-owner"
    case .needsEnterprise: "needs-enterprise"
    case .notMember: "not-a-member"
    case .role: "role"
    case .chain: "no-chains"
    case .actorEnded: "actor-ended"
    case .unbound: "unbound"
    }
  }
}

extension Workspace {
  /// L14 and K1: whether `actor` may log in as `target` in this workspace. All roles of both are compared.
  ///
  /// - Parameter opened: the record that began the impersonation that is asked about.
  public func impersonationDenial(
    actor: some PersonView, target: some PersonView, since opened: LSN = .max
  ) -> ImpersonationDenial? {
    if actor.id == target.id { return .oneself }
    if !actor.status.mayLogIn { return .actorStatus }
    if !target.status.mayLogIn { return .targetStatus }
    if target.roles.contains(.superAdministrator) { return .superAdministrator }
    let isOwner = owner == actor.id
    if asks(.owner, since: opened), !isOwner { return .needsOwner }
    if asks(.enterprise, since: opened) { return .needsEnterprise }
    if isOwner { return target.isMember(of: id) ? nil : .notMember }
    let roles = actor.roles(in: id)
    // A role that holds in this workspace alone reaches its members alone.
    if roles.strongest != actor.rolesEverywhere.strongest, !target.isMember(of: id) { return .notMember }
    switch roles.strongest {
    case .superAdministrator: return nil
    case .trainingAdministrator: return target.roles.contains(.trainingAdministrator) ? .role : nil
    default: return .role
    }
  }

  /// Why an impersonation in this workspace cannot go on.
  func denial(
    of session: SessionRow, actor: some PersonView, target: some PersonView
  ) -> ImpersonationDenial? {
    if let denial = impersonationDenial(actor: actor, target: target, since: session.lsn) { return denial }
    // K4: what began before the workspace had a subdomain reaches too far.
    return !session.isBound && asks(.bound, since: session.lsn) ? .unbound : nil
  }
}

extension Turn {
  /// On whose authority the holder of a token acts.
  func principal(of token: UnsafeRawBufferPointer) throws(Halt) -> UserPrincipal {
    read(directory.lsn)
    guard let (cell, slot) = try session(token: token), try isInForce(cell, slot) else {
      throw .refused(.noPermission("a session in force: the token after AS is unknown, expired or revoked"))
    }
    see(cell, slot: slot)
    let row = cell.state.sessions[slot]
    let subject = holder(cell, slot)
    read(cell.state.users[subject.serial].lsn)
    var power = power(of: subject)
    var actor = subject.id
    if let impersonation = cell.state.impersonation(ofSlot: slot), let found = try user(impersonation.actor) {
      actor = found.id
      power = leastOf(power, self.power(of: found))
    }
    var principal = UserPrincipal(
      session: cell.state.sessionID(ofSlot: slot), actor: actor, subject: subject.id, roles: power.roles,
      isImpersonation: row.kind == .impersonation, boundTo: row.isBound ? row.workspace : nil)
    principal.administers = power.scopes
    return principal
  }

  /// What somebody is over others: roles that hold everywhere, and the scopes that are administered.
  private struct Power {
    var roles: RoleSet
    var scopes: [Scope]

    var isEverywhere: Bool { roles.contains(.trainingAdministrator) || roles.contains(.superAdministrator) }
  }

  private func power(of user: UserReference) -> Power {
    Power(roles: user.rolesEverywhere, scopes: user.cell.state.administers(user.serial, in: directory))
  }

  /// What both are: whoever administers one workspace administers it also as somebody who administers all, and no more.
  private func leastOf(_ subject: Power, _ actor: Power) -> Power {
    var scopes: [Scope] = []
    for (one, other) in [(subject, actor), (actor, subject)] {
      scopes += one.scopes.filter { scope in
        !scopes.contains(scope) && (other.isEverywhere || other.scopes.contains { contains($0, scope) })
      }
    }
    return Power(roles: subject.roles.atMost(actor.roles.strongest), scopes: scopes)
  }

  /// Whether a scope lies in another.
  private func contains(_ outer: Scope, _ inner: Scope) -> Bool {
    outer == inner || workspace(of: inner).map { outer == .workspace($0) } ?? false
  }
}

extension RoleSet {
  /// The roles up to one in power.
  func atMost(_ role: Role) -> RoleSet {
    var result = RoleSet()
    result.bits = bits & (UInt16(2) << role.number - 1)
    return result
  }
}

extension Workspace {
  /// The plan that account tools may need (K1).
  public static let enterprise = "enterprise"
}
