import GatehouseCore
import GatehouseStorage

/// Which frames the shared log need not keep any more.
///
/// Two nodes must hold them in verified snapshots, and no live node may still need them. Once writes slow down, two things
/// count less than that the cluster goes on taking changes, because nothing else would ever end it: a node that cannot lead,
/// because its disk is full, it still fetches its folder, or it has an earlier version, is not waited for; and the only node
/// that is left deletes what its own snapshot holds. Whoever lacks the frames then needs a copy of a folder.
struct TruncationPlan: Equatable {
  /// The frames with records through this one may go; nil if nothing is to be deleted now.
  var snapshot: LSN?
  /// But none after this one.
  var needed: UInt64 = 0
  /// Whether only one node holds them.
  var isLastResort = false

  /// - Parameters:
  ///   - slow: from how many kept bytes on writes slow down.
  ///   - lacksSpace: whether the engine takes nothing more. Then all goes that may.
  init(_ status: SharedLogStatus, slow: UInt64, lacksSpace: Bool = false) {
    guard status.keptBytes > slow / 4 || lacksSpace else { return }
    let isUrgent = status.keptBytes > slow
    let snapshots = status.nodes.map(\.snapshotLSN).sorted(by: >)
    let candidates = status.nodes.filter(\.isCandidate)
    if snapshots.count > 1 { snapshot = snapshots[1] }
    if isUrgent, candidates.count == 1, candidates[0].snapshotLSN > snapshot ?? 0 {
      snapshot = candidates[0].snapshotLSN
      isLastResort = true
    }
    needed = status.nodes.filter { $0.isCandidate || !isUrgent }.map(\.index).min() ?? 0
  }
}
