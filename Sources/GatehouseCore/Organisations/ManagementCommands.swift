extension CommandTable {
  private static let link: [Argument] = [
    .word("user"), .word("kind"), .word("managed"), .option("WORKSPACE", "workspace"),
  ]

  static let managementCommands: [CommandSpec] = [
    CommandSpec(
      "MANAGE.ADD", .organisation, "Have a user look after a user, an account or an account group", link,
      reply:
        "1, or 0 where that is so already; kinds are USER, ACCOUNT and GROUP. A link alone gives no right. To somebody"
        + " with the role manager over the workspace, or everywhere, it gives that role over the people whom the account,"
        + " or those of the group, employ today; one to a user gives none",
      effect: .write, isVersioned: true, rights: .admin,
      needs: .permission(.employmentManage, over: .management(user: 1, target: 2)),
      route: .user(1), body: .decide(manageAdd)),
    CommandSpec(
      "MANAGE.REMOVE", .organisation, "Have a user look after somebody no longer", link,
      reply: "1, or 0 where that was not so", effect: .write, isVersioned: true, rights: .admin,
      needs: .permission(.employmentManage, over: .management(user: 1, target: 2)), route: .user(1),
      body: .decide(manageRemove)),
    CommandSpec(
      "MANAGE.LIST", .organisation, "Whom and what a user looks after",
      [.word("user"), .option("WORKSPACE", "workspace")],
      reply: "an array of maps `kind, id, name, workspace`; a user whom the caller may not see has no name",
      needs: .permission(.userRead, over: .user(1), own: .userRead), route: .user(1), body: .decide(manageList)),
  ]

  @Sendable private static func manageAdd(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    let link = try turn.managementLink(2, of: user)
    try turn.requireMember(user, of: link.workspace)
    let links = user.management
    let isThere = try !turn.links(of: user, like: link).isEmpty
    turn.reply.flag(!isThere)
    if isThere { return }
    guard links.count < Limits.managementOfUser else {
      throw .refused(.limit("management: a user looks after at most \(Limits.managementOfUser)"))
    }
    turn.emit(ManagementAdded(user.id, link))
  }

  @Sendable private static func manageRemove(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    let link = try turn.managementLink(2, of: user)
    let links = try turn.links(of: user, like: link)
    turn.reply.flag(!links.isEmpty)
    for link in links { turn.emit(ManagementRemoved(user.id, link)) }
  }

  @Sendable private static func manageList(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    turn.read(turn.directory.lsn)
    let workspace = turn.has("WORKSPACE") ? try turn.workspace().id : nil
    let card = UserCard(user, turn.seen(of: user), turn)
    let held = card.management.filter { workspace == nil || $0.workspace == workspace }
    try turn.hold(
      Set(
        held.compactMap { link in
          if case .user(let id) = link.target { turn.partitioning.partition(of: id) } else { nil }
        }))
    var links: [ManagementLink] = []
    for link in held {
      let link = try turn.meant(by: link)
      if !links.contains(link) { links.append(link) }
    }
    turn.reply.array(links.count)
    for link in links {
      turn.reply.map(4)
      turn.reply.text("kind")
      switch link.target {
      case .user(let id):
        let managed = try turn.user(id)
        turn.reply.text("user")
        turn.reply.text("id")
        turn.reply.integer(id.raw)
        turn.reply.text("name")
        turn.reply.optional(managed.flatMap { turn.mayName($0) ? $0.username : nil })
      case .account(let id):
        turn.reply.text("account")
        turn.reply.text("id")
        turn.reply.integer(id)
        turn.reply.text("name")
        turn.reply.text(turn.directory.accountName(id))
      case .group(let id):
        turn.reply.text("group")
        turn.reply.text("id")
        turn.reply.integer(id)
        turn.reply.text("name")
        turn.reply.text(turn.directory.groupName(id))
      }
      turn.reply.text("workspace")
      turn.reply.text(turn.directory.workspace(link.workspace).name)
    }
  }
}

extension Turn {
  private enum Managed {
    case user(UserReference, in: Workspace)
    case account(Account)
    case group(AccountGroup)
  }

  /// What the words behind a kind name.
  private func managed(_ word: Int) throws(Halt) -> Managed {
    switch try text(word, "kind", limit: Limits.nameBytes).folded {
    case "user": return .user(try user(word + 1), in: try workspace())
    case "account": return .account(try account(word + 1))
    case "group": return .group(try group(word + 1))
    default: throw .refused(.syntax("kind must be USER, ACCOUNT or GROUP"))
    }
  }

  func siteOfManaged(_ word: Int) throws(Halt) -> Site {
    switch try managed(word) {
    case .user(_, let workspace): .workspace(workspace.id)
    case .account(let account): site(of: account)
    case .group(let group): site(of: group)
    }
  }

  /// The link that the words name, if the caller may make or remove it. One that a role can rest on is given and taken as
  /// a role is: by those who hold it themselves, and not while impersonating.
  fileprivate func managementLink(_ word: Int, of user: UserReference) throws(Halt) -> ManagementLink {
    try requireNotDeleted(user)
    try checkVersion(version(of: user))
    switch try managed(word) {
    case .user(let managed, let workspace):
      try require(.employmentManage, over: .workspace(workspace.id), of: managed)
      if managed.id == user.id { throw .refused(.syntax("nobody looks after themselves")) }
      if spec.name == "MANAGE.ADD" { try requireMember(managed, of: workspace.id) }
      return ManagementLink(.user(managed.id), in: workspace.id)
    case .account(let account):
      try requireManaging(site(of: account), isGiving: spec.name == "MANAGE.ADD")
      return ManagementLink(.account(account.id), in: account.workspace)
    case .group(let group):
      try requireManaging(site(of: group), isGiving: spec.name == "MANAGE.ADD")
      return ManagementLink(.group(group.id), in: group.workspace)
    }
  }

  /// The link that two words of `USER.CREATE` name, if the caller may make it for the user who is being added.
  func linkOfNewUser(_ word: Int) throws(Halt) -> ManagementLink {
    switch try managed(word) {
    case .user(let managed, let workspace):
      try require(.employmentManage, over: .workspace(workspace.id), of: managed)
      try requireMember(managed, of: workspace.id)
      return ManagementLink(.user(managed.id), in: workspace.id)
    case .account(let account):
      try require(.employmentManage, over: site(of: account))
      try requireManaging(site(of: account), isGiving: true)
      return ManagementLink(.account(account.id), in: account.workspace)
    case .group(let group):
      try require(.employmentManage, over: site(of: group))
      try requireManaging(site(of: group), isGiving: true)
      return ManagementLink(.group(group.id), in: group.workspace)
    }
  }

  /// The links of a user that name the same as another one. A link to a user is one to the person, under whichever login
  /// (L13, S12).
  fileprivate func links(of user: UserReference, like link: ManagementLink) throws(Halt) -> [ManagementLink] {
    guard case .user(let id) = link.target, let managed = try self.user(id) else {
      return user.management.filter { $0 == link }
    }
    let logins = Set(try logins(ofPerson: managed).map(\.id))
    return user.management.filter { held in
      if case .user(let id) = held.target { held.workspace == link.workspace && logins.contains(id) } else { false }
    }
  }

  /// A link with the login that somebody has by now.
  fileprivate func meant(by link: ManagementLink) throws(Halt) -> ManagementLink {
    guard case .user(let id) = link.target, let named = try user(id), named.row.status == .deleted else { return link }
    let kept = try lead(from: named)
    return ManagementLink(.user((kept.contactReference.user ?? kept).id), in: link.workspace)
  }

  /// Whether the caller may have a user look after something.
  func requireGiving(_ link: ManagementLink, to user: UserReference) throws(Halt) {
    guard user.management.count < Limits.managementOfUser else {
      throw .refused(.limit("management: a user looks after at most \(Limits.managementOfUser)"))
    }
    guard let scope = link.scope else {
      guard case .user(let id) = link.target else { return }
      return try require(.employmentManage, over: .workspace(link.workspace), of: try self.user(id))
    }
    try require(.employmentManage, over: site(of: scope), of: user)
    try requireManaging(site(of: scope), isGiving: true)
  }

  private func requireManaging(_ site: Site, isGiving: Bool) throws(Halt) {
    guard isLimited else { return }
    try requireOwnLogin(toChange: .managementLinks)
    try requireGiving(
      .manager, over: site, until: isGiving ? .max : now, to: "have somebody manage it",
      instead: "ask somebody whose rights have no end")
  }
}
