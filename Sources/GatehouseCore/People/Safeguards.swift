/// What must not be lost by changing one user.
extension Turn {
  /// Refuses what cannot be done to a login that is gone.
  public func requireNotDeleted(_ user: UserReference) throws(Halt) {
    guard user.row.status == .deleted else { return }
    let contact: ContactID = user.cell.state.id(user.contact)
    throw .refused(
      .rule(
        "status", "the user is deleted",
        instead: "a new login on the same contact restores it: USER.CREATE username CONTACT #\(contact.raw)"))
  }

  /// L18: the last super administrator who may log in cannot be lost.
  public func requireAnotherSuperAdministrator(than user: UserReference) {
    guard user.row.roles.contains(.superAdministrator) else { return }
    require(.liveSuperAdministrator(than: user.username))
  }

  /// Every workspace keeps an owner who may log in.
  public func requireNotOwner(_ user: UserReference) throws(Halt) {
    read(directory.lsn)
    guard let owned = directory.workspaces(ownedBy: user.id).first.map(directory.workspace) else { return }
    throw .refused(
      .rule(
        "owner", "\(user.username) owns the workspace \(owned.name)",
        instead: "hand it on first with WORKSPACE.SET \(owned.name) owner user"))
  }

  /// The workspace whose policies a command about a user obeys: the one it names, or `main`, or where the user
  /// is no member of `main`, the first of the user's own.
  public func policyWorkspace(of user: UserReference) throws(Halt) -> Workspace {
    read(directory.lsn)
    if let name = try option("WORKSPACE") {
      let workspace = try workspace(named: name)
      guard user.cell.state.isMember(user.serial, of: workspace.id) else {
        throw .refused(.notFound("member: \(user.username) is not in the workspace \(workspace.name)"))
      }
      return workspace
    }
    let memberships = user.cell.state.memberships(of: user.serial)
    let id = memberships.contains(mainWorkspace) ? mainWorkspace : memberships.first ?? mainWorkspace
    return directory.workspace(id)
  }

  /// S6, S10: with the policy, adding and removing users needs the explicit acceptance of what it costs.
  public func requireBillingAcceptance(in workspace: Workspace) throws(Halt) {
    guard workspace.policies.needsBillingAcceptance else { return }
    try refuseImpersonation("billing")
    guard has("ACCEPT-BILLING") else {
      throw .refused(
        .rule(
          "user.needs-billing-acceptance", "\(workspace.name) adds and removes users only if the bill is accepted",
          instead: "add ACCEPT-BILLING"))
    }
  }
}
