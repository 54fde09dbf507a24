import GatehouseCore

/// What a row gives a user in the columns with several values, and the options of `USER.CREATE` that say it: so the user
/// comes with all of it, or is refused.
struct RowTies {
  let accesses: [AccessValue]
  let licences: [Licence]
  let roles: [RoleValue]
  let employments: [EmploymentValue]
  /// The account whose employment is the main one.
  let main: String?
  /// The account over which a manager's role holds that does not say more (L22).
  let frame: String?
  let managed: [ManagedValue]
  private let workspace: String

  struct Licence {
    let product: String
    let type: String
  }

  init(_ row: PersonRow, _ settings: ImportSettings) throws(RowFault) {
    workspace = settings.workspace
    let accesses = try row.values(.products, elseOf: settings.products, PersonColumn.accesses(in:))
    self.accesses = accesses
    roles = try row.values(.roles, elseOf: settings.roles, PersonColumn.roles(in:))
    licences = try Self.licences(row, accesses.map(\.product))
    managed = try row.values(.manages, PersonColumn.managed(in:))
    let account = row.text(.account).flatMap { account in
      let name = Self.plain(account, in: settings.workspace)
      return name == GuestAccount.name.caseFolded ? nil : account
    }
    var employments = try row.values(.employments, PersonColumn.employments(in:))
    for (index, one) in employments.enumerated()
    where employments[..<index].contains(where: { Self.isSame($0.account, one.account, in: settings.workspace) }) {
      throw RowFault(column: row.cell(.employments)?.source.header, reason: "\(one.account) is named twice")
    }
    let first = employments.first { $0.isMain } ?? (account == nil ? employments.first : nil)
    let main = first?.account ?? account
    if let account, !employments.isEmpty,
      !employments.contains(where: { Self.isSame($0.account, account, in: settings.workspace) })
    {
      employments.append(EmploymentValue(account: account, days: .open))
    }
    self.employments = employments
    self.main = main
    frame = account ?? main
  }

  /// Each is `product:type`, or the type alone in a row with one product.
  private static func licences(_ row: PersonRow, _ products: [String]) throws(RowFault) -> [Licence] {
    var licences: [Licence] = []
    for word in try row.values(.licences, PersonColumn.licences(in:)) {
      let parts = word.split(separator: ":", maxSplits: 1).map(String.init)
      if parts.count == 2 {
        licences.append(Licence(product: parts[0], type: parts[1]))
      } else if products.count == 1 {
        licences.append(Licence(product: products[0], type: word))
      } else {
        throw RowFault(
          column: row.cell(.licences)?.source.header,
          reason: "the licence '\(word)' does not say of which product; write product:\(word)")
      }
    }
    return licences
  }

  // MARK: Names

  /// A name as the server compares it, without the workspace in front.
  private static func plain(_ name: String, in workspace: String) -> String {
    let (name, prefix) = (name.caseFolded, "\(workspace)/".caseFolded)
    return name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
  }

  private static func isSame(_ one: String, _ other: String, in workspace: String) -> Bool {
    plain(one, in: workspace) == plain(other, in: workspace)
  }

  /// Whether two names mean the same account, group or product of the workspace.
  func isSame(_ one: String, _ other: String) -> Bool { Self.isSame(one, other, in: workspace) }

  // MARK: Options

  /// Adds the options. Rows that need none but the first ones are most, and cost the server least.
  func add(to request: inout RequestBuilder) {
    for access in accesses {
      if access.isPlain {
        request.add(words: "PRODUCT", access.product)
      } else {
        request.add("ACCESS")
        for word in access.words { request.add(word) }
      }
    }
    for licence in licences { request.add(words: "LICENCE", licence.product, licence.type) }
    addRoles(to: &request)
    if let main { request.add(words: "ACCOUNT", main) }
    for employment in employments {
      if employment.days == .open, let main, isSame(employment.account, main) { continue }
      request.add(words: "EMPLOYED", employment.account)
      for word in employment.days.words { request.add(word) }
    }
    for value in managed where value.kind != .user { request.add(words: "MANAGES", value.kind.rawValue, value.name) }
  }

  private func addRoles(to request: inout RequestBuilder) {
    guard needsGrants else {
      for role in roles { request.add(words: "ROLE", role.role) }
      // An import into a workspace gives nobody power over others, unless the row says so.
      if let role = roles.first, role.scope == .usual { request.add("WITHIN") }
      return
    }
    for role in roles {
      request.add(words: "GRANT", role.role, scope(of: role))
      for word in role.limits.words { request.add(word) }
    }
  }

  /// Whether the roles say more than `ROLE` can, which gives all of them alike.
  private var needsGrants: Bool {
    let isAlike = roles.allSatisfy { $0.scope == .usual } || roles.allSatisfy { $0.scope == .everywhere }
    if !isAlike || roles.contains(where: { $0.limits != .open }) { return true }
    // `ROLE manager` is over the main account, if there is one.
    return roles.contains { role in
      guard Self.isManager(role), let main else { return false }
      return role.scope == .everywhere || frame.map { !isSame($0, main) } ?? false
    }
  }

  private static func isManager(_ role: RoleValue) -> Bool { role.role.caseFolded == Role.manager.name }

  /// The scope of a role, as `GRANT` takes it and `ROLE.LIST` shows it; `workspace` alone for that of the import.
  func scope(of role: RoleValue) -> String {
    switch role.scope {
    case .usual:
      if Self.isManager(role), let frame { "account \(frame)" } else { "workspace" }
    case .workspace: "workspace"
    case .everywhere: "everywhere"
    case .part(let kind, let name): "\(kind) \(name)"
    }
  }
}
