import GatehouseCore
import GatehouseStorage
import Logging
import Synchronization

/// What a newer version has written and this one has skipped, while the nodes of a cluster are upgraded one by one.
///
/// A newer version marks as critical what must not be skipped, and a node stops at that. All else may be skipped, and what
/// is answered is right without it. But then this node's memory lacks it, and a snapshot would lose it for good, also for
/// the newer version that starts on this folder later. So such a node takes no snapshot and does not lead: once it is
/// upgraded, it finds all of it in its log.
final class NewerRecords: Sendable {
  private let first = Atomic<LSN>(0)

  /// - Returns: whether it is the first such record.
  func note(_ lsn: LSN) -> Bool {
    first.compareExchange(expected: 0, desired: lsn, ordering: .relaxed).exchanged
  }

  /// The first record of which something was skipped; nil if there is none.
  var firstLSN: LSN? {
    let lsn = first.load(ordering: .relaxed)
    return lsn == 0 ? nil : lsn
  }

  /// What the server would lose; nil for nothing.
  var loss: String? {
    firstLSN.map {
      "a newer version than this one (\(Version.current)) has written record \($0), and this one skips a part of it, "
        + "which it would lose: upgrade this node"
    }
  }
}

extension ServerContext {
  /// A record was read of which something was skipped.
  func note(newer lsn: LSN) {
    guard newerRecords.note(lsn) else { return }
    logger.warning(
      """
      a newer version has written something that this one skips; \
      \(facts.node.isReplicated ? "no snapshot is taken, and this node does not lead until it is upgraded" : "it is lost")
      """, metadata: ["lsn": "\(lsn)", "version": "\(Version.current)"])
  }

  /// Why no snapshot is taken; nil if one may be. A server that is alone goes on without what it does not know.
  var snapshotObstacle: String? { facts.node.isReplicated ? newerRecords.loss : nil }
}
