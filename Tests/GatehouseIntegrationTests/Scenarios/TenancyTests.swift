import GatehouseTestSupport
import Testing

/// W: several workspaces on one server, which share people and see nothing of each other.
///
/// `ana` is at home in alpha and a member of beta. `al` administers alpha, `be` administers beta, and `both` administers
/// both.
@Suite("W: several workspaces", .blocking)
struct TenancyTests {
  let server: TestServer
  let gate: Client
  let al: Client
  let be: Client

  init() throws {
    server = try TestServer()
    gate = try server.client()
    for (workspace, administrator) in [("alpha", "al"), ("beta", "be")] {
      for line in [
        "WORKSPACE.CREATE \(workspace)", "PRODUCT.CREATE \(workspace)/app", "POOL.SET \(workspace)/app office 4",
        "ACCOUNT.CREATE \(workspace)-customer CUSTOMER WORKSPACE \(workspace)",
        "USER.CREATE \(administrator) WORKSPACE \(workspace) LICENCE \(workspace)/app office ROLE training-administrator"
          + " WITHIN NOINVITE",
      ] { try gate.ok(line) }
    }
    for line in [
      "USER.CREATE ana WORKSPACE alpha FIRST Ana LAST Lima EMAIL ana@a.test LICENCE alpha/app office NOINVITE",
      "WORKSPACE.MEMBER beta ana", "USER.CREATE both WORKSPACE alpha LICENCE alpha/app office NOINVITE",
      "WORKSPACE.MEMBER beta both", "ROLE.GRANT both training-administrator WORKSPACE alpha",
      "ROLE.GRANT both training-administrator WORKSPACE beta",
    ] { try gate.ok(line) }
    al = try gate.loggedIn("al", to: "alpha/app")
    be = try gate.loggedIn("be", to: "beta/app")
  }

  @Test("W1: the home is the workspace of the creation, and is handed over by who administers both")
  func home() throws {
    #expect(try al.fields("USER.GET ana")["home"] == "alpha")
    #expect(try be.fields("USER.GET ana")["home"] == nil, "beta learns only that it is not the home")
    #expect(try al.refused("USER.MOVEHOME ana beta", with: "NOTFOUND") == "NOTFOUND workspace beta")
    try be.refused("USER.MOVEHOME ana beta", with: "NOPERM the permission user.move in the home workspace of ana, ")
    try gate.loggedIn("both", to: "alpha/app").ok("USER.MOVEHOME ana beta")
    #expect(try be.fields("USER.GET ana")["home"] == "beta")
    try be.ok("USER.SET ana first Anna")
    try al.refused("USER.SET ana first Ana", with: "NOPERM the permission contact.set in the home workspace of ana, ")
  }

  @Test("W2: identity is governed by the home alone; others are refused, and told whose it is to do")
  func identity() throws {
    for (line, permission) in [
      ("USER.SET ana first Eve", "contact.set"), ("USER.SET ana initials AL", "user.set"),
      ("USER.RENAME ana eve", "user.rename"), ("USER.STATUS ana inactive", "user.status"),
      ("USER.DELETE ana REASON x", "user.delete"), ("USER.MERGE ana be", "user.merge"),
      ("USER.ANONYMISE ana", "user.anonymise"), ("USER.INVITE ana", "credential.set"),
    ] {
      #expect(
        try be.refused(line, with: "NOPERM")
          == "NOPERM the permission \(permission) in the home workspace of ana, which alone governs who somebody is")
      // Who knows the home as a member of it is told its name.
      let both = try gate.loggedIn("both", to: "alpha/app")
      try gate.ok("ROLE.REVOKE both training-administrator WORKSPACE alpha")
      #expect(
        try both.refused(line, with: "NOPERM").hasPrefix(
          "NOPERM the permission \(permission) in alpha, the home workspace of ana, "), "\(line)")
      try gate.ok("ROLE.GRANT both training-administrator WORKSPACE alpha")
    }
    try al.ok("USER.SET ana first Eve")
  }

  @Test("W3: the other workspace governs membership, access, licences, roles, time and sessions there")
  func membership() throws {
    for line in [
      "PRODUCT.ENABLE ana beta/app", "LICENCE.ASSIGN ana beta/app office", "ROLE.GRANT ana manager WORKSPACE beta",
      "TIMER.START ana WORKSPACE beta", "TIMER.STOP ana WORKSPACE beta",
      "ENTRY.ADD ana START 2026-03-02T09:00:00Z END 2026-03-02T10:00:00Z WORKSPACE beta",
    ] { try be.ok(line) }
    let inAlpha = try gate.token(of: "ana", to: "alpha/app")
    let inBeta = try gate.token(of: "ana", to: "beta/app")
    #expect(try be.integer("SESSION.REVOKEALL ana") == 1)
    #expect(try gate.isNull("SESSION.CHECK \(inBeta)"))
    #expect(try gate.fields("SESSION.CHECK \(inAlpha)")["product"] == "alpha/app")

    // Impersonating a shared person is bound to the workspace.
    let start = try gate.fields(
      "IMPERSONATE.START \(try gate.token(of: "be", to: "beta/app")) ana WORKSPACE beta REASON help")
    let session = try #require(start["session"])
    #expect(try gate.fields("SESSION.CHECK \(session) PRODUCT beta/app")["username"] == "ana")
    #expect(try gate.isNull("SESSION.CHECK \(session) PRODUCT alpha/app"))
    #expect(try gate.acting(as: session).list("WORKSPACE.LIST").map { $0["name"] } == ["beta"])

    #expect(try be.integer("WORKSPACE.MEMBER beta ana REMOVE") == 1)
    #expect(try be.refused("USER.GET ana", with: "NOTFOUND") == "NOTFOUND user ana")
    #expect(try gate.text("LOGIN.CHECK ana alpha/app") == "ALLOW")
  }

  @Test("W4: what one workspace holds is invisible from another")
  func invisible() throws {
    try gate.ok("LICENCE.ASSIGN ana beta/app office")
    try gate.ok("PRODUCT.ENABLE ana beta/app")
    try gate.ok("ROLE.DEFINE clerk user.read WORKSPACE alpha")
    for line in [
      "ROLE.GRANT ana clerk WORKSPACE alpha",
      "EMPLOY.ADD ana alpha/alpha-customer", "LINK.ADD ana matter secret WORKSPACE alpha",
      "ENTRY.ADD ana START 2026-03-02T09:00:00Z END 2026-03-02T10:00:00Z WORKSPACE alpha NOTE secret",
      "USER.SET ana department Legal",
    ] { try al.ok(line) }
    try gate.ok("SESSION.CREATE ana alpha/app")

    #expect(try be.list("WORKSPACE.LIST").map { $0["name"] } == ["beta"])
    #expect(try be.list("PRODUCT.LIST").map { $0["product"] } == ["beta/app"])
    #expect(try be.list("POOL.LIST").map { $0["product"] } == ["beta/app"])
    #expect(try be.pages("ACCOUNT.LIST").map { $0["name"] } == ["beta-customer", "Guest Account"])
    #expect(try be.list("ROLE.LIST").contains { $0["role"] == "clerk" } == false)
    #expect(try be.pages("USER.LIST SORT username").map { $0["username"] } == ["ana", "be", "both"])
    #expect(try Set(be.pages("POOL.HOLDERS beta/app office").map { $0["username"] }) == ["ana", "be"])
    for (line, answer) in [
      ("WORKSPACE.GET alpha", "NOTFOUND workspace alpha"), ("USER.GET al", "NOTFOUND user"),
      ("POOL.HOLDERS alpha/app office", "NOTFOUND product"), ("ACCOUNT.GET alpha/alpha-customer", "NOTFOUND account"),
      ("USER.LIST WHERE product = alpha/app", "NOTFOUND product alpha/app"),
      ("USER.COUNT WHERE account = alpha/alpha-customer", "NOTFOUND account"),
    ] { try be.refused(line, with: answer) }

    let ana = try be.fields("USER.GET ana")
    #expect(ana["name"] == "Ana Lima" && ana["department"] == "Legal", "the contact card is seen")
    #expect(ana.texts("workspaces") == ["beta"] && ana.value("roles")?.items.count == 0)
    #expect(ana["account"] == "beta/Guest Account" && ana["sessions"] == "0")
    for list in ["LINK.LIST ana", "ENTRY.LIST ana"] { #expect(try be.pages(list).isEmpty, "\(list)") }
    #expect(try be.list("SESSION.LIST ana").isEmpty)
    let trail = try be.pages("AUDIT.LIST USER ana").map { $0["command"] }
    #expect(trail == ["PRODUCT.ENABLE", "LICENCE.ASSIGN", "WORKSPACE.MEMBER"])
    let feed = try be.ok("FEED.READ 0 COUNT 100").items[1].items.compactMap { Fields($0) }
    #expect(!feed.isEmpty)
    for item in feed { #expect(!"\(item) \(item.shown("changes"))".contains("alpha")) }
  }

  @Test("W5: policies of the home apply to identity, those of the workspace concerned to the rest")
  func policies() throws {
    try gate.ok("WORKSPACE.SET alpha policy.delete.needs-reason off policy.delete.keep-tracked off")
    try gate.ok("WORKSPACE.SET beta policy.timer.notify-stopped on policy.session.ttl 1h")
    try gate.ok("PRODUCT.ENABLE ana beta/app LICENCE office")
    let session = try gate.fields("SESSION.CREATE ana beta/app TTL 8h")
    #expect(try #require(session.integer("expires")) <= nowMilliseconds() + 3_600_000)
    for workspace in ["alpha", "beta"] {
      try gate.ok("TIMER.START ana WORKSPACE \(workspace)")
      try gate.ok("TIMER.STOP ana WORKSPACE \(workspace)")
    }
    let mails = try gate.pages("MAIL.LIST")
    #expect(mails.map { "\($0["kind"] ?? "") \($0["workspace"] ?? "")" } == ["timer-stopped beta"])
    // beta keeps tracked time and wants a reason. But the caller does not choose which policies apply.
    #expect(
      try gate.refused("USER.DELETE ana WORKSPACE beta", with: "REFUSED")
        == "REFUSED home: the policies of alpha hold, the home workspace of ana; leave WORKSPACE out")
    try gate.ok("USER.DELETE ana")
  }

  @Test("W6: grants everywhere belong to the operator; a service bound to a workspace sees and does nothing outside it")
  func boundService() throws {
    #expect(
      try al.refused("ROLE.GRANT ana individual", with: "NOPERM")
        == "NOPERM the permission role.grant over the whole server")
    #expect(
      try al.refused("WORKSPACE.CREATE gamma", with: "NOPERM") == "NOPERM the permission workspace.create")
    try gate.ok("SERVICE.CREATE operator ADMIN SESSIONS")
    let secret = try #require(try gate.fields("SERVICE.CREATE web ADMIN SESSIONS WORKSPACE beta")["secret"])
    let web = try server.rawConnection()
    try web.send("AUTH \(secret)\r\n")
    #expect(try web.receiveLine() == "+OK")
    for (line, answer) in [
      ("LOGIN.CHECK al alpha/app", "$17\r\nDENY unknown-user"), ("USER.GET al", "-NOTFOUND user"),
      ("LOGIN.CHECK be beta/app", "$5\r\nALLOW"), ("PRODUCT.CREATE alpha/other", "-NOTFOUND workspace alpha"),
      ("SESSION.CREATE ana alpha/app", "-REFUSED login: unknown-product"),
    ] {
      try web.send(line + "\r\n")
      var got = try web.receiveLine()
      if got.hasPrefix("$") { got += "\r\n" + (try web.receiveLine()) }
      #expect(got.hasPrefix(answer), "\(line)")
    }
  }

  @Test("W7: usernames are unique on the server, and that a name is taken is all that is told")
  func uniqueNames() throws {
    #expect(
      try be.refused("USER.CREATE AL WORKSPACE beta", with: "CONFLICT")
        == "CONFLICT username: AL is taken; choose another")
    #expect(
      try be.refused("USER.RENAME be al", with: "CONFLICT") == "CONFLICT username: al is taken; choose another")
  }
}
