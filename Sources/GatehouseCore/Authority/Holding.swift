/// Permissions that somebody holds over a scope, and their source.
public struct Holding: Sendable {
  public enum Source: Sendable, Equatable {
    case grant(Grant)
    /// The ownership of the workspace.
    case ownership
    /// T7: administrator of the product, by the access to it.
    case productAdministration
    /// A service or an impersonation that is limited to its workspaces.
    case binding
  }

  public let permissions: PermissionSet
  public let scope: Scope
  /// The workspace of the scope; nil if it applies everywhere.
  let workspace: WorkspaceID?
  public let source: Source
  /// The moment at which it ends: nobody gives away more than that (`requireHolding`).
  var end = Milliseconds.max

  /// Whether it includes power over super administrators.
  var isSupreme: Bool {
    switch source {
    case .grant(let grant): grant.role == .superAdministrator
    case .ownership, .binding: true
    case .productAdministration: false
    }
  }

  /// Whether it holds a permission over a site.
  func covers(_ site: Site, _ permission: Permission) -> Bool {
    guard permissions.contains(permission) else { return false }
    switch scope {
    case .everywhere: return true
    case .workspace(let held): return site.lies(in: held)
    case .product(let held):
      if case .product(let product, _) = site { return product == held }
      // The people of a product are those of its workspace (T1, T5); its administrators may see them and edit their
      // contacts (T8).
      guard permission == .userRead || permission == .contactSet, let workspace else { return false }
      return site.lies(in: workspace)
    // Accounts and groups do not exist yet, so nothing belongs to one.
    case .account, .group: return false
    }
  }
}

/// The site of a command: where its permission must be held.
public enum Site: Sendable, Equatable {
  case server
  case workspace(WorkspaceID)
  case product(ProductID, of: WorkspaceID)
  /// Seeing a person: in any of the person's workspaces.
  case anyOf([WorkspaceID])

  func lies(in workspace: WorkspaceID) -> Bool {
    switch self {
    case .server: false
    case .workspace(let id): id == workspace
    case .product(_, let id): id == workspace
    case .anyOf(let ids): ids.contains(workspace)
    }
  }
}

extension PersonView {
  /// What the person holds over others now.
  ///
  /// - Parameter opened: the record that began the session or impersonation. A role whose permissions were reduced
  ///   since then does not count.
  func holdings(in directory: Directory, at now: Milliseconds, since opened: LSN = .max) -> [Holding] {
    var holdings: [Holding] = []
    for workspace in directory.workspaces(ownedBy: id) where isMember(of: workspace) {
      holdings.append(
        Holding(permissions: .everything, scope: .workspace(workspace), workspace: workspace, source: .ownership))
    }
    if !roles.isPlain {
      for grant in grants where grant.isInForce(at: now) {
        let permissions = directory.permissions(of: grant.role, since: opened)
        if permissions.isEmpty { continue }
        let workspace = directory.workspace(of: grant.scope)
        // A right in a workspace lasts no longer than the membership.
        let membership = workspace.map(limits(ofMembership:)) ?? .none
        guard membership.contains(now) else { continue }
        holdings.append(
          Holding(
            permissions: permissions, scope: grant.scope, workspace: workspace, source: .grant(grant),
            end: grant.limits.ending(by: membership).end))
      }
    }
    // Administering a product requires open access to it.
    for access in administeredAccesses where access.isOpen(at: now) {
      let workspace = directory.product(access.product)?.workspace
      let membership = workspace.map(limits(ofMembership:)) ?? .none
      guard membership.contains(now) else { continue }
      holdings.append(
        Holding(
          permissions: .productAdministrator, scope: .product(access.product),
          workspace: workspace, source: .productAdministration, end: access.limits.ending(by: membership).end))
    }
    return holdings
  }
}

extension PersonView {
  /// Whether the person has a role or administers a product in a workspace, now or at another time.
  func holdsAnything(in workspace: WorkspaceID, _ directory: Directory) -> Bool {
    grants.contains { directory.workspace(of: $0.scope) == workspace }
      || administeredAccesses.contains { directory.product($0.product)?.workspace == workspace }
  }
}

extension Directory {
  /// The workspace that contains a scope.
  public func workspace(of scope: Scope) -> WorkspaceID? {
    switch scope {
    case .workspace(let id): id
    case .product(let id): product(id)?.workspace
    case .everywhere, .account, .group: nil
    }
  }

  /// The permissions of a role over others.
  ///
  /// - Parameter opened: the record that began the session or impersonation. A role whose permissions were reduced
  ///   since then gives none.
  func permissions(of role: Role, since opened: LSN = .max) -> PermissionSet {
    if let permissions = role.builtInPermissions { return permissions }
    guard let definition = definition(of: role), definition.narrowed <= opened else { return PermissionSet() }
    return definition.permissions
  }
}
