/// What the caller may see. Names that a command gives are looked up through it, and what a command answers is cut down
/// to it, so that nothing of another workspace is told (W4): not even that it is there.
extension Turn {
  /// Whether anything is out of reach. The hot path asks no more than this.
  @inline(__always)
  var isLimited: Bool { !sides.isEmpty }

  /// The workspaces over whose things a permission is held; of a person who asks about themselves, all.
  func reach(of permission: Permission, over user: UserReference? = nil) -> Reach {
    sides.reduce(.all) { reach, side in
      if let user, side.isOneself(user) { return reach }
      return reach.intersection(side.reach(of: permission))
    }
  }

  /// The workspaces of a person that the caller sees something of.
  func seen(of user: UserReference) -> Reach { reach(of: .userRead, over: user) }

  /// The workspaces that the caller knows by name.
  ///
  /// - Parameter isNaming: a command that names what an impersonation does not reach is refused for that, so the names
  ///   that both users know are known.
  func knownWorkspaces(isNaming: Bool) -> Reach {
    sides.reduce(.all) { isNaming && $1.isBinding ? $0 : $0.intersection($1.knownWorkspaces) }
  }

  var knownWorkspaces: Reach { knownWorkspaces(isNaming: false) }

  /// Whether the caller knows that a user is there.
  func knows(_ user: UserReference) -> Bool { sides.allSatisfy { $0.isBinding || $0.knows(user, at: now) } }

  /// Whether a list shows a user to the caller.
  func shows(_ user: UserReference) -> Bool {
    sides.allSatisfy { side in
      side.isOneself(user)
        || side.allows(.userRead, over: .anyOf(user.memberships(notEndedAt: now)), of: user, in: directory, at: now)
    }
  }

  /// A user's version as the caller sees it: the number itself, or where the caller does not see everything, one that
  /// changes with what is seen. Counted changes would tell of what other workspaces do.
  func version(of user: UserReference) -> UInt32 {
    let seen = seen(of: user)
    return seen.isAll ? user.row.version : UserCard(user, seen, directory, at: now).version(digest)
  }
}
