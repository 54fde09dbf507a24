import GatehouseStorage
import Testing

@testable import GatehouseReplication

/// Requests to hand over, which happen or are answered.
struct HandoverTests {
  private static let second = SimulatedStage.second

  /// It belongs to the thread of the world.
  private final class Seen: @unchecked Sendable {
    var requests: [HandoverRequest] = []
    /// Whether who leads, or that nobody does, was heard before the first request.
    var hasHeardOfLeaderFirst: Bool?
  }

  /// What a node hears while it listens, until the world stops it.
  private static func listen(_ stage: SimulatedStage, _ host: SimulatedStage.Host) -> Seen {
    let seen = Seen()
    let log = host.log
    _ = stage.begin(host) {
      try await log.follow(after: .max) { news in
        switch news {
        case .handover(let request):
          seen.requests.append(request)
          seen.hasHeardOfLeaderFirst = seen.hasHeardOfLeaderFirst ?? false
        case .leader: seen.hasHeardOfLeaderFirst = seen.hasHeardOfLeaderFirst ?? true
        case .frames, .current: break
        }
      }
    }
    stage.world.run(until: stage.world.now + second)
    return seen
  }

  private static func asked(_ stage: SimulatedStage, _ host: SimulatedStage.Host) throws -> HandoverRequest {
    let log = host.log
    return try #require(stage.run(host) { try await log.requestHandover(to: "b") }.value)
  }

  @Test func aLeaderThatConnectsAnewHearsWhatWasAskedMeanwhile() throws {
    let stage = SimulatedStage()
    let (first, second) = (stage.host("a"), stage.host("b"))
    let leadership = try #require(stage.lead(first, frames: 1))
    let request = try Self.asked(stage, second)
    #expect(request.epoch == leadership.epoch && request.answer == .pending)
    // It has not listened before.
    #expect(Self.listen(stage, first).requests == [request])
    // Again, until it is answered, and before it is said that nobody leads.
    let again = Self.listen(stage, first)
    #expect(again.requests == [request] && again.hasHeardOfLeaderFirst == false)
    let log = first.log
    #expect(stage.run(first) { try await log.settle(request, .refused("no")) }.value == true)
    #expect(Self.listen(stage, first).requests == [])
    let status = try #require(stage.run(second) { try await second.log.status() }.value)
    #expect(status.handover?.answer == .refused("no"))
  }

  @Test func aRequestOfAnEarlierEpochMeansNothing() throws {
    let stage = SimulatedStage()
    let (first, second) = (stage.host("a"), stage.host("b"))
    let leadership = try #require(stage.lead(first, frames: 1))
    _ = try Self.asked(stage, second)
    _ = stage.run(first) { await leadership.resign() }
    let log = second.log
    let entry = second.entry
    let epoch = stage.run(second) {
      while true {
        if let new = try await log.lead(as: entry, replacing: nil, above: 0) { return new.epoch }
        await second.machine.surroundings.sleep(Self.second / 10)
      }
    }
    #expect(epoch.value == leadership.epoch + 1)
    #expect(Self.listen(stage, second).requests == [])
  }

  @Test func whatWasTakenCannotBeWithdrawnAndWhatWasWithdrawnNotTaken() throws {
    let stage = SimulatedStage()
    let (first, second) = (stage.host("a"), stage.host("b"))
    _ = try #require(stage.lead(first, frames: 1))
    func settle(_ host: SimulatedStage.Host, _ request: HandoverRequest, _ answer: HandoverRequest.Answer?) -> Bool? {
      let log = host.log
      return stage.run(host) { try await log.settle(request, answer) }.value
    }
    let request = try Self.asked(stage, second)
    #expect(settle(first, request, .taken) == true)
    #expect(settle(second, request, nil) == false)
    // An answer that was lost is found out.
    #expect(settle(first, request, .taken) == true)
    let other = try Self.asked(stage, second)
    #expect(settle(second, other, nil) == true)
    #expect(settle(second, other, nil) == true)
    #expect(settle(first, other, .taken) == false)
    #expect(settle(first, request, .refused("no")) == false)
  }

  /// Whatever is lost between the nodes and etcd: a request is taken or withdrawn, and never both.
  @Test func lostAnswersDecideNothing() {
    for seed in 1...UInt64(20) {
      let stage = SimulatedStage(seed: seed)
      let (first, second) = (stage.host("a"), stage.host("b"))
      guard stage.lead(first, frames: 1) != nil, let request = try? Self.asked(stage, second) else {
        Issue.record("no request")
        return
      }
      first.network.lossOneIn = 4
      second.network.lossOneIn = 4
      func settled(_ host: SimulatedStage.Host, _ answer: HandoverRequest.Answer?) -> SimulatedStage.Outcome<Bool> {
        let log = host.log
        return stage.begin(host) {
          while true {
            if let isDone = try? await log.settle(request, answer) { return isDone }
            await host.machine.surroundings.sleep(Self.second / 5)
          }
        }
      }
      let (taken, withdrawn) = (settled(first, .taken), settled(second, nil))
      stage.world.run(until: stage.world.now + 120 * Self.second)
      #expect(taken.value != nil && withdrawn.value != nil, "seed \(seed)")
      #expect(taken.value != withdrawn.value, "seed \(seed)")
    }
  }
}
