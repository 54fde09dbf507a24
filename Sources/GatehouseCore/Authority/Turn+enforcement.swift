/// The only place where a command's need is enforced, before its body runs. With `require`, bodies check only what
/// depends on data that no table can know.
extension Turn {
  /// Refuses if the principal lacks what the command needs.
  func enforceNeed() throws(Halt) {
    try enforce(spec.need)
    if let change = spec.ownLogin { try requireOwnLogin(toChange: change) }
  }

  /// Refuses if one of the sides lacks what is needed.
  func enforce(_ need: Need) throws(Halt) {
    guard case .permissions(let permissions, let ground, let own) = need else { return }
    for side in sides where !side.isBinding && !permissions.contains(where: side.holds) {
      // A side that holds it over nobody must learn nothing about the target, not even whether it exists.
      guard let own, PermissionSet.individual.contains(own), let target = try ownTarget(ground), target.isOwn(side)
      else {
        if let asUser { try requireLastingPassword(asUser) }
        throw .refused(side.isOfProducts ? beyondProducts(permissions) : lacking(permissions, ground))
      }
    }
    guard let target = try target(ground) else { return }
    try require(permissions, over: target, own: own)
    guard case .handover(_, let word) = ground else { return }
    try require(permissions, over: Target(.workspace(try workspace(at: word).id), target.user))
  }

  /// The target, if it may be the caller's own.
  private func ownTarget(_ ground: Ground) throws(Halt) -> Target? {
    // Whether the caller knows a workspace that is named does not depend on the target.
    if ground.isNamedByOption, has("WORKSPACE") { _ = try workspace() }
    do throws(Halt) {
      return try target(ground)
    } catch {
      // A target that does not exist or is not visible is not the caller's own.
      if case .refused = error { return nil }
      throw error
    }
  }

  /// Refuses if one of the sides has none of the permissions over the target.
  func require(_ permissions: [Permission], over target: Target, own: Permission? = nil) throws(Halt) {
    var asked: OwnLogin?
    noteTried(permissions, over: target)
    for side in sides {
      if let own, PermissionSet.individual.contains(own), target.isOwn(side) { continue }
      func isAllowed(_ permission: Permission) -> Bool {
        side.allows(permission, over: target.site(for: permission, at: now), of: target.user, in: directory, at: now)
      }
      guard let used = permissions.first(where: isAllowed) else {
        throw .refused(objection(of: side, permissions, target))
      }
      if gate.isWrite, let change = used.ownLogin,
        !permissions.contains(where: { $0.ownLogin == nil && isAllowed($0) })
      {
        asked = change
      }
      if side.person != nil, isWatchedForApproval { noteUse(permissions.filter(isAllowed), over: target) }
    }
    // Last, so that nobody who lacks the right learns more than that.
    if let asked { try requireOwnLogin(toChange: asked) }
  }

  /// Whether something that a command does in passing is allowed; if so, it counts as done (B13).
  func mayUse(_ permission: Permission, over site: Site) -> Bool {
    guard allows(permission, over: site) else { return false }
    if permission.ownLogin != nil, asUser.map({ $0.isImpersonation || $0.isByKey }) ?? false { return false }
    noteUse([permission], over: Target(site))
    return true
  }

  func require(_ permission: Permission, over site: Site, of user: UserReference? = nil) throws(Halt) {
    try require([permission], over: Target(site, user))
  }

  /// Requires a permission of the service that sends the command, where the rules say by themselves what the user may.
  func requireOfService(_ permission: Permission, over site: Site) throws(Halt) {
    for side in sides where side.isService && !side.allows(permission, over: site, of: nil, in: directory, at: now) {
      throw .refused(objection(of: side, [permission], Target(site)))
    }
  }

  /// Requires a permission over a user's identity.
  func require(_ permission: Permission, over user: UserReference, own: Permission? = nil) throws(Halt) {
    try require([permission], over: Target(user), own: own)
  }

  func allows(_ permission: Permission, over site: Site, of user: UserReference? = nil) -> Bool {
    sides.allSatisfy { $0.allows(permission, over: site, of: user, in: directory, at: now) }
  }

  /// L10: a manager may what individuals may of their own; what an employer says of people is an administrator's to say.
  func requireMoreThanManaging(
    _ user: UserReference, to permission: Permission, over site: Site
  ) throws(Halt) {
    for side in sides where side.isOnlyManaging(permission, over: site, of: user, in: directory, at: now) {
      throw .refused(
        .noPermission(
          "the permission \(permission.name) as an administrator: a manager sets what people set of themselves"))
    }
  }

  /// K4: an impersonation bound to a workspace is limited to it.
  func requireReach(to workspace: WorkspaceID) throws(Halt) {
    for side in sides where side.isBinding && !side.knownWorkspaces.contains(workspace) {
      throw .refused(.noPermission("an impersonation outside its workspace"))
    }
  }

  /// What is needed to make or take a credential of a user besides a password. Users do it for themselves; whoever does it
  /// for somebody else can act as them, and needs a service that may set passwords.
  func requireCredentialMaking(of user: UserReference, _ what: String) throws(Halt) {
    try requireNotDeleted(user)
    read(directory.lsn)
    guard asUser?.subject == user.id || connection.rights.contains(.admin) else {
      throw .refused(
        .noPermission("the service right admin, to change \(what) of somebody else; with AS users change their own"))
    }
  }

  /// S5: with the policy, only administrators with authority over the subscription add and remove users. A service on
  /// its own authority counts as one.
  public func requireAuthority(by policies: Policies) throws(Halt) {
    guard policies.needsAuthority, let principal = asUser else { return }
    for id in Set([principal.actor, principal.subject] + (approval.map { [$0.approver] } ?? [])) {
      guard let user = try user(id), user.row.flags.contains(.hasAuthority) else {
        throw .refused(
          .rule(
            "user.needs-authority", "only administrators with authority over the subscription add and remove users",
            instead: "ask one of them, or a super administrator for USER.SET user authority 1"))
      }
    }
  }

  // MARK: Explaining what is missing

  /// Whether a permission is held there over the people of accounts, of which none employs the person.
  private func isOutOfAccounts(
    _ user: UserReference, for side: Side, _ permissions: [Permission], _ site: Site
  ) -> Bool {
    let held = side.holdings.filter { holding in
      permissions.contains { holding.permissions.contains($0) && ($0.isAboutPeople || holding.covers(site, $0)) }
    }
    let isHeldHere = held.contains { holding in
      holding.employers != nil && holding.workspace.map(site.lies(in:)) ?? false
    }
    return isHeldHere
      && !permissions.contains { side.covers($0, over: site, of: user, in: directory, at: now) }
  }

  private func lacking(_ permissions: [Permission], _ ground: Ground) -> Refusal {
    let missing = "the permission \(Self.names(permissions))"
    // Who is not in main has probably left out the option.
    guard ground.isNamedByOption, !has("WORKSPACE"), !knownWorkspaces(isNaming: true).contains(mainWorkspace) else {
      return .noPermission(missing)
    }
    return .noPermission("\(missing) in main; WORKSPACE w names another workspace")
  }

  private func beyondProducts(_ permissions: [Permission]) -> Refusal {
    .noPermission("the permission \(Self.names(permissions)): this service is bound to products, and has it over none")
  }

  private static func names(_ permissions: [Permission]) -> String {
    permissions.map { "\($0.name)" }.joined(separator: " or ")
  }

  /// What a side lacks, if it lacks all of the permissions over the target.
  func objection(of side: Side, _ permissions: [Permission], _ target: Target) -> Refusal {
    if side.isBinding { return .noPermission("an impersonation outside its workspace") }
    let permission = permissions[0]
    let site = target.site(for: permission, at: now)
    let names = Self.names(permissions)
    if let user = target.user, isOutOfAccounts(user, for: side, permissions, site) {
      return .noPermission(
        "the permission \(names) over somebody who is employed today by none of the accounts that it is held over")
    }
    // The site is covered, so it is the person who is out of reach.
    if let user = target.user {
      let held = permissions.filter { side.covers($0, over: site, of: user, in: directory, at: now) }
      let isSuper = user.grants.contains { $0.role == .superAdministrator }
      if !held.isEmpty {
        return .noPermission(
          isSuper
            ? "the role super-administrator, to manage a super administrator"
            : "the permission \(Self.names(held)) over an administrator with more power")
      }
    }
    switch site {
    case .server: return .noPermission("the permission \(names) over the whole server")
    case .product(let id, _):
      let name = directory.product(id).map { directory.productName($0) } ?? ""
      return .noPermission("the permission \(names) for the product \(name)")
    case .account(let id, _):
      let account = knows(site) ? "the account \(directory.accountName(id))" : "an account of others"
      return .noPermission("the permission \(names) over \(account)")
    case .group(let id, _):
      let group = knows(site) ? "the group \(directory.groupName(id))" : "a group of others"
      return .noPermission("the permission \(names) over \(group)")
    case .anyOf: return .noPermission("the permission \(names) over this user")
    case .workspace(let id):
      let name = knownWorkspaces.contains(id) ? directory.workspace(id).name : nil
      guard permission.domain == .identity, let user = target.user, case .person = target.site else {
        return .noPermission("the permission \(names) in the workspace \(name ?? "that it concerns")")
      }
      // W2: says which workspace may do it.
      let home = name.map { "\($0), the home workspace" } ?? "the home workspace"
      return .noPermission(
        "the permission \(names) in \(home) of \(user.username), which alone governs who somebody is")
    }
  }
}
