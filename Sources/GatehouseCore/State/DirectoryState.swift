/// What the directory's actor owns: the directory that partitions read, and the counts that only it keeps.
public struct DirectoryState: Sendable {
  public private(set) var view: Directory
  /// The last record that changed this state, counts included.
  public private(set) var lsn: LSN
  /// Seats in use, derived from product access.
  public private(set) var usage: [SeatKey: Int] = [:]
  /// Who has the role of super administrator, and whether the login is live (L18).
  public private(set) var superAdministrators: [UserID: Bool] = [:]

  public init(created: Milliseconds) {
    view = Directory(
      lsn: 0, workspaces: [Workspace(id: mainWorkspace, name: "main", created: created, plan: "free")], products: [],
      services: [])
    lsn = 0
  }

  init(view: Directory, lsn: LSN, usage: [SeatKey: Int], superAdministrators: [UserID: Bool]) {
    self.view = view
    self.lsn = lsn
    self.usage = usage
    self.superAdministrators = superAdministrators
  }

  /// Seats in use of a product's pool, or with licence 0, enabled accesses of the product.
  public func used(_ product: ProductID, licence: UInt8) -> Int {
    usage[SeatKey(product: product, licence: licence)] ?? 0
  }

  /// Seats in use of a pool by its type.
  public func used(_ product: Product, type: String) -> Int {
    used(product.id, licence: type == Product.everyAccess ? 0 : product.licence(type) ?? 0)
  }

  public var liveSuperAdministrators: Int { superAdministrators.values.count { $0 } }

  /// Carries out the part of a change that concerns the directory.
  public mutating func apply(_ change: Change, lsn: LSN, header: RecordHeader) {
    self.lsn = lsn
    switch change {
    case .accessSet(_, let old, let new):
      if let old { count(old, -1) }
      if let new { count(new, 1) }
    case .roleGranted(let id, let grant):
      // A grant that only becomes the main one says nothing new: the login may be locked meanwhile.
      if grant.role == .superAdministrator, superAdministrators[id] == nil { superAdministrators[id] = true }
    case .roleRevoked(let id, let grant):
      if grant.role == .superAdministrator { superAdministrators[id] = nil }
    case .statusSet(let id, _, let new):
      if superAdministrators[id] != nil { superAdministrators[id] = new.mayLogIn }
    default:
      view = view.changed(by: change, lsn: lsn, time: header.time)
    }
  }

  private mutating func count(_ access: ProductAccess, _ step: Int) {
    guard access.isEnabled else { return }
    add(step, SeatKey(product: access.product, licence: 0))
    if access.licence != 0 { add(step, SeatKey(product: access.product, licence: access.licence)) }
  }

  private mutating func add(_ step: Int, _ key: SeatKey) {
    let count = (usage[key] ?? 0) + step
    precondition(count >= 0, "fewer than no seats in use")
    usage[key] = count == 0 ? nil : count
  }
}

/// A product's pool; licence 0 counts every enabled access.
public struct SeatKey: Sendable, Hashable {
  public let product: ProductID
  public let licence: UInt8

  public init(product: ProductID, licence: UInt8) {
    self.product = product
    self.licence = licence
  }
}

extension Directory {
  /// The directory after a change to it.
  fileprivate func changed(by change: Change, lsn: LSN, time: Milliseconds) -> Directory {
    var workspaces = workspaces
    var products = products
    var services = services
    switch change {
    case .workspaceCreated(let id, let name, let plan):
      precondition(Int(id) == workspaces.count + 1, "workspace numbers have a gap")
      workspaces.append(Workspace(id: id, name: name, created: time, plan: plan))
    case .workspaceSet(let id, let key, _, let new):
      workspaces[Int(id) - 1].set(key, to: new)
    case .productCreated(let id, let workspace, let name):
      precondition(Int(id) == products.count + 1, "product numbers have a gap")
      products.append(Product(id: id, workspace: workspace, name: name, created: time))
    case .poolSet(let id, let type, _, let new):
      if let licence = products[Int(id) - 1].licence(type) {
        products[Int(id) - 1].pools[Int(licence) - 1].bought = new
      } else {
        products[Int(id) - 1].pools.append(Pool(type: type, bought: new))
      }
    case .serviceCreated(let id, let name, let rights, let secret):
      precondition(Int(id) == services.count + 1, "service numbers have a gap")
      services.append(ServiceIdentity(id: id, name: name, created: time, secret: secret, rights: rights))
    case .serviceDeleted(let id):
      services[Int(id) - 1].isDeleted = true
    default:
      preconditionFailure("a change of a partition came to the directory")
    }
    return Directory(lsn: lsn, workspaces: workspaces, products: products, services: services)
  }
}

extension Workspace {
  /// The value of a setting as `WORKSPACE.SET` takes it.
  public func text(_ key: String) -> String? {
    switch key {
    case "plan": plan
    case "owner": owner.map { "#\($0.raw)" } ?? ""
    case "subdomain": subdomain ?? ""
    default: Self.policy(key).map { policies.text(of: $0) }
    }
  }

  /// The policy that a key `policy.NAME` names.
  public static func policy(_ key: String) -> Policies.Definition? {
    key.hasPrefix("policy.") ? Policies.definition(String(key.dropFirst("policy.".count))) : nil
  }

  fileprivate mutating func set(_ key: String, to text: String) {
    version += 1
    switch key {
    case "plan": plan = text
    case "owner": owner = UInt64(text.dropFirst()).map { UserID(raw: $0) }
    case "subdomain": subdomain = text.isEmpty ? nil : text
    default: policies.set(String(key.dropFirst("policy.".count)), text)
    }
  }
}
