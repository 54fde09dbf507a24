import GatehouseTestSupport
import GatehouseWire
import Testing

/// Passwords that users bring from other systems.
@Suite("Imported hashes", .blocking)
struct ImportedHashTests {
  /// Hashing that costs next to nothing.
  private static let cheap = ["--password-memory", "64", "--password-passes", "1"]

  private func decision(_ gate: Client, _ user: String, _ password: String) throws -> String {
    let answer = try gate.fields("LOGIN.PASSWORD", user, "payroll", password)
    return answer[answer.has("reason") ? "reason" : "decision"] ?? "?"
  }

  private func trail(_ gate: Client, of user: String) throws -> String {
    try gate.shown("AUDIT.LIST USER \(user) COUNT 2")
  }

  @Test("users whose hashes were imported log in, are hashed anew then, and the old hash is not needed again")
  func logins() throws {
    let server = try TestServer(.init(lanes: 2, arguments: Self.cheap))
    var gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    for (index, sample) in HashSamples.all.enumerated() {
      try gate.ok("USER.CREATE", "user\(index)", "PRODUCT", "payroll", "NOINVITE", "PASSWORD-HASH", sample.text)
      #expect(try decision(gate, "user\(index)", "another password") == "credentials", "\(sample.name)")
    }
    server.kill()
    try server.start()
    gate = try server.client()
    for (index, sample) in HashSamples.all.enumerated() {
      let login = try gate.fields("LOGIN.PASSWORD", "user\(index)", "payroll", HashSamples.password)
      #expect(login["decision"] == "ALLOW" && login["must-change"] == "0", "\(sample.name): \(login)")
      #expect(try trail(gate, of: "user\(index)").contains("rehashed"), "\(sample.name)")
      #expect(try decision(gate, "user\(index)", HashSamples.password) == "ALLOW")
      #expect(try !gate.shown("AUDIT.LIST USER user\(index) COUNT 1").contains("rehashed"))
    }
    // The old hashes are in the log, and nowhere in what is shown of it.
    let shown = try gate.shown("AUDIT.LIST COUNT 1000") + gate.shown("SLOWLOG GET 1000") + server.messages
    for sample in HashSamples.all { #expect(!shown.contains(sample.text.suffix(20))) }
    #expect(try gate.fields("AUDIT.VERIFY")["ok"] == "1")
  }

  @Test("PASSWORD.IMPORT replaces a password, ends sessions, and MONITOR and SLOWLOG do not show the hash")
  func replacing() throws {
    let server = try TestServer(.init(lanes: 2, arguments: Self.cheap + ["--slowlog-threshold", "0"]))
    defer { server.kill() }
    let gate = try server.client()
    let monitor = try server.rawConnection()
    try monitor.send("MONITOR\r\n")
    _ = try monitor.receiveLine()
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("USER.CREATE", "ana", "PRODUCT", "payroll", "NOINVITE", "PASSWORD", "three grey geese landed")
    let session = try #require(
      try gate.fields("LOGIN.PASSWORD", "ana", "payroll", "three grey geese landed")["session"])
    let hash = HashSamples.all[0].text
    try gate.ok("PASSWORD.IMPORT", "ana", hash)
    try gate.ok(
      "USER.CREATEMANY", "FIELDS", "2", "username", "password-hash", "ROWS", "4", "ben", hash, "cai", hash)
    try gate.ok(
      "USER.CREATEMANY", "FIELDS", "3", "username", "product", "password", "ROWS", "6", "dan", "payroll",
      "four grey geese landed", "eva", "payroll", "five grey geese landed")
    #expect(try decision(gate, "eva", "five grey geese landed") == "ALLOW")
    #expect(try gate.isNull("SESSION.CHECK \(session)"))
    #expect(try decision(gate, "ana", "three grey geese landed") == "credentials")
    #expect(try decision(gate, "ana", HashSamples.password) == "ALLOW")
    var seen = try gate.shown("SLOWLOG GET 100")
    for _ in 0..<10 { seen += try monitor.receiveLine() }
    for secret in [hash, "geese"] { #expect(!seen.contains(secret)) }
    #expect(seen.contains("PASSWORD (redacted)") || seen.contains("\"(redacted)\""))
    try gate.refused(
      "PASSWORD.IMPORT", "ana", "5f4dcc3b5aa765d61d8327deb882cf99",
      with: "REFUSED password-hash: it is not complete, or of no form that is known")
  }
}
