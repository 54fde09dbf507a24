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
    let taken = old.subtracting(permissions)
    guard !taken.isEmpty else { return }
    try turn.requireHolding(taken, over: site, until: turn.now, to: "take it from a role")
    for (user, grants) in try turn.holders(of: role) {
      try turn.require(.roleDefine, over: site, of: user)
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
    let site = workspace.map { Site.workspace($0) } ?? .server
    try turn.requireHolding(role.permissions, over: site, until: turn.now, to: "drop a role that gives it")
    for (user, grants) in try turn.holders(of: role.role) {
      try turn.require(.roleDefine, over: site, of: user)
      // B13: it is what ROLE.REVOKE does.
      turn.noteTaking(grants, definedIn: workspace)
      try turn.revoke(grants, from: user)
    }
    turn.emit(RoleDropped(role))
  }
}

extension Turn {
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
}
