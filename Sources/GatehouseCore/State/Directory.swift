/// What belongs to no one contact: workspaces, products, pools and services.
///
/// A value that never changes: each partition holds the newest one, so that a decision reads it without
/// leaving its lane. `DirectoryState` makes the next one.
public final class Directory: Sendable {
  public let lsn: LSN
  public let workspaces: [Workspace]
  public let products: [Product]
  public let services: [ServiceIdentity]
  /// The time zones that decisions know of. No record and no snapshot holds them: they come from the machine.
  public let zones: ZoneTable

  /// What a login decision needs to know of a product, by number.
  public let loginFacts: ContiguousArray<LoginFacts>

  private let productsByName: [String: ProductID]
  private let workspacesByName: [String: WorkspaceID]
  private let productSlots: ContiguousArray<ProductID>
  private let productNames: ContiguousArray<ContiguousArray<UInt8>>
  // What replies show of products and workspaces, by number, ready to be sent.
  private let shownProducts: ContiguousArray<ContiguousArray<UInt8>>
  private let shownWorkspaces: ContiguousArray<ContiguousArray<UInt8>>

  public init(
    lsn: LSN, workspaces: [Workspace], products: [Product], services: [ServiceIdentity], zones: ZoneTable
  ) {
    self.lsn = lsn
    self.zones = zones
    self.workspaces = workspaces
    self.products = products
    self.services = services
    workspacesByName = Dictionary(uniqueKeysWithValues: workspaces.map { ($0.name, $0.id) })
    var byName: [String: ProductID] = [:]
    var names: ContiguousArray<ContiguousArray<UInt8>> = []
    for product in products {
      byName["\(workspaces[Int(product.workspace) - 1].name)/\(product.name)"] = product.id
      // The short form means the product of `main`; others are found by the qualified name.
      names.append(product.workspace == mainWorkspace ? ContiguousArray(product.name.utf8) : [])
    }
    productsByName = byName
    loginFacts = ContiguousArray(
      products.map { LoginFacts(product: $0, workspace: workspaces[Int($0.workspace) - 1]) })
    shownWorkspaces = ContiguousArray(workspaces.map { ContiguousArray($0.name.utf8) })
    shownProducts = ContiguousArray(
      products.map { ContiguousArray(Self.name(of: $0, in: workspaces[Int($0.workspace) - 1]).utf8) })
    productNames = names
    var capacity = 8
    while capacity < products.count * 2 { capacity *= 2 }
    var slots = ContiguousArray<ProductID>(repeating: 0, count: capacity)
    for (index, name) in names.enumerated() where !name.isEmpty {
      var slot = name.withUnsafeBytes { Words.hash($0) } & (capacity - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (capacity - 1) }
      slots[slot] = ProductID(index + 1)
    }
    productSlots = slots
  }

  /// The product that `name` or `workspace/name` stands for.
  public func productID(_ word: UnsafeRawBufferPointer) -> ProductID? {
    let mask = productSlots.count - 1
    var slot = Words.hash(word) & mask
    while productSlots[slot] != 0 {
      let id = productSlots[slot]
      if productNames[Int(id) - 1].withUnsafeBytes({ sameBytes($0, word) }) { return id }
      slot = (slot + 1) & mask
    }
    return rareProductID(word)
  }

  /// The product of a word that is no plain lower-case name of `main`.
  @inline(never)
  private func rareProductID(_ word: UnsafeRawBufferPointer) -> ProductID? {
    let text = FoldedText.with(word) { String(decoding: $0, as: UTF8.self) }
    return productsByName[text] ?? productsByName["main/\(text)"]
  }

  public func product(_ id: ProductID) -> Product? {
    id > 0 && Int(id) <= products.count ? products[Int(id) - 1] : nil
  }

  public func workspaceID(_ name: String) -> WorkspaceID? { workspacesByName[name.folded] }

  public func workspace(_ id: WorkspaceID) -> Workspace { workspaces[Int(id) - 1] }

  public func service(_ id: ServiceID) -> ServiceIdentity? {
    id > 0 && Int(id) <= services.count ? services[Int(id) - 1] : nil
  }

  public func service(named name: String) -> ServiceIdentity? {
    services.first { $0.name == name && !$0.isDeleted }
  }

  /// Whether any service is defined; until then loopback connections have all rights.
  public var hasServices: Bool { services.contains { !$0.isDeleted } }

  /// Whether a service may manage the server. Where there are services but none that may, everybody is locked out.
  public var hasAdministeringService: Bool { services.contains { !$0.isDeleted && $0.rights.contains(.admin) } }

  /// `name` in the main workspace, `workspace/name` in others.
  public func productName(_ product: Product) -> String { Self.name(of: product, in: workspace(product.workspace)) }

  private static func name(of product: Product, in workspace: Workspace) -> String {
    product.workspace == mainWorkspace ? product.name : "\(workspace.name)/\(product.name)"
  }

  /// Calls `body` with the text of `productName`; with nil for 0, which is no product.
  func withShownProduct(_ id: ProductID, _ body: (UnsafeRawBufferPointer?) -> Void) {
    if id == 0 { body(nil) } else { shownProducts[Int(id) - 1].withUnsafeBytes { body($0) } }
  }

  func withShownWorkspace(_ id: WorkspaceID, _ body: (UnsafeRawBufferPointer) -> Void) {
    shownWorkspaces[Int(id) - 1].withUnsafeBytes(body)
  }
}

/// What a login decision needs to know of a product, flat, so that reading it counts no reference.
public struct LoginFacts: Sendable, BitwiseCopyable {
  public let needsLicence: Bool
  public let withinEmployment: Bool
  /// The record that last lifted what `withinEmployment` says; 0 where none did.
  public let employmentLifted: LSN
  public let workspace: WorkspaceID
  /// The policies on sessions.
  public let sessionTTL: Milliseconds
  public let sessionIdle: Milliseconds

  init(product: Product, workspace: Workspace) {
    needsLicence = product.needsLicence
    withinEmployment = workspace.asks(.employment)
    employmentLifted = workspace.lifted[.employment] ?? 0
    self.workspace = workspace.id
    sessionTTL = workspace.policies.sessionTTL
    sessionIdle = workspace.policies.sessionIdle
  }
}
