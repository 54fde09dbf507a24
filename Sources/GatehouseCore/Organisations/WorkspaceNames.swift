/// Finds what workspaces have by name, in any case: each workspace has names of its own.
///
/// The names stay in the rows, which the caller compares.
struct WorkspaceNames: Sendable {
  private var index = SharedIndex()

  mutating func insert(_ number: UInt32, _ name: String, in workspace: WorkspaceID) {
    index.insert(Int(number), hash: Self.hash(name.folded, workspace))
  }

  mutating func remove(_ number: UInt32, _ name: String, in workspace: WorkspaceID) {
    index.remove(Int(number), hash: Self.hash(name.folded, workspace))
  }

  /// The number under a name.
  ///
  /// - Parameter row: the workspace and the name of what has a number.
  func find(
    _ name: String, in workspace: WorkspaceID, _ row: (UInt32) -> (workspace: WorkspaceID, name: String)
  ) -> UInt32? {
    let folded = name.folded
    let found = index.find(Self.hash(folded, workspace)) { number in
      let row = row(UInt32(number))
      return row.workspace == workspace && row.name.folded == folded
    }
    return found.map { UInt32($0) }
  }

  private static func hash(_ folded: String, _ workspace: WorkspaceID) -> UInt32 {
    SharedIndex.hash(of: folded) ^ (workspace &* 0x9e37_79b9)
  }
}
