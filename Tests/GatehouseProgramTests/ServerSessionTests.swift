import GatehouseTestSupport
import GatehouseWire
import Testing

@testable import gatehouse

@Suite(.blocking) struct ServerSessionTests {
  private static let greeting = "%1\r\n+version\r\n+9.9\r\n"

  private func withSession(
    credentials: Credentials? = nil, resp2: Bool = false,
    _ answer: @escaping @Sendable ([String]) -> ScriptedServer.Answer,
    _ body: (ServerSession, ScriptedServer) throws -> Void
  ) throws {
    let server = ScriptedServer(answer)
    defer { server.stop() }
    try body(
      ServerSession(host: "127.0.0.1", port: server.port, credentials: credentials, speaksRESP2: resp2), server)
  }

  @Test func `it introduces itself once, with its name`() throws {
    try withSession({ .raw($0[0] == "HELLO" ? Self.greeting : "+PONG\r\n") }) { (session, server) throws in
      #expect(try session.command(["PING"]) == .simple("PONG"))
      #expect(try session.command(["PING"]) == .simple("PONG"))
      #expect(server.requests == [["HELLO", "3", "SETNAME", "gatehouse-cli"], ["PING"], ["PING"]])
    }
  }

  @Test func `credentials go with the greeting`() throws {
    let credentials = Credentials(name: "app", secret: "s")
    try withSession(credentials: credentials, { _ in .raw(Self.greeting) }) { (session, server) throws in
      try session.connect()
      #expect(server.requests == [["HELLO", "3", "AUTH", "app", "s", "SETNAME", "gatehouse-cli"]])
    }
    try withSession(credentials: credentials, resp2: true, { _ in .raw("+OK\r\n") }) { (session, server) throws in
      try session.connect()
      #expect(server.requests == [["AUTH", "app", "s"], ["CLIENT", "SETNAME", "gatehouse-cli"]])
    }
  }

  @Test func `wrong credentials are refused, missing ones are not`() throws {
    try withSession(credentials: Credentials(name: "a", secret: "b"), { _ in .raw("-WRONGPASS no\r\n") }) {
      (session, _) throws in
      #expect(throws: ServerSession.Refusal.self) { try session.connect() }
      #expect(!session.isConnected)
    }
    try withSession({ _ in .raw("-NOAUTH HELLO must be called\r\n") }) { (session, _) throws in
      try session.connect()
      #expect(session.isConnected)
    }
  }

  @Test func `a lost connection is re-established at the next command`() throws {
    try withSession({
      switch $0[0] {
      case "HELLO": .raw(Self.greeting)
      case "DIE": .close
      default: .raw("+OK\r\n")
      }
    }) { (session, server) throws in
      #expect(throws: ClientError.self) { try session.command(["DIE"]) }
      #expect(!session.isConnected)
      #expect(try session.command(["PING"]) == .simple("OK"))
      #expect(server.requests.map { $0[0] } == ["HELLO", "DIE", "HELLO", "PING"])
    }
  }

  @Test func `an existing sample company is left alone`() throws {
    try withSession({ .raw($0[0] == "HELLO" ? Self.greeting : "*1\r\n%1\r\n+role\r\n$19\r\nsuper-administrator\r\n") })
    {
      (session, _) throws in
      #expect(try SampleLoader(session: session).isThere())
    }
    try withSession({ .raw($0[0] == "HELLO" ? Self.greeting : "-NOTFOUND user\r\n") }) { (session, _) throws in
      #expect(try !SampleLoader(session: session).isThere())
    }
  }

  @Test func `a sample is loaded over the rest of an interrupted load, and stops at other errors`() throws {
    let company = SampleCompany(now: 1_772_352_000_000)
    try withSession({
      switch $0[0] {
      case "HELLO": .raw(Self.greeting)
      case "SESSION.CREATE", "IMPERSONATE.START": .raw("%1\r\n+session\r\n+token\r\n")
      default: .raw("-CONFLICT there already\r\n")
      }
    }) { (session, server) throws in
      try SampleLoader(session: session).load(company)
      #expect(server.requests.count > company.commands.count + 2 * company.timers.count + SampleStory.people)
      #expect(server.requests.contains(["WORKSPACE.CREATE", "academy", "PROFILE", "accessplanit"]))
      #expect(server.requests.contains(["AS", "token"] + company.timers[0].command))
      #expect(server.requests.last == SampleCompany.lastCommand)
    }
    try withSession({ .raw($0[0] == "HELLO" ? Self.greeting : "-READONLY disk\r\n") }) { (session, _) throws in
      let failure = #expect(throws: SampleLoader.Failure.self) { try SampleLoader(session: session).load(company) }
      #expect(failure?.reply == "READONLY disk")
    }
  }
}
