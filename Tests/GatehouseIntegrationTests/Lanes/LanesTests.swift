import GatehouseTestSupport
import GatehouseWire
import Testing

/// Several lanes, and commands that touch more than one partition at once.
@Suite("Lanes: many connections, several owners", .blocking)
struct LanesTests {
  static let people = 24
  static let seats = 9

  @Test(
    "renames, seats and impersonations from many connections keep every invariant", arguments: Layout.several)
  func contention(layout: Layout) throws {
    let server = try TestServer(.init(layout))
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("PRODUCT.CREATE leave")
    try gate.ok("POOL.SET leave * \(Self.seats)")
    for number in 0..<Self.people { try gate.ok("USER.CREATE name\(number) PRODUCT payroll") }
    try gate.ok("USER.CREATE boss PRODUCT payroll ROLE super-administrator")
    let ids = try gate.pages("USER.LIST WHERE username != boss").compactMap { $0["id"] }
    #expect(ids.count == Self.people)
    let boss = try #require(try gate.fields("SESSION.CREATE boss payroll")["session"])

    let legal = ["CONFLICT", "NOTFOUND", "NOSEATS", "REFUSED", "BUSY"]
    try inParallel(12) { worker in
      let client = try server.client()
      var random = SeededRandom(seed: UInt64(worker))
      for round in 0..<60 {
        // People are named by id and by name, because their names move between partitions all the time.
        let user =
          Bool.random(using: &random)
          ? "#\(ids.randomElement(using: &random)!)" : "name\(Int.random(in: 0..<40, using: &random))"
        let command =
          switch Int.random(in: 0..<6, using: &random) {
          case 0, 1: ["USER.RENAME", user, "name\(Int.random(in: 0..<40, using: &random))"]
          case 2: ["PRODUCT.ENABLE", user, "leave"]
          case 3: ["PRODUCT.DISABLE", user, "leave"]
          case 4: ["IMPERSONATE.START", boss, user, "REASON", "round \(round)"]
          default: ["SESSION.CREATE", user, "payroll"]
          }
        let reply = try client.pipeline([command])[0]
        if let error = reply.errorText, !legal.contains(where: error.hasPrefix) {
          throw TestFailure("\(command): \(error)")
        }
      }
    }

    try expectInvariants(gate)
    let times = try gate.pages("AUDIT.LIST").compactMap { $0.integer("time") }
    #expect(times == times.sorted(by: >), "no lane records a time before that of the record before")
    let before = try picture(gate)
    server.kill()
    try server.start(lanes: layout.lanes == 2 ? 1 : 2)
    let again = try server.client()
    #expect(try picture(again) == before, "the replay makes the same state, on any number of lanes")
    try expectInvariants(again)
  }

  /// Owners refer to new entities of the directory as soon as these exist; nobody may read them together with an older
  /// directory.
  @Test("workspaces and products are created between commands about their people", arguments: Layout.several)
  func directoryChanges(layout: Layout) throws {
    let server = try TestServer(.init(layout))
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    for number in 0..<8 { try gate.ok("USER.CREATE name\(number) PRODUCT payroll") }
    try gate.ok("USER.CREATE ana PRODUCT payroll ROLE super-administrator")
    let token = try #require(try gate.fields("SESSION.CREATE ana payroll")["session"])
    let rounds = 25
    let makers = 2
    let legal = ["CONFLICT", "NOTFOUND", "REFUSED", "BUSY"]
    let made = Collected<Int>()
    try inParallel(10) { worker in
      let client = try server.client()
      var random = SeededRandom(seed: UInt64(worker))
      if worker < makers {
        defer { made.add(worker) }
        for round in 0..<rounds {
          let workspace = "w\(worker)-\(round)"
          try client.ok("WORKSPACE.CREATE \(workspace) OWNER ana")
          // Whoever has seen the reply finds the workspace on every connection.
          try server.client().ok("WORKSPACE.MEMBER \(workspace) name\(worker)")
          try server.client().ok("PRODUCT.CREATE \(workspace)/clock")
          try server.client().ok("PRODUCT.ENABLE name\(worker) \(workspace)/clock")
        }
        return
      }
      while made.all.count < makers {
        let commands = (0..<24).map { _ -> [String] in
          let name = "name\(Int.random(in: 0..<8, using: &random))"
          let workspace = "w\(Int.random(in: 0..<makers, using: &random))-\(Int.random(in: 0..<rounds, using: &random))"
          return switch Int.random(in: 0..<12, using: &random) {
          case 0, 1, 2: ["USER.GET", "ana"]
          case 3, 4: ["AS", token, "USER.GET", name]
          case 5: ["AS", token, "USER.LIST"]
          case 6: ["SESSION.CHECK", token]
          case 7: ["LOGIN.CHECK", name, "\(workspace)/clock"]
          // The members created by the makers keep their names.
          case 8: ["USER.RENAME", "name\(Int.random(in: makers..<8, using: &random))", "name\(7 + worker)"]
          case 9: ["WORKSPACE.MEMBER", workspace, name]
          case 10: ["USER.LIST", "WHERE", "workspace", "=", "main"]
          default: ["PRODUCT.ENABLE", name, "payroll"]
          }
        }
        for (command, reply) in zip(commands, try client.pipeline(commands)) {
          if let error = reply.errorText, !legal.contains(where: error.hasPrefix) {
            throw TestFailure("\(command): \(error)")
          }
        }
      }
    }
    #expect(try gate.list("WORKSPACE.LIST").count == makers * rounds + 1)
    #expect(server.isRunning)
    for worker in 0..<makers {
      for round in 0..<rounds {
        #expect(try gate.text("LOGIN.CHECK name\(worker) w\(worker)-\(round)/clock") == "ALLOW")
      }
    }
  }

  @Test("a new username is given once, however many ask at the same time", arguments: Layout.several)
  func sameName(layout: Layout) throws {
    let server = try TestServer(.init(layout))
    let wins = Collected<String>()
    for round in 0..<20 {
      try inParallel(6) { worker in
        let reply = try server.client().reply("USER.CREATE same\(round) FIRST w\(worker)")
        if let error = reply.errorText {
          guard error.hasPrefix("CONFLICT") else { throw TestFailure(error) }
        } else {
          wins.add("\(round)")
        }
      }
    }
    #expect(wins.all.count == 20 && Set(wins.all).count == 20)
    #expect(try server.client().integer("USER.COUNT") == 20)
  }

  @Test("a pipeline's commands take effect in order, even those over several owners", arguments: Layout.several)
  func pipelineEffects(layout: Layout) throws {
    let server = try TestServer(.init(layout))
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("POOL.SET payroll * 1")
    // Each step sees the previous one, and only one person at a time has the only seat.
    let steps = [
      "USER.CREATE ?? PRODUCT payroll", "USER.RENAME ?? new-??", "PRODUCT.DISABLE new-?? payroll",
      "PRODUCT.ENABLE new-?? payroll", "TIMER.START new-??", "TIMER.STOP new-??",
      "WORKSPACE.SET main policy.delete.keep-tracked off", "USER.DELETE new-?? REASON done",
    ]
    let commands = (0..<100).flatMap { number in
      steps.map { words(of: $0.replacing("??", with: "name\(number)")) }
    }
    for (command, reply) in zip(commands, try gate.pipeline(commands)) {
      if let error = reply.errorText { throw TestFailure("\(command.joined(separator: " ")): \(error)") }
    }
  }

  @Test("the last seat is given once", arguments: Layout.several)
  func lastSeat(layout: Layout) throws {
    let server = try TestServer(.init(layout))
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE portal")
    for number in 0..<30 { try gate.ok("USER.CREATE u\(number) PRODUCT portal") }
    try gate.ok("POOL.SET portal office 7")
    let given = Collected<Int>()
    try inParallel(6) { worker in
      let client = try server.client()
      for number in stride(from: worker, to: 30, by: 6) {
        let reply = try client.reply("LICENCE.ASSIGN u\(number) portal office")
        if let error = reply.errorText {
          guard error.hasPrefix("NOSEATS") else { throw TestFailure(error) }
        } else {
          given.add(number)
        }
      }
    }
    #expect(given.all.count == 7)
    #expect(try gate.list("POOL.LIST portal").first?["used"] == "7")
    for number in 0..<30 {
      let expected = given.all.contains(number) ? "ALLOW" : "DENY no-licence"
      #expect(try gate.text("LOGIN.CHECK u\(number) portal") == expected)
    }
  }

  @Test("one timer runs, however many start it at the same time", arguments: [2])
  func oneTimer(lanes: Int) throws {
    let server = try TestServer(.init(lanes: lanes))
    try server.client().ok("USER.CREATE ana")
    let started = Collected<Int>()
    try inParallel(8) { worker in
      let reply = try server.client().reply("TIMER.START ana NOTE w\(worker)")
      if reply.errorText == nil { started.add(worker) }
    }
    #expect(started.all.count == 1)
  }

  // MARK: -

  private func expectInvariants(_ gate: Client) throws {
    let users = try gate.pages("USER.LIST COUNT 10")
    #expect(users.count == Self.people + 1)
    #expect(Set(users.compactMap { $0["id"] }).count == users.count, "a list shows each user once")
    let names = users.compactMap { $0["username"]?.lowercased() }
    #expect(Set(names).count == names.count, "names are unique")
    var enabled: Int64 = 0
    for user in users {
      let name = try #require(user["username"])
      let id = try #require(user["id"])
      #expect(try gate.fields("USER.GET \(name)")["id"] == id, "a name leads to its user")
      #expect(try gate.fields("USER.GET #\(id)")["username"] == name)
      if try gate.text("LOGIN.CHECK \(name) leave") == "ALLOW" { enabled += 1 }
    }
    let pool = try #require(try gate.list("POOL.LIST leave").first)
    #expect(pool.integer("used") == enabled, "seats used are the enabled accesses")
    #expect(enabled <= Self.seats)
    // Unused names lead nowhere.
    for number in 0..<40 where !names.contains("name\(number)") {
      #expect(try gate.text("LOGIN.CHECK name\(number) payroll") == "DENY unknown-user")
    }
  }

  /// The state as shown by commands: users, their sessions and impersonations.
  private func picture(_ gate: Client) throws -> [String] {
    var lines = try gate.pages("USER.LIST SORT username").map(\.description)
    for user in try gate.pages("USER.LIST SORT username") {
      let sessions = try gate.list("SESSION.LIST #\(try #require(user["id"]))").compactMap { $0["id"] }
      lines.append("\(user["id"] ?? "") \(sessions.sorted())")
    }
    lines.append(contentsOf: try gate.list("IMPERSONATE.LIST").compactMap { $0["id"] }.sorted())
    return lines
  }
}
