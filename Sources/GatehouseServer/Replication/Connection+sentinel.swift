import GatehouseCore
import GatehouseStorage
import GatehouseWire

/// `SENTINEL …`: where the leader is, in the words of Redis Sentinel, so that clients that know it find the leader and fail
/// over without a change. Each node answers for the cluster.
extension Connection {
  func sentinel(_ command: ServerCommand.Sentinel, _ request: Arguments) {
    let picture = ClusterPicture(lane.services)
    if command != .masters, command != .myID, request.string(2) != picture.name {
      // Redis' texts, which clients match.
      if command == .address { return answer { $0.null() } }
      return refuse(.syntax("No such master with that name"))
    }
    switch command {
    case .masters:
      answer {
        $0.array(picture.leader == nil ? 0 : 1)
        if let leader = picture.leader { $0.sentinelMaster(leader, picture) }
      }
    case .master:
      guard let leader = picture.leader else { return refuse(.syntax("No such master with that name")) }
      answer { $0.sentinelMaster(leader, picture) }
    case .address:
      answer {
        guard let leader = picture.leader else { return $0.null() }
        $0.array(2)
        $0.text(leader.host)
        $0.text("\(leader.port)")
      }
    case .replicas:
      answer {
        $0.array(picture.followers.count)
        for node in picture.followers { $0.sentinelReplica(node, picture) }
      }
    case .sentinels:
      let others = picture.nodes.dropFirst()
      answer {
        $0.array(others.count)
        for node in others { $0.sentinelSentinel(node) }
      }
    case .myID: answer { $0.text(ClusterPicture.number(of: picture.own)) }
    }
  }
}

extension Reply {
  private mutating func fields(_ fields: [(String, String)]) {
    map(fields.count)
    for (name, value) in fields {
      text(name)
      text(value)
    }
  }

  fileprivate mutating func sentinelMaster(_ node: NodeEntry, _ picture: ClusterPicture) {
    fields([
      ("name", picture.name), ("ip", node.host), ("port", "\(node.port)"), ("runid", ClusterPicture.number(of: node)),
      ("flags", "master"), ("link-pending-commands", "0"), ("link-refcount", "1"), ("last-ping-sent", "0"),
      ("last-ok-ping-reply", "0"), ("last-ping-reply", "0"), ("down-after-milliseconds", "5000"), ("info-refresh", "0"),
      ("role-reported", "master"), ("role-reported-time", "0"), ("config-epoch", "\(picture.view.epoch)"),
      ("num-slaves", "\(picture.followers.count)"), ("num-other-sentinels", "\(picture.nodes.count - 1)"),
      ("quorum", "1"), ("failover-timeout", "10000"), ("parallel-syncs", "1"),
    ])
  }

  fileprivate mutating func sentinelReplica(_ node: NodeEntry, _ picture: ClusterPicture) {
    fields([
      ("name", NodeAddress(host: node.host, port: node.port).text), ("ip", node.host), ("port", "\(node.port)"),
      ("runid", ClusterPicture.number(of: node)), ("flags", "slave"), ("link-pending-commands", "0"),
      ("link-refcount", "1"), ("last-ping-sent", "0"), ("last-ok-ping-reply", "0"), ("last-ping-reply", "0"),
      ("down-after-milliseconds", "5000"), ("info-refresh", "0"), ("role-reported", "slave"),
      ("role-reported-time", "0"), ("master-link-down-time", "0"),
      ("master-link-status", picture.leader == nil ? "err" : "ok"), ("master-host", picture.leader?.host ?? "?"),
      ("master-port", "\(picture.leader?.port ?? 0)"), ("slave-priority", node.isCandidate ? "100" : "0"),
      ("slave-repl-offset", "\(node.lsn)"), ("replica-announced", "1"),
    ])
  }

  fileprivate mutating func sentinelSentinel(_ node: NodeEntry) {
    fields([
      ("name", ClusterPicture.number(of: node)), ("ip", node.host), ("port", "\(node.port)"),
      ("runid", ClusterPicture.number(of: node)), ("flags", "sentinel"), ("link-pending-commands", "0"),
      ("link-refcount", "1"), ("last-ping-sent", "0"), ("last-ok-ping-reply", "0"), ("last-ping-reply", "0"),
      ("down-after-milliseconds", "5000"), ("last-hello-message", "0"), ("voted-leader", "?"),
      ("voted-leader-epoch", "0"),
    ])
  }
}
