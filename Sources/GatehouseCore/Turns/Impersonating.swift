/// Why somebody may not log in as somebody else.
public enum ImpersonationDenial: Sendable {
  case oneself, actorStatus, targetStatus, superAdministrator, needsOwner, needsEnterprise, notMember, role, chain
  case actorEnded

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
    }
  }
}

extension Turn {
  /// L14 and K1: whether `actor` may log in as `target` in a workspace. All roles of both are compared.
  public func impersonationDenial(
    actor: UserReference, target: UserReference, in workspace: Workspace
  ) -> ImpersonationDenial? {
    let actorRow = actor.row
    let targetRow = target.row
    if actor.id == target.id { return .oneself }
    if !actorRow.status.mayLogIn { return .actorStatus }
    if !targetRow.status.mayLogIn { return .targetStatus }
    if targetRow.roles.contains(.superAdministrator) { return .superAdministrator }
    let isOwner = workspace.owner == actor.id
    if workspace.policies.accountsNeedOwner, !isOwner { return .needsOwner }
    if workspace.policies.accountsNeedEnterprise, workspace.plan != Workspace.enterprise { return .needsEnterprise }
    if isOwner { return target.cell.state.isMember(target.serial, of: workspace.id) ? nil : .notMember }
    let roles = actor.cell.state.roles(of: actor.serial, in: workspace.id)
    // A role that holds in this workspace alone reaches its members alone.
    if roles.strongest != actor.cell.state.rolesEverywhere(of: actor.serial).strongest,
      !target.cell.state.isMember(target.serial, of: workspace.id)
    {
      return .notMember
    }
    switch roles.strongest {
    case .superAdministrator: return nil
    case .trainingAdministrator: return targetRow.roles.contains(.trainingAdministrator) ? .role : nil
    default: return .role
    }
  }

  /// Whether an impersonation is still in force: its actor's login lives, and the actor still has the right.
  public func impersonationDenial(_ cell: HeldPartition, slot: Int) throws(Halt) -> ImpersonationDenial? {
    guard let impersonation = cell.state.impersonation(ofSlot: slot) else { return nil }
    let actorCell = try self.cell(partitioning.partition(of: impersonation.actorSession))
    guard let actorSlot = actorCell.state.slot(of: impersonation.actorSession),
      actorCell.state.sessions[actorSlot].isLive(at: now),
      actorCell.state.sessionDenial(slot: actorSlot, product: nil, in: directory, at: now) == nil,
      let actor = try user(impersonation.actor)
    else {
      read(actorCell.state.lsn)
      return .actorEnded
    }
    let target = UserReference(
      id: cell.state.id(Int(cell.state.sessions[slot].user)), cell: cell, serial: Int(cell.state.sessions[slot].user))
    return impersonationDenial(
      actor: actor, target: target, in: directory.workspace(cell.state.sessions[slot].workspace))
  }

  /// On whose authority the holder of a token acts.
  func principal(of token: UnsafeRawBufferPointer) throws(Halt) -> UserPrincipal {
    read(directory.lsn)
    guard let (cell, slot) = try session(token: token), cell.state.sessions[slot].isLive(at: now),
      cell.state.sessionDenial(slot: slot, product: nil, in: directory, at: now) == nil,
      try impersonationDenial(cell, slot: slot) == nil
    else { throw .refused(.noPermission("a session in force: the token after AS is unknown, expired or revoked")) }
    see(cell, slot: slot)
    let row = cell.state.sessions[slot]
    let user = cell.state.users[Int(row.user)]
    read(user.lsn)
    let subject: UserID = cell.state.id(Int(row.user))
    var actor = subject
    var roles = cell.state.rolesEverywhere(of: Int(row.user))
    var administers = cell.state.administers(Int(row.user), in: directory)
    if let impersonation = cell.state.impersonation(ofSlot: slot), let found = try self.user(impersonation.actor) {
      actor = impersonation.actor
      let actorRoles = found.cell.state.roles(of: found.serial, in: row.workspace)
      roles = roles.atMost(actorRoles.strongest)
      if !administers.isEmpty, !actorRoles.contains(.trainingAdministrator), !actorRoles.contains(.superAdministrator) {
        let actors = found.cell.state.administers(found.serial, in: directory)
        administers.removeAll { !actors.contains($0) }
      }
    }
    var principal = UserPrincipal(
      session: cell.state.sessionID(ofSlot: slot), actor: actor, subject: subject, roles: roles,
      isImpersonation: row.kind == .impersonation, boundTo: row.isBound ? row.workspace : nil)
    principal.administers = administers
    return principal
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
