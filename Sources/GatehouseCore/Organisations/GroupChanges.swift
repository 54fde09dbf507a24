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

/// A change of one of the texts of a group.
public protocol GroupTextChange: DirectoryChange {
  associatedtype Form: FieldForm where Form.Value == String
  /// The name of the text in the trail.
  static var field: String { get }
  var group: GroupID { get set }
  var workspace: WorkspaceID { get set }
  var old: String { get set }
  var new: String { get set }

  static func text(of group: AccountGroup) -> String
  static func set(_ text: String, of group: inout AccountGroup)
}

extension GroupTextChange {
  public init(_ group: AccountGroup, new: String) {
    self.init()
    self.group = group.id
    workspace = group.workspace
    old = Self.text(of: group)
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&group, as: GroupForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    // Through a protocol, two properties cannot be changed at once.
    var (old, new) = (old, new)
    try visitor.change(Self.field, old: &old, new: &new, as: Form.self)
    (self.old, self.new) = (old, new)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.groups.change(group) { Self.set(new, of: &$0) }
  }
}

public struct GroupRenamed: GroupTextChange {
  public typealias Form = TextForm
  public static var code: UInt8 { 55 }
  public static var name: String { "group-renamed" }
  public static var field: String { "name" }

  public var group: GroupID = 0
  public var workspace: WorkspaceID = 0
  public var old = ""
  public var new = ""

  public init() {}

  public static func text(of group: AccountGroup) -> String { group.name }
  public static func set(_ text: String, of group: inout AccountGroup) { group.rename(to: text) }
}

/// A group stands for another one of a provisioning system, or for none.
public struct GroupExternalSet: GroupTextChange {
  public typealias Form = FilledTextForm
  public static var code: UInt8 { 154 }
  public static var name: String { "group-external-set" }
  public static var field: String { "external-id" }

  public var group: GroupID = 0
  public var workspace: WorkspaceID = 0
  public var old = ""
  public var new = ""

  public init() {}

  public static func text(of group: AccountGroup) -> String { group.externalID }
  public static func set(_ text: String, of group: inout AccountGroup) { group.set(externalID: text) }
}

public struct GroupDeleted: DirectoryChange {
  public static var code: UInt8 { 56 }
  public static var name: String { "group-deleted" }

  public var group: GroupID = 0
  public var workspace: WorkspaceID = 0
  public var externalID = ""
  public var accounts: [AccountID] = []

  public init() {}

  public init(_ group: AccountGroup) {
    self.group = group.id
    workspace = group.workspace
    externalID = group.externalID
    accounts = group.members.map(\.account)
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&group, as: GroupForm.self)
    try visitor.removed("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.later()
    try visitor.former("external-id", &externalID, as: FilledTextForm.self)
    try visitor.former("accounts", &accounts, as: FilledListForm<AccountForm>.self)
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
