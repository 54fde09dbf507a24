import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

/// `EXEC` is atomic and isolated: its changes are one record, and each command has its own answer.
@Suite("Wire: EXEC is atomic", .blocking)
struct ExecTests {
  @Test("later commands see what earlier ones changed, and a refused one changes nothing", arguments: [1, 2, 4])
  func order(lanes: Int) throws {
    let server = try TestServer(.init(lanes: lanes))
    let gate = try server.client()
    let commands = [
      ["MULTI"], ["PRODUCT.CREATE", "payroll"], ["POOL.SET", "payroll", "*", "1"],
      ["USER.CREATE", "ana", "PRODUCT", "payroll"], ["USER.CREATE", "bo", "PRODUCT", "payroll"], ["USER.CREATE", "bo"],
      ["PRODUCT.ENABLE", "bo", "payroll"], ["USER.RENAME", "ana", "cy"], ["LOGIN.CHECK", "cy", "payroll"],
      ["LOGIN.CHECK", "ana", "payroll"], ["USER.COUNT"], ["USER.LIST"], ["TIMER.START", "cy"], ["TIMER.STOP", "cy"],
      ["ECHO", "end"], ["EXEC"],
    ]
    let items = try #require(try gate.pipeline(commands).last).items
    #expect(items.count == commands.count - 2)
    #expect(items[3].errorText?.hasPrefix("NOSEATS") == true, "\(items[3].formatted())")
    #expect(items[3].errorText?.contains("bought 1, used 1") == true)
    #expect(Fields(items[4])?["username"] == "bo", "the name is free: \(items[4].formatted())")
    #expect(items[5].errorText?.hasPrefix("NOSEATS") == true)
    #expect(items[7].scalarText == "ALLOW" && items[8].scalarText == "DENY unknown-user")
    #expect(items[9].integer == 2)
    #expect(Fields(items[12])?["stopped-by"] != nil)
    #expect(items[13].scalarText == "end")

    // One record, with a part for each command that changed something, under its own name.
    let events = try gate.pages("AUDIT.LIST")
    let lsn = try #require(events.first?.integer("lsn"))
    #expect(events.allSatisfy { $0.integer("lsn") == lsn })
    #expect(
      events.compactMap { $0["command"] } == [
        "TIMER.STOP", "TIMER.START", "USER.RENAME", "USER.CREATE", "USER.CREATE", "POOL.SET", "PRODUCT.CREATE",
      ])
    server.kill()
    try server.start()
    let again = try server.client()
    #expect(try again.text("LOGIN.CHECK cy payroll") == "ALLOW")
    #expect(try again.integer("USER.COUNT") == 2)
  }

  @Test("each command has its own actor, subject and reason in the trail")
  func authorities() throws {
    let server = try TestServer()
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    for name in ["ana", "bo"] { try gate.ok("USER.CREATE \(name) PRODUCT payroll") }
    let tokens = try ["ana", "bo"].map { try #require(try gate.fields("SESSION.CREATE \($0) payroll")["session"]) }
    try gate.ok("MULTI")
    for (token, name) in zip(tokens, ["ana", "bo"]) { try gate.ok("AS \(token) TIMER.START \(name)") }
    try gate.ok("USER.STATUS bo locked REASON gone")
    // The session of bo ended with the status, in the same record.
    try gate.ok("AS \(tokens[1]) TIMER.STOP bo")
    let items = try gate.ok("EXEC").items
    #expect(items[2].errorText == nil, "\(items[2].formatted())")
    #expect(items[3].errorText != nil)
    let events = try Array(gate.pages("AUDIT.LIST").prefix(3))
    #expect(events.compactMap { $0["command"] } == ["USER.STATUS", "TIMER.START", "TIMER.START"])
    #expect(events.map { $0["actor"] } == [nil, "bo", "ana"])
    #expect(events[0]["reason"] == "gone")
    #expect(Set(events.compactMap { $0.integer("lsn") }).count == 1)
  }

  /// The timers of two accounts are started and stopped together: every reader sees both or none.
  @Test("concurrent readers never see half a transaction", arguments: [2, 4])
  func halves(lanes: Int) throws {
    let server = try TestServer(.init(lanes: lanes))
    let setUp = try server.client()
    try setUp.ok("PRODUCT.CREATE payroll")
    let names = (0..<6).map { "u\($0)" }
    for name in names { try setUp.ok("USER.CREATE \(name) PRODUCT payroll") }
    let isOver = Collected<Bool>()
    try inParallel(6) { number in
      let gate = try server.client(.resp2)
      if number < 2 {
        for _ in 0..<150 {
          for verb in ["START", "STOP"] {
            // The two writers use the same people in opposite order.
            let order = number == 0 ? names : names.reversed()
            _ = try gate.pipeline([["MULTI"]] + order.map { ["TIMER.\(verb)", $0] } + [["EXEC"]])
          }
        }
        isOver.add(true)
      } else {
        while isOver.all.count < 2 {
          let seen = try gate.pipeline([["MULTI"]] + names.map { ["TIMER.CURRENT", $0] } + [["EXEC"]])
          let running = seen[seen.count - 1].items.map { $0.isNull ? 0 : 1 }
          #expect(Set(running).count == 1, "\(running)")
        }
      }
    }
  }

  @Test("concurrent transactions never give a seat twice", arguments: [2, 4])
  func seats(lanes: Int) throws {
    let server = try TestServer(.init(lanes: lanes))
    let setUp = try server.client()
    try setUp.ok("PRODUCT.CREATE payroll")
    try setUp.ok("POOL.SET payroll * 20")
    for number in 0..<80 { try setUp.ok("USER.CREATE u\(number)") }
    try inParallel(4) { number in
      let gate = try server.client(.resp2)
      for round in 0..<10 {
        let users = [number * 20 + round * 2, number * 20 + round * 2 + 1]
        _ = try gate.pipeline([["MULTI"]] + users.map { ["PRODUCT.ENABLE", "u\($0)", "payroll"] } + [["EXEC"]])
      }
    }
    let allowed = try (0..<80).filter { try setUp.text("LOGIN.CHECK u\($0) payroll") == "ALLOW" }
    #expect(allowed.count == 20)
  }

  @Test("a transaction that does not fit one record is refused as a whole")
  func tooLarge() throws {
    let server = try TestServer()
    let gate = try server.client()
    try gate.ok("USER.CREATE ana")
    let entries = try (0..<4).map { hour in
      try #require(
        try gate.fields("ENTRY.ADD ana START 2026-03-02T0\(hour):00:00Z END 2026-03-02T0\(hour):30:00Z")["entry"])
    }
    // A correction contains the old and the new text, so the record is twice as large as the request.
    var commands = [["MULTI"], ["TIMER.START", "ana"]]
    for round in 0..<700 {
      for entry in entries {
        commands.append([
          "ENTRY.CORRECT", entry, "NOTE", String(repeating: round.isMultiple(of: 2) ? "x" : "y", count: 4000),
        ])
      }
    }
    let replies = try gate.pipeline(commands + [["EXEC"], ["ECHO", "end"]])
    #expect(replies.last?.scalarText == "end")
    #expect(replies[replies.count - 2].errorText?.hasPrefix("LIMIT record: ") == true)
    #expect(try gate.isNull("TIMER.CURRENT ana"))
    #expect(try gate.fields("ENTRY.GET \(entries[0])").integer("version") == 1)
  }

  /// Pairs of timers are started and stopped together until the server is killed.
  @Test("after kill −9 a transaction is there completely or not at all", arguments: [1, 2, 4])
  func kills(lanes: Int) throws {
    let server = try TestServer(.init(lanes: lanes))
    let setUp = try server.client()
    let workers = 3
    for number in 0..<workers { for side in ["a", "b"] { try setUp.ok("USER.CREATE \(side)\(number)") } }
    for round in 0..<8 {
      let killer = Thread {
        pause(.milliseconds(15 + round * 23))
        server.kill()
      }
      killer.start()
      try inParallel(workers) { number in
        guard let gate = try? server.client(.resp2) else { return }
        let pair = ["a\(number)", "b\(number)"]
        while let before = try? gate.pipeline([["TIMER.CURRENT", pair[0]]]), let timer = before.first {
          let verb = timer.isNull ? "TIMER.START" : "TIMER.STOP"
          guard (try? gate.pipeline([["MULTI"]] + pair.map { [verb, $0] } + [["EXEC"]])) != nil else { return }
        }
      }
      try eventually("the server was killed") { killer.isFinished }
      try server.start(lanes: [1, 2, 4][round % 3])
      let gate = try server.client()
      for number in 0..<workers {
        let running = try ["a", "b"].map { try gate.isNull("TIMER.CURRENT \($0)\(number)") }
        #expect(running[0] == running[1], "round \(round), pair \(number)")
        let entries = try ["a", "b"].map { try gate.pages("ENTRY.LIST \($0)\(number)").count }
        #expect(entries[0] == entries[1], "round \(round), pair \(number)")
      }
    }
  }
}
