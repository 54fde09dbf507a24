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
      try await Self.expectWaiting(node, skipping: .record(lsn))
      // It shows also what it does not know.
      let feed = try #require(await node.ask("FEED.READ \(lsn - 1)")?.elements)
      #expect(feed[1].elements?.first?["type"]?.string == "unknown-250")
    }
    try await expectWaiting(two)
    // And after it was started again, from its log.
    try await two.stop()
    try await expectWaiting(try await cluster.start("two"))
    try await cluster.stop()
  }

  /// It reads on, takes no snapshot, and does not lead.
  private static func expectWaiting(_ node: TestNode, skipping part: SkippedPart) async throws {
    try await soon("\(node.name) has skipped something") {
      await node.info("replication", "replication_skipped_lsn") == "\(part.lsn)"
    }
    let refusal = "a newer version than this one (\(Version.current)) has written \(part), and this one skips a part"
    #expect(await node.ask("NODE.PROMOTE two FORCE")?.errorText?.hasPrefix("BUSY \(refusal)") == true)
    #expect(await node.ask("SAVE")?.errorText?.hasPrefix("BUSY no snapshot was taken: \(refusal)") == true)
    #expect(await node.ask("NODE.LIST")?.elements?.first?["candidate"]?.integer == 0)
    #expect(await node.ask("USER.CREATE ben")?.errorText?.hasPrefix("READONLY") == true)
    #expect(await node.ask("USER.GET ana")?.errorText == nil)
    #expect(await node.role == "slave")
  }

  /// Replaces the newest snapshot of a folder by one of a newer version, with a section that this one may skip.
  ///
  /// - Returns: the snapshot's record.
  private static func renewSnapshot(of path: String) throws -> LSN {
    let folder = try DataFolder.open(path)
    defer { folder.close() }
    let catalog = SnapshotCatalog(folder)
    let reader = try catalog.openSound(try #require(try catalog.entries().first))
    defer { reader.close() }
    let writer = try SnapshotWriter(in: folder, createdAt: reader.info.createdAt)
    for section in reader.sections {
      var bytes = try reader.read(section)
      if section.owner == 1 {
        // After its form, its number, its record and the version of the names comes how many sections there are.
        let count = try bytes.withUnsafeBytes { raw in
          var reader = ByteReader(raw)
          _ = try reader.byte()
          for _ in 0..<2 { _ = try reader.varint() }
          _ = try reader.text()
          return reader.offset
        }
        bytes[count] += 1
        // Its tag, that it is not critical, its length in eight bytes, and what is in it.
        bytes += [200, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3] as [UInt8]
      }
      try bytes.withUnsafeBytes { try writer.add(owner: section.owner, lsn: section.lsn, bytes: $0) }
    }
    return try writer.finish(durable: reader.largestLSN).lsn
  }

  @Test func whatANodeSkipsOfASnapshotItDoesNotLose() async throws {
    let cluster = try TestCluster(leaseMilliseconds: 60_000)
    let one = try await cluster.begin()
    let two = try await cluster.join("two", from: one)
    try await two.untilFollowing()
    #expect(await one.does("USER.CREATE ana"))
    try await two.untilLevel(with: one)
    #expect(await two.does("SAVE"))
    try await two.stop()
    let lsn = try Self.renewSnapshot(of: two.folder)
    let again = try await cluster.start("two")
    try await again.untilFollowing()
    try await Self.expectWaiting(again, skipping: .snapshot(lsn))
    // Also a node that stops takes none.
    try await again.stop()
    let folder = try DataFolder.look(at: two.folder)
    #expect(try SnapshotCatalog(folder).entries().first?.lsn == lsn)
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
