/// What `USER.CREATE` gives a new user with days, limits and scopes of their own, in one record with the user: what
/// `EMPLOY.ADD`, `PRODUCT.ENABLE`, `ROLE.GRANT` and `MANAGE.ADD` give somebody who is there. So a person comes with all of
/// it or not at all.
struct NewUserTies {
  static let options: [Argument] = [
    .option("EMPLOYED", parts: ["account", "from", "to"], repeats: true),
    .option("ACCESS", parts: ["product", "state", "from", "until"], repeats: true),
    .option("GRANT", parts: ["role", "scope", "from", "until"], repeats: true),
    .option("MANAGES", parts: ["kind", "managed"], repeats: true),
  ]

  /// None of them is marked as the main one yet.
  private(set) var employments: [Employment] = []
  private(set) var accesses: [(product: Product, access: ProductAccess)] = []
  /// None of them is marked as the main one yet.
  private(set) var grants: [Grant] = []
  private(set) var links: [ManagementLink] = []

  /// - Parameter zone: the new user's, in which the days of limits in a workspace begin and end.
  init(_ turn: Turn, in workspace: Workspace, zone: (WorkspaceID) throws(Halt) -> Zone) throws(Halt) {
    for words in try turn.options("EMPLOYED") {
      let employment = try Self.employment(words, zone, turn)
      guard !employments.contains(where: { $0.account == employment.account }) else {
        throw .refused(.syntax("EMPLOYED names \(words[0]) twice", of: "EMPLOYED"))
      }
      employments.append(employment)
    }
    for words in try turn.options("ACCESS") {
      let product = try turn.product(named: words[0], ofNewUserIn: workspace)
      var access = try Self.access(words[1], to: product.id)
      access.limits = try turn.timeLimits(from: words[2], until: words[3]) { () throws(Halt) in
        try zone(product.workspace)
      }
      guard access.isEnabled || access.limits.isNone else {
        throw .refused(.syntax("ACCESS: a product that is OFF has no limits; give none for both", of: "ACCESS"))
      }
      accesses.append((product, access))
    }
    for words in try turn.options("GRANT") {
      let scope = try turn.scope(named: words[1], ofNewUserIn: workspace)
      let role = try turn.role(words[0], in: scope)
      let limits = try turn.timeLimits(from: words[2], until: words[3]) { () throws(Halt) in
        try zone(turn.directory.workspace(of: scope) ?? workspace.id)
      }
      grants.append(Grant(role: role, scope: scope, isMain: false, limits: limits))
    }
    for words in turn.wordsOfEach("MANAGES") {
      let link = try turn.linkOfNewUser(words.lowerBound)
      if links.contains(link) { continue }
      // Before the next is looked up: a command has room for many more.
      guard links.count < Limits.managementOfUser else {
        throw .refused(.limit("management: a user looks after at most \(Limits.managementOfUser)"))
      }
      links.append(link)
    }
  }

  /// The workspaces of which a user must be a member for it.
  var workspaces: Set<WorkspaceID> { Set(employments.map(\.workspace) + links.map(\.workspace)) }

  private static func employment(
    _ words: [String], _ zone: (WorkspaceID) throws(Halt) -> Zone, _ turn: Turn
  ) throws(Halt) -> Employment {
    let account = try turn.account(named: words[0], in: turn.has("WORKSPACE") ? try turn.workspace().id : nil)
    guard GuestAccount.workspace(of: account.id) == nil else { throw .refused(Turn.nobodyIsEmployed(at: account)) }
    func day(_ text: String) throws(Halt) -> Int32? {
      if text.lowercased() == "none" { return nil }
      if let day = TimeText.dayNumber(text) { return try Turn.day(ofEmployment: day, "EMPLOYED") }
      guard let time = TimeText.timeOfDay(text) else {
        throw .refused(.syntax("EMPLOYED: '\(text)' is not a day, such as 2026-03-01, or none", of: "EMPLOYED"))
      }
      return max(0, try zone(account.workspace).rules.day(at: time))
    }
    let from = try day(words[1])
    let to = try day(words[2])
    if let from, let to, to < from {
      throw .refused(
        .syntax("EMPLOYED: \(words[2]), the last day, is before \(words[1]), the first one", of: "EMPLOYED"))
    }
    return Employment(account.id, of: account.workspace, from: from, to: to)
  }

  private static func access(_ state: String, to product: ProductID) throws(Halt) -> ProductAccess {
    switch state.folded {
    case "admin": return ProductAccess(product: product, isEnabled: true, isAdministrator: true)
    case "regular": return ProductAccess(product: product, isEnabled: true)
    case "off": return ProductAccess(product: product, isEnabled: false)
    case "off-admin": return ProductAccess(product: product, isEnabled: false, isAdministrator: true)
    default:
      throw .refused(.syntax("ACCESS: the state is ADMIN, REGULAR, OFF or OFF-ADMIN, not '\(state)'", of: "ACCESS"))
    }
  }
}

extension Turn {
  /// A product's name without a workspace means one of the workspace of a new user, if that has such a product.
  func product(named name: String, ofNewUserIn workspace: Workspace) throws(Halt) -> Product {
    if workspace.id != mainWorkspace, !name.contains("/") {
      var qualified = "\(workspace.name)/\(name)"
      if let id = qualified.withUTF8({ directory.productID(UnsafeRawBufferPointer($0)) }),
        let product = directory.product(id), product.workspace == workspace.id
      {
        return product
      }
    }
    return try product(named: name)
  }

  /// A scope as lists show it: `everywhere`, `workspace acme`, `product payroll`, `account Widgets`, `group North`;
  /// `workspace` alone is that of the new user.
  fileprivate func scope(named text: String, ofNewUserIn workspace: Workspace) throws(Halt) -> Scope {
    let parts = text.split(separator: " ", maxSplits: 1).map(String.init)
    let kind = (parts.first ?? "").folded
    if parts.count == 1 {
      if kind == "everywhere" { return .everywhere }
      if kind == "workspace" { return .workspace(workspace.id) }
    } else if parts.count == 2 {
      switch kind {
      case "workspace": return .workspace(try self.workspace(named: parts[1]).id)
      case "product": return .product(try product(named: parts[1], ofNewUserIn: workspace).id)
      case "account":
        let account = try account(named: parts[1], in: workspace.id)
        return .account(account.id, of: account.workspace)
      case "group":
        let group = try group(named: parts[1], in: workspace.id)
        return .group(group.id, of: group.workspace)
      default: break
      }
    }
    throw .refused(
      .syntax(
        "GRANT: the scope '\(text)' is none; give everywhere, workspace, or one of workspace, product, account and group"
          + " with a name, as one word", of: "GRANT"))
  }
}
