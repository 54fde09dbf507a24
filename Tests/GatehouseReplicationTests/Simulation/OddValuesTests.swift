import GatehouseStorage
import Testing

@testable import GatehouseReplication

/// What somebody else has put under the log's keys, or deleted.
struct OddValuesTests {
  private static let garbage = Array("bar".utf8)

  /// A log with three frames and a leader.
  private static func stage() throws -> (
    stage: SimulatedStage, leadership: EtcdLeadership, follower: SimulatedStage.Host
  ) {
    let stage = SimulatedStage()
    let leadership = try #require(stage.lead(stage.host("a"), frames: 3))
    return (stage, leadership, stage.host("b"))
  }

  @Test func whatNodesCanDoWithoutIsPassedOver() throws {
    let (stage, leadership, follower) = try Self.stage()
    stage.etcd.put(stage.keys.handover, Self.garbage)
    stage.etcd.put(stage.keys.ended, Self.garbage)
    stage.etcd.put(stage.keys.node("x"), Self.garbage)
    for name in ["0000000000000002x", "zz", "0"] {
      stage.etcd.put(Array("\(stage.keys.prefix)log/\(name)".utf8), Self.garbage)
    }
    let log = follower.log
    let status = try #require(stage.run(follower) { try await log.status() }.value)
    #expect(status.leader?.epoch == leadership.epoch)
    #expect(
      status.oddities == [
        "the shared log is damaged: the value of \"handover\" in etcd is a field longer than the message",
        "the shared log is damaged: the value of \"ended\" in etcd is no number",
        "the shared log is damaged: the value of \"\(stage.keys.prefix)nodes/x\" in etcd is a field longer than the message",
      ])
    #expect(stage.run(follower) { try await log.frames(after: 0).map(\.index) }.value == [1, 2, 3])
    // A follower that watches is not stopped either.
    let seen = Seen()
    _ = stage.begin(follower) {
      try await log.follow(after: 1) { news in
        if case .frames(let frames) = news { seen.indices += frames.map(\.index) }
      }
    }
    stage.world.run(until: stage.world.now + SimulatedStage.second)
    stage.etcd.put(Array("\(stage.keys.prefix)log/zzz".utf8), Self.garbage)
    _ = leadership.pipeline.add([9], lsn: 4, hash: Hash128(high: 1, low: 4), epoch: leadership.epoch)
    stage.world.run(until: stage.world.now + SimulatedStage.second)
    #expect(seen.indices == [2, 3, 4])
  }

  /// It belongs to the thread of the world.
  private final class Seen: @unchecked Sendable {
    var indices: [UInt64] = []
  }

  @Test(
    arguments: [
      ("epoch", Array("18446744073709551615".utf8), "the value of \"epoch\" in etcd is a number beyond all bounds"),
      ("epoch", garbage, "the value of \"epoch\" in etcd is no number"),
      ("epoch", nil, "the key \"epoch\" is gone, so somebody has deleted keys"),
      ("tail", garbage, "the value of \"tail\" in etcd is a field longer than the message"),
      (
        "tail", StoredTail(tail: SharedTail(index: .max, lsn: 1, hash: .zero, epoch: 1)).stored,
        "the value of \"tail\" in etcd is a number beyond all bounds"
      ),
      ("start", [0x10, 5], "the value of \"start\" in etcd is no index of a frame"),
    ] as [(String, [UInt8]?, String)])
  func whatTheyCannotDoWithoutIsNamed(_ name: String, _ value: [UInt8]?, _ text: String) throws {
    let (stage, _, follower) = try Self.stage()
    let key = Array("\(stage.keys.prefix)\(name)".utf8)
    if let value { stage.etcd.put(key, value) } else { stage.etcd.delete(key) }
    let (log, entry) = (follower.log, follower.entry)
    let outcomes = [
      stage.run(follower) { _ = try await log.status() }.failure,
      stage.run(follower) { try await log.follow(after: 0) { _ in } }.failure,
      stage.run(follower) { _ = try await log.lead(as: entry, replacing: nil, above: 0) }.failure,
    ]
    for outcome in outcomes { #expect(outcome?.contains(text) == true, "\(outcome ?? "nothing")") }
  }

  /// The leader writes it anew with its next heartbeat; if there is none, the longest lease passes first.
  @Test(
    arguments: [
      garbage, StoredLeader(epoch: 1, leaseMilliseconds: 1 << 63).stored, nil,
    ] as [[UInt8]?])
  func aLeaderThatCannotBeReadIsOutlasted(_ value: [UInt8]?) throws {
    let stage = SimulatedStage()
    let first = stage.host("a")
    let leadership = try #require(stage.lead(first, frames: 1))
    first.machine.isStopped = true
    // A heartbeat that is under way arrives.
    stage.world.run(until: stage.world.now + SimulatedStage.second / 10)
    if let value { stage.etcd.put(stage.keys.leader, value) } else { stage.etcd.delete(stage.keys.leader) }
    let second = stage.host("b")
    let (log, entry) = (second.log, second.entry)
    let began = second.machine.clock
    let outcome = stage.run(second, within: 100) {
      while true {
        if let leadership = try await log.lead(as: entry, replacing: nil, above: 0) { return leadership.epoch }
        await second.machine.surroundings.sleep(200_000_000)
      }
    }
    #expect(outcome.value == leadership.epoch + 1)
    #expect(second.machine.clock - began > 60 * SimulatedStage.second)
  }
}
