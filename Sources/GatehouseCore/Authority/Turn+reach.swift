/// What the caller may see. Names in a command are looked up through it, and answers are filtered by it, so that
/// nothing about another workspace is revealed (W4), not even its existence.
extension Turn {
  /// Whether anything is out of reach. The hot path asks only this.
  @inline(__always)
  var isLimited: Bool { !sides.isEmpty }

  /// The workspaces over which a permission is held; all of them, for people asking about themselves.
  func reach(of permission: Permission, over user: UserReference? = nil) -> Reach {
    sides.reduce(.all) { reach, side in
      guard let user else { return reach.intersection(side.reach(of: permission)) }
      if side.isOneself(user) { return reach }
      return reach.intersection(side.reach(of: permission, over: user, in: directory, at: now))
    }
  }

  /// Where the power of a user does not stand in the caller's way.
  func reach(of permission: Permission, notBelow user: UserReference) -> Reach {
    let user = user.ofPerson
    if user.roles.isPlain { return .all }
    return sides.reduce(.all) { reach, side in
      reach.intersection(side.reach(of: permission, notBelow: user, in: directory, at: now))
    }
  }

  /// Whether the power of users can stand in the caller's way.
  func mindsRank(_ permission: Permission) -> Bool {
    sides.contains { side in
      side.holdings.contains { $0.permissions.contains(permission) && !$0.isSupreme && !$0.isOfProductService }
    }
  }

  /// The workspaces of a user in which the caller sees something.
  func seen(of user: UserReference) -> Reach { reach(of: .userRead, over: user) }

  /// The workspaces, or single products, that the caller knows by name.
  ///
  /// - Parameter isNaming: whether the command names a workspace. If it is one that an impersonation does not reach,
  ///   the refusal says so; therefore the names that both users know count as known.
  func knownWorkspaces(isNaming: Bool) -> Reach {
    sides.reduce(.all) { isNaming && $1.isBinding ? $0 : $0.intersection($1.knownWorkspaces) }
  }

  var knownWorkspaces: Reach { knownWorkspaces(isNaming: false) }

  /// Whether the caller may know that a user exists.
  func knows(_ user: UserReference) -> Bool {
    sides.allSatisfy { $0.isBinding || $0.knows(user, in: directory, at: now) }
  }

  /// Whether an answer names a user to the caller, who knows them and is not below them (L10).
  func mayName(_ user: UserReference) -> Bool {
    knows(user) && !reach(of: .userRead, notBelow: user).isEmpty
  }

  /// Whether the caller may know that an account or a group exists.
  func knows(_ site: Site) -> Bool { sides.allSatisfy { $0.knows(site) } }

  /// Whether somebody who did something in some workspaces is a stranger there, whose name is not shown to the caller
  /// (W4): no member of any, and nobody whose rights hold everywhere.
  func isStranger(_ user: UserReference, in workspaces: Reach) -> Bool {
    isLimited && !workspaces.isAll && !sides.contains { $0.isOneself(user) }
      && isStranger(NamedPerson(user), in: workspaces)
  }

  func isStranger(_ person: NamedPerson, in workspaces: Reach) -> Bool {
    if !isLimited || workspaces.isAll { return false }
    return !person.memberships.contains(where: workspaces.touches) && !person.holdsEverywhere
  }

  /// Whether a list shows a user to the caller.
  func shows(_ user: UserReference) -> Bool {
    sides.allSatisfy { $0.sees(user, in: directory, at: now) }
  }

  /// A user's version as the caller sees it: the real number or, if the caller does not see everything, a number
  /// derived from what is visible. A counter would reveal changes in other workspaces.
  func version(of user: UserReference) -> UInt32 {
    let seen = seen(of: user)
    return seen.isAll ? user.row.version : UserCard(user, seen, self).version(digest)
  }
}

/// Somebody whom an answer names, and what decides whether the caller may know the name.
public struct NamedPerson: Sendable {
  let username: String
  let memberships: [WorkspaceID]
  /// Whether the person has a role whose rights hold everywhere.
  let holdsEverywhere: Bool

  init(_ user: UserReference) {
    username = user.username
    memberships = user.memberships
    holdsEverywhere = user.grants.contains { $0.scope == .everywhere }
  }
}
