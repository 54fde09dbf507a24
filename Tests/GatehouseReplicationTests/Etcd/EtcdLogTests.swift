#if Replication
  import GatehouseStorage
  import GatehouseTestSupport
  import Synchronization
  import Testing

  @testable import GatehouseReplication

  /// The shared log on a real etcd.
  @Suite("The shared log on etcd", .enabled(if: EtcdCluster.isInstalled, "etcd is not installed"), .serialized)
  struct EtcdLogTests {
    private static let genesis = SharedTail(index: 0, lsn: 0, hash: .zero, epoch: 3)

    /// The leadership of a node that waits for an old leader's silence.
    static func lead(_ log: EtcdLog, as name: String = "a", within limit: Duration = .seconds(15)) async throws
      -> EtcdLeadership
    {
      let deadline = ContinuousClock.now + limit * Patience.factor
      while ContinuousClock.now < deadline {
        let leadership = try? await log.lead(as: testNode(name), replacing: nil, above: 0)
        if let leadership = leadership as? EtcdLeadership { return leadership }
        try await Task.sleep(for: .milliseconds(100))
      }
      throw TestFailure("\(name) does not become the leader")
    }

    @Test func theFoldersAreFoundWhoseLogsAreKept() async throws {
      let cluster = try await EtcdCluster()
      let provider = EtcdProvider()
      #expect(try await provider.folders(cluster.settings()).isEmpty)
      let folders = [1, 2, 0xFF].map { Hash128(high: $0, low: .max) }
      for folder in folders.reversed() {
        let log = try await cluster.open(folder: folder)
        try await log.begin(at: Self.genesis)
        #expect(try await log.announce(testNode("a")))
      }
      #expect(try await provider.folders(cluster.settings()) == folders)
      for number in 10..<30 {
        try await cluster.open(folder: Hash128(high: UInt64(number), low: 0)).begin(at: Self.genesis)
      }
      #expect(try await provider.folders(cluster.settings()).count == 8)
    }

    static func stored(_ leadership: EtcdLeadership, _ index: UInt64) async -> AppendPipeline.Standing {
      await withCheckedContinuation { continuation in
        PosixThread { continuation.resume(returning: leadership.pipeline.wait(through: index)) }.detach()
      }
    }

    @Test func aLogIsBegunOnceAndSaysWhatItIs() async throws {
      let cluster = try await EtcdCluster()
      let log = try await cluster.open()
      await #expect(throws: SharedLogError.missing) { _ = try await log.frames(after: 0) }
      await #expect(throws: SharedLogError.missing) {
        _ = try await log.lead(as: testNode("a"), replacing: nil, above: 0)
      }
      #expect(try await log.status().tail == nil)
      try await log.begin(at: Self.genesis)
      await #expect(throws: SharedLogError.exists) { try await log.begin(at: Self.genesis) }
      #expect(try await log.announce(testNode("a")))
      var moved = testNode("a")
      moved.index = 5
      #expect(try await log.announce(moved))
      let status = try await log.status()
      #expect(status.epoch == 3)
      #expect(status.tail == Self.genesis)
      #expect(status.leader == nil)
      #expect(status.nodes == [moved])
      #expect(status.firstIndex == 1)
      #expect(try await log.frames(after: 0).isEmpty)

      let other = try await cluster.open()
      var stranger = testNode("a")
      stranger.port = 7001
      stranger.instance = 1
      // Until the first one renews its entry, it may be a node that was killed.
      for _ in 0..<2 {
        #expect(try await other.announce(stranger) == false)
        #expect(try await log.announce(moved))
      }
      await #expect {
        _ = try await other.announce(stranger)
      } throws: {
        "\($0)".contains("a node at 127.0.0.1:7000 has the name \"a\" already, and lives: give this one a name")
      }
      await log.leave()
      #expect(try await other.status().nodes.isEmpty)
      await other.leave()
    }

    @Test func framesAreAppendedReadTruncatedAndFollowed() async throws {
      let cluster = try await EtcdCluster()
      let log = try await cluster.open()
      try await log.begin(at: Self.genesis)
      let leadership = try await Self.lead(log)
      #expect(leadership.epoch == 4)
      #expect(leadership.tail == Self.genesis)
      #expect(leadership.validUntil > LeaseClock.now())

      let news = Mutex<[SharedNews]>([])
      let follower = try await cluster.open()
      let following = Task {
        try await follower.follow(after: 0) { piece in news.withLock { $0.append(piece) } }
      }
      for number in 1...300 { _ = leadership.pipeline.add(UInt64(number), epoch: 4) }
      // One that takes several values.
      _ = leadership.pipeline.add(301, bytes: 3_000_000, epoch: 4)
      #expect(await Self.stored(leadership, 301) == .stored)
      let asked = LeaseClock.now()
      try await eventually("the follower has everything") {
        news.withLock { $0.contains { if case .current(let at) = $0 { at > asked } else { false } } }
      }
      let seen = news.withLock { $0 }
      let frames = seen.flatMap { piece -> [SharedFrame] in if case .frames(let frames) = piece { frames } else { [] } }
      #expect(frames.map(\.index) == Array(1...301))
      #expect(frames.map(\.bytes.count) == Array(repeating: 100, count: 300) + [3_000_000])
      #expect(seen.contains(.leader(LeaderEntry(node: testNode("a"), epoch: 4))))

      // In pages, from anywhere.
      var read: [SharedFrame] = []
      while true {
        let page = try await follower.frames(after: UInt64(read.count))
        if page.isEmpty { break }
        read += page
      }
      #expect(read == frames)
      #expect(leadership.room.kept == 30_000 + 3_000_000)

      try await log.truncate(through: 300)
      await #expect(throws: SharedLogError.truncated(wanted: 200, first: 301)) {
        _ = try await follower.frames(after: 199)
      }
      #expect(try await follower.frames(after: 300) == [frames[300]])
      #expect(try await log.status().firstIndex == 301)
      #expect(try await log.status().keptBytes == 3_000_000)
      try await log.truncate(through: 301)
      #expect(try await log.status().firstIndex == 302)
      #expect(try await follower.frames(after: 301).isEmpty)
      #expect(
        try await cluster.control(["get", "--prefix", "/gatehouse/", "--keys-only"]).output.contains("/body/") == false)
      try await eventually("the leader knows") { leadership.room.kept == 0 }

      // A follower that lags behind what is kept is told; one behind a compaction goes on.
      await #expect(throws: SharedLogError.truncated(wanted: 1, first: 302)) {
        try await follower.follow(after: 0) { _ in }
      }
      _ = leadership.pipeline.add(302, epoch: 4)
      #expect(await Self.stored(leadership, 302) == .stored)
      try await eventually("the follower goes on") {
        news.withLock { $0.contains { if case .frames(let frames) = $0 { frames.last?.index == 302 } else { false } } }
      }
      following.cancel()
      _ = await following.result
      await #expect {
        _ = try await follower.frames(after: 400)
      } throws: {
        "\($0)".contains("it ends with frame 302, and frame 400 was acknowledged: etcd was restored from an older copy")
      }
      await follower.leave()
      await log.leave()
    }

    @Test func aSuccessorFencesItsPredecessor() async throws {
      let cluster = try await EtcdCluster()
      let settings = cluster.settings(leaseMilliseconds: 20_000)
      let (first, second) = (try await cluster.open(settings), try await cluster.open(settings))
      try await first.begin(at: Self.genesis)
      let old = try await Self.lead(first)
      _ = old.pipeline.add(1, epoch: old.epoch)
      #expect(await Self.stored(old, 1) == .stored)
      #expect(try await second.lead(as: testNode("b"), replacing: nil, above: 0) == nil)
      #expect(try await second.lead(as: testNode("b"), replacing: old.epoch - 1, above: 0) == nil)

      let started = ContinuousClock.now
      let successor = try await second.lead(as: testNode("b"), replacing: old.epoch, above: 0)
      let new = try #require(successor as? EtcdLeadership)
      // The old one has said that it has stopped, long before its lease would have ended.
      #expect(ContinuousClock.now - started < .seconds(10))
      #expect(old.validUntil == 0)
      #expect(new.epoch == old.epoch + 1)
      #expect(new.tail.index == 1)
      #expect(await old.end() == "another node has become the leader (epoch \(new.epoch))")
      #expect(old.pipeline.add(2, epoch: old.epoch) == .over(.fenced(epoch: new.epoch)))
      _ = new.pipeline.add(2, epoch: new.epoch)
      #expect(await Self.stored(new, 2) == .stored)
      await first.leave()
      await second.leave()
    }

    @Test func aHandoverTakesNoLease() async throws {
      let cluster = try await EtcdCluster()
      let (first, second) = (try await cluster.open(), try await cluster.open())
      try await first.begin(at: Self.genesis)
      await #expect {
        _ = try await second.requestHandover(to: "b")
      } throws: {
        "\($0)".contains("no node leads at the moment")
      }
      let old = try await Self.lead(first)
      let asked = Mutex<String?>(nil)
      let listening = Task {
        try await first.follow(after: .max) { news in
          if case .frames = news { Issue.record("a leader is handed no frames") }
          if case .handover(let request) = news { asked.withLock { $0 = request.node } }
        }
      }
      _ = try await second.requestHandover(to: "b")
      try await eventually("the leader hears of it") { asked.withLock { $0 } == "b" }
      let started = ContinuousClock.now
      await old.resign()
      let new = try await Self.lead(second, as: "b")
      #expect(ContinuousClock.now - started < .seconds(5))
      #expect(new.epoch == old.epoch + 1)
      #expect(await old.end() == "this node has given up the leadership")
      listening.cancel()
      await first.leave()
      await second.leave()
    }

    /// What the writer's thread sees: full and fenced.
    @Test func theSinkServesAWriter() async throws {
      let cluster = try await EtcdCluster()
      var settings = cluster.settings()
      settings.slowBytes = 20_000
      settings.mostBytes = 40_000
      let log = try await cluster.open(settings)
      let folder = try TemporaryFolder("log")
      let location = LogLocation(disk: PosixDisk(), directory: folder.path, folderID: Hash128(high: 0xAB, low: 1))
      var options = LogOptions()
      options.segmentBytes = 1 << 20
      let end = try LogRecovery(location, options: options, forWriting: true).replay(from: 1) { _, _ in }
      try await log.begin(at: SharedTail(index: 0, lsn: 0, hash: end.lastHash, epoch: end.epoch))
      let leadership = try await Self.lead(log)
      let writer = try LogWriter(location, continuing: end, options: options, beside: [leadership.makeSink()])
      var random = SeededRandom(seed: 1)
      func append(_ count: Int) throws -> UInt64 {
        let record = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        return try record.withUnsafeBytes { try writer.append($0, at: 0) }
      }
      let first = try append(1_000)
      try await eventually("the record is durable") { writer.durableLSN >= first }
      let tail = try #require(try await log.status().tail)
      #expect(tail.lsn == 1)
      let frame = try #require(try await log.frames(after: 0).first)
      try LogReader(location).frames(from: 1, through: 1) { written in
        #expect([UInt8](written.bytes) == frame.bytes)
        #expect(written.header.hash == tail.hash)
        return true
      }

      // Full: nothing more is accepted, and what was is written all the same. It goes on once the log is truncated.
      try await eventually("the log is full") {
        for _ in 0..<20 { _ = try? append(1_000) }
        return writer.state == .full
      }
      #expect(writer.isHeldBack && writer.ownShortage == nil)
      #expect(throws: LogRefusal.full) { try append(1_000) }
      try await eventually("what was accepted is durable") { writer.durableLSN == writer.appendedLSN }
      let kept = try #require(try await log.status().tail).index
      try await log.truncate(through: kept)
      try await eventually("the log has room again", within: .seconds(30)) {
        writer.state == .open && writer.durableLSN == writer.appendedLSN
      }

      let other = try await cluster.open()
      _ = try await other.lead(as: testNode("b"), replacing: leadership.epoch, above: 0)
      _ = try? append(10)
      try await eventually("the log has stopped") { if case .failed = writer.state { true } else { false } }
      #expect(writer.state == .failed("another node has become the leader (epoch \(leadership.epoch + 1))"))
      #expect(
        writer.remedy == "nothing: this node starts again as a follower, and keeps aside what only it had written")
      writer.close()
      await log.leave()
      await other.leave()
    }
  }

  /// Waits until something holds.
  func eventually(
    _ what: String, within limit: Duration = .seconds(10), _ holds: () async throws -> Bool
  ) async throws {
    let deadline = ContinuousClock.now + limit * Patience.factor
    while ContinuousClock.now < deadline {
      if try await holds() { return }
      try await Task.sleep(for: .milliseconds(20))
    }
    throw TestFailure("never: \(what)")
  }
#endif
