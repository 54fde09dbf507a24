import GatehouseCore

/// Whom an export lists.
enum ExportedKind: String, CaseIterable {
  case users, contacts

  var command: String { self == .users ? "USER.LIST" : "CONTACT.LIST" }

  /// The columns that import takes back. The name in one piece is left out, because its parts say more.
  var columns: [PersonColumn] {
    (self == .users ? PersonColumn.ofUsers : PersonColumn.ofContacts).filter { $0 != .name }
  }
}

/// A column of an export: one that import takes back, or another field that lists show.
struct ExportedField {
  let name: String
  /// The field of lists that the server is asked for; nil for what is asked of each user (`DetailReader`).
  let field: String?
  let column: PersonColumn?

  /// - Parameter workspace: whose field it is, if it is an added one. Another may have one of the same name.
  init(_ column: PersonColumn, of workspace: String) {
    self.column = column
    name = column.name
    if case .custom(let name) = column {
      field = "\(workspace)/\(name)"
    } else {
      field = DetailReader.columns.contains(column) ? nil : column.listed?.name ?? column.name
    }
  }

  /// A field that import does not take.
  private init(listed name: String) {
    self.name = name
    field = name
    column = nil
  }

  /// - Parameter known: the columns that import takes.
  static func named(_ name: String, among known: [PersonColumn], of workspace: String) -> ExportedField {
    known.first { $0.name == name }.map { ExportedField($0, of: workspace) } ?? ExportedField(listed: name)
  }
}
