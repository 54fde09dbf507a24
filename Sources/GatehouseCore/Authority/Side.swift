/// One of the parties whose rights a command needs: the service that sends it, the user, and in an impersonation the
/// actor too. All of them must hold the permission.
public struct Side: Sendable {
  public enum Kind: Sendable {
    /// A service that is bound to workspaces, or to products (W6).
    case service(ServiceID)
    case subject
    case actor
    /// The workspace that an impersonation is bound to (K4).
    case binding
  }

  let kind: Kind
  /// Whose own things are allowed without a grant; nil if the side is not a person.
  let person: Person?
  let holdings: [Holding]

  struct Person: Sendable {
    let id: UserID
    let contact: ContactID
    /// Those that were merged into it (L13).
    let merged: [ContactID]
    let memberships: [WorkspaceID]

    init(_ user: UserReference, at now: Milliseconds) {
      id = user.id
      contact = user.contactID
      merged = user.cell.state.people.merged(into: user.contact)
      memberships = user.memberships.filter { !user.isShutOut(of: $0, at: now) }
    }
  }

  /// A side bound to workspaces: it limits the others to those workspaces, and allows everything there.
  init(_ kind: Kind, boundTo workspaces: [WorkspaceID]) {
    self.kind = kind
    person = nil
    holdings = workspaces.map {
      Holding(permissions: .everything, scope: .workspace($0), workspace: $0, source: .binding)
    }
  }

  /// A service bound to products: it limits the others to these, and has the rights of an application over them.
  init(_ service: ServiceID, boundTo products: [Product]) {
    kind = .service(service)
    person = nil
    holdings = products.map {
      Holding(permissions: .productService, scope: .product($0.id), workspace: $0.workspace, source: .binding)
    }
  }

  /// - Parameter reach: what the other sides leave in reach. Grants elsewhere are ignored, and must not even affect how
  ///   something is refused (W4).
  init(_ kind: Kind, _ user: UserReference, within reach: Reach, in directory: Directory, at now: Milliseconds) {
    self.kind = kind
    person = Person(user, at: now)
    holdings = user.holdings(in: directory, at: now).filter { holding in
      guard let workspace = holding.workspace else { return true }
      // A right over a workspace is one over its products too.
      if case .product(let product) = holding.scope { return reach.contains(product, of: workspace) }
      return reach.touches(workspace)
    }
  }

  /// Somebody who has only what is their own, whatever roles they have.
  init(_ kind: Kind, withoutRolesOf user: UserReference, at now: Milliseconds) {
    self.kind = kind
    person = Person(user, at: now)
    holdings = []
  }

  var isBinding: Bool { if case .binding = kind { true } else { false } }

  var isService: Bool { if case .service = kind { true } else { false } }

  /// Whether it is a service that is bound to products.
  var isOfProducts: Bool { isService && holdings.contains(where: \.isOfProductService) }

  /// Whether a user is this person. What a contact did remains the contact's under a new login (S12).
  func isOneself(_ user: UserReference) -> Bool {
    person.map { $0.contact == user.contactID || $0.merged.contains(user.contactID) } ?? false
  }

  /// Whether a permission is held over anything at all.
  func holds(_ permission: Permission) -> Bool { holdings.contains { $0.permissions.contains(permission) } }

  /// Where a permission is held: over whole workspaces, or over the people of a product's workspace; by a service of
  /// products, over these.
  func reach(of permission: Permission) -> Reach {
    var workspaces = Set<WorkspaceID>()
    var products: [ProductID: WorkspaceID] = [:]
    for holding in holdings where holding.permissions.contains(permission) {
      guard let workspace = holding.workspace else { return .all }
      if case .product(let product) = holding.scope, holding.isOfProductService { products[product] = workspace }
      if holding.covers(.workspace(workspace), permission) { workspaces.insert(workspace) }
    }
    return .only(workspaces, products: products)
  }

  /// Where a permission is held over somebody: in the workspaces of `reach(of:)`, and where an account over which it is held
  /// employs the person today.
  func reach(
    of permission: Permission, over user: UserReference, in directory: Directory, at now: Milliseconds
  ) -> Reach {
    var known: Employers?
    var workspaces = Set<WorkspaceID>()
    for holding in holdings where holding.permissions.contains(permission) {
      guard let workspace = holding.workspace, holding.reaches(user, &known, in: directory, at: now) else { continue }
      workspaces.insert(workspace)
    }
    let whole = reach(of: permission)
    return workspaces.isEmpty ? whole : whole.union(.only(workspaces))
  }

  /// Where somebody's power does not stand in the way of a permission that is held there (L10).
  func reach(
    of permission: Permission, notBelow user: UserReference, in directory: Directory, at now: Milliseconds
  ) -> Reach {
    if isBinding || isOneself(user) { return .all }
    let held = holdings.filter { $0.permissions.contains(permission) }
    let effective = held.filter { !user.isAbove($0, permission, in: directory, now) }
    if effective.count == held.count { return .all }
    let workspaces = effective.compactMap(\.workspace)
    return workspaces.count < effective.count ? .all : .only(Set(workspaces))
  }

  /// Where a permission is held over anybody at all. Whose things are looked at is then asked of each person.
  func widestReach(of permission: Permission) -> Reach {
    let workspaces = holdings.compactMap { holding in
      holding.employers != nil && holding.permissions.contains(permission) ? holding.workspace : nil
    }
    return reach(of: permission).union(.only(Set(workspaces)))
  }

  /// Whether anything is held over the people of accounts only.
  var holdsOverAccounts: Bool { holdings.contains { $0.employers != nil } }

  /// The workspaces in which this side holds anything.
  var powerfulIn: Reach {
    holdings.contains { $0.workspace == nil } ? .all : .only(Set(holdings.compactMap(\.workspace)))
  }

  /// The workspaces that this side knows by name: its own, and those in which it has power. A service of products knows
  /// these alone.
  var knownWorkspaces: Reach {
    var workspaces = Set(person?.memberships ?? [])
    var products: [ProductID: WorkspaceID] = [:]
    for holding in holdings {
      guard let workspace = holding.workspace else { return .all }
      if case .product(let product) = holding.scope, holding.isOfProductService {
        products[product] = workspace
      } else {
        workspaces.insert(workspace)
      }
    }
    return .only(workspaces, products: products)
  }

  /// Whether this side may know that a user exists.
  func knows(_ login: UserReference, in directory: Directory, at now: Milliseconds) -> Bool {
    let user = login.ofPerson
    if isOneself(user) { return true }
    var memberships: [WorkspaceID]?
    var known: Employers?
    return holdings.contains { holding in
      guard holding.permissions.intersects(.aboutPeople) else { return false }
      guard let workspace = holding.workspace else { return true }
      if memberships == nil { memberships = user.memberships(notEndedAt: now) }
      guard memberships?.contains(workspace) ?? false else { return false }
      return holding.employers == nil || holding.reaches(user, &known, in: directory, at: now)
    }
  }

  /// Whether lists show a user to this side.
  func sees(_ login: UserReference, in directory: Directory, at now: Milliseconds) -> Bool {
    let user = login.ofPerson
    return isOneself(user)
      || allows(.userRead, over: .anyOf(user.memberships(notEndedAt: now)), of: user, in: directory, at: now)
  }

  /// Whether this side may know that an account or a group exists.
  func knows(_ site: Site) -> Bool {
    [Permission.userRead, .accountManage, .employmentManage, .roleGrant].contains { permission in
      holdings.contains { $0.covers(site, permission) }
    }
  }

  /// Whether this side is a super administrator of a site, or its owner.
  func isSupreme(over site: Site) -> Bool { holdings.contains { $0.isSupreme && $0.covers(site, .roleGrant) } }

  /// Whether a permission is held over a site, and over the person concerned there.
  func allows(
    _ permission: Permission, over site: Site, of user: UserReference?, in directory: Directory, at now: Milliseconds
  )
    -> Bool
  {
    guard let user else { return holdings.contains { $0.covers(site, permission) } }
    var known: Employers?
    return holdings.contains { holding in
      holding.covers(site, permission, of: user, &known, in: directory, at: now)
        && !user.isAbove(holding, permission, in: directory, now)
        && !(holding.minds(permission) && user.outranks(self, by: holding, in: directory, at: now))
    }
  }

  /// Whether a permission is held over somebody by what gives control over the login: who the person is decided to be
  /// must not have more power than this side has.
  func mayTakeOver(
    _ user: UserReference, by permission: Permission, over site: Site, in directory: Directory, at now: Milliseconds
  ) -> Bool {
    if isOneself(user) { return true }
    var known: Employers?
    return holdings.contains { holding in
      holding.covers(site, permission, of: user, &known, in: directory, at: now)
        && !user.isAbove(holding, permission, in: directory, now)
        && !user.outranks(self, by: holding, in: directory, at: now)
    }
  }

  /// Whether a permission is held over a site and somebody there, whatever power that person has.
  func covers(
    _ permission: Permission, over site: Site, of user: UserReference, in directory: Directory, at now: Milliseconds
  ) -> Bool {
    var known: Employers?
    return holdings.contains { $0.covers(site, permission, of: user, &known, in: directory, at: now) }
  }
}

extension Side {
  /// Whether a permission is held over somebody by the role manager alone.
  func isOnlyManaging(
    _ permission: Permission, over site: Site, of user: UserReference, in directory: Directory, at now: Milliseconds
  ) -> Bool {
    var known: Employers?
    let held = holdings.filter { $0.covers(site, permission, of: user, &known, in: directory, at: now) }
    return !held.isEmpty
      && held.allSatisfy { holding in
        if case .grant(let grant) = holding.source { grant.role == .manager } else { false }
      }
  }
}
