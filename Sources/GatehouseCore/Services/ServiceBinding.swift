/// What a service is bound to (W6).
enum ServiceBinding: Equatable {
  case nothing
  case workspaces([WorkspaceID])
  case products([ProductID])

  init(of service: ServiceIdentity) {
    if let products = service.products {
      self = .products(products)
    } else {
      self = service.workspaces.map { .workspaces($0) } ?? .nothing
    }
  }

  /// The rights that belong to whole workspaces: time is recorded and mails are queued there, and neither names a product.
  private static let ofWorkspaces: ServiceRights = [.timers, .mail]

  /// Refuses rights that would be of no use.
  func require(fitting rights: ServiceRights) throws(Halt) {
    guard case .products = self else { return }
    let useless = rights.intersection(Self.ofWorkspaces).names
    guard useless.isEmpty else {
      throw .refused(
        .rule(
          "product-service",
          "a service bound to products has no use of \(useless.joined(separator: " and ")): time is recorded, and mails"
            + " are queued, in workspaces",
          instead: "leave \(useless.count > 1 ? "them" : "it") out, or bind another service to WORKSPACE workspace"))
    }
  }
}

extension Turn {
  /// What the options `WORKSPACE` and `PRODUCT` bind a service to; nil without them.
  func givenBinding() throws(Halt) -> ServiceBinding? {
    guard !has("WORKSPACE") || !has("PRODUCT") else {
      throw .refused(
        .syntax("WORKSPACE binds a service to all of a workspace, and PRODUCT to a product alone; give one of them"))
    }
    var workspaces: [WorkspaceID] = []
    for values in try options("WORKSPACE") {
      let workspace = try workspace(named: values[0])
      guard !workspaces.contains(workspace.id) else {
        throw .refused(.syntax("WORKSPACE \(workspace.name) is given twice"))
      }
      workspaces.append(workspace.id)
    }
    guard workspaces.count <= Limits.workspacesOfService else {
      throw .refused(.limit("workspaces: a service is bound to at most \(Limits.workspacesOfService)"))
    }
    if !workspaces.isEmpty { return .workspaces(workspaces) }
    var products: [ProductID] = []
    for values in try options("PRODUCT") {
      let product = try product(named: values[0])
      guard !products.contains(product.id) else {
        throw .refused(.syntax("PRODUCT \(directory.productName(product)) is given twice"))
      }
      products.append(product.id)
    }
    guard products.count <= Limits.productsOfService else {
      throw .refused(.limit("products: a service is bound to at most \(Limits.productsOfService)"))
    }
    return products.isEmpty ? nil : .products(products)
  }

  func bind(_ service: ServiceID, to binding: ServiceBinding) {
    switch binding {
    case .nothing: break
    case .workspaces(let workspaces): emit(ServiceBound(service, to: workspaces))
    case .products(let products): emit(ServiceBoundToProducts(service, products))
    }
  }

  /// The two pairs that say what a service is bound to.
  func show(_ binding: ServiceBinding) {
    var workspaces: [WorkspaceID]?
    var products: [ProductID]?
    switch binding {
    case .nothing: break
    case .workspaces(let ids): workspaces = ids
    case .products(let ids): (workspaces, products) = (directory.workspaces(ofProducts: ids), ids)
    }
    show("workspaces", workspaces?.map { directory.workspace($0).name })
    show("products", products?.compactMap { directory.product($0) }.map { directory.productName($0) })
  }

  private func show(_ name: StaticString, _ names: [String]?) {
    reply.text(name)
    guard let names else { return reply.null() }
    reply.array(names.count)
    for name in names { reply.text(name) }
  }
}

extension Directory {
  /// The workspaces of products, each once, in the order of the products.
  fileprivate func workspaces(ofProducts ids: [ProductID]) -> [WorkspaceID] { tables.workspaces(ofProducts: ids) }
}

extension DirectoryTables {
  /// Binds a service to products, each of which is there.
  mutating func bind(_ service: ServiceID, toProducts ids: [ProductID]) {
    services.bind(service, to: workspaces(ofProducts: ids), products: ids)
  }

  fileprivate func workspaces(ofProducts ids: [ProductID]) -> [WorkspaceID] {
    ids.reduce(into: []) { found, id in
      let workspace = products.rows[Int(id) - 1].workspace
      if !found.contains(workspace) { found.append(workspace) }
    }
  }
}
