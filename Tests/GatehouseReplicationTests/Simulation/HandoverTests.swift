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
    var taken = request
    taken.answer = .taken
    #expect(settle(first, taken, .refused("no")) == true)
    let other = try Self.asked(stage, second)
    #expect(settle(second, other, nil) == true)
    #expect(settle(second, other, nil) == true)
    #expect(settle(first, other, .taken) == false)
    #expect(settle(first, request, .refused("no")) == false)
  }

  /// While the nodes are upgraded one by one, the leader is of an older version than those that ask it.
  @Test func aRequestOfANewerVersionIsTaken() throws {
    let stage = SimulatedStage()
    let (first, second) = (stage.host("a"), stage.host("b"))
    _ = try #require(stage.lead(first, frames: 1))
    let request = try Self.asked(stage, second)
    // A field that this version does not know.
    stage.etcd.put(stage.keys.handover, StoredHandover(request: request).stored + [15 << 3, 1])
    #expect(Self.listen(stage, first).requests == [request])
    let log = first.log
    #expect(stage.run(first) { try await log.settle(request, .taken) }.value == true)
    #expect(stage.run(first) { try await log.status() }.value?.handover?.answer == .taken)
  }

  @Test func aRequestIsReplacedUntilItIsTaken() throws {
    let stage = SimulatedStage()
    let (first, second, third) = (stage.host("a"), stage.host("b"), stage.host("c"))
    _ = try #require(stage.lead(first, frames: 1))
    func settle(_ request: HandoverRequest, _ answer: HandoverRequest.Answer?) -> Bool? {
      let log = first.log
      return stage.run(first) { try await log.settle(request, answer) }.value
    }
    func seen() -> HandoverRequest? {
      let log = second.log
      return stage.run(second) { try await log.status() }.value?.handover
    }
    let replaced = try Self.asked(stage, second)
    let request = try Self.asked(stage, third)
    #expect(seen() == request && !request.isSame(as: replaced))
    #expect(settle(replaced, .taken) == false)
    #expect(settle(request, .taken) == true)
    let log = third.log
    let refusal = stage.run(third) { try await log.requestHandover(to: "c") }.failure
    #expect(refusal?.contains("a handover to \"b\" is under way") == true, "\(refusal ?? "")")
    var taken = request
    taken.answer = .taken
    #expect(seen() == taken)
    #expect(settle(taken, .refused("no")) == true)
    let again = try Self.asked(stage, third)
    #expect(seen() == again)
  }

  /// Two ask at once over a bad network: one request stands, and each of them knows whether it is theirs.
  @Test func requestsAtOnceReplaceEachOther() {
    for seed in 1...UInt64(20) {
      let stage = SimulatedStage(seed: seed)
      let (first, second, third) = (stage.host("a"), stage.host("b"), stage.host("c"))
      guard stage.lead(first, frames: 1) != nil else {
        Issue.record("no leader")
        return
      }
      second.network.lossOneIn = 4
      third.network.lossOneIn = 4
      let asked = [second, third].map { host -> SimulatedStage.Outcome<HandoverRequest> in
        let log = host.log
        return stage.begin(host) {
          while true {
            if let request = try? await log.requestHandover(to: "b") { return request }
            await host.machine.surroundings.sleep(Self.second / 5)
          }
        }
      }
      stage.world.run(until: stage.world.now + 120 * Self.second)
      let log = first.log
      let standing = stage.run(first) { try await log.status() }.value?.handover
      #expect(asked.allSatisfy { $0.value != nil } && standing != nil, "seed \(seed)")
      #expect(asked.contains { $0.value == standing }, "seed \(seed)")
    }
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
