import GatehouseStorage
import GatehouseTestSupport
import GatehouseWire
import Testing
@testable import GatehouseServer

/// `NODE.BACKUP` and what may be asked of it. Most of it needs no cluster.
@Suite(.serialized) struct HeldBackupsTests {
  private static func alone() async throws -> (cluster: TestCluster, node: TestNode) {
    let cluster = try TestCluster()
    let node = try await cluster.begin { $0.replication = nil }
    #expect(await node.does("USER.CREATE ana"))
    return (cluster, node)
  }

  @Test func piecesAreReadAsAsked() async throws {
    let (cluster, node) = try await Self.alone()
    let backup = try #require(await node.ask("NODE.BACKUP"))
    let id = try #require(backup["id"]?.string)
    let files = try #require(backup["files"]?.elements)
    let names = files.map { $0.elements?[0].string ?? "" }
    #expect(names.first == "manifest" && names.contains("keys") && names.contains("log/00000000000000000001.log"))
    let size = try #require(files.first?.elements?[1].integer)
    let whole = try #require(await node.ask("NODE.READ \(id) 0 0")?.elements)
    guard case .bulk(let bytes) = whole[0] else { throw TestFailure("\(whole)") }
    #expect(bytes.count == Int(size) && String(decoding: bytes, as: UTF8.self).hasPrefix("program gatehouse\n"))
    #expect(whole[1].string == "\(bytes.withUnsafeBytes { Hash128(of: $0) })")
    let part = await node.ask("NODE.READ \(id) 0 8 9")
    #expect(part?.elements?.first?.string == "gatehouse")
    #expect(await node.ask("NODE.READ \(id) 0 \(size)")?.elements?.first?.string == "")
    try await cluster.stop()
  }

  @Test func hostileAsksAreRefused() async throws {
    let (cluster, node) = try await Self.alone()
    let backup = try #require(await node.ask("NODE.BACKUP"))
    let id = try #require(backup["id"]?.string)
    let count = try #require(backup["files"]?.elements?.count)
    for words in [
      "0 99999999", "0 -1", "0 18446744073709551615", "0 18446744073709551616", "0 0 0", "0 0 -1", "0 0 262145",
    ] {
      #expect(await node.ask("NODE.READ \(id) \(words)")?.errorText?.hasPrefix("ERR ") == true, "\(words)")
    }
    for words in ["../manifest 0", "manifest 0", "0x0 0", "9223372036854775808 0"] {
      #expect(
        await node.ask("NODE.READ \(id) \(words)")?.errorText?.hasPrefix("ERR NODE.READ takes") == true, "\(words)")
    }
    for words in ["\(count) 0", "-1 0", "999999 0"] {
      #expect(await node.ask("NODE.READ \(id) \(words)")?.errorText?.hasPrefix("NOTFOUND file ") == true, "\(words)")
    }
    for other in ["", "*", String(repeating: "0", count: 32), id.uppercased() + "0", "../" + id] where !other.isEmpty {
      #expect(await node.ask("NODE.READ \(other) 0 0")?.errorText?.hasPrefix("NOTFOUND backup") == true)
      #expect(await node.ask("NODE.RELEASE \(other)")?.errorText?.hasPrefix("NOTFOUND backup") == true)
    }
    #expect(await node.ask("NODE.READ \(id) 0 0")?.errorText == nil)
    #expect(await node.does("NODE.RELEASE \(id)"))
    #expect(await node.ask("NODE.READ \(id) 0 0")?.errorText?.hasPrefix("NOTFOUND backup") == true)
    #expect(await node.ask("NODE.RELEASE \(id)")?.errorText?.hasPrefix("NOTFOUND backup") == true)
    try await cluster.stop()
  }

  @Test func fewAreHeldAtATime() async throws {
    let (cluster, node) = try await Self.alone()
    var ids: [String] = []
    for _ in 0..<HeldBackups.most { ids.append(try #require(await node.ask("NODE.BACKUP")?["id"]?.string)) }
    #expect(await node.ask("NODE.BACKUP")?.errorText?.hasPrefix("BUSY 2 backups are held already") == true)
    #expect(await node.info("snapshot", "backups_held") == "2")
    #expect(await node.does("NODE.RELEASE \(ids[0])"))
    #expect(await node.does("NODE.BACKUP"))
    try await cluster.stop()
  }

  @Test func eachServiceFindsItsOwn() async throws {
    let (cluster, node) = try await Self.alone()
    let port = node.port
    try await onOwnThread {
      func connect() throws -> BlockingClient { try BlockingClient(host: "127.0.0.1", port: port) }
      let founder = try connect()
      func secret(_ line: String) throws -> String {
        let reply = try founder.command(line.split(separator: " ").map(String.init))
        guard let secret = reply["secret"]?.string else { throw TestFailure("\(line): \(reply)") }
        return secret
      }
      let one = try secret("SERVICE.CREATE one ADMIN")
      let two = try secret("SERVICE.CREATE two ADMIN")
      func authenticated(_ name: String, _ secret: String) throws -> BlockingClient {
        let client = try connect()
        #expect(try client.command("AUTH", name, secret).errorText == nil)
        return client
      }
      let first = try authenticated("one", one)
      guard let id = try first.command("NODE.BACKUP")["id"]?.string else { throw TestFailure("no backup") }
      let other = try authenticated("two", two)
      #expect(try other.command("NODE.READ", id, "0", "0").errorText?.hasPrefix("NOTFOUND backup") == true)
      #expect(try other.command("NODE.RELEASE", id).errorText?.hasPrefix("NOTFOUND backup") == true)
      // On another connection of its own it goes on.
      first.close()
      #expect(try authenticated("one", one).command("NODE.READ", id, "0", "0").errorText == nil)
      #expect(try connect().command("NODE.BACKUP").errorText?.hasPrefix("NOAUTH") == true)
      let multi = try authenticated("one", one)
      #expect(try multi.command("MULTI").string == "OK")
      #expect(try multi.command("NODE.READ", id, "0", "0").errorText != nil)
    }
    try await cluster.stop()
  }

  @Test func theyGoWithTime() throws {
    let place = try TemporaryFolder("held")
    let folder = try DataFolder.open(
      place.path("data"), create: FolderParameters(partitionCount: 4, createdAt: 1))
    let recovery = try Recovery.open(folder)
    let end = try recovery.read { _, _ in }
    let log = try folder.openLog(continuing: end, keptFrom: recovery.report.firstLSN)
    defer { folder.closeLog(log) }
    let backups = HeldBackups()
    func begin() throws -> String? { try backups.begin(for: 3) { try HeldBackup(folder) { log.durableLSN } }?.id }
    let id = try #require(try begin())
    let now = Clock.nanoseconds()
    backups.expire(at: now + HeldBackups.idle / 2)
    #expect(backups.use(id, for: 3) != nil && backups.use(id, for: 4) == nil)
    backups.expire(at: now + HeldBackups.idle * 2)
    #expect(backups.use(id, for: 3) == nil && backups.count == 0)
    // One that cannot be made takes no place.
    for _ in 0..<5 {
      #expect(throws: TestFailure.self) { try backups.begin(for: 3) { throw TestFailure("no") } }
    }
    #expect(try begin() != nil && backups.count == 1)
  }
}
