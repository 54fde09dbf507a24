import GatehouseTestSupport
import GatehouseWire
import Testing

/// Service identities, and the options that every write takes.
@Suite("Services and the options of writes")
struct ServicesTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    gate = try server.client(.resp2)
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("USER.CREATE ana PRODUCT payroll")
  }

  @Test("with a service defined, a connection must say who it is")
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

  @Test("from the first service on, connections that had no need of one must say who they are", arguments: [1, 3])
  func endOfLocal(lanes: Int) throws {
    let server = try TestServer(.init(lanes: lanes))
    let founder = try server.client()
    let others = try (0..<6).map { _ in try server.client() }
    for other in others { try other.ok("USER.COUNT") }
    let secret = try #require(try founder.fields("SERVICE.CREATE app READ")["secret"])
    for other in others {
      try other.refused("USER.COUNT", with: "NOAUTH")
      try other.refused("USER.CREATE bo", with: "NOAUTH")
      try other.ok("AUTH app \(secret)")
      try other.ok("USER.COUNT")
      try other.refused("USER.CREATE bo", with: "NOPERM")
    }
    // Otherwise nobody could define a second one.
    try founder.ok("SERVICE.CREATE operators ADMIN")
    try founder.ok("RESET")
    try founder.refused("SERVICE.LIST", with: "NOAUTH")
  }

  @Test("a service may do what it was given, and is told what is missing")
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

  @Test("AS runs one command on a session's authority, and only a live one")
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

  @Test("IDEM: the same key and arguments answer as the first time and do nothing again")
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

  @Test("IFVERSION: a change of what somebody else changed is refused")
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
    // The first service ends the open door of loopback, so each is made by whoever may.
    let secret = try #require(try (admin.value ?? gate).fields("SERVICE.CREATE \(name) \(rights)")["secret"])
    let client = try server.client(.resp2)
    try client.ok("AUTH \(name) \(secret)")
    if rights == "ADMIN" { admin.value = client }
    return client
  }

  private let admin = Box()

  private final class Box { var value: Client? }
}
