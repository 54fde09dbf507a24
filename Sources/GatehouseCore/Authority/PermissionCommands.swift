extension CommandTable {
  static let permissionCommands: [CommandSpec] = [
    CommandSpec(
      "PERMISSION.LIST", .organisation, "The permissions there are, or what a user may do where, and through what",
      [.optionalWord("user"), .option("WORKSPACE", "workspace")],
      reply: "an array of maps `permission, summary`, or of a user `permission, scope, through`: the scope is"
        + " `everywhere`, `workspace NAME`, `product NAME`, or `oneself`; it is held through a role, the ownership of"
        + " the workspace, or the administration of the product. WORKSPACE leaves out what does not reach into it",
      needs: .nothing, route: .directory, body: .decide(permissionList))
  ]

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
