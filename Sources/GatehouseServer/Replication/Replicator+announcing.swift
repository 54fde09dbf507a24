import GatehouseCore
import GatehouseStorage
import GatehouseWire
import Logging
import Synchronization

extension Replicator {
  /// What the node says of itself.
  func entry() -> NodeEntry {
    let view = node.known
    var entry = NodeEntry(
      name: view.name, host: view.address.host, port: view.address.port, version: Version.current)
    if node.role == .leading, let tail = view.tail {
      (entry.index, entry.lsn, entry.hash) = (tail.index, tail.lsn, tail.hash)
    } else {
      let end = services.log.end
      (entry.index, entry.lsn, entry.hash) = (follower.index, end.lsn, end.hash)
    }
    entry.snapshotLSN = services.persistence.status.lastSavedLSN
    entry.isCandidate = hasRoom && !services.hasLogFailed
    return entry
  }

  /// Whether this node's disk takes what is written.
  var hasRoom: Bool { services.log.ownShortage == nil && follower.hasRoom }

  /// Says how far the node has got, and looks at the others, until the task is cancelled.
  func keepAnnouncing() async {
    var announced: NodeEntry?
    var announcedAt: UInt64 = 0
    while !Task.isCancelled {
      let entry = entry()
      let now = LeaseClock.now()
      do throws(SharedLogError) {
        if entry != announced || now - announcedAt >= Self.lookPause {
          try await shared.announce(entry)
          announced = entry
          announcedAt = now
        }
        if now - node.known.lookedAt >= Self.lookPause { try await look() }
      } catch {
        note(problem: error)
      }
      try? await Task.sleep(for: Self.announcePause)
    }
  }

  /// Looks at the shared log and the other nodes.
  private func look() async throws(SharedLogError) {
    let status = try await shared.status()
    node.update {
      $0.nodes = status.nodes
      $0.epoch = max($0.epoch, status.epoch)
      $0.tail = status.tail
      $0.keptBytes = status.keptBytes
      $0.lookedAt = LeaseClock.now()
    }
    if !status.oddities.isEmpty { note(problem: Oddities(texts: status.oddities)) }
    guard let tail = status.tail, node.role == .leading else { return }
    marks.withLock { $0.note(index: tail.index, lsn: tail.lsn) }
    try await truncate(status)
  }

  /// Keys in the shared log that cannot be read, and without which it goes on.
  private struct Oddities: Error, CustomStringConvertible {
    let texts: [String]

    var description: String { texts.joined(separator: "; ") + "; delete the keys that nobody needs" }
  }

  /// Deletes the frames that two nodes hold in verified snapshots, and that no live node still needs.
  ///
  /// Not before they take up a quarter of what slows writes down: a node that comes back soon can then go on from its own
  /// folder, although it is not heard of meanwhile.
  private func truncate(_ status: SharedLogStatus) async throws(SharedLogError) {
    let plan = TruncationPlan(status, slow: UInt64(services.facts.current.replicationSlow))
    guard let snapshot = plan.snapshot else { return }
    let covered = marks.withLock { $0.index(through: snapshot) }
    let last = min(covered, plan.needed)
    guard last >= status.firstIndex else { return }
    try await shared.truncate(through: last)
    if status.nodes.count > 1 {
      logger.info("frames of the shared log were deleted that every node has", metadata: ["through": "\(last)"])
    } else {
      logger.warning(
        """
        frames of the shared log were deleted that only this node has, because no other is there and writes would stop: a \
        node that lacks them needs a copy of this one's folder
        """, metadata: ["through": "\(last)"])
    }
  }
}
