public struct AccountCreated: DirectoryChange {
  public static var code: UInt8 { 51 }
  public static var name: String { "account-created" }

  public var account: AccountID = 0
  public var workspace: WorkspaceID = 0
  public var name = ""
  public var kind = Account.Kind.customer

  public init() {}

  public init(_ account: AccountID, _ workspace: WorkspaceID, name: String, _ kind: Account.Kind) {
    self.account = account
    self.workspace = workspace
    self.name = name
    self.kind = kind
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&account, as: AccountForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.given(&name)
    try visitor.field("type", &kind, as: ChoiceForm<Account.Kind>.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.accounts.add(Account(id: account, workspace: workspace, name: name, kind: kind, created: time))
  }
}

/// A setting of an account, `name` or `type`; the first one of a Guest Account gives it a row.
public struct AccountSet: DirectoryChange {
  public static var code: UInt8 { 52 }
  public static var name: String { "account-set" }

  public var account: AccountID = 0
  public var workspace: WorkspaceID = 0
  public var key = ""
  public var old = ""
  public var new = ""

  public init() {}

  public init(_ account: Account, key: String, old: String, new: String) {
    self.account = account.id
    workspace = account.workspace
    self.key = key
    self.old = old
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&account, as: AccountForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.setting(&key, old: &old, new: &new, as: KeyForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    guard GuestAccount.workspace(of: account) != nil else {
      return directory.accounts.change(account) { $0.set(key, to: new) }
    }
    var guest =
      directory.accounts.guests[workspace]
      ?? Account(
        id: account, workspace: workspace, name: GuestAccount.name, kind: .customer,
        created: directory.workspaces.rows[Int(workspace) - 1].created)
    guest.set(key, to: new)
    directory.accounts.set(guest: guest)
  }
}

public struct AccountDeleted: DirectoryChange {
  public static var code: UInt8 { 53 }
  public static var name: String { "account-deleted" }

  public var account: AccountID = 0
  public var workspace: WorkspaceID = 0
  /// nil in records of earlier versions.
  public var kind: Account.Kind?

  public init() {}

  public init(_ account: Account) {
    self.account = account.id
    workspace = account.workspace
    kind = account.kind
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&account, as: AccountForm.self)
    try visitor.removed("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.later()
    try visitor.former("type", &kind, as: OptionalForm<ChoiceForm<Account.Kind>>.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.accounts.change(account) { $0.isDeleted = true }
  }
}
