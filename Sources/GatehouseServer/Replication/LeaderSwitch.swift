import GatehouseWire

/// The lead has gone from one address to another, as Redis Sentinel tells it.
struct LeaderSwitch: Equatable {
  static let channel = "+switch-master"

  let cluster: String
  let from: NodeAddress
  let to: NodeAddress

  var text: String { "\(cluster) \(from.host) \(from.port) \(to.host) \(to.port)" }
}

extension Replicator {
  /// Notes where the leader is, and tells subscribers if it was elsewhere before.
  func noteLead(at address: NodeAddress) {
    guard let from = node.moveLead(to: address) else { return }
    services.tell(LeaderSwitch(cluster: services.facts.current.clusterName, from: from, to: address))
    // A node that has led, was killed and came back before its lease ended was named as the leader meanwhile, and clients
    // have come to it. Some would stay for good, and be answered READONLY. Without a connection they ask where the leader
    // is, so Redis Sentinel disconnects them too.
    if from == node.known.address { services.dismissClients() }
  }
}
