/// The number of an account in the directory: dense, from 1. Guest Accounts have numbers apart (`GuestAccount`).
public typealias AccountID = UInt32

/// An employer organisation of a workspace (L7): a training provider, or one of its customers.
public struct Account: Sendable {
  public internal(set) var id: AccountID
  public internal(set) var workspace: WorkspaceID
  public internal(set) var name: String
  public internal(set) var kind: Kind
  public internal(set) var created: Milliseconds
  public internal(set) var version: UInt32 = 1
  /// Numbers are given once, because past employments keep naming the account.
  public internal(set) var isDeleted = false

  public enum Kind: UInt8, Sendable, CaseIterable, NamedChoice {
    case provider = 1
    case customer

    public var name: String {
      switch self {
      case .provider: "provider"
      case .customer: "customer"
      }
    }
  }

  init(id: AccountID, workspace: WorkspaceID, name: String, kind: Kind, created: Milliseconds) {
    self.id = id
    self.workspace = workspace
    self.name = name
    self.kind = kind
    self.created = created
  }

  /// The keys that `ACCOUNT.SET` takes.
  static let keys = ["name", "type"]

  func text(_ key: String) -> String { key == "name" ? name : kind.name }

  mutating func set(_ key: String, to text: String) {
    version += 1
    if key == "name" {
      name = text
    } else if let kind = Kind(named: text) {
      self.kind = kind
    }
  }
}

extension Account.Kind {
  /// The kind of a name in any case.
  init?(named text: String) {
    let text = text.folded
    guard let found = Self.allCases.first(where: { $0.name == text }) else { return nil }
    self = found
  }
}

/// The account of those who have no employer (L7). Each workspace has one from its beginning, without anybody making it:
/// its number follows from the workspace's, and it has a row only once it was renamed. Nobody is employed there, and nobody
/// deletes it.
public enum GuestAccount {
  public static let name = "Guest Account"

  /// Sets these numbers apart from those of other accounts.
  private static var mark: AccountID { 1 << 31 }

  public static func id(of workspace: WorkspaceID) -> AccountID { mark | workspace }

  /// The workspace whose Guest Account this is; nil for other accounts.
  public static func workspace(of account: AccountID) -> WorkspaceID? {
    account & mark == 0 ? nil : account & ~mark
  }
}

extension Account: StoredValue {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&workspace, as: WorkspaceForm.self)
    try visitor.value(&name, as: TextForm.self)
    try visitor.value(&kind, as: ChoiceForm<Kind>.self)
    try visitor.value(&created, as: TimeForm.self)
    try visitor.value(&version, as: NumberForm<UInt32>.self)
    try visitor.value(&isDeleted, as: FlagForm.self)
  }
}
