public struct GroupCreated: DirectoryChange {
  public static var code: UInt8 { 54 }
  public static var name: String { "group-created" }

  public var group: GroupID = 0
  public var workspace: WorkspaceID = 0
  public var name = ""

  public init() {}

  public init(_ group: GroupID, _ workspace: WorkspaceID, name: String) {
    self.group = group
    self.workspace = workspace
    self.name = name
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&group, as: GroupForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.given(&name)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.groups.add(AccountGroup(id: group, workspace: workspace, name: name, created: time))
  }
}

public struct GroupRenamed: DirectoryChange {
  public static var code: UInt8 { 55 }
  public static var name: String { "group-renamed" }

  public var group: GroupID = 0
  public var workspace: WorkspaceID = 0
  public var old = ""
  public var new = ""

  public init() {}

  public init(_ group: AccountGroup, new: String) {
    self.group = group.id
    workspace = group.workspace
    old = group.name
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&group, as: GroupForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.change("name", old: &old, new: &new, as: TextForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.groups.change(group) { $0.rename(to: new) }
  }
}

/// A group stands for another one of a provisioning system, or for none.
public struct GroupExternalSet: DirectoryChange {
  public static var code: UInt8 { 154 }
  public static var name: String { "group-external-set" }

  public var group: GroupID = 0
  public var workspace: WorkspaceID = 0
  public var old = ""
  public var new = ""

  public init() {}

  public init(_ group: AccountGroup, new: String) {
    self.group = group.id
    workspace = group.workspace
    old = group.externalID
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&group, as: GroupForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.change("external-id", old: &old, new: &new, as: FilledTextForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.groups.change(group) { $0.set(externalID: new) }
  }
}

public struct GroupDeleted: DirectoryChange {
  public static var code: UInt8 { 56 }
  public static var name: String { "group-deleted" }

  public var group: GroupID = 0
  public var workspace: WorkspaceID = 0

  public init() {}

  public init(_ group: AccountGroup) {
    self.group = group.id
    workspace = group.workspace
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&group, as: GroupForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.groups.change(group) { $0.delete() }
  }
}

/// A change of which accounts are in a group. It concerns everybody with power over the group: the impersonations that
/// rest on an account that leaves end in the same record (`Turn.endWhatLostItsRight`).
public protocol GroupMemberChange: DirectoryChange {
  var group: GroupID { get set }
  var workspace: WorkspaceID { get set }
  var account: AccountID { get set }
  /// Whether the account is in the group no longer.
  static var leaves: Bool { get }
}

extension GroupMemberChange {
  public init(_ group: AccountGroup, _ account: AccountID) {
    self.init()
    self.group = group.id
    workspace = group.workspace
    self.account = account
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&group, as: GroupForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    if Self.leaves {
      try visitor.removed("account", &account, as: AccountForm.self)
    } else {
      try visitor.field("account", &account, as: AccountForm.self)
    }
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.groups.change(group) { group in
      if Self.leaves { group.remove(account) } else { group.add(account, lsn: lsn) }
    }
  }
}

public struct AccountJoinedGroup: GroupMemberChange {
  public static var code: UInt8 { 57 }
  public static var name: String { "account-joined-group" }
  public static var leaves: Bool { false }

  public var group: GroupID = 0
  public var workspace: WorkspaceID = 0
  public var account: AccountID = 0

  public init() {}
}

public struct AccountLeftGroup: GroupMemberChange {
  public static var code: UInt8 { 58 }
  public static var name: String { "account-left-group" }
  public static var leaves: Bool { true }

  public var group: GroupID = 0
  public var workspace: WorkspaceID = 0
  public var account: AccountID = 0

  public init() {}
}
