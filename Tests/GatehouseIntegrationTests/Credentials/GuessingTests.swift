import GatehouseTestSupport
import GatehouseWire
import Testing

/// Brute force over real connections: slowed by user, by address and by service.
@Suite("Guessing passwords", .blocking)
struct GuessingTests {
  private static let options = [
    "--password-memory", "64", "--password-passes", "1", "--guesses-per-address", "6", "--guesses-per-service", "40",
  ]

  private func world() throws -> (TestServer, Client) {
    let server = try TestServer(.init(lanes: 2, arguments: Self.options))
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    for number in 0..<60 {
      try gate.ok("USER.CREATE user\(number) PRODUCT payroll NOINVITE PASSWORD 'three grey geese landed'")
    }
    return (server, gate)
  }

  private func reason(_ gate: Client, _ user: String, _ password: String, ip: String? = nil) throws -> String {
    let answer = try gate.fields(
      ip.map { "LOGIN.PASSWORD \(user) payroll '\(password)' IP \($0)" }
        ?? "LOGIN.PASSWORD \(user) payroll '\(password)'")
    return answer[answer.has("reason") ? "reason" : "decision"] ?? "?"
  }

  @Test("one user: whoever has many addresses and connections still waits, and the right password is not told")
  func oneUser() throws {
    let (server, _) = try world()
    defer { server.kill() }
    let answers = Collected<String>()
    try inParallel(8) { worker in
      let client = try server.client()
      for number in 0..<5 {
        answers.add(try reason(client, "user1", "guess \(number)", ip: "10.\(worker).0.\(number)"))
      }
    }
    // Those that were on their way at once find that they have to wait once they are hashed.
    #expect(answers.all.count { $0 == "credentials" } == 5 && Set(answers.all) == ["credentials", "wait"])
    #expect(try reason(server.client(), "user1", "three grey geese landed", ip: "192.0.2.1") == "wait")
  }

  @Test("many users from one address: the others wait, also on other connections and in a transaction; INFO counts it")
  func oneAddress() throws {
    let (server, gate) = try world()
    defer { server.kill() }
    let ip = "203.0.113.7"
    var replies = try gate.pipeline(
      [["MULTI"]] + (0..<10).map { ["LOGIN.PASSWORD", "user\($0)", "payroll", "a wrong one", "IP", ip] } + [["EXEC"]])
    let decisions = replies.removeLast().items.compactMap { Fields($0)?["reason"] }
    // One may be on its way while the sixth is counted.
    let looked = decisions.prefix { $0 == "credentials" }.count
    #expect((6...7).contains(looked) && decisions.dropFirst(looked).allSatisfy { $0 == "wait" }, "\(decisions)")
    #expect(try reason(server.client(), "user20", "three grey geese landed", ip: ip) == "wait")
    #expect(try reason(server.client(), "nobody", "three grey geese landed", ip: ip) == "wait")
    #expect(try reason(gate, "user20", "three grey geese landed", ip: "203.0.113.8") == "ALLOW")
    let info = try #require(try gate.text("INFO passwords"))
    #expect(info.contains("guess_sources:2\r\n") && info.contains("guess_sources_most:16384\r\n"), "\(info)")
    #expect(info.contains("guesses_slowed:") && !info.contains("guesses_slowed:0"), "\(info)")
    try gate.ok("CONFIG SET guesses-per-address 0")
    #expect(try reason(gate, "user20", "three grey geese landed", ip: ip) == "ALLOW")
  }

  @Test("across services: each has its own rate, and one that is slowed does not slow another")
  func services() throws {
    let (server, gate) = try world()
    defer { server.kill() }
    // Before there are services: from then on a connection begins with AUTH.
    let (first, second) = (try server.client(), try server.client())
    var secrets: [String] = []
    for name in ["first", "second"] {
      secrets.append(try #require(try gate.fields("SERVICE.CREATE \(name) ADMIN SESSIONS READ")["secret"]))
    }
    try first.ok("AUTH \(secrets[0])")
    try second.ok("AUTH \(secrets[1])")
    var guessed = 0
    for number in 0..<60 where try reason(first, "user\(number)", "a wrong one", ip: "10.0.0.\(number)") != "wait" {
      guessed += 1
    }
    #expect((40...55).contains(guessed), "\(guessed)")
    #expect(try reason(second, "user59", "three grey geese landed", ip: "10.0.0.1") == "ALLOW")
  }
}
