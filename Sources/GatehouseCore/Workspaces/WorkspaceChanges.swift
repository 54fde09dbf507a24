public struct WorkspaceCreated: DirectoryChange {
  public static var code: UInt8 { 40 }
  public static var name: String { "workspace-created" }

  public var workspace: WorkspaceID = 0
  public var name = ""
  public var plan = ""

  public init() {}

  public init(_ workspace: WorkspaceID, name: String, plan: String) {
    self.workspace = workspace
    self.name = name
    self.plan = plan
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&workspace, as: WorkspaceForm.self)
    try visitor.given(&name)
    try visitor.field("plan", &plan, as: TextForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.workspaces.add(Workspace(id: workspace, name: name, created: time, plan: plan))
  }
}

/// A new value of a workspace's setting: `key` is `plan`, `owner`, `subdomain` or `policy.NAME`.
public struct WorkspaceSet: DirectoryChange {
  public static var code: UInt8 { 41 }
  public static var name: String { "workspace-set" }

  public var workspace: WorkspaceID = 0
  public var key = ""
  public var old = ""
  public var new = ""
  /// The old and the new owner, who are named as text above: records about somebody have the id as such. nil for other
  /// keys, and in records of earlier versions.
  private var owners: [UserID]?

  public init() {}

  public init(_ workspace: WorkspaceID, key: String, old: String, new: String) {
    self.workspace = workspace
    self.key = key
    self.old = old
    self.new = new
    if key == "owner" { owners = [old, new].compactMap(Workspace.owner) }
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&workspace, as: WorkspaceForm.self)
    try visitor.setting(&key, old: &old, new: &new, as: KeyForm.self)
    try visitor.later()
    try visitor.value(&owners, as: LastForm<ListForm<UserForm>>.self)
  }

  public var facts: [Fact] { [.setting(workspace, key)] }

  public var concern: Concern {
    key == "owner" ? .owners(old: Workspace.owner(old), new: Workspace.owner(new)) : .nobody
  }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.workspaces.change(workspace) { workspace in workspace.change(lsn: lsn) { $0.set(key, to: new) } }
  }
}

/// A setting named by a text.
enum KeyForm: SettingForm {
  static func write(_ value: String, to writer: inout ByteWriter) { writer.text(value) }
  static func read(from reader: inout ByteReader) throws(CodingError) -> String { try reader.text() }
  static func name(_ value: String) -> String { value }
}
