import GatehouseCore
import GatehouseStorage
import Logging
import Synchronization

extension Replicator {
  /// What the node says of itself.
  func entry() async -> NodeEntry {
    let view = node.known
    var entry = NodeEntry(
      name: view.name, host: view.address.host, port: view.address.port, version: Version.current)
    if node.role == .leading, let tail = view.tail {
      (entry.index, entry.lsn, entry.hash) = (tail.index, tail.lsn, tail.hash)
    } else {
      let end = services.log.end
      (entry.index, entry.lsn, entry.hash) = (await follower.index, end.lsn, end.hash)
    }
    entry.snapshotLSN = services.persistence.status.lastSavedLSN
    entry.isCandidate = services.log.shortage == nil && !services.hasLogFailed
    return entry
  }

  /// Says how far the node has got, and looks at the others, until the task is cancelled.
  func keepAnnouncing() async {
    var announced: NodeEntry?
    var announcedAt: UInt64 = 0
    while !Task.isCancelled {
      let entry = await entry()
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
    guard let tail = status.tail, node.role == .leading else { return }
    marks.withLock { $0.note(index: tail.index, lsn: tail.lsn) }
    try await truncate(status)
  }

  /// Deletes the frames that two nodes hold in verified snapshots, and that no live node still needs.
  ///
  /// Not before they take up a quarter of what slows writes down: a node that comes back soon can then go on from its own
  /// folder, although it is not heard of meanwhile.
  private func truncate(_ status: SharedLogStatus) async throws(SharedLogError) {
    let settings = services.facts.current
    guard status.keptBytes > UInt64(settings.replicationSlow / 4), status.nodes.count > 1 else { return }
    let snapshots = status.nodes.map(\.snapshotLSN).sorted(by: >)
    let covered = marks.withLock { $0.index(through: snapshots[1]) }
    let needed = status.nodes.map(\.index).min() ?? 0
    let last = min(covered, needed)
    guard last >= status.firstIndex else { return }
    try await shared.truncate(through: last)
    logger.info("frames of the shared log were deleted that every node has", metadata: ["through": "\(last)"])
  }
}
