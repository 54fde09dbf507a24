extension CommandTable {
  static let permissionCommands: [CommandSpec] = [
    CommandSpec(
      "PERMISSION.LIST", .organisation, "The permissions there are, or what a user may do where, and through what",
      [.optionalWord("user"), .option("WORKSPACE", "workspace")],
      reply: "an array of maps `permission, summary`, or of a user `permission, scope, through`: the scope is"
        + " `everywhere`, `workspace NAME`, `product NAME`, `account NAME`, `group NAME`, or `oneself`; it is held through a role, the ownership of"
        + " the workspace, or the administration of the product. WORKSPACE leaves out what does not reach into it",
      needs: .nothing, route: .directory, body: .decide(permissionList)),
    CommandSpec(
      "PERMISSION.CHECK", .organisation, "May a user do something, somewhere or to somebody",
      [
        .word("user"), .option("OVER", "user"), .option("WORKSPACE", "workspace"), .option("PRODUCT", "product"),
        .option("ACCOUNT", "account"), .option("GROUP", "group"), .words("permission"),
      ],
      reply: "an array of maps `permission, allowed, detail`, one for each; `detail` says what is missing, else null."
        + " OVER asks about a person, whose own things everybody may do; without it and without a place, it is about the"
        + " whole server",
      needs: .permission(.userRead, over: .user(1), own: .userRead), route: .user(1), body: .decide(permissionCheck)),
  ]

  @Sendable private static func permissionCheck(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    turn.read(turn.directory.lsn)
    let permissions = try turn.permissions(in: turn.positional.dropFirst())
    let scope = try turn.optionScope()
    let other = try turn.optionWord("OVER").map { (word) throws(Halt) in try turn.user(word) }
    let isPlaced = scope != .everywhere
    let target = isPlaced ? Target(turn.site(of: scope), other) : other.map { Target($0) } ?? Target(.server)
    // Of grants that the caller does not see, nothing is told (W4).
    let side = Side(.subject, user, within: turn.seen(of: user), in: turn.directory, at: turn.now)
    turn.reply.array(permissions.count)
    for permission in permissions {
      let why = turn.objection(to: permission, of: side, user, target)
      turn.reply.map(3)
      turn.reply.text("permission")
      turn.reply.text(permission.name)
      turn.reply.text("allowed")
      turn.reply.flag(why == nil)
      turn.reply.text("detail")
      turn.reply.optional(why)
    }
  }

  @Sendable private static func permissionList(_ turn: Turn) throws(Halt) {
    guard !turn.positional.isEmpty else {
      if turn.has("WORKSPACE") { throw .refused(.syntax("WORKSPACE needs a user")) }
      turn.reply.array(Permission.allCases.count)
      for permission in Permission.allCases {
        turn.reply.map(2)
        turn.reply.text("permission")
        turn.reply.text(permission.name)
        turn.reply.text("summary")
        turn.reply.text(permission.summary)
      }
      return
    }
    try turn.enforce(.permission(.userRead, over: .user(1), own: .userRead))
    let user = try turn.user(1)
    turn.read(turn.directory.lsn)
    let card = UserCard(user, turn.seen(of: user), turn)
    let workspace = turn.has("WORKSPACE") ? try turn.workspace().id : nil
    let held = user.holdings(in: turn.directory, at: turn.now).filter { holding in
      card.shows(holding.scope)
        && (workspace == nil || holding.workspace == nil || holding.workspace == workspace)
    }
    let own = PermissionSet.individual.list
    turn.reply.array(held.reduce(own.count) { $0 + $1.permissions.list.count })
    for permission in own { show(permission, "oneself", Role.individual.name, turn) }
    for holding in held {
      let through = turn.directory.name(of: holding.source)
      for permission in holding.permissions.list { show(permission, turn.text(of: holding.scope), through, turn) }
    }
  }

  private static func show(_ permission: Permission, _ scope: String, _ through: String, _ turn: Turn) {
    turn.reply.map(3)
    turn.reply.text("permission")
    turn.reply.text(permission.name)
    turn.reply.text("scope")
    turn.reply.text(scope)
    turn.reply.text("through")
    turn.reply.text(through)
  }
}

extension Directory {
  fileprivate func name(of source: Holding.Source) -> String {
    switch source {
    case .grant(let grant): name(of: grant.role)
    case .ownership: "workspace-owner"
    case .productAdministration: "product-administrator"
    case .binding: "service"
    }
  }
}

extension Turn {
  /// The permissions that words name.
  func permissions(in words: some Sequence<Int>) throws(Halt) -> [Permission] {
    var permissions: [Permission] = []
    for word in words {
      let text = try text(word, "permission", limit: Limits.nameBytes)
      guard let permission = Permission(name: text) else {
        throw .refused(.notFound("permission \(text); PERMISSION.LIST names them"))
      }
      permissions.append(permission)
    }
    return permissions
  }

  /// What somebody lacks to do something; nil if nothing.
  fileprivate func objection(
    to permission: Permission, of side: Side, _ user: UserReference, _ target: Target
  ) -> String? {
    guard user.row.status == .active else { return "the user's status is \(user.row.status.name)" }
    if PermissionSet.individual.contains(permission), target.isOwn(side) { return nil }
    let site = target.site(for: permission, at: now)
    guard !side.allows(permission, over: site, of: target.user, in: directory, at: now) else { return nil }
    return objection(of: side, [permission], target).message
  }
}
