/// The logins that a dry run would take or give.
extension Turn {
  struct TouchedLogins {
    fileprivate var listed: [TouchedLogin] = []
    /// How many people's logins are not in the list.
    fileprivate var leftOut = 0
  }

  fileprivate struct TouchedLogin {
    let user: UserReference
    /// Whether the command would make the user.
    let isNew: Bool
    let product: Product
    let before: LoginDenial?
    let after: LoginDenial?
  }

  func loginsTouched(_ prospect: Prospect) throws(Halt) -> TouchedLogins {
    var touched = TouchedLogins()
    var ids = Set(try peopleConcerned().map(\.id))
    for change in changes { if let created = change.as(UserCreated.self) { ids.insert(created.user) } }
    let products = productsRuledAnew(prospect)
    if !products.isEmpty {
      // What is asked of everybody who may enter a product can take the login of each.
      let search = LoginSearch(products, changes, directory, prospect.directory, sides, at: now)
      for raw in try foundLately(.logins(search)) { ids.insert(UserID(raw: raw)) }
    }
    let sorted = ids.sorted()
    try hold(sorted.prefix(Limits.loginsOfDryRun).map { partitioning.partition(of: $0) })
    for id in sorted.prefix(Limits.loginsOfDryRun) { try addLogins(of: id, prospect, to: &touched.listed) }
    touched.leftOut = max(0, sorted.count - Limits.loginsOfDryRun)
    return touched
  }

  /// The products of which the changes make other demands on whoever enters.
  private func productsRuledAnew(_ prospect: Prospect) -> Set<ProductID> {
    var products: Set<ProductID> = []
    for change in changes {
      if let pool = change.as(PoolSet.self) { products.insert(pool.product) }
      if let set = change.as(WorkspaceSet.self) { products.formUnion(directory.products(of: set.workspace)) }
    }
    return products.filter { product in
      let (old, new) = (directory.facts(ofProduct: product), prospect.directory.facts(ofProduct: product))
      let workspace = directory.workspace(old.workspace)
      let policies = prospect.directory.workspace(old.workspace).policies
      return old.needsLicence != new.needsLicence || workspace.policies != policies
    }
  }

  private func addLogins(
    of id: UserID, _ prospect: Prospect, to touched: inout [TouchedLogin]
  ) throws(Halt) {
    let old = try user(id)
    guard let new = try prospect.user(id, self) else { return }
    let accesses =
      (old?.cell.state.people.allAccess(of: new.serial) ?? []) + new.cell.state.people.allAccess(of: new.serial)
    for product in Set(accesses.map(\.product)).sorted() {
      guard let named = directory.product(product) ?? prospect.directory.product(product) else { continue }
      let before = old.map { $0.loginDenial(to: product, in: directory, at: now) } ?? .unknownUser
      let after = new.loginDenial(to: product, in: prospect.directory, at: now)
      guard (before == nil) != (after == nil), sides.mayAsk(old ?? new, named, in: directory, at: now) else { continue }
      touched.append(TouchedLogin(user: new, isNew: old == nil, product: named, before: before, after: after))
    }
  }

  func show(_ logins: TouchedLogins, _ prospect: Prospect) {
    func answer(_ denial: LoginDenial?) { reply.text(denial?.answer ?? "ALLOW") }
    reply.text("logins")
    reply.array(logins.listed.count)
    for login in logins.listed {
      reply.map(5)
      reply.text("user")
      reply.optional(login.isNew ? nil : Int64(login.user.id.raw))
      reply.text("username")
      reply.text(login.user.username)
      reply.text("product")
      reply.text(prospect.directory.productName(login.product))
      reply.text("before")
      answer(login.before)
      reply.text("after")
      answer(login.after)
    }
    reply.text("logins-left-out")
    reply.integer(logins.leftOut)
  }
}

extension [Side] {
  /// Whether all of them could ask for a user's login to a product.
  fileprivate func mayAsk(
    _ user: UserReference, _ product: Product, in directory: Directory, at now: Milliseconds
  ) -> Bool {
    let site = Site.product(product.id, of: product.workspace)
    return allSatisfy { $0.isOneself(user) || $0.allows(.userRead, over: site, of: user, in: directory, at: now) }
  }
}

/// Looks for people whose login to a product would change by other demands on whoever enters it.
public struct LoginSearch: Sendable, Equatable {
  private let products: [ProductID]
  private let changes: [AnyChange]
  private let before: Directory
  private let after: Directory
  /// Only people whom the caller may see are found.
  private let sides: [Side]
  private let now: Milliseconds

  init(
    _ products: Set<ProductID>, _ changes: [AnyChange], _ before: Directory, _ after: Directory, _ sides: [Side],
    at now: Milliseconds
  ) {
    self.products = products.sorted()
    self.changes = changes.filter(\.changesDirectory)
    self.before = before
    self.after = after
    self.sides = sides
    self.now = now
  }

  /// The rest follows from these: the same connection repeats the same command.
  public static func == (one: LoginSearch, other: LoginSearch) -> Bool {
    one.products == other.products && one.changes == other.changes
  }

  func finds(_ user: UserReference) -> Bool {
    products.contains { id in
      guard user.access(to: id) != nil, let product = before.product(id) ?? after.product(id) else { return false }
      let wasDenied = user.loginDenial(to: id, in: before, at: now) != nil
      return wasDenied != (user.loginDenial(to: id, in: after, at: now) != nil)
        && sides.mayAsk(user, product, in: before, at: now)
    }
  }
}
