import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

/// Passwords in a real server, hashed by Argon2id.
@Suite("Passwords", .blocking)
struct PasswordTests {
  /// Hashing that costs next to nothing.
  private static let cheap = ["--password-memory", "64", "--password-passes", "1"]

  private func server(_ arguments: [String] = cheap) throws -> (TestServer, Client) {
    let server = try TestServer(.init(lanes: 2, arguments: arguments))
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("USER.CREATE ana PRODUCT payroll EMAIL ana@acme.test NOINVITE")
    try gate.ok("PASSWORD.SET ana correct-horse-battery")
    return (server, gate)
  }

  private func decision(_ gate: Client, _ password: String, _ user: String = "ana") throws -> String {
    let answer = try gate.fields("LOGIN.PASSWORD", user, "payroll", password)
    return answer[answer.has("reason") ? "reason" : "decision"] ?? "?"
  }

  @Test("P13: a login by password opens a session; what waits goes on waiting after a kill")
  func login() throws {
    let (server, gate) = try server()
    let answer = try gate.fields("LOGIN.PASSWORD ana payroll correct-horse-battery")
    let token = try #require(answer["session"])
    #expect(answer["decision"] == "ALLOW" && answer["must-change"] == "1")
    #expect(try gate.fields("SESSION.CHECK \(token)")["username"] == "ana")
    for _ in 0..<5 {
      #expect(try decision(gate, "wrong") == "credentials")
      #expect(try decision(gate, "wrong", "nobody") == "credentials")
    }
    server.kill()
    try server.start()
    let again = try server.client()
    #expect(try decision(again, "correct-horse-battery") == "wait")
    #expect(try decision(again, "wrong", "nobody") == "wait")
    #expect(try again.fields("SESSION.CHECK \(token)")["username"] == "ana")
    try again.ok("LOGIN.UNLOCK ana")
    #expect(try decision(again, "correct-horse-battery") == "ALLOW")
    #expect(try again.fields("AUDIT.VERIFY")["ok"] == "1")
  }

  @Test("P8, L17: a token for the former address is worth nothing, also after a kill and with the address as it was")
  func formerAddress() throws {
    let (server, gate) = try server()
    defer { server.kill() }
    try gate.ok("PASSWORD.RESET ana")
    let token = try #require(try gate.list("MAIL.NEXT")[0]["secret"])
    #expect(try gate.text("USER.SET ana email new@acme.test") == "1")
    server.kill()
    try server.start()
    let again = try server.client()
    for _ in 0..<2 {
      try again.refused("PASSWORD.REDEEM", token, "taken-over-by-a-wombat", with: "REFUSED reset: the token is wrong")
      #expect(try again.text("USER.SET ana email ana@acme.test") != nil)
    }
    #expect(try decision(again, "correct-horse-battery") == "ALLOW")
  }

  @Test("a password that was not quoted, or stands behind a typing error, is in no message, MONITOR or SLOWLOG")
  func unquoted() throws {
    let (server, gate) = try server(Self.cheap + ["--slowlog-threshold", "0"])
    defer { server.kill() }
    let monitor = try server.rawConnection()
    try monitor.send("MONITOR\r\n")
    _ = try monitor.receiveLine()
    let lines = [
      "PASSWORD.SET ana correct wombat", "PASSWORD.SETT ana wombat", "COMMAND GETKEYS PASSWORD.SET ana wombat",
      "LOGIN.PASSWORD ana payroll correct wombat",
    ]
    for line in lines {
      let error = try #require(try gate.reply(line).errorText)
      #expect(!error.contains("wombat"), "\(error)")
      #expect(try !monitor.receiveLine().contains("wombat"))
    }
    #expect(try !gate.shown("SLOWLOG GET 100").contains("wombat"))
  }

  @Test("logins go on in the order of their connection, also between MULTI and EXEC")
  func pipelined() throws {
    let (server, gate) = try server()
    defer { server.kill() }
    let replies = try gate.pipeline([
      ["LOGIN.CHECK", "ana", "payroll"], ["LOGIN.PASSWORD", "ana", "payroll", "correct-horse-battery"],
      ["LOGIN.CHECK", "ana", "payroll"], ["MULTI"], ["LOGIN.PASSWORD", "ana", "payroll", "wrong"], ["PING"], ["EXEC"],
    ])
    #expect(replies[0].scalarText == "ALLOW" && replies[2].scalarText == "ALLOW")
    #expect(replies[6].items.count == 2 && replies[6].items[1].scalarText == "PONG")
  }

  @Test("parameters that change are taken over at the next login, and the password stays")
  func rehashed() throws {
    let (server, gate) = try server()
    #expect(try decision(gate, "correct-horse-battery") == "ALLOW")
    try server.terminate()
    let other = try TestServer(
      .init(lanes: 1, arguments: ["--password-memory", "128", "--password-passes", "2"]), folder: server.folder)
    let client = try other.client()
    #expect(try decision(client, "correct-horse-battery") == "ALLOW")
    let trail = try client.shown("AUDIT.LIST USER ana COUNT 1")
    #expect(trail.contains("password-set") && trail.contains("rehashed"), "\(trail)")
    #expect(try decision(client, "correct-horse-battery") == "ALLOW")
    #expect(try !client.shown("AUDIT.LIST USER ana COUNT 1").contains("rehashed"))
  }

  @Test("common passwords are refused: the well-known, the personal, and an operator's own")
  func common() throws {
    let folder = try TemporaryFolder("passwords")
    let path = folder.path("common")
    try "Our-Own-Secret-2026\nwinter is long\n".write(toFile: path, atomically: true, encoding: .utf8)
    let (server, gate) = try server(Self.cheap + ["--common-passwords", path])
    defer { server.kill() }
    for password in ["password1", "qwertyuiop", "ana@acme.test", "aaaaaaaaaaaa", "12345678"] {
      try gate.refused("PASSWORD.SET", "ana", password, with: "REFUSED password.strength: it is easy to guess")
    }
    for password in ["our-own-secret-2026", "winter is long"] {
      try gate.refused(
        "PASSWORD.SET", "ana", password, with: "REFUSED password.strength: it is on the list of common passwords")
    }
    let refused = try refusedStart(
      data: folder.path("data"), arguments: ["--common-passwords", folder.path("nothing")])
    #expect(refused.code == 78)
    #expect(refused.message.contains("the file of common passwords cannot be read"))
    #expect(refused.message.contains("name another with common-passwords, or none"))
  }

  @Test("BUSY instead of a long wait, and everybody else is served meanwhile")
  func busy() throws {
    let (server, gate) = try server([
      "--password-memory", "65536", "--password-passes", "4", "--password-threads", "1",
    ])
    // The pool has to learn how long a hash takes.
    #expect(try decision(gate, "correct-horse-battery") == "ALLOW")
    let answers = Collected<String>()
    try inParallel(40) { worker in
      let client = try server.client()
      let reply = try client.reply("LOGIN.PASSWORD ana payroll correct-horse-battery")
      answers.add(reply.errorText ?? Fields(reply)?["decision"] ?? "?")
      if worker == 0 { #expect(try client.text("LOGIN.CHECK ana payroll") == "ALLOW") }
    }
    let busy =
      "BUSY password-queue: more passwords wait to be hashed than may wait, or are hashed within a second; try again"
    #expect(Set(answers.all) == ["ALLOW", busy])
    let counted = "limit_password_queue:\(answers.all.count { $0 == busy })\r\n"
    #expect(try gate.text("INFO limits")?.contains(counted) == true)
    #expect(try decision(gate, "correct-horse-battery") == "ALLOW", "who was not looked at has not failed")
  }

  @Test("nothing that is secret is in the folder, the messages, MONITOR or SLOWLOG")
  func secrets() throws {
    let (server, gate) = try server(Self.cheap + ["--slowlog-threshold", "0"])
    let monitor = try server.rawConnection()
    try monitor.send("MONITOR\r\n")
    _ = try monitor.receiveLine()
    var secrets = ["correct-horse-battery", "wrong-guess-of-somebody", "a-new-password-of-ana"]
    _ = try decision(gate, secrets[1])
    let token = try #require(try gate.fields("LOGIN.PASSWORD", "ana", "payroll", secrets[0])["session"])
    try gate.ok("AS", token, "PASSWORD.CHANGE", secrets[0], secrets[2])
    try gate.ok("PASSWORD.GENERATE ana")
    try gate.ok("PASSWORD.RESET ana")
    for mail in try gate.list("MAIL.NEXT COUNT 5") { secrets.append(try #require(mail["secret"])) }
    let reset = try #require(secrets.last { $0.hasPrefix("gr_") })
    secrets.append("the-password-after-reset")
    try gate.ok("PASSWORD.REDEEM", reset, "the-password-after-reset")
    secrets.append(token)
    let shown = try gate.shown("SLOWLOG GET 100") + gate.shown("AUDIT.LIST COUNT 100")
    try gate.ok("SAVE")
    #expect(secrets.count == 7)
    var seen = ""
    for _ in 0..<8 { seen += try monitor.receiveLine() }
    try server.terminate()
    for secret in secrets {
      #expect(!shown.contains(secret) && !seen.contains(secret) && !server.messages.contains(secret))
      let needle = Data(secret.utf8)
      for file in try FileManager.default.subpathsOfDirectory(atPath: server.dataPath) {
        let data = FileManager.default.contents(atPath: "\(server.dataPath)/\(file)") ?? Data()
        #expect(data.range(of: needle) == nil, "\(file)")
      }
    }
    #expect(seen.contains("(redacted)"))
  }
}
