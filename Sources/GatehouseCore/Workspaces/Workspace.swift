/// A tenant: one customer organisation.
public struct Workspace: Sendable {
  public internal(set) var id: WorkspaceID
  public internal(set) var name: String
  public internal(set) var created: Milliseconds
  public var plan: String
  public var owner: UserID?
  /// A workspace with a subdomain of its own binds impersonations to itself (K4).
  public var subdomain: String?
  public var policies = Policies()
  public var version: UInt32 = 1
  /// For each restriction, the record that lifted it last; absent where none did.
  public internal(set) var lifted: [Restriction: LSN] = [:]

  public init(id: WorkspaceID, name: String, created: Milliseconds, plan: String) {
    self.id = id
    self.name = name
    self.created = created
    self.plan = plan
  }
}

extension Workspace {
  /// What a workspace's settings ask of the sessions in it. A session that did not meet it while it was asked for has
  /// lost its right for good, also if the restriction was lifted before anybody looked.
  public enum Restriction: UInt8, Sendable, CaseIterable {
    /// Login only between the hire and the release date.
    case employment = 1
    /// Only the owner logs in as others (K1).
    case owner
    /// Nobody logs in as others, for the plan does not allow it (K1).
    case enterprise
    /// Impersonations reach this workspace only (K4).
    case bound
  }

  /// Whether the settings of now ask for it.
  public func asks(_ restriction: Restriction) -> Bool {
    switch restriction {
    case .employment: policies.withinEmployment
    case .owner: policies.accountsNeedOwner
    case .enterprise: policies.accountsNeedEnterprise && plan != Self.enterprise
    case .bound: subdomain != nil
    }
  }

  /// Whether it is asked of what the record `opened` began: now, or at any time since.
  public func asks(_ restriction: Restriction, since opened: LSN) -> Bool {
    asks(restriction) || opened < lifted[restriction] ?? 0
  }

  /// Changes settings in record `lsn`, and notes which restrictions that lifts.
  mutating func change(lsn: LSN, _ body: (inout Workspace) -> Void) {
    let before = Restriction.allCases.filter { asks($0) }
    body(&self)
    for restriction in before where !asks(restriction) { lifted[restriction] = lsn }
  }
}

extension Workspace {
  /// The value of a setting as `WORKSPACE.SET` takes it.
  public func text(_ key: String) -> String? {
    switch key {
    case "plan": plan
    case "owner": owner.map { "#\($0.raw)" } ?? ""
    case "subdomain": subdomain ?? ""
    default: Self.policy(key).map { policies.text(of: $0) }
    }
  }

  /// The user whom the setting `owner` names: `#12`.
  static func owner(_ text: String) -> UserID? { UInt64(text.dropFirst()).map { UserID(raw: $0) } }

  /// The policy that a key `policy.NAME` names.
  public static func policy(_ key: String) -> Policies.Definition? {
    key.hasPrefix("policy.") ? Policies.definition(String(key.dropFirst("policy.".count))) : nil
  }

  mutating func set(_ key: String, to text: String) {
    version += 1
    switch key {
    case "plan": plan = text
    case "owner": owner = Self.owner(text)
    case "subdomain": subdomain = text.isEmpty ? nil : text
    default: policies.set(String(key.dropFirst("policy.".count)), text)
    }
  }
}
