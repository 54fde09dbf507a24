import GatehouseCore
import GatehouseStorage
import GatehouseTestSupport
import GatehouseWire
import Testing

@testable import GatehouseServer

/// Replies that wait until the log is durable, and that none waits for ever.
@Suite("Waiting for the log", .timeLimit(.minutes(2)))
struct DurableWaitsTests {
  private static func words(_ line: String) -> OwnedArguments {
    OwnedArguments(line.split(separator: " ").map(String.init))
  }

  @Test("after a group that is refused, every kind of refusal is answered", arguments: [1, 60])
  func refusedGroups(size: Int) async throws {
    let server = try await TestContext()
    let context = server.context
    _ = await server.execute("USER.CREATE ana NOINVITE")
    // What gates refuse, what is about a connection, what a body refuses, and what is decided on many threads.
    let refused = [
      "NO.SUCH", "USER.GET", "USER.GET #abc", "ROLE.REVOKE #abc x", "AS", "AS x MULTI", "MULTI", "CONFIG GET x",
      "USER.LIST WHERE x = 1", "USER.GET nobody", "SESSION.CHECK x", "AUDIT.LIST NO",
    ]
    let lasts = ["ROLE.GRANT #99999 manager", "POOL.SET none * 1", "NO.SUCH", "MULTI"]
    for (index, line) in refused.enumerated() {
      let last = lasts[index % lasts.count]
      let commands = (0..<size).map { "USER.SET ana first A\($0)" } + [last]
      let outcome = await context.execute(together: commands.map(Self.words), for: TestContext.local)
      guard case .failure(let failure) = outcome else {
        Issue.record("the group took effect: \(last)")
        return
      }
      #expect(failure.index == size)
      #expect(await !server.execute(line).hasPrefix("OK"), "\(line)")
      let alone = await context.execute(together: [Self.words(line)], for: TestContext.local)
      if case .success = alone, !line.hasPrefix("SESSION.CHECK") { Issue.record("\(line) is carried out") }
    }
    #expect(await server.execute("USER.GET ana").contains("first null"))
    #expect(context.durableWaits.waitingCount == 0)
    await server.stop()
  }

  @Test("a wait for a record that was never written ends at once")
  func recordsThatAreNone() async throws {
    let server = try await TestContext()
    _ = await server.execute("PRODUCT.CREATE payroll")
    #expect(await server.context.isDurable(through: .max))
    #expect(await server.context.isDurable(through: server.context.log.appendedLSN + 1))
    await server.stop()
  }

  @Test("a wait ends with its record, with its task, and with the log")
  func ends() async throws {
    let waits = DurableWaits()
    func waiting(_ lsn: LSN) -> Task<Void, Never> { Task { await waits.wait(for: lsn) { false } } }
    func until(_ count: Int) async {
      while waits.waitingCount != count { await Task.yield() }
    }
    let one = waiting(1), two = waiting(2), three = waiting(3)
    await until(3)
    waits.wake(through: 1)
    await one.value
    #expect(waits.waitingCount == 2)
    two.cancel()
    await two.value
    #expect(waits.waitingCount == 1)
    waits.end()
    await three.value
    #expect(waits.waitingCount == 0 && waits.hasEnded)
    // Nobody begins to wait any more, and a task that was cancelled before does not either.
    await waits.wait(for: 9) { false }
    let fresh = DurableWaits()
    let cancelled = Task {
      while !Task.isCancelled { await Task.yield() }
      await fresh.wait(for: 9) { false }
    }
    cancelled.cancel()
    await cancelled.value
    #expect(fresh.waitingCount == 0)
  }

  @Test("a list over all partitions, and a long group, hold up no thread of a front")
  func longWork() async throws {
    let server = try await TestContext()
    let context = server.context
    let commands = (0..<200).map { Self.words("PRODUCT.CREATE p\($0)") }
    guard case .success(let replies) = await context.execute(together: commands, for: TestContext.local) else {
      Issue.record("the group is refused")
      return
    }
    #expect(replies.count == 200 && context.log.durableLSN == context.log.appendedLSN)
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<20 { group.addTask { await context.text(["USER.COUNT"]) == "integer 0" } }
      for await isRight in group { #expect(isRight) }
    }
    await server.stop()
  }
}
