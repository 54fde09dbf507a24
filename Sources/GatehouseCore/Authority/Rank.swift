/// Who is beyond somebody's power, although the site is not.
extension Permission {
  /// Whether it decides who somebody is, or lets another act as them.
  var isTakingOver: Bool { domain == .identity || self == .impersonate }

  /// Whether it gives control over a login: by a password, a second factor, a key, the name and with it the address to
  /// which a reset is mailed, another login that leads there, or another workspace to govern it.
  ///
  /// The e-mail address is a field among others that `contact.set` sets, so it is asked about where it is set
  /// (`Turn.requireAddressing`).
  var opensLogin: Bool {
    switch self {
    case .credentialSet, .userRename, .userMerge, .userMove: true
    default: false
    }
  }
}

extension Holding {
  /// Whether the power of whom a permission is used on matters. Over the people of accounts it always does where it is
  /// about who they are; over a whole workspace where it could be used to act as them.
  func minds(_ permission: Permission) -> Bool { employers == nil ? permission.opensLogin : permission.isTakingOver }
}

extension UserReference {
  /// Whether a person is beyond somebody's power, although the site is not.
  ///
  /// - Only super administrators manage super administrators (L10).
  /// - Identity (W2) decides what a person may do. So power over one workspace must not give control over the identity
  ///   of an administrator of the whole server, or of that workspace's owner.
  func isAbove(
    _ holding: Holding, _ permission: Permission, in directory: Directory, _ now: Milliseconds
  ) -> Bool {
    // An application sees whoever uses its product, and logs them out; rank is about their access to it.
    if holding.isOfProductService, permission.isForSeeing || permission == .sessionRevoke { return false }
    let isTakingOver = permission.isTakingOver
    if !roles.isPlain {
      for grant in grants where grant.isInForce(at: now) {
        let within = directory.workspace(of: grant.scope)
        if grant.role == .superAdministrator {
          // Power over another workspace does not count here.
          let counts = within == nil || holding.workspace == nil || within == holding.workspace
          if counts, !holding.isSupreme { return true }
          if within == nil, isTakingOver, holding.workspace != nil { return true }
        } else if within == nil, isTakingOver, holding.workspace != nil,
          directory.isAdministrators(grant.role)
        {
          return true
        }
      }
    }
    guard isTakingOver, !holding.isSupreme, let workspace = holding.workspace else { return false }
    return directory.workspace(workspace).owner == id
  }

  /// Whether a person holds, or will hold, something that a side does not: who sets their password, their second factor
  /// or their address would then act with more power than their own.
  ///
  /// What the person holds in another workspace counts only against power over accounts. The home alone governs who
  /// somebody is (W2), and who gives power to people of another home trusts that home.
  ///
  /// - Parameter holding: by which the side would do it.
  func outranks(_ side: Side, by holding: Holding, in directory: Directory, at now: Milliseconds) -> Bool {
    let place = holding.employers == nil ? holding.workspace : nil
    let isOutdone = holdings(in: directory, at: now, isComing: true).contains { theirs in
      if let place, let workspace = theirs.workspace, workspace != place { return false }
      return !side.holdings.contains { $0.includes(theirs) }
    }
    return isOutdone || ownsMore(than: side, by: holding, in: directory)
  }

  /// K1: where the account tools are the owner's, who governs the workspace besides the owner has less power.
  private func ownsMore(than side: Side, by holding: Holding, in directory: Directory) -> Bool {
    guard let workspace = holding.workspace, case .grant = holding.source else { return false }
    let found = directory.workspace(workspace)
    return found.owner == id && found.policies.accountsNeedOwner
      && !side.holdings.contains { $0.workspace == nil && $0.isSupreme }
  }
}

extension Turn {
  /// Refuses if one of the sides could act as somebody with more power, by what it is about to set: the days that end the
  /// login, or the wrong passwords that are forgotten.
  func requireTakingOver(_ user: UserReference, by permissions: [Permission]) throws(Halt) {
    guard let side = sideBelow(user, permissions) else { return }
    throw .refused(objection(of: side, permissions, Target(user)))
  }

  /// Whether all sides could act as somebody, by setting what one of the permissions is about.
  func mayTakeOver(_ user: UserReference, by permissions: [Permission]) -> Bool { sideBelow(user, permissions) == nil }

  /// The first side that must not decide who somebody is; nil if there is none.
  private func sideBelow(_ user: UserReference, _ permissions: [Permission]) -> Side? {
    guard isLimited else { return nil }
    let target = Target(user)
    return sides.first { side in
      !side.isBinding
        && !permissions.contains { permission in
          let site = target.site(for: permission, at: now)
          return side.mayTakeOver(user, by: permission, over: site, in: directory, at: now)
        }
    }
  }

  /// Refuses if one of the sides could log in as somebody who may enter more, by the e-mail address that it is about to set.
  ///
  /// Resets of the password are mailed there, so an address is a credential. It takes a permission that sets one, or as much
  /// as the person has: what they hold, the products that they may enter, and the workspaces that they are in.
  func requireAddressing(_ user: UserReference) throws(Halt) {
    guard isLimited else { return }
    try requireTakingOver(user, by: [.contactSet])
    let target = Target(user)
    for side in sides where !side.isBinding && !side.isOneself(user) {
      let setsCredentials = [Permission.credentialSet, .userRename].contains { permission in
        side.mayTakeOver(
          user, by: permission, over: target.site(for: permission, at: now), in: directory, at: now)
      }
      guard !setsCredentials, let place = try place(openTo: user, closedTo: side) else { continue }
      throw .refused(
        .noPermission(
          "the permission \(Permission.credentialSet.name), to set the address of somebody who may enter \(place): a"
            + " password is reset by it"))
    }
  }

  /// A product or a workspace that somebody may enter, and whoever is a side may not; nil if there is none. It has no name
  /// where the caller knows none (W4).
  private func place(openTo user: UserReference, closedTo side: Side) throws(Halt) -> String? {
    let setter = try side.person.flatMap { (person) throws(Halt) in try self.user(person.id) }
    let known = knownWorkspaces
    for access in user.cell.state.people.allAccess(of: user.serial)
    where access.isEnabled && !access.limits.hasEnded(at: now) {
      if let setter, setter.loginDenial(to: access.product, in: directory, at: now) == nil { continue }
      guard let product = directory.product(access.product), known.contains(product) else {
        return "a product of another workspace"
      }
      return directory.productName(product)
    }
    for workspace in user.memberships(notEndedAt: now) {
      if let setter, setter.isMember(of: workspace, at: now) { continue }
      return known.contains(workspace) ? directory.workspace(workspace).name : "another workspace"
    }
    return nil
  }
}
