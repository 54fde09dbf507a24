extension Turn {
  /// A role by name: a built-in one, one of the scope's workspace, one that can be granted anywhere, or a permission.
  public func role(_ name: String, in scope: Scope) throws(Halt) -> Role {
    if let role = Role(name: name) { return role }
    read(directory.lsn)
    let folded = name.folded
    let defined =
      (directory.workspace(of: scope).map { directory.roles(definedIn: $0) } ?? [])
      + directory.roles(definedIn: nil)
    if let role = defined.first(where: { $0.name == folded }) { return role.role }
    if let permission = Permission(name: name) {
      guard permission.domain != .server || scope == .everywhere else {
        throw .refused(.syntax("\(permission.name) is about the whole server, and is given everywhere only"))
      }
      return .only(permission)
    }
    let names = Role.builtIn.map(\.name) + defined.map(\.name)
    let isEverywhere = directory.workspace(of: scope) == nil
    throw .refused(
      .notFound(
        "role \(name); roles are \(names.joined(separator: ", ")), and single permissions as PERMISSION.LIST names them"
          + elsewhere(isEverywhere)))
  }

  /// What must be true of a grant, whoever gives it and by which command.
  ///
  /// - Parameter status: the user's when the command is done; nil where the user has had the role with it before.
  func requireGrantable(_ grant: Grant, to user: UserReference, who status: Status?) throws(Halt) {
    guard directory.isThere(grant.scope) else {
      throw .refused(.notFound("\(text(of: grant.scope)): it was deleted"))
    }
    if let fault = directory.fault(of: grant) { throw .refused(fault) }
    try checkTimes(of: grant)
    let held = changes.reduce(user.grants) { grants, change in
      guard let change = change.known as? any GrantChange, change.user == user.id else { return grants }
      return change.changed(grants)
    }
    if !held.contains(where: { $0.isSame(as: grant) }), held.count >= Limits.grantsOfUser {
      throw .refused(.limit("roles: a user has at most \(Limits.grantsOfUser)"))
    }
    if grant.role == .superAdministrator, status?.mayLogIn == false { throw .refused(Turn.superMustLogIn) }
  }

  func checkTimes(of grant: Grant) throws(Halt) {
    if grant.limits.isNone { return }
    if grant.role == .superAdministrator, grant.scope == .everywhere {
      throw .refused(
        .rule(
          "last-super-administrator", "a super administrator of everything is not lost by time alone",
          instead: "leave FROM and UNTIL out"))
    }
  }

  public static var superMustLogIn: Refusal {
    .rule(
      "role", "a super administrator must be able to log in",
      instead: "set a status that may log in first with USER.STATUS user active")
  }

  /// Whether the principal may grant or revoke this. Nobody can grant or revoke what they do not hold themselves in
  /// that scope, nor do so for somebody they may not manage there; and nobody can change roles while impersonating.
  ///
  /// - Parameter user: the user concerned; nil for a user that is being created.
  public func requireGranting(_ grant: Grant, to user: UserReference? = nil) throws(Halt) {
    try require(grant, until: grant.limits.end, of: user)
  }

  /// The same for taking a role away, however long the caller's own rights last.
  func requireRevoking(_ grant: Grant, from user: UserReference? = nil) throws(Halt) {
    try require(grant, until: now, of: user)
  }

  private func require(_ grant: Grant, until end: Milliseconds, of user: UserReference?) throws(Halt) {
    guard isLimited else { return }
    let site = site(of: grant.scope)
    let name = directory.name(of: grant.role)
    try require(.roleGrant, over: site, of: user)
    if grant.role == .superAdministrator, !sides.allSatisfy({ $0.isSupreme(over: site) }) {
      throw .refused(.noPermission("the role super-administrator, to grant or revoke super-administrator"))
    }
    try requireHolding(directory.permissions(of: grant.role), over: site, until: end, to: "grant or revoke \(name)")
  }

  /// Refuses if one of the sides does not hold all of the permissions itself, or not for as long as it would give them
  /// away: who administers until May makes nobody an administrator beyond that, also not themselves.
  func requireHolding(
    _ permissions: PermissionSet, over site: Site, until end: Milliseconds, to what: String,
    instead hint: String = "give an UNTIL that is no later"
  ) throws(Halt) {
    for side in sides {
      for permission in permissions.list {
        let lasts = side.holdings.filter { $0.covers(site, permission) }.map(\.end).max()
        guard let lasts else {
          throw .refused(.noPermission("the permission \(permission.name) \(text(of: site)), to \(what)"))
        }
        guard lasts >= end else {
          throw .refused(
            .noPermission(
              "the permission \(permission.name) \(text(of: site)) beyond \(TimeText.text(of: lasts)), to \(what); \(hint)"
            ))
        }
      }
    }
  }

  /// The permissions of some of a side's holdings, those that begin later included: who waits for them must not prepare more
  /// for them than was given.
  func gains(of side: Side, by isGaining: (Holding) -> Bool) throws(Halt) -> [Gain] {
    guard let person = side.person, let user = try user(person.id) else { return [] }
    return user.holdings(in: directory, at: now, isComing: true).filter(isGaining).flatMap { holding in
      holding.permissions.list.map { Gain(permission: $0, end: holding.end) }
    }
  }

  /// Refuses what a side would gain, unless it has it by other holdings now, and for as long.
  ///
  /// - Parameter way: by which it would have it.
  func requireHeld(_ gain: Gain, by holdings: [Holding], over whom: String, _ way: StaticString) throws(Halt) {
    let lasts = holdings.map(\.end).max()
    if let lasts, lasts >= gain.end { return }
    let beyond = lasts.map { " beyond \(TimeText.text(of: $0))" } ?? ""
    throw .refused(
      .noPermission("the permission \(gain.permission.name) over \(whom)\(beyond), to have it by way of the \(way)"))
  }

  /// The same for what gives a person rights in another way than by a role, or takes them. It counts as granting (B13).
  func requireGiving(
    _ permissions: PermissionSet, over site: Site, until end: Milliseconds, to what: String,
    instead hint: String = "give an UNTIL that is no later"
  ) throws(Halt) {
    try requireHolding(permissions, over: site, until: end, to: what, instead: hint)
    noteUse([.roleGrant], over: Target(site))
  }

  /// Whoever decides about an access or a membership may end it with all the rights that rest on it. That takes power away,
  /// so it counts as taking a role away (B13): else it would be a way around what two people must agree on.
  func noteTakingRights(over site: Site) { noteUse([.roleGrant], over: Target(site)) }

  /// The same of grants of a role that is changed where it was defined.
  func noteTaking(_ grants: [Grant], definedIn workspace: WorkspaceID?) {
    noteTakingRights(over: workspace.map { Site.workspace($0) } ?? .server)
    for grant in grants { noteTakingRights(over: site(of: grant.scope)) }
  }

  private func text(of site: Site) -> String {
    switch site {
    case .server: "everywhere"
    case .workspace(let id): "in the \(text(of: Scope.workspace(id)))"
    case .product(let id, _): "for the \(text(of: Scope.product(id)))"
    case .account(let id, let workspace):
      knows(site) ? "over the \(text(of: Scope.account(id, of: workspace)))" : "over an account of others"
    case .group(let id, let workspace):
      knows(site) ? "over the \(text(of: Scope.group(id, of: workspace)))" : "over a group of others"
    case .anyOf: "over the user"
    }
  }

  /// A scope as text: `everywhere`, `workspace acme`, `product payroll`.
  public func text(of scope: Scope) -> String {
    switch scope {
    case .everywhere: "everywhere"
    case .workspace(let id): "workspace \(directory.workspace(id).name)"
    case .product(let id): "product \(directory.product(id).map { directory.productName($0) } ?? String(id))"
    case .account(let id, _): "account \(directory.accountName(id))"
    case .group(let id, _): "group \(directory.groupName(id))"
    }
  }
}

/// A permission that somebody would have over more people, and until when.
struct Gain {
  let permission: Permission
  let end: Milliseconds
}

extension Directory {
  /// Why nobody can have a grant over something that is there: there is no such role, or it is not for that.
  func fault(of grant: Grant) -> Refusal? {
    if grant.role.isDefined, definition(of: grant.role)?.isDropped ?? true {
      return .notFound("role \(name(of: grant.role)): it was dropped")
    }
    guard grant.role == .superAdministrator else { return nil }
    switch grant.scope {
    case .everywhere, .workspace: return nil
    case .product: return .syntax("super-administrator holds everywhere or in a workspace; leave PRODUCT out")
    case .account, .group:
      return .syntax("super-administrator holds everywhere or in a workspace; leave ACCOUNT and GROUP out")
    }
  }
}
