import Testing

@testable import GatehouseCore

/// B12: a session tells from where it was opened, when the application has told it.
@Suite struct SessionOriginTests {
  let core = CoreHarness(partitions: 4)

  init() {
    core.run("PRODUCT.CREATE payroll")
    core.run("USER.CREATE ana PRODUCT payroll NOINVITE")
  }

  private func origin(_ session: Answer) -> String {
    let shown = core.run("SESSION.GET \(session["id"])")
    return "\(shown["ip"]) \(shown["agent"])"
  }

  @Test("B12: what is told is shown, and outlives a restart") func whatIsTold() throws {
    let told = core.run(["SESSION.CREATE", "ana", "payroll", "IP", "2001:DB8::1", "AGENT", "Mozilla/5.0 (X11)"])
    let partly = core.run("SESSION.CREATE ana payroll AGENT curl TTL 1h")
    let silent = core.run("SESSION.CREATE ana payroll")
    #expect(core.changes.count == 1)
    for _ in 0..<2 {
      #expect(origin(told) == "2001:db8::1 Mozilla/5.0 (X11)")
      #expect(origin(partly) == "nil curl")
      #expect(origin(silent) == "nil nil")
      let list = core.run("SESSION.LIST ana").items
      #expect(list.map { "\($0["ip"]) \($0["agent"])" } == ["nil nil", "nil curl", "2001:db8::1 Mozilla/5.0 (X11)"])
      #expect(list[0].keys.suffix(5) == ["idle", "reason", "ip", "agent", "service"])
      core.expectReplicated()
      try core.restart()
    }
    #expect(core.run("SESSION.CHECK \(silent["session"].text ?? "")").keys.count == 11)
    // The slot of a session that ended tells nothing to the next one.
    core.run("SESSION.REVOKEALL ana")
    for _ in 0..<3 { #expect(origin(core.run("SESSION.CREATE ana payroll")) == "nil nil") }
    core.expectReplicated()
  }

  @Test("B12: the trail says from where, until the person is anonymised") func theTrail() {
    core.run("SESSION.CREATE ana payroll IP 203.0.113.7 AGENT curl")
    #expect(
      DryRunTests.texts(core.changes, core).last?.hasSuffix("\"ip: nil → 203.0.113.7\", \"agent: nil → curl\"]") == true
    )
    let id = core.run("USER.GET ana")["id"]
    core.run("USER.ANONYMISE ana")
    let trail = "\(core.run("AUDIT.LIST USER #\(id)"))"
    #expect(trail.contains("session-origin-told"))
    #expect(!trail.contains("203.0.113.7") && !trail.contains("curl"))
  }

  @Test("B12: what is told is bounded") func bounds() {
    let refusal = "ERR IP is not an address, such as 203.0.113.7 or 2001:db8::1"
    for address in [
      "", "home", "1.2.3", "1.2.3.256", "1.2.3.04", "1.2.3.4:80", "[::1]", "1:2", "::1::", "12345::", "::%",
    ] {
      #expect(core.run(["SESSION.CREATE", "ana", "payroll", "IP", address]).text == refusal, "\(address)")
    }
    #expect(core.run("SESSION.LIST ana").items.isEmpty)
    for address in [
      "0.0.0.0", "255.255.255.255", "::", "::1", "1::", "1:2:3:4:5:6:7:8", "::ffff:192.0.2.1", "1:2:3:4:5:6:192.0.2.1",
      "fe80::1%eth0",
    ] {
      #expect(origin(core.run("SESSION.CREATE ana payroll IP \(address)")) == "\(address) nil")
    }
    // A long name of a program is cut between two characters, and nobody is kept out for it.
    let long = String(repeating: "ž", count: 200)
    let session = core.run(["SESSION.CREATE", "ana", "payroll", "AGENT", "x" + long])
    #expect(origin(session) == "nil x" + String(repeating: "ž", count: 127))
    core.expectReplicated()
  }

  @Test("B12: an impersonation tells it too") func impersonations() {
    core.run("USER.CREATE tom PRODUCT payroll ROLE training-administrator NOINVITE")
    let token = core.logIn("tom", "payroll")
    let session = core.run("IMPERSONATE.START \(token) ana REASON help IP 192.0.2.1 AGENT console")
    #expect(origin(session) == "192.0.2.1 console")
    #expect(core.run("SESSION.GET \(session["id"])")["reason"].text == "help")
    core.expectReplicated()
  }

  /// W3, W4: an administrator elsewhere sees the sessions there, and their trail, and no others.
  @Test("W4: from where is told where the session is") func twoWorkspaces() {
    for name in ["acme", "beta"] {
      core.run("WORKSPACE.CREATE \(name)")
      core.run("PRODUCT.CREATE \(name)/app")
      core.run("USER.CREATE \(name)boss WORKSPACE \(name) PRODUCT \(name)/app NOINVITE")
      core.run("ROLE.GRANT \(name)boss super-administrator WORKSPACE \(name)")
    }
    core.run("USER.CREATE shared WORKSPACE acme PRODUCT acme/app PRODUCT beta/app NOINVITE")
    core.run("SESSION.CREATE shared acme/app IP 192.0.2.1")
    core.run("SESSION.CREATE shared beta/app IP 192.0.2.2")
    let beta = core.logIn("betaboss", "beta/app")
    for line in ["SESSION.LIST shared", "AUDIT.LIST USER shared"] {
      let seen = "\(core.run(line, as: beta))"
      #expect(seen.contains("192.0.2.2") && !seen.contains("192.0.2.1"), "\(line): \(seen)")
    }
  }
}
