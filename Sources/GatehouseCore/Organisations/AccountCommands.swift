extension CommandTable {
  static let accountCommands: [CommandSpec] = [
    CommandSpec(
      "ACCOUNT.CREATE", .organisation, "Add an account: an employer, be it a training provider or a customer",
      [.word("name"), .word("type"), .option("WORKSPACE", "workspace")],
      reply:
        "a map `id, name, type, workspace, created, version`; types are PROVIDER and CUSTOMER. The Guest Account of"
        + " those without an employer is there by itself",
      effect: .write, rights: .admin, needs: .permission(.accountManage, over: .newAccount), route: .directory,
      body: .decide(accountCreate)),
    CommandSpec(
      "ACCOUNT.GET", .organisation, "An account", [.word("account"), .option("WORKSPACE", "workspace")],
      reply: "a map `id, name, type, workspace, created, version, groups`",
      needs: .permissions([.accountManage, .userRead], over: .account(1)), route: .directory,
      body: .decide(accountGet)),
    CommandSpec(
      "ACCOUNT.SET", .organisation, "Set the name or the type of an account",
      [
        .word("account"), .word("key"), .word("value"), .pairs("key", "value"),
        .option("WORKSPACE", "workspace"),
      ],
      reply: "how many settings changed; keys are name and type", effect: .write, isVersioned: true, rights: .admin,
      needs: .permission(.accountManage, over: .account(1)), route: .directory, body: .decide(accountSet)),
    CommandSpec(
      "ACCOUNT.LIST", .organisation, "The accounts, in the order they were made, the Guest Accounts last",
      [
        .option("WORKSPACE", "workspace"), .option("GROUP", "group"), .option("CURSOR", "cursor"),
        .option("COUNT", "n", .integer),
      ],
      reply:
        "`[cursor, items]`, maps `id, name, type, workspace, created, version`; with GROUP those of the group. A page"
        + " may have fewer items than COUNT while the cursor goes on",
      needs: .permissions([.accountManage, .userRead], over: .anything), route: .directory,
      body: .decide(accountList)),
    CommandSpec(
      "ACCOUNT.DELETE", .organisation, "Delete an account; refused while something refers to it",
      [.word("account"), .option("WORKSPACE", "workspace")],
      reply:
        "`OK`; refused while somebody is or will be employed there, a role or a management link names it, or it is in"
        + " a group. Past employments keep its name",
      effect: .write, isVersioned: true, rights: .admin, needs: .permission(.accountManage, over: .account(1)),
      route: .directory,
      body: .decide(accountDelete)),
  ]

  @Sendable private static func accountCreate(_ turn: Turn) throws(Halt) {
    let name = try Turn.title(try turn.text(1, "name"), "name")
    let kind = try turn.accountKind(2)
    let view = try turn.directoryState().state.view
    let workspace = try turn.workspace()
    try turn.requireFree(account: name, in: workspace.id)
    try Limits.accounts.check(
      "accounts", ofWorkspace: view.tables.accounts.accounts(of: workspace.id).count,
      ofAll: view.tables.accounts.rows.count, note: ", deleted ones included")
    let account = Account(
      id: AccountID(view.tables.accounts.rows.count + 1), workspace: workspace.id, name: name, kind: kind,
      created: turn.now)
    turn.emit(AccountCreated(account.id, workspace.id, name: name, kind))
    turn.reply.map(6)
    turn.describe(account)
  }

  @Sendable private static func accountGet(_ turn: Turn) throws(Halt) {
    let account = try turn.account(1)
    let groups = turn.directory.groups(of: account).filter { turn.knows(turn.site(of: $0)) }
    turn.reply.map(7)
    turn.describe(account)
    turn.reply.text("groups")
    turn.reply.array(groups.count)
    for group in groups { turn.reply.text(turn.directory.groupName(group.id)) }
  }

  @Sendable private static func accountSet(_ turn: Turn) throws(Halt) {
    _ = try turn.directoryState()
    var account = try turn.account(1)
    try turn.checkVersion(account.version)
    var changes: [AccountSet] = []
    for (word, value) in try turn.pairs(of: "key") {
      let key = try turn.text(word, "key", limit: Limits.nameBytes).folded
      guard Account.keys.contains(key) else {
        throw .refused(.syntax("no key '\(key)'; keys are \(Account.keys.joined(separator: ", "))"))
      }
      guard !changes.contains(where: { $0.key == key }) else { throw .refused(.syntax("\(key) is given twice")) }
      let new: String
      if key == "name" {
        new = try Turn.title(try turn.text(value, key), key)
        try turn.requireFree(account: new, in: account.workspace, besides: account.id)
      } else {
        new = try turn.accountKind(value).name
      }
      let old = account.text(key)
      if old == new { continue }
      changes.append(AccountSet(account, key: key, old: old, new: new))
      account.set(key, to: new)
    }
    for change in changes { turn.emit(change) }
    turn.reply.integer(changes.count)
  }

  @Sendable private static func accountList(_ turn: Turn) throws(Halt) {
    turn.read(turn.directory.lsn)
    let after = try turn.cursor(of: 1).map { AccountID(clamping: $0.numbers[0]) } ?? 0
    let count = try turn.listCount()
    let found = try turn.accounts(after: after, limit: Limits.rowsOfDirectory)
    let shown = found.compactMap(turn.directory.account)
      .filter { !$0.isDeleted && turn.knows(turn.site(of: $0)) }.prefix(count)
    turn.reply.array(2)
    // Where the page is full it goes on behind its last item, else behind what was looked at.
    let end = shown.count == count ? shown.last?.id : found.count == Limits.rowsOfDirectory ? found.last : nil
    turn.reply.text(end.map { ListCursor([UInt64($0)]).text } ?? ListCursor.end)
    turn.reply.array(shown.count)
    for account in shown {
      turn.reply.map(6)
      turn.describe(account)
    }
  }

  @Sendable private static func accountDelete(_ turn: Turn) throws(Halt) {
    let cells = try turn.everything()
    _ = try turn.directoryState()
    let account = try turn.account(1)
    try turn.checkVersion(account.version)
    guard GuestAccount.workspace(of: account.id) == nil else {
      throw .refused(
        .rule("account", "it is the account of those without an employer", instead: "leave it, or rename it"))
    }
    try turn.requireUnreferred(account, in: cells)
    if let group = turn.directory.groups(of: account).first {
      throw .refused(
        .rule(
          "account", "\(account.name) is in the group \(group.name)",
          instead: "take it out first with GROUP.REMOVE group account"))
    }
    turn.emit(AccountDeleted(account))
    turn.reply.ok()
  }
}

extension Turn {
  fileprivate func accountKind(_ word: Int) throws(Halt) -> Account.Kind {
    guard let kind = Account.Kind(named: try text(word, "type", limit: Limits.nameBytes)) else {
      throw .refused(.syntax("type must be PROVIDER or CUSTOMER"))
    }
    return kind
  }

  /// Six pairs that every view of an account has.
  fileprivate func describe(_ account: Account) {
    reply.text("id")
    reply.integer(account.id)
    reply.text("name")
    reply.text(account.name)
    reply.text("type")
    reply.text(account.kind.name)
    reply.text("workspace")
    reply.text(directory.workspace(account.workspace).name)
    reply.text("created")
    reply.integer(account.created)
    reply.text("version")
    reply.integer(account.version)
  }

  /// Accounts in the order of their numbers from the one behind `last` on, deleted and unknown ones among them.
  fileprivate func accounts(after last: AccountID, limit: Int) throws(Halt) -> [AccountID] {
    let given = has("WORKSPACE") ? try workspace().id : nil
    if let name = try option("GROUP") {
      return try group(named: name, in: given).accounts(after: last, limit: limit)
    }
    // W4: whoever knows some workspaces is not even led past the rows of others.
    if case .only(let workspaces, _) = given.map({ Reach.only([$0]) }) ?? knownWorkspaces {
      let found = workspaces.flatMap { workspace -> [AccountID] in
        let all = directory.tables.accounts.accounts(of: workspace)
        let guest = GuestAccount.id(of: workspace)
        return all[all.partitioningIndex(above: last)...].prefix(limit) + (last < guest ? [guest] : [])
      }
      return Array(found.sorted().prefix(limit))
    }
    var found: [AccountID] = []
    let rows = directory.tables.accounts.rows.count
    if Int(last) < rows { found += (last + 1...AccountID(rows)).prefix(limit) }
    let guest = GuestAccount.workspace(of: last) ?? 0
    let workspaces = WorkspaceID(directory.workspaces.count)
    if found.count < limit, guest < workspaces {
      found += (guest + 1...workspaces).prefix(limit - found.count).map(GuestAccount.id(of:))
    }
    return found
  }
}

extension PagedArray<AccountID> {
  /// The index of the first number above another; they stand in ascending order.
  func partitioningIndex(above number: AccountID) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] <= number { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
