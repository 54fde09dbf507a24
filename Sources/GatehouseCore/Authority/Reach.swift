/// Where somebody may see or do something: in whole workspaces, and in single products of others.
///
/// Whoever reaches a single product learns nothing else of its workspace. So `contains` asks for the whole workspace: what
/// does not ask about a product is hidden from them.
public enum Reach: Sendable, Equatable {
  case all
  /// - Parameter products: single products, each with its workspace, which is none of `workspaces`.
  case only(_ workspaces: Set<WorkspaceID>, products: [ProductID: WorkspaceID] = [:])

  /// Whether all of a workspace is in reach.
  public func contains(_ workspace: WorkspaceID) -> Bool {
    switch self {
    case .all: true
    case .only(let workspaces, _): workspaces.contains(workspace)
    }
  }

  /// Whether a product is in reach.
  func contains(_ product: ProductID, of workspace: WorkspaceID) -> Bool {
    switch self {
    case .all: true
    case .only(let workspaces, let products): workspaces.contains(workspace) || products[product] != nil
    }
  }

  func contains(_ product: Product) -> Bool { contains(product.id, of: product.workspace) }

  /// Whether a session is in reach: that of a product belongs to it, another to its workspace.
  func contains(_ session: SessionRow) -> Bool {
    session.product == 0 ? contains(session.workspace) : contains(session.product, of: session.workspace)
  }

  /// Whether anything of a workspace is in reach.
  func touches(_ workspace: WorkspaceID) -> Bool {
    if case .only(_, let products) = self, products.values.contains(workspace) { return true }
    return contains(workspace)
  }

  public var isAll: Bool { self == .all }

  public var isEmpty: Bool {
    if case .only(let workspaces, let products) = self { workspaces.isEmpty && products.isEmpty } else { false }
  }

  public func intersection(_ other: Reach) -> Reach {
    guard case .only(let workspaces, let products) = self else { return other }
    guard case .only(let others, let otherProducts) = other else { return self }
    // Most reaches have no single products, and this is asked for every person of a list.
    if products.isEmpty, otherProducts.isEmpty { return .only(workspaces.intersection(others)) }
    return .only(
      workspaces.intersection(others),
      products: products.filter { other.contains($0.key, of: $0.value) }
        .merging(otherProducts.filter { contains($0.key, of: $0.value) }) { one, _ in one })
  }

  public func union(_ other: Reach) -> Reach {
    guard case .only(let workspaces, let products) = self, case .only(let others, let otherProducts) = other else {
      return .all
    }
    let both = workspaces.union(others)
    if products.isEmpty, otherProducts.isEmpty { return .only(both) }
    return .only(
      both, products: products.merging(otherProducts) { one, _ in one }.filter { !both.contains($0.value) })
  }

  /// Whether a grant with this scope is visible; grants that apply everywhere apply here too.
  func contains(_ scope: Scope, in directory: Directory) -> Bool {
    if case .product(let id) = scope { return directory.product(id).map(contains) ?? false }
    return directory.workspace(of: scope).map(contains) ?? true
  }
}
