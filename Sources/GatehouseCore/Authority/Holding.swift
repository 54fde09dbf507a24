/// Permissions that somebody holds over a scope, and their source.
public struct Holding: Sendable {
  public enum Source: Sendable, Equatable {
    case grant(Grant)
    /// The ownership of the workspace.
    case ownership
    /// T7: administrator of the product, by the access to it.
    case productAdministration
    /// A service or an impersonation that is limited to its workspaces, or a service to its products.
    case binding
  }

  public let permissions: PermissionSet
  public let scope: Scope
  /// The workspace of the scope; nil if it applies everywhere.
  let workspace: WorkspaceID?
  public let source: Source
  /// The accounts whose people it is over; nil if it is over everybody in the scope.
  var employers: EmployerScope?
  /// The moment at which it begins, of one that is to come.
  var start = Milliseconds.min
  /// The moment at which it ends: nobody gives away more than that (`requireHolding`).
  var end = Milliseconds.max

  /// Whether it includes power over super administrators.
  var isSupreme: Bool {
    switch source {
    case .grant(let grant): grant.role == .superAdministrator
    case .ownership: true
    case .binding: !isOfProductService
    case .productAdministration: false
    }
  }

  /// Whether it holds all permissions over a whole workspace, or everywhere.
  var holdsEverything: Bool {
    switch scope {
    case .everywhere, .workspace: permissions == .everything
    case .product, .account, .group: false
    }
  }

  /// Whether it is that of a service bound to products.
  var isOfProductService: Bool { if case .product = scope { source == .binding } else { false } }

  /// Whether it holds a permission over a site, and everybody there.
  func covers(_ site: Site, _ permission: Permission) -> Bool {
    guard permissions.contains(permission) else { return false }
    switch scope {
    case .everywhere: return true
    case .workspace(let held): return site.lies(in: held)
    case .product(let held):
      if case .product(let product, _) = site { return product == held }
      guard let workspace else { return false }
      // A service of the product knows the same people, but nothing of the workspace. What it sees of a person is what
      // its reach leaves: the product.
      if isOfProductService {
        guard case .anyOf(let workspaces) = site else { return false }
        return permission.domain == .member && workspaces.contains(workspace)
      }
      // The people of a product are those of its workspace (T1, T5); its administrators may see them and edit their
      // contacts (T8).
      return (permission == .userRead || permission == .contactSet) && site.lies(in: workspace)
    case .account, .group:
      switch (site, employers) {
      case (.account(let account, let workspace), let employers?):
        return workspace == self.workspace && employers.contains(account)
      case (.group(let group, _), .group(let held, _)?): return group == held.id
      default: return false
      }
    }
  }

  /// Whether it holds a permission over somebody at a site.
  ///
  /// - Parameter employers: of the person, found when they are first asked for.
  func covers(
    _ site: Site, _ permission: Permission, of person: some PersonView, _ known: inout Employers?,
    in directory: Directory, at now: Milliseconds
  ) -> Bool {
    guard employers != nil, let workspace else { return covers(site, permission) }
    guard permissions.contains(permission) else { return false }
    switch site {
    case .account, .group: if !covers(site, permission) { return false }
    case .server: return false
    case .workspace, .product, .anyOf: if !permission.isAboutPeople || !site.lies(in: workspace) { return false }
    }
    return reaches(person, &known, in: directory, at: now)
  }

  /// Whether one of the accounts that it is over employs somebody today.
  func reaches(
    _ person: some PersonView, _ known: inout Employers?, in directory: Directory, at now: Milliseconds
  ) -> Bool {
    guard let employers, let workspace else { return false }
    let found = known ?? Employers(person, in: directory, at: now)
    known = found
    return found.meet(employers, in: workspace)
  }

  /// Whether it is over all that another holding is over, with all the permissions that the other has.
  func includes(_ other: Holding) -> Bool {
    guard other.permissions.subtracting(permissions).isEmpty else { return false }
    switch (scope, other.scope) {
    case (.everywhere, _): return true
    case (.workspace(let held), _): return other.workspace == held
    case (.product(let held), .product(let product)): return product == held
    case (.account, .account(let account, _)), (.group, .account(let account, _)):
      return employers?.contains(account) ?? false
    case (.group(let held, _), .group(let group, _)): return group == held
    case (.product, _), (.account, _), (.group, _): return false
    }
  }
}

/// The site of a command: where its permission must be held.
public enum Site: Sendable, Equatable {
  case server
  case workspace(WorkspaceID)
  case product(ProductID, of: WorkspaceID)
  case account(AccountID, of: WorkspaceID)
  case group(GroupID, of: WorkspaceID)
  /// Seeing a person: in any of the person's workspaces.
  case anyOf([WorkspaceID])

  func lies(in workspace: WorkspaceID) -> Bool {
    switch self {
    case .server: false
    case .workspace(let id): id == workspace
    case .product(_, let id), .account(_, let id), .group(_, let id): id == workspace
    case .anyOf(let ids): ids.contains(workspace)
    }
  }
}

extension PersonView {
  /// What the person holds over others now.
  ///
  /// - Parameters:
  ///   - opened: the record that began the session or impersonation. A role whose permissions were reduced since then
  ///     does not count.
  ///   - isComing: whether what will be held counts, too.
  func holdings(
    in directory: Directory, at now: Milliseconds, since opened: LSN = .max, isComing: Bool = false
  ) -> [Holding] {
    func counts(_ limits: TimeLimits) -> Bool { isComing ? !limits.hasEnded(at: now) : limits.contains(now) }
    var holdings: [Holding] = []
    for workspace in directory.workspaces(ownedBy: id) where isMember(of: workspace) {
      holdings.append(
        Holding(permissions: .everything, scope: .workspace(workspace), workspace: workspace, source: .ownership))
    }
    if !roles.isPlain {
      for grant in grants where counts(grant.limits) {
        let permissions = directory.permissions(of: grant.role, since: opened)
        if permissions.isEmpty { continue }
        for scope in scopes(of: grant, in: directory) {
          let workspace = directory.workspace(of: scope)
          // A right in a workspace lasts no longer than the membership.
          let membership = workspace.map(limits(ofMembership:)) ?? .none
          guard counts(membership) else { continue }
          holdings.append(
            Holding(
              permissions: permissions, scope: scope, workspace: workspace, source: .grant(grant),
              employers: directory.employers(of: scope, by: opened),
              start: max(grant.limits.from ?? .min, membership.from ?? .min),
              end: grant.limits.ending(by: membership).end))
        }
      }
    }
    // Administering a product requires open access to it.
    for access in administeredAccesses where access.isEnabled && counts(access.limits) {
      let workspace = directory.product(access.product)?.workspace
      let membership = workspace.map(limits(ofMembership:)) ?? .none
      guard counts(membership) else { continue }
      holdings.append(
        Holding(
          permissions: .productAdministrator, scope: .product(access.product),
          workspace: workspace, source: .productAdministration, end: access.limits.ending(by: membership).end))
    }
    return holdings
  }
}

extension PersonView {
  /// Over what a grant holds. A manager's is over accounts and groups: the one that it names, or those that the person
  /// manages by links in the scope that it names (L9, L10).
  private func scopes(of grant: Grant, in directory: Directory) -> [Scope] {
    guard grant.role == .manager else { return [grant.scope] }
    switch grant.scope {
    case .account, .group: return [grant.scope]
    case .everywhere: return management.compactMap(\.scope)
    case .workspace(let workspace): return management.filter { $0.workspace == workspace }.compactMap(\.scope)
    case .product: return []
    }
  }
}

extension PersonView {
  /// Whether the person has a role or administers a product in a workspace, now or at another time.
  func holdsAnything(in workspace: WorkspaceID, _ directory: Directory) -> Bool {
    grants.contains { directory.workspace(of: $0.scope) == workspace }
      || administeredAccesses.contains { directory.product($0.product)?.workspace == workspace }
      || management.contains { $0.workspace == workspace }
  }
}

extension Directory {
  /// The workspace that contains a scope.
  public func workspace(of scope: Scope) -> WorkspaceID? {
    switch scope {
    case .workspace(let id): id
    case .product(let id): product(id)?.workspace
    case .account(_, let id), .group(_, let id): id
    case .everywhere: nil
    }
  }

  /// The accounts of a scope; nil where it is over more than accounts.
  ///
  /// - Parameter opened: the record by which an account must have been in a group.
  func employers(of scope: Scope, by opened: LSN = .max) -> EmployerScope? {
    switch scope {
    case .account(let id, _): .account(id)
    // A group that is not there has no accounts.
    case .group(let id, let workspace):
      .group(group(id) ?? AccountGroup(id: id, workspace: workspace, name: "", created: 0), by: opened)
    case .everywhere, .workspace, .product: nil
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

  /// Whether a role makes an administrator: it gives power over others, and not only over the people of accounts.
  func isAdministrators(_ role: Role) -> Bool { role != .manager && !permissions(of: role).isEmpty }
}
