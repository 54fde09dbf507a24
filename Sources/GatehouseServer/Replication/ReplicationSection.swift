import GatehouseCore
import GatehouseStorage
import GatehouseWire

/// `INFO replication`, with the fields that clients of Redis read, and what monitoring reads of a cluster.
struct ReplicationSection {
  let context: ServerContext

  var figures: [Figure] {
    let picture = ClusterPicture(context)
    return roles(picture) + (picture.role == .alone ? [] : ofCluster(picture))
  }

  private func roles(_ picture: ClusterPicture) -> [Figure] {
    let durable = context.log.durableLSN
    var figures: [Figure] = []
    if picture.role == .following || picture.role == .deposed {
      let age = context.facts.node.age.map { "\($0 / 1_000_000_000)" } ?? "-1"
      figures += [
        Figure("role", "slave"), Figure("master_host", picture.leader?.host ?? ""),
        Figure("master_port", picture.leader?.port ?? 0),
        Figure("master_link_status", picture.leader == nil ? "down" : "up"), Figure("master_last_io_seconds_ago", age),
        Figure("master_sync_in_progress", 0), Figure("slave_read_repl_offset", durable),
        Figure("slave_repl_offset", durable), Figure("slave_priority", 100), Figure("slave_read_only", 1),
        Figure("replica_announced", 1), Figure("connected_slaves", 0),
      ]
    } else {
      figures += [Figure("role", "master"), Figure("connected_slaves", picture.followers.count)]
      figures += picture.followers.enumerated().map { index, node in
        Figure(
          "slave\(index)",
          "ip=\(node.host),port=\(node.port),state=online,offset=\(node.lsn),lag=\(durable - min(durable, node.lsn))")
      }
    }
    let id = picture.role == .alone ? context.facts.runID : "\(context.folder.manifest.folderID)00000000"
    return figures + [Figure("master_replid", id), Figure("master_repl_offset", durable)]
  }

  private func ofCluster(_ picture: ClusterPicture) -> [Figure] {
    let node = context.facts.node
    let view = picture.view
    let end = view.tail?.lsn ?? 0
    let durable = context.log.durableLSN
    let isLeading = picture.role == .leading
    let age = Double(node.age ?? 0) / 1e9
    let aged = Metric.gauge(
      "replication_news_age_seconds", "How old the news is through which everything is applied here")
    let appends = context.log.statistics.shared
    let appended = Metric.histogram("replication_append_seconds", "How long appends to the shared log took")
    return [
      Figure("node_name", view.name), Figure("node_address", view.address.text),
      Figure("node_role", isLeading ? "leader" : "follower", samples: roleSamples(picture)),
      Figure("leader_name", picture.leader?.name ?? ""),
      Figure("replication_epoch", view.epoch, .gauge("replication_epoch", "The newest epoch that was seen")),
      Figure(
        "cluster_nodes", picture.nodes.count, .gauge("replication_nodes", "Nodes that were heard of, this one too")),
      Figure(
        "replication_has_leader", picture.leader == nil ? 0 : 1,
        .gauge("replication_has_leader", "1 while this node knows of a leader")),
      Figure(
        "replication_lag_records", isLeading ? 0 : end - min(end, durable),
        .gauge("replication_lag_records", "Records of the shared log that are not applied here")),
      Figure("replication_news_age_ms", Int(age * 1000), samples: [Figure.Sample(metric: aged, value: .number(age))]),
      Figure("replication_index", view.index),
      Figure(
        "replication_kept_bytes", view.keptBytes,
        .gauge("replication_kept_bytes", "Bytes of frames that the shared log keeps")),
      Figure(
        "replication_room_bytes", context.facts.current.replicationMost,
        .gauge("replication_room_bytes", "How many it may keep before writes are refused")),
      Figure(
        "replication_appends", appends.count,
        samples: [appended.sample(MetricHistogram(doublings: appends.histogram, nanoseconds: appends.nanoseconds))]),
      Figure(
        "replication_takeovers", view.takeovers,
        .counter("replication_takeovers", "How often this node came to lead since the start of its process")),
      Figure(
        "replication_problems", view.problems,
        .counter("replication_problems", "How often the shared log could not be reached")),
      Figure("replication_last_problem", view.problem),
      Figure(
        "replication_cut_records", view.cut.map { $0.lastLSN + 1 - $0.firstLSN } ?? 0,
        .gauge("replication_cut_records", "Records that were cut off this node's log at its start")),
      Figure("replication_cut_file", view.cut?.path ?? ""),
      Figure("replication_cut_files", context.folder.cutTails.count),
      Figure(
        "replication_skipped_lsn", context.newerRecords.firstLSN,
        .gauge("replication_skipped_lsn", "The first record of which this version skips a part; 0 for none")),
    ]
  }

  private func roleSamples(_ picture: ClusterPicture) -> [Figure.Sample] {
    let roles: [(String, Bool)] = [
      ("leader", picture.role == .leading), ("follower", picture.role == .following),
    ]
    return roles.map { name, isIt in
      Metric.gauge("replication_role", "1 for the role that the node has", ("role", name)).sample(isIt ? 1 : 0)
    }
  }
}
