#if Replication
  import Foundation
  import GatehouseStorage
  import GatehouseTestSupport
  import Synchronization
  import Testing

  @testable import GatehouseReplication

  /// What the shared log does when etcd's processes fail.
  @Suite("The shared log while etcd fails", .enabled(if: EtcdCluster.isInstalled, "etcd is not installed"), .serialized)
  struct EtcdFaultTests {
    private static let genesis = SharedTail(index: 0, lsn: 0, hash: .zero, epoch: 0)

    /// Writes frames one after the other, as a writer's thread does, until it is told to stop.
    private final class Writing: Sendable {
      private let state = Mutex((isStopped: false, stored: UInt64(0), longest: Duration.zero))

      var stored: UInt64 { state.withLock { $0.stored } }
      var longest: Duration { state.withLock { $0.longest } }

      func stop() { state.withLock { $0.isStopped = true } }

      func run(_ leadership: EtcdLeadership) {
        PosixThread { [self] in
          while !state.withLock({ $0.isStopped }) {
            let number = stored + 1
            let began = ContinuousClock.now
            guard case .index(let index, _) = leadership.pipeline.add(number, epoch: leadership.epoch),
              leadership.pipeline.wait(through: index) == .stored
            else { return }
            let took = ContinuousClock.now - began
            state.withLock { state in
              state.stored = index
              state.longest = max(state.longest, took)
            }
          }
        }.detach()
      }
    }

    private static func check(_ log: EtcdLog, through stored: UInt64) async throws {
      var frames: [SharedFrame] = []
      while true {
        let page = try await log.frames(after: UInt64(frames.count))
        if page.isEmpty { break }
        frames += page
      }
      #expect(frames.map(\.index) == Array(1...UInt64(frames.count)))
      #expect(UInt64(frames.count) >= stored)
      #expect(frames.allSatisfy { $0.bytes == Array(repeating: UInt8(truncatingIfNeeded: $0.index), count: 100) })
    }

    @Test func membersAreKilledAndTheLeaderStays() async throws {
      var options = EtcdCluster.Options()
      options.members = 3
      let cluster = try await EtcdCluster(options)
      let log = try await cluster.open(cluster.settings(leaseMilliseconds: 5_000))
      try await log.begin(at: Self.genesis)
      let leadership = try await EtcdLogTests.lead(log)
      let writing = Writing()
      writing.run(leadership)
      for _ in 0..<3 {
        let victim = try await cluster.leader()
        let before = writing.stored
        cluster.kill(victim)
        try await eventually("frames are stored again", within: .seconds(20)) { writing.stored > before + 20 }
        try cluster.restart(victim)
        try await eventually("the member is back", within: .seconds(20)) {
          try await cluster.control(["endpoint", "health"]).succeeded
        }
      }
      try await eventually("the leader may answer reads") { leadership.validUntil > LeaseClock.now() }
      writing.stop()
      try await Self.check(log, through: writing.stored)
      await log.leave()
    }

    /// The others would only pass on to it what changes something.
    @Test func theLeadingMemberIsAsked() async throws {
      var options = EtcdCluster.Options()
      options.members = 3
      let cluster = try await EtcdCluster(options)
      let settings = cluster.settings()
      let client = try EtcdClient(
        try EtcdAddress(settings.address), try EtcdCredentials(settings, usesTLS: false), patience: .seconds(5))
      for round in 0..<3 {
        let leading = try await cluster.leadingMember()
        try await eventually("the leading member answers", within: .seconds(20)) {
          // While a member is down, a call may fail once.
          (try? await client.read([.get(Array("key".utf8))]))?.header.memberID == leading.id
        }
        guard round < 2 else { break }
        cluster.kill(leading.index)
        try await eventually("another leads", within: .seconds(20)) {
          (try? await cluster.leader()).map { $0 != leading.index } ?? false
        }
        try cluster.restart(leading.index)
      }
      await client.close()
    }

    @Test func etcdStandsStillForLongerThanTheLease() async throws {
      let cluster = try await EtcdCluster()
      let settings = cluster.settings(leaseMilliseconds: 3_000)
      let (first, second) = (try await cluster.open(settings), try await cluster.open(settings))
      try await first.begin(at: Self.genesis)
      let leadership = try await EtcdLogTests.lead(first)
      let leaders = Mutex<[String?]>([])
      let following = Task {
        try await second.follow(after: 0) { news in
          if case .leader(let leader) = news { leaders.withLock { $0.append(leader?.node.name) } }
        }
      }
      let writing = Writing()
      writing.run(leadership)
      try await Task.sleep(for: .seconds(1))
      cluster.signal(0, SIGSTOP)
      try await Task.sleep(for: .seconds(4))
      // Nobody can lead now, and the leader knows that others may think so.
      #expect(leadership.validUntil < LeaseClock.now())
      let before = writing.stored
      cluster.signal(0, SIGCONT)
      try await eventually("frames are stored again") { writing.stored > before + 20 }
      // Nobody had the leader for silent, because nobody could have heard it.
      try await eventually("the leader may answer reads") { leadership.validUntil > LeaseClock.now() }
      #expect(leaders.withLock { $0 } == ["a"])
      writing.stop()
      following.cancel()
      try await Self.check(second, through: writing.stored)
      await first.leave()
      await second.leave()
    }

    @Test func aLeaderThatHearsNothingGivesUpAndIsReplaced() async throws {
      let cluster = try await EtcdCluster()
      let log = try await cluster.open(cluster.settings(leaseMilliseconds: 3_000))
      try await log.begin(at: Self.genesis)
      let leadership = try await EtcdLogTests.lead(log)
      cluster.kill(0)
      _ = leadership.pipeline.add(1, epoch: leadership.epoch)
      #expect(
        await leadership.end() == "etcd was not heard of for two leases, and another node may have become the leader")
      guard case .over = await EtcdLogTests.stored(leadership, 1) else {
        Issue.record("somebody still waits for a frame")
        return
      }
      try cluster.restart(0)
      let next = try await EtcdLogTests.lead(log)
      #expect(next.epoch > leadership.epoch)
      await log.leave()
    }

    @Test func aMemberSetBackToAnOlderCopyIsNoticed() async throws {
      let cluster = try await EtcdCluster()
      let log = try await cluster.open()
      try await log.begin(at: Self.genesis)
      let leadership = try await EtcdLogTests.lead(log)
      _ = leadership.pipeline.add(1, epoch: leadership.epoch)
      #expect(await EtcdLogTests.stored(leadership, 1) == .stored)
      cluster.kill(0)
      let copy = cluster.dataFolder(0) + ".copy"
      try FileManager.default.copyItem(atPath: cluster.dataFolder(0), toPath: copy)
      try cluster.restart(0)
      for number in 2...50 { _ = leadership.pipeline.add(UInt64(number), epoch: leadership.epoch) }
      #expect(await EtcdLogTests.stored(leadership, 50) == .stored)
      cluster.kill(0)
      try FileManager.default.removeItem(atPath: cluster.dataFolder(0))
      try FileManager.default.moveItem(atPath: copy, toPath: cluster.dataFolder(0))
      try cluster.restart(0)
      let reason = await leadership.end()
      #expect(
        reason.contains("it was restored from an older copy and has lost what it had acknowledged: stop all nodes"))
      #expect(leadership.validUntil == 0)
      await log.leave()
    }

    @Test func etcdWithoutSpaceRefusesAndTakesAgain() async throws {
      var options = EtcdCluster.Options()
      options.quotaBytes = 16 << 20
      let cluster = try await EtcdCluster(options)
      let log = try await cluster.open(cluster.settings(leaseMilliseconds: 20_000))
      try await log.begin(at: Self.genesis)
      let leadership = try await EtcdLogTests.lead(log)
      var stored: UInt64 = 0
      var dropped = false
      for number in 1...40 {
        let acceptance = leadership.pipeline.add(UInt64(number), bytes: 1_000_000, epoch: leadership.epoch)
        guard case .index(let index, _) = acceptance else { break }
        let standing = await EtcdLogTests.stored(leadership, index)
        if case .dropped(let after, _) = standing {
          #expect(after == stored)
          dropped = true
          break
        }
        #expect(standing == .stored)
        stored = index
      }
      #expect(dropped)
      // Deleting still works; then an operator frees the space and takes the alarm back.
      try await log.truncate(through: stored)
      #expect(try await cluster.control(["defrag"]).succeeded)
      #expect(try await cluster.control(["alarm", "disarm"]).succeeded)
      _ = leadership.pipeline.add(99, bytes: 1_000_000, epoch: leadership.epoch)
      #expect(await EtcdLogTests.stored(leadership, stored + 1) == .stored)
      await log.leave()
    }
  }
#endif
