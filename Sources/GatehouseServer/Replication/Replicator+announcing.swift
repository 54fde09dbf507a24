import GatehouseCore
import GatehouseStorage
import Logging
import Synchronization

extension Replicator {
  /// What the node says of itself.
  func entry() -> NodeEntry { entryOfLeader ?? entry(follower.index, services.log.end) }

  /// The same; nil while frames are written. Whoever shares a thread with the tasks that talk to the shared log must not wait
  /// for the disk.
  private var entryAtHand: NodeEntry? { entryOfLeader ?? services.log.endAtHand.map { entry(follower.index, $0) } }

  private var entryOfLeader: NodeEntry? {
    guard node.role == .leading, let tail = node.known.tail else { return nil }
    return entry(tail.index, (tail.lsn, tail.hash))
  }

  private func entry(_ index: UInt64, _ end: (lsn: UInt64, hash: Hash128)) -> NodeEntry {
    var entry = node.entry
    (entry.index, entry.lsn, entry.hash) = (index, end.lsn, end.hash)
    entry.snapshotLSN = services.persistence.status.lastSavedLSN
    entry.isCandidate = isCandidate
    return entry
  }

  /// Whether this node's disk takes what is written.
  var hasRoom: Bool { services.log.ownShortage == nil && follower.hasRoom }

  /// Whether this node may lead.
  var isCandidate: Bool { hasRoom && !services.hasLogFailed && services.newerRecords.first == nil }

  /// Why this node does not lead now, whatever the others do; nil for nothing.
  var obstacle: String? {
    if services.hasLogFailed { return "this node's log has failed" }
    if !hasRoom { return "this node's disk is full" }
    if let loss = services.newerRecords.loss { return loss }
    if !isNamed.load(ordering: .relaxed) {
      return "this node does not have its name yet: the entry of an earlier process of that name has not ended; try "
        + "again"
    }
    return nil
  }

  /// Says how far the node has got, and looks at the others, until the task is cancelled.
  ///
  /// - Returns: why the node must stop; nil if the task was cancelled.
  func keepAnnouncing() async -> End? {
    var announced: NodeEntry?
    var announcedAt: UInt64 = 0
    // Whether the shared log takes nothing for want of space. Somebody must make room then, although nobody can lead.
    var lacksSpace = false
    while !Task.isCancelled {
      let entry = entryAtHand ?? announced ?? entry()
      let now = LeaseClock.now()
      do throws(SharedLogError) {
        if entry != announced || now - announcedAt >= Self.lookPause {
          let isNamed = try await shared.announce(entry)
          lacksSpace = false
          announced = isNamed ? entry : nil
          announcedAt = now
          if isNamed { self.isNamed.store(true, ordering: .relaxed) }
        }
      } catch {
        switch error {
        case .nameTaken: return .misconfigured("\(error)")
        case .full: lacksSpace = true
        case .unreachable, .refused, .exists, .missing, .truncated, .damaged: break
        }
        note(problem: error)
      }
      do throws(SharedLogError) {
        if now - node.known.lookedAt >= Self.lookPause { try await look(lacksSpace) }
      } catch {
        note(problem: error)
      }
      try? await Task.sleep(for: Self.announcePause)
    }
    return nil
  }

  /// Looks at the shared log and the other nodes.
  private func look(_ lacksSpace: Bool) async throws(SharedLogError) {
    let status = try await shared.status()
    let now = LeaseClock.now()
    node.update {
      $0.nodes = status.nodes
      $0.heard.note(status.revisions, at: now)
      $0.epoch = max($0.epoch, status.epoch)
      $0.tail = status.tail
      $0.keptBytes = status.keptBytes
      $0.lookedAt = now
    }
    if !status.oddities.isEmpty { note(problem: Oddities(texts: status.oddities)) }
    guard let tail = status.tail else { return }
    if node.role == .leading { marks.withLock { $0.note(index: tail.index, lsn: tail.lsn) } }
    guard node.role == .leading || lacksSpace else { return }
    try await truncate(status, lacksSpace)
    // Heartbeats and entries leave old states behind, too, also where nobody writes.
    if compactedAt.load(ordering: .relaxed) + (lacksSpace ? Self.urgentPause : Self.compactionPause) <= now {
      compactedAt.store(now, ordering: .relaxed)
      try await shared.compact()
    }
  }

  private static let compactionPause: UInt64 = 1_800_000_000_000
  private static let urgentPause: UInt64 = 10_000_000_000

  /// Keys in the shared log that cannot be read, and without which it goes on.
  private struct Oddities: Error, CustomStringConvertible {
    let texts: [String]

    var description: String { texts.joined(separator: "; ") + "; delete the keys that nobody needs" }
  }

  /// Deletes the frames that two nodes hold in verified snapshots, and that no live node still needs.
  ///
  /// Not before they take up a quarter of what slows writes down: a node that comes back soon can then go on from its own
  /// folder, although it is not heard of meanwhile. If the engine lacks space, every node does so: it takes deletions still,
  /// and no heartbeat, so that soon nobody leads.
  private func truncate(_ status: SharedLogStatus, _ lacksSpace: Bool) async throws(SharedLogError) {
    var status = status
    let own = entry()
    status.nodes = status.nodes.filter { $0.name != own.name } + [own]
    let plan = TruncationPlan(
      status, slow: UInt64(services.facts.current.replicationSlow), lacksSpace: lacksSpace)
    guard let snapshot = plan.snapshot else { return }
    var covered = marks.withLock { $0.index(through: snapshot) }
    let isUrgent = lacksSpace || status.keptBytes > UInt64(services.facts.current.replicationSlow)
    if isUrgent, covered < status.firstIndex {
      // This node was started since, and nobody knows more.
      covered = try await lastFrame(through: snapshot, status)
    }
    let last = min(covered, plan.needed)
    // Without space it cannot be noted where the log begins now.
    guard last >= status.firstIndex, !lacksSpace || last > truncated.load(ordering: .relaxed) else { return }
    try await shared.truncate(through: last)
    truncated.store(last, ordering: .relaxed)
    if !plan.isLastResort {
      logger.info("frames of the shared log were deleted that two nodes have", metadata: ["through": "\(last)"])
    } else {
      logger.warning(
        """
        frames of the shared log were deleted that only one node has, because no other can lead and writes would stop: a \
        node that lacks them needs a copy of this one's folder
        """, metadata: ["through": "\(last)"])
    }
  }

  /// Searches for the last frame that a snapshot holds. Once for each, as frames are read for it.
  private func lastFrame(through snapshot: LSN, _ status: SharedLogStatus) async throws(SharedLogError) -> UInt64 {
    if let found = found.withLock({ $0 }), found.snapshot == snapshot { return found.index }
    let index = try await FrameSearch(shared, services.folder).lastFrame(through: snapshot, status)
    found.withLock { $0 = (snapshot, index) }
    return index
  }
}
