/// What a user's grants amount to. The row's bits say which roles a user has in any scope; where a role gives
/// power over others, it does so in its scope only (`PersonView.roles(in:)`).
extension PartitionState {
  /// The workspaces and products that a user administers by a grant with a scope, as the administrator of a
  /// product (T7), or as the owner of a workspace.
  public func administers(_ serial: Int, in directory: Directory) -> [Scope] {
    let row = users[serial]
    var scopes: [Scope] = []
    let user: UserID = id(serial)
    for workspace in memberships(of: serial) where directory.workspace(workspace).owner == user {
      scopes.append(.workspace(workspace))
    }
    if row.roles.contains(.trainingAdministrator) {
      for grant in grants(of: serial) where grant.role == .trainingAdministrator && grant.scope != .everywhere {
        scopes.append(grant.scope)
      }
    }
    let compact = [row.access.0, row.access.1]
    if row.flags.contains(.manyProducts) || compact.contains(where: { ProductAccess(compact: $0).isAdministrator }) {
      // Whoever may not enter the product does not administer it either.
      for access in allAccess(of: serial) where access.isAdministrator && access.isEnabled {
        scopes.append(.product(access.product))
      }
    }
    return scopes
  }
}
