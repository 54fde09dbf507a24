import GatehouseStorage
import Testing

@testable import GatehouseReplication

/// etcd takes no value any more, and still deletes and compacts.
struct NoSpaceTests {
  @Test func framesAreDeletedAndForgottenWithoutSpace() throws {
    // The simulated etcd applies some of what it refuses, as the one does that crosses the limit.
    for seed in UInt64(1)...10 {
      let stage = SimulatedStage(seed: seed)
      let first = stage.host("a")
      _ = try #require(stage.lead(first, frames: 10))
      // A node that does not lead, as soon nobody does.
      let host = stage.host("b")
      let log = host.log
      stage.etcd.isFull = true
      let refused = stage.run(host) { try await log.announce(host.entry) }
      #expect(refused.failure?.contains("the shared log has no space") == true, "\(refused.failure ?? "")")
      #expect(refused.failure?.contains("'etcdctl defrag' on each member") == true)
      #expect(refused.failure?.contains("'etcdctl alarm disarm'") == true)
      #expect(stage.run(host) { try await log.truncate(through: 6) }.failure == nil)
      #expect(stage.etcd.pairs[stage.keys.frame(6)] == nil && stage.etcd.pairs[stage.keys.frame(7)] != nil)
      #expect(stage.etcd.compacted > 0)
      // Again, with nothing left to delete.
      #expect(stage.run(host) { try await log.truncate(through: 6) }.failure == nil)
      let before = stage.etcd.compacted
      stage.etcd.isFull = false
      stage.etcd.put(Array("/other".utf8), [1])
      stage.etcd.isFull = true
      #expect(stage.run(host) { try await log.compact() }.failure == nil)
      #expect(stage.etcd.compacted > before)
      // The operator has made room: where the log begins is noted then.
      stage.etcd.isFull = false
      #expect(stage.run(host) { try await log.truncate(through: 7) }.failure == nil)
      #expect(stage.run(host) { try await log.status().firstIndex }.value == 8)
      #expect(stage.run(host) { try await log.frames(after: 7).map(\.index) }.value == [8, 9, 10])
    }
  }
}
