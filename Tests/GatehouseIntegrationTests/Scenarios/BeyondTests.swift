import GatehouseTestSupport
import GatehouseWire
import Synchronization
import Testing

/// B: what none of the five systems has.
@Suite("B: beyond the five", .blocking)
struct BeyondTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    gate = try server.client()
    for line in [
      "PRODUCT.CREATE payroll", "PRODUCT.CREATE planner", "POOL.SET payroll office 2",
      "USER.CREATE one PRODUCT planner ROLE training-administrator NOINVITE",
      "USER.CREATE two PRODUCT planner ROLE training-administrator NOINVITE",
      "USER.CREATE ana FIRST Ana LAST Lima LICENCE payroll office PRODUCT planner NOINVITE",
      "USER.CREATE bo PRODUCT payroll PRODUCT planner NOINVITE",
    ] { try gate.ok(line) }
  }

  @Test("B1: LOGIN.EXPLAIN lists every rule, passed and failed, with the remedy, for now and for another moment")
  func explaining() throws {
    try gate.ok("USER.STATUS bo locked")
    let rules = try gate.list("LOGIN.EXPLAIN bo payroll")
    #expect(
      rules.map { $0["rule"] } == [
        "unknown-user", "status-deleted", "status-inactive", "status-pending", "status-locked", "unknown-product",
        "product-disabled", "no-licence", "outside-employment",
      ])
    let failed = rules.filter { $0["passed"] == "0" }
    #expect(failed.map { $0["rule"] } == ["status-locked", "no-licence"], "every rule, not only the first")
    #expect(failed.allSatisfy { $0["remedy"]?.isEmpty == false })
    #expect(failed.last?["remedy"] == "assign one with LICENCE.ASSIGN")

    let before = nowMilliseconds()
    pause(.milliseconds(20))
    try gate.ok("PRODUCT.DISABLE ana payroll")
    try gate.ok("PRODUCT.ENABLE ana planner UNTIL 2990-01-01T00:00:00Z")
    func answer(_ product: String, at time: String) throws -> [String?] {
      try gate.list("LOGIN.EXPLAIN ana \(product) AT \(time)").filter { $0["passed"] == "0" }.map { $0["rule"] }
    }
    #expect(try answer("payroll", at: "\(before)") == [])
    #expect(try answer("payroll", at: "\(nowMilliseconds())").contains("product-disabled"))
    #expect(try answer("planner", at: "2989-12-31T23:59:59Z") == [])
    #expect(try answer("planner", at: "2990-01-01T00:00:00Z") == ["product-disabled"])
  }

  @Test("B2: every write can be tried: it answers changes, logins and seats, refuses as always, and does nothing")
  func dryRun() throws {
    let head = try gate.fields("AUDIT.HEAD")["lsn"]
    let locked = try gate.fields("USER.STATUS ana locked DRYRUN")
    #expect(locked.changes == ["status-set status: active → locked"])
    let logins = (locked.value("logins")?.items ?? []).compactMap { Fields($0) }
    #expect(logins.map { $0["product"] } == ["payroll", "planner"])
    #expect(logins.allSatisfy { $0["before"] == "ALLOW" && $0["after"] == "DENY status-locked" })
    let deleted = try gate.fields("USER.DELETE ana REASON left DRYRUN")
    let seats = try #require(deleted.value("seats")?.items.first.flatMap { Fields($0) })
    #expect(seats["type"] == "office" && seats["before"] == "1" && seats["after"] == "0")
    try gate.refused("USER.DELETE ana DRYRUN", with: "REFUSED delete.needs-reason: ")
    #expect(try gate.text("LOGIN.CHECK ana payroll") == "ALLOW")
    #expect(try gate.fields("AUDIT.HEAD")["lsn"] == head, "nothing was written")
  }

  @Test("B3: every record made while impersonating names both")
  func bothIdentities() throws {
    let start = try gate.fields(
      "IMPERSONATE.START \(try gate.token(of: "one", to: "planner")) ana REASON 'to help'")
    let asAna = gate.acting(as: try #require(start["session"]))
    for line in [
      "USER.SET ana phone 123", "TIMER.START ana", "TIMER.STOP ana", "LINK.ADD ana booking b-1",
      "ENTRY.ADD ana START 2026-03-02T09:00:00Z END 2026-03-02T10:00:00Z",
    ] {
      try asAna.ok(line)
      let record = try gate.record(of: "ana", by: String(line.prefix { $0 != " " }))
      #expect(record["actor"] == "one" && record["subject"] == "ana", "\(line)")
    }
  }

  @Test("B4: a head that was kept elsewhere tells whether anything before it was changed")
  func tamperEvident() throws {
    let head = try gate.fields("AUDIT.HEAD")
    let (lsn, hash) = (try #require(head["lsn"]), try #require(head["hash"]))
    try gate.ok("USER.SET ana first Anna")
    let sound = try gate.fields("AUDIT.VERIFY AGAINST \(lsn) \(hash)")
    #expect(sound["ok"] == "1" && sound["problem"] == nil)
    let other = String(hash.dropLast()) + (hash.hasSuffix("0") ? "1" : "0")
    let forged = try gate.fields("AUDIT.VERIFY AGAINST \(lsn) \(other)")
    #expect(forged["ok"] == "0" && forged["problem"]?.contains(lsn) == true)
  }

  @Test("B5: the feed answers durable changes in order, goes on by LSN, waits, and is filtered by reach")
  func feed() throws {
    let position = try #require(try gate.fields("AUDIT.HEAD")["lsn"])
    for name in ["x", "y"] { try gate.ok("USER.CREATE \(name) NOINVITE") }
    func read(_ line: String, by client: Client? = nil) throws -> (last: String?, items: [Fields]) {
      let page = try (client ?? gate).ok(line).items
      return (page.first?.scalarText, page.last?.items.compactMap { Fields($0) } ?? [])
    }
    let first = try read("FEED.READ \(position) COUNT 1")
    #expect(first.items.map { $0["command"] } == ["USER.CREATE"])
    let second = try read("FEED.READ \(first.last ?? "")")
    #expect(second.items.count == 1 && second.items[0].shown("changes").contains("y"))

    let last = second.last ?? ""
    let woken = Mutex<[String?]>([])
    try inParallel(2) { [server] index in
      let client = try server.client()
      if index == 0 {
        let page = try client.ok("FEED.READ \(last) BLOCK 20s TYPE status-set").items
        woken.withLock { $0 = page.last?.items.compactMap { Fields($0)?["command"] } ?? [] }
      } else {
        pause(.milliseconds(100))
        try client.ok("USER.SET ana first Anna")
        try client.ok("USER.STATUS ana inactive")
      }
    }
    #expect(woken.withLock { $0 } == ["USER.STATUS"])
    try gate.loggedIn("bo", to: "planner").refused("FEED.READ 0", with: "NOPERM the permission feed.read")
  }

  @Test("B6: revocation holds on the next command, in all products")
  func revocation() throws {
    let tokens = try ["payroll", "planner"].map { try gate.token(of: "ana", to: $0) }
    try gate.ok("USER.STATUS ana locked")
    for token in tokens {
      #expect(try gate.isNull("SESSION.CHECK \(token)"))
      #expect(
        try gate.acting(as: token).refused("USER.GET ana", with: "NOPERM")
          == "NOPERM a session in force: the token after AS is unknown, expired or revoked")
    }
  }

  @Test("B7: grants, access and memberships end by themselves, and a release date ends the login")
  func ending() throws {
    let until = nowMilliseconds() + 1500
    try gate.ok("ROLE.GRANT bo training-administrator UNTIL \(until)")
    try gate.ok("PRODUCT.ENABLE ana payroll UNTIL \(until)")
    try gate.ok("WORKSPACE.CREATE acme")
    try gate.ok("WORKSPACE.MEMBER acme ana UNTIL \(until)")
    try gate.ok("PRODUCT.ENABLE ana planner FROM 2990-01-01T00:00:00Z")
    let bo = try gate.loggedIn("bo", to: "planner")
    try bo.ok("USER.GET ana")
    #expect(try gate.text("LOGIN.CHECK ana planner") == "DENY product-disabled", "it has not begun")
    while nowMilliseconds() <= until { pause(.milliseconds(50)) }
    #expect(try gate.text("LOGIN.CHECK ana payroll") == "DENY product-disabled")
    try bo.refused("USER.GET ana", with: "NOPERM the permission user.read")
    try gate.refused("TIMER.START ana WORKSPACE acme", with: "REFUSED member: ")
    try eventually("the seat is free") { try gate.list("POOL.LIST payroll").first?["used"] == "0" }

    for (user, dates) in [
      ("early", "HIRED 2999-01-01"), ("late", "HIRED 2020-01-01 RELEASED 2021-01-01"), ("now", "HIRED 2020-01-01"),
    ] {
      try gate.ok("USER.CREATE \(user) PRODUCT planner \(dates) NOINVITE")
      #expect(try gate.text("LOGIN.CHECK \(user) planner") == "ALLOW")
    }
    try gate.ok("WORKSPACE.SET main policy.login.within-employment on")
    #expect(
      try ["early", "late", "now"].map { try gate.text("LOGIN.CHECK \($0) planner") } == [
        "DENY outside-employment", "DENY outside-employment", "ALLOW",
      ])
  }

  @Test("B8: refused logins are kept and counted, and a check stays a read")
  func refusals() throws {
    let head = try gate.fields("AUDIT.HEAD")["lsn"]
    for _ in 0..<3 { #expect(try gate.text("LOGIN.CHECK bo payroll") == "DENY no-licence") }
    #expect(try gate.text("LOGIN.CHECK nobody planner") == "DENY unknown-user")
    let all = try gate.list("REFUSALS.LIST")
    #expect(all.count == 4 && all[0]["reason"] == "unknown-user" && all[0]["username"] == "nobody")
    #expect(
      try gate.list("REFUSALS.LIST USER bo PRODUCT payroll REASON no-licence SINCE 2026-03-01T08:00:00Z").count == 3)
    let counts = try #require(try gate.text("INFO refusals"))
    #expect(counts.contains("refused_no-licence:3") && counts.contains("refused_product_payroll:no-licence=3"))
    #expect(try gate.fields("AUDIT.HEAD")["lsn"] == head)
  }

  @Test("B9: a delete, a merge and a bulk edit are taken back, unless something was built on them since")
  func undo() throws {
    func newest(_ user: String) throws -> String {
      try #require(try gate.pages("AUDIT.LIST USER \(user)").first?["lsn"])
    }
    try gate.ok("USER.DELETE ana REASON mistake")
    let undone = try gate.fields("UNDO \(try newest("ana"))")
    #expect(undone["command"] == "USER.DELETE" && undone.texts("users") == ["ana"])
    #expect(try gate.text("LOGIN.CHECK ana payroll") == "ALLOW", "with the seat")

    try gate.ok("USER.MERGE ana bo")
    try gate.ok("UNDO \(try newest("ana"))")
    #expect(try gate.fields("USER.GET bo")["username"] == "bo")

    try gate.ok("USER.BULK SET department sales IDS 2 ana bo")
    let bulk = try newest("ana")
    try gate.ok("USER.SET bo department legal")
    #expect(
      try gate.refused("UNDO \(bulk)", with: "REFUSED")
        == "REFUSED undo: department of bo was changed since; change back by hand what is still to be; AUDIT.LIST shows"
        + " what was")
    try gate.ok("USER.SET bo department sales")
    try gate.ok("UNDO \(bulk)")
    #expect(try gate.fields("USER.GET ana")["department"] == nil)
    #expect(
      try gate.refused("UNDO 1", with: "REFUSED")
        == "REFUSED undo: record 1 cannot be taken back: its command is PRODUCT.CREATE; only USER.DELETE, USER.MERGE and"
        + " USER.BULK can, each in a record of its own; give the command that changes it back")
    try gate.ok("WORKSPACE.SET main policy.undo.window 0")
    try gate.ok("USER.DELETE bo REASON left")
    pause(.milliseconds(5))
    try gate.refused("UNDO \(try newest("bo"))", with: "REFUSED undo.window: record ")
  }

  @Test("B10: seats are exact while many want them; the holders are listed; a change tells that few are left")
  func seats() throws {
    try gate.ok("POOL.SET payroll office 10")
    for number in 0..<32 { try gate.ok("USER.CREATE u\(number) PRODUCT payroll NOINVITE") }
    let position = try #require(try gate.fields("AUDIT.HEAD")["lsn"])
    let answers = Mutex<[String]>([])
    try inParallel(32) { [server] index in
      let client = try server.client()
      let answer = try client.reply("LICENCE.ASSIGN u\(index) payroll office")
      answers.withLock { $0.append(answer.errorText ?? "OK") }
    }
    let all = answers.withLock { $0 }
    #expect(all.count { $0 == "OK" } == 9, "ana has one already")
    #expect(all.filter { $0 != "OK" }.allSatisfy { $0.hasPrefix("NOSEATS office bought 10, used 10 by ") })
    let holders = try gate.pages("POOL.HOLDERS payroll office")
    #expect(holders.count == 10 && holders.contains { $0["username"] == "ana" })
    #expect(holders.allSatisfy { $0.integer("since") != nil && $0["last-login"] == nil })
    let low = try gate.ok("FEED.READ \(position) TYPE seats-low").items[1].items.compactMap { Fields($0) }
    #expect(low.count == 1, "once, at 90 %")
    #expect(low.first?.changes.last == "seats-low type: office, bought: 10, used: 9")
  }

  @Test("B11: time entries keep every version, with who and why")
  func versions() throws {
    let entry = try #require(
      try gate.fields("ENTRY.ADD ana START 2026-03-02T09:00:00Z END 2026-03-02T10:00:00Z NOTE one")["entry"])
    let ana = try gate.loggedIn("ana", to: "planner")
    try ana.ok("ENTRY.CORRECT \(entry) NOTE two REASON typo")
    try ana.ok("ENTRY.DELETE \(entry) REASON 'booked twice'")
    let versions = try gate.list("ENTRY.HISTORY \(entry)")
    #expect(versions.map { $0["note"] } == ["one", "two", "two"])
    #expect(versions.map { $0["by"] } == ["local", "ana", "ana"])
    #expect(versions.map { $0["reason"] } == [nil, "typo", "booked twice"])
    #expect(versions.map { $0["deleted"] } == ["0", "0", "1"])
  }

  @Test("B12: sessions know address and agent, the policy caps them, and the person and a mailbox are told")
  func originsAndNotices() throws {
    let first = try gate.fields("SESSION.CREATE ana planner IP 192.0.2.7 AGENT 'Firefox on Linux'")
    let seen = try gate.fields("SESSION.GET \(first["id"] ?? "")")
    #expect(seen["ip"] == "192.0.2.7" && seen["agent"] == "Firefox on Linux")
    try gate.ok("WORKSPACE.SET main policy.session.max 2")
    let second = try gate.token(of: "ana", to: "planner")
    pause(.milliseconds(20))
    try gate.ok("SESSION.CHECK \(first["session"] ?? "")")
    try gate.ok("SESSION.CREATE ana payroll")
    #expect(try gate.list("SESSION.LIST ana").count == 2)
    #expect(try gate.isNull("SESSION.CHECK \(second)"), "the least used one ends")

    try gate.ok("USER.SET ana email ana@acme.test")
    try gate.ok("WORKSPACE.SET main policy.impersonation.notify both policy.impersonation.mailbox audit@acme.test")
    try gate.ok("IMPERSONATE.START \(try gate.token(of: "one", to: "planner")) ana REASON 'ticket 7'")
    let mails = try gate.list("MAIL.NEXT COUNT 10")
    #expect(
      Set(mails.map { "\($0["kind"] ?? "") \($0["to"] ?? "")" }) == [
        "impersonated ana@acme.test", "impersonation-reported audit@acme.test",
      ])
    #expect(mails.allSatisfy { $0["text"]?.contains("ticket 7") == true && $0["text"]?.contains("one") == true })
  }

  @Test("B13: a dangerous act waits for a second person, and both are recorded")
  func approvals() throws {
    try gate.ok("WORKSPACE.SET main policy.approval.needs user.delete")
    let (one, two) = (try gate.loggedIn("one", to: "planner"), try gate.loggedIn("two", to: "planner"))
    let kept = try one.fields("USER.DELETE bo REASON 'left the company'")
    let id = try #require(kept["approval"])
    #expect(kept["needs"] == "user.delete")
    #expect(try gate.text("LOGIN.CHECK bo planner") == "ALLOW")
    #expect(try two.list("APPROVAL.LIST").map { $0["command"] } == ["USER.DELETE bo REASON left the company"])
    #expect(
      try one.refused("APPROVAL.GRANT \(id)", with: "REFUSED")
        == "REFUSED approval: whoever asked for it cannot approve it; let another holder of user.delete do so")
    try two.ok("APPROVAL.GRANT \(id)")
    #expect(try gate.text("LOGIN.CHECK bo planner") == "DENY status-deleted")
    let record = try gate.record(of: "bo", by: "USER.DELETE")
    #expect(record["actor"] == "one" && record["reason"] == "left the company")
    let idOfOne = try #require(try gate.fields("USER.GET one")["id"])
    let idOfTwo = try #require(try gate.fields("USER.GET two")["id"])
    #expect(
      record.changes.last
        == "approval-decided requested-by: #\(idOfOne), workspace: main, granted: 1, command: USER.DELETE, reason: left the"
        + " company, approved-by: #\(idOfTwo)")

    let other = try #require(try one.fields("USER.DELETE ana REASON x")["approval"])
    try two.ok("APPROVAL.REFUSE \(other)")
    #expect(
      try two.refused("APPROVAL.GRANT \(other)", with: "NOTFOUND")
        == "NOTFOUND approval #\(other); APPROVAL.LIST names those that wait")
    #expect(try gate.text("LOGIN.CHECK ana planner") == "ALLOW")
  }

  @Test("B13: a request ends for good when whoever asked loses the right, also over a kill")
  func approvalsRestOnRights() throws {
    try gate.ok("WORKSPACE.SET main policy.approval.needs user.status")
    let one = try gate.loggedIn("one", to: "planner")
    let id = try #require(try one.fields("USER.STATUS bo inactive")["approval"])
    try gate.ok("ROLE.REVOKE one training-administrator")
    try gate.ok("ROLE.GRANT one training-administrator")
    server.kill()
    try server.start()
    let again = try server.client()
    let two = try again.loggedIn("two", to: "planner")
    #expect(try two.list("APPROVAL.LIST").isEmpty)
    try two.refused("APPROVAL.GRANT \(id)", with: "NOTFOUND approval #\(id)")
    #expect(try again.text("LOGIN.CHECK bo planner") == "ALLOW")
    #expect(try again.fields("AUDIT.VERIFY")["ok"] == "1")
  }
}
