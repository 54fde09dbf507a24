import GatehouseCore
import GatehouseStorage
import Synchronization

/// The cluster as this node sees it now, for whoever asks where the leader is.
struct ClusterPicture {
  let name: String
  let view: Node.View
  let role: Node.Role
  /// This node, as it is now.
  let own: NodeEntry
  /// Nil if no node leads, or this one has heard nothing for too long. A lease that an earlier process of this node still
  /// has leads nobody.
  let leader: NodeEntry?
  /// The others, without the leader, by name.
  let followers: [NodeEntry]

  init(_ context: ServerContext) {
    let facts = context.facts
    let node = facts.node
    let view = node.known
    let role = node.role
    self.view = view
    self.role = role
    name = facts.current.clusterName
    var own = node.entry
    own.index = view.index
    own.lsn = context.log.durableLSN
    own.snapshotLSN = context.persistence.status.lastSavedLSN
    own.isCandidate = context.replicator.withLock { $0?.isCandidate } ?? !context.hasLogFailed
    self.own = own
    switch role {
    case .alone, .leading: leader = own
    case .following:
      leader = node.staleRefusal == nil && view.leader?.node.name != own.name ? view.leader?.node : nil
    case .deposed: leader = nil
    }
    let leaderName = leader?.name
    let others = view.nodes.filter { $0.name != own.name }
    followers = (role == .following ? others + [own] : others)
      .filter { $0.name != leaderName }.sorted { $0.name < $1.name }
  }

  /// All nodes, this one first.
  var nodes: [NodeEntry] { [own] + view.nodes.filter { $0.name != own.name } }

  /// 40 hexadecimal digits for a node, the same whoever tells them.
  static func number(of entry: NodeEntry) -> String {
    Array("gatehouse node \(entry.name)".utf8).withUnsafeBytes { bytes in
      String("\(Hash128(of: bytes))".prefix(32)) + "00000000"
    }
  }
}
