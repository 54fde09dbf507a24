import GatehouseCore
import GatehouseStorage

/// Which frames the shared log need not keep any more.
///
/// Two nodes must hold them in verified snapshots, and no live node may still need them. Once writes slow down, two things
/// count less than that the cluster goes on taking changes, because nothing else would ever end it: a node whose disk is
/// full is not waited for, and the only node that is left deletes what its own snapshot holds. Whoever lacks the frames then
/// needs a copy of a folder.
struct TruncationPlan: Equatable {
  /// The frames with records through this one may go; nil if nothing is to be deleted now.
  var snapshot: LSN?
  /// But none after this one.
  var needed: UInt64 = 0

  /// - Parameter slow: from how many kept bytes on writes slow down.
  init(_ status: SharedLogStatus, slow: UInt64) {
    guard status.keptBytes > slow / 4 else { return }
    let isUrgent = status.keptBytes > slow
    let snapshots = status.nodes.map(\.snapshotLSN).sorted(by: >)
    if snapshots.count > 1 {
      snapshot = snapshots[1]
    } else if isUrgent {
      snapshot = snapshots.first
    }
    needed = status.nodes.filter { $0.isCandidate || !isUrgent }.map(\.index).min() ?? 0
  }
}
