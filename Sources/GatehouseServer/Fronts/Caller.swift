package import GatehouseCore

/// On whose authority a front has commands carried out.
package struct Caller: Sendable {
  let facts: ConnectionFacts
  /// The service's name; empty for `local`, which everybody on this machine is while there is no service.
  package let service: String
  /// The token of the session that commands run on (`AS`); nil for the service itself.
  package private(set) var session: String?
  /// Whether it is the server, which nobody can take the rights from.
  var isServer: Bool { facts.isServer }

  init(_ facts: ConnectionFacts, service: String) {
    self.facts = facts
    self.service = service
  }

  /// What the service may do.
  package var rights: ServiceRights { facts.rights }

  /// Whether the service is bound to workspaces or products.
  package var isBound: Bool { facts.isBound }

  /// The words of a command as this caller sends it.
  func words(_ words: [String]) -> [String] { session.map { ["AS", $0] + words } ?? words }

  /// The same service on the authority of a session, which may be an impersonation.
  package func acting(as session: String) -> Caller {
    var caller = self
    caller.session = session
    return caller
  }
}
