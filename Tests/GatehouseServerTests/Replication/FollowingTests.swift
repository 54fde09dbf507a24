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
    func nodes(of node: TestNode) async -> String? { await node.info("snapshot", "key_store_nodes") }
    #expect(await leader.does("USER.CREATE ana FIRST Ana STATUS active"))
    #expect(await leader.does("USER.DELETE ana REASON gone"))
    let user = await leader.ask("USER.LIST WHERE status = deleted")?.elements?.last?.elements?.first?["id"]?.integer
    let id = try #require(user)
    // Each node destroys the keys of old answers by itself, once.
    for node in [leader, follower] {
      try await soon("\(node.name) has destroyed the keys of old answers") { await nodes(of: node) != "1" }
    }
    let before = try #require(await nodes(of: leader))
    #expect(await nodes(of: follower) == before)
    #expect(await leader.does("USER.ANONYMISE #\(id)"))
    try await soon("the leader has destroyed the keys") { await nodes(of: leader) != before }
    let after = try #require(await nodes(of: leader))
    try await soon("the follower has, too") { await nodes(of: follower) == after }
    try await cluster.stop()
  }

  @Test func theEncryptionOfSharedLogsIsLeftAlone() async throws {
    let (cluster, leader, _) = try await Self.pair()
    #expect(await leader.ask("ENCRYPTION ROTATE")?.errorText?.hasPrefix("REFUSED nodes: the encryption") == true)
    try await cluster.stop()
  }

  /// What a damaged frame says of keys is not done: it would destroy those of somebody else.
  @Test func aDamagedFrameDestroysNobodysKeys() async throws {
    let (cluster, leader, follower) = try await Self.pair()
    var ids: [String: UInt64] = [:]
    for name in ["ana", "ben", "cid", "dora"] {
      ids[name] = UInt64(try #require(await leader.ask("USER.CREATE \(name) FIRST \(name)")?["id"]?.integer))
    }
    let length = Self.varint(ids["ana"]!).count
    let victim = try #require(["ben", "cid", "dora"].first { Self.varint(ids[$0]!).count == length })
    try await follower.untilLevel(with: leader)
    try await follower.stop()
    #expect(await leader.does("USER.DELETE ana REASON gone"))
    #expect(await leader.does("USER.ANONYMISE #\(ids["ana"]!)"))
    try await soon("the leader has destroyed the keys, and says so") {
      cluster.engine.withState { state in
        state.frames.contains { String(decoding: $0.bytes, as: UTF8.self).contains("USER.FORGET") }
      }
    }
    let sound = cluster.engine.withState { state in
      let frames = state.frames
      let place = frames.lastIndex { String(decoding: $0.bytes, as: UTF8.self).contains("USER.FORGET") }
      if let place {
        state.frames[place].bytes = Self.replacing(
          Self.varint(ids["ana"]!), with: Self.varint(ids[victim]!), in: frames[place].bytes)
      }
      return place.map { (place: $0, isChanged: frames[$0] != state.frames[$0], frames: frames) }
    }
    #expect(try #require(sound).isChanged)
    let damaged = try TestNode("two", follower.folder, cluster.engine, follows: true)
    let failure = try #require(await damaged.failure())
    #expect("\(failure)".contains("a frame of the shared log does not fit this node's log: its body is damaged"))
    cluster.engine.withState { state in
      for (at, frame) in sound!.frames.enumerated() { state.frames[at] = frame }
    }
    let again = try await cluster.start("two")
    try await again.untilFollowing()
    try await again.untilLevel(with: leader)
    for name in ids.keys where name != "ana" {
      #expect(await again.ask("USER.GET \(name)")?["username"]?.string == name)
    }
    #expect(await again.info("snapshot", "key_store_nodes") == leader.info("snapshot", "key_store_nodes"))
    try await cluster.stop()
  }

  private static func varint(_ number: UInt64) -> [UInt8] {
    var rest = number
    var bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  private static func replacing(_ old: [UInt8], with new: [UInt8], in bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    // Behind the header.
    var at = LogFormat.headerSize
    while at + old.count <= bytes.count {
      if Array(bytes[at..<at + old.count]) == old {
        bytes.replaceSubrange(at..<at + old.count, with: new)
        at += old.count
      } else {
        at += 1
      }
    }
    return bytes
  }

  /// The shared log keeps as much as it may: nothing new is accepted, and a snapshot, for which it waits, is taken.
  @Test func aFullSharedLogRefusesOnlyWhatIsNew() async throws {
    let (cluster, leader, follower) = try await Self.pair()
    cluster.engine.withState { $0.isAtLimit = true }
    try await soon("changes are refused") {
      let refusal = await leader.ask("USER.CREATE u\(Int.random(in: 0..<1_000_000))")?.errorText
      return refusal?.hasPrefix("BUSY the shared log keeps") == true
    }
    // What was accepted before is here, and a snapshot is taken.
    #expect(await leader.ask("SAVE")?.string == "OK")
    try await follower.untilLevel(with: leader)
    #expect(await leader.info("log", "log_durable_lsn") == leader.info("log", "log_appended_lsn"))
    cluster.engine.withState { $0.isAtLimit = false }
    try await soon("changes are taken again") { await leader.does("USER.CREATE v\(Int.random(in: 0..<1_000_000))") }
    try await cluster.stop()
  }

  /// The only node that is left goes on writing: what its own snapshot holds is deleted from the shared log.
  @Test func aNodeThatIsLeftAloneDeletesWhatItsSnapshotHolds() async throws {
    let (cluster, leader, follower) = try await Self.pair()
    try await follower.stop()
    for number in 0..<5 { #expect(await leader.does("USER.CREATE u\(number)")) }
    #expect(await leader.ask("SAVE")?.string == "OK")
    let first = cluster.engine.withState { $0.firstIndex }
    try await soon("the leader is alone") { await leader.info("replication", "cluster_nodes") == "1" }
    try await Task.sleep(for: .milliseconds(2_500))
    #expect(cluster.engine.withState { $0.firstIndex } == first)
    cluster.engine.withState { $0.keptBytes = 600 << 20 }
    try await soon("frames are deleted") { cluster.engine.withState { $0.firstIndex } > first + 4 }
    try await cluster.stop()
  }
}
