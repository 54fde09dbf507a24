import GatehouseTestSupport
import GatehouseWire
import Testing

/// The audit trail as seen by clients.
@Suite("AUDIT.LIST and AUDIT.VERIFY", .blocking)
struct AuditTests {
  private let server: TestServer
  private let gate: Client

  init() throws {
    server = try TestServer(.init(lanes: 2, arguments: ["--segment-bytes", "1mb"]))
    gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("USER.CREATE ana FIRST Ana PRODUCT payroll")
  }

  @Test("an event has time, author, command, reason, and old and new values")
  func event() throws {
    try gate.ok("USER.SET ana first Anna REASON 'a typing mistake'")
    let event = try #require(try gate.pages("AUDIT.LIST USER ana").first)
    #expect(event.names == ["lsn", "time", "actor", "subject", "service", "command", "reason", "changes", "names"])
    #expect(event["command"] == "USER.SET" && event["reason"] == "a typing mistake")
    #expect(event["actor"] == nil && event["subject"] == nil && event["service"] == "local")
    let change = try #require(event.value("changes")?.items.first.flatMap { Fields($0) })
    #expect(change["change"] == "contact-set")
    let field = try #require(change.value("fields")?.items.first.flatMap { Fields($0) })
    #expect(field["name"] == "first" && field["old"] == "Ana" && field["new"] == "Anna")
  }

  @Test("all events of a user are found: sessions, timers, entries, the contact, and actions as the user")
  func whatIsOnesOwn() throws {
    try gate.ok("USER.CREATE bo PRODUCT payroll")
    let token = try #require(try gate.fields("SESSION.CREATE ana payroll")["session"])
    try gate.ok("TIMER.START ana NOTE one")
    let entry = try #require(try gate.fields("TIMER.STOP ana")["entry"])
    try gate.ok("ENTRY.CORRECT \(entry) NOTE two")
    try gate.ok("ENTRY.DELETE \(entry)")
    try gate.ok("USER.SET ana last Lima")
    try gate.ok("SESSION.REVOKE \(token)")
    try gate.ok("USER.STATUS bo locked")
    let commands = try gate.pages("AUDIT.LIST USER ana").map { $0["command"] ?? "" }
    #expect(
      commands == [
        "SESSION.REVOKE", "USER.SET", "ENTRY.DELETE", "ENTRY.CORRECT", "TIMER.STOP", "TIMER.START", "SESSION.CREATE",
        "USER.CREATE",
      ])
    let id = try #require(try gate.fields("USER.GET ana")["id"])
    #expect(try gate.pages("AUDIT.LIST USER #\(id)").count == commands.count)
  }

  @Test("names stand beside the ids, and records are found by workspace, account, role and entry")
  func entities() throws {
    try gate.ok("WORKSPACE.CREATE acme")
    try gate.ok("USER.CREATE tom WORKSPACE acme NOINVITE")
    try gate.ok("USER.CREATE tim WORKSPACE acme NOINVITE")
    _ = try gate.fields("ACCOUNT.CREATE Widgets customer WORKSPACE acme")
    _ = try gate.fields("ACCOUNT.CREATE Gizmos customer WORKSPACE acme")
    try gate.ok("EMPLOY.ADD tom acme/Widgets")
    try gate.ok("ROLE.GRANT tim manager ACCOUNT acme/Widgets")
    try gate.ok("EMPLOY.ADD tim acme/Gizmos")
    let merge = try gate.fields("USER.MERGE tom tim")
    let event = try #require(try gate.pages("AUDIT.LIST COUNT 1").first)
    let (tom, contact) = (merge["user"] ?? "", merge["contact"] ?? "")
    let names = try #require(event.value("names").flatMap { Fields($0) })
    #expect(names["user #\(tom)"] == "tom" && names["contact #\(contact)"] == "tom")
    #expect(Set(names.names.compactMap { names[$0] }) == ["tom", "tim"])
    func commands(_ line: String) throws -> [String] {
      try gate.pages("AUDIT.LIST \(line)").map { $0["command"] ?? "" }
    }
    #expect(
      try commands("ENTITY account acme/Widgets") == ["USER.MERGE", "ROLE.GRANT", "EMPLOY.ADD", "ACCOUNT.CREATE"])
    #expect(try commands("ENTITY role manager") == ["USER.MERGE", "ROLE.GRANT"])
    #expect(try commands("ENTITY account Gizmos USER tom WORKSPACE acme") == ["USER.MERGE", "EMPLOY.ADD"])
    #expect(try commands("WORKSPACE acme").last == "WORKSPACE.CREATE")
    #expect(try !commands("WORKSPACE acme").contains("PRODUCT.CREATE"))
  }

  @Test("actors are shown, and can be searched for")
  func actors() throws {
    try gate.ok("USER.CREATE tina PRODUCT payroll ROLE training-administrator")
    let token = try #require(try gate.fields("SESSION.CREATE tina payroll")["session"])
    try gate.acting(as: token).ok("USER.SET ana first Anna")
    let start = try gate.fields("IMPERSONATE.START \(token) ana REASON 'ticket 7'")
    try gate.acting(as: try #require(start["session"])).ok("USER.SET ana last Lima")
    let events = try gate.pages("AUDIT.LIST ACTOR tina").filter { $0["command"] == "USER.SET" }
    #expect(events.map { $0["subject"] } == ["ana", "tina"])
    #expect(events.allSatisfy { $0["actor"] == "tina" })
    #expect(try gate.pages("AUDIT.LIST ACTOR tina USER ana").contains { $0["lsn"] == events[0]["lsn"] })
    #expect(try gate.pages("AUDIT.LIST ACTOR ana").isEmpty)
  }

  @Test("a command and a service narrow it down, page by page")
  func commandsAndServices() throws {
    let secret = try #require(try gate.fields("SERVICE.CREATE desk ADMIN")["secret"])
    let desk = try server.client(.resp2)
    try desk.ok("HELLO 3 AUTH desk \(secret)")
    try desk.ok("USER.SET ana department sales")
    try desk.ok("USER.SET ana first Anna")
    try desk.ok("USER.STATUS ana inactive")
    func commands(_ line: String) throws -> [String] {
      try desk.pages("AUDIT.LIST \(line)").map { $0["command"] ?? "" }
    }
    #expect(try commands("SERVICE desk") == ["USER.STATUS", "USER.SET", "USER.SET"])
    #expect(try commands("SERVICE desk COMMAND user.set COUNT 1") == ["USER.SET", "USER.SET"])
    #expect(try commands("COMMAND SERVICE.CREATE SERVICE local") == ["SERVICE.CREATE"])
    #expect(try commands("COMMAND SERVICE.CREATE SERVICE desk").isEmpty)
  }

  @Test("pages are contiguous, and times limit the list")
  func pages() throws {
    for number in 0..<25 { try gate.ok("USER.SET ana department d\(number)") }
    let all = try gate.pages("AUDIT.LIST").compactMap { $0.integer("lsn") }
    #expect(all == all.sorted(by: >) && all.last == 1)
    #expect(try gate.pages("AUDIT.LIST COUNT 4").compactMap { $0.integer("lsn") } == all)
    let last = try #require(try gate.pages("AUDIT.LIST COUNT 1000").first?.integer("time"))
    #expect(try gate.pages("AUDIT.LIST FROM \(last)").contains { $0.integer("lsn") == all.first })
    #expect(try gate.pages("AUDIT.LIST FROM \(last + 60_000)").isEmpty)
    #expect(try gate.pages("AUDIT.LIST TO \(last)").count == all.count)
    #expect(try gate.pages("AUDIT.LIST FROM \(last) TO \(last - 1)").isEmpty)
  }

  @Test("invalid requests are refused")
  func refusals() throws {
    try gate.refused("AUDIT.LIST USER nobody", with: "NOTFOUND user nobody")
    try gate.refused("AUDIT.LIST ACTOR #999999", with: "NOTFOUND user #999999")
    try gate.refused("AUDIT.LIST CURSOR x", with: "ERR")
    try gate.refused("AUDIT.LIST FROM yesterday", with: "ERR")
    try gate.refused("AUDIT.LIST WHERE x", with: "ERR")
    try gate.refused("AUDIT.VERIFY FROM -1", with: "ERR")
    try gate.refused("AUDIT.VERIFY FROM 1000000", with: "ERR FROM 1000000: there is no such record yet")
  }

  @Test("through sessions administrators read the trail, and super administrators verify it")
  func authority() throws {
    func acting(as role: String) throws -> Client {
      try gate.ok("USER.CREATE \(role) PRODUCT payroll ROLE \(role)")
      return gate.acting(as: try #require(try gate.fields("SESSION.CREATE \(role) payroll")["session"]))
    }
    let manager = try acting(as: "manager")
    try manager.refused("AUDIT.LIST", with: "NOPERM")
    try manager.refused("AUDIT.VERIFY", with: "NOPERM")
    let trainer = try acting(as: "training-administrator")
    #expect(try trainer.pages("AUDIT.LIST USER ana").count == 1)
    for command in ["AUDIT.VERIFY", "AUDIT.HEAD"] { try trainer.refused(command, with: "NOPERM") }
    let boss = try acting(as: "super-administrator")
    #expect(try boss.pages("AUDIT.LIST USER ana").count == 1)
    #expect(try boss.fields("AUDIT.VERIFY")["ok"] == "1")
    try gate.acting(as: "nothing").refused("AUDIT.LIST", with: "")
    try boss.refused("INFO", with: "NOPERM")
    #expect(try gate.text("PING") == "PONG")
  }

  @Test("W4: a reader of one workspace's trail finds nothing of another, and no extra pages")
  func trailOfOneWorkspace() throws {
    for workspace in ["acme", "beta"] {
      try gate.ok("WORKSPACE.CREATE \(workspace)")
      try gate.ok("PRODUCT.CREATE \(workspace)/app")
    }
    try gate.ok("USER.CREATE ann PRODUCT acme/app")
    try gate.ok("ROLE.GRANT ann training-administrator WORKSPACE acme")
    try gate.ok("USER.CREATE shared PRODUCT acme/app PRODUCT beta/app")
    try gate.ok("USER.CREATE bea PRODUCT beta/app")
    try gate.ok("TIMER.START shared WORKSPACE beta NOTE secret")
    try gate.ok("TIMER.START shared WORKSPACE acme NOTE open")
    try gate.ok("USER.SET bea first Secret")
    try gate.ok("USER.SET shared first Sam")
    try gate.ok("ROLE.GRANT shared manager WORKSPACE beta")
    try gate.ok("WORKSPACE.SET beta policy.session.ttl 1h")
    for product in ["acme/app", "beta/app"] {
      let session = try #require(try gate.fields("SESSION.CREATE shared \(product)")["id"])
      try gate.ok("SESSION.REVOKE \(session)")
    }
    let ann = gate.acting(as: try #require(try gate.fields("SESSION.CREATE ann acme/app")["session"]))
    let seen = try ann.pages("AUDIT.LIST COUNT 2")
    let text = seen.map { "\($0) \($0.shown("changes"))" }.joined()
    #expect(text.contains("open"))
    for hidden in ["beta", "secret", "Secret", "bea"] {
      #expect(!text.contains(hidden), "\(hidden) is in the trail of acme")
    }
    #expect(
      seen.compactMap { $0["command"] } == [
        "SESSION.CREATE", "SESSION.REVOKE", "SESSION.CREATE", "USER.SET", "TIMER.START", "USER.CREATE", "ROLE.GRANT",
        "USER.CREATE", "PRODUCT.CREATE", "WORKSPACE.CREATE",
      ])
    #expect(seen[1].shown("changes").contains("session-ended"))
    try ann.refused("AUDIT.LIST USER bea", with: "NOTFOUND user bea")
    #expect(try ann.pages("AUDIT.LIST USER shared").compactMap { $0["command"] }.first == "SESSION.REVOKE")
    try ann.refused("AUDIT.VERIFY", with: "NOPERM the permission server.manage")
  }

  @Test("B4: a head stays valid while the log grows and is archived; a wrong or foreign head is not valid")
  func head() throws {
    let noted = try gate.fields("AUDIT.HEAD")
    #expect(noted.names == ["lsn", "hash"] && noted["lsn"] == "2")
    let (lsn, hash) = (try #require(noted["lsn"]), try #require(noted["hash"]))
    #expect(try gate.fields("AUDIT.VERIFY AGAINST \(lsn) \(hash)")["ok"] == "1")
    try gate.ok("USER.SET ana last Lima")
    try gate.ok("COMPACT")
    try gate.ok("USER.SET ana last Limes")
    #expect(try gate.fields("AUDIT.VERIFY AGAINST \(lsn) \(hash.uppercased())")["ok"] == "1")
    let newer = try gate.fields("AUDIT.HEAD")
    #expect(newer["lsn"] == (try gate.pages("AUDIT.LIST").first?["lsn"]) && newer["hash"] != hash)
    let other = try gate.fields("AUDIT.VERIFY AGAINST 3 \(hash)")
    #expect(other["ok"] == "0" && other["problem"]?.contains("something up to it was changed") == true)
    let ahead = try gate.fields("AUDIT.VERIFY AGAINST 1000 \(hash)")
    #expect(ahead["ok"] == "0" && ahead["problem"]?.contains("its end was cut off") == true)
    let another = try TestServer()
    let stranger = try another.client()
    try stranger.ok("PRODUCT.CREATE payroll")
    try stranger.ok("USER.CREATE ana FIRST Ana PRODUCT payroll")
    #expect(try stranger.fields("AUDIT.VERIFY AGAINST \(lsn) \(hash)")["ok"] == "0")
    try gate.refused("AUDIT.VERIFY AGAINST 2 x", with: "ERR hash must be 32 hexadecimal digits")
    try gate.refused("AUDIT.VERIFY AGAINST 2", with: "ERR")
    try gate.refused("AUDIT.VERIFY AGAINST -1 \(hash)", with: "ERR lsn")
    try gate.refused("AUDIT.VERIFY FROM 3 AGAINST 2 \(hash)", with: "ERR FROM must not be behind")
  }

  @Test("B4: a head of a killed server is valid at its next start, and for gatehousectl")
  func headOfAKilledServer() throws {
    for number in 0..<50 { try gate.ok("USER.SET ana department d\(number)") }
    let noted = try gate.fields("AUDIT.HEAD")
    let (lsn, hash) = (try #require(noted["lsn"]), try #require(noted["hash"]))
    server.kill()
    try server.start()
    let client = try server.client()
    #expect(try client.fields("AUDIT.VERIFY AGAINST \(lsn) \(hash)")["ok"] == "1")
    #expect(try client.fields("AUDIT.HEAD")["hash"] == hash, "a start writes no record")
  }

  @Test("the chain is followed through the archive into the log")
  func verify() throws {
    let log = try gate.fields("AUDIT.VERIFY")
    #expect(log.names == ["ok", "from", "through", "frames", "records", "deleted-through", "problem"])
    #expect(log["deleted-through"] == nil)
    #expect(log["ok"] == "1" && log["from"] == "1" && log["through"] == "2" && log["records"] == "2")
    #expect(log["problem"] == nil)
    try gate.ok("COMPACT")
    try gate.ok("USER.SET ana last Lima")
    let last = try #require(try gate.pages("AUDIT.LIST").first?["lsn"])
    let both = try gate.fields("AUDIT.VERIFY")
    #expect(both["ok"] == "1" && both["from"] == "1" && both["through"] == last && both["records"] == last)
    #expect(try gate.fields("AUDIT.VERIFY FROM \(last)")["ok"] == "1")
  }
}
