import Foundation
import GatehouseCore
import GatehouseStorage
import GatehouseTestSupport
import GatehouseWire
import Synchronization
import Testing
@testable import GatehouseServer

/// Nodes of different versions.
@Suite(.serialized) struct UpgradeTests {
  /// A kind of change that this version does not know, and whether it is critical.
  private static func change(isCritical: Bool) -> [UInt8] { [250, 2 << 1 | (isCritical ? 1 : 0), 1, 2] }

  /// A node of a newer version leads for a moment, and writes a record with a change.
  ///
  /// - Parameter path: a folder that has everything.
  /// - Returns: the record's number.
  private static func leadNewer(_ engine: MemoryEngine, _ path: String, _ change: [UInt8]) async throws -> LSN {
    let folder = try DataFolder.open(path)
    defer { folder.close() }
    let recovery = try Recovery.open(folder, log: LogOptions())
    let end = try recovery.read { _, _ in }
    recovery.snapshot?.close()
    let log = try folder.openLog(continuing: end, keptFrom: recovery.report.firstLSN, isFollowing: true)
    let shared = MemorySharedLog(engine, MemoryLine())
    let node = NodeEntry(name: "newer", host: "127.0.0.1", port: 1, version: "99.0.0")
    let leadership = try #require(try await shared.lead(as: node, replacing: nil, above: log.greatestEpoch))
    #expect(leadership.tail.lsn == log.end.lsn && leadership.tail.hash == log.end.hash)
    try folder.lead(log, leadership)
    let time = Milliseconds(Date().timeIntervalSince1970 * 1000)
    var writer = ByteWriter()
    Record(
      header: RecordHeader(
        time: time, service: 0, actor: nil, subject: nil, connection: 1, command: "NEW", reason: ""),
      changes: []
    ).encode(into: &writer)
    let lsn = try (writer.bytes.dropLast() + [1] + change).withUnsafeBytes { try log.append($0, at: time) }
    try await soon("the record is in the shared log") { engine.tail?.lsn == lsn }
    await leadership.resign()
    log.abandon("the test is over")
    folder.closeLog(log)
    return lsn
  }

  /// A node that has everything of a leader which has stopped, and whose line is cut.
  private static func left() async throws -> (cluster: TestCluster, one: TestNode, two: TestNode) {
    let cluster = try TestCluster()
    let one = try await cluster.begin()
    let two = try await cluster.join("two", from: one)
    try await two.untilFollowing()
    #expect(await one.does("USER.CREATE ana"))
    try await two.untilLevel(with: one)
    two.line.isCut.store(true, ordering: .releasing)
    try await one.stop()
    return (cluster, one, two)
  }

  @Test func whatANodeSkipsItDoesNotLose() async throws {
    let (cluster, one, two) = try await Self.left()
    let lsn = try await Self.leadNewer(cluster.engine, one.folder, Self.change(isCritical: false))
    two.line.isCut.store(false, ordering: .releasing)
    func expectWaiting(_ node: TestNode) async throws {
      try await soon("\(node.name) has the record") {
        await node.info("replication", "replication_skipped_lsn") == "\(lsn)"
      }
      let refusal = "a newer version than this one (\(Version.current)) has written record \(lsn)"
      #expect(await node.ask("NODE.PROMOTE two FORCE")?.errorText?.hasPrefix("BUSY \(refusal)") == true)
      #expect(await node.ask("SAVE")?.errorText?.hasPrefix("BUSY no snapshot was taken: \(refusal)") == true)
      #expect(await node.ask("NODE.LIST")?.elements?.first?["candidate"]?.integer == 0)
      #expect(await node.ask("USER.CREATE ben")?.errorText?.hasPrefix("READONLY") == true)
      // It reads on, also what it does not know.
      #expect(await node.ask("USER.GET ana")?.errorText == nil)
      let feed = try #require(await node.ask("FEED.READ \(lsn - 1)")?.elements)
      #expect(feed[1].elements?.first?["type"]?.string == "unknown-250")
      #expect(await node.role == "slave")
    }
    try await expectWaiting(two)
    // And after it was started again, from its log.
    try await two.stop()
    try await expectWaiting(try await cluster.start("two"))
    try await cluster.stop()
  }

  @Test func aNodeStopsAtWhatIsCritical() async throws {
    let (cluster, one, two) = try await Self.left()
    let lsn = try await Self.leadNewer(cluster.engine, one.folder, Self.change(isCritical: true))
    two.line.isCut.store(false, ordering: .releasing)
    let failure = "\(try #require(await two.failure()))"
    #expect(failure.contains("record \(lsn) of the shared log cannot be read"), "\(failure)")
    #expect(failure.contains("a change of kind 250 from a newer version of Gatehouse"), "\(failure)")
    #expect(failure.contains("upgrade this node"), "\(failure)")
    try await cluster.stop()
  }

  /// A snapshot of a newer version may have what this one would skip.
  @Test func noFolderIsFetchedFromANewerVersion() async throws {
    let cluster = try TestCluster()
    let one = try await cluster.begin()
    cluster.engine.withState { $0.leader?.node.version = "99.0.0" }
    let two = try TestNode("two", one.folder + "-two", cluster.engine, follows: true)
    let failure = "\(try #require(await two.failure()))"
    #expect(failure.hasPrefix("one has version 99.0.0, which is newer than this one"), "\(failure)")
    try await cluster.stop()
  }
}
