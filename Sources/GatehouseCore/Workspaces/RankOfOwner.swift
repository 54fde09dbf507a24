/// K1: some settings of a workspace are not for everybody who sets its security. The account tools are the owner's, and the
/// plan's; whoever could lift that, or become the owner, would have them all the same.
extension Turn {
  /// Refuses a change of a setting to those who have less power than it protects.
  func requireRank(toSet key: String, of workspace: Workspace, from old: String, to new: String) throws(Halt) {
    switch (key, new) {
    case ("owner", _) where !old.isEmpty:
      guard !isAllOfOwner(of: workspace, orAbove: .workspaceTransfer) else { return }
      throw .refused(
        .noPermission(
          "the ownership of workspace \(workspace.name), to hand it on; ask its owner, or an administrator everywhere"))
    case ("policy.accounts.needs-owner", "off"):
      guard !isAllOfOwner(of: workspace, orAbove: .workspacePlan) else { return }
      throw .refused(
        .noPermission(
          "the ownership of workspace \(workspace.name), to let others have what the policy accounts.needs-owner leaves"
            + " to the owner; ask the owner"))
    case ("policy.accounts.needs-enterprise", "off"):
      guard !allows(.workspacePlan, over: .server) else { return }
      throw .refused(
        .noPermission(
          "the permission workspace.plan, to lift the policy accounts.needs-enterprise, which asks for a plan that is paid"
            + " for; ask the operator of the server"))
    default: return
    }
  }

  /// Whether everybody on whose authority the command runs owns a workspace, or holds a permission everywhere. A service
  /// does what it may for its operator.
  private func isAllOfOwner(of workspace: Workspace, orAbove permission: Permission) -> Bool {
    sides.allSatisfy { side in
      guard let person = side.person else { return true }
      return person.id == workspace.owner
        || side.holdings.contains { $0.workspace == nil && $0.permissions.contains(permission) }
    }
  }
}
