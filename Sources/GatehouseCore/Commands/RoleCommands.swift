extension CommandTable {
  static let roleCommands: [CommandSpec] = [
    CommandSpec(
      "ROLE.GRANT", .organisation, "Give a user a role, everywhere or in one workspace or product",
      [
        .word("user"), .word("role"), .option("WORKSPACE", "workspace"), .option("PRODUCT", "product"), .flag("MAIN"),
      ],
      reply: "`OK`; a user's first role is the main one, and MAIN takes that mark from another", effect: .write,
      rights: .admin, route: .user(1), body: .decide(roleGrant)),
    CommandSpec(
      "ROLE.REVOKE", .organisation, "Take a role away from a user",
      [.word("user"), .word("role"), .option("WORKSPACE", "workspace"), .option("PRODUCT", "product")],
      reply: "`OK`; super-administrator turns into training-administrator", effect: .write, rights: .admin,
      route: .user(1), body: .decide(roleRevoke)),
    CommandSpec(
      "ROLE.LIST", .organisation, "The roles there are, or those of a user", [.optionalWord("user")],
      reply: "an array of maps `role, rank`, or of a user `role, scope, main`", route: .directory,
      body: .decide(roleList)),
  ]

  @Sendable private static func roleGrant(_ turn: Turn) throws(Halt) {
    let role = try turn.role(try turn.text(2, "role"))
    let user = try turn.user(1)
    try turn.requireManaging(user)
    try turn.requireNotDeleted(user)
    try turn.checkVersion(user.row.version)
    let grants = user.cell.state.grants(of: user.serial)
    var grant = Grant(role: role, scope: try scope(turn), isMain: turn.has("MAIN") || grants.isEmpty)
    try turn.requireGranting(grant)
    turn.reply.ok()
    if let held = grants.first(where: { $0.isSame(as: grant) }) {
      guard turn.has("MAIN"), !held.isMain else { return }
      grant.isMain = true
    } else if grants.count >= Limits.grantsOfUser {
      throw .refused(.limit("roles: a user has at most \(Limits.grantsOfUser)"))
    }
    if role == .superAdministrator {
      guard grant.scope == .everywhere else {
        throw .refused(.syntax("super-administrator holds everywhere; leave WORKSPACE and PRODUCT out"))
      }
      guard user.row.status.mayLogIn else { throw .refused(Turn.superMustLogIn) }
    }
    turn.emit(RoleGranted(user.id, grant))
  }

  @Sendable private static func roleRevoke(_ turn: Turn) throws(Halt) {
    let role = try turn.role(try turn.text(2, "role"))
    let user = try turn.user(1)
    try turn.requireManaging(user)
    try turn.requireNotDeleted(user)
    try turn.checkVersion(user.row.version)
    let wanted = Grant(role: role, scope: try scope(turn), isMain: false)
    try turn.requireGranting(wanted)
    let grants = user.cell.state.grants(of: user.serial)
    guard let held = grants.first(where: { $0.isSame(as: wanted) }) else {
      throw .refused(.notFound("role: \(user.username) has no \(role.name) \(turn.text(of: wanted.scope))"))
    }
    if role == .superAdministrator { turn.requireAnotherSuperAdministrator(than: user) }
    try turn.revoke([held], from: user)
    turn.reply.ok()
  }

  private static func scope(_ turn: Turn) throws(Halt) -> Scope {
    switch (turn.has("WORKSPACE"), try turn.option("PRODUCT")) {
    case (false, nil): return .everywhere
    case (true, nil): return .workspace(try turn.workspace().id)
    case (false, let name?): return .product(try turn.product(named: name).id)
    case (true, _?): throw .refused(.syntax("give WORKSPACE or PRODUCT, not both"))
    }
  }

  @Sendable private static func roleList(_ turn: Turn) throws(Halt) {
    guard !turn.positional.isEmpty else {
      turn.reply.array(Role.builtIn.count)
      for (role, name) in Role.builtIn {
        turn.reply.map(2)
        turn.reply.text("role")
        turn.reply.text(name)
        turn.reply.text("rank")
        turn.reply.integer(role.number)
      }
      return
    }
    let user = try turn.user(1)
    try turn.requireOver(user)
    turn.read(turn.directory.lsn)
    let grants = user.cell.state.grants(of: user.serial)
    turn.reply.array(grants.count)
    for grant in grants {
      turn.reply.map(3)
      turn.reply.text("role")
      turn.reply.text(grant.role.name)
      turn.reply.text("scope")
      turn.reply.text(turn.text(of: grant.scope))
      turn.reply.text("main")
      turn.reply.flag(grant.isMain)
    }
  }
}

extension Turn {
  /// Takes grants away. A super administrator is a training administrator from then on (L18), and of the roles
  /// that are left the strongest becomes the main one, if the main one went (L11).
  public func revoke(_ grants: [Grant], from user: UserReference) throws(Halt) {
    var rest = user.cell.state.grants(of: user.serial)
    for grant in grants {
      emit(RoleRevoked(user.id, grant))
      rest.removeAll { $0.isSame(as: grant) }
      let lesser = Grant(role: .trainingAdministrator, scope: .everywhere, isMain: grant.isMain)
      if grant.role == .superAdministrator, !rest.contains(where: { $0.isSame(as: lesser) }) {
        emit(RoleGranted(user.id, lesser))
        rest.append(lesser)
      }
    }
    if !grants.isEmpty, !rest.contains(where: \.isMain),
      var strongest = rest.max(by: { $0.role.number < $1.role.number })
    {
      strongest.isMain = true
      emit(RoleGranted(user.id, strongest))
    }
  }

  /// A role by its name.
  public func role(_ name: String) throws(Halt) -> Role {
    guard let role = Role(name: name) else {
      throw .refused(.notFound("role \(name); roles are \(Role.builtIn.map(\.name).joined(separator: ", "))"))
    }
    return role
  }

  public static var superMustLogIn: Refusal {
    .rule(
      "role", "a super administrator must be able to log in",
      instead: "set a status that may log in first with USER.STATUS user active")
  }

  /// Whether the principal may give or take a grant: nobody gives more than they have, where they have it; and
  /// nobody changes roles as somebody else (L18).
  public func requireGranting(_ grant: Grant) throws(Halt) {
    guard let principal = asUser else { return }
    try refuseImpersonation("roles")
    if principal.isSuperAdministrator { return }
    guard grant.role != .superAdministrator else {
      throw .refused(.noPermission("the role super-administrator, to grant or revoke super-administrator"))
    }
    if principal.isAdministrator { return }
    // To be an individual is no power: whoever adds people may say so of them.
    if grant.role == .individual, !principal.administers.isEmpty { return }
    let isWithin = principal.administers.contains { held in
      held == grant.scope || held == workspace(of: grant.scope).map { .workspace($0) }
    }
    guard isWithin else {
      throw .refused(.noPermission("the role training-administrator \(text(of: grant.scope)), to grant it"))
    }
  }

  /// A scope in words: `everywhere`, `workspace acme`, `product payroll`.
  public func text(of scope: Scope) -> String {
    switch scope {
    case .everywhere: "everywhere"
    case .workspace(let id): "workspace \(directory.workspace(id).name)"
    case .product(let id): "product \(directory.product(id).map { directory.productName($0) } ?? String(id))"
    case .account(let id): "account #\(id)"
    case .group(let id): "group #\(id)"
    }
  }
}
