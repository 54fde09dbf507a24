import Foundation
import GatehouseStorage
import GatehouseTestSupport
import GatehouseWire
import Synchronization
import Testing
@testable import GatehouseServer

/// How the lead goes from one node to another.
@Suite(.serialized) struct TakeoverTests {
  @Test func aNodeTakesOverFromALeaderThatStops() async throws {
    let (cluster, one, two, three) = try await TestCluster.three()
    #expect(await one.does("POOL.SET payroll * 2"))
    #expect(await one.does("USER.CREATE ana PRODUCT payroll STATUS active"))
    try await one.stop()
    let leader = try await oneLeads(of: two, three)
    let other = leader === two ? three : two
    #expect(await leader.ask("LOGIN.CHECK ana payroll")?.string == "ALLOW")
    #expect(await leader.does("USER.CREATE ben PRODUCT payroll STATUS active"))
    // The seats were counted while it followed.
    let refusal = await leader.ask("USER.CREATE cid PRODUCT payroll STATUS active")?.errorText
    #expect(refusal?.hasPrefix("NOSEATS") == true, "\(refusal ?? "")")
    try await other.untilLevel(with: leader)
    #expect(await other.ask("LOGIN.CHECK ben payroll")?.string == "ALLOW")
    // The first one comes back, and follows.
    let again = try await cluster.start("one")
    try await again.untilFollowing()
    try await again.untilLevel(with: leader)
    #expect(await again.ask("LOGIN.CHECK ben payroll")?.string == "ALLOW")
    let hash = await leader.ask("NODE.HASH")
    #expect(await again.ask("NODE.HASH") == hash)
    #expect(await again.info("replication", "replication_cut_records") == "0")
    #expect(await again.info("replication", "replication_skipped_lsn") == "0")
    // Each destroys the keys of old answers by itself, soon after its start.
    try await soon("both have the same keys") {
      let (one, other) = (await leader.ask("NODE.KEYS"), await again.ask("NODE.KEYS"))
      return ["store", "nodes", "destroyed", "keys"].allSatisfy {
        one?[$0]?.isNull == false && one?[$0] == other?[$0]
      }
    }
    let keys = try #require(await leader.ask("NODE.KEYS"))
    #expect(keys["ring"]?.isNull == true && keys["data-keys"]?.isNull == true)
    try await cluster.stop()
  }

  @Test func aDeposedLeaderAnswersNothingAndItsTailIsCut() async throws {
    let (cluster, one, two, three) = try await TestCluster.three()
    let port = one.port
    // A client whose write the others never get.
    let lost = Task {
      try await onOwnThread {
        let client = try BlockingClient(host: "127.0.0.1", port: port, timeout: .seconds(20))
        return try client.command("USER.CREATE", "lost", "PRODUCT", "payroll", "STATUS", "active")
      }
    }
    one.line.isCut.store(true, ordering: .releasing)
    let leader = try await oneLeads(of: two, three)
    #expect(await leader.does("USER.CREATE ben PRODUCT payroll STATUS active"))
    // While it cannot be sure to lead, not even a read is answered.
    if one.starts == 1 { #expect(await one.ask("LOGIN.CHECK ben payroll")?.string == nil) }
    let answer = try? await lost.value
    let isAcknowledged = answer.map { $0.errorText == nil } ?? false
    one.line.isCut.store(false, ordering: .releasing)
    try await soon("the first one follows") { await one.hasComeBack }
    try await one.untilFollowing()
    try await one.untilLevel(with: leader)
    #expect(await one.ask("LOGIN.CHECK ben payroll")?.string == "ALLOW")
    if isAcknowledged {
      #expect(await leader.ask("LOGIN.CHECK lost payroll")?.string == "ALLOW")
    } else {
      #expect(await one.ask("LOGIN.CHECK lost payroll") == leader.ask("LOGIN.CHECK lost payroll"))
    }
    let hash = await leader.ask("NODE.HASH")
    #expect(await one.ask("NODE.HASH") == hash)
    try await cluster.stop()
  }

  @Test func whatOnlyADeadLeaderHasIsCutOffAndKept() async throws {
    let (cluster, one, two, three) = try await TestCluster.three()
    // Written here, and never appended to the shared log.
    one.line.isCut.store(true, ordering: .releasing)
    let port = one.port
    let lost = Task {
      try? await onOwnThread {
        let client = try BlockingClient(host: "127.0.0.1", port: port, timeout: .seconds(20))
        return try client.command("USER.CREATE", "lost", "PRODUCT", "payroll", "STATUS", "active")
      }
    }
    let leader = try await oneLeads(of: two, three)
    #expect(await lost.value == nil)
    #expect(await leader.does("USER.CREATE ben PRODUCT payroll STATUS active"))
    one.line.isCut.store(false, ordering: .releasing)
    try await soon("the first one follows") { await one.hasComeBack }
    try await one.untilLevel(with: leader)
    #expect(await one.ask("USER.GET lost")?.errorText?.hasPrefix("NOTFOUND") == true)
    #expect(await one.info("replication", "replication_cut_records") == "1")
    let kept = try #require(await one.info("replication", "replication_cut_file"))
    #expect(kept.hasPrefix(one.folder + "/cut/"))
    #expect(FileManager.default.fileExists(atPath: kept))
    let hash = await leader.ask("NODE.HASH")
    #expect(await one.ask("NODE.HASH") == hash)
    // What was kept is no damage.
    let name = one.folder
    try await one.stop()
    let folder = try DataFolder.look(at: name)
    let report = try Verification.run(folder)
    #expect(report.problems.isEmpty, "\(report.problems)")
    try await cluster.stop()
  }

  @Test func anOperatorChoosesWhoLeads() async throws {
    let (cluster, one, two, three) = try await TestCluster.three()
    for node in [one, two] {
      try await soon("\(node.name) knows the others") { await node.ask("NODE.LIST")?.elements?.count == 3 }
    }
    #expect(await one.ask("NODE.PROMOTE nobody")?.errorText?.hasPrefix("NOTFOUND node 'nobody'") == true)
    #expect(await one.does("USER.CREATE ana PRODUCT payroll STATUS active"))
    let told = [Self.message(at: two, protocol: "3"), Self.message(at: three, protocol: "2")]
    for node in [two, three] {
      try await soon("\(node.name) has a subscriber") { await node.info("clients", "pubsub_clients") == "1" }
    }
    // While it starts anew as a follower it has none.
    let port = one.port
    #expect(await two.ask("NODE.PROMOTE three")?.string == "OK")
    try await three.untilLeading()
    // Those that subscribe are told, by a node that follows and by the one that leads now.
    let text = "gatehouse 127.0.0.1 \(port) 127.0.0.1 \(three.port)"
    for message in told {
      let words = try await message.value
      #expect(words == ["pmessage", "+switch*", "+switch-master", text])
    }
    try await soon("the first one follows") { await one.hasComeBack }
    #expect(await three.ask("LOGIN.CHECK ana payroll")?.string == "ALLOW")
    #expect(await three.does("USER.CREATE ben PRODUCT payroll STATUS active"))
    try await two.untilLevel(with: three)
    try await one.untilLevel(with: three)
    // Nothing was cut: everything had been handed over.
    #expect(await one.info("replication", "replication_cut_records") == "0")
    #expect(await one.info("replication", "replication_cut_files") == "0")
    try await cluster.stop()
  }

  /// What a subscriber of a node is told first.
  private static func message(at node: TestNode, protocol version: String) -> Task<[String?]?, any Error> {
    let port = node.port
    return Task {
      try await onOwnThread {
        let client = try BlockingClient(host: "127.0.0.1", port: port, timeout: .seconds(30))
        _ = try client.command("HELLO", version)
        client.send(["PSUBSCRIBE", "+switch*"])
        _ = try client.receive()
        return try client.receive().elements?.map(\.string)
      }
    }
  }

  @Test func aNodeIsForcedToLead() async throws {
    let (cluster, one, two, _) = try await TestCluster.three()
    try await soon("the nodes know each other") { await two.ask("NODE.LIST")?.elements?.count == 3 }
    #expect(await one.ask("NODE.PROMOTE two FORCE")?.errorText?.hasPrefix("REFUSED nodes: FORCE is asked of") == true)
    #expect(await two.ask("NODE.PROMOTE two FORCE")?.string == "OK")
    #expect(await two.role == "master")
    try await soon("the first one follows") { await one.hasComeBack }
    try await cluster.stop()
  }

  @Test func sentinelsClientsFindTheLeader() async throws {
    let (cluster, one, two, _) = try await TestCluster.three()
    try await soon("the nodes know each other") { await two.ask("NODE.LIST")?.elements?.count == 3 }
    let address = await two.ask("SENTINEL GET-MASTER-ADDR-BY-NAME gatehouse")?.elements
    #expect(address?.map(\.string) == ["127.0.0.1", "\(one.port)"])
    #expect(await two.ask("SENTINEL GET-MASTER-ADDR-BY-NAME other")?.isNull == true)
    let masters = try #require(await two.ask("SENTINEL MASTERS")?.elements)
    #expect(masters.count == 1)
    #expect(masters.first?["name"]?.string == "gatehouse")
    #expect(masters.first?["flags"]?.string == "master")
    #expect(masters.first?["num-slaves"]?.string == "2")
    #expect(await one.ask("SENTINEL REPLICAS gatehouse")?.elements?.count == 2)
    #expect(await one.ask("SENTINEL SENTINELS gatehouse")?.elements?.count == 2)
    #expect(await one.ask("SENTINEL MASTER other")?.errorText == "ERR No such master with that name")
    try await cluster.stop()
  }

  @Test func nodesWaitUntilTheSharedLogHasRoomAgain() async throws {
    let (cluster, one, two, three) = try await TestCluster.three()
    #expect(await one.does("USER.CREATE ana PRODUCT payroll STATUS active"))
    for node in [two, three] {
      try await node.untilLevel(with: one)
      #expect(await node.does("SAVE"))
    }
    try await soon("the others know of the snapshots") {
      cluster.engine.withState { state in
        state.nodes.values.filter { $0.snapshotLSN > 0 }.count == 2 && state.nodes["one"]?.index == state.tail?.index
      }
    }
    cluster.engine.withState { $0.isFull = true }
    one.line.isCut.store(true, ordering: .releasing)
    // They learn from their heartbeats that there is no space, while the first one's lease goes on.
    for node in [two, three] {
      try await soon("\(node.name) knows that nobody leads") {
        await node.ask("USER.CREATE ben")?.errorText == "READONLY no node leads now; try again in a moment"
      }
      try await soon("\(node.name) says why") {
        await node.info("replication", "replication_last_problem") == "the shared log has no space: no room"
      }
    }
    // Nobody leads; what two nodes hold in snapshots is deleted all the same.
    try await soon("frames were deleted") { cluster.engine.withState { $0.firstIndex } > 1 }
    // Reads are answered for as long as it takes: longer than what max-staleness allows.
    try await Task.sleep(for: .milliseconds(1_200))
    for node in [two, three] {
      #expect(await node.ask("USER.CREATE ben")?.errorText == "READONLY no node leads now; try again in a moment")
      try await soon("\(node.name) reads") { await node.ask("LOGIN.CHECK ana payroll")?.string == "ALLOW" }
    }
    cluster.engine.withState { $0.isFull = false }
    let leader = try await oneLeads(of: two, three)
    #expect(await leader.does("USER.CREATE ben PRODUCT payroll STATUS active"))
    one.line.isCut.store(false, ordering: .releasing)
    try await cluster.stop()
  }

  /// As a node does that was started since, and has to make room.
  @Test func framesAreFoundByTheirRecords() async throws {
    let cluster = try TestCluster()
    let one = try await cluster.begin()
    var ends: [SharedTail] = []
    for number in 0..<9 {
      #expect(await one.does("USER.CREATE u\(number)"))
      ends.append(try #require(cluster.engine.tail))
    }
    try await one.stop()
    let folder = try DataFolder.look(at: one.folder)
    let shared = MemorySharedLog(cluster.engine, MemoryLine())
    let search = FrameSearch(shared, folder)
    var status = try await shared.status()
    for (end, next) in zip(ends, ends.dropFirst()) where end.lsn < next.lsn {
      #expect(try await search.lastFrame(through: end.lsn, status) == end.index)
    }
    let tail = try #require(status.tail)
    #expect(try await search.lastFrame(through: tail.lsn, status) == tail.index)
    #expect(try await search.lastFrame(through: 0, status) == 0)
    // Where the log begins was not noted.
    try await shared.truncate(through: ends[4].index)
    #expect(try await search.lastFrame(through: ends[6].lsn, status) == ends[6].index)
    #expect(try await search.lastFrame(through: ends[3].lsn, status) == 0)
    status = try await shared.status()
    #expect(try await search.lastFrame(through: ends[6].lsn, status) == ends[6].index)
    try await cluster.stop()
  }

  @Test func aFolderThatTheSharedLogHasLeftBehindIsRefused() async throws {
    let (cluster, one, two, _) = try await TestCluster.three()
    try await two.stop()
    for number in 0..<5 { #expect(await one.does("USER.CREATE u\(number)")) }
    let tail = try #require(cluster.engine.tail)
    try await MemorySharedLog(cluster.engine, MemoryLine()).truncate(through: tail.index)
    let late = try TestNode("two", two.folder, cluster.engine, follows: true)
    let failure = try #require(await late.failure())
    #expect("\(failure)".contains("the shared log keeps only what comes after record \(tail.lsn)"))
    #expect("\(failure)".contains("gatehousectl backup"))
    try await cluster.stop()
  }

  /// The leader is cut off again and again while clients write. What they were told is on all nodes in the end, and all
  /// have the same log.
  @Test func manyTakeoversLoseNothing() async throws {
    let (cluster, one, two, three) = try await TestCluster.three()
    let nodes = [one, two, three]
    let told = Mutexed<[String]>([])
    let isOver = Mutexed(false)
    let writers = (0..<3).map { writer in
      Task {
        var number = 0
        while !isOver.withLock({ $0 }) {
          for node in nodes {
            number += 1
            let name = "w\(writer)n\(number)"
            let isDone = await node.ask("USER.CREATE \(name) PRODUCT payroll STATUS active")?["id"] != nil
            if isDone { told.withLock { $0.append(name) } }
          }
          try? await Task.sleep(for: .milliseconds(5))
        }
      }
    }
    for _ in 0..<5 {
      let leader = try await oneLeads(of: one, two, three)
      leader.line.isCut.store(true, ordering: .releasing)
      try await soon("another node leads") {
        for node in nodes where node !== leader { if await node.role == "master" { return true } }
        return false
      }
      leader.line.isCut.store(false, ordering: .releasing)
      try await soon("\(leader.name) follows") { await leader.role == "slave" }
    }
    isOver.withLock { $0 = true }
    for writer in writers { await writer.value }
    let leader = try await oneLeads(of: one, two, three)
    let names = told.withLock { $0 }
    #expect(names.count > 20)
    for node in nodes { try await node.untilLevel(with: leader) }
    let hash = await leader.ask("NODE.HASH")
    for node in nodes {
      #expect(await node.ask("NODE.HASH") == hash)
      for name in names { #expect(await node.ask("LOGIN.CHECK \(name) payroll")?.string == "ALLOW", "\(name)") }
    }
    try await cluster.stop()
    for node in nodes {
      let folder = try DataFolder.look(at: node.folder)
      let bytes = try Verification.run(folder)
      #expect(bytes.problems.isEmpty, "\(bytes.problems)")
      let state = try StateVerification.run(folder, after: bytes)
      #expect(state.problems.isEmpty, "\(state.problems)")
    }
  }

  @Test func anEngineThatWasSetBackIsNoticed() async throws {
    let cluster = try TestCluster()
    let one = try await cluster.begin()
    let two = try await cluster.join("two", from: one)
    try await two.untilFollowing()
    let old = try #require(cluster.engine.tail)
    for number in 0..<3 { #expect(await one.does("USER.CREATE u\(number)")) }
    try await two.untilLevel(with: one)
    try await cluster.stop()
    cluster.engine.withState { state in
      state.frames.removeAll { $0.index > old.index }
      state.tail = old
      state.leader = nil
    }
    for node in [one, two] {
      let again = try TestNode(node.name, node.folder, cluster.engine, follows: node.name == "two")
      let failure = try #require(await again.failure())
      #expect("\(failure)".contains("was acknowledged, and the shared log has only those through \(old.lsn)"))
    }
  }

  /// An engine without its data must not make the folder that starts first the truth.
  @Test func aFolderThatWasSharedBeginsAnewOnlyOnOrder() async throws {
    let cluster = try TestCluster()
    let one = try await cluster.begin()
    let early = try await cluster.join("early", from: one)
    try await early.untilFollowing()
    try await early.stop()
    #expect(await one.does("USER.CREATE ana"))
    let two = try await cluster.join("two", from: one)
    try await two.untilLevel(with: one)
    try await one.stop()
    // Once it leads it has all that the first one wrote, also the frame without records with which it may have ended.
    try await two.untilLeading()
    try await two.stop()
    for node in [one, two] {
      let again = try TestNode(node.name, node.folder, MemoryEngine())
      let failure = try #require(await again.failure())
      #expect("\(failure)".contains("was shared, and there is no shared log any more at memory://test"))
    }
    let engine = MemoryEngine(leaseMilliseconds: 600)
    let anew = try TestNode("one", one.folder, engine) { $0.follow = .begin }
    try await anew.untilLeading()
    let joined = try TestNode("two", two.folder, engine, follows: true)
    try await joined.untilFollowing()
    #expect(await joined.ask("USER.GET ana")?.errorText == nil)
    try await joined.stop()
    // A folder that lacks what was in the old shared log only is told what to do.
    let refusal = "\(try #require(await TestNode("early", early.folder, engine, follows: true).failure()))"
    #expect(refusal.contains("and the shared log keeps only what comes after record"), "\(refusal)")
    #expect(refusal.contains("move this data folder away, and start again with --follow yes"), "\(refusal)")
    try await anew.stop()
  }

  @Test func aFollowerNeverBegins() async throws {
    let cluster = try TestCluster()
    let one = try await cluster.begin()
    let two = try await cluster.join("two", from: one)
    try await two.untilFollowing()
    try await cluster.stop()
    // Of another engine, which has nothing yet.
    let alone = try TestNode("two", two.folder, MemoryEngine(), follows: true)
    let failure = try #require(await alone.failure())
    #expect("\(failure)".contains("start the node that has the data without --follow first"))
    let empty = try TestNode("new", two.folder + "-new", MemoryEngine(), follows: true)
    #expect(
      "\(try #require(await empty.failure()))".contains("start the node that has the data without --follow first"))
    #expect(!FileManager.default.fileExists(atPath: two.folder + "-new"))
  }

  /// A node's folder does not start alone by accident, and nothing is written to it offline.
  @Test func aFolderOfANodeStartsAloneOnlyOnOrder() async throws {
    let cluster = try TestCluster()
    let one = try await cluster.begin()
    let two = try await cluster.join("two", from: one)
    try await two.untilFollowing()
    try await two.stop()
    let accident = try TestNode("two", two.folder, cluster.engine) {
      $0.replication = nil
      $0.follow = .no
    }
    let refusal = "\(try #require(await accident.failure()))"
    #expect(refusal.contains("\(two.folder) belongs to a node of a cluster"))
    #expect(refusal.contains("start a server on it once with --follow alone and without --replication"))
    do {
      let folder = try DataFolder.open(two.folder)
      defer { folder.close() }
      let expected = FolderError.shared(path: two.folder)
      #expect(throws: expected) { try OfflineCommand.run(["SERVICE.CREATE", "x", "ADMIN"], on: folder, clock: 1) }
      #expect(throws: expected) { try OfflineCompaction.run(folder, options: CompactionOptions(now: 1)) }
    }
    // Nothing was changed by all that.
    let again = try await cluster.start("two")
    try await again.untilFollowing()
    try await again.stop()
    let alone = try TestNode("two", two.folder, cluster.engine) {
      $0.replication = nil
      $0.follow = .alone
    }
    try await alone.untilLeading()
    #expect(await alone.does("USER.CREATE carl"))
    try await alone.stop()
    // It says what may be the reason, and does not only blame the engine.
    let astray = try TestNode("two", two.folder, cluster.engine, follows: true)
    let failure = "\(try #require(await astray.failure()))"
    #expect(failure.contains("Either this folder is astray, because a server ran on it alone"))
    #expect(failure.contains("Or the engine was set back to an older copy"))
    try await cluster.stop()
  }

  /// Starts alone are epochs that the shared log knows nothing of.
  @Test func aFolderThatWasAloneAndWroteNothingComesBack() async throws {
    let cluster = try TestCluster()
    let one = try await cluster.begin()
    #expect(await one.does("PRODUCT.CREATE payroll"))
    let two = try await cluster.join("two", from: one)
    try await two.untilFollowing()
    try await cluster.stop()
    for name in ["two", "one"] {
      let folder = name == "one" ? one.folder : two.folder
      for _ in 0..<3 {
        let alone = try TestNode(name, folder, cluster.engine) {
          $0.replication = nil
          $0.follow = .alone
        }
        try await alone.untilLeading()
        try await alone.stop()
      }
    }
    let first = try await cluster.start("one")
    try await first.untilLeading()
    let second = try await cluster.start("two")
    try await second.untilFollowing()
    #expect(await first.does("USER.CREATE ana PRODUCT payroll STATUS active"))
    try await second.untilLevel(with: first)
    #expect(await second.ask("LOGIN.CHECK ana payroll")?.string == "ALLOW")
    // The other one, whose epoch was raised too, leads as well.
    try await first.stop()
    try await second.untilLeading()
    #expect(await second.does("USER.CREATE ben PRODUCT payroll STATUS active"))
    try await cluster.stop()
  }
}
