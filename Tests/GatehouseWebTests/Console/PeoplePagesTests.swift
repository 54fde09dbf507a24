import GatehouseTestSupport
import GatehouseWire
import Testing

@testable import GatehouseWeb

@Suite("The console's people")
struct PeoplePagesTests {
  private static let three = [
    "USER.CREATE ana FIRST Ana LAST Silva DEPARTMENT Sales STATUS active NOINVITE PRODUCT payroll LICENCE payroll office",
    "USER.CREATE kai FIRST Kai LAST Nakamura DEPARTMENT Support STATUS active NOINVITE",
    "USER.CREATE leo FIRST Leo LAST Weber DEPARTMENT Sales STATUS active NOINVITE",
  ]

  // MARK: Adding

  @Test("P3, P4, S3: a typed name finds who is a contact already; of anybody else it is parted as the workspace has it")
  func startingWithAName() throws {
    let company = try ConsoleCompany([
      "WORKSPACE.SET main policy.contact.name-format last-first", "CONTACT.CREATE FIRST Ruth LAST Ode",
    ])
    let browser = try company.signedIn()
    #expect(!(try browser.get("/console/people/new").has("Nobody is called so yet")))
    for typed in ["ode", "Ode%2C%20Ruth", "ru%20od"] {
      let found = try browser.get("/console/people/new?who=\(typed)")
      #expect(found.has("Ode, Ruth") && found.body.contains("/console/people/new?contact="), "\(found.text)")
    }
    let nobody = try browser.get("/console/people/new?who=Berg%2C%20Nils%20Ole%20limit")
    #expect(nobody.status == 200 && nobody.has("Nobody is called so yet"), "\(nobody.text)")
    #expect(nobody.body.contains("value=\"Berg, Nils Ole limit\""))
    let bad = try browser.post("/console/people/new", [("name", "Berg, Nils Ole"), ("username", "")])
    #expect(bad.status >= 400 && bad.body.contains("value=\"Berg, Nils Ole\""))
    try browser.post("/console/people/new", [("name", "Berg, Nils Ole"), ("username", "nils")])
    let made = try company.gate.fields("USER.GET nils")
    #expect(made["first"] == "Nils" && made["middle"] == "Ole" && made["last"] == "Berg", "\(made)")
  }

  // MARK: The list

  @Test("filter, order, columns and size stand in the address, and the status is always shown")
  func list() throws {
    let company = try ConsoleCompany(Self.three)
    let browser = try company.signedIn()
    try browser.get("/console/people?department=Sales&sort=username&desc=1&column=username&column=department")
    let text = browser.page.text
    let leo = try #require(text.firstRange(of: " leo ")).lowerBound
    let ana = try #require(text.firstRange(of: " ana ")).lowerBound
    #expect(leo < ana)
    #expect(!text.contains(" kai "))
    #expect(browser.page.body.contains("badge good\">active"))
    #expect(browser.page.has("2 people"))
    #expect(browser.page.body.contains("aria-sort=\"descending\""))
    try browser.get("/console/people?status=nonsense&size=3&cursor=&sort=")
    #expect(browser.page.status == 200)
    #expect(browser.page.has("gatehouse cli USER.LIST WHERE workspace = main SORT last COUNT 50"))
  }

  @Test("pages lead through everybody once")
  func pages() throws {
    let company = try ConsoleCompany((1...60).map { "USER.CREATE user\($0) STATUS active NOINVITE" })
    let browser = try company.signedIn()
    var seen: [String] = []
    var target: String? = "/console/people?size=25"
    while let next = target, seen.count < 200 {
      try browser.get(next)
      seen += browser.page.body.matches(of: #/<a href="\/console\/people\/[0-9]+">([a-z0-9]+)</#).map { String($0.1) }
        .filter { $0.hasPrefix("user") }
      target = browser.page.body.firstMatch(of: #/<a href="([^"]*)" rel="next"/#).map {
        String($0.1).replacing("&amp;", with: "&")
      }
    }
    #expect(seen.count == 60)
    #expect(Set(seen).count == 60)
  }

  @Test("a view is saved in the browser, and is an address")
  func views() throws {
    let company = try ConsoleCompany(Self.three)
    let browser = try company.signedIn()
    try browser.get("/console/people?department=Sales")
    try browser.post(
      "/console/people/views", [("name", "Our sales & co"), ("query", browser.page.field("query") ?? "")])
    #expect(browser.page.target == "/console/people?department=Sales")
    try browser.get("/console/people")
    #expect(browser.page.has("Our sales & co"))
    #expect(browser.page.body.contains("/console/people?department=Sales"))
    try browser.post("/console/people/views/forget")
    #expect(!browser.page.has("Our sales & co"))
  }

  // MARK: Several at once

  @Test("several are changed after a trial, in one record that can be taken back")
  func bulk() throws {
    let company = try ConsoleCompany(Self.three)
    let browser = try company.signedIn()
    try browser.get("/console/people?department=Sales")
    let match = try #require(browser.page.field("match"))
    let trial = try browser.post(
      "/console/people/bulk", [("field", "division"), ("value", "north"), ("all", "1"), ("match", match)])
    #expect(trial.has("What would change"))
    #expect(try company.gate.fields("USER.GET ana")["division"] == nil)
    let hidden = [("field", "division"), ("value", "north"), ("all", "1"), ("match", match)]
    try browser.post("/console/people/bulk/apply", hidden + [("reason", "new office")])
    #expect(browser.page.has("2 of 2 people were changed"))
    for (name, division) in [("ana", "north"), ("leo", "north"), ("kai", nil)] {
      #expect(try company.gate.fields("USER.GET \(name)")["division"] == division)
    }
    #expect(try company.gate.record(of: "ana", by: "USER.BULK")["reason"] == "new office")
    let lsn = try #require(browser.page.field("lsn"))
    try browser.post("/console/undo", [("lsn", lsn), ("here", "/console/people")])
    #expect(browser.page.has("USER.BULK was taken back."))
    #expect(try company.gate.fields("USER.GET ana")["division"] == nil)
  }

  @Test("who is refused is shown with the rule, reported, and the others can be changed without them")
  func bulkRefused() throws {
    let company = try ConsoleCompany(Self.three)
    let browser = try company.signedIn()
    let ids = try ["sam", "leo"].map { ("id", try company.id($0)) }
    try browser.get("/console/people")
    // Sam is the only super administrator.
    let fields = [("field", "status"), ("value", "inactive")]
    let page = try browser.post("/console/people/bulk", fields + ids)
    #expect(page.has("1 of 2 would be refused"))
    #expect(page.has("sam"))
    let report = try browser.post("/console/people/bulk/report", fields + ids, from: page)
    #expect(report.headers.contains { $0.name == "content-disposition" && $0.value.contains("bulk-status.csv") })
    let lines = report.body.split(separator: "\r\n")
    #expect(lines.count == 3)
    #expect(lines.contains { $0.contains("sam") && $0.contains("refused") })
    #expect(lines.contains { $0.contains("leo") && $0.contains("would change") })
    try browser.post("/console/people/bulk/apply", fields + [ids[1], ("reason", "left")], from: page)
    #expect(browser.page.has("1 of 1 people were changed"))
    #expect(try company.gate.fields("USER.GET leo")["status"] == "inactive")
    #expect(try company.gate.fields("USER.GET sam")["status"] == "active")
  }

  // MARK: One person

  @Test("a person is added with a licence, and the errors of the form stand in it")
  func adding() throws {
    let company = try ConsoleCompany()
    let browser = try company.signedIn()
    try browser.get("/console/people/new")
    let fields = [
      ("username", "mia"), ("first", "Mia"), ("last", "Berg"), ("email", "mia@acme.example"), ("product", "payroll"),
      ("licence:payroll", "office"), ("status", "active"), ("reason", "starts on Monday"),
    ]
    let bad = try browser.post("/console/people/new", fields + [("timezone", "Mars/Base")])
    #expect(bad.status == 400)
    #expect(bad.body.contains("value=\"Mia\""))
    #expect(try company.gate.integer("USER.COUNT") == 1)
    try browser.post("/console/people/new", fields)
    #expect(browser.page.has("mia was added."))
    #expect(try company.gate.text("LOGIN.CHECK mia payroll") == "ALLOW")
    #expect(try company.gate.list("POOL.LIST payroll").first?["used"] == "1")
    #expect(try company.gate.record(of: "mia", by: "USER.CREATE")["actor"] == "sam")
  }

  @Test("the same form sent twice, and once more after a crash, is carried out once")
  func once() throws {
    let company = try ConsoleCompany()
    let browser = try company.signedIn()
    let page = try browser.get("/console/people/new")
    try browser.post("/console/people/new", [("username", "mia")], from: page)
    let first = browser.page.target
    try browser.post("/console/people/new", [("username", "mia")], from: page)
    #expect(browser.page.target == first)
    company.server.kill()
    try company.server.start()
    try browser.post("/console/people/new", [("username", "mia")], from: page)
    #expect(browser.page.target == first)
    #expect(browser.page.has("mia was added."))
    let gate = try company.server.client()
    #expect(try gate.integer("USER.COUNT") == 2)
    #expect(try gate.pages("AUDIT.LIST USER mia").count { $0["command"] == "USER.CREATE" } == 1)
  }

  @Test("an edit sets what is different, and nothing that somebody else has changed meanwhile")
  func edit() throws {
    let company = try ConsoleCompany(Self.three)
    let browser = try company.signedIn()
    let ana = try company.id("ana")
    let page = try browser.get("/console/people/\(ana)/edit")
    let version = ("version", page.field("version") ?? "")
    try browser.post(
      "/console/people/\(ana)/edit", [("phone", "123"), ("department", "Sales"), version, ("reason", "called")])
    #expect(browser.page.has("ana was changed."))
    let record = try company.gate.record(of: "ana", by: "USER.SET")
    #expect(record.shown("changes").contains("phone") && !record.shown("changes").contains("department"))
    let stale = try browser.post("/console/people/\(ana)/edit", [("phone", "456"), version], from: page)
    #expect(stale.has("Somebody has changed it meanwhile"))
    #expect(try company.gate.fields("USER.GET ana")["phone"] == "123")
  }

  @Test("a login is deleted after a trial, with a reason, and taken back")
  func delete() throws {
    let company = try ConsoleCompany(Self.three)
    let browser = try company.signedIn()
    let ana = try company.id("ana")
    let page = try browser.get("/console/people/\(ana)/delete")
    #expect(page.has("Who would lose or gain a login"))
    #expect(page.has("Seats"))
    #expect(try company.gate.text("LOGIN.CHECK ana payroll") == "ALLOW")
    try browser.post("/console/people/\(ana)/delete", [("reason", "left the company")])
    #expect(browser.page.has("The login of ana was deleted."))
    #expect(try company.gate.text("LOGIN.CHECK ana payroll") == "DENY status-deleted")
    try browser.post("/console/undo", [("lsn", browser.page.field("lsn") ?? ""), ("here", "/console/people/\(ana)")])
    #expect(try company.gate.text("LOGIN.CHECK ana payroll") == "ALLOW")
  }

  @Test("two logins of one person are merged, and a deleted one is restored")
  func mergeAndRestore() throws {
    let company = try ConsoleCompany(Self.three)
    let browser = try company.signedIn()
    let ana = try company.id("ana")
    try browser.get("/console/people/\(ana)/merge?drop=leo")
    #expect(browser.page.has("Merge leo into ana?"))
    try browser.post("/console/people/\(ana)/merge", [("drop", "leo"), ("reason", "the same person")])
    #expect(try company.gate.fields("USER.GET leo")["id"] == ana)
    let kai = try company.id("kai")
    try company.gate.ok("USER.DELETE kai REASON left")
    try browser.get("/console/people/\(kai)")
    #expect(browser.page.has("Restore"))
    try browser.get("/console/people/\(kai)/restore")
    try browser.post("/console/people/\(kai)/restore", [("username", "kai")])
    #expect(browser.page.has("kai has a login again"))
    #expect(try company.gate.fields("USER.GET kai")["status"] == "active")
  }

  @Test("more people than one command takes are changed in parts, and the report has all of them")
  func bulkOfMany() throws {
    let company = try ConsoleCompany()
    let names = (1...1100).map { "crowd\($0)" }
    for start in stride(from: 0, to: names.count, by: 500) {
      let part = names[start..<min(start + 500, names.count)]
      let words = ["USER.CREATEMANY", "NOINVITE", "FIELDS", "1", "username", "ROWS", String(part.count)] + part
      let replies = try company.gate.pipeline([words])
      #expect(replies.first?.errorText == nil, "\(replies)")
    }
    let browser = try company.signedIn()
    try browser.get("/console/people?size=25")
    #expect(browser.page.has("All 1101 who match"))
    let match = browser.page.field("match") ?? ""
    let fields = [("field", "department"), ("value", "Crowd"), ("match", match), ("all", "1")]
    let report = try browser.post("/console/people/bulk/report", fields)
    #expect(report.body.split(separator: "\r\n").count == 1 + 1101)
    try browser.get("/console/people")
    try browser.post("/console/people/bulk", fields)
    #expect(browser.page.has("This is done in 2 parts"), "\(browser.page.text.prefix(400))")
    try browser.post("/console/people/bulk/apply", fields + [("reason", "a new department")])
    #expect(browser.page.has("1101 of 1101 people were changed: department is Crowd. In 2 parts"))
    #expect(try company.gate.integer("USER.COUNT WHERE department = Crowd") == 1101)
  }

  @Test("a bulk change that changes nothing offers no Undo")
  func bulkOfNothing() throws {
    let company = try ConsoleCompany(Self.three)
    let browser = try company.signedIn()
    let ana = try company.id("ana")
    try browser.get("/console/people")
    for text in ["1 of 1", "0 of 1"] {
      try browser.get("/console/people")
      try browser.post(
        "/console/people/bulk/apply",
        [("field", "department"), ("value", "Desk"), ("id", ana), ("match", ""), ("reason", "moved")])
      #expect(browser.page.has("\(text) people were changed"))
      #expect(browser.page.body.contains("/console/undo") == (text == "1 of 1"))
    }
  }

  @Test("a mistake in a filter leaves the page, with what was typed")
  func filterMistakes() throws {
    let company = try ConsoleCompany(Self.three)
    let browser = try company.signedIn()
    for query in ["role=manger", "product=payrol", "field=frist&op==&value=x", "sort=nonsense"] {
      let page = try browser.get("/console/people?" + query)
      #expect(page.status >= 400, "\(query)")
      #expect(page.body.contains("id=\"filter\"") && page.has("Reset"), "\(query)")
      let typed = String(query.prefix { $0 != "&" }.split(separator: "=").last ?? "")
      #expect(page.body.contains("value=\"\(typed)\""), "\(query)")
    }
  }

  @Test("who is called exactly so is found first")
  func exactName() throws {
    let company = try ConsoleCompany(
      (1...30).map { "USER.CREATE kai.\($0) FIRST Kai LAST Aa\($0) STATUS active NOINVITE" } + [
        "USER.CREATE kai FIRST Zed LAST Zz STATUS active NOINVITE"
      ])
    let page = try company.signedIn().get("/console/search?q=KAI")
    let first = page.body.firstMatch(of: #/<td[^>]*><a href="\/console\/people\/[0-9]+">([^<]+)</#)
    #expect(first.map { String($0.1) } == "kai")
    #expect(page.has("Trail of kai "))
  }

  @Test("sessions and keys are ended one by one")
  func sessions() throws {
    let company = try ConsoleCompany(Self.three)
    let first = try company.gate.token(of: "ana", to: "payroll")
    let second = try company.gate.token(of: "ana", to: "payroll")
    let key = try company.gate.fields("APIKEY.CREATE ana NAME export")
    let browser = try company.signedIn()
    let ana = try company.id("ana")
    try browser.get("/console/people/\(ana)")
    #expect(browser.page.has("export"))
    let session = try company.gate.fields("SESSION.CHECK", first)["id"] ?? ""
    try browser.post("/console/people/\(ana)/session-end", [("session", session)])
    #expect(browser.page.has("The session has ended."))
    #expect(try company.gate.isNull("SESSION.CHECK", first))
    #expect(try !company.gate.isNull("SESSION.CHECK", second))
    try browser.post("/console/people/\(ana)/key-end", [("key", key["id"] ?? "")])
    #expect(try company.gate.isNull("APIKEY.CHECK", key["key"] ?? ""))
  }

  @Test("roles are granted and revoked, and products opened and closed")
  func access() throws {
    let company = try ConsoleCompany(Self.three)
    let browser = try company.signedIn()
    let kai = try company.id("kai")
    try browser.get("/console/people/\(kai)/role")
    try browser.post("/console/people/\(kai)/role", [("role", "manager"), ("kind", "workspace"), ("of", "main")])
    #expect(
      try company.gate.list("ROLE.LIST kai").contains { $0["role"] == "manager" && $0["scope"] == "workspace main" })
    try browser.post("/console/people/\(kai)/role-revoke", [("role", "manager"), ("scope", "workspace main")])
    #expect(try !company.gate.list("ROLE.LIST kai").contains { $0["role"] == "manager" })
    try browser.get("/console/people/\(kai)/access?product=payroll")
    #expect(browser.page.has("office, 2 left"))
    try browser.post(
      "/console/people/\(kai)/access",
      [("product", "payroll"), ("kind", "regular"), ("licence", "office"), ("until", "2090-01-01T00:00:00Z")])
    #expect(try company.gate.text("LOGIN.CHECK kai payroll") == "ALLOW")
    try browser.post("/console/people/\(kai)/access-end", [("product", "payroll"), ("reason", "moved")])
    #expect(try company.gate.text("LOGIN.CHECK kai payroll") == "DENY product-disabled")
  }

  @Test("buttons exist only where the server would do it")
  func buttons() throws {
    let company = try ConsoleCompany(
      Self.three + [
        "ROLE.DEFINE helpdesk user.read user.status session.read WORKSPACE main", "PRODUCT.ENABLE kai console",
        "ROLE.GRANT kai helpdesk WORKSPACE main",
      ])
    try company.gate.ok("PASSWORD.SET", "kai", ConsoleCompany.password)
    let browser = try company.signedIn("kai")
    let ana = try company.id("ana")
    try browser.get("/console/people/\(ana)")
    #expect(browser.page.has("Deactivate"))
    for absent in ["Edit", "Rename", "Delete the login", "Anonymise", "Grant a role", "Keep out", "End all"] {
      #expect(!browser.page.has(absent), "\(absent)")
    }
    #expect(try !browser.get("/console/people").has("Add a person"))
    try browser.get("/console/people/\(ana)/status?to=inactive")
    let refused = try browser.post("/console/people/\(ana)/delete", [("reason", "because")])
    #expect(refused.status == 403)
    #expect(refused.has("You may not do this"))
    #expect(try company.gate.fields("USER.GET ana")["status"] == "active")
  }

  // MARK: Trail and search

  @Test("the trail stands beside a person, and is exported and verified")
  func trail() throws {
    let company = try ConsoleCompany(Self.three)
    try company.gate.ok("USER.SET", "ana", "phone", "=1+2", "REASON", "asked for it")
    let browser = try company.signedIn()
    let ana = try company.id("ana")
    try browser.get("/console/people/\(ana)")
    #expect(browser.page.has("USER.SET") && browser.page.has("“asked for it”"))
    let csv = try browser.get("/console/people/\(ana)/trail/export?format=csv")
    #expect(csv.headers.contains { $0.name == "content-type" && $0.value == "text/csv; charset=utf-8" })
    // A spreadsheet must not take it for a formula.
    #expect(csv.body.contains(",phone,,'=1+2"))
    let json = try browser.get("/console/people/\(ana)/trail/export?format=json")
    #expect(json.body.contains(#""reason":"asked for it""#))
    try browser.get("/console/people/\(ana)/trail")
    try browser.post("/console/people/\(ana)/trail/verify")
    #expect(browser.page.has("Verified to LSN"))
  }

  @Test("what can be taken back can be from the trail, as long as the server would")
  func undoFromTrail() throws {
    let company = try ConsoleCompany(["USER.CREATE ana STATUS active NOINVITE", "USER.DELETE ana REASON left"])
    let browser = try company.signedIn()
    let lsn = try #require(try company.gate.record(of: "ana", by: "USER.DELETE")["lsn"])
    let address = "/console/undo?lsn=\(lsn)"
    #expect(try browser.get("/console/trail").body.contains(address))
    #expect(try browser.get("/console/people/\(company.id("ana"))").body.contains(address))
    #expect(try browser.get(address).has("Take back record \(lsn)?"))
    #expect(try browser.post("/console/undo", [("lsn", lsn), ("reason", "by mistake")]).has("was taken back"))
    #expect(try company.gate.fields("USER.GET ana")["status"] == "active")
    #expect(try !browser.get("/console/trail").body.contains(address))
  }

  @Test("of a record about many, a person's own change comes first in their trail")
  func ownChangeFirst() throws {
    let many = (0..<30).map { "USER.CREATE u\($0) STATUS active NOINVITE" }
    let company = try ConsoleCompany(many + ["USER.BULK SET department sales WHERE username ^= u"])
    let browser = try company.signedIn()
    for name in ["u3", "u29"] {
      let id = try company.id(name)
      for page in ["", "/trail"] {
        let records = try browser.get("/console/people/\(id)\(page)").body.split(separator: "<code>USER.BULK</code>")
        let first = try #require(records.last?.split(separator: "<ul><li>").dropFirst().first?.prefix(120))
        #expect(first.contains("#\(id)") || first.contains(name), "\(name): \(first)")
      }
    }
  }

  @Test("an edit form has only what the reader may change; whose fields others are is said")
  func editOfOneself() throws {
    let company = try ConsoleCompany([
      "USER.CREATE ana STATUS active NOINVITE PRODUCT console EMAIL ana@acme.test", "USER.SET ana authority 1",
    ])
    try company.gate.ok("PASSWORD.SET", "ana", ConsoleCompany.password)
    let browser = try company.signedIn("ana")
    let id = try company.id("ana")
    let form = try browser.get("/console/people/\(id)/edit")
    #expect(form.has("Not to be changed by you here"), "\(form.text)")
    #expect(form.field("phone") != nil && form.field("department") == nil && form.field("authority") == nil)
    let shown = try #require(form.field("shown"))
    try browser.post("/console/people/\(id)/edit", [("shown", shown), ("phone", "123")])
    let card = try company.gate.fields("USER.GET ana")
    #expect(card["phone"] == "123" && card["authority"] == "1", "what was not shown stays")
  }

  @Test("the workspace's own fields are columns, and can be set for many")
  func ownFields() throws {
    let company = try ConsoleCompany(["FIELD.DEFINE shirt text WORKSPACE main", "USER.CREATE ana NOINVITE"])
    let browser = try company.signedIn()
    #expect(try browser.get("/console/people").body.contains("value=\"shirt\""))
    let change = [("field", "shirt"), ("value", "L"), ("id", try company.id("ana")), ("match", "status=new")]
    let trial = try browser.post("/console/people/bulk", change)
    #expect(trial.has("shirt") && trial.body.contains("href=\"/console/people?status=new\""), "\(trial.text)")
    let done = try browser.post("/console/people/bulk/apply", change + [("reason", "ordered")])
    #expect(done.has("1 of 1 people were changed"), "\(done.text)")
    #expect(try browser.get("/console/people?column=shirt").has("L"))
  }

  @Test("one box finds people, their keys and records, by the beginnings of words")
  func search() throws {
    let company = try ConsoleCompany(Self.three)
    try company.gate.ok("APIKEY.CREATE ana NAME 'night export'")
    let browser = try company.signedIn()
    try browser.get("/console/search?q=sil+an")
    #expect(browser.page.has("Ana Silva") && browser.page.has("night export") && !browser.page.has("Kai"))
    #expect(browser.page.has("Trail of ana"))
    #expect(try browser.get("/console/search?q=%23\(company.id("kai"))").has("Kai Nakamura"))
    #expect(try browser.get("/console/search?q=zzz").has("Nobody is called so"))
    // A word that is an option of the command is still only a word.
    #expect(try browser.get("/console/search?q=LIMIT").status == 200)
  }

  @Test("the workspace that is looked at is the one whose people are listed")
  func workspace() throws {
    let company = try ConsoleCompany(
      Self.three + [
        "WORKSPACE.CREATE academy", "USER.CREATE ingrid WORKSPACE academy STATUS active NOINVITE",
      ])
    let browser = try company.signedIn()
    #expect(!browser.page.has("ingrid"))
    try browser.get("/console/workspace")
    try browser.post("/console/workspace", [("workspace", "academy")])
    #expect(browser.page.has("ingrid") && !browser.page.has("Ana Silva"))
    #expect(try browser.post("/console/workspace", [("workspace", "nowhere")]).status == 404)
  }
}
