import GatehouseCore
import GatehouseStorage
import GatehouseTestSupport
import Testing
@testable import GatehouseServer

/// Commands by callers without a connection.
@Suite("The one door")
struct DoorTests {
  @Test("a command of any kind runs, and is durable when it is answered")
  func kinds() async throws {
    let server = try await TestContext()
    #expect(await !server.execute("PRODUCT.CREATE payroll").hasPrefix("ERR"))
    #expect(await !server.execute("USER.CREATE ana PRODUCT payroll").hasPrefix("ERR"))
    #expect(server.context.log.durableLSN == server.context.log.appendedLSN)
    #expect(await server.execute("LOGIN.CHECK ana payroll").hasPrefix("ALLOW"))
    // A command over all partitions, and one with work off the thread.
    #expect(await server.execute("USER.LIST").contains("ana"))
    #expect(await server.execute("AUDIT.LIST").contains("USER.CREATE"))
    #expect(await server.execute("AUDIT.VERIFY").contains("problem null 0"))
    #expect(await server.execute("USER.GET nobody") == "NOTFOUND user nobody")
    #expect(await server.execute("NO.SUCH").hasPrefix("ERR unknown command"))
    #expect(await server.execute("MULTI").hasPrefix("ERR MULTI is about a connection"))
    await server.stop()
  }

  @Test("commands of fronts are counted as those of connections: calls, times, errors, refusals, admissions, slow ones")
  func counted() async throws {
    let server = try await TestContext()
    for command in ["PRODUCT.CREATE payroll", "USER.CREATE ana PRODUCT payroll", "USER.GET nobody", "USER.CREATE"] {
      _ = await server.execute(command)
    }
    for _ in 0..<3 { #expect(await server.execute("LOGIN.CHECK ana payroll") == "ALLOW") }
    // Work off the thread is part of the command's time.
    _ = await server.execute("AUDIT.VERIFY")
    let metrics = await server.context.metrics()
    func line(_ name: String) -> CommandMetrics.Line? {
      CommandTable.entries.indices.first { CommandTable.entries[$0].fullName == name }.map { metrics.lines[$0] }
    }
    #expect(line("login.check")?.calls == 3 && line("login.check")?.times.count == 3)
    #expect(line("user.create")?.calls == 1 && line("user.create")?.rejected == 1)
    #expect(line("user.get")?.failed == 1 && line("audit.verify")?.calls == 1)
    #expect(metrics.errors == ["NOTFOUND": 1, "ERR": 1])
    #expect(metrics.admissions.counts.reduce(0, +) == 3 && metrics.admissions.counts[1] == 3)
    await server.context.resetMetrics()
    let reset = await server.context.metrics()
    #expect(reset.total == 0 && reset.admissions.counts.reduce(0, +) == 0)
    await server.stop()
  }

  @Test("many threads and the lane run commands at once, and each gets its own answer")
  func manyThreads() async throws {
    let server = try await TestContext()
    _ = await server.execute("PRODUCT.CREATE payroll")
    let context = server.context
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<4 {
        group.addTask {
          for number in 0..<50 {
            let name = "user-\(task)-\(number)"
            _ = await context.text(["USER.CREATE", name, "PRODUCT", "payroll"])
            #expect(await context.text(["LOGIN.CHECK", name, "payroll"]).hasPrefix("ALLOW"))
          }
        }
      }
    }
    #expect(await context.stateFigures().users == 200)
    await server.stop()
  }

  /// A kind of work for this test, and one that fails.
  private struct Square: ServerWork {
    typealias Outcome = Result<Int, Refusal>
    let number: Int

    func perform(_ context: ServerContext, after lastWrite: LSN) throws -> Int {
      if number < 0 { throw TestFailure("no number") }
      if number == 0 { throw Refusal.notFound("number") }
      return number * number + Int(lastWrite)
    }
  }

  @Test("work is done off the thread, and its errors become refusals")
  func work() async throws {
    let server = try await TestContext()
    let turn = server.context.makeTurn(refusals: server.context.refusals[0])
    func outcome(_ number: Int) async throws(Halt) -> Result<Int, Refusal> {
      turn.resume(with: FinishedWorks(await server.context.perform(Square(number: number), after: 1).finished))
      return try turn.outcome(of: Square(number: number))
    }
    #expect(try await outcome(5).get() == 26)
    #expect(try await outcome(0) == .failure(.notFound("number")))
    guard case .failure(let refusal) = try await outcome(-1) else {
      Issue.record("it did not fail")
      return
    }
    #expect(refusal.text.hasPrefix("ERR the work for this could not be done"))
    await server.stop()
  }
}
