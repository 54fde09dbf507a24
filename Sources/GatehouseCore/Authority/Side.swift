/// One of those whose rights a command needs: the service that sends it, the user, in an impersonation the actor too.
/// What one of them lacks, the command lacks: rights are the least of all.
public struct Side: Sendable {
  public enum Kind: Sendable {
    /// A service that is bound to workspaces (W6).
    case service(ServiceID)
    case subject
    case actor
    /// The workspace that an impersonation is bound to (K4).
    case binding
  }

  let kind: Kind
  /// Whose own things are allowed without a grant; nil for what is nobody.
  let person: Person?
  let holdings: [Holding]

  struct Person: Sendable {
    let id: UserID
    let contact: ContactID
    let memberships: [WorkspaceID]
  }

  /// What is bound to workspaces may do there whatever the others may.
  init(_ kind: Kind, boundTo workspaces: [WorkspaceID]) {
    self.kind = kind
    person = nil
    holdings = workspaces.map {
      Holding(permissions: .everything, scope: .workspace($0), workspace: $0, source: .binding)
    }
  }

  /// - Parameter reach: the workspaces that the others leave in reach. What is held elsewhere is of no account, and
  ///   must not even make a difference to what is refused (W4).
  init(_ kind: Kind, _ user: UserReference, within reach: Reach, in directory: Directory, at now: Milliseconds) {
    self.kind = kind
    person = Person(
      id: user.id, contact: user.contactID, memberships: user.memberships.filter { !user.isShutOut(of: $0, at: now) })
    holdings = user.holdings(in: directory, at: now).filter { $0.workspace.map(reach.contains) ?? true }
  }

  var isBinding: Bool { if case .binding = kind { true } else { false } }

  /// Whether a user is this person: what a contact did stays the contact's under a new login (S12).
  func isOneself(_ user: UserReference) -> Bool { person.map { $0.contact == user.contactID } ?? false }

  /// Whether a permission is held over anything.
  func holds(_ permission: Permission) -> Bool { holdings.contains { $0.permissions.contains(permission) } }

  /// Where a permission is held over whole workspaces, or over the people of a product's.
  func reach(of permission: Permission) -> Reach {
    var workspaces = Set<WorkspaceID>()
    for holding in holdings where holding.permissions.contains(permission) {
      guard let workspace = holding.workspace else { return .all }
      if holding.covers(.workspace(workspace), permission) { workspaces.insert(workspace) }
    }
    return .only(workspaces)
  }

  /// The workspaces that something is held in.
  var powerfulIn: Reach {
    holdings.contains { $0.workspace == nil } ? .all : .only(Set(holdings.compactMap(\.workspace)))
  }

  /// The workspaces that this side knows by name: one's own, and those that one has power in.
  var knownWorkspaces: Reach {
    var workspaces = Set(person?.memberships ?? [])
    for holding in holdings {
      guard let workspace = holding.workspace else { return .all }
      workspaces.insert(workspace)
    }
    return .only(workspaces)
  }

  /// Whether this side knows that a user is there.
  func knows(_ user: UserReference, at now: Milliseconds) -> Bool {
    if isOneself(user) { return true }
    var memberships: [WorkspaceID]?
    return holdings.contains { holding in
      guard holding.permissions.intersects(.aboutPeople) else { return false }
      guard let workspace = holding.workspace else { return true }
      if memberships == nil { memberships = user.memberships(notEndedAt: now) }
      return memberships?.contains(workspace) ?? false
    }
  }

  /// Whether this side is a super administrator of a place, or its owner.
  func isSupreme(over place: Place) -> Bool { holdings.contains { $0.isSupreme && $0.covers(place, .roleGrant) } }

  /// Whether a permission is held over a place, and over the person whom it concerns there.
  func allows(
    _ permission: Permission, over place: Place, of user: UserReference?, in directory: Directory, at now: Milliseconds
  )
    -> Bool
  {
    holdings.contains { holding in
      holding.covers(place, permission)
        && !(user?.isAbove(holding, permission, at: place, in: directory, now) ?? false)
    }
  }
}

extension UserReference {
  /// Whether a person is beyond somebody's power, although the place is not.
  ///
  /// - Super administrators are managed by super administrators (L10).
  /// - Who somebody is (W2) decides what they may do. Nobody with power over one workspace gets hold of an administrator
  ///   of the whole server, or of the owner of that workspace, by way of their identity.
  func isAbove(
    _ holding: Holding, _ permission: Permission, at place: Place, in directory: Directory, _ now: Milliseconds
  ) -> Bool {
    let isTakingOver = permission.domain == .identity || permission == .impersonate
    if !roles.isPlain {
      for grant in grants where grant.isInForce(at: now) {
        let within = directory.workspace(of: grant.scope)
        if grant.role == .superAdministrator {
          // Power over another workspace is of no account in this one.
          let counts = within == nil || holding.workspace == nil || within == holding.workspace
          if counts, !holding.isSupreme { return true }
          if within == nil, isTakingOver, holding.workspace != nil { return true }
        } else if within == nil, isTakingOver, holding.workspace != nil,
          !directory.permissions(of: grant.role).isEmpty
        {
          return true
        }
      }
    }
    guard isTakingOver, !holding.isSupreme, let workspace = holding.workspace else { return false }
    return directory.workspace(workspace).owner == id
  }
}
