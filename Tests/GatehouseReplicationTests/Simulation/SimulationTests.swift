import Foundation
import GatehouseStorage
import Testing

@testable import GatehouseReplication

/// Runs three nodes on a simulated etcd, with every fault that the network, etcd and the machines can have, from a seed.
struct SimulationTests {
  struct Outcome {
    var faults: [String]
    var acknowledged: Int
    var reads: Int
    var leaderships: Int
  }

  /// How many are run; `GATEHOUSE_SIMULATIONS` sets another number, such as 10000.
  static let seeds = ProcessInfo.processInfo.environment["GATEHOUSE_SIMULATIONS"].flatMap { UInt64($0) } ?? 60

  @Test(arguments: 0..<UInt64(4)) func nothingAcknowledgedIsLost(_ part: UInt64) {
    var (acknowledged, reads, leaderships) = (0, 0, 0)
    for seed in stride(from: part, to: Self.seeds, by: 4) {
      let outcome = Self.run(seed: seed)
      #expect(outcome.faults.isEmpty, "seed \(seed)")
      acknowledged += outcome.acknowledged
      reads += outcome.reads
      leaderships += outcome.leaderships
    }
    // A simulation in which nothing happens would prove nothing.
    let runs = Int(Self.seeds / 4)
    #expect(acknowledged > 50 * runs)
    #expect(reads > 50 * runs)
    #expect(leaderships > runs)
  }

  /// Links that carry only one way, which fool whoever takes an answer for a sign that it was heard, or silence for a sign
  /// that it was not.
  @Test func nothingIsLostOverLinksOfOneWay() {
    var (acknowledged, leaderships) = (0, 0)
    let seeds = max(Self.seeds / 4, 10)
    for seed in 0..<seeds {
      let outcome = Self.run(seed: 1_000_000 + seed, hasOneWayLinks: true)
      #expect(outcome.faults.isEmpty, "seed \(1_000_000 + seed)")
      acknowledged += outcome.acknowledged
      leaderships += outcome.leaderships
    }
    #expect(acknowledged > 30 * Int(seeds))
    #expect(leaderships > Int(seeds))
  }

  @Test(arguments: [
    (ReplicationSabotage.trustSentHeartbeat, "a lease without an answer"),
    (.guessLostOutcome, "a guess about a lost answer"),
  ]) func plantedBugsAreFoundOverLinksOfOneWay(_ sabotage: ReplicationSabotage, _ name: String) {
    let found = (0..<60).first { !Self.run(seed: 1_000_000 + $0, sabotage, hasOneWayLinks: true).faults.isEmpty }
    #expect(found != nil, "\(name) was not found")
  }

  @Test(arguments: [
    (ReplicationSabotage.skipComparisons, "no comparison of the epoch"),
    (.acknowledgeEarly, "an acknowledgement before etcd's"), (.trustSentHeartbeat, "a lease without an answer"),
    (.guessLostOutcome, "a guess about a lost answer"), (.skipSilence, "no wait for the lease"),
    (.forgetReplaced, "a replaced leader's lease that only its successor knows"),
  ]) func plantedBugsAreFound(_ sabotage: ReplicationSabotage, _ name: String) {
    let found = (0..<60).first { !Self.run(seed: $0, sabotage).faults.isEmpty }
    #expect(found != nil, "\(name) was not found")
  }

  @Test func aSeedRepeatsItself() {
    let (first, second) = (Self.run(seed: 7), Self.run(seed: 7))
    #expect(first.acknowledged == second.acknowledged)
    #expect(first.reads == second.reads)
  }

  // MARK: A run

  private static let second: UInt64 = 1_000_000_000
  private static let troubled: UInt64 = 20 * second
  private static let calm: UInt64 = 15 * second

  static func run(
    seed: UInt64, _ sabotage: ReplicationSabotage = [], hasOneWayLinks: Bool = false
  ) -> Outcome {
    let world = SimulatedWorld(seed: seed)
    let etcd = SimulatedEtcd(world)
    let ledger = SimulatedLedger(etcd, world, LogKeys(SimulatedNode.folderID))
    // Leases that differ, as while the setting is changed on one node after the other.
    let nodes = [("a", 3_000), ("b", 1_500), ("c", 6_000)].map { name, lease in
      var settings = ReplicationSettings(address: "etcd://simulated")
      settings.leaseMilliseconds = lease
      return SimulatedNode(name, world, etcd, ledger, settings, sabotage)
    }
    ledger.least = { min(nodes.map(\.verified).min()!, ledger.last) }
    for node in nodes { node.start() }
    let end = world.now + troubled
    while world.now < end {
      trouble(world, etcd, nodes)
      if hasOneWayLinks { turnLink(world, nodes) }
      world.run(until: world.now + second / 4 + world.pick(2 * second))
    }
    // Everything works again: before long, somebody leads, acknowledges, and the others have it all.
    etcd.isFull = false
    for node in nodes {
      node.isForced = false
      node.machine.isStopped = false
      node.network.isCut = false
      node.network.losesRequests = false
      node.network.losesAnswers = false
      node.network.hasStuckWatches = false
      node.network.lossOneIn = 0
    }
    let before = ledger.last
    world.run(until: world.now + calm)
    if ledger.last <= before { ledger.fault("nothing was acknowledged in \(calm / second) s without trouble") }
    for node in nodes { node.isQuiet = true }
    world.run(until: world.now + 5 * second)
    for node in nodes {
      ledger.check(node.frames, of: node.name)
      if node.frames.count < Int(ledger.last) {
        ledger.fault("\(node.name) has \(node.frames.count) frames of \(ledger.last), long after the last trouble")
      }
    }
    defer {
      etcd.clear()
      world.clear()
    }
    return Outcome(
      faults: ledger.faults, acknowledged: ledger.acknowledged.count, reads: ledger.reads,
      leaderships: ledger.leaderships)
  }

  /// A link carries only one way, or both again.
  private static func turnLink(_ world: SimulatedWorld, _ nodes: [SimulatedNode]) {
    // The leader's matters most.
    let leader = world.happens(oneIn: 2) ? nodes.first { $0.isLeading } : nil
    let network = (leader ?? nodes[Int(world.pick(3))]).network
    switch world.pick(4) {
    case 0: network.losesRequests = true
    case 1: network.losesAnswers = true
    default: for node in nodes { (node.network.losesRequests, node.network.losesAnswers) = (false, false) }
    }
  }

  /// Begins or ends something bad.
  private static func trouble(_ world: SimulatedWorld, _ etcd: SimulatedEtcd, _ nodes: [SimulatedNode]) {
    let node = nodes[Int(world.pick(3))]
    switch world.pick(16) {
    case 0, 1: node.network.isCut.toggle()
    case 2, 3: node.machine.isStopped.toggle()
    case 4: node.restart()
    case 5: for node in nodes { node.network.isCut = true }
    case 6, 7: for node in nodes { node.network.isCut = false }
    case 8: node.network.lossOneIn = [0, 5, 20, 100][Int(world.pick(4))]
    case 9: node.network.hasStuckWatches.toggle()
    case 10: etcd.isFull = world.happens(oneIn: 2)
    case 11: try? etcd.compact(etcd.revision)
    case 14: node.isForced = true
    case 15:
      // The one that was promoted by force is lost while the other may still answer, which etcd does not reach.
      if let leader = nodes.first(where: { $0.isLeading }), leader !== node {
        leader.network.isCut = true
        node.isForced = true
        let later = world.pick(second)
        world.after(later) { node.restart() }
      }
    case 12: if let leader = nodes.first(where: { $0.isLeading }) { leader.machine.isStopped = true }
    default: for node in nodes { node.machine.isStopped = false }
    }
  }
}
