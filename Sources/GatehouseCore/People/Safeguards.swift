/// What a change to one user must not destroy.
extension Turn {
  /// Refuses changes to a deleted login.
  public func requireNotDeleted(_ user: UserReference) throws(Halt) {
    guard user.row.status == .deleted else { return }
    let contact: ContactID = user.cell.state.id(user.contact)
    throw .refused(
      .rule(
        "status", "the user is deleted",
        instead: "a new login on the same contact restores it: USER.CREATE username CONTACT #\(contact.raw)"))
  }

  /// L18: the last super administrator who may log in must stay. This is about the whole server: nobody is above the
  /// operator. A workspace may lose its last one, because its owner, who cannot be lost, holds the same there (`RULES`,
  /// *Invariants*), and where it has none, the operator helps.
  public func requireAnotherSuperAdministrator(than user: UserReference) {
    let isSuper = user.grants.contains { $0.role == .superAdministrator && $0.scope == .everywhere }
    guard isSuper else { return }
    require(.liveSuperAdministrator(than: user.username))
  }

  /// Every workspace keeps an owner who may log in, so an owner must hand it on first.
  public func requireNotOwner(_ user: UserReference) throws(Halt) {
    read(directory.lsn)
    let owned = directory.workspaces(ownedBy: user.id)
    if owned.isEmpty { return }
    guard let owned = owned.first(where: knownWorkspaces.contains).map(directory.workspace) else {
      throw .refused(
        .rule("owner", "\(user.username) owns a workspace", instead: "have its owner hand it on to somebody else first")
      )
    }
    throw .refused(
      .rule(
        "owner", "\(user.username) owns the workspace \(owned.name)",
        instead: Turn.handOn(owned)))
  }

  /// W5: the workspace whose policies govern a change of a user's identity: the home. The caller does not choose.
  public func homeWorkspace(of user: UserReference) throws(Halt) -> Workspace {
    read(directory.lsn)
    let home = directory.workspace(user.home ?? mainWorkspace)
    if let name = try option("WORKSPACE"), try workspace(named: name).id != home.id {
      throw .refused(
        .rule(
          "home", "the policies of \(home.name) hold, the home workspace of \(user.username)",
          instead: "leave WORKSPACE out"))
    }
    return home
  }

  /// W7: tells who has a taken name only to a caller who knows that user.
  func taken(_ username: String, by holder: UserReference) -> Refusal {
    if knows(holder), holder.row.status == .deleted {
      return .conflict(
        "username: \(username) leads to whom user #\(holder.id.raw) was merged into; choose another", of: "username")
    }
    return .conflict(
      knows(holder)
        ? "username: \(username) belongs to user #\(holder.id.raw); choose another"
        : "username: \(username) is taken; choose another", of: "username")
  }

  /// S5, S6, S10: what a workspace asks for where users are added to it or removed.
  func requireConsent(of workspace: Workspace) throws(Halt) {
    try requireAuthority(by: workspace.policies)
    try requireBillingAcceptance(in: workspace)
  }

  /// S6, S10: if the policy asks for it, adding and removing users needs `ACCEPT-BILLING`.
  public func requireBillingAcceptance(in workspace: Workspace) throws(Halt) {
    guard workspace.policies.needsBillingAcceptance else { return }
    try requireOwnLogin(toChange: .billing)
    guard has("ACCEPT-BILLING") else {
      throw .refused(
        .rule(
          "user.needs-billing-acceptance", "\(workspace.name) adds and removes users only if the bill is accepted",
          instead: "add ACCEPT-BILLING"))
    }
  }
}
