import GatehouseTestSupport
import GatehouseWire
import Testing

/// Sessions that depend on a right end with it, on every lane, and stay ended after a restart.
@Suite("Sessions and impersonations that lose their right", .blocking)
struct LostRightsTests {
  private func begin(lanes: Int) throws -> (server: TestServer, gate: Client) {
    let server = try TestServer(.init(lanes: lanes))
    let gate = try server.client()
    for line in [
      "PRODUCT.CREATE payroll", "USER.CREATE tom PRODUCT payroll ROLE training-administrator",
      "USER.CREATE sam PRODUCT payroll ROLE super-administrator", "USER.CREATE olga PRODUCT payroll",
      "WORKSPACE.SET main owner olga", "USER.CREATE ole PRODUCT payroll",
    ] { try gate.ok(line) }
    for number in 0..<8 { try gate.ok("USER.CREATE ana\(number) PRODUCT payroll") }
    return (server, gate)
  }

  private func impersonate(_ actor: String, _ target: String, _ gate: Client) throws -> (token: String, id: String) {
    let login = try #require(try gate.fields("SESSION.CREATE \(actor) payroll")["session"])
    let fields = try gate.fields("IMPERSONATE.START \(login) \(target) REASON help")
    return (try #require(fields["session"]), try #require(fields["id"]))
  }

  @Test("sessions lost by revoking, transferring, promoting or locking do not come back", arguments: [1, 4])
  func theRightGoes(lanes: Int) throws {
    let (server, gate) = try begin(lanes: lanes)
    let losses = [
      ("tom", "ana0", "ROLE.REVOKE tom training-administrator", "ROLE.GRANT tom training-administrator"),
      ("olga", "ana1", "WORKSPACE.TRANSFER main ole", "WORKSPACE.TRANSFER main olga"),
      ("tom", "ana2", "ROLE.GRANT ana2 super-administrator", "ROLE.REVOKE ana2 super-administrator"),
      ("tom", "ana3", "USER.STATUS ana3 locked", "USER.STATUS ana3 active"),
      ("tom", "ana4", "USER.STATUS tom inactive", "USER.STATUS tom active"),
    ]
    var ended: [(token: String, id: String)] = []
    for (actor, target, taking, giving) in losses {
      let session = try impersonate(actor, target, gate)
      try #expect(gate.reply("SESSION.CHECK \(session.token)").pairs != nil)
      try gate.ok(taking)
      let record = try #require(try gate.pages("AUDIT.LIST USER \(target)").first)
      #expect(record["command"] == taking.split(separator: " ").first.map(String.init), "\(taking)")
      try gate.ok(giving)
      ended.append(session)
    }
    server.kill()
    try server.start()
    let later = try server.client()
    for session in ended {
      try #expect(later.reply("SESSION.CHECK \(session.token)").isNull)
      try later.refused("AS \(session.token) TIMER.CURRENT ana0", with: "NOPERM a session in force")
    }
    try #expect(later.list("IMPERSONATE.LIST").isEmpty)
  }

  @Test(
    "what a policy takes away ends in the policy's own record, what a first pool takes by who comes upon it",
    arguments: [1, 4])
  func whatConcernsEverybody(lanes: Int) throws {
    let (server, gate) = try begin(lanes: lanes)
    let sessions = try (0..<4).map { try impersonate("tom", "ana\($0)", gate) }
    let own = try impersonate("olga", "ana5", gate)
    try gate.ok("WORKSPACE.SET main policy.accounts.needs-owner on")
    for number in 0..<4 {
      let record = try #require(try gate.pages("AUDIT.LIST USER ana\(number)").first)
      #expect(record["command"] == "WORKSPACE.SET")
    }
    for session in sessions {
      try #expect(gate.reply("SESSION.CHECK \(session.token)").isNull)
      try gate.refused("AS \(session.token) TIMER.CURRENT ana0", with: "NOPERM a session in force")
    }
    try gate.ok("WORKSPACE.SET main policy.accounts.needs-owner off")
    try #expect(gate.list("IMPERSONATE.LIST").compactMap { $0["actor"] } == ["olga"])
    for session in sessions { try #expect(gate.reply("SESSION.CHECK \(session.token)").isNull) }
    try #expect(gate.reply("SESSION.CHECK \(own.token)").pairs != nil)
    server.kill()
    try server.start()
    let later = try server.client()
    for session in sessions { try #expect(later.reply("SESSION.CHECK \(session.token)").isNull) }
    try #expect(later.reply("SESSION.CHECK \(own.token)").pairs != nil)
    try later.ok("POOL.SET payroll seat 50")
    try #expect(later.reply("SESSION.CHECK \(own.token)").isNull)
    for user in ["olga", "ana5"] { try later.ok("LICENCE.ASSIGN \(user) payroll seat") }
    try #expect(later.reply("SESSION.CHECK \(own.token)").isNull)
  }
}
