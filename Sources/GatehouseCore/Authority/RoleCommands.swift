extension CommandTable {
  static let roleCommands: [CommandSpec] = [
    CommandSpec(
      "ROLE.GRANT", .organisation, "Give a user a role, everywhere or in one workspace, product, account or group",
      [
        .word("user"), .word("role"), .option("WORKSPACE", "workspace"), .option("PRODUCT", "product"),
        .option("ACCOUNT", "account"), .option("GROUP", "group"), .flag("MAIN"), .option("FROM", "time", .time),
        .option("UNTIL", "time", .time),
      ],
      reply:
        "`OK`; a user's first role is the main one, and MAIN takes that mark from another. Who gets a role in a workspace"
        + " becomes a member of it. Over an account or a group a"
        + " role holds over the people employed there today. A manager's always does: over a workspace, or everywhere, it is"
        + " over the accounts and groups that the user manages there by `MANAGE.ADD`",
      effect: .write, isVersioned: true,
      rights: .admin, needs: .permission(.roleGrant, over: .scope), route: .user(1), body: .decide(roleGrant)),
    CommandSpec(
      "ROLE.REVOKE", .organisation, "Take a role away from a user",
      [
        .word("user"), .word("role"), .option("WORKSPACE", "workspace"), .option("PRODUCT", "product"),
        .option("ACCOUNT", "account"), .option("GROUP", "group"),
      ],
      reply: "`OK`; super-administrator turns into training-administrator", effect: .write, isVersioned: true,
      rights: .admin,
      needs: .permission(.roleGrant, over: .scope), route: .user(1), body: .decide(roleRevoke)),
    CommandSpec(
      "ROLE.LIST", .organisation, "The roles there are, or those of a user", [.optionalWord("user")],
      reply:
        "an array of maps `role, rank, scope, permissions, label, external-id`, or of a user `role, scope, main, from, until`; the rank"
        + " of a role that is not built in is null, its scope is where it can be granted",
      needs: .nothing, route: .directory, body: .decide(roleList)),
    CommandSpec(
      "ROLE.DEFINE", .organisation, "Define a role, or what it gives anew: for one workspace, or to grant anywhere",
      [
        .word("name"), .option("WORKSPACE", "workspace"), .option("LABEL", "text"), .option("EXTERNAL", "id"),
        .words("permission", isOptional: true),
      ],
      reply: "`OK`; nobody defines a role that gives what they do not hold in that scope. LABEL is a title for people,"
        + " and EXTERNAL the identifier of the group that it stands for in a provisioning system; with them alone a new"
        + " role gives nothing, and another keeps what it gives", effect: .write,
      rights: .admin, needs: .permission(.roleDefine, over: .workspaceOrEverywhere), route: .directory,
      body: .decide(roleDefine)),
    CommandSpec(
      "ROLE.DROP", .organisation, "Drop a role that was defined, and take it from everybody who has it",
      [.word("name"), .option("WORKSPACE", "workspace")], reply: "`OK`", effect: .write, rights: .admin,
      needs: .permission(.roleDefine, over: .workspaceOrEverywhere), route: .directory, body: .decide(roleDrop)),
  ]

  @Sendable private static func roleGrant(_ turn: Turn) throws(Halt) {
    let scope = try turn.optionScope()
    let role = try turn.role(try turn.text(2, "role"), in: scope)
    let user = try turn.user(1)
    let grants = user.grants
    let limits = try turn.timeLimits(of: user, in: turn.directory.workspace(of: scope))
    var grant = Grant(role: role, scope: scope, isMain: false, limits: limits)
    try turn.checkTimes(of: grant)
    try turn.requireGranting(grant, to: user)
    try turn.requireNotDeleted(user)
    try turn.checkVersion(turn.version(of: user))
    grant.isMain = try turn.becomesMain(grant, of: user)
    turn.reply.ok()
    let held = grants.first { $0.isSame(as: grant) }
    if let held {
      let isOther = held.limits != grant.limits
      grant.isMain = held.isMain || turn.has("MAIN")
      guard isOther || grant.isMain != held.isMain else { return }
    }
    try turn.requireGrantable(grant, to: user, who: user.row.status)
    if let workspace = turn.directory.workspace(of: scope) { try turn.join(user, workspace) }
    if grant.isMain { turn.endMain(of: user, except: [grant]) }
    turn.emit(RoleGranted(user.id, grant, held: held))
  }

  @Sendable private static func roleRevoke(_ turn: Turn) throws(Halt) {
    let scope = try turn.optionScope()
    let role = try turn.role(try turn.text(2, "role"), in: scope)
    let user = try turn.user(1)
    let wanted = Grant(role: role, scope: scope, isMain: false)
    try turn.requireRevoking(wanted, from: user)
    try turn.requireNotDeleted(user)
    try turn.checkVersion(turn.version(of: user))
    let grants = user.cell.state.people.grants(of: user.serial)
    guard let held = grants.first(where: { $0.isSame(as: wanted) }) else {
      throw .refused(
        .notFound(
          "role: \(user.username) has no \(turn.directory.name(of: role)) \(turn.text(of: wanted.scope))"
            + turn.elsewhere(scope == .everywhere)))
    }
    if role == .superAdministrator { turn.requireAnotherSuperAdministrator(than: user) }
    try turn.revoke([held], from: user)
    turn.reply.ok()
  }

  @Sendable private static func roleList(_ turn: Turn) throws(Halt) {
    guard !turn.positional.isEmpty else {
      return listRoles(turn)
    }
    try turn.enforce(.permission(.userRead, over: .user(1), own: .userRead))
    let user = try turn.user(1)
    turn.read(turn.directory.lsn)
    turn.show(UserCard(user, turn.seen(of: user), turn).grants)
  }

  private static func listRoles(_ turn: Turn) {
    turn.read(turn.directory.lsn)
    let known = turn.knownWorkspaces
    let defined = turn.directory.roles.filter { role in
      !role.isDropped && (role.workspace.map(known.contains) ?? true)
    }
    turn.reply.array(Role.builtIn.count + defined.count)
    for (role, name) in Role.builtIn {
      turn.show(name, rank: role.number, in: .everywhere, turn.directory.permissions(of: role), RoleLabel())
    }
    for role in defined {
      let scope = role.workspace.map { Scope.workspace($0) } ?? .everywhere
      turn.show(role.name, rank: nil, in: scope, role.permissions, role.label)
    }
  }

  // MARK: Defining

  @Sendable private static func roleDefine(_ turn: Turn) throws(Halt) {
    let name = try Turn.name(try turn.text(1, "name", limit: Limits.nameBytes), "name")
    _ = try turn.directoryState()
    let workspace = turn.has("WORKSPACE") ? try turn.workspace().id : nil
    var permissions = PermissionSet()
    for permission in try turn.permissions(in: turn.positional.dropFirst()) {
      guard workspace == nil || permission.domain != .server else {
        throw .refused(.syntax("\(permission.name) is about the whole server; leave WORKSPACE out"))
      }
      permissions.insert(permission)
    }
    let isOnlyLabelled = turn.positional.count == 1
    if isOnlyLabelled, !turn.has("LABEL"), !turn.has("EXTERNAL") {
      throw .refused(.syntax("name the permissions that the role gives, or a LABEL; PERMISSION.LIST names them"))
    }
    let site = workspace.map { Site.workspace($0) } ?? .server
    let own = turn.directory.roles(definedIn: workspace).first { $0.name == name }
    let isTaken =
      Role(name: name) != nil || Permission(name: name) != nil
      || turn.directory.roles(definedIn: nil).contains { $0.name == name }
    if own == nil, isTaken { throw .refused(.conflict("role: \(name) already exists", of: "name")) }
    let label = try RoleLabel(turn, insteadOf: own?.label ?? RoleLabel())
    try turn.requireFree(label: label, of: name, in: workspace, besides: own?.label ?? RoleLabel())
    let old = own?.permissions ?? PermissionSet()
    if isOnlyLabelled { permissions = old }
    try turn.requireHolding(permissions, over: site, until: turn.now, to: "define a role that gives it")
    turn.reply.ok()
    if let own, old == permissions {
      if own.label != label { turn.emit(RoleLabelled(own.role, workspace: workspace, old: own.label, new: label)) }
      return
    }
    if let own, !permissions.subtracting(old).isEmpty { try turn.noteWidening(of: own.role, definedIn: workspace) }
    if own == nil { try turn.requireRoom(forRoleOf: workspace) }
    let count = turn.directory.roles.count
    // Nobody has a role that was dropped, so under its old name the number can stand for a role anew.
    let dropped = own == nil ? turn.directory.droppedRole(name, definedIn: workspace) : nil
    if own == nil, dropped == nil { try turn.requireNumber(forRoleOf: workspace) }
    let role = own?.role ?? dropped ?? Role(number: Role.firstDefined + UInt32(count))
    turn.emit(RoleDefined(role, workspace: workspace, name: name, old: old, new: permissions))
    if label != own?.label ?? RoleLabel() {
      turn.emit(RoleLabelled(role, workspace: workspace, old: own?.label ?? RoleLabel(), new: label))
    }
    // Whoever loses something by it is named, and what rested on it ends (L19).
    guard !old.subtracting(permissions).isEmpty else { return }
    for (user, grants) in try turn.holders(of: role) {
      // B13: it is what ROLE.REVOKE does, of a part.
      turn.noteTaking(grants, definedIn: workspace)
      for grant in grants { turn.emit(RoleNarrowed(user.id, grant, old: old, new: permissions)) }
    }
  }

  @Sendable private static func roleDrop(_ turn: Turn) throws(Halt) {
    let name = try turn.text(1, "name", limit: Limits.nameBytes)
    _ = try turn.directoryState()
    let workspace = turn.has("WORKSPACE") ? try turn.workspace().id : nil
    guard let role = turn.directory.roles(definedIn: workspace).first(where: { $0.name == name }) else {
      throw .refused(.notFound("role \(name)\(turn.elsewhere(workspace == nil))"))
    }
    turn.reply.ok()
    for (user, grants) in try turn.holders(of: role.role) {
      // B13: it is what ROLE.REVOKE does.
      turn.noteTaking(grants, definedIn: workspace)
      try turn.revoke(grants, from: user)
    }
    turn.emit(RoleDropped(role))
  }
}

extension Turn {
  /// Revokes grants. A former super administrator becomes a training administrator (L18), and if the main role is
  /// revoked, the most powerful remaining one becomes the main role (L11).
  ///
  /// - Parameters:
  ///   - all: what the user has, where the decision has changed it before.
  ///   - isLeaving: whether the user keeps no lesser role there: who leaves the scope of the grants, or whose time is up.
  public func revoke(
    _ grants: [Grant], from user: UserReference, having all: [Grant]? = nil, isLeaving: Bool = false
  ) throws(Halt) {
    var rest = all ?? user.grants
    for grant in grants {
      emit(RoleRevoked(user.id, grant))
      rest.removeAll { $0.isSame(as: grant) }
      let lesser = Grant(role: .trainingAdministrator, scope: grant.scope, isMain: grant.isMain)
      if grant.role == .superAdministrator, !isLeaving, !rest.contains(where: { $0.isSame(as: lesser) }) {
        emit(RoleGranted(user.id, lesser))
        rest.append(lesser)
      }
    }
    if grants.contains(where: \.isMain), !rest.contains(where: \.isMain),
      var strongest = rest.filter({ mayBeMain($0, of: user) && !$0.limits.hasEnded(at: now) }).max(by: {
        $0.role.rank < $1.role.rank
      })
    {
      let held = strongest
      strongest.isMain = true
      emit(RoleGranted(user.id, strongest, held: held))
    }
  }

  /// Whether a grant may be the main one (L11). The home workspace decides which role is, so a role granted elsewhere
  /// does not take over (W2).
  func mayBeMain(_ grant: Grant, of user: UserReference) -> Bool {
    directory.workspace(of: grant.scope).map { $0 == user.home } ?? true
  }

  /// The main role must be one of the home's, also after the home has changed.
  func moveMainRole(of user: UserReference, to home: WorkspaceID) {
    func mayBeMain(_ grant: Grant) -> Bool { directory.workspace(of: grant.scope).map { $0 == home } ?? true }
    if let held = user.grants.first(where: \.isMain) {
      if mayBeMain(held) { return }
      emitAsNotMain(held, of: user)
    }
    // There may be none yet, where all were of this workspace and it was not the home.
    let possible = user.grants.filter { mayBeMain($0) && !$0.limits.hasEnded(at: now) }
    guard let held = possible.max(by: { $0.role.rank < $1.role.rank }) else { return }
    var new = held
    new.isMain = true
    emit(RoleGranted(user.id, new, held: held))
  }

  /// The main role ceases to be it, because another one is to be.
  ///
  /// - Parameter others: those of which the decision says it already.
  func endMain(of user: UserReference, except others: [Grant]) {
    guard let main = user.grants.first(where: \.isMain), !others.contains(where: { $0.isSame(as: main) })
    else { return }
    emitAsNotMain(main, of: user)
  }

  /// The main role ceases to be it (L19: the trail tells it, although the new one takes the mark by itself).
  fileprivate func emitAsNotMain(_ main: Grant, of user: UserReference) {
    var other = main
    other.isMain = false
    emit(RoleGranted(user.id, other, held: main))
  }

  /// Whether a grant becomes the main one: the first grant does, and one for which this is asked.
  fileprivate func becomesMain(_ grant: Grant, of user: UserReference) throws(Halt) -> Bool {
    guard mayBeMain(grant, of: user) else {
      if has("MAIN") {
        throw .refused(
          .rule(
            "home", "the main role is one in the home workspace of the user, or everywhere", instead: "leave MAIN out"))
      }
      return false
    }
    return has("MAIN") || !user.grants.contains(where: \.isMain)
  }

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

  /// The grants of a user.
  func show(_ grants: [Grant]) {
    reply.array(grants.count)
    for grant in grants {
      reply.map(5)
      reply.text("role")
      reply.text(directory.name(of: grant.role))
      reply.text("scope")
      reply.text(text(of: grant.scope))
      reply.text("main")
      reply.flag(grant.isMain)
      reply.text("from")
      reply.optional(grant.limits.from)
      reply.text("until")
      reply.optional(grant.limits.until)
    }
  }

  fileprivate func show(
    _ name: String, rank: UInt32?, in scope: Scope, _ permissions: PermissionSet, _ label: RoleLabel
  ) {
    reply.map(6)
    reply.text("role")
    reply.text(name)
    reply.text("rank")
    reply.optional(rank.map(Int64.init))
    reply.text("scope")
    reply.text(text(of: scope))
    reply.text("permissions")
    let list = permissions.list
    reply.array(list.count)
    for permission in list { reply.text(permission.name) }
    show("label", label.title)
    show("external-id", label.externalID)
  }

  public static var superMustLogIn: Refusal {
    .rule(
      "role", "a super administrator must be able to log in",
      instead: "set a status that may log in first with USER.STATUS user active")
  }

  /// The scope named by the options.
  func optionScope() throws(Halt) -> Scope {
    let given = ["PRODUCT", "ACCOUNT", "GROUP"].filter { has($0) }
    guard given.count <= 1 else { throw .refused(.syntax("give one of \(given.joined(separator: " and ")), not both")) }
    if let name = try option("PRODUCT") {
      if has("WORKSPACE") { throw .refused(.syntax("give WORKSPACE or PRODUCT, not both")) }
      return .product(try product(named: name).id)
    }
    // With an account or a group, `WORKSPACE` says whose.
    let workspace = has("WORKSPACE") ? try workspace().id : nil
    if let name = try option("ACCOUNT") {
      let account = try account(named: name, in: workspace)
      return .account(account.id, of: account.workspace)
    }
    if let name = try option("GROUP") {
      let group = try group(named: name, in: workspace)
      return .group(group.id, of: group.workspace)
    }
    return workspace.map { .workspace($0) } ?? .everywhere
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

  fileprivate func requireRoom(forRoleOf workspace: WorkspaceID?) throws(Halt) {
    guard directory.roles(definedIn: workspace).count < Limits.rolesOfWorkspace else {
      throw .refused(
        .limit("roles: at most \(Limits.rolesOfWorkspace) of a workspace; drop one first with ROLE.DROP"))
    }
  }

  /// A name keeps its number for good, because the trail tells of a role by it. Each workspace has a limit of its own, so
  /// that none uses up the numbers of others.
  fileprivate func requireNumber(forRoleOf workspace: WorkspaceID?) throws(Halt) {
    try Limits.roleNames.check(
      "names of roles", ofWorkspace: directory.roleNames(of: workspace), ofAll: directory.roles.count,
      note: ", dropped ones included; take the name of one that was dropped")
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
  fileprivate func noteTaking(_ grants: [Grant], definedIn workspace: WorkspaceID?) {
    noteTakingRights(over: workspace.map { Site.workspace($0) } ?? .server)
    for grant in grants { noteTakingRights(over: site(of: grant.scope)) }
  }

  private func text(of site: Site) -> String {
    switch site {
    case .server: "everywhere"
    case .workspace(let id): text(of: Scope.workspace(id))
    case .product(let id, _): text(of: Scope.product(id))
    case .account(let id, let workspace): text(of: Scope.account(id, of: workspace))
    case .group(let id, let workspace): text(of: Scope.group(id, of: workspace))
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
