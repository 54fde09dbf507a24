import Glibc
import Testing

@testable import GatehouseServer

@Suite("A lane's loop")
struct LaneLoopTests {
  @Test("jobs from other threads run in order on the lane's thread, and wake it")
  func submitted() async throws {
    let lane = try TestLane().lane
    lane.loop.start { lane.tick() }
    let seen = Mutexed<[Int]>([])
    let thread = await lane.loop.submit { UInt(pthread_self()) }
    for round in 0..<200 {
      // Give it time to fall asleep now and then.
      if round % 50 == 0 { try await Task.sleep(for: .milliseconds(20)) }
      lane.loop.execute { seen.withLock { $0.append(round) } }
    }
    let (numbers, last) = await lane.loop.submit { (seen.withLock { $0 }, UInt(pthread_self())) }
    #expect(numbers == Array(0..<200) && last == thread && thread != UInt(pthread_self()))
    lane.loop.stop()
  }

  @Test("no job is lost when many threads submit at once")
  func manyThreads() async throws {
    let lane = try TestLane().lane
    lane.loop.start { lane.tick() }
    let count = Mutexed(0)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<2000 {
            await lane.loop.submit { count.withLock { $0 += 1 } }
          }
        }
      }
    }
    #expect(count.withLock { $0 } == 8000)
    lane.loop.stop()
  }

  @Test("jobs submitted before the stop still run")
  func stop() throws {
    let lane = try TestLane().lane
    let count = Mutexed(0)
    for _ in 0..<100 { lane.loop.execute { count.withLock { $0 += 1 } } }
    lane.loop.start { lane.tick() }
    lane.loop.stop()
    #expect(count.withLock { $0 } == 100)
  }

  @Test("the timer calls the lane's upkeep")
  func timer() throws {
    let loop = try LaneLoop(timerInterval: 10)
    var calls = 0
    let start = Clock.nanoseconds()
    while calls < 3, Clock.nanoseconds(since: start) < 10_000_000_000 {
      loop.poll(mayWait: true) { if case .timer = $0 { calls += 1 } }
    }
    #expect(calls == 3 && Clock.nanoseconds(since: start) >= 29_000_000)
  }
}
