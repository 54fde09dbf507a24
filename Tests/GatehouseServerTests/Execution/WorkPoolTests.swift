import GatehouseTestSupport
import Glibc
import Testing

@testable import GatehouseServer

@Suite("The pool for work off the lanes", .blocking)
struct WorkPoolTests {
  @Test("running and waiting jobs have limits, and the rest is refused")
  func bounds() async {
    let pool = WorkPool(threads: 2, line: 3)
    let (running, most) = (Mutexed(0), Mutexed(0))
    let gate = Mutexed(false)
    let outcomes = await withTaskGroup(of: Int?.self) { group in
      for number in 0..<8 {
        group.addTask {
          await pool.run {
            let now = running.withLock {
              $0 += 1
              return $0
            }
            most.withLock { $0 = max($0, now) }
            while !gate.withLock({ $0 }) { usleep(1000) }
            running.withLock { $0 -= 1 }
            return number
          }
        }
      }
      // Refused jobs return while the others still run.
      var outcomes: [Int?] = []
      for _ in 0..<3 { outcomes.append(await group.next()!) }
      // A thread may take its time to begin.
      while running.withLock({ $0 }) < 2 { try? await Task.sleep(for: .milliseconds(1)) }
      gate.withLock { $0 = true }
      for await outcome in group { outcomes.append(outcome) }
      return outcomes
    }
    #expect(outcomes.prefix(3).allSatisfy { $0 == nil } && outcomes.count { $0 != nil } == 5)
    #expect(most.withLock { $0 } == 2 && running.withLock { $0 } == 0)
    let later = await pool.run { 7 }
    #expect(later == 7)
  }

  @Test("a thread is free before its result is told, so that whoever has it can bring more work")
  func inTurns() async {
    let pool = WorkPool(threads: 1, line: 0)
    for number in 0..<200 {
      let result = await pool.run { number }
      #expect(result == number)
    }
  }
}
