/// A defined role: its permissions, and where it can be granted.
public struct RoleDefinition: Sendable {
  public internal(set) var role: Role
  /// The workspace to which the role belongs; nil if it can be granted anywhere.
  public internal(set) var workspace: WorkspaceID?
  public internal(set) var name: String
  public internal(set) var permissions: PermissionSet
  /// The last record that reduced its permissions; 0 if there is none. What depended on a permission that was removed
  /// meanwhile does not come back when the permission does.
  public internal(set) var narrowed: LSN = 0
  public var isDropped = false
  /// How people and other systems call it.
  public internal(set) var label = RoleLabel()

  public init(role: Role, workspace: WorkspaceID?, name: String, permissions: PermissionSet) {
    self.role = role
    self.workspace = workspace
    self.name = name
    self.permissions = permissions
  }

  /// Changes its permissions from record `lsn` on.
  mutating func change(to new: PermissionSet, lsn: LSN) {
    if !permissions.subtracting(new).isEmpty { narrowed = lsn }
    permissions = new
    isDropped = false
  }
}

extension RoleDefinition: StoredValue {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&role, as: RoleForm.self)
    try visitor.value(&workspace, as: OptionalForm<WorkspaceForm>.self)
    try visitor.value(&name, as: TextForm.self)
    try visitor.value(&permissions, as: PermissionsForm.self)
    try visitor.value(&narrowed, as: NumberForm<LSN>.self)
    try visitor.value(&isDropped, as: FlagForm.self)
  }
}
