import GatehouseCore
import GatehouseStorage
import Synchronization

/// A server's place among the nodes that share a log.
extension GatehouseServer {
  /// A folder that another node has nothing of can only be the first of a cluster.
  func mayMakeFolder() throws(StartFailure) {
    guard configuration.follow == .yes else { return }
    throw .configuration(
      "there is no data folder \(configuration.dataPath), and a follower begins as a copy: run `gatehousectl backup` where "
        + "a node has the data, bring the copy here under that name, and start again")
  }

  /// Finds the place of the folder in the shared log; nil without replication.
  func join(_ folder: DataFolder) async throws -> Membership? {
    let (configuration, facts) = (configuration, facts)
    let port = facts.port.load(ordering: .relaxed)
    let tlsPort = facts.tlsPort.load(ordering: .relaxed)
    facts.node.update {
      $0.name = configuration.nodeName(port: port)
      $0.address = configuration.nodeAddress(port: port, tlsPort: tlsPort)
    }
    guard let settings = configuration.replicationSettings else { return nil }
    guard let provider else {
      throw StartFailure.configuration(
        "this program cannot share its log: build it with `swift build --traits Replication`, or start it without "
          + "--replication")
    }
    facts.node.follow()
    let joining = Joining(
      folder: folder, provider: provider, settings: settings, follow: configuration.follow, logger: logger)
    let membership = try await joining.run(now: UInt64(clamping: facts.clock.milliseconds)) { [stopping] in
      stopping.isBegun
    }
    facts.node.update {
      $0.index = membership.place?.index ?? 0
      $0.cut = membership.place?.cut
    }
    return membership
  }
}
