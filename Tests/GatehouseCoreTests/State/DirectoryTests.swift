import Testing

@testable import GatehouseCore

@Suite struct DirectoryTests {
  private var state = DirectoryState(created: 0)
  private var lsn: LSN = 0

  private mutating func apply(_ change: some Change) {
    lsn += 1
    state.apply(
      change.carried, lsn: lsn,
      header: RecordHeader(time: 1, service: 0, actor: nil, subject: nil, connection: 0, command: "", reason: ""))
  }

  private func product(_ name: String) -> ProductID? {
    var name = name
    return name.withUTF8 { state.view.productID(UnsafeRawBufferPointer($0)) }
  }

  @Test mutating func findsProductsByEverySpelling() {
    apply(WorkspaceCreated(2, name: "beta", plan: "free"))
    apply(ProductCreated(1, mainWorkspace, name: "payroll"))
    apply(ProductCreated(2, 2, name: "payroll"))
    apply(ProductCreated(3, 2, name: "leave"))
    for name in ["payroll", "PAYROLL", "main/payroll", "Main/Payroll"] { #expect(product(name) == 1, "\(name)") }
    for name in ["beta/payroll", "BETA/payroll"] { #expect(product(name) == 2, "\(name)") }
    for name in ["", "main/", "/payroll", "main/beta/payroll", "main/main/payroll", "alpha/payroll"] {
      #expect(product(name) == nil, "\(name)")
    }
    #expect(state.view.products(of: mainWorkspace) == [1])
    #expect(state.view.products(of: 2) == [2, 3])
  }

  @Test mutating func followsSubdomainsAndOwners() {
    apply(WorkspaceCreated(2, name: "beta", plan: "free"))
    apply(WorkspaceSet(mainWorkspace, key: "subdomain", old: "", new: "ours"))
    apply(WorkspaceSet(2, key: "owner", old: "", new: "#64"))
    apply(WorkspaceSet(mainWorkspace, key: "owner", old: "", new: "#64"))
    #expect(state.view.workspaceID(ofSubdomain: "ours") == mainWorkspace)
    #expect(state.view.workspaces(ownedBy: UserID(raw: 64)) == [mainWorkspace, 2])
    apply(WorkspaceSet(mainWorkspace, key: "subdomain", old: "ours", new: ""))
    apply(WorkspaceSet(2, key: "subdomain", old: "", new: "ours"))
    apply(WorkspaceSet(mainWorkspace, key: "owner", old: "#64", new: "#65"))
    #expect(state.view.workspaceID(ofSubdomain: "ours") == 2)
    #expect(state.view.workspaceID(ofSubdomain: "") == nil)
    #expect(state.view.workspaces(ownedBy: UserID(raw: 64)) == [2])
    #expect(state.view.workspaces(ownedBy: UserID(raw: 65)) == [mainWorkspace])
  }

  @Test mutating func countsLiveServices() {
    apply(ServiceCreated(1, name: "web", .all, secret: .zero))
    apply(ServiceCreated(2, name: "jobs", .read, secret: .zero))
    if let web = state.view.service(named: "web") { apply(ServiceDeleted(web)) }
    #expect(state.view.service(named: "web") == nil)
    #expect(state.view.liveServices == 1)
    #expect(!state.view.hasAdministeringService)
    apply(ServiceCreated(3, name: "web", .read, secret: .zero))
    #expect(state.view.service(named: "web")?.id == 3)
    #expect(state.view.liveServices == 2)
    #expect(state.view.service(1)?.isDeleted == true)
  }

  /// A reader continues with its view; the next view differs only in what changed.
  @Test mutating func aViewIsImmutable() {
    for id in 2...300 { apply(WorkspaceCreated(WorkspaceID(id), name: "w\(id)", plan: "free")) }
    let before = state.view
    apply(WorkspaceSet(200, key: "plan", old: "free", new: "enterprise"))
    apply(WorkspaceCreated(301, name: "w301", plan: "free"))
    #expect(before.workspace(200).plan == "free")
    #expect(before.workspaceID("w301") == nil)
    #expect(state.view.workspace(200).plan == "enterprise")
    #expect(state.view.workspaceID("W301") == 301)
    #expect((2...300).allSatisfy { state.view.workspaceID("w\($0)") == WorkspaceID($0) })
  }

  /// Numbers beyond 16 bits: access to such a product does not fit the user's row.
  @Test func productsOfLargeNumbers() {
    let harness = CoreHarness()
    let user = harness.seedUser("ana")
    let small = ProductAccess(product: 65_535, isEnabled: true, licence: 3)
    let large = ProductAccess(product: 65_536, isEnabled: true, isAdministrator: true, licence: 255)
    let last = ProductAccess(product: ProductID(Limits.products), isEnabled: false)
    func accesses() -> [ProductAccess] {
      let cell = harness.cells[harness.partitioning.partition(of: user)]
      let serial = cell.state.serial(of: user)!
      for access in [small, large, last] where cell.state.people.allAccess(of: serial).contains(access) {
        #expect(cell.state.people.access(of: serial, to: access.product) == access)
      }
      return cell.state.people.allAccess(of: serial)
    }
    harness.apply(AccessSet(user, old: nil, new: small))
    #expect(accesses() == [small])
    harness.apply(AccessSet(user, old: nil, new: large))
    #expect(accesses() == [small, large])
    harness.apply(AccessSet(user, old: small, new: nil))
    #expect(accesses() == [large])
    harness.apply(AccessSet(user, old: nil, new: last))
    #expect(accesses() == [large, last])
    harness.apply(AccessSet(user, old: large, new: nil))
    #expect(accesses() == [last])
    harness.apply(AccessSet(user, old: last, new: nil))
    #expect(accesses() == [])
    var row = SessionRow()
    row.product = ProductID(Limits.products)
    row.kind = .impersonation
    row.isBound = true
    #expect(row.product == ProductID(Limits.products) && row.kind == .impersonation && row.isBound)
    row.kind = .login
    row.isBound = false
    row.product = 0
    #expect(row.product == 0 && row.kind == .login && !row.isBound)
  }
}
