import Foundation
import GatehouseStorage
import GatehouseTestSupport
import GatehouseWire
import Synchronization
import Testing
@testable import GatehouseServer

/// Nodes that begin with the folder of another one.
@Suite(.serialized) struct FolderFetchTests {
  /// A node that leads, with people in snapshot, archive and log.
  private static func led(
    _ change: (inout ServerConfiguration) -> Void = { _ in }
  ) async throws -> (cluster: TestCluster, leader: TestNode) {
    let cluster = try TestCluster()
    let leader = try await cluster.begin("one", change)
    #expect(await leader.does("PRODUCT.CREATE payroll"))
    for number in 0..<40 {
      #expect(await leader.does("USER.CREATE u\(number) PRODUCT payroll STATUS active"))
      if number % 15 == 14 { #expect(await leader.does("SAVE")) }
    }
    #expect(await leader.does("COMPACT"))
    #expect(await leader.does("USER.CREATE ana PRODUCT payroll STATUS active"))
    return (cluster, leader)
  }

  private static func expectEqual(_ node: TestNode, _ leader: TestNode) async throws {
    try await node.untilFollowing()
    try await node.untilLevel(with: leader)
    #expect(await node.ask("LOGIN.CHECK ana payroll")?.string == "ALLOW")
    let hash = await leader.ask("NODE.HASH")
    #expect(await node.ask("NODE.HASH") == hash)
  }

  private static func expectSound(_ path: String, _ key: MasterKey? = nil) throws {
    let folder = try DataFolder.look(at: path, key: key)
    let files = try Verification.run(folder)
    #expect(files.problems.isEmpty, "\(files.problems)")
    let state = try StateVerification.run(folder, after: files)
    #expect(state.problems.isEmpty, "\(state.problems)")
  }

  private static func names(beside path: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: (path as NSString).deletingLastPathComponent).sorted()
  }

  @Test func aFollowerWithoutAFolderFetchesOne() async throws {
    let (cluster, leader) = try await Self.led()
    let two = try await cluster.start("two")
    try await Self.expectEqual(two, leader)
    #expect(await leader.does("USER.CREATE ben PRODUCT payroll STATUS active"))
    try await two.untilLevel(with: leader)
    #expect(await two.ask("LOGIN.CHECK ben payroll")?.string == "ALLOW")
    #expect(await leader.info("snapshot", "backups_held") == "0")
    // What holds secrets is for the owner alone.
    let files = try #require(FileManager.default.subpaths(atPath: two.folder))
    for file in files + [""] {
      let attributes = try FileManager.default.attributesOfItem(atPath: two.folder + "/" + file)
      let mode = attributes[.posixPermissions] as? Int ?? -1
      #expect(mode == (attributes[.type] as? FileAttributeType == .typeDirectory ? 0o700 : 0o600), "\(file)")
    }
    // Another one begins as a copy of the follower's.
    let three = try await cluster.start("three") { $0.fetchFrom = "two" }
    try await Self.expectEqual(three, leader)
    #expect(try Self.names(beside: two.folder) == ["one", "three", "two"])
    try await cluster.stop()
    for node in [two, three] { try Self.expectSound(node.folder) }
    #expect(try DataFolder.look(at: three.folder).logMark?.isShared == true)
  }

  @Test func aNodeThatWasAwayForTooLongFetchesAnew() async throws {
    let (cluster, leader) = try await Self.led()
    let two = try await cluster.start("two")
    try await two.untilLevel(with: leader)
    try await two.stop()
    #expect(await leader.does("USER.CREATE ben PRODUCT payroll STATUS active"))
    let tail = try #require(cluster.engine.tail)
    try await MemorySharedLog(cluster.engine, MemoryLine()).truncate(through: tail.index)
    // Without the settings it says what to do, and changes nothing.
    let late = try TestNode("two", two.folder, cluster.engine, follows: true)
    let failure = "\(try #require(await late.failure()))"
    #expect(failure.contains("the shared log keeps only what comes after record \(tail.lsn)"))
    #expect(failure.contains("--fetch-service"))
    #expect(try Self.names(beside: two.folder) == ["one", "two"])
    let again = try await cluster.start("two") { $0.fetchFrom = "127.0.0.1:\(leader.port)" }
    try await Self.expectEqual(again, leader)
    #expect(await again.ask("LOGIN.CHECK ben payroll")?.string == "ALLOW")
    let aside = try #require(try Self.names(beside: two.folder).first { $0.hasPrefix("two.aside-") })
    let kept = (two.folder as NSString).deletingLastPathComponent + "/" + aside
    try await cluster.stop()
    try Self.expectSound(kept)
    try Self.expectSound(two.folder)
  }

  @Test func aFollowerThatIsLeftBehindWhileItRunsFetchesAnew() async throws {
    let (cluster, leader) = try await Self.led()
    let two = try await cluster.start("two") { $0.fetchFrom = "one" }
    try await two.untilLevel(with: leader)
    two.line.isCut.store(true, ordering: .releasing)
    try await Task.sleep(for: .milliseconds(50))
    #expect(await leader.does("USER.CREATE ben PRODUCT payroll STATUS active"))
    let tail = try #require(cluster.engine.tail)
    try await MemorySharedLog(cluster.engine, MemoryLine()).truncate(through: tail.index)
    two.line.isCut.store(false, ordering: .releasing)
    try await soon("the node has begun again") { two.starts == 2 }
    try await Self.expectEqual(two, leader)
    #expect(await two.ask("LOGIN.CHECK ben payroll")?.string == "ALLOW")
    #expect(try Self.names(beside: two.folder).count == 3)
    try await cluster.stop()
  }

  @Test func aFollowerWaitsUntilSomebodyLeads() async throws {
    let (cluster, leader) = try await Self.led()
    try await leader.stop()
    let two = try TestNode("two", leader.folder + "-two", cluster.engine, follows: true)
    try await Task.sleep(for: .milliseconds(300))
    #expect(two.starts == 0 && !FileManager.default.fileExists(atPath: two.folder))
    let again = try await cluster.start("one")
    try await again.untilLeading()
    try await soon("the follower is ready") { two.starts == 1 }
    try await Self.expectEqual(two, again)
    try await two.stop()
    try await cluster.stop()
  }

  @Test func aFollowerThatWaitsCanBeStopped() async throws {
    let (cluster, leader) = try await Self.led()
    try await leader.stop()
    let two = try TestNode("two", leader.folder + "-two", cluster.engine, follows: true)
    try await Task.sleep(for: .milliseconds(300))
    try await two.stop()
    #expect(!FileManager.default.fileExists(atPath: two.folder))
  }

  @Test func theNodeAsksAsAServiceThatMay() async throws {
    let (cluster, leader) = try await Self.led()
    let port = leader.port
    func commands(_ lines: String...) async throws -> [RESPValue] {
      try await onOwnThread {
        let client = try BlockingClient(host: "127.0.0.1", port: port)
        return try lines.map { try client.command($0.split(separator: " ").map(String.init)) }
      }
    }
    let made = try await commands(
      "WORKSPACE.CREATE acme", "SERVICE.CREATE ops ADMIN", "SERVICE.CREATE reader READ",
      "SERVICE.CREATE bound READ ADMIN WORKSPACE acme", "SERVICE.CREATE nodes READ ADMIN")
    let secrets = made.compactMap { $0["secret"]?.string }
    try #require(secrets.count == 4, "\(made)")
    let place = try TemporaryFolder("secrets")
    func settings(_ service: String, _ secret: String) throws -> (inout ServerConfiguration) -> Void {
      let file = place.path(service)
      try "\(secret)\n".write(toFile: file, atomically: false, encoding: .utf8)
      return {
        $0.fetchService = service
        $0.fetchSecretFile = file
      }
    }
    let path = leader.folder + "-two"
    func refusal(_ change: (inout ServerConfiguration) -> Void) async throws -> String {
      let node = try TestNode("two", path, cluster.engine, follows: true, change)
      return "\(try #require(await node.failure()))"
    }
    let address = "127.0.0.1:\(port) does not hand out its folder: "
    let unknown = try await refusal { _ in }
    #expect(unknown.hasPrefix(address + "NOAUTH") && unknown.contains("--fetch-service"), "\(unknown)")
    let wrong = try await refusal(try settings("nodes", "gk_wrong"))
    #expect(wrong.hasPrefix(address + "WRONGPASS"), "\(wrong)")
    let reader = try await refusal(try settings("reader", secrets[1]))
    #expect(reader.hasPrefix(address + "NOPERM the service right ADMIN"), "\(reader)")
    let bound = try await refusal(try settings("bound", secrets[2]))
    #expect(bound.contains("NOPERM the permission server.manage over the whole server"), "\(bound)")
    let none = try await refusal {
      $0.fetchService = "nodes"
      $0.fetchSecretFile = place.path("none")
    }
    #expect(none.hasPrefix("the secret of --fetch-service cannot be read"), "\(none)")
    #expect(!FileManager.default.fileExists(atPath: path) && !FileManager.default.fileExists(atPath: path + ".partial"))
    let two = try TestNode("two", path, cluster.engine, follows: true, try settings("nodes", secrets[3]))
    try await soon("the follower is ready") { two.starts == 1 }
    try await two.stop()
    try await cluster.stop()
    try Self.expectSound(path)
  }

  @Test func anEncryptedFolderTakesItsKey() async throws {
    let place = try TemporaryFolder("keys")
    for (name, digits) in [("key", "0123"), ("other", "4567")] {
      try String(repeating: digits, count: 16).write(toFile: place.path(name), atomically: false, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: place.path(name))
    }
    let (cluster, leader) = try await Self.led { $0.encryptionKeyFile = place.path("key") }
    let path = leader.folder + "-two"
    let without = try TestNode("two", path, cluster.engine, follows: true)
    let failure = "\(try #require(await without.failure()))"
    #expect(failure.contains("the folder is encrypted under the key"), "\(failure)")
    #expect(failure.contains("--encryption-key-file"), "\(failure)")
    let other = try TestNode("two", path, cluster.engine, follows: true) { $0.encryptionKeyFile = place.path("other") }
    let wrong = "\(try #require(await other.failure()))"
    #expect(wrong.contains("and the key given is"), "\(wrong)")
    #expect(!FileManager.default.fileExists(atPath: path) && !FileManager.default.fileExists(atPath: path + ".partial"))
    let two = try TestNode("two", path, cluster.engine, follows: true) { $0.encryptionKeyFile = place.path("key") }
    try await soon("the follower is ready") { two.starts == 1 }
    try await Self.expectEqual(two, leader)
    try await two.stop()
    try await cluster.stop()
  }

  /// A follower that crashed right after its own folder was put aside finds the new one.
  @Test func aFolderThatCameWholeIsTaken() async throws {
    let (cluster, leader) = try await Self.led()
    let two = try await cluster.start("two")
    try await two.untilLevel(with: leader)
    try await two.stop()
    try FileManager.default.moveItem(atPath: two.folder, toPath: two.folder + ".partial")
    // Even if it were allowed to begin with an empty one.
    let again = try TestNode("two", two.folder, cluster.engine)
    try await soon("the node is ready") { again.starts == 1 }
    try await Self.expectEqual(again, leader)
    try await again.stop()
    try await cluster.stop()
  }

  @Test func theLineBreaksAndTheLeaderIsLost() async throws {
    let (cluster, leader) = try await Self.led()
    // The first connection breaks in the middle, and is made anew; the second is lost with the leader.
    let line = try FlakyLine(to: UInt16(leader.port), [(.breaks, 9_000), (.stands, 3_000)])
    let path = leader.folder + "-two"
    let two = try TestNode("two", path, cluster.engine, follows: true) { $0.fetchFrom = "127.0.0.1:\(line.port)" }
    try await soon("the line stands still") { line.standingCount == 1 }
    #expect(!FileManager.default.fileExists(atPath: path))
    #expect(FileManager.default.fileExists(atPath: path + ".partial"))
    #expect(!FileManager.default.fileExists(atPath: path + ".partial/manifest"))
    // Meanwhile the frames are kept that it will need.
    try await soon("the node is announced") { cluster.engine.withState { $0.nodes["two"] } != nil }
    let entry = try #require(cluster.engine.withState { $0.nodes["two"] })
    #expect(!entry.isCandidate && entry.snapshotLSN == 0)
    let tail = try #require(cluster.engine.tail)
    #expect(entry.index <= tail.index)
    try await two.stop()
    #expect(cluster.engine.withState { $0.nodes["two"] } == nil)
    #expect(!FileManager.default.fileExists(atPath: path + ".partial"))
    try await cluster.stop()
  }
}
