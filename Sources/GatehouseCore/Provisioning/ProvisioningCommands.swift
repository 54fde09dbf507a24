extension CommandTable {
  static let provisioningCommands: [CommandSpec] = [
    CommandSpec(
      "USER.PROVISION", .people, "Set what a provisioning system keeps of a user in a workspace, all or none",
      [
        .word("user"), .word("attribute"), .word("value"), .pairs("attribute", "value"),
        .option("WORKSPACE", "workspace"),
      ],
      reply: "how many attributes changed; an empty value removes one. Names and values are kept as they are given."
        + " `externalId` is the person's identifier in that system, which no other user of the workspace has; by each"
        + " address in `emails`, such as a list in JSON, `USER.ADDRESSED` finds the person",
      effect: .write, isVersioned: true, rights: .admin,
      needs: .permissions([.contactSet, .memberManage], over: .member(1)),
      route: .user(1), body: .decide(userProvision)),
    CommandSpec(
      "USER.EXTERNAL", .people, "The user of a workspace with an identifier of a provisioning system",
      [.word("external-id"), .option("WORKSPACE", "workspace")],
      reply: "a map `id, username, status`; `NOTFOUND` if there is none. Case matters",
      needs: .permission(.userRead, over: .namedWorkspace), route: .everywhere,
      body: .gather(collect: collectExternal, finish: finishExternal)),
    CommandSpec(
      "USER.ADDRESSED", .people, "The users of a workspace with an address among those of a provisioning system",
      [.word("address"), .option("WORKSPACE", "workspace")],
      reply: "an array of maps `id, username, status`, at most \(Limits.listDefault) of them; case does not matter",
      needs: .permission(.userRead, over: .namedWorkspace), route: .everywhere,
      body: .gather(collect: collectAddressed, finish: finishAddressed)),
  ]

  @Sendable private static func userProvision(_ turn: Turn) throws(Halt) {
    let given = try GivenAttributes(pairsOf: turn)
    let user = try turn.user(1)
    let workspace = try turn.workspace()
    try turn.requireNotDeleted(user)
    try turn.requireNotAnonymised(user.contactReference)
    try turn.requireMember(user, of: workspace.id)
    try turn.requireMoreThanManaging(user, to: .contactSet, over: .workspace(workspace.id))
    try turn.checkVersion(turn.version(of: user))
    try given.check(user, in: workspace, turn)
    turn.reply.integer(given.emit(over: user.id, user, in: workspace.id, turn))
  }

  @Sendable private static func collectExternal(
    _ turn: Turn, _ cell: HeldPartition, _ gathered: inout Gathered
  ) throws(Halt) {
    let external = try turn.text(1, "external-id")
    let workspace = try turn.workspace()
    turn.read(cell.state.lsn)
    guard let serial = cell.state.user(withExternalID: external, in: workspace.id) else { return }
    let user = UserReference(id: cell.state.id(serial), cell: cell, serial: serial)
    guard turn.shows(user) else { return }
    gathered.items.append(item(user))
    gathered.isComplete = true
  }

  private static func item(_ user: UserReference) -> Gathered.Item {
    var reply = Reply()
    reply.map(3)
    reply.text("id")
    reply.integer(user.id.raw)
    reply.text("username")
    reply.text(user.username)
    reply.text("status")
    reply.text(user.row.status.name)
    return Gathered.Item(key: [], id: user.id.raw, reply: reply)
  }

  @Sendable private static func collectAddressed(
    _ turn: Turn, _ cell: HeldPartition, _ gathered: inout Gathered
  ) throws(Halt) {
    let address = try turn.text(1, "address")
    let workspace = try turn.workspace()
    turn.read(cell.state.lsn)
    let room = Limits.listDefault - gathered.items.count
    for serial in cell.state.users(withKeptAddress: address, in: workspace.id, most: room) {
      let user = UserReference(id: cell.state.id(serial), cell: cell, serial: serial)
      if turn.shows(user) { gathered.items.append(item(user)) }
    }
    gathered.isComplete = gathered.items.count >= Limits.listDefault
  }

  @Sendable private static func finishAddressed(_ turn: Turn, _ gathered: inout Gathered) throws(Halt) {
    turn.reply.array(gathered.items.count)
    for item in gathered.items { turn.reply.append(item.reply) }
  }

  @Sendable private static func finishExternal(_ turn: Turn, _ gathered: inout Gathered) throws(Halt) {
    guard let found = gathered.items.first else {
      throw .refused(.notFound("user with the external id \(try turn.text(1, "external-id"))"))
    }
    turn.reply.append(found.reply)
  }
}
