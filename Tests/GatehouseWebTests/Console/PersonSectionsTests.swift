import GatehouseTestSupport
import Testing

@testable import GatehouseWeb

/// What hangs on a person: employments, whom they look after, linked records, time, licence, status.
@Suite("The console: what hangs on a person", .blocking)
struct PersonSectionsTests {
  private static let company = [
    "ACCOUNT.CREATE Acme CUSTOMER", "ACCOUNT.CREATE Mill CUSTOMER",
    "USER.CREATE ana FIRST Ana LAST Silva STATUS active NOINVITE PRODUCT payroll LICENCE payroll office",
    "USER.CREATE leo STATUS active NOINVITE",
    "ROLE.DEFINE reader user.read time.read WORKSPACE main",
    "USER.CREATE rita STATUS active NOINVITE PRODUCT console", "ROLE.GRANT rita reader WORKSPACE main",
  ]

  /// A company in which sam looks at ana.
  private struct Scene {
    let company: ConsoleCompany
    let browser: Browser
    let ana: String

    init(_ setUp: [String] = []) throws {
      company = try ConsoleCompany(PersonSectionsTests.company + setUp)
      browser = try company.signedIn()
      ana = try company.id("ana")
      try browser.get("/console/people/\(ana)")
    }

    func post(_ path: String, _ fields: [(String, String)]) throws -> HTTPPage {
      try browser.post("/console/people/\(ana)/\(path)", fields)
    }
  }

  @Test("an employment is added, changed to the main one, and ended after a trial")
  func employment() throws {
    let scene = try Scene()
    #expect(try scene.browser.get("/console/people/\(scene.ana)/employ").has("main/Acme"))
    #expect(
      try scene.post("employ", [("account", "main/Acme"), ("from", "2026-01-01")]).has("ana works for main/Acme"))
    _ = try scene.post("employ", [("account", "main/Mill"), ("from", "soon")])
    #expect(scene.browser.page.status == 400)
    #expect(try scene.company.gate.list("EMPLOY.LIST ana").count == 1)
    _ = try scene.post("employ", [("account", "main/Mill")])
    try scene.browser.get("/console/people/\(scene.ana)/employment?account=main/Mill")
    _ = try scene.post(
      "employment", [("account", "main/Mill"), ("from", "2026-02-01"), ("to", ""), ("main", "1"), ("reason", "moved")])
    let list = try scene.company.gate.list("EMPLOY.LIST ana")
    #expect(list.first { $0["account"] == "Mill" }.map { [$0["main"], $0["from"]] } == ["1", "2026-02-01"])
    #expect(try scene.company.gate.record(of: "ana", by: "EMPLOY.SET")["reason"] == "moved")
    try scene.browser.get("/console/people/\(scene.ana)/employment-end?account=main/Mill")
    #expect(scene.browser.page.has("What would change"))
    #expect(try scene.company.gate.list("EMPLOY.LIST ana").count { $0["current"] == "1" } == 2)
    _ = try scene.post("employment-end", [("account", "main/Mill"), ("reason", "left")])
    #expect(try scene.company.gate.list("EMPLOY.LIST ana").count { $0["current"] == "1" } == 1)
  }

  @Test("somebody looks after a person and an account, and no longer")
  func managed() throws {
    let scene = try Scene()
    #expect(
      try scene.post("manage", [("kind", "USER"), ("managed", "leo"), ("workspace", "main")]).has(
        "ana looks after leo now."))
    #expect(
      try scene.post("manage", [("kind", "ACCOUNT"), ("managed", "Nowhere"), ("workspace", "main")]).status == 404)
    _ = try scene.post("manage", [("kind", "ACCOUNT"), ("managed", "Acme"), ("workspace", "main")])
    #expect(try scene.company.gate.list("MANAGE.LIST ana").count == 2)
    let leo = try scene.company.id("leo")
    _ = try scene.post("manage-end", [("kind", "USER"), ("managed", "#\(leo)"), ("workspace", "main")])
    #expect(try scene.company.gate.list("MANAGE.LIST ana").map { $0["name"] } == ["Acme"])
  }

  @Test("a record of another system is linked, changed and removed")
  func links() throws {
    let scene = try Scene()
    let fields = [("kind", "delegate"), ("ref", "First aid"), ("workspace", "main"), ("status", "booked")]
    _ = try scene.post("link", fields + [("attribute", "date"), ("value", "2026-12-01")])
    #expect(scene.browser.page.has("First aid is linked."))
    let link = try #require(try scene.company.gate.pages("LINK.LIST ana").first?["link"])
    #expect(try scene.browser.get("/console/people/\(scene.ana)/link/\(link)").body.contains("2026-12-01"))
    _ = try scene.post("link/\(link)", [("status", "attended"), ("a:date", "")])
    let changed = try #require(try scene.company.gate.pages("LINK.LIST ana").first)
    #expect(changed["status"] == "attended")
    #expect(!changed.shown("attributes").contains("2026"))
    let trial = try scene.browser.get("/console/people/\(scene.ana)/link/\(link)/remove")
    #expect(trial.has("What would change"), "\(trial.text)")
    _ = try scene.post("link/\(link)/remove", [("reason", "booked twice")])
    #expect(try scene.company.gate.pages("LINK.LIST ana").isEmpty)
  }

  @Test("time is added by hand, corrected and deleted; moments are taken in UTC and with a zone")
  func entries() throws {
    let scene = try Scene()
    _ = try scene.post(
      "time/new",
      [
        ("start", "2026-11-20T08:00"), ("end", "2026-11-20T10:30:00+01:00"), ("project", "Audit"),
        ("workspace", "main"),
      ])
    let entry = try #require(try scene.company.gate.pages("ENTRY.LIST ana").first)
    #expect(try #require(entry.integer("end")) - #require(entry.integer("start")) == 90 * 60_000)
    let id = try #require(entry["entry"])
    try scene.browser.get("/console/entries/\(id)")
    #expect(scene.browser.page.has("Correct it"))
    #expect(scene.browser.page.body.contains("value=\"2026-11-20T09:30:00\""))
    let correction = [("start", "2026-11-20T08:00:00"), ("end", "2026-11-20T09:00:00"), ("note", "left early")]
    try scene.browser.post("/console/entries/\(id)", correction + [("reason", "forgot")])
    #expect(scene.browser.page.has("The entry is corrected."))
    let bad = try scene.browser.post(
      "/console/entries/\(id)", [("start", "yesterday"), ("end", "2026-11-20T09:00:00")])
    #expect(bad.has("yesterday"))
    #expect(try scene.company.gate.list("ENTRY.HISTORY \(id)").count == 2)
    #expect(try scene.browser.get("/console/entries/\(id)/delete").has("What would change"))
    try scene.browser.post("/console/entries/\(id)/delete", [("reason", "twice")])
    #expect(try scene.company.gate.pages("ENTRY.LIST ana").isEmpty)
  }

  @Test("a stopped timer leads to its entry, which can be corrected at once")
  func stopped() throws {
    let scene = try Scene(["TIMER.START ana PROJECT Audit"])
    try scene.browser.get("/console/timers/\(scene.ana)/stop")
    try scene.browser.post("/console/timers/\(scene.ana)/stop", [("reason", "forgotten")])
    #expect(scene.browser.page.has("Correct it"))
    #expect(scene.browser.page.target.hasPrefix("/console/entries/"))
  }

  @Test("a licence is taken while the access stays, and any status is set after a trial")
  func licenceAndStatus() throws {
    let scene = try Scene()
    #expect(try scene.browser.get("/console/people/\(scene.ana)/licence-end?product=payroll").has("Seats"))
    _ = try scene.post("licence-end", [("product", "payroll"), ("reason", "saves money")])
    #expect(try scene.company.gate.text("LOGIN.CHECK ana payroll") == "DENY no-licence")
    #expect(try scene.browser.get("/console/people/\(scene.ana)/status").has("pending"))
    #expect(try scene.browser.get("/console/people/\(scene.ana)/status?to=pending").has("What would change"))
    _ = try scene.post("status", [("status", "pending"), ("reason", "trial")])
    #expect(try scene.company.gate.fields("USER.GET ana")["status"] == "pending")
  }

  @Test("the password is set by an administrator, and a lost second factor and all keys are taken away")
  func signInCare() throws {
    let scene = try Scene(["APIKEY.CREATE ana NAME ci"])
    let differ = [("password", "quiet pond in march"), ("again", "quiet pond in may")]
    #expect(try scene.post("set-password", differ).has("the two passwords differ"))
    let same = [("password", "quiet pond in march"), ("again", "quiet pond in march")]
    _ = try scene.post("set-password", same)
    #expect(scene.browser.page.has("ana has another password"))
    #expect(!scene.browser.page.body.contains("quiet pond"))
    let login = try scene.company.gate.fields("LOGIN.PASSWORD", "ana", "payroll", "quiet pond in march")
    #expect(login["decision"] == "ALLOW")
    _ = try scene.post("keys-end", [])
    #expect(try scene.company.gate.integer("APIKEY.COUNT ana") == 0)
    let address = try scene.company.gate.text("TOTP.ENROL ana")
    let code = try #require(Authenticator(address)).code()
    _ = try scene.company.gate.ok("TOTP.CONFIRM ana \(code)")
    #expect(try scene.browser.get("/console/people/\(scene.ana)/factor-end").has("Go ahead?"))
    _ = try scene.post("factor-end", [("reason", "lost phone")])
    #expect(try scene.company.gate.fields("TOTP.GET ana")["enrolled"] == "0")
  }

  @Test("who may only read sees what there is and no way to change it")
  func reader() throws {
    let scene = try Scene(["EMPLOY.ADD ana Acme", "LINK.ADD ana task T1", "MANAGE.ADD ana USER leo"])
    try scene.company.gate.ok("PASSWORD.SET", "rita", ConsoleCompany.password)
    let browser = try scene.company.signedIn("rita")
    let page = try browser.get("/console/people/\(scene.ana)")
    for shown in ["Acme", "T1", "Looks after"] { #expect(page.has(shown)) }
    for hidden in ["/employ\"", "/link\"", "/manage\"", "/time/new", "/set-password", "/licence-end", "/leave"] {
      #expect(!page.body.contains(hidden), "\(hidden)")
    }
    for (path, fields) in [
      ("employ", [("account", "main/Mill")]),
      ("manage", [("kind", "USER"), ("managed", "sam"), ("workspace", "main")]),
      ("link", [("kind", "task"), ("ref", "T2"), ("workspace", "main")]),
      ("set-password", [("password", "quiet pond in march"), ("again", "quiet pond in march")]),
      ("licence-end", [("product", "payroll")]),
      ("time/new", [("start", "2026-11-20T08:00"), ("end", "2026-11-20T09:00"), ("workspace", "main")]),
    ] {
      #expect(try browser.post("/console/people/\(scene.ana)/\(path)", fields, from: page).status == 403, "\(path)")
    }
  }
}
