import GatehouseTestSupport
import GatehouseWire
import Testing

/// B2 and W4 over TCP: what a dry run answers to the administrators of two workspaces, and that nothing comes of it.
@Suite("Commands that are only tried", .blocking)
struct DryRunTests {
  private func begin() throws -> (server: TestServer, gate: Client, acme: Client, beta: Client) {
    let server = try TestServer(.init(lanes: 2))
    let gate = try server.client()
    for name in ["acme", "beta"] {
      for line in [
        "WORKSPACE.CREATE \(name)", "PRODUCT.CREATE \(name)/app", "POOL.SET \(name)/app * 5",
        "USER.CREATE \(name)-boss WORKSPACE \(name) PRODUCT \(name)/app NOINVITE",
        "ROLE.GRANT \(name)-boss super-administrator WORKSPACE \(name)",
      ] { try gate.ok(line) }
    }
    try gate.ok("USER.CREATE shared WORKSPACE acme PRODUCT acme/app NOINVITE")
    try gate.ok("WORKSPACE.MEMBER beta shared")
    try gate.ok("PRODUCT.ENABLE shared beta/app")
    let tokens = try ["acme", "beta"].map { name in
      try #require(try gate.fields("SESSION.CREATE \(name)-boss \(name)/app")["session"])
    }
    return (server, gate, gate.acting(as: tokens[0]), gate.acting(as: tokens[1]))
  }

  @Test("each tenant sees what is its own, and nothing happens (B2, W4)")
  func twoTenants() throws {
    let (server, gate, acme, beta) = try begin()
    let before = try #require(try gate.fields("AUDIT.HEAD")["lsn"])
    let whole = try gate.shown("USER.DELETE shared REASON gone DRYRUN")
    #expect(whole.contains("acme/app") && whole.contains("beta/app"))
    let own = try acme.shown("USER.DELETE shared REASON gone DRYRUN")
    #expect(own.contains("acme/app") && own.contains("status-set") && !own.contains("beta"))
    try beta.refused("USER.DELETE shared REASON gone DRYRUN", with: "NOPERM")
    let other = try beta.shown("PRODUCT.DISABLE shared beta/app DRYRUN")
    #expect(other.contains("access-set") && other.contains("DENY product-disabled") && !other.contains("acme"))
    // The pipeline, a transaction and a role that many have: the same map, and no record.
    try acme.ok("ROLE.DEFINE helper WORKSPACE acme user.read")
    try acme.ok("ROLE.GRANT shared helper WORKSPACE acme")
    let role = try acme.shown("ROLE.DROP helper WORKSPACE acme DRYRUN")
    #expect(role.contains("role-revoked") && role.contains("role-dropped") && role.contains("logins-left-out"))
    try gate.ok("MULTI")
    _ = try gate.reply("USER.CREATE eve WORKSPACE beta NOINVITE DRYRUN")
    _ = try gate.reply("USER.CREATE eve WORKSPACE acme NOINVITE DRYRUN")
    let both = try gate.shown("EXEC")
    #expect(both.components(of: "user new") == 2 && !both.contains("CONFLICT"), "\(both)")
    #expect(try gate.fields("AUDIT.HEAD")["lsn"] == "\((Int(before) ?? 0) + 2)")
    server.kill()
    try server.start()
    let later = try server.client()
    #expect(try later.text("LOGIN.CHECK shared beta/app") == "ALLOW")
    #expect(try later.list("ROLE.LIST shared").map { $0["role"] } == ["helper"])
    try later.refused("USER.GET eve", with: "NOTFOUND user eve")
  }
}

extension String {
  fileprivate func components(of part: String) -> Int { ranges(of: part).count }
}
