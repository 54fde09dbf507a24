import GatehouseTestSupport
import GatehouseWire
import Testing

/// What clients may use: each limit is told, counted, and leaves other clients alone.
@Suite("Limits of clients", .blocking)
struct ClientLimitsTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer(.init(lanes: 2))
    gate = try server.client(.resp2)
  }

  private func count(_ limit: String, _ client: Client? = nil) throws -> Int? {
    let text = try (client ?? gate).text("INFO limits") ?? ""
    return text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("limit_\(limit):") }
      .flatMap { Int($0.dropFirst(limit.count + 7)) }
  }

  @Test("address-connections: further clients of the address are turned away, until one leaves")
  func addresses() throws {
    try eventually("nobody is connected who waited for the server to start") {
      try gate.text("INFO clients")?.contains("connected_clients:1\r\n") == true
    }
    try gate.ok("CONFIG SET address-connections 3")
    let others = try (0..<2).map { _ in try server.client(.resp2) }
    for other in others { try other.ok("PING") }
    #expect(
      try server.rawConnection().receiveUntilClosed()
        == "-ERR max number of clients reached: as many from this address as address-connections allows\r\n")
    #expect(try count("address_connections") == 1)
    others[0].close()
    try eventually("there is room again") { (try? server.client(.resp2).ok("PING")) != nil }
  }

  @Test("service-connections: by the setting, or the service's own number")
  func services() throws {
    try gate.ok("SERVICE.CREATE operators ADMIN")
    let secret = try #require(try gate.fields("SERVICE.CREATE web READ")["secret"])
    try gate.ok("CONFIG SET service-connections 1")
    let first = try server.client(.resp2)
    try first.ok("AUTH web \(secret)")
    let second = try server.client(.resp2)
    try second.refused("AUTH web \(secret)", with: "LIMIT service-connections: web has 1 connections")
    try second.refused("HELLO 3 AUTH web \(secret)", with: "LIMIT service-connections")
    try second.refused("USER.COUNT", with: "NOAUTH")
    try first.ok("AUTH web \(secret)")
    try gate.ok("SERVICE.SET web CONNECTIONS 2")
    try second.ok("AUTH web \(secret)")
    try server.client(.resp2).refused("AUTH \(secret)", with: "LIMIT service-connections: web has 2 connections")
    // A connection that leaves the service, or ends, makes room.
    try first.ok("RESET")
    let third = try server.client(.resp2)
    try third.ok("AUTH web \(secret)")
    third.close()
    try eventually("there is room again") {
      try server.client(.resp2).reply("AUTH web \(secret)").errorText == nil
    }
    #expect(try count("service_connections") ?? 0 >= 3)
    try gate.ok("PING")
  }

  @Test("connection-commands: what is over it in a second is refused one by one, and the next second is a new one")
  func commands() throws {
    try gate.ok("CONFIG SET connection-commands 10")
    let client = try server.client(.resp2)
    let answers = try client.pipeline(Array(repeating: ["PING"], count: 200))
    let refused = answers.compactMap(\.errorText)
    // A second may have passed in between.
    #expect((170...190).contains(refused.count), "\(refused.count)")
    #expect(Set(refused) == ["LIMIT connection-commands: at most 10 a second; try again in the next one"])
    try eventually("a new second") { try client.reply("PING").errorText == nil }
    try eventually("it can be set back") { try gate.reply("CONFIG SET connection-commands 0").errorText == nil }
    #expect(try client.pipeline(Array(repeating: ["PING"], count: 200)).allSatisfy { $0.errorText == nil })
    #expect(try count("connection_commands") ?? 0 >= refused.count)
  }

  @Test("connection-bytes: a request too large for a second is still taken as its first")
  func bytes() throws {
    try gate.ok("CONFIG SET connection-bytes 10kb")
    let client = try server.client(.resp2)
    let word = String(repeating: "x", count: 4000)
    let answers = try client.pipeline(Array(repeating: ["ECHO", word], count: 50))
    let taken = answers.count { $0.string == word }
    #expect((2...6).contains(taken), "\(taken)")
    let refused = answers.compactMap(\.errorText)
    #expect(refused.allSatisfy { $0.hasPrefix("LIMIT connection-bytes: at most 10240 a second") })
    let large = String(repeating: "y", count: 100_000)
    try eventually("the first of a second") { try client.reply("ECHO", large).string == large }
  }

  @Test("a service's own rate is for all its connections together, and for no other's")
  func serviceRate() throws {
    try gate.ok("SERVICE.CREATE operators ADMIN")
    let secret = try #require(try gate.fields("SERVICE.CREATE web READ")["secret"])
    let clients = try (0..<4).map { _ in
      let client = try server.client(.resp2)
      try client.ok("AUTH web \(secret)")
      return client
    }
    try gate.ok("SERVICE.SET web COMMANDS 20")
    let answers = try clients.flatMap { try $0.pipeline(Array(repeating: ["PING"], count: 50)) }
    let refused = answers.compactMap(\.errorText)
    #expect((140...180).contains(refused.count), "\(refused.count)")
    #expect(refused.allSatisfy { $0.hasPrefix("LIMIT service-commands: at most 20 a second") })
    #expect(try gate.pipeline(Array(repeating: ["PING"], count: 100)).allSatisfy { $0.errorText == nil })
    #expect(try count("service_commands") == refused.count)
  }

  @Test("a command refused for the rate inside MULTI aborts the transaction")
  func transaction() throws {
    try gate.ok("CONFIG SET connection-commands 3")
    let client = try server.client(.resp2)
    try eventually("within one second") {
      let answers = try client.pipeline([
        ["MULTI"], ["USER.CREATE", "ana"], ["USER.CREATE", "bo"], ["USER.CREATE", "cy"],
      ])
      return answers[3].errorText != nil
    }
    var last: RESPValue?
    try eventually("EXEC in the next second") {
      last = try client.reply("EXEC")
      return last?.errorText?.hasPrefix("LIMIT") == false
    }
    #expect(last?.errorText?.hasPrefix("EXECABORT") == true)
    try eventually("it can be set back") { try gate.reply("CONFIG SET connection-commands 0").errorText == nil }
    #expect(try gate.integer("USER.COUNT") == 0)
  }

  @Test("auth-timeout: who does not authenticate is told so, and closed; who did is not")
  func authentication() throws {
    let silent = try server.rawConnection()
    let asking = try server.rawConnection()
    let secret = try #require(try gate.fields("SERVICE.CREATE operators ADMIN")["secret"])
    let known = try server.client(.resp2)
    try known.ok("AUTH \(secret)")
    try asking.send("PING\r\n")
    #expect(try asking.receiveLine().hasPrefix("-NOAUTH"))
    try gate.ok("CONFIG SET auth-timeout 700ms")
    for client in [silent, asking] {
      #expect(
        try client.receiveUntilClosed() == "-LIMIT auth-timeout: a connection must authenticate within 700 ms\r\n")
    }
    pause(.seconds(1))
    try known.ok("USER.COUNT")
    #expect(try count("auth_timeout") == 2)
  }

  @Test("guesses-per-address: wrong secrets of an address wait ever longer, a right one is taken at once")
  func guesses() throws {
    let secret = try #require(try gate.fields("SERVICE.CREATE operators ADMIN")["secret"])
    try gate.ok("CONFIG SET guesses-per-address 6")
    func guess() throws -> RawConnection {
      let client = try server.rawConnection()
      try client.send("AUTH operators guess\r\nPING\r\n")
      return client
    }
    // Six at once, or seven: the first of them are a little forgiven by the time of the last.
    var answered = 0
    var waiting = try guess()
    while answered < 8, !waiting.isQuiet(for: .milliseconds(500)) {
      try #expect(waiting.receiveLine() == "-WRONGPASS invalid username-password pair or user is disabled.")
      try #expect(waiting.receiveLine().hasPrefix("-NOAUTH"))
      answered += 1
      waiting = try guess()
    }
    #expect((6...7).contains(answered))
    // That one waits for ten seconds; one that would have to wait for longer is disconnected.
    #expect(
      try guess().receiveUntilClosed()
        == "-LIMIT guesses-per-address: too many wrong secrets from this address; try again later\r\n")
    try server.client(.resp2).ok("AUTH operators \(secret)")
    #expect(try count("guesses_per_address") == 2)
    let figures = try gate.text("INFO passwords") ?? ""
    #expect(figures.contains("guess_sources:1\r\n") && figures.contains("guesses_slowed:2"), "\(figures)")
    // A server that stops does not wait for them.
    #expect(try server.terminate(within: .seconds(5)) == .exited(0))
  }

  @Test("idle-timeout is counted, but not told: it would be taken for the next answer; CONFIG RESETSTAT begins anew")
  func idle() throws {
    let client = try server.rawConnection()
    try gate.ok("CONFIG SET idle-timeout 1s")
    #expect(try client.receiveUntilClosed().isEmpty)
    let other = try server.client(.resp2)
    #expect(try count("idle_timeout", other) ?? 0 >= 1)
    try other.ok("CONFIG RESETSTAT")
    #expect(try count("idle_timeout", other) == 0)
  }
}
