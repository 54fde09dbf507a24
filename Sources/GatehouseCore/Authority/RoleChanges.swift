/// A role is defined, or its permissions are changed.
public struct RoleDefined: DirectoryChange {
  public static var code: UInt8 { 47 }
  public static var name: String { "role-defined" }

  public var role = Role.individual
  /// 0 if it can be granted in any workspace.
  public var workspace: WorkspaceID = 0
  public var name = ""
  public var old = PermissionSet()
  public var new = PermissionSet()

  public init() {}

  public init(_ role: Role, workspace: WorkspaceID?, name: String, old: PermissionSet, new: PermissionSet) {
    self.role = role
    self.workspace = workspace ?? 0
    self.name = name
    self.old = old
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&role, as: RoleForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.given(&name)
    try visitor.change("permissions", old: &old, new: &new, as: PermissionsForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.roles.define(
      RoleDefinition(role: role, workspace: workspace == 0 ? nil : workspace, name: name, permissions: new), lsn: lsn)
  }
}

/// A role gives less to one of those who have it: the definition says so to the directory, and this to the person, whose
/// trail would not tell it otherwise (L19).
public struct RoleNarrowed: PartitionChange {
  public static var code: UInt8 { 25 }
  public static var name: String { "role-narrowed" }
  public static var isCritical: Bool { false }

  public var user = UserID.none
  public var grant = Grant(role: .individual, scope: .everywhere, isMain: false)
  public var old = PermissionSet()
  public var new = PermissionSet()

  public init() {}

  public init(_ user: UserID, _ grant: Grant, old: PermissionSet, new: PermissionSet) {
    self.user = user
    self.grant = Grant(role: grant.role, scope: grant.scope, isMain: false)
    self.old = old
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.field("role", &grant, as: GrantForm.self)
    try visitor.change("permissions", old: &old, new: &new, as: PermissionsForm.self)
  }

  public var concern: Concern { .user(user) }

  /// The directory has what the role gives.
  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {}
}

/// A role no longer gives any permission.
public struct RoleDropped: DirectoryChange {
  public static var code: UInt8 { 48 }
  public static var name: String { "role-dropped" }

  public var role = Role.individual
  public var workspace: WorkspaceID = 0
  public var permissions = PermissionSet()
  public var label = RoleLabel()

  public init() {}

  public init(_ definition: RoleDefinition) {
    role = definition.role
    workspace = definition.workspace ?? 0
    permissions = definition.permissions
    label = definition.label
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&role, as: RoleForm.self)
    try visitor.removed("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.later()
    try visitor.former("permissions", &permissions, as: PermissionsForm.self)
    try visitor.former("label", &label.title, as: FilledTextForm.self)
    try visitor.former("external-id", &label.externalID, as: FilledTextForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.roles.drop(role, lsn: lsn)
  }
}

enum RoleForm: SubjectForm {
  static func write(_ value: Role, to writer: inout ByteWriter) { writer.varint(value.number) }
  static func read(from reader: inout ByteReader) throws(CodingError) -> Role { Role(number: try reader.number()) }

  static func text(_ value: Role, in directory: Directory?) -> String? { directory?.name(of: value) ?? value.name }

  static func entity(_ value: Role, in directory: Directory?) -> String {
    "role \(text(value, in: directory) ?? "")"
  }

  static func home(_ value: Role, _ partitioning: Partitioning) -> Int? { nil }

  static func names(_ value: Role, _ entity: NamedEntity) -> Bool { entity == .role(value) }
}

/// Permissions by name, because their numbers may differ in another version of the program.
enum PermissionsForm: FieldForm {
  static func write(_ value: PermissionSet, to writer: inout ByteWriter) {
    writer.list(value.list) { $0.text("\($1.name)") }
  }

  static func read(from reader: inout ByteReader) throws(CodingError) -> PermissionSet {
    let names = try reader.list { (reader) throws(CodingError) in try reader.text() }
    let permissions = names.compactMap { Permission(name: $0) }
    // A permission of a newer version gives nothing here.
    if permissions.count < names.count { reader.skip() }
    return PermissionSet(permissions)
  }

  static func text(_ value: PermissionSet, in directory: Directory?) -> String? {
    value.isEmpty ? nil : value.list.map { "\($0.name)" }.joined(separator: " ")
  }
}
