/// A part of the directory: what has numbers of its own, with what finds it.
///
/// As an aggregate of a partition, it is a type in the folder of its subject, and `DirectoryTables` is the only place where
/// the parts are listed.
protocol DirectoryTable: Sendable {
  /// What a snapshot has of it.
  static var sections: [StoredSection<StoredDirectory>] { get }

  /// Reports what is not as it must be between any two records.
  static func check(_ directory: Directory, _ checker: InvariantChecker)
}

/// All that the directory has. A changed copy shares with the one before it what they have in common.
public struct DirectoryTables: Sendable {
  var workspaces = WorkspaceTable()
  var products = ProductTable()
  var services = ServiceTable()
  var roles = RoleTable()

  static let all: [any DirectoryTable.Type] = [
    WorkspaceTable.self, ProductTable.self, ServiceTable.self, RoleTable.self,
  ]
}
