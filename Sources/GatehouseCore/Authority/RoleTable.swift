/// The defined roles, in definition order.
struct RoleTable: Sendable {
  private(set) var rows = PagedArray<RoleDefinition>()
  /// The places of the roles of each workspace, dropped ones included; 0 for those that can be granted anywhere.
  private var places: [WorkspaceID: ContiguousArray<UInt32>] = [:]

  mutating func add(_ role: RoleDefinition) {
    precondition(isNext(role.role), "role numbers have a gap")
    places[role.workspace ?? 0, default: []].append(UInt32(rows.count))
    rows.append(role)
  }

  /// Defines a role, or changes its permissions.
  mutating func define(_ role: RoleDefinition, lsn: LSN) {
    if isNext(role.role) { return add(role) }
    rows[Self.index(of: role.role)].change(to: role.permissions, lsn: lsn)
  }

  mutating func drop(_ role: Role, lsn: LSN) {
    rows[Self.index(of: role)].change(to: PermissionSet(), lsn: lsn)
    rows[Self.index(of: role)].isDropped = true
    rows[Self.index(of: role)].label = RoleLabel()
  }

  mutating func label(_ role: Role, _ label: RoleLabel) { rows[Self.index(of: role)].label = label }

  func find(_ role: Role) -> RoleDefinition? {
    guard role.number >= Role.firstDefined else { return nil }
    return Self.index(of: role) < rows.count ? rows[Self.index(of: role)] : nil
  }

  /// The roles that were defined for a workspace, dropped ones included.
  func all(of workspace: WorkspaceID?) -> some Collection<RoleDefinition> {
    (places[workspace ?? 0] ?? []).lazy.map { rows[Int($0)] }
  }

  /// Whether a role has the next free number.
  func isNext(_ role: Role) -> Bool { Self.index(of: role) == rows.count }

  private static func index(of role: Role) -> Int { Int(role.number) - Int(Role.firstDefined) }
}

extension RoleTable: DirectoryTable {
  static let sections: [StoredSection<StoredDirectory>] = [
    .rows(7) {
      $0.tables.roles.rows
    } blank: { _ in
      RoleDefinition(role: .individual, workspace: nil, name: "", permissions: PermissionSet())
    } add: { (tables, role, reader) throws(CodingError) in
      guard tables.roles.isNext(role.role) else { throw reader.failure("a role with a number that is not its own") }
      tables.roles.add(role)
    },
    // How roles are called outside.
    .list(40) { directory in
      directory.tables.roles.rows.filter { $0.label != RoleLabel() }
    } write: { writer, role in
      writer.varint(role.role.number)
      writer.text(role.label.title)
      writer.text(role.label.externalID)
    } read: { (directory, reader, _) throws(CodingError) in
      let role = Role(number: try reader.number())
      let label = RoleLabel(title: try reader.text(), externalID: try reader.text())
      guard directory.tables.roles.find(role) != nil else {
        throw reader.failure("the label of a role that is not there")
      }
      directory.tables.roles.label(role, label)
    },
  ]

  static func check(_ directory: Directory, _ checker: InvariantChecker) {
    for role in directory.roles {
      checker.expect(
        role.workspace.map(checker.isWorkspace) ?? true, "role \(role.name) is of a workspace that is not there")
    }
  }
}

extension Directory {
  /// The defined roles, including dropped ones.
  var roles: PagedArray<RoleDefinition> { tables.roles.rows }

  /// The definition of a role; nil if it is built in.
  func definition(of role: Role) -> RoleDefinition? { tables.roles.find(role) }

  /// The name of a role.
  func name(of role: Role) -> String { definition(of: role)?.name ?? role.name }

  /// The roles defined for a workspace, or for everywhere.
  func roles(definedIn workspace: WorkspaceID?) -> [RoleDefinition] {
    tables.roles.all(of: workspace).filter { !$0.isDropped }
  }

  /// A dropped role of that name.
  func droppedRole(_ name: String, definedIn workspace: WorkspaceID?) -> Role? {
    tables.roles.all(of: workspace).first { $0.isDropped && $0.name == name }?.role
  }

  /// How many names of roles a workspace has used.
  func roleNames(of workspace: WorkspaceID?) -> Int { tables.roles.all(of: workspace).count }
}
