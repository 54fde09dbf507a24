import GatehouseTestSupport
import Testing

/// System L, from L13 on: what administrators do with people, and may not do.
extension OrganisationTests {
  @Test("L13: two users are merged: tried first, all leads to the one that is kept, also the other's name and id")
  func merging() throws {
    let tina = try session(of: "tina")
    let twin = try tina.fields("USER.CREATE indy2 WORKSPACE plan LAST Jones ACCOUNT Gadgets PRODUCT plan/training")
    try tina.ok("LINK.ADD indy2 delegate course-17 WORKSPACE plan")
    try tina.ok("ENTRY.ADD indy2 START 2026-03-02T09:00:00Z END 2026-03-02T10:00:00Z WORKSPACE plan NOTE hers")
    let tried = try tina.fields("USER.MERGE indy indy2 DRYRUN")
    #expect(tried.changes.contains("status-set status: active → deleted"))
    #expect(try tina.fields("USER.GET indy2")["username"] == "indy2", "a dry run does nothing")

    let merged = try tina.fields("USER.MERGE indy indy2")
    #expect(merged["username"] == "indy" && merged.shown("fields").contains("last"))
    #expect(try tina.fields("USER.GET indy2")["username"] == "indy")
    #expect(try tina.fields("USER.GET #\(twin["id"] ?? "")")["username"] == "indy")
    #expect(try gate.text("LOGIN.CHECK indy2 plan/training") == "ALLOW")
    #expect(try tina.pages("LINK.LIST indy").map { $0["ref"] } == ["course-17"])
    #expect(try tina.pages("ENTRY.LIST indy").map { $0["note"] } == ["hers"])
    #expect(try tina.list("EMPLOY.LIST indy").map { $0["account"] } == ["plan/Widgets", "plan/Gadgets"])
  }

  @Test("L14: who may impersonate whom, by all grants of both and not the main role, and no chains")
  func impersonationMatrix() throws {
    try gate.ok("USER.CREATE sam WORKSPACE plan ROLE individual ROLE super-administrator WITHIN PRODUCT plan/training")
    let allowed = [
      "tina": ["indy", "mara"], "sue": ["indy", "mara", "tina"], "sam": ["indy", "mara", "tina"], "mara": [],
      "indy": [],
    ]
    for (actor, targets) in allowed {
      for target in allowed.keys where target != actor {
        let isSupreme = target == "sue" || target == "sam"
        let answer = try gate.text("IMPERSONATE.CAN \(actor) \(target) WORKSPACE plan")
        let denial = isSupreme && !["mara", "indy"].contains(actor) ? "DENY super-administrator" : "DENY role"
        #expect(answer == (targets.contains(target) ? "ALLOW" : denial), "\(actor) as \(target)")
      }
    }
    #expect(try gate.text("IMPERSONATE.CAN sue sue WORKSPACE plan") == "DENY oneself")

    let token = try gate.token(of: "tina", to: "plan/training")
    #expect(
      try gate.refused("IMPERSONATE.START \(token) sue WORKSPACE plan REASON curious", with: "REFUSED")
        == "REFUSED impersonation: super-administrator; nobody logs in as a super administrator; ask them to do it"
        + " themselves")
    try gate.refused("IMPERSONATE.START \(token) indy WORKSPACE plan", with: "ERR REASON is missing; usage: ")
    let asIndy = try gate.fields("IMPERSONATE.START \(token) indy WORKSPACE plan REASON help")
    #expect(
      try gate.refused("IMPERSONATE.START \(asIndy["session"] ?? "") ivan WORKSPACE plan REASON more", with: "REFUSED")
        == "REFUSED impersonation: no-chains; start from your own login, not from an impersonation")
  }

  @Test("L15: what is done while impersonating is done as the subject, and recorded with both")
  func recordedWithBoth() throws {
    let start = try gate.fields(
      "IMPERSONATE.START \(try gate.token(of: "tina", to: "plan/training")) indy PRODUCT plan/training REASON 'to book'"
    )
    let session = try #require(start["session"])
    let seen = try gate.fields("SESSION.CHECK \(session)")
    #expect(seen["kind"] == "impersonation" && seen["username"] == "indy" && seen["actor"] == "tina")

    let asIndy = gate.acting(as: session)
    let booking = try asIndy.fields("LINK.ADD indy booking b-9 WORKSPACE plan ATTR discount SPRING10")
    #expect(booking["created-by"] == "tina" && booking["created-as"] == "indy")
    let record = try gate.record(of: "indy", by: "LINK.ADD")
    #expect(record["actor"] == "tina" && record["subject"] == "indy")
    #expect(try gate.pages("AUDIT.LIST ACTOR tina").contains { $0["lsn"] == record["lsn"] })
    #expect(
      try asIndy.refused("USER.SET indy email other@w.test", with: "REFUSED")
        == "REFUSED impersonation: an e-mail address cannot be changed while impersonating; end the impersonation first"
    )

    #expect(try gate.list("IMPERSONATE.LIST ACTOR tina TARGET indy").map { $0["reason"] } == ["to book"])
    #expect(try gate.integer("IMPERSONATE.END \(session)") == 1)
    #expect(try gate.isNull("SESSION.CHECK \(session)"))
    #expect(try gate.list("IMPERSONATE.LIST").isEmpty)
  }

  @Test("L16: inactive, deleted, pending and locked refuse the login; active, new, import and temporary allow it")
  func statuses() throws {
    let tina = try session(of: "tina")
    for status in ["active", "new", "import", "temporary"] {
      try tina.ok("USER.STATUS indy \(status)")
      #expect(try gate.text("LOGIN.CHECK indy plan/training") == "ALLOW", "\(status)")
    }
    for status in ["inactive", "pending", "locked"] {
      let token = try gate.token(of: "indy", to: "plan/training")
      try tina.ok("USER.STATUS indy \(status)")
      #expect(try gate.text("LOGIN.CHECK indy plan/training") == "DENY status-\(status)")
      #expect(try gate.isNull("SESSION.CHECK \(token)"), "\(status) ends sessions at once")
      try tina.ok("USER.STATUS indy active")
      #expect(try gate.isNull("SESSION.CHECK \(token)"), "and for good")
    }
    #expect(
      try tina.refused("USER.STATUS indy deleted", with: "REFUSED")
        == "REFUSED status: a user is deleted with a reason and by its own rules; use USER.DELETE user REASON text")
    try tina.ok("USER.DELETE indy")
    #expect(try gate.text("LOGIN.CHECK indy plan/training") == "DENY status-deleted")
  }

  // Asking for a reset mail oneself comes with passwords.
  @Test("L17: a locked user asks for a reset mail, and redeeming it unlocks; so does an administrator")
  func unlocking() throws {
    let tina = try session(of: "tina")
    try tina.ok("USER.STATUS indy locked")
    let rule = try tina.list("LOGIN.EXPLAIN indy plan/training").first { $0["rule"] == "status-locked" }
    #expect(rule?["passed"] == "0" && rule?["detail"] == "status locked")
    #expect(rule?["remedy"]?.contains("USER.STATUS") == true)
    try tina.ok("USER.STATUS indy active")
    #expect(try gate.text("LOGIN.CHECK indy plan/training") == "ALLOW")

    try tina.ok("USER.SET indy email indy@plan.test")
    try tina.ok("USER.STATUS indy locked")
    try gate.ok("PASSWORD.RESET indy")
    #expect(try gate.text("LOGIN.CHECK indy plan/training") == "DENY status-locked", "asking alone changes nothing")
    let mail = try #require(try gate.list("MAIL.NEXT COUNT 20").first { $0["kind"] == "password-reset" })
    let token = try #require(mail["secret"])
    #expect(mail["to"] == "indy@plan.test" && mail["text"]?.contains(token) == true)
    try gate.ok("PASSWORD.REDEEM", token, "three grey geese landed")
    #expect(try gate.text("LOGIN.CHECK indy plan/training") == "ALLOW")
    let login = try gate.fields("LOGIN.PASSWORD", "indy", "plan/training", "three grey geese landed")
    #expect(login["decision"] == "ALLOW" && login["must-change"] == "0")
    try gate.refused("PASSWORD.REDEEM", token, "five brown hens brood", with: "REFUSED reset: the token is wrong, used")
  }

  @Test("L18: only super administrators grant super administrator; taken away it leaves a training administrator")
  func superAdministrators() throws {
    let (sue, tina) = (try session(of: "sue"), try session(of: "tina"))
    #expect(
      try tina.refused("ROLE.GRANT indy super-administrator WORKSPACE plan", with: "NOPERM")
        == "NOPERM the role super-administrator, to grant or revoke super-administrator")
    try sue.ok("ROLE.GRANT tina super-administrator WORKSPACE plan")
    try sue.ok("ROLE.REVOKE tina super-administrator WORKSPACE plan")
    #expect(try gate.list("ROLE.LIST tina").map { $0["role"] } == ["training-administrator"])

    // The last one of the server cannot be lost.
    try gate.ok("USER.CREATE root ROLE super-administrator")
    let last =
      "REFUSED last-super-administrator: root is the only super administrator; grant the role to somebody else first with"
      + " ROLE.GRANT user super-administrator"
    for line in [
      "ROLE.REVOKE root super-administrator", "USER.DELETE root REASON leaving", "USER.STATUS root inactive",
    ] {
      #expect(try gate.refused(line, with: "REFUSED") == last, "\(line)")
    }
  }

  @Test("L19: the audit of a user: when, which user made the change, from what to what")
  func audit() throws {
    try gate.ok("USER.SET indy last Lima")
    let before = nowMilliseconds()
    try session(of: "tina").ok("USER.SET indy last Lopes REASON married")
    let edit = try session(of: "tina").record(of: "indy", by: "USER.SET")
    #expect(edit["actor"] == "tina" && edit["reason"] == "married")
    #expect(abs(try #require(edit.integer("time")) - before) < 60_000)
    #expect(edit.changes.first == "contact-set last: Lima → Lopes")
    try session(of: "indy").refused("AUDIT.LIST USER indy", with: "NOPERM the permission audit.read")
  }

  @Test("L20: users belong to account groups only through their accounts")
  func groups() throws {
    let tina = try session(of: "tina")
    func members() throws -> [String?] {
      try tina.pages("USER.LIST WHERE group = plan/Europe SORT username").map { $0["username"] }
    }
    #expect(try members() == ["indy", "ivan", "mara"])
    #expect(try tina.refused("GROUP.ADD Europe indy WORKSPACE plan", with: "NOTFOUND") == "NOTFOUND account indy")
    try tina.ok("EMPLOY.END ivan Widgets WORKSPACE plan")
    #expect(try members() == ["indy", "mara"])
    try tina.ok("GROUP.REMOVE Europe Widgets WORKSPACE plan")
    #expect(try members() == [])
  }

  @Test("L21: access is copied with main role and scopes, as a difference first; not what one could not grant")
  func copyingAccess() throws {
    let tina = try session(of: "tina")
    try gate.ok("ROLE.GRANT ivan manager GROUP plan/Europe MAIN")
    let tried = try tina.fields("USER.COPYACCESS ivan indy DRYRUN")
    #expect(
      tried.changes == [
        "role-granted role: individual in workspace plan → individual in workspace plan, main: 1 → 0",
        "role-granted role: manager in group plan/Europe, main: 1",
      ])
    let copied = try tina.fields("USER.COPYACCESS ivan indy")
    #expect(copied.texts("granted") == ["manager group plan/Europe"] && copied.texts("revoked").isEmpty)
    #expect(try tina.fields("USER.GET indy")["main-role"] == "manager")
    #expect(
      try tina.refused("USER.COPYACCESS sue indy", with: "NOPERM")
        == "NOPERM the role super-administrator, to manage a super administrator")
    #expect(try tina.list("ROLE.LIST indy").map { $0["role"] } == ["individual", "manager"])
  }

  @Test("L22: a user is added with first name, last name, e-mail, main account and main role")
  func addingUser() throws {
    try session(of: "tina").ok(
      "USER.CREATE ana WORKSPACE plan FIRST Ana LAST Lima EMAIL ana@w.test ACCOUNT Widgets ROLE manager NOINVITE")
    let ana = try gate.fields("USER.GET ana")
    #expect(ana["name"] == "Ana Lima" && ana["email"] == "ana@w.test" && ana["account"] == "plan/Widgets")
    #expect(ana["main-role"] == "manager")
    #expect(try gate.list("ROLE.LIST ana").map { $0["scope"] } == ["account plan/Widgets"])
    try session(of: "tina").refused(
      "USER.CREATE bo WORKSPACE plan ACCOUNT Wodgets", with: "NOTFOUND account Wodgets")
  }

  @Test("L23: a field of many users at once, by ids or by a filter, all or none, tried first")
  func bulk() throws {
    let tina = try session(of: "tina")
    for number in 1...20 { try tina.ok("USER.CREATE u\(number) WORKSPACE plan ACCOUNT Gadgets NOINVITE") }
    let tried = try tina.fields("USER.BULK SET status inactive WHERE account = plan/Gadgets DRYRUN")
    #expect(tried.changes == Array(repeating: "status-set status: active → inactive", count: 20))
    #expect(try tina.integer("USER.COUNT WHERE status = inactive") == 0)
    let done = try tina.fields("USER.BULK SET status inactive WHERE account = plan/Gadgets")
    #expect(done["users"] == "20" && done["changed"] == "20")
    #expect(try tina.integer("USER.COUNT WHERE status = inactive") == 20)
    // One who is beyond the caller's power refuses all.
    try tina.refused("USER.BULK SET status inactive IDS 3 indy ivan sue", with: "NOPERM ")
    #expect(try tina.fields("USER.GET indy")["status"] == "active")
    try tina.ok("USER.BULK SET department sales division north IDS 2 indy ivan")
    #expect(try tina.integer("USER.COUNT WHERE department = sales WHERE division = north") == 2)
  }

  @Test("L24: people are searched, filtered, sorted, paged and counted")
  func finding() throws {
    let tina = try session(of: "tina")
    for number in 1...25 {
      let status = number.isMultiple(of: 5) ? "inactive" : "active"
      try tina.ok("USER.CREATE user\(100 + number) WORKSPACE plan STATUS \(status) DEPARTMENT d\(number % 2) NOINVITE")
    }
    #expect(try tina.list("USER.SEARCH user11").count == 10)
    #expect(try tina.integer("USER.COUNT WHERE status = inactive WHERE department = d1") == 3)
    for (condition, count) in [
      ("account = plan/Widgets", 3), ("group = plan/Europe", 3), ("role = manager", 1), ("product = plan/training", 4),
      ("last-login = ''", 28),
    ] {
      #expect(try tina.integer("USER.COUNT WHERE \(condition)") == Int64(count), "\(condition)")
    }
    let all = try tina.pages("USER.LIST WHERE username ^= user SORT username COUNT 10").compactMap { $0["username"] }
    #expect(all == (101...125).map { "user\($0)" }, "every user once, in order, over several pages")
    let last = try tina.pages("USER.LIST WHERE status = inactive SORT username DESC FIELDS 2 username status")
    #expect(last.first?["username"] == "user125" && last.first?.names == ["username", "status"])
  }

  @Test("L25: a course is assigned by a delegate record with status and attributes, which can change")
  func delegates() throws {
    let tina = try session(of: "tina")
    let link = try tina.fields("LINK.ADD indy delegate course-17 WORKSPACE plan STATUS provisional ATTR seat 4")
    let id = try #require(link["link"])
    #expect(link["status"] == "provisional" && link["created-by"] == "tina")
    #expect(
      try tina.refused("LINK.ADD indy delegate course-17 WORKSPACE plan", with: "CONFLICT")
        == "CONFLICT link: #\(id) links to delegate course-17 already")
    #expect(
      try session(of: "indy").refused("LINK.ADD indy delegate course-18 WORKSPACE plan", with: "NOPERM")
        == "NOPERM the permission link.write in the workspace plan")
    let set = try tina.fields("LINK.SET \(id) STATUS attended ATTR mark 9")
    #expect(set["status"] == "attended" && set["version"] == "2")
    #expect(try gate.record(of: "indy", by: "LINK.SET").changes.first?.contains("provisional → attended") == true)
    try tina.ok("LINK.REMOVE \(id)")
    #expect(try tina.pages("LINK.LIST indy").isEmpty)
  }
}
