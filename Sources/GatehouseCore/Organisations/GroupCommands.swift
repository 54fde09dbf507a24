extension CommandTable {
  static let groupCommands: [CommandSpec] = [
    CommandSpec(
      "GROUP.CREATE", .organisation, "Add an account group",
      [.word("name"), .option("WORKSPACE", "workspace"), .option("EXTERNAL", "id")],
      reply: "a map `id, name, workspace, created, version, accounts, external-id`; accounts is how many there are, and"
        + " EXTERNAL the identifier of the group that it stands for in a provisioning system", effect: .write,
      rights: .admin, needs: .permission(.accountManage, over: .newAccount), route: .directory,
      body: .decide(groupCreate)),
    CommandSpec(
      "GROUP.GET", .organisation, "An account group; ACCOUNT.LIST GROUP lists its accounts",
      [.word("group"), .option("WORKSPACE", "workspace")],
      reply: "a map as `GROUP.CREATE`", needs: .permissions([.accountManage, .userRead], over: .group(1)),
      route: .directory, body: .decide(groupGet)),
    CommandSpec(
      "GROUP.RENAME", .organisation, "Give an account group another name",
      [.word("group"), .word("name"), .option("WORKSPACE", "workspace")], reply: "`OK`", effect: .write,
      isVersioned: true,
      rights: .admin, needs: .permission(.accountManage, over: .group(1)), route: .directory,
      body: .decide(groupRename)),
    CommandSpec(
      "GROUP.EXTERNAL", .organisation, "Say for which group of a provisioning system an account group stands",
      [.word("group"), .word("external-id"), .option("WORKSPACE", "workspace")],
      reply: "`OK`; an empty text for none. No other group of the workspace stands for it", effect: .write,
      isVersioned: true,
      rights: .admin, needs: .permission(.accountManage, over: .group(1)), route: .directory,
      body: .decide(groupExternal)),
    CommandSpec(
      "GROUP.ADD", .organisation, "Put accounts into a group, all or none",
      [.word("group"), .words("account"), .option("WORKSPACE", "workspace")],
      reply: "how many came into it", effect: .write, isVersioned: true, rights: .admin,
      needs: .permission(.accountManage, over: .group(1)), route: .directory, body: .decide(groupAdd)),
    CommandSpec(
      "GROUP.REMOVE", .organisation, "Take accounts out of a group, all or none",
      [.word("group"), .words("account"), .option("WORKSPACE", "workspace")],
      reply: "how many left it. Who has a role over the group has it over their people no longer, and impersonations of"
        + " them end", effect: .write, isVersioned: true,
      rights: .admin, needs: .permission(.accountManage, over: .group(1)), route: .directory,
      body: .decide(groupRemove)),
    CommandSpec(
      "GROUP.LIST", .organisation, "The account groups, in the order they were made",
      [.option("WORKSPACE", "workspace"), .option("CURSOR", "cursor"), .option("COUNT", "n", .integer)],
      reply: "`[cursor, items]`, maps as `GROUP.CREATE`",
      needs: .permissions(
        [.accountManage, .userRead], over: .anything), route: .directory, body: .decide(groupList)),
    CommandSpec(
      "GROUP.DELETE", .organisation, "Delete an account group; its accounts stay",
      [.word("group"), .option("WORKSPACE", "workspace")],
      reply: "`OK`; refused while a role or a management link names it", effect: .write, isVersioned: true,
      rights: .admin,
      needs: .permission(.accountManage, over: .group(1)), route: .directory, body: .decide(groupDelete)),
  ]

  @Sendable private static func groupCreate(_ turn: Turn) throws(Halt) {
    let name = try Turn.title(try turn.text(1, "name"), "name")
    let view = try turn.directoryState().state.view
    let workspace = try turn.workspace()
    try turn.requireFree(group: name, in: workspace.id)
    try Limits.groups.check(
      "groups", ofWorkspace: view.tables.groups.groups(of: workspace.id).count, ofAll: view.tables.groups.rows.count,
      note: ", deleted ones included")
    let external = try turn.option("EXTERNAL") ?? ""
    try turn.requireFree(externalID: external, ofGroup: nil, in: workspace.id)
    var group = AccountGroup(
      id: GroupID(view.tables.groups.rows.count + 1), workspace: workspace.id, name: name, created: turn.now)
    turn.emit(GroupCreated(group.id, workspace.id, name: name))
    if !external.isEmpty {
      turn.emit(GroupExternalSet(group, new: external))
      group.set(externalID: external)
    }
    turn.show(group)
  }

  @Sendable private static func groupGet(_ turn: Turn) throws(Halt) { turn.show(try turn.group(1)) }

  @Sendable private static func groupRename(_ turn: Turn) throws(Halt) {
    _ = try turn.directoryState()
    let group = try turn.group(1)
    try turn.checkVersion(group.version)
    let name = try Turn.title(try turn.text(2, "name"), "name")
    try turn.requireFree(group: name, in: group.workspace, besides: group.id)
    if name != group.name { turn.emit(GroupRenamed(group, new: name)) }
    turn.reply.ok()
  }

  @Sendable private static func groupExternal(_ turn: Turn) throws(Halt) {
    _ = try turn.directoryState()
    let group = try turn.group(1)
    try turn.checkVersion(group.version)
    let external = try turn.text(2, "external-id")
    try turn.requireFree(externalID: external, ofGroup: group.id, in: group.workspace)
    if external != group.externalID { turn.emit(GroupExternalSet(group, new: external)) }
    turn.reply.ok()
  }

  @Sendable private static func groupAdd(_ turn: Turn) throws(Halt) {
    _ = try turn.directoryState()
    let group = try turn.group(1)
    try turn.checkVersion(group.version)
    let accounts = try turn.accounts(of: group)
    let new = accounts.filter { !group.contains($0.id) }
    guard group.members.count + new.count <= Limits.accountsOfGroup else {
      throw .refused(.limit("accounts: a group has at most \(Limits.accountsOfGroup)"))
    }
    for account in new {
      try turn.requireNoGain(of: group, by: account)
      turn.emit(AccountJoinedGroup(group, account.id))
    }
    turn.reply.integer(new.count)
  }

  @Sendable private static func groupRemove(_ turn: Turn) throws(Halt) {
    _ = try turn.directoryState()
    let group = try turn.group(1)
    try turn.checkVersion(group.version)
    let old = try turn.accounts(of: group).filter { group.contains($0.id) }
    for account in old { turn.emit(AccountLeftGroup(group, account.id)) }
    turn.reply.integer(old.count)
  }

  @Sendable private static func groupList(_ turn: Turn) throws(Halt) {
    turn.read(turn.directory.lsn)
    let after = try turn.cursor(of: 1).map { GroupID(clamping: $0.numbers[0]) } ?? 0
    let count = try turn.listCount()
    var found: [GroupID] = []
    let reach = turn.has("WORKSPACE") ? Reach.only([try turn.workspace().id]) : turn.knownWorkspaces
    if case .only(let workspaces, _) = reach {
      // W4: whoever knows some workspaces is not even led past the rows of others.
      for workspace in workspaces {
        let all = turn.directory.tables.groups.groups(of: workspace)
        found += all[all.partitioningIndex(above: after)...].prefix(Limits.rowsOfDirectory)
      }
      found = Array(found.sorted().prefix(Limits.rowsOfDirectory))
    } else if Int(after) < turn.directory.tables.groups.rows.count {
      found += (after + 1...GroupID(turn.directory.tables.groups.rows.count)).prefix(Limits.rowsOfDirectory)
    }
    let shown = found.compactMap(turn.directory.group)
      .filter { !$0.isDeleted && turn.knows(turn.site(of: $0)) }.prefix(count)
    turn.reply.array(2)
    let end = shown.count == count ? shown.last?.id : found.count == Limits.rowsOfDirectory ? found.last : nil
    turn.reply.text(end.map { ListCursor([UInt64($0)]).text } ?? ListCursor.end)
    turn.reply.array(shown.count)
    for group in shown { turn.show(group) }
  }

  @Sendable private static func groupDelete(_ turn: Turn) throws(Halt) {
    let cells = try turn.everything()
    _ = try turn.directoryState()
    let group = try turn.group(1)
    try turn.checkVersion(group.version)
    try turn.requireUnreferred(group, in: cells)
    turn.emit(GroupDeleted(group))
    turn.reply.ok()
  }
}

extension Turn {
  /// Refuses an identifier of a provisioning system that another group of the workspace has.
  fileprivate func requireFree(
    externalID: String, ofGroup own: GroupID?, in workspace: WorkspaceID
  ) throws(Halt) {
    try RoleLabel.check(externalID: externalID)
    guard !externalID.isEmpty else { return }
    for id in directory.tables.groups.groups(of: workspace) where id != own {
      guard let other = directory.group(id), !other.isDeleted, other.externalID == externalID else { continue }
      throw .refused(.conflict("external-id: \(externalID) is that of the group \(other.name)"))
    }
  }

  fileprivate func show(_ group: AccountGroup) {
    reply.map(7)
    reply.text("id")
    reply.integer(group.id)
    reply.text("name")
    reply.text(group.name)
    reply.text("workspace")
    reply.text(directory.workspace(group.workspace).name)
    reply.text("created")
    reply.integer(group.created)
    reply.text("version")
    reply.integer(group.version)
    reply.text("accounts")
    reply.integer(group.members.count)
    reply.text("external-id")
    if group.externalID.isEmpty { reply.null() } else { reply.text(group.externalID) }
  }

  /// The accounts that the words after a group name, each once. They are of the group's workspace, and the caller's to manage.
  fileprivate func accounts(of group: AccountGroup) throws(Halt) -> [Account] {
    var accounts: [Account] = []
    for word in positional.dropFirst() {
      let name = try text(word, "account", limit: Limits.titleBytes + Limits.nameBytes)
      let account = try account(named: name, of: group)
      try require(.accountManage, over: site(of: account))
      if !accounts.contains(where: { $0.id == account.id }) { accounts.append(account) }
    }
    return accounts
  }

  /// A name means an account of the group's workspace, whether that is named or not.
  private func account(named name: String, of group: AccountGroup) throws(Halt) -> Account {
    let isShort =
      directory.accountID(name, in: group.workspace) != nil
      || !(Self.isID(name) || name.utf8.contains(UInt8(ascii: "/")))
    let account = try account(named: name, in: isShort ? group.workspace : nil)
    guard account.workspace == group.workspace else {
      throw .refused(.syntax("the account \(name) and the group \(group.name) are of different workspaces"))
    }
    return account
  }

  /// Nobody puts an account into a group over which they have power, to have it over the account's people too.
  fileprivate func requireNoGain(of group: AccountGroup, by account: Account) throws(Halt) {
    let site = site(of: account)
    for side in sides {
      for gain in try gains(of: side, by: { $0.isOverAccounts(of: group) }) {
        let held = side.holdings.filter { $0.covers(site, gain.permission) }
        try requireHeld(gain, by: held, over: "the account \(directory.accountName(account.id))", "group")
      }
    }
  }
}

extension Holding {
  /// Whether it is over the accounts of a group.
  fileprivate func isOverAccounts(of group: AccountGroup) -> Bool {
    if case .group(let held, _) = employers { held.id == group.id } else { false }
  }
}
