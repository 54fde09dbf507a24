import GatehouseTestSupport
import GatehouseWire
import Testing

/// Which replies are simple strings. phpredis turns each of them into `true`, so an application that compares with `==`
/// would let everybody in whose refusal is one.
@Suite("Wire: simple strings", .blocking)
struct SimpleStringTests {
  private static let statuses: Set = ["OK", "PONG", "RESET", "QUEUED", "Background saving started"]

  /// A company, and all questions about it.
  private static let story = """
    PING
    ECHO x
    HELLO 2
    SELECT 0
    TIME
    RESET
    WORKSPACE.CREATE acme PLAN enterprise
    WORKSPACE.SET acme subdomain acme
    WORKSPACE.GET acme
    WORKSPACE.LIST
    PRODUCT.CREATE payroll
    PRODUCT.CREATE acme/crm
    PRODUCT.LIST
    POOL.SET payroll office 2
    POOL.LIST payroll
    USER.CREATE ana FIRST Ana PRODUCT payroll LICENCE payroll office
    USER.CREATE bo PRODUCT payroll STATUS locked
    USER.CREATE tom PRODUCT payroll LICENCE payroll office ROLE super-administrator
    USER.GET ana
    USER.SET ana department sales
    USER.RENAME ana anna
    USER.STATUS anna inactive
    USER.STATUS anna active
    USER.LIST
    USER.COUNT
    USER.SEARCH an
    LOGIN.CHECK anna payroll
    LOGIN.CHECK bo payroll
    LOGIN.CHECK nobody payroll
    LOGIN.CHECK anna nothing
    LOGIN.CHECK anna acme/crm
    LOGIN.EXPLAIN bo payroll
    IMPERSONATE.CAN tom anna
    IMPERSONATE.CAN anna tom
    IMPERSONATE.LIST
    SESSION.CREATE anna payroll
    SESSION.CREATE bo payroll
    SESSION.CHECK nothing
    SESSION.LIST anna
    SESSION.REVOKEALL anna
    TIMER.START anna
    TIMER.CURRENT anna
    TIMER.RUNNING
    TIMER.STOP anna
    ENTRY.LIST anna
    ROLE.LIST
    ROLE.LIST tom
    ROLE.GRANT bo manager
    ROLE.REVOKE bo manager
    PRODUCT.ENABLE bo acme/crm
    PRODUCT.DISABLE bo acme/crm
    LICENCE.ASSIGN bo payroll office
    LICENCE.REMOVE anna payroll
    CONTACT.LIST
    AUDIT.LIST
    AUDIT.HEAD
    AUDIT.VERIFY
    SERVICE.LIST
    CLIENT ID
    CLIENT INFO
    CLIENT LIST
    CLIENT SETNAME x
    CLIENT GETNAME
    CLIENT HELP
    COMMAND COUNT
    COMMAND LIST
    CONFIG GET *
    CONFIG SET timeout 0
    CONFIG RESETSTAT
    DBSIZE
    HELP
    INFO
    LASTSAVE
    LATENCY DOCTOR
    LATENCY HISTOGRAM
    MEMORY DOCTOR
    MEMORY STATS
    MEMORY USAGE anna
    MODULE LIST
    ROLE
    SAVE
    BGSAVE
    SLOWLOG LEN
    SLOWLOG GET
    WAITAOF 1 0 0
    UNWATCH
    MULTI
    LOGIN.CHECK bo payroll
    IMPERSONATE.CAN anna tom
    PING
    EXEC
    SERVICE.CREATE app ADMIN
    USER.DELETE bo REASON left
    USER.DELETE anna REASON left
    """

  @Test("only statuses are simple strings", arguments: ClientVersion.allCases)
  func statuses(version: ClientVersion) throws {
    let server = try TestServer()
    let gate = try server.client(version)
    for line in Self.story.split(separator: "\n") {
      let found = Self.simple(in: try gate.reply(String(line)))
      #expect(Set(found).isSubset(of: Self.statuses), "\(line): \(found)")
    }
  }

  /// The flags of `COMMAND` are the exception: clients require them.
  @Test("a decision is the same bulk string in both versions", arguments: ClientVersion.allCases)
  func decisions(version: ClientVersion) throws {
    let server = try TestServer()
    let gate = try server.client(version)
    for command in ["PRODUCT.CREATE p", "USER.CREATE ana PRODUCT p", "USER.CREATE bo PRODUCT p STATUS locked"] {
      try gate.ok(command)
    }
    #expect(try gate.reply("LOGIN.CHECK ana p") == .bulk("ALLOW"))
    #expect(try gate.reply("LOGIN.CHECK bo p") == .bulk("DENY status-locked"))
    #expect(try gate.reply("LOGIN.CHECK nobody p") == .bulk("DENY unknown-user"))
    guard case .bulk = try gate.reply("IMPERSONATE.CAN ana bo") else {
      Issue.record("IMPERSONATE.CAN is no bulk string")
      return
    }
  }

  private static func simple(in value: RESPValue) -> [String] {
    switch value {
    case .simple(let text): [text]
    case .array(let items), .set(let items), .push(let items): items.flatMap(simple)
    case .map(let pairs): pairs.flatMap { simple(in: $0.key) + simple(in: $0.value) }
    default: []
    }
  }
}
