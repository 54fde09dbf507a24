/// A tenant: one customer organisation.
package struct Workspace: Sendable {
  package let id: WorkspaceID
  package let name: String
  package let created: Milliseconds
  package var plan: String
  package var owner: UserID?
  /// A workspace with a subdomain of its own binds impersonations to itself (K4).
  package var subdomain: String?
  package var policies = Policies()
  package var version: UInt32 = 1

  package init(id: WorkspaceID, name: String, created: Milliseconds, plan: String) {
    self.id = id
    self.name = name
    self.created = created
    self.plan = plan
  }
}

/// An application of a workspace.
package struct Product: Sendable {
  package let id: ProductID
  package let workspace: WorkspaceID
  package let name: String
  package let created: Milliseconds
  /// The seat pools in the order they were made; a licence's number is its place here, from 1.
  package var pools: [Pool] = []

  package init(id: ProductID, workspace: WorkspaceID, name: String, created: Milliseconds) {
    self.id = id
    self.workspace = workspace
    self.name = name
    self.created = created
  }

  /// The pool type that every enabled access takes a seat of (T6).
  package static let everyAccess = "*"

  /// Whether login needs a licence of one of the product's types (P9, P10).
  package var needsLicence: Bool { pools.contains { $0.type != Self.everyAccess } }

  package func licence(_ type: String) -> UInt8? {
    pools.firstIndex { $0.type == type }.map { UInt8($0 + 1) }
  }

  package func licenceName(_ licence: UInt8) -> String? {
    licence == 0 || Int(licence) > pools.count ? nil : pools[Int(licence) - 1].type
  }
}

/// A licence type of a product, and how many seats of it were bought.
package struct Pool: Sendable, Equatable {
  package let type: String
  package var bought: UInt32

  package init(type: String, bought: UInt32) {
    self.type = type
    self.bought = bought
  }
}

/// An application that asks.
package struct ServiceIdentity: Sendable {
  package let id: ServiceID
  package let name: String
  package let created: Milliseconds
  package let secret: Digest
  package let rights: ServiceRights
  package var isDeleted = false

  package init(id: ServiceID, name: String, created: Milliseconds, secret: Digest, rights: ServiceRights) {
    self.id = id
    self.name = name
    self.created = created
    self.secret = secret
    self.rights = rights
  }
}

/// What a service may do by itself.
package struct ServiceRights: OptionSet, Sendable, Hashable, BitwiseCopyable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Ask: login checks, sessions, lists.
  package static let read = ServiceRights(rawValue: 1)
  /// Open and end sessions and impersonations.
  package static let sessions = ServiceRights(rawValue: 2)
  /// Start and stop timers, write entries.
  package static let timers = ServiceRights(rawValue: 4)
  /// Everything else: people, organisation, the server.
  package static let admin = ServiceRights(rawValue: 8)
  package static let all: ServiceRights = [.read, .sessions, .timers, .admin]

  package static let names: [(right: ServiceRights, name: String)] = [
    (.read, "READ"), (.sessions, "SESSIONS"), (.timers, "TIMERS"), (.admin, "ADMIN"),
  ]

  package var names: [String] { Self.names.filter { contains($0.right) }.map(\.name) }
}
