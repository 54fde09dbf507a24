/// The workspaces in which somebody may see or do something.
public enum Reach: Sendable, Equatable {
  case all
  case only(Set<WorkspaceID>)

  public func contains(_ workspace: WorkspaceID) -> Bool {
    switch self {
    case .all: true
    case .only(let workspaces): workspaces.contains(workspace)
    }
  }

  public var isAll: Bool { self == .all }

  public var isEmpty: Bool { if case .only(let workspaces) = self { workspaces.isEmpty } else { false } }

  public func intersection(_ other: Reach) -> Reach {
    switch (self, other) {
    case (.all, let reach), (let reach, .all): reach
    case (.only(let one), .only(let two)): .only(one.intersection(two))
    }
  }

  public func union(_ other: Reach) -> Reach {
    guard case .only(let one) = self, case .only(let two) = other else { return .all }
    return .only(one.union(two))
  }

  /// Whether a grant with this scope is visible; grants that apply everywhere apply here too.
  func contains(_ scope: Scope, in directory: Directory) -> Bool {
    directory.workspace(of: scope).map(contains) ?? true
  }
}
