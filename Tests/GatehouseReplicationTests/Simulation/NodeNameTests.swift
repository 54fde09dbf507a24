import GatehouseStorage
import Testing

@testable import GatehouseReplication

/// Two processes of one name.
struct NodeNameTests {
  private static let second = SimulatedStage.second

  private static func entry(_ instance: UInt64, port: Int = 7000) -> NodeEntry {
    var entry = NodeEntry(name: "a", host: "host", port: port, version: "1")
    entry.instance = instance
    return entry
  }

  /// Announces as a live node does, until the host is stopped.
  private static func live(_ stage: SimulatedStage, _ host: SimulatedStage.Host, _ entry: NodeEntry) {
    let log = host.log
    _ = stage.begin(host) {
      while true {
        _ = try? await log.announce(entry)
        await host.machine.surroundings.sleep(second)
      }
    }
    stage.world.run(until: stage.world.now + second / 2)
  }

  /// Announces as a node does that does not have its name yet.
  private static func claim(
    _ stage: SimulatedStage, _ host: SimulatedStage.Host, _ entry: NodeEntry
  ) -> (outcome: SimulatedStage.Outcome<Bool>, took: UInt64) {
    let log = host.log
    let began = stage.world.now
    let outcome = stage.run(host, within: 30) {
      while true {
        if try await log.announce(entry) { return true }
        await host.machine.surroundings.sleep(second / 5)
      }
    }
    return (outcome, stage.world.now - began)
  }

  @Test func theSecondIsToldWhoHasTheName() throws {
    let stage = SimulatedStage()
    Self.live(stage, stage.host("first"), Self.entry(1))
    let (outcome, took) = Self.claim(stage, stage.host("second"), Self.entry(2, port: 7001))
    #expect(
      outcome.failure
        == """
        a node at host:7000 has the name "a" already, and lives: give this one a name of its own with --node, or stop the \
        other one first
        """)
    #expect(took < 3 * Self.second)
    #expect(try StoredNode(stage.etcd.pairs[stage.keys.node("a")], as: "a")?.entry.instance == 1)
  }

  /// Even with the other's address, as after its settings were copied.
  @Test func theSecondIsToldAlsoAtTheSameAddress() {
    let stage = SimulatedStage()
    Self.live(stage, stage.host("first"), Self.entry(1))
    let (outcome, _) = Self.claim(stage, stage.host("second"), Self.entry(2))
    #expect(outcome.failure?.contains("a node at host:7000 has the name \"a\" already") == true)
  }

  @Test func aNodeThatWasKilledGetsItsNameBack() {
    let stage = SimulatedStage()
    let first = stage.host("first")
    Self.live(stage, first, Self.entry(1))
    first.machine.isStopped = true
    let (outcome, took) = Self.claim(stage, stage.host("second"), Self.entry(2))
    #expect(outcome.value == true)
    #expect(took < 5 * Self.second)
  }

  /// What it had sent before arrives after it was started again.
  @Test func aRenewalThatComesLateIsNoSignOfLife() {
    let stage = SimulatedStage()
    let first = stage.host("first")
    Self.live(stage, first, Self.entry(1))
    first.machine.isStopped = true
    let key = stage.keys.node("a")
    let pair = stage.etcd.pairs[key]
    stage.world.after(Self.second) {
      _ = try? stage.etcd.transact(
        TransactionRequest(success: [.put(key: key, value: pair?.value ?? [], lease: pair?.lease ?? 0)]))
    }
    let (outcome, took) = Self.claim(stage, stage.host("second"), Self.entry(2))
    #expect(outcome.value == true)
    #expect(took > 3 * Self.second && took < 6 * Self.second)
  }

  /// At another address it waits for the lease of its entry, and no longer.
  @Test func aNodeThatWasKilledAndHasMovedWaitsForItsLease() {
    let stage = SimulatedStage()
    let first = stage.host("first")
    Self.live(stage, first, Self.entry(1))
    first.machine.isStopped = true
    let (outcome, took) = Self.claim(stage, stage.host("second"), Self.entry(2, port: 7001))
    #expect(outcome.value == true)
    #expect(took > 5 * Self.second)
    #expect(took < UInt64(NodeRegistry.leaseSeconds + 2) * Self.second)
  }

  /// A node that was stopped for longer than its lease finds another one in its place.
  @Test func whoComesBackTooLateIsTold() {
    let stage = SimulatedStage()
    let first = stage.host("first")
    Self.live(stage, first, Self.entry(1))
    first.machine.isStopped = true
    stage.world.run(until: stage.world.now + 15 * Self.second)
    Self.live(stage, stage.host("second"), Self.entry(2, port: 7001))
    let late = Self.claim(stage, stage.host("first again"), Self.entry(1))
    #expect(late.outcome.failure?.contains("a node at host:7001 has the name \"a\" already") == true)
  }

  /// A server that begins anew in its process, while etcd did not hear that it had stopped.
  @Test func theSameProcessKeepsItsName() {
    let stage = SimulatedStage()
    let first = stage.host("first")
    Self.live(stage, first, Self.entry(1))
    first.machine.isStopped = true
    let (outcome, took) = Self.claim(stage, stage.host("second"), Self.entry(1))
    #expect(outcome.value == true)
    #expect(took < Self.second)
  }

  @Test func silenceCountsOnlyWhileSomebodyLooks() {
    var sight = NamesakeSight()
    func note(_ revision: Int64, _ milliseconds: UInt64) -> NamesakeSight.Finding {
      sight.note(revision, at: milliseconds * 1_000_000, isAtSameAddress: true)
    }
    #expect(note(5, 1_000) == .unknown)
    #expect(note(5, 2_000) == .unknown)
    // Nothing was seen for two seconds.
    #expect(note(5, 4_100) == .unknown)
    #expect(note(5, 5_500) == .unknown)
    #expect(note(5, 6_900) == .unknown)
    #expect(note(5, 7_200) == .gone)
    // One renewal may have been on its way.
    #expect(note(6, 7_400) == .unknown)
    #expect(note(6, 8_400) == .unknown)
    #expect(note(7, 8_600) == .live)
  }
}
