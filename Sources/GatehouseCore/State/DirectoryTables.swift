/// The directory's entities, and what finds them. A changed copy shares with the one before it what they have in common.
public struct DirectoryTables: Sendable {
  private(set) var workspaces = PagedArray<Workspace>()
  private(set) var products = PagedArray<Product>()
  private(set) var services = PagedArray<ServiceIdentity>()
  /// The roles that are not built in, in the order they were defined.
  private(set) var roles = PagedArray<RoleDefinition>()

  // What the hot path reads, flat, by number.
  private(set) var workspaceFacts = PagedArray<WorkspaceFacts>()
  private(set) var productFacts = PagedArray<ProductFacts>()
  // What replies show of workspaces and products, by number, ready to be sent; names are found by them, too.
  private(set) var shownWorkspaces = PagedArray<ContiguousArray<UInt8>>()
  private(set) var shownProducts = PagedArray<ContiguousArray<UInt8>>()

  private var workspaceNames = SharedIndex()
  private var productNames = SharedIndex()
  /// Of services that are not deleted.
  private var serviceNames = SharedIndex()
  private var subdomains = SharedIndex()
  private var owners = SharedIndex()
  private var productsByWorkspace = PagedArray<[ProductID]>()

  private(set) var liveServices = 0
  /// Those of them that may manage the server.
  private(set) var administeringServices = 0

  // MARK: Finding

  /// The workspace of a name, in the case that names are kept in.
  func workspace(_ name: UnsafeRawBufferPointer) -> WorkspaceID? {
    find(name, workspaceNames, shownWorkspaces).map { WorkspaceID($0) }
  }

  /// The product of a name as it is shown.
  @inline(__always)
  func product(_ name: UnsafeRawBufferPointer) -> ProductID? {
    find(name, productNames, shownProducts).map { ProductID($0) }
  }

  @inline(__always)
  private func find(
    _ name: UnsafeRawBufferPointer, _ index: SharedIndex, _ names: PagedArray<ContiguousArray<UInt8>>
  ) -> Int? {
    index.find(Self.hash(name)) { sameBytes(names.bytes(at: $0 - 1), name) }
  }

  func service(named name: String) -> ServiceIdentity? {
    serviceNames.find(Self.hash(name)) { services[$0 - 1].name == name }.map { services[$0 - 1] }
  }

  func workspace(ofSubdomain subdomain: String) -> WorkspaceID? {
    subdomains.find(Self.hash(subdomain)) { workspaces[$0 - 1].subdomain == subdomain }.map { WorkspaceID($0) }
  }

  /// The workspaces that a user owns, in the order they were made.
  func workspaces(ownedBy user: UserID) -> [WorkspaceID] {
    var owned: [WorkspaceID] = []
    _ = owners.find(Self.hash(user)) { workspace in
      if workspaces[workspace - 1].owner == user { owned.append(WorkspaceID(workspace)) }
      return false
    }
    return owned.sorted()
  }

  /// The products of a workspace, in the order they were made.
  func products(of workspace: WorkspaceID) -> [ProductID] { productsByWorkspace[Int(workspace) - 1] }

  @inline(__always)
  private static func hash(_ name: UnsafeRawBufferPointer) -> UInt32 {
    UInt32(truncatingIfNeeded: Words.hash(name))
  }

  private static func hash(_ name: String) -> UInt32 {
    var name = name
    return name.withUTF8 { hash(UnsafeRawBufferPointer($0)) }
  }

  private static func hash(_ user: UserID) -> UInt32 {
    UInt32(truncatingIfNeeded: (user.raw &* 0x9e37_79b9_7f4a_7c15) >> 32)
  }

  // MARK: Changing

  mutating func add(_ workspace: Workspace) {
    precondition(Int(workspace.id) == workspaces.count + 1, "workspace numbers have a gap")
    workspaces.append(workspace)
    workspaceFacts.append(WorkspaceFacts(workspace))
    shownWorkspaces.append(ContiguousArray(workspace.name.utf8))
    workspaceNames.insert(Int(workspace.id), hash: Self.hash(workspace.name))
    productsByWorkspace.append([])
    findByWhatChanges(workspace)
  }

  /// Changes settings of a workspace; its name stays.
  mutating func change(workspace id: WorkspaceID, _ body: (inout Workspace) -> Void) {
    let place = Int(id) - 1
    forgetWhatChanges(workspaces[place])
    body(&workspaces[place])
    workspaceFacts[place] = WorkspaceFacts(workspaces[place])
    findByWhatChanges(workspaces[place])
  }

  private mutating func findByWhatChanges(_ workspace: Workspace) {
    if let subdomain = workspace.subdomain { subdomains.insert(Int(workspace.id), hash: Self.hash(subdomain)) }
    if let owner = workspace.owner { owners.insert(Int(workspace.id), hash: Self.hash(owner)) }
  }

  private mutating func forgetWhatChanges(_ workspace: Workspace) {
    if let subdomain = workspace.subdomain { subdomains.remove(Int(workspace.id), hash: Self.hash(subdomain)) }
    if let owner = workspace.owner { owners.remove(Int(workspace.id), hash: Self.hash(owner)) }
  }

  mutating func add(_ product: Product) {
    precondition(Int(product.id) == products.count + 1, "product numbers have a gap")
    products.append(product)
    productFacts.append(ProductFacts(product))
    let shown = name(of: product)
    shownProducts.append(ContiguousArray(shown.utf8))
    productNames.insert(Int(product.id), hash: Self.hash(shown))
    productsByWorkspace[Int(product.workspace) - 1].append(product.id)
  }

  /// Changes the pools of a product; its name and workspace stay.
  mutating func change(product id: ProductID, _ body: (inout Product) -> Void) {
    body(&products[Int(id) - 1])
    productFacts[Int(id) - 1] = ProductFacts(products[Int(id) - 1])
  }

  mutating func add(_ service: ServiceIdentity) {
    precondition(Int(service.id) == services.count + 1, "service numbers have a gap")
    services.append(service)
    if service.isDeleted { return }
    serviceNames.insert(Int(service.id), hash: Self.hash(service.name))
    count(service, 1)
  }

  mutating func delete(_ id: ServiceID) {
    let service = services[Int(id) - 1]
    precondition(!service.isDeleted, "a service is deleted twice")
    services[Int(id) - 1].isDeleted = true
    serviceNames.remove(Int(id), hash: Self.hash(service.name))
    count(service, -1)
  }

  /// Defines a role, or what it gives anew.
  mutating func define(_ role: RoleDefinition, lsn: LSN) {
    let place = Int(role.role.number - Role.firstDefined)
    if place == roles.count { return roles.append(role) }
    roles[place].change(to: role.permissions, lsn: lsn)
  }

  mutating func add(_ role: RoleDefinition) { roles.append(role) }

  mutating func drop(_ role: Role, lsn: LSN) {
    let place = Int(role.number - Role.firstDefined)
    roles[place].change(to: PermissionSet(), lsn: lsn)
    roles[place].isDropped = true
  }

  mutating func bind(_ id: ServiceID, to workspaces: [WorkspaceID]) {
    count(services[Int(id) - 1], -1)
    services[Int(id) - 1].workspaces = workspaces
    count(services[Int(id) - 1], 1)
  }

  private mutating func count(_ service: ServiceIdentity, _ step: Int) {
    liveServices += step
    if service.administersServer { administeringServices += step }
  }

  /// `name` in the main workspace, `workspace/name` in others.
  func name(of product: Product) -> String {
    product.workspace == mainWorkspace
      ? product.name : "\(workspaces[Int(product.workspace) - 1].name)/\(product.name)"
  }
}

/// What a login decision needs to know of a workspace, flat, so that reading it counts no reference.
public struct WorkspaceFacts: Sendable, BitwiseCopyable {
  public let withinEmployment: Bool
  /// The record that last lifted what `withinEmployment` says; 0 where none did.
  public let employmentLifted: LSN
  /// The policies on sessions.
  public let sessionTTL: Milliseconds
  public let sessionIdle: Milliseconds

  init(_ workspace: Workspace) {
    withinEmployment = workspace.asks(.employment)
    employmentLifted = workspace.lifted[.employment] ?? 0
    sessionTTL = workspace.policies.sessionTTL
    sessionIdle = workspace.policies.sessionIdle
  }
}

/// The same of a product.
public struct ProductFacts: Sendable, BitwiseCopyable {
  public let workspace: WorkspaceID
  public let needsLicence: Bool

  init(_ product: Product) {
    workspace = product.workspace
    needsLicence = product.needsLicence
  }
}
