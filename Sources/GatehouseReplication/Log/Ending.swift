internal import GatehouseStorage

/// Why a leadership is over, and what to do about it.
struct Ending: Sendable, Equatable {
  var reason: String
  var remedy: String

  static let resigned = Ending(reason: "this node has given up the leadership", remedy: "nothing: another node leads")

  static func fenced(epoch: UInt64) -> Ending {
    Ending(
      reason: "another node has become the leader (epoch \(epoch))",
      remedy: "nothing: this node starts again as a follower, and keeps aside what only it had written")
  }

  static let unheard = Ending(
    reason: "etcd was not heard of for two leases, and another node may have become the leader",
    remedy: "see to etcd and to the network; this node starts again as a follower")

  init(reason: String, remedy: String) {
    self.reason = reason
    self.remedy = remedy
  }

  init(_ error: SharedLogError) {
    self.init(reason: error.description, remedy: Self.seeToEtcd)
  }

  init(_ error: EtcdError) {
    self.init(SharedLogError(error))
  }

  /// Nil if the leadership was ended from here.
  init?(_ end: AppendQueue.End) {
    switch end {
    case .fenced(let epoch): self = .fenced(epoch: epoch)
    case .damaged(let what): self.init(SharedLogError.damaged(what))
    case .ended: return nil
    }
  }

  private static let seeToEtcd = "see to etcd, then start again"
}
