import GatehouseStorage
import Testing

@testable import GatehouseReplication

/// Who may answer while leases differ.
struct LeaseTests {
  /// When, in the first leader's time, a third node leads after the second one was promoted by force and lost at once; and
  /// until when the first one answers, whose lease is a minute and which cannot reach etcd meanwhile.
  private static func thirdLeads(_ sabotage: ReplicationSabotage) -> (at: UInt64, firstAnswersUntil: UInt64)? {
    let stage = SimulatedStage()
    let first = stage.host("a", leaseMilliseconds: 60_000)
    guard let leadership = stage.lead(first, frames: 1) else { return nil }
    first.network.isCut = true
    let second = stage.host("b", sabotage)
    let promoted = stage.begin(second) {
      try await second.log.lead(as: second.entry, replacing: leadership.epoch, above: 0)
    }
    stage.world.run(until: stage.world.now + SimulatedStage.second)
    #expect(promoted.result == nil, "it waits for the lease")
    let validUntil = leadership.validUntil
    // As a node that is told to stop does.
    _ = stage.run(second) { await second.log.leave() }
    second.machine.isStopped = true
    let third = stage.host("c", sabotage)
    let outcome = stage.run(third, within: 200) {
      while true {
        if try await third.log.lead(as: third.entry, replacing: nil, above: 0) != nil { return }
        await third.machine.surroundings.sleep(100_000_000)
      }
    }
    return outcome.value == nil ? nil : (first.machine.clock, validUntil)
  }

  @Test func nobodyLeadsWhileAReplacedLeaderMayStillAnswer() throws {
    let (at, answersUntil) = try #require(Self.thirdLeads([]))
    #expect(at > answersUntil)
  }

  @Test func aForgottenLeaseWouldBeFound() throws {
    let (at, answersUntil) = try #require(Self.thirdLeads(.forgetReplaced))
    #expect(at < answersUntil)
  }

  /// A promotion that is given up, because the node stops, leaves the wait to the next one.
  @Test func aForcedLeaderThatStopsBeforeItMayAnswerSaysNothing() throws {
    let stage = SimulatedStage()
    let first = stage.host("a", leaseMilliseconds: 20_000)
    let leadership = try #require(stage.lead(first, frames: 1))
    first.network.isCut = true
    let second = stage.host("b")
    _ = stage.begin(second) { try await second.log.lead(as: second.entry, replacing: leadership.epoch, above: 0) }
    stage.world.run(until: stage.world.now + SimulatedStage.second)
    _ = stage.run(second) { await second.log.leave() }
    let leader = try #require(try StoredLeader(stage.etcd.pairs[stage.keys.leader], as: "leader"))
    #expect(leader.epoch == leadership.epoch + 1)
    #expect(leader.earlierMilliseconds == 20_000)
    #expect(try StoredEpoch.read(stage.etcd.pairs[stage.keys.ended], as: "ended") < leadership.epoch)
  }

  /// Once the replaced leader has said that it has stopped, or its lease is over, nobody waits for it any more.
  @Test func aLeaseThatIsOverIsForgotten() throws {
    let stage = SimulatedStage()
    let first = stage.host("a", leaseMilliseconds: 60_000)
    let leadership = try #require(stage.lead(first, frames: 1))
    let second = stage.host("b")
    let promoted = stage.run(second) {
      try await second.log.lead(as: second.entry, replacing: leadership.epoch, above: 0)
    }
    #expect(promoted.value.map { $0 != nil } == true)
    stage.world.run(until: stage.world.now + SimulatedStage.second)
    let leader = try #require(try StoredLeader(stage.etcd.pairs[stage.keys.leader], as: "leader"))
    #expect(leader.earlierMilliseconds == 0)
  }

  @Test func aNewEpochIsGreaterThanThatOfTheNodesOwnLog() throws {
    let stage = SimulatedStage()
    let host = stage.host("a")
    let outcome = stage.run(host) {
      try await host.log.begin(at: SharedTail(index: 0, lsn: 0, hash: .zero, epoch: 2))
      return try await host.log.lead(as: host.entry, replacing: nil, above: 8)?.epoch
    }
    #expect(outcome.value == 9)
  }
}
