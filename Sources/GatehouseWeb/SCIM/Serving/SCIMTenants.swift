import GatehouseServer
import Synchronization

/// The tenants whose providers have asked lately, so that their settings are not asked for with every request.
final class SCIMTenants: Sendable {
  private struct Key: Hashable {
    let service: String
    let base: String
  }

  private static let most = 256

  private let turns = SCIMTurns()

  private let known = Mutex<[Key: DirectoryFacts<SCIMTenant>]>([:])

  /// The tenant of a service. Its caller is that of this request: who asks is found out each time.
  func tenant(_ door: CommandDoor, _ caller: Caller, base: String) async throws -> SCIMTenant {
    let key = Key(service: caller.service, base: base)
    let facts = known.withLock { known in
      if let facts = known[key] { return facts }
      // The address is what clients say it is, so there may be any number of them.
      if known.count >= Self.most { known.removeAll() }
      let facts = DirectoryFacts<SCIMTenant>()
      known[key] = facts
      return facts
    }
    return try await facts.current(door) { try await SCIMTenant(door, caller, base: base, turns) }.asked(by: caller)
  }
}
