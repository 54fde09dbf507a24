import GatehouseStorage
import Testing

@testable import GatehouseReplication

/// etcd whose members all come back with an older copy of their data: what it has acknowledged since is lost there, and
/// nobody may go on as if it had never been.
struct RestoredEtcdTests {
  /// - Parameter isAhead: whether others have written so much since that etcd's revision tells nothing any more.
  @Test(arguments: [false, true]) func everyNodeNotices(isAhead: Bool) throws {
    let stage = SimulatedStage()
    let (first, second, third) = (stage.host("a"), stage.host("b"), stage.host("c"))
    let leadership = try #require(stage.lead(first, frames: 3))
    let copy = stage.etcd.copy
    func append(_ number: UInt64) {
      _ = leadership.pipeline.add(
        [UInt8(number)], lsn: number, hash: Hash128(high: 1, low: number), epoch: leadership.epoch)
    }
    /// What has become of a frame once that is known.
    func outcome(of number: UInt64) -> AppendPipeline.Standing? {
      stage.run(first) {
        while leadership.pipeline.standing(through: number) == .underWay {
          await first.machine.surroundings.sleep(20_000_000)
        }
        return leadership.pipeline.standing(through: number)
      }.value
    }
    for number in 4...UInt64(6) { append(number) }
    #expect(outcome(of: 6) == .stored)
    // One node has heard how far the log goes, and one has its frames.
    #expect(stage.run(second) { try await second.log.status() }.value?.tail?.index == 6)
    #expect(stage.run(third) { try await third.log.frames(after: 0) }.value?.count == 6)

    // Heartbeats, so that its revision goes on.
    stage.world.run(until: stage.world.now + SimulatedStage.second)
    stage.etcd.restore(copy)
    if isAhead { for number in 0..<UInt8(100) { stage.etcd.put([0, number], [number]) } }
    append(7)
    let isStored = outcome(of: 7) == .stored
    #expect(!isStored, "the frames before it are lost")
    let reason = stage.run(first) { await leadership.end() }.value ?? ""
    let told =
      isAhead ? "its tail is frame 3, though only this node may write frame 7" : "it was restored from an older copy"
    #expect(reason.contains(told), "\(reason)")
    #expect(leadership.validUntil == 0)
    for (host, failure) in [
      (second, stage.run(second) { try await second.log.status() }.failure),
      (third, stage.run(third) { try await third.log.follow(after: 6) { _ in } }.failure),
    ] { #expect(failure?.contains("restored from an older copy") == true, "\(host.entry.name): \(failure ?? "")") }
  }
}
