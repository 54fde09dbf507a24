/// What a row of a file gives a user in the columns with several values, and the options of `USER.CREATE` that say it: so
/// the user comes with all of it, or is refused.
package struct PersonTies: Sendable {
  package let accesses: [AccessValue]
  package let licences: [Licence]
  package let roles: [RoleValue]
  package let employments: [EmploymentValue]
  /// The account whose employment is the main one.
  package let main: String?
  /// The account over which a manager's role holds that does not say more (L22).
  private let frame: String?
  package let managed: [ManagedValue]
  package let provisioned: [ProvisionedCell]
  private let workspace: String

  package struct Licence: Sendable {
    package let product: String
    package let type: String
  }

  /// - Parameters:
  ///   - workspace: the one in which the user is made.
  ///   - products: those of a row that names none, and so for the roles.
  ///   - text: the cell of a column; nil for an empty one.
  package init(
    in workspace: String, products: [String] = [], roles: [String] = [], _ text: (PersonColumn) -> String?
  ) throws(ColumnFault) {
    self.workspace = workspace
    func values<Value>(
      _ column: PersonColumn, elseOf usual: [String] = [], _ read: (String) throws(CellFault) -> [Value]
    ) throws(ColumnFault) -> [Value] {
      do throws(CellFault) {
        return try read(text(column) ?? usual.joined(separator: ";"))
      } catch {
        throw ColumnFault(column: column, reason: error.reason)
      }
    }
    let accesses = try values(.products, elseOf: products, PersonColumn.accesses(in:))
    self.accesses = accesses
    self.roles = try values(.roles, elseOf: roles, PersonColumn.roles(in:))
    licences = try Self.licences(try values(.licences, PersonColumn.licences(in:)), accesses.map(\.product))
    managed = try values(.manages, PersonColumn.managed(in:))
    provisioned = try values(.provisioned, PersonColumn.provisioned(in:))
    let account = text(.account).flatMap { account in
      let name = Self.plain(account, in: workspace)
      return name == Self.guest ? nil : account
    }
    var employments = try values(.employments, PersonColumn.employments(in:))
    // By a set: a cell has room for some thousand names.
    var named: Set<String> = []
    for one in employments where !named.insert(Self.plain(one.account, in: workspace)).inserted {
      throw ColumnFault(column: .employments, reason: "\(one.account) is named twice")
    }
    let first = employments.first { $0.isMain } ?? (account == nil ? employments.first : nil)
    let main = first?.account ?? account
    if let account, !employments.isEmpty,
      !employments.contains(where: { Self.isSame($0.account, account, in: workspace) })
    {
      employments.append(EmploymentValue(account: account, days: .open))
    }
    self.employments = employments
    self.main = main
    frame = account ?? main
  }

  /// Each is `product:type`, or the type alone in a row with one product.
  private static func licences(_ words: [String], _ products: [String]) throws(ColumnFault) -> [Licence] {
    var licences: [Licence] = []
    for word in words {
      let parts = word.split(separator: ":", maxSplits: 1).map(String.init)
      if parts.count == 2 {
        licences.append(Licence(product: parts[0], type: parts[1]))
      } else if products.count == 1 {
        licences.append(Licence(product: products[0], type: word))
      } else {
        throw ColumnFault(
          column: .licences, reason: "the licence '\(word)' does not say of which product; write product:\(word)")
      }
    }
    return licences
  }

  // MARK: Names

  /// A name as the server compares it, without the workspace in front.
  private static func plain(_ name: String, in workspace: String) -> String {
    let (name, prefix) = (FoldedName(name).text, FoldedName("\(workspace)/").text)
    return name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
  }

  private static let guest = FoldedName(GuestAccount.name).text

  private static func isSame(_ one: String, _ other: String, in workspace: String) -> Bool {
    plain(one, in: workspace) == plain(other, in: workspace)
  }

  /// Whether two names mean the same account, group or product of the workspace.
  package func isSame(_ one: String, _ other: String) -> Bool { Self.isSame(one, other, in: workspace) }

  // MARK: Options

  /// The options of `USER.CREATE`. Rows that need none but the first ones are most, and cost the server least.
  ///
  /// - Parameter isLooking: whether a link to a user is made with the user, and not when all rows are done.
  package func words(linking isLooking: (ManagedValue) -> Bool = { _ in false }) -> [String] {
    var words: [String] = []
    for access in accesses { words += access.isPlain ? ["PRODUCT", access.product] : ["ACCESS"] + access.words }
    for licence in licences { words += ["LICENCE", licence.product, licence.type] }
    words += wordsOfRoles
    if let main { words += ["ACCOUNT", main] }
    for employment in employments {
      if employment.days == .open, let main, isSame(employment.account, main) { continue }
      words += ["EMPLOYED", employment.account] + employment.days.words
    }
    for value in managed where value.kind != .user || isLooking(value) {
      words += ["MANAGES", value.kind.rawValue, value.name]
    }
    for value in provisioned { words += ["PROVISION", value.attribute, value.value] }
    return words
  }

  private var wordsOfRoles: [String] {
    guard needsGrants else {
      // An import into a workspace gives nobody power over others, unless the row says so.
      return roles.flatMap { ["ROLE", $0.role] } + (roles.first?.scope == .usual ? ["WITHIN"] : [])
    }
    return roles.flatMap { ["GRANT", $0.role, scope(of: $0)] + $0.limits.words }
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

  private static func isManager(_ role: RoleValue) -> Bool { FoldedName(role.role).text == Role.manager.name }

  /// The scope of a role, as `GRANT` takes it and `ROLE.LIST` shows it; `workspace` alone for that of the import.
  package func scope(of role: RoleValue) -> String {
    switch role.scope {
    case .usual:
      if Self.isManager(role), let frame { "account \(frame)" } else { "workspace" }
    case .workspace: "workspace"
    case .everywhere: "everywhere"
    case .part(let kind, let name): "\(kind) \(name)"
    }
  }
}
