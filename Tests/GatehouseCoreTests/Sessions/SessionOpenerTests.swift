import Testing

@testable import GatehouseCore

/// W6, *The least of all*: on whose word a session rests, and what that makes of it.
@Suite struct SessionOpenerTests {
  private let core = CoreHarness(partitions: 4)
  private static let free = ConnectionFacts(id: 1, service: 1, rights: .all)
  private static let portal = ConnectionFacts(id: 2, service: 2, rights: .all, isBound: true)
  private static let other = ConnectionFacts(id: 3, service: 3, rights: .all, isBound: true)
  /// The console.
  private static let server = ConnectionFacts(id: 4, service: 0, rights: .all, isServer: true)

  init() {
    for line in [
      "WORKSPACE.CREATE acme", "PRODUCT.CREATE acme/pay", "PRODUCT.CREATE acme/crm", "PRODUCT.CREATE console",
      "USER.CREATE sam WORKSPACE acme ROLE super-administrator PRODUCT acme/pay PRODUCT acme/crm PRODUCT console NOINVITE",
      "USER.CREATE ana WORKSPACE acme PRODUCT acme/pay NOINVITE", "SERVICE.CREATE free ADMIN READ SESSIONS",
      "SERVICE.CREATE portal READ SESSIONS ADMIN PRODUCT acme/pay",
      "SERVICE.CREATE sales READ SESSIONS ADMIN PRODUCT acme/crm",
    ] {
      let answer = core.run(line)
      #expect(!answer.isError, "\(line): \(answer)")
    }
  }

  private func open(_ line: String, by connection: ConnectionFacts) throws -> String {
    core.connection = connection
    return try #require(core.run(line)["session"].text)
  }

  @Test("the console takes no session that a service has opened, not even one for its own product") func console()
    throws
  {
    let lent = try open("SESSION.CREATE sam console", by: Self.free)
    let own = try open("SESSION.CREATE sam console", by: Self.server)
    core.connection = Self.server
    #expect(core.run("SESSION.CHECK \(lent)")["signed-in"].isNull)
    #expect(core.run("SESSION.CHECK \(lent)")["service"].text == "free")
    #expect(
      core.run("SERVICE.CREATE evil ADMIN", as: lent).text?.hasPrefix("NOPERM a session that was begun by") == true)
    #expect(core.run("IMPERSONATE.START \(lent) ana REASON x").text?.hasPrefix("NOPERM a session that was") == true)
    #expect(core.run("SESSION.CHECK \(own)")["signed-in"].integer == 1)
    #expect(!core.run("SERVICE.CREATE tool READ", as: own).isError)
    // An impersonation that a service begins is the service's.
    core.connection = Self.free
    let begun = try open("IMPERSONATE.START \(own) ana REASON x WORKSPACE acme", by: Self.free)
    core.connection = Self.server
    #expect(core.run("SESSION.CHECK \(begun)")["signed-in"].isNull)
    #expect(core.run("USER.GET ana", as: begun).text?.hasPrefix("NOPERM a session that was begun") == true)
    let acting = try open("IMPERSONATE.START \(own) ana REASON x WORKSPACE acme", by: Self.server)
    #expect(core.run("SESSION.CHECK \(acting)")["signed-in"].integer == 1)
    #expect(!core.run("USER.GET ana", as: acting).isError)
    core.expectReplicated()
    try core.restart()
    core.connection = Self.server
    for (token, isOwn) in [(lent, false), (own, true), (begun, false), (acting, true)] {
      #expect((core.run("SESSION.CHECK \(token)")["signed-in"].integer == 1) == isOwn)
    }
  }

  @Test("a service's session reaches no further than the service, whoever is shown it") func reach() throws {
    let token = try open("SESSION.CREATE sam acme/pay", by: Self.portal)
    core.connection = Self.free
    #expect(!core.run("SESSION.CHECK \(token) PRODUCT acme/pay").isNull)
    #expect(core.run("SESSION.CHECK \(token) PRODUCT acme/crm").isNull)
    #expect(
      core.run("SESSION.GET \(core.run("SESSION.CHECK \(token)")["id"].integer ?? 0)")["service"].text == "portal")
    #expect(core.run("WORKSPACE.CREATE beta", as: token).text?.hasPrefix("NOPERM") == true)
    #expect(core.run("USER.GET ana", as: token)["workspaces"].items.isEmpty)
    // An impersonation that a free service begins from it, too.
    core.run("WORKSPACE.SET acme policy.approval.needs none")
    let begun = core.run("IMPERSONATE.START \(token) ana REASON x PRODUCT acme/pay")["session"].text
    if let begun { #expect(core.run("SESSION.CHECK \(begun) PRODUCT acme/crm").isNull) }
    // What it is bound to now counts.
    core.run("SERVICE.SET portal PRODUCT acme/crm")
    #expect(core.run("SESSION.CHECK \(token)").isNull)
    core.run("SERVICE.SET portal PRODUCT acme/pay")
    #expect(!core.run("SESSION.CHECK \(token)").isNull)
    core.expectReplicated()
  }

  @Test("once the service is deleted, what it opened ends") func deleted() throws {
    let token = try open("SESSION.CREATE ana acme/pay", by: Self.portal)
    let free = try open("SESSION.CREATE ana acme/pay", by: Self.free)
    core.run("SERVICE.DELETE portal")
    #expect(core.run("SESSION.CHECK \(token)").isNull)
    #expect(core.run("SESSION.LIST ana").items.count == 1)
    #expect(!core.run("SESSION.CHECK \(free)").isNull)
    core.expectReplicated()
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test("only who knows services learns which opened a session") func secrecy() throws {
    let token = try open("SESSION.CREATE sam acme/pay", by: Self.free)
    core.connection = Self.portal
    #expect(core.run("SESSION.LIST sam").items.map { $0["service"].isNull } == [true])
    #expect(core.run("SESSION.CHECK \(token)")["service"].isNull)
  }

  @Test("B12, W6: `session.max` counts and ends what the service that opens the next one has to do with")
  func mostOfAService()
    throws
  {
    core.run("WORKSPACE.SET acme policy.session.max 2")
    let sales = try open("SESSION.CREATE sam acme/crm", by: Self.other)
    var own: [String] = []
    for _ in 0..<3 {
      core.now += 1000
      own.append(try open("SESSION.CREATE sam acme/pay", by: Self.portal))
    }
    core.connection = Self.free
    #expect(!core.run("SESSION.CHECK \(sales)").isNull)
    #expect(own.map { core.run("SESSION.CHECK \($0)").isNull } == [true, false, false])
    // Who reaches all of the workspace counts all.
    core.now += 1000
    _ = try open("SESSION.CREATE sam acme/pay", by: Self.free)
    #expect(core.run("SESSION.LIST sam").items.count == 2)
    core.expectReplicated()
  }

  @Test("a session of an earlier version is a service's, of which is not known which") func earlier() throws {
    // The fields of an earlier version end before it.
    var writer = ByteWriter()
    let opened = SessionOpened(
      session: SessionID(raw: 9), user: UserID(raw: 8), token: Digest(1, 2, 3, 4), product: 1, workspace: 1, expires: 5,
      idleSeconds: 0, opener: .gatehouse)
    opened.encodeFields(into: &writer)
    let bytes = writer.bytes.dropLast()
    let read = try Array(bytes).withUnsafeBytes { raw in
      var decoder = FieldDecoder(ByteReader(raw), .bounded)
      return try SessionOpened(from: &decoder)
    }
    #expect(read.opener == .unknown)
    #expect(read.opener.service == nil)
  }
}
