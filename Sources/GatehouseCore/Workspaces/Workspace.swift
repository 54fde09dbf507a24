/// A tenant: one customer organisation.
public struct Workspace: Sendable {
  public internal(set) var id: WorkspaceID
  public internal(set) var name: String
  public internal(set) var created: Milliseconds
  public var plan: String
  public var owner: UserID?
  /// A workspace with its own subdomain binds impersonations to itself (K4).
  public var subdomain: String?
  public var policies = Policies()
  public var version: UInt32 = 1
  /// The record that last lifted each restriction; absent if none did.
  public internal(set) var lifted: [Restriction: LSN] = [:]

  public init(id: WorkspaceID, name: String, created: Milliseconds, plan: String) {
    self.id = id
    self.name = name
    self.created = created
    self.plan = plan
  }
}

extension Workspace {
  /// A requirement of a workspace's settings on its sessions. A session that failed it once has lost its right for
  /// good, even if the restriction was lifted before anybody checked.
  public enum Restriction: UInt8, Sendable, CaseIterable {
    /// Login only between the hire and the release date.
    case employment = 1
    /// Only the owner may impersonate (K1).
    case owner
    /// Nobody may impersonate, because the plan does not allow it (K1).
    case enterprise
    /// Impersonations are bound to this workspace (K4).
    case bound
  }

  /// Whether the current settings require it.
  public func asks(_ restriction: Restriction) -> Bool {
    switch restriction {
    case .employment: policies.withinEmployment
    case .owner: policies.accountsNeedOwner
    case .enterprise: policies.accountsNeedEnterprise && plan != Self.enterprise
    case .bound: subdomain != nil
    }
  }

  /// Whether it is required of a session opened by record `opened`: now, or at any time since.
  public func asks(_ restriction: Restriction, since opened: LSN) -> Bool {
    asks(restriction) || opened < lifted[restriction] ?? 0
  }

  /// Changes settings in record `lsn`, and notes which restrictions this lifts.
  mutating func change(lsn: LSN, _ body: (inout Workspace) -> Void) {
    let before = Restriction.allCases.filter { asks($0) }
    body(&self)
    for restriction in before where !asks(restriction) { lifted[restriction] = lsn }
  }
}

extension Workspace {
  /// The value of a setting in the form that `WORKSPACE.SET` accepts.
  public func text(_ key: String) -> String? {
    switch key {
    case "plan": plan
    case "owner": owner.map { "#\($0.raw)" } ?? ""
    case "subdomain": subdomain ?? ""
    default: Self.policy(key).map { policies.text(of: $0) }
    }
  }

  /// The user that the setting `owner` names: `#12`.
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
