import Foundation
import GatehouseTestSupport
import Synchronization
import Testing

/// SIGKILL at random moments under load: acknowledged commands are not lost, and others took effect completely or not
/// at all.
@Suite("Durability: kill −9", .serialized, .blocking)
struct KillTests {
  /// 50 kills by default; `GATEHOUSE_KILLS` sets another number.
  static let kills = ProcessInfo.processInfo.environment["GATEHOUSE_KILLS"].flatMap { Int($0) } ?? 50
  static let workers = 4

  @Test("nothing acknowledged is lost, and nothing is there in part")
  func killLoop() throws {
    let server = try TestServer(.init(lanes: 2, arguments: ["--segment-bytes", "1mb"]))
    try prepare(server)
    let seed = UInt64.random(in: 0...UInt64.max)
    let ledgers = Ledgers((0..<Self.workers).map { Ledger(worker: $0, seed: seed &+ UInt64($0)) })
    var random = SeededRandom(seed: seed)

    for round in 1...Self.kills {
      let saves = Bool.random(using: &random)
      try load(server, ledgers, saves: saves, for: .milliseconds(Int.random(in: 5...150, using: &random)))
      if round.isMultiple(of: 4) {
        try interruptedStart(server, after: .milliseconds(Int.random(in: 0...80, using: &random)))
      }
      try server.start(lanes: [1, 2, 4].randomElement(using: &random)!)
      try check(server, ledgers, everybody: round.isMultiple(of: 10) || round == Self.kills)
    }
    #expect(ledgers.peopleCount > 0, "seed \(seed)")

    // After so many kills a clean end and start changes nothing.
    #expect(try server.terminate() == .exited(0))
    try server.start()
    try check(server, ledgers, everybody: true)
    #expect(try server.client().fields("AUDIT.VERIFY")["ok"] == "1")
  }

  @Test("anything that a reader saw is still there after the kill")
  func readersNeverSeeWhatIsLost() throws {
    let server = try TestServer(.init(lanes: 2, arguments: ["--segment-bytes", "1mb"]))
    try prepare(server)
    var first = 0
    for round in 0..<10 {
      let start = first
      let seen = Mutex(start)
      let killer = Thread {
        pause(.milliseconds(20 + round * 15))
        server.kill()
      }
      killer.start()
      try inParallel(3) { worker in
        guard let client = try? server.client() else { return }
        if worker == 0 {
          // Whole batches are in flight when the kill comes; none of their answers are read.
          for batch in 0... {
            let names = (0..<200).map { "seen-\(start + batch * 200 + $0)" }
            let replies = try? client.pipeline(names.map { ["USER.CREATE", $0, "PRODUCT", "payroll"] })
            if replies == nil { return }
          }
        }
        var next = start
        while let answer = try? client.text("LOGIN.CHECK seen-\(next) payroll") {
          guard answer == "ALLOW" else { continue }
          next += 1
          seen.withLock { $0 = max($0, next) }
        }
      }
      try server.start()
      let client = try server.client()
      let last = seen.withLock { $0 }
      for number in start..<last { #expect(try client.text("LOGIN.CHECK seen-\(number) payroll") == "ALLOW") }
      first = last
      while try client.text("LOGIN.CHECK seen-\(first) payroll") == "ALLOW" { first += 1 }
    }
    #expect(first > 0)
  }

  @Test("IDEM: a command repeated after a kill takes effect once")
  func idempotencyAcrossKill() throws {
    let server = try TestServer()
    try prepare(server)
    var gate = try server.client()
    let made = try gate.fields("USER.CREATE ana PRODUCT payroll IDEM made")
    for round in 0..<5 {
      // The answer to this one may never come; repeating it must then do only what is left.
      let connection = try server.rawConnection()
      try connection.send("TIMER.START ana NOTE n\(round) IDEM start-\(round)\r\n")
      pause(.milliseconds(round))
      server.kill()
      try server.start()
      gate = try server.client()
      #expect(try gate.fields("USER.CREATE ana PRODUCT payroll IDEM made")["id"] == made["id"])
      #expect(try gate.fields("TIMER.START ana NOTE n\(round) IDEM start-\(round)")["note"] == "n\(round)")
      try gate.ok("TIMER.STOP ana IDEM stop-\(round)")
      server.kill()
      try server.start()
      gate = try server.client()
      try gate.ok("TIMER.STOP ana IDEM stop-\(round)")
      #expect(try gate.pages("ENTRY.LIST ana").count == round + 1)
    }
  }

  // MARK: -

  private func prepare(_ server: TestServer) throws {
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("POOL.SET payroll * 1000000")
  }

  /// Runs every ledger's client, and kills the server meanwhile.
  private func load(_ server: TestServer, _ ledgers: Ledgers, saves: Bool, for time: Duration) throws {
    let killer = Thread {
      pause(time)
      server.kill()
    }
    killer.start()
    try inParallel(Self.workers + 1) { worker in
      guard let client = try? server.client() else { return }
      if worker < Self.workers {
        try ledgers.with(worker) { try $0.work(on: client) }
      } else if saves {
        while (try? client.reply("BGSAVE")) != nil { pause(.milliseconds(3)) }
      }
    }
    // The workers stop when the server is gone; the killer must have noted its end before the next start.
    try eventually("the server is killed") { !server.isRunning }
  }

  /// A start that is killed before, during or after reading the log.
  private func interruptedStart(_ server: TestServer, after time: Duration) throws {
    let child = try server.launch()
    pause(time)
    child.kill()
  }

  private func check(_ server: TestServer, _ ledgers: Ledgers, everybody: Bool) throws {
    let gate = try server.client()
    for worker in 0..<Self.workers { try ledgers.with(worker) { try $0.check(against: gate, everybody: everybody) } }
    let pool = try #require(try gate.list("POOL.LIST payroll").first)
    #expect(pool.integer("used") == Int64(ledgers.enabledCount), "seats used are the enabled accesses")
    #expect(try gate.integer("USER.COUNT") == Int64(ledgers.peopleCount))
  }
}

/// The ledgers of all workers, each used by one thread at a time.
private final class Ledgers: Sendable {
  private let ledgers: Mutex<[Ledger?]>

  init(_ ledgers: [Ledger]) { self.ledgers = Mutex(ledgers) }

  /// Removes a ledger while it is used, so that workers do not wait for each other.
  func with(_ worker: Int, _ body: (inout Ledger) throws -> Void) throws {
    var ledger = ledgers.withLock { ledgers in
      defer { ledgers[worker] = nil }
      return ledgers[worker]!
    }
    defer { ledgers.withLock { $0[worker] = ledger } }
    try body(&ledger)
  }

  var enabledCount: Int { ledgers.withLock { $0.reduce(0) { $0 + ($1?.enabledCount ?? 0) } } }
  var peopleCount: Int { ledgers.withLock { $0.reduce(0) { $0 + ($1?.people.count ?? 0) } } }
}
