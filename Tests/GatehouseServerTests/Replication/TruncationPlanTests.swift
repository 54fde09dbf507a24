import GatehouseCore
import GatehouseStorage
import Testing
@testable import GatehouseServer

/// What the shared log need not keep.
struct TruncationPlanTests {
  private static let slow: UInt64 = 1_000

  private static func plan(_ nodes: [(snapshot: LSN, index: UInt64, isCandidate: Bool)], kept: UInt64) -> TruncationPlan
  {
    let entries = nodes.enumerated().map { number, node in
      var entry = NodeEntry(name: "n\(number)", host: "h", port: 1, version: "1")
      entry.snapshotLSN = node.snapshot
      entry.index = node.index
      entry.isCandidate = node.isCandidate
      return entry
    }
    return TruncationPlan(
      SharedLogStatus(epoch: 1, tail: nil, leader: nil, nodes: entries, firstIndex: 1, keptBytes: kept), slow: slow)
  }

  @Test func twoNodesMustHaveSnapshotsAndNoneMayLackFrames() {
    let nodes: [(LSN, UInt64, Bool)] = [(90, 50, true), (70, 40, true), (10, 30, true)]
    #expect(Self.plan(nodes, kept: 250).snapshot == nil)
    let plan = Self.plan(nodes, kept: 251)
    #expect(plan.snapshot == 70 && plan.needed == 30)
  }

  @Test func aNodeWhoseDiskIsFullIsNotWaitedForForever() {
    let nodes: [(LSN, UInt64, Bool)] = [(90, 50, true), (70, 40, true), (10, 3, false)]
    #expect(Self.plan(nodes, kept: 1_000).needed == 3)
    #expect(Self.plan(nodes, kept: 1_001).needed == 40)
  }

  @Test func theOnlyNodeThatIsLeftGoesOn() {
    #expect(Self.plan([(90, 50, true)], kept: 1_000).snapshot == nil)
    let plan = Self.plan([(90, 50, true)], kept: 1_001)
    #expect(plan.snapshot == 90 && plan.needed == 50)
  }

  @Test func snapshotsAreTakenBeforeTheSharedLogSlowsWritesDown() {
    var configuration = ServerConfiguration()
    configuration.snapshotEveryBytes = 0
    #expect(Persistence.bytesPerSnapshot(configuration) == nil)
    configuration.replication = "etcd://a:1"
    configuration.replicationSlow = 1 << 20
    #expect(Persistence.bytesPerSnapshot(configuration) == 1 << 19)
    configuration.snapshotEveryBytes = 256 << 20
    #expect(Persistence.bytesPerSnapshot(configuration) == 1 << 19)
    configuration.snapshotEveryBytes = 1 << 18
    #expect(Persistence.bytesPerSnapshot(configuration) == 1 << 18)
    configuration.replication = nil
    configuration.snapshotEveryBytes = 256 << 20
    #expect(Persistence.bytesPerSnapshot(configuration) == 256 << 20)
  }
}
