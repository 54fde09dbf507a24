import GatehouseTestSupport
import GatehouseWire
import Testing

/// Services, and the options of every write.
@Suite("Services and the options of writes", .blocking)
struct ServicesTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    gate = try server.client(.resp2)
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("USER.CREATE ana PRODUCT payroll")
  }

  @Test("once there is a service, connections must authenticate")
  func authentication() throws {
    let secret = try #require(try gate.fields("SERVICE.CREATE app ADMIN")["secret"])
    let stranger = try server.client(.resp2)
    try stranger.refused("LOGIN.CHECK ana payroll", with: "NOAUTH")
    try stranger.refused("HELLO 3", with: "NOAUTH HELLO must be called")
    try stranger.refused("AUTH app wrong", with: "WRONGPASS invalid username-password pair or user is disabled.")
    #expect(try stranger.text("AUTH app \(secret)") == "OK")
    #expect(try stranger.text("LOGIN.CHECK ana payroll") == "ALLOW")

    let other = try server.client(.resp2)
    #expect(try other.fields("HELLO 3 AUTH app \(secret)")["proto"] == "3")
    #expect(try other.text("LOGIN.CHECK ana payroll") == "ALLOW")
    #expect(!server.messages.contains(secret))

    server.kill()
    try server.start()
    let later = try server.client(.resp2)
    try later.refused("LOGIN.CHECK ana payroll", with: "NOAUTH")
    try later.ok("AUTH app \(secret)")
    #expect(try later.text("LOGIN.CHECK ana payroll") == "ALLOW")
  }

  @Test("W6: a service bound to a workspace sees and does nothing outside it, and cannot manage the server")
  func bound() throws {
    for workspace in ["acme", "beta"] {
      try gate.ok("WORKSPACE.CREATE \(workspace)")
      try gate.ok("PRODUCT.CREATE \(workspace)/app")
      try gate.ok("USER.CREATE of-\(workspace) PRODUCT \(workspace)/app")
    }
    try gate.ok("SERVICE.CREATE operators READ SESSIONS TIMERS ADMIN")
    let secret = try #require(
      try gate.fields("SERVICE.CREATE portal READ SESSIONS TIMERS ADMIN WORKSPACE acme")["secret"])
    let portal = try server.client(.resp2)
    try portal.ok("AUTH portal \(secret)")
    #expect(try portal.text("LOGIN.CHECK of-acme acme/app") == "ALLOW")
    #expect(try portal.text("LOGIN.CHECK of-beta acme/app") == "DENY unknown-user")
    #expect(try portal.pages("USER.LIST").compactMap { $0["username"] } == ["of-acme"])
    #expect(try portal.text("USER.COUNT") == "1")
    let trail = try portal.pages("AUDIT.LIST").map { $0.shown("changes") }.joined()
    #expect(trail.contains("of-acme") && !trail.contains("beta"))
    for line in ["INFO", "DBSIZE", "MONITOR", "CLIENT LIST", "CONFIG GET *", "SLOWLOG GET", "SAVE", "SHUTDOWN"] {
      try portal.refused(line, with: "NOPERM the permission server.")
    }
    // It may know where to connect.
    for line in [
      "PING", "TIME", "COMMAND COUNT", "CLIENT ID", "CLIENT SETNAME portal", "HELP USER.GET", "ROLE",
      "SENTINEL MASTERS", "SENTINEL GET-MASTER-ADDR-BY-NAME gatehouse", "SUBSCRIBE +switch-master", "UNSUBSCRIBE",
    ] {
      try portal.ok(line)
    }
    server.kill()
    try server.start()
    let later = try server.client(.resp2)
    try later.ok("AUTH portal \(secret)")
    #expect(try later.text("LOGIN.CHECK of-beta acme/app") == "DENY unknown-user")
    try later.refused("INFO", with: "NOPERM ")
  }

  @Test("from the first service on, existing connections must authenticate too", arguments: [1, 3])
  func endOfLocal(lanes: Int) throws {
    let server = try TestServer(.init(lanes: lanes))
    let founder = try server.client()
    let others = try (0..<6).map { _ in try server.client() }
    for other in others { try other.ok("USER.COUNT") }
    // Otherwise nobody could create a second one.
    for rights in ["READ", "SESSIONS TIMERS", ""] {
      try founder.refused("SERVICE.CREATE app \(rights)", with: "REFUSED first-service:")
    }
    for other in others { try other.ok("USER.COUNT") }
    let secret = try #require(try founder.fields("SERVICE.CREATE operators ADMIN")["secret"])
    // The connection that created the first service continues as it, with exactly its rights.
    let app = try #require(try founder.fields("SERVICE.CREATE app READ")["secret"])
    try founder.refused("TIMER.START ana", with: "NOPERM the service right TIMERS")
    try #expect(founder.pages("AUDIT.LIST").first?["service"] == "operators")
    for other in others {
      try other.refused("USER.COUNT", with: "NOAUTH")
      try other.refused("USER.CREATE bo", with: "NOAUTH")
      try other.ok("AUTH app \(app)")
      try other.ok("USER.COUNT")
      try other.refused("USER.CREATE bo", with: "NOPERM")
    }
    try founder.refused("SERVICE.DELETE operators", with: "REFUSED last-admin-service:")
    try founder.ok("RESET")
    try founder.refused("SERVICE.LIST", with: "NOAUTH")
    try founder.ok("AUTH operators \(secret)")
    try founder.ok("SERVICE.LIST")
  }

  @Test("MONITOR without authentication ends once there is a service", arguments: [1, 3])
  func endOfWatching(lanes: Int) throws {
    let server = try TestServer(.init(lanes: lanes))
    let watchers = try (0..<4).map { _ in try server.rawConnection() }
    for watcher in watchers {
      try watcher.send("MONITOR\r\n")
      try #expect(watcher.receiveLine() == "+OK")
    }
    let founder = try server.client()
    let secret = try #require(try founder.fields("SERVICE.CREATE operators ADMIN")["secret"])
    try founder.ok("USER.CREATE seen-by-nobody")
    for watcher in watchers {
      try #expect(!watcher.receiveUntilClosed().contains("seen-by-nobody"))
    }
    // It also ends for a client that authenticates as a service without the right to it.
    let reader = try #require(try founder.fields("SERVICE.CREATE reader READ")["secret"])
    let watcher = try server.rawConnection()
    try watcher.send("AUTH operators \(secret)\r\nMONITOR\r\nAUTH reader \(reader)\r\n")
    for _ in 0..<2 { try #expect(watcher.receiveLine() == "+OK") }
    while try watcher.receiveLine().contains("\"AUTH\"") {}
    try founder.ok("USER.CREATE seen-by-no-reader")
    pause(.milliseconds(200))
    try watcher.send("PING\r\n")
    try #expect(watcher.receiveLine() == "+PONG")
  }

  @Test("a session after AS adds nothing to the service's rights")
  func leastOfAll() throws {
    let session = try #require(try gate.fields("SESSION.CREATE ana payroll")["session"])
    _ = try service("admin", "ADMIN")
    let reader = try service("reader", "READ")
    try reader.ok("AS \(session) USER.GET ana")
    for line in [
      "TIMER.START ana", "USER.SET ana first Ana", "SESSION.REVOKE \(session)", "SESSION.REVOKEALL ana",
      "ENTRY.ADD ana START 1 END 2",
    ] {
      try reader.refused("AS \(session) \(line)", with: "NOPERM the service right")
    }
    let clocks = try service("clocks", "TIMERS")
    try clocks.ok("AS \(session) TIMER.START ana")
    try clocks.refused("AS \(session) SESSION.REVOKE \(session)", with: "NOPERM the service right SESSIONS")
  }

  @Test("IDEM: secrets in repeated answers cannot be derived, and are the same after a restart")
  func secretsUnderKeys() throws {
    let admin = try service("admin", "ADMIN READ SESSIONS")
    let other = try service("other", "SESSIONS")
    let first = try #require(try admin.fields("SESSION.CREATE ana payroll IDEM order-1")["session"])
    let second = try #require(try other.fields("SESSION.CREATE ana payroll IDEM order-1")["session"])
    #expect(first.suffix(22) != second.suffix(22))
    try #expect(admin.fields("session.create ana payroll idem order-1")["session"] == first)
    try admin.refused("SESSION.CREATE ANA payroll IDEM order-1", with: "CONFLICT idem")
    let secret = try #require(try admin.fields("SERVICE.CREATE later SESSIONS IDEM s")["secret"])
    let before = try server.client(.resp2)
    try before.ok("AUTH later \(secret)")
    let third = try #require(try before.fields("SESSION.CREATE ana payroll IDEM order-1")["session"])
    server.kill()
    try server.start()
    let after = try server.client(.resp2)
    try after.ok("AUTH later \(secret)")
    try #expect(after.fields("SESSION.CREATE ana payroll IDEM order-1")["session"] == third)
    #expect(Set([first, second, third].map { $0.suffix(22) }).count == 3)
  }

  @Test("a service may do what its rights allow, and is told which right is missing")
  func permissions() throws {
    let admin = try service("admin", "ADMIN")
    let reader = try service("reader", "READ")
    let logins = try service("logins", "READ SESSIONS")
    let clocks = try service("clocks", "READ TIMERS")

    #expect(try reader.text("LOGIN.CHECK ana payroll") == "ALLOW")
    try reader.refused("SESSION.CREATE ana payroll", with: "NOPERM")
    try reader.refused("USER.CREATE bo", with: "NOPERM")
    try reader.refused("SERVICE.CREATE more ADMIN", with: "NOPERM")
    try reader.refused("SHUTDOWN", with: "NOPERM")

    try logins.ok("SESSION.CREATE ana payroll")
    try logins.refused("TIMER.START ana", with: "NOPERM")
    try clocks.ok("TIMER.START ana")
    try clocks.refused("USER.STATUS ana inactive", with: "NOPERM")
    try admin.ok("USER.CREATE bo PRODUCT payroll")

    #expect(try Set(admin.list("SERVICE.LIST").compactMap { $0["name"] }) == ["admin", "reader", "logins", "clocks"])
    try admin.ok("SERVICE.DELETE reader")
    #expect(try admin.list("SERVICE.LIST").count == 3)
    #expect((try? reader.reply("LOGIN.CHECK ana payroll").errorText?.hasPrefix("NOAUTH")) != false)
  }

  @Test("AS runs one command with a live session's rights")
  func asSession() throws {
    let token = try #require(try gate.fields("SESSION.CREATE ana payroll")["session"])
    try gate.ok("AS \(token) USER.SET ana first Ana")
    let edit = try #require(try gate.pages("AUDIT.LIST USER ana").first { $0["command"] == "USER.SET" })
    #expect(edit["actor"] == "ana" && edit["subject"] == "ana")
    try gate.refused("AS nothing USER.GET ana", with: "")
    try gate.refused("AS \(token)", with: "ERR")
    try gate.ok("SESSION.REVOKE \(token)")
    try gate.refused("AS \(token) USER.GET ana", with: "")
    #expect(try gate.text("PING") == "PONG")
  }

  @Test("IDEM: the same key and arguments get the first answer and do nothing")
  func idempotency() throws {
    let first = try gate.fields("USER.CREATE bo PRODUCT payroll IDEM key-1")
    let again = try gate.fields("USER.CREATE bo PRODUCT payroll IDEM key-1")
    #expect(again["id"] == first["id"] && again.names == first.names)
    try gate.refused("USER.CREATE bo PRODUCT payroll IDEM key-2", with: "CONFLICT")
    try gate.refused("USER.CREATE cy PRODUCT payroll IDEM key-1", with: "")
    try gate.refused("USER.GET cy", with: "NOTFOUND")

    let timer = try gate.fields("TIMER.START ana NOTE a IDEM key-3")
    #expect(try gate.fields("TIMER.START ana NOTE a IDEM key-3")["start"] == timer["start"])
    try gate.ok("TIMER.STOP ana IDEM key-4")
    try gate.ok("TIMER.STOP ana IDEM key-4")
    #expect(try gate.pages("ENTRY.LIST ana").count == 1)
  }

  @Test("IFVERSION: a change based on an old version is refused")
  func versions() throws {
    let version = try #require(try gate.fields("USER.GET ana").integer("version"))
    try gate.ok("USER.SET ana first Ana IFVERSION \(version)")
    try gate.refused("USER.SET ana first Anna IFVERSION \(version)", with: "STALE")
    let ana = try gate.fields("USER.GET ana")
    #expect(ana["first"] == "Ana" && ana.integer("version") == version + 1)
    try gate.ok("USER.SET ana first Anna IFVERSION \(version + 1)")

    try gate.ok("TIMER.START ana")
    let entry = try gate.fields("TIMER.STOP ana")
    let id = try #require(entry["entry"])
    try gate.ok("ENTRY.CORRECT \(id) NOTE one IFVERSION 1")
    try gate.refused("ENTRY.CORRECT \(id) NOTE two IFVERSION 1", with: "STALE")
  }

  @Test("REASON is kept in the trail")
  func reasons() throws {
    try gate.ok("USER.STATUS ana locked REASON 'lost her badge'")
    let event = try #require(try gate.pages("AUDIT.LIST USER ana").first { $0["command"] == "USER.STATUS" })
    #expect(event["reason"] == "lost her badge")
  }

  @Test("the trail is in order, can be paged and its chain verifies")
  func trail() throws {
    for number in 0..<150 { try gate.ok("USER.SET ana department d\(number)") }
    let events = try gate.pages("AUDIT.LIST USER ana")
    let positions = events.compactMap { $0.integer("lsn") }
    #expect(positions.count >= 151 && Set(positions).count == positions.count)
    #expect(positions == positions.sorted() || positions == positions.sorted(by: >))
    for event in events { #expect(Set(event.names).isSuperset(of: ["lsn", "time", "command", "changes"])) }
    #expect(try gate.fields("AUDIT.VERIFY")["ok"] == "1")
  }

  private func service(_ name: String, _ rights: String) throws -> Client {
    // The first service ends open access from loopback, so each service is created with what access there is.
    let secret = try #require(try (admin.value ?? gate).fields("SERVICE.CREATE \(name) \(rights)")["secret"])
    let client = try server.client(.resp2)
    try client.ok("AUTH \(name) \(secret)")
    if rights.hasPrefix("ADMIN") { admin.value = client }
    return client
  }

  private let admin = Box()

  private final class Box { var value: Client? }
}
