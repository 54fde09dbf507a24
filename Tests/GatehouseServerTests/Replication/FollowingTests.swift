import GatehouseStorage
import GatehouseTestSupport
import GatehouseWire
import Synchronization
import Testing
@testable import GatehouseServer

/// What a node answers while another leads.
@Suite(.serialized) struct FollowingNodeTests {
  private static func pair() async throws -> (cluster: TestCluster, leader: TestNode, follower: TestNode) {
    let cluster = try TestCluster()
    let leader = try await cluster.begin()
    #expect(await leader.does("PRODUCT.CREATE payroll"))
    let follower = try await cluster.join("two", from: leader)
    try await follower.untilFollowing()
    return (cluster, leader, follower)
  }

  @Test func aFollowerAppliesWhatTheLeaderWrites() async throws {
    let (cluster, leader, follower) = try await Self.pair()
    #expect(await leader.does("USER.CREATE ana PRODUCT payroll STATUS active"))
    try await follower.untilLevel(with: leader)
    #expect(await follower.ask("LOGIN.CHECK ana payroll")?.string == "ALLOW")
    #expect(await follower.ask("USER.GET ana")?["username"]?.string == "ana")
    let trail = await follower.ask("AUDIT.LIST USER ana")?.elements?.last?.elements
    #expect(trail?.count == 1)
    #expect(await follower.does("FEED.READ 0 COUNT 10"))
    let hash = await leader.ask("NODE.HASH")
    #expect(hash?["hash"]?.string != nil)
    #expect(await follower.ask("NODE.HASH") == hash)
    try await cluster.stop()
  }

  @Test func aFollowerRefusesChangesAndNamesTheLeader() async throws {
    let (cluster, leader, follower) = try await Self.pair()
    #expect(await follower.ask("USER.CREATE ben")?.errorText == "READONLY leader is 127.0.0.1:\(leader.port)")
    #expect(await follower.ask("USER.GET ben")?.errorText?.hasPrefix("NOTFOUND") == true)
    #expect(await follower.ask("HELLO 3")?["role"]?.string == "replica")
    #expect(await follower.info("replication", "role") == "slave")
    #expect(await follower.info("replication", "master_port") == "\(leader.port)")
    #expect(await leader.info("replication", "role") == "master")
    try await soon("the leader knows its follower") { await leader.info("replication", "connected_slaves") == "1" }
    try await cluster.stop()
  }

  @Test func aFollowerWithoutNewsDoesNotAnswer() async throws {
    let (cluster, leader, follower) = try await Self.pair()
    #expect(await leader.does("USER.CREATE ana PRODUCT payroll STATUS active"))
    try await follower.untilLevel(with: leader)
    follower.line.isCut.store(true, ordering: .releasing)
    try await soon("the follower is stale") {
      await follower.ask("LOGIN.CHECK ana payroll")?.errorText?.hasPrefix("MASTERDOWN news is ") == true
    }
    #expect(await follower.ask("ROLE")?.elements?[3].string == "connect")
    // What is about the connection is answered.
    #expect(await follower.ask("PING")?.string == "PONG")
    #expect(await leader.ask("LOGIN.CHECK ana payroll")?.string == "ALLOW")
    follower.line.isCut.store(false, ordering: .releasing)
    try await soon("the follower answers again") { await follower.ask("LOGIN.CHECK ana payroll")?.string == "ALLOW" }
    try await cluster.stop()
  }

  @Test func aReadWaitsForItsRecord() async throws {
    let (cluster, leader, follower) = try await Self.pair()
    #expect(await leader.ask("MINLSN 1 LOGIN.CHECK ana payroll")?.string == "DENY unknown-user")
    let next = try #require(await leader.info("log", "log_durable_lsn").flatMap { Int($0) }) + 1
    async let read = follower.ask("MINLSN \(next) LOGIN.CHECK ana payroll")
    async let list = follower.ask("MINLSN \(next) USER.LIST")
    try await Task.sleep(for: .milliseconds(100))
    #expect(await leader.does("USER.CREATE ana PRODUCT payroll STATUS active"))
    #expect(await read?.string == "ALLOW")
    #expect(await list?.elements?.last?.elements?.count == 1)
    let late = await follower.ask("MINLSN \(next + 1000) LOGIN.CHECK ana payroll")?.errorText
    #expect(late?.hasPrefix("MASTERDOWN record \(next + 1000) is not here yet, only those through ") == true)
    #expect(await follower.ask("MINLSN x PING")?.errorText?.hasPrefix("ERR MINLSN takes the number") == true)
    try await cluster.stop()
  }

  @Test func aFollowerEndsNoSessionsAndExtendsNone() async throws {
    let (cluster, leader, follower) = try await Self.pair()
    #expect(await leader.does("USER.CREATE ana PRODUCT payroll STATUS active"))
    let session = await leader.ask("SESSION.CREATE ana payroll TTL 1s")
    let token = try #require(session?["session"]?.string)
    try await follower.untilLevel(with: leader)
    let before = await follower.ask("SESSION.CHECK \(token)")
    #expect(before?["username"]?.string == "ana")
    #expect(await follower.ask("SESSION.CHECK \(token)")?["last-seen"] == before?["last-seen"])
    // The leader ends it, and the follower hears of it.
    try await soon("the session has ended") { await follower.ask("SESSION.CHECK \(token)")?.isNull == true }
    try await soon("no session is left") { await follower.info("sessions", "sessions") == "0" }
    try await follower.untilLevel(with: leader)
    try await cluster.stop()
  }

  @Test func anAnonymisedPersonIsForgottenOnFollowersToo() async throws {
    let (cluster, leader, follower) = try await Self.pair()
    #expect(await leader.does("USER.CREATE ana FIRST Ana STATUS active"))
    #expect(await leader.does("USER.DELETE ana REASON gone"))
    let user = await leader.ask("USER.LIST WHERE status = deleted")?.elements?.last?.elements?.first?["id"]?.integer
    let id = try #require(user)
    #expect(await leader.does("USER.ANONYMISE #\(id)"))
    try await soon("the leader has destroyed the keys") { await leader.info("snapshot", "keys_to_destroy") == "0" }
    try await soon("the follower has, too") { await follower.info("snapshot", "key_store_nodes") != "1" }
    try await follower.untilLevel(with: leader)
    let nodes = await leader.info("snapshot", "key_store_nodes")
    try await soon("both stores are the same") { await follower.info("snapshot", "key_store_nodes") == nodes }
    try await cluster.stop()
  }

  @Test func theEncryptionOfSharedLogsIsLeftAlone() async throws {
    let (cluster, leader, _) = try await Self.pair()
    #expect(await leader.ask("ENCRYPTION ROTATE")?.errorText?.hasPrefix("REFUSED nodes: the encryption") == true)
    try await cluster.stop()
  }
}
