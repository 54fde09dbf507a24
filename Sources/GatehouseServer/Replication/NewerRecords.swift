import GatehouseCore
import GatehouseStorage
import Logging
import Synchronization

/// What a newer version has written and this one has skipped, while the nodes of a cluster are upgraded one by one.
///
/// A newer version marks as critical what must not be skipped, and a node stops at that. All else may be skipped, and what
/// is answered is right without it. But then this node's memory lacks it, and a snapshot would lose it for good, also for
/// the newer version that starts on this folder later. So such a node takes no snapshot and does not lead: once it is
/// upgraded, it finds all of it in its snapshot and its log.
final class NewerRecords: Sendable {
  private let skipped = Mutex<SkippedPart?>(nil)

  /// - Returns: whether it is the first.
  func note(_ part: SkippedPart) -> Bool {
    skipped.withLock { skipped in
      guard skipped == nil else { return false }
      skipped = part
      return true
    }
  }

  /// The first that was skipped; nil if nothing was.
  var first: SkippedPart? { skipped.withLock { $0 } }

  /// The record of it, for monitoring; 0 for none.
  var firstLSN: LSN {
    // A snapshot from before the first record has things in it, too.
    first.map { max($0.lsn, 1) } ?? 0
  }

  /// What the server would lose; nil for nothing.
  var loss: String? { first.map { $0.loss(to: Version.current) + ": upgrade this node" } }
}

extension ServerContext {
  /// Something was read of which a part was skipped.
  func note(newer part: SkippedPart) {
    guard newerRecords.note(part) else { return }
    let consequence =
      facts.node.isReplicated
      ? "no snapshot is taken, and this node does not lead until it is upgraded"
      : "it is lost with the next snapshots; to keep it, stop this server and start the newer version"
    logger.warning(
      "a newer version has written something that this one skips; \(consequence)",
      metadata: ["in": "\(part)", "version": "\(Version.current)"])
  }

  /// Why no snapshot is taken; nil if one may be. A server that is alone goes on without what it does not know.
  var snapshotObstacle: String? { facts.node.isReplicated ? newerRecords.loss : nil }
}
