/// How a role is called outside of Gatehouse: a title for people, and the identifier of the group that it stands for in a
/// provisioning system. Either may be empty.
public struct RoleLabel: Sendable, Equatable {
  public var title = ""
  public var externalID = ""

  public init(title: String = "", externalID: String = "") {
    self.title = title
    self.externalID = externalID
  }
}

/// A role is called something else.
public struct RoleLabelled: DirectoryChange {
  public static var code: UInt8 { 131 }
  public static var name: String { "role-labelled" }

  public var role = Role.individual
  /// 0 if it can be granted in any workspace.
  public var workspace: WorkspaceID = 0
  public var old = RoleLabel()
  public var new = RoleLabel()

  public init() {}

  public init(_ role: Role, workspace: WorkspaceID?, old: RoleLabel, new: RoleLabel) {
    self.role = role
    self.workspace = workspace ?? 0
    self.old = old
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&role, as: RoleForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.change("label", old: &old.title, new: &new.title, as: FilledTextForm.self)
    try visitor.change("external-id", old: &old.externalID, new: &new.externalID, as: FilledTextForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.roles.label(role, new)
  }
}

extension RoleLabel {
  /// The label that the options of `ROLE.DEFINE` give a role.
  init(_ turn: Turn, insteadOf old: RoleLabel) throws(Halt) {
    self = old
    if let title = try turn.option("LABEL") { self.title = title.isEmpty ? "" : try Turn.title(title, "LABEL") }
    if let external = try turn.option("EXTERNAL") {
      try Self.check(externalID: external)
      externalID = external
    }
  }

  static func check(externalID: String) throws(Halt) {
    guard externalID.utf8.count <= Limits.titleBytes else {
      throw .refused(.syntax("external-id is longer than \(Limits.titleBytes) bytes; shorten it"))
    }
  }
}

extension Turn {
  /// Refuses a title that another role of the workspace has, as its title or its name, in whatever case, and an
  /// identifier that another one has. What a role has already stays its own.
  func requireFree(label: RoleLabel, of name: String, in workspace: WorkspaceID?, besides old: RoleLabel) throws(Halt) {
    let title = label.title.folded
    for role in directory.roles(definedIn: workspace) where role.name != name {
      if !label.externalID.isEmpty, label.externalID != old.externalID, role.label.externalID == label.externalID {
        throw .refused(.conflict("external-id: \(label.externalID) is that of the role \(role.name)"))
      }
      if title.isEmpty { continue }
      if role.name == title || role.label.title.folded == title {
        throw .refused(.conflict("label: \(label.title) is that of the role \(role.name)"))
      }
    }
  }
}
