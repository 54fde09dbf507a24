import GatehouseCore
import GatehouseStorage
import Testing
@testable import GatehouseServer

/// What the shared log need not keep.
struct TruncationPlanTests {
  private static let slow: UInt64 = 1_000

  private static func plan(
    _ nodes: [(snapshot: LSN, index: UInt64, isCandidate: Bool)], kept: UInt64, lacksSpace: Bool = false
  ) -> TruncationPlan {
    let entries = nodes.enumerated().map { number, node in
      var entry = NodeEntry(name: "n\(number)", host: "h", port: 1, version: "1")
      entry.snapshotLSN = node.snapshot
      entry.index = node.index
      entry.isCandidate = node.isCandidate
      return entry
    }
    return TruncationPlan(
      SharedLogStatus(epoch: 1, tail: nil, leader: nil, nodes: entries, firstIndex: 1, keptBytes: kept), slow: slow,
      lacksSpace: lacksSpace)
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

  /// A node that fetches its folder has no snapshot and needs what comes after the folder, until writes slow down.
  @Test func aNodeThatFetchesHoldsBackAndNotForever() {
    let two: [(LSN, UInt64, Bool)] = [(90, 50, true), (0, 20, false)]
    #expect(Self.plan(two, kept: 1_000).snapshot == 0)
    let urgent = Self.plan(two, kept: 1_001)
    #expect(urgent.snapshot == 90 && urgent.needed == 50 && urgent.isLastResort)
    let three: [(LSN, UInt64, Bool)] = [(90, 50, true), (70, 40, true), (0, 20, false)]
    #expect(Self.plan(three, kept: 1_000) == Self.plan([(90, 50, true), (70, 20, true)], kept: 1_000))
    let later = Self.plan(three, kept: 1_001)
    #expect(later.snapshot == 70 && later.needed == 40 && !later.isLastResort)
    // Two others hold more than the only one that can lead.
    let behind: [(LSN, UInt64, Bool)] = [(60, 50, true), (90, 50, false), (80, 50, false)]
    let plan = Self.plan(behind, kept: 1_001)
    #expect(plan.snapshot == 80 && !plan.isLastResort)
  }

  /// Without space in the engine all goes that may, and no more than otherwise.
  @Test func withoutSpaceNothingIsKeptForLater() {
    let nodes: [(LSN, UInt64, Bool)] = [(90, 50, true), (70, 40, true)]
    #expect(Self.plan(nodes, kept: 10).snapshot == nil)
    let plan = Self.plan(nodes, kept: 10, lacksSpace: true)
    #expect(plan.snapshot == 70 && plan.needed == 40)
    #expect(Self.plan([(90, 50, true)], kept: 10, lacksSpace: true).snapshot == nil)
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
