/// What belongs to no one contact: workspaces, products, pools and services.
///
/// A value that never changes: each thread reads the newest one, so that a decision enters nothing for it.
/// `DirectoryState` makes the next one.
public final class Directory: Sendable {
  public let lsn: LSN
  let tables: DirectoryTables
  /// The time zones that decisions know of. No record and no snapshot holds them: they come from the machine.
  public let zones: ZoneTable

  init(lsn: LSN, tables: DirectoryTables, zones: ZoneTable) {
    self.lsn = lsn
    self.tables = tables
    self.zones = zones
  }

  // MARK: Workspaces

  public var workspaces: PagedArray<Workspace> { tables.workspaces }

  public func workspace(_ id: WorkspaceID) -> Workspace { tables.workspaces[Int(id) - 1] }

  public func workspaceID(_ name: String) -> WorkspaceID? {
    var name = name.folded
    return name.withUTF8 { tables.workspace(UnsafeRawBufferPointer($0)) }
  }

  /// The workspace that has a subdomain.
  func workspaceID(ofSubdomain subdomain: String) -> WorkspaceID? { tables.workspace(ofSubdomain: subdomain) }

  /// The workspaces that a user owns, in the order they were made.
  public func workspaces(ownedBy user: UserID) -> [WorkspaceID] { tables.workspaces(ownedBy: user) }

  /// What a login decision needs to know of a workspace.
  @inline(__always)
  public func facts(ofWorkspace workspace: WorkspaceID) -> WorkspaceFacts { tables.workspaceFacts[Int(workspace) - 1] }

  // MARK: Products

  public var products: PagedArray<Product> { tables.products }

  public func product(_ id: ProductID) -> Product? {
    id > 0 && Int(id) <= tables.products.count ? tables.products[Int(id) - 1] : nil
  }

  /// The products of a workspace, in the order they were made.
  public func products(of workspace: WorkspaceID) -> [ProductID] { tables.products(of: workspace) }

  /// The product that `name` or `workspace/name` stands for.
  public func productID(_ word: UnsafeRawBufferPointer) -> ProductID? { tables.product(word) ?? rareProductID(word) }

  /// The product of a word that is not written as replies show it.
  @inline(never)
  private func rareProductID(_ word: UnsafeRawBufferPointer) -> ProductID? {
    FoldedText.with(word) { folded in
      if let found = tables.product(folded) { return found }
      guard folded.starts(with: Self.main) else { return nil }
      let name = UnsafeRawBufferPointer(rebasing: folded.dropFirst(Self.main.count))
      return name.contains(UInt8(ascii: "/")) ? nil : tables.product(name)
    }
  }

  private static let main = Array("main/".utf8)

  /// What a login decision needs to know of a product.
  @inline(__always)
  public func facts(ofProduct product: ProductID) -> ProductFacts { tables.productFacts[Int(product) - 1] }

  /// `name` in the main workspace, `workspace/name` in others.
  public func productName(_ product: Product) -> String { tables.name(of: product) }

  // MARK: Services

  public var services: PagedArray<ServiceIdentity> { tables.services }

  public func service(_ id: ServiceID) -> ServiceIdentity? {
    id > 0 && Int(id) <= tables.services.count ? tables.services[Int(id) - 1] : nil
  }

  public func service(named name: String) -> ServiceIdentity? { tables.service(named: name) }

  /// How many services there are that are not deleted.
  public var liveServices: Int { tables.liveServices }

  /// How many of them may manage the server.
  public var administeringServices: Int { tables.administeringServices }

  /// Whether any service is defined; until then loopback connections have all rights.
  public var hasServices: Bool { tables.liveServices > 0 }

  /// Whether a service may manage the server. Where there are services but none that may, everybody is locked out.
  public var hasAdministeringService: Bool { tables.administeringServices > 0 }

  // MARK: What replies show

  /// The text of `productName`, good as long as the directory; nil for 0, which is no product.
  func shownProduct(_ id: ProductID) -> UnsafeRawBufferPointer? {
    id == 0 ? nil : tables.shownProducts.bytes(at: Int(id) - 1)
  }

  /// The name of a workspace, good as long as the directory.
  func shownWorkspace(_ id: WorkspaceID) -> UnsafeRawBufferPointer {
    tables.shownWorkspaces.bytes(at: Int(id) - 1)
  }
}
