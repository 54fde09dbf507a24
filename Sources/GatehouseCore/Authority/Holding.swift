/// Permissions that somebody holds over a scope, and by what.
public struct Holding: Sendable {
  public enum Source: Sendable, Equatable {
    case grant(Grant)
    /// The ownership of the workspace.
    case ownership
    /// T7: the mark of an administrator on the access to the product.
    case productAdministration
    /// A service, or an impersonation, that reaches its workspaces only.
    case binding
  }

  public let permissions: PermissionSet
  public let scope: Scope
  /// The workspace that the scope lies in; nil where it holds everywhere.
  let workspace: WorkspaceID?
  public let source: Source

  /// Whether it reaches super administrators too.
  var isSupreme: Bool {
    switch source {
    case .grant(let grant): grant.role == .superAdministrator
    case .ownership, .binding: true
    case .productAdministration: false
    }
  }

  /// Whether it holds a permission over a place.
  func covers(_ place: Place, _ permission: Permission) -> Bool {
    guard permissions.contains(permission) else { return false }
    switch scope {
    case .everywhere: return true
    case .workspace(let held): return place.lies(in: held)
    case .product(let held):
      if case .product(let product, _) = place { return product == held }
      // The people of a product are those of its workspace (T1, T5), to be seen and their contacts to be kept (T8).
      guard permission == .userRead || permission == .contactSet, let workspace else { return false }
      return place.lies(in: workspace)
    // There are no accounts and groups yet, so nothing lies in one.
    case .account, .group: return false
    }
  }
}

/// What a command concerns: where its permission must be held.
public enum Place: Sendable, Equatable {
  case server
  case workspace(WorkspaceID)
  case product(ProductID, of: WorkspaceID)
  /// A person to be seen: in any of the person's workspaces.
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
  /// - Parameter opened: the record that began what is asked about. A role that has given less since does not count.
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
        holdings.append(
          Holding(
            permissions: permissions, scope: grant.scope, workspace: directory.workspace(of: grant.scope),
            source: .grant(grant)))
      }
    }
    // Whoever may not enter the product does not administer it either.
    for access in administeredAccesses where access.isOpen(at: now) {
      let workspace = directory.product(access.product)?.workspace
      if let workspace, isShutOut(of: workspace, at: now) { continue }
      holdings.append(
        Holding(
          permissions: .productAdministrator, scope: .product(access.product),
          workspace: workspace, source: .productAdministration))
    }
    return holdings
  }
}

extension Directory {
  /// The workspace that a scope lies in.
  public func workspace(of scope: Scope) -> WorkspaceID? {
    switch scope {
    case .workspace(let id): id
    case .product(let id): product(id)?.workspace
    case .everywhere, .account, .group: nil
    }
  }

  /// What a role gives over others.
  ///
  /// - Parameter opened: the record that began what is asked about. A role that has given less since gives nothing.
  func permissions(of role: Role, since opened: LSN = .max) -> PermissionSet {
    if let permissions = role.builtInPermissions { return permissions }
    guard let definition = definition(of: role), definition.narrowed <= opened else { return PermissionSet() }
    return definition.permissions
  }
}
