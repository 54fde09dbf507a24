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

/// An application of a workspace.
public struct Product: Sendable {
  public internal(set) var id: ProductID
  public internal(set) var workspace: WorkspaceID
  public internal(set) var name: String
  public internal(set) var created: Milliseconds
  /// The seat pools in the order they were made; a licence's number is its place here, from 1.
  public var pools: [Pool] = []

  public init(id: ProductID, workspace: WorkspaceID, name: String, created: Milliseconds) {
    self.id = id
    self.workspace = workspace
    self.name = name
    self.created = created
  }

  /// The pool type that every enabled access takes a seat of (T6).
  public static let everyAccess = "*"

  /// Whether login needs a licence of one of the product's types (P9, P10).
  public var needsLicence: Bool { pools.contains { $0.type != Self.everyAccess } }

  public func licence(_ type: String) -> UInt8? {
    pools.firstIndex { $0.type == type }.map { UInt8($0 + 1) }
  }

  /// Sets how many seats of a pool were bought; makes the pool where there is none of the type.
  mutating func setPool(_ type: String, bought: UInt32) {
    if let licence = licence(type) {
      pools[Int(licence) - 1].bought = bought
    } else {
      pools.append(Pool(type: type, bought: bought))
    }
  }

  public func licenceName(_ licence: UInt8) -> String? {
    licence == 0 || Int(licence) > pools.count ? nil : pools[Int(licence) - 1].type
  }
}

/// A licence type of a product, and how many seats of it were bought.
public struct Pool: Sendable, Equatable {
  public let type: String
  public var bought: UInt32

  public init(type: String, bought: UInt32) {
    self.type = type
    self.bought = bought
  }
}

/// An application that asks.
public struct ServiceIdentity: Sendable {
  public internal(set) var id: ServiceID
  public internal(set) var name: String
  public internal(set) var created: Milliseconds
  public internal(set) var secret: Digest
  public internal(set) var rights: ServiceRights
  /// The workspaces that it is bound to (W6); nil where it is free.
  public var workspaces: [WorkspaceID]?
  public var isDeleted = false

  /// Whether it may manage the server: one that is bound to workspaces may not.
  public var administersServer: Bool { rights.contains(.admin) && workspaces == nil }

  public init(id: ServiceID, name: String, created: Milliseconds, secret: Digest, rights: ServiceRights) {
    self.id = id
    self.name = name
    self.created = created
    self.secret = secret
    self.rights = rights
  }
}

/// What a service may do by itself.
public struct ServiceRights: OptionSet, Sendable, Hashable, BitwiseCopyable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Ask: login checks, sessions, lists.
  public static let read = ServiceRights(rawValue: 1)
  /// Open and end sessions and impersonations.
  public static let sessions = ServiceRights(rawValue: 2)
  /// Start and stop timers, write entries.
  public static let timers = ServiceRights(rawValue: 4)
  /// Everything else: people, organisation, the server.
  public static let admin = ServiceRights(rawValue: 8)
  public static let all: ServiceRights = [.read, .sessions, .timers, .admin]

  public static let names: [(right: ServiceRights, name: String)] = [
    (.read, "READ"), (.sessions, "SESSIONS"), (.timers, "TIMERS"), (.admin, "ADMIN"),
  ]

  public var names: [String] { Self.names.filter { contains($0.right) }.map(\.name) }
}
