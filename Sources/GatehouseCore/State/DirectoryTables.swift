/// A part of the directory: entities with numbers of their own, and their indexes.
///
/// Like an aggregate of a partition, it is a type in the folder of its subject. `DirectoryTables` is the only place
/// where the parts are listed.
protocol DirectoryTable: Sendable {
  /// Its sections of a snapshot.
  static var sections: [StoredSection<StoredDirectory>] { get }

  /// Reports violations of its invariants, which hold between any two records.
  static func check(_ directory: Directory, _ checker: InvariantChecker)
}

/// All tables of the directory. A changed copy shares everything else with the one before it.
public struct DirectoryTables: Sendable {
  var workspaces = WorkspaceTable()
  var products = ProductTable()
  var services = ServiceTable()
  var roles = RoleTable()
  var fields = FieldTable()
  var accounts = AccountTable()
  var groups = GroupTable()
  var templates = TemplateTable()
  var webhooks = WebhookTable()

  static let all: [any DirectoryTable.Type] = [
    WorkspaceTable.self, ProductTable.self, ServiceTable.self, RoleTable.self, FieldTable.self, AccountTable.self,
    GroupTable.self, TemplateTable.self, WebhookTable.self,
  ]
}
