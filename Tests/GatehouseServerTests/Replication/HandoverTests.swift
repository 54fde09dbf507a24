import GatehouseStorage
import GatehouseTestSupport
import GatehouseWire
import Synchronization
import Testing
@testable import GatehouseServer

/// What becomes of a request to hand over.
struct HandoverOutcomeTests {
  private static let request = HandoverRequest(node: "b", epoch: 4, number: 7)

  private static func outcome(
    of request: HandoverRequest = request, epoch: UInt64, leader: (name: String, epoch: UInt64)? = nil,
    _ handover: HandoverRequest? = nil
  ) -> HandoverOutcome {
    let entry = leader.map {
      LeaderEntry(node: NodeEntry(name: $0.name, host: "h", port: 1, version: "1"), epoch: $0.epoch)
    }
    return HandoverOutcome(
      request,
      SharedLogStatus(
        epoch: epoch, tail: nil, leader: entry, nodes: [], firstIndex: 1, keptBytes: 0, handover: handover))
  }

  private static func answered(_ answer: HandoverRequest.Answer) -> HandoverRequest {
    HandoverRequest(node: "b", epoch: 4, number: 7, answer: answer)
  }

  @Test func itHappensOrIsRefusedAndStaysOpenUntilThen() {
    #expect(Self.outcome(epoch: 4, leader: ("a", 4), Self.request) == .open(Self.request))
    #expect(Self.outcome(epoch: 4, leader: ("a", 4), Self.answered(.taken)) == .open(Self.answered(.taken)))
    let refused = Self.outcome(epoch: 4, leader: ("a", 4), Self.answered(.refused("its disk is full")))
    #expect(refused == .failed("its disk is full"))
    #expect(Self.outcome(epoch: 5, leader: ("b", 5), Self.answered(.taken)) == .happened)
    #expect(Self.outcome(epoch: 6, leader: ("b", 6)) == .happened)
  }

  @Test func anotherNodeMayBeFirst() {
    #expect(Self.outcome(epoch: 5, leader: ("c", 5), Self.request) == .failed("c leads now, and not b"))
    // The old leader's heartbeat still stands.
    #expect(Self.outcome(epoch: 5, leader: ("a", 4), Self.request) == .open(Self.answered(.taken)))
    #expect(Self.outcome(epoch: 5, Self.request) == .open(Self.answered(.taken)))
  }

  @Test func anotherRequestTakesItsPlace() {
    let other = HandoverRequest(node: "c", epoch: 4, number: 8)
    let replaced = "it was replaced and does not happen: a handover to c was asked for meanwhile"
    #expect(Self.outcome(epoch: 4, leader: ("a", 4), other) == .failed(replaced))
    #expect(Self.outcome(epoch: 4, leader: ("a", 4)) == .failed("it was withdrawn"))
    // What was taken is replaced only after it was refused.
    let taken = Self.answered(.taken)
    let refused = "it was given up: a handover to c was asked for meanwhile"
    #expect(Self.outcome(of: taken, epoch: 4, leader: ("a", 4), other) == .failed(refused))
    #expect(Self.outcome(of: taken, epoch: 5, leader: ("b", 5), other) == .happened)
  }

  @Test func anOrderIsTriedForAsLongAsSomebodyWaits() {
    var order = ForceOrder(until: 100)
    #expect(order.isDue(at: 99) && !order.isDue(at: 100))
    let (first, second) = (order.attempt(at: 50), order.attempt(at: 51))
    #expect(first && !second)
    order.hasEnded()
    let (third, late) = (order.attempt(at: 60), order.attempt(at: 61))
    #expect(third && !late)
    order.hasEnded()
    #expect(!order.isDue(at: 100))
  }
}

/// Requests to hand over, over nodes in this process.
@Suite(.serialized) struct HandoverTests {
  /// The leader cannot reach the shared log when it is asked. It hears of it once it can, or whoever asks learns why not.
  @Test func whatIsAskedWhileTheLeaderReconnectsHappens() async throws {
    // Longer than the test, so that nobody takes over by itself.
    let (cluster, one, two, three) = try await TestCluster.three(leaseMilliseconds: 60_000)
    for node in [one, two, three] {
      try await soon("\(node.name) knows the others") { await node.ask("NODE.LIST")?.elements?.count == 3 }
    }
    one.line.isCut.store(true, ordering: .releasing)
    // Whoever has asked before is told that something else was asked for, and that at once.
    let replaced = Task { await three.ask("NODE.PROMOTE two") }
    try await soon("two was asked for") { cluster.engine.withState { $0.handover?.node } == "two" }
    let reply = Task { await two.ask("NODE.PROMOTE three") }
    #expect(
      await replaced.value?.errorText
        == "BUSY it was replaced and does not happen: a handover to three was asked for meanwhile")
    try await soon("it was asked for") { cluster.engine.withState { $0.handover?.node } == "three" }
    #expect(cluster.engine.withState { $0.handover?.answer } == .pending)
    one.line.isCut.store(false, ordering: .releasing)
    #expect(await reply.value?.string == "OK")
    #expect(await three.role == "master")
    try await soon("the first one follows") { await one.hasComeBack }
    // The leader itself is asked: the node that was named leads, and no other.
    try await soon("three knows the others") { await three.ask("NODE.LIST")?.elements?.count == 3 }
    try await one.untilFollowing()
    #expect(await three.ask("NODE.PROMOTE two")?.string == "OK")
    try await two.untilLeading()
    try await soon("three follows") { await three.hasComeBack }
    #expect(cluster.engine.withState { $0.leader?.node.name } == "two")
    #expect(await two.ask("NODE.PROMOTE three")?.string == "OK")
    try await three.untilLeading()
    try await soon("two follows") { await two.hasComeBack }
    // What cannot happen is answered so.
    try await two.stop()
    try await one.stop()
    try await soon("they are forgotten") { cluster.engine.withState { $0.nodes.count } == 1 }
    #expect(await three.info("replication", "role") == "master")
    let refusal = await three.ask("NODE.RESIGN")?.errorText
    #expect(refusal?.contains("there is no other node that c") == true, "\(refusal ?? "")")
    #expect(await three.does("USER.CREATE ana PRODUCT payroll STATUS active"))
    try await cluster.stop()
  }

  @Test func theLeaderAnswersWhatItRefuses() async throws {
    let cluster = try TestCluster(leaseMilliseconds: 60_000)
    let one = try await cluster.begin()
    let two = try await cluster.join("two", from: one)
    try await two.untilFollowing()
    try await soon("the nodes know each other") { await two.ask("NODE.LIST")?.elements?.count == 2 }
    // A node that is there, and of which nobody has heard that it can lead.
    cluster.engine.withState { state in
      var entry = NodeEntry(name: "three", host: "h", port: 1, version: "1")
      entry.isCandidate = false
      state.nodes["three"] = entry
    }
    for node in [one, two] {
      try await soon("\(node.name) knows of it") { await node.ask("NODE.LIST")?.elements?.count == 3 }
      #expect(await node.ask("NODE.PROMOTE three")?.errorText == "BUSY three cannot lead now")
    }
    #expect(cluster.engine.withState { $0.handover?.answer } == .refused("three cannot lead now"))
    // It goes on taking changes.
    #expect(await one.does("USER.CREATE ana"))
    try await cluster.stop()
  }
}
