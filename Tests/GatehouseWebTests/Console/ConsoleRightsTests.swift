import Foundation
import GatehouseTestSupport
import Testing

@testable import GatehouseWeb

@Suite("The console's buttons and what the server allows", .blocking)
struct ConsoleRightsTests {
  private static let academy = [
    "WORKSPACE.CREATE academy", "USER.CREATE sven WORKSPACE academy STATUS active NOINVITE",
    "WORKSPACE.SET academy policy.password.admin-sets-final on", "PRODUCT.ENABLE sven console",
    "WORKSPACE.TRANSFER academy sven", "USER.CREATE leo STATUS active NOINVITE",
  ]

  private func signedIn(_ company: ConsoleCompany, _ username: String) throws -> Browser {
    try company.gate.ok("PASSWORD.SET", username, ConsoleCompany.password)
    return try company.signedIn(username)
  }

  @Test("WEB 10: the owner of a workspace is offered nothing that needs the whole server")
  func owner() throws {
    let company = try ConsoleCompany(Self.academy)
    let browser = try signedIn(company, "sven")
    #expect(!(try browser.get("/console/workspaces").has("Add a workspace")))
    let sven = try company.id("sven")
    #expect(!(try browser.get("/console/people/\(sven)/trail").has("Verify the chain")))
    #expect(!(try browser.get("/console/trail").has("Verify now")))
    let everything = try company.signedIn()
    #expect(try everything.get("/console/workspaces").has("Add a workspace"))
    #expect(try everything.get("/console/people/\(sven)/trail").has("Verify the chain"))
    #expect(try everything.get("/console/trail").has("Verify now"))
    #expect(try everything.get("/console/people/\(sven)").has("Merge with another"))
    // What is saved without the right says so.
    let page = try browser.get("/console/workspaces/academy")
    #expect(page.status == 200)
    let refused = try browser.post("/console/roles/define", [("name", "x"), ("permission", "server.manage")])
    #expect(refused.status >= 400 && refused.has("You may not do this"), "\(refused.text)")
    let other = try browser.post("/console/workspaces/main", [("plan", "enterprise"), ("reason", "x")])
    #expect(other.status >= 400)
  }

  @Test("WEB 10: who may do much in one workspace is offered nothing of it in another, where they only read")
  func elsewhere() throws {
    let company = try ConsoleCompany(
      Self.academy + [
        "ROLE.GRANT sven super-administrator WORKSPACE academy", "ROLE.DEFINE clerk user.read pool.read",
        "ROLE.GRANT sven clerk WORKSPACE main",
      ])
    let browser = try signedIn(company, "sven")
    let everything = try company.signedIn()
    let leo = "/console/people/\(try company.id("leo"))"
    let page = try browser.get(leo)
    #expect(page.status == 200 && page.has("leo"), "\(page.text)")
    #expect(!page.has("Add an employment") && !page.body.contains("\(leo)/manage\""), "\(page.text)")
    let whole = try everything.get(leo)
    #expect(whole.has("Add an employment") && whole.body.contains("\(leo)/manage\""), "\(whole.text)")
    // They look at their own workspace at first.
    #expect(try browser.get("/console/fields").has("Add a field, or change one"))
    #expect(try browser.get("/console/webhooks").has("Add a webhook"))
    try browser.get("/console/workspace")
    try browser.post("/console/workspace", [("workspace", "main")])
    #expect(!(try browser.get("/console/fields").has("Add a field, or change one")))
    #expect(try everything.get("/console/fields").has("Add a field, or change one"))
    #expect(!(try browser.get("/console/webhooks").has("Add a webhook")))
    #expect(try everything.get("/console/webhooks").has("Add a webhook"))
    // At home they are.
    let sven = "/console/people/\(try company.id("sven"))"
    #expect(try browser.get(sven).has("Add an employment"))
  }

  @Test("Rename is offered to who may, whatever names there are, and its rule to who acts as somebody")
  func rename() throws {
    let company = try ConsoleCompany(Self.academy + ["USER.CREATE leo.new STATUS active NOINVITE"])
    let browser = try company.signedIn()
    let leo = try company.id("leo")
    #expect(try browser.get("/console/people/\(leo)").body.contains("/console/people/\(leo)/rename"))
    try company.gate.ok("USER.CREATE tara STATUS active NOINVITE")
    try company.gate.ok("ROLE.GRANT tara training-administrator WORKSPACE main")
    let tara = try company.id("tara")
    try browser.get("/console/people/\(tara)/log-in-as")
    try browser.post("/console/people/\(tara)/log-in-as", [("why", "support")])
    let page = try browser.get("/console/people/\(leo)")
    #expect(page.body.contains("acts as <strong>tara"), "\(page.body)")
    #expect(
      page.has("Rename a username cannot be changed while impersonating") || page.has("Rename impersonation:"),
      "\(page.text)")
    #expect(!page.body.contains("/console/people/\(leo)/role\""))
    #expect(page.has("Grant a role impersonation:") || !page.has("Grant a role"), "\(page.text)")
  }

  @Test("WEB 10: no link of the navigation leads to what is not shown")
  func navigation() throws {
    let company = try ConsoleCompany(
      Self.academy + ["USER.CREATE kai FIRST Kai STATUS active NOINVITE PRODUCT console"])
    for (user, hidden, shown) in [
      ("sven", ["/console/services", "/console/nodes"], ["/console/people", "/console/webhooks"]),
      ("kai", ["/console/people", "/console/services", "/console/nodes"], ["/console/approvals"]),
      ("sam", [], ["/console/people", "/console/services", "/console/nodes"]),
    ] {
      let browser = user == "sam" ? try company.signedIn() : try signedIn(company, user)
      let links = Set(browser.page.body.matches(of: /href="(\/console\/[a-z-]+)"/).map { String($0.1) })
      #expect(links.isDisjoint(with: hidden) && links.isSuperset(of: shown), "\(user): \(links.sorted())")
      for link in links { #expect(try browser.get(link).status == 200, "\(user): \(link)") }
    }
  }

  @Test("WEB 10: an account or a group that is in use is not offered to be deleted")
  func accountsInUse() throws {
    let company = try ConsoleCompany([
      "ACCOUNT.CREATE Used CUSTOMER", "ACCOUNT.CREATE Free CUSTOMER", "USER.CREATE ana NOINVITE ACCOUNT Used",
    ])
    let page = try company.signedIn().get("/console/accounts")
    #expect(page.body.contains("accounts/delete?id=main%2FFree"), "\(page.body)")
    #expect(!page.body.contains("accounts/delete?id=main%2FUsed"), "\(page.body)")
  }

  @Test("W1: the home of somebody is moved by a button to a workspace of theirs")
  func moving() throws {
    let company = try ConsoleCompany([
      "WORKSPACE.CREATE academy", "USER.CREATE ana NOINVITE", "WORKSPACE.MEMBER academy ana",
    ])
    let browser = try company.signedIn()
    let ana = try company.id("ana")
    let leave = try browser.get("/console/people/\(ana)/leave?workspace=main")
    #expect(leave.has("“Move the home” on the person's page"), "\(leave.text)")
    #expect(try browser.get("/console/people/\(ana)").body.contains("/console/people/\(ana)/home?workspace=academy"))
    let page = try browser.get("/console/people/\(ana)/home?workspace=academy")
    #expect(page.status == 200 && page.has("What would change"), "\(page.text)")
    try browser.post("/console/people/\(ana)/home", [("workspace", "academy"), ("reason", "moved")])
    #expect(browser.page.has("academy is the home of ana now."), "\(browser.page.text)")
    #expect(try company.gate.fields("USER.GET ana")["home"] == "academy")
  }

  @Test("W5: who acts as somebody of another workspace does so in it, looks at it, and comes back to the own one")
  func actingElsewhere() throws {
    let company = try ConsoleCompany(
      Self.academy + [
        "USER.CREATE ingrid WORKSPACE academy STATUS active NOINVITE",
        "ROLE.GRANT ingrid training-administrator WORKSPACE academy", "ACCOUNT.CREATE Acme CUSTOMER WORKSPACE academy",
      ])
    let browser = try company.signedIn()
    let ingrid = try company.id("ingrid")
    #expect(try browser.get("/console/people/\(ingrid)").body.contains("/console/people/\(ingrid)/log-in-as"))
    #expect(try browser.get("/console/people/\(ingrid)/log-in-as").has("In the workspace academy."))
    try browser.post("/console/people/\(ingrid)/log-in-as", [("why", "support")])
    #expect(browser.page.has("You act as ingrid now."), "\(browser.page.text)")
    #expect(try company.gate.list("IMPERSONATE.LIST").first?["workspace"] == "academy")
    for path in ["people", "contacts", "accounts", "timers", "people/new"] {
      #expect(try browser.get("/console/" + path).status == 200, "\(path): \(browser.page.text)")
    }
    #expect(try browser.get("/console/accounts").has("Acme"))
    try browser.post("/console/impersonation/end")
    #expect(browser.page.has("You act as ingrid no longer."), "\(browser.page.text)")
    #expect(try browser.get("/console/accounts").has("Of the workspace main."))
  }

  @Test("who may do nothing anywhere looks at the own home")
  func home() throws {
    let company = try ConsoleCompany(
      Self.academy + ["USER.CREATE ulf WORKSPACE academy STATUS active NOINVITE", "PRODUCT.ENABLE ulf console"])
    #expect(try signedIn(company, "ulf").cookies["gatehouse-workspace"] == "academy")
  }

  @Test("who may see nobody else begins with their own page")
  func individual() throws {
    let company = try ConsoleCompany(["USER.CREATE kai FIRST Kai STATUS active NOINVITE PRODUCT console"])
    let browser = try signedIn(company, "kai")
    #expect(browser.page.target == "/console/people/\(try company.id("kai"))")
    #expect(browser.page.status == 200 && browser.page.has("Kai"))
  }

  @Test("the manager of an account looks at its workspace")
  func manager() throws {
    let company = try ConsoleCompany(
      Self.academy + [
        "ACCOUNT.CREATE Acme CUSTOMER WORKSPACE academy", "USER.CREATE bea WORKSPACE academy STATUS active NOINVITE",
        "PRODUCT.ENABLE bea console", "ROLE.GRANT bea manager ACCOUNT academy/Acme",
      ])
    let browser = try signedIn(company, "bea")
    #expect(browser.cookies["gatehouse-workspace"] == "academy")
    #expect(try browser.get("/console/workspace").has("academy looked at"))
    #expect(RoleScope.workspace("account academy/Acme") == "academy")
    #expect(RoleScope.workspace("product crm") == "main")
    #expect(RoleScope.workspace("everywhere") == nil && RoleScope.workspace("oneself") == nil)
  }

  @Test("timers that a rule keeps from being stopped have no Stop, and nobody is added where a rule forbids it")
  func rules() throws {
    let company = try ConsoleCompany(["USER.CREATE leo STATUS active NOINVITE"])
    try company.gate.ok("TIMER.START leo")
    let browser = try company.signedIn()
    let leo = try company.id("leo")
    #expect(try browser.get("/console/timers").body.contains("/console/timers/\(leo)/stop"))
    #expect(try browser.get("/console/people").body.contains("href=\"/console/people/new\""))
    try company.gate.ok("WORKSPACE.SET main policy.accounts.needs-owner on")
    let page = try browser.get("/console/timers")
    #expect(page.has("leo") && !page.body.contains("/console/timers/\(leo)/stop"), "\(page.text)")
    #expect(
      try browser.get("/console/timers/\(leo)/stop").body.contains("action=\"/console/timers/\(leo)/stop\"") == false)
    try company.gate.ok("WORKSPACE.SET main policy.accounts.needs-owner off")
    try company.gate.ok("WORKSPACE.SET main policy.user.needs-authority on")
    #expect(!(try browser.get("/console/people").body.contains("href=\"/console/people/new\"")))
    let refused = try browser.get("/console/people/new")
    #expect(refused.status >= 400 && !refused.body.contains("name=\"username\""), "\(refused.text)")
  }

  @Test(
    "WEB 8: what takes something from somebody is shown as a trial, and asks why",
    arguments: [
      "sessions-end", "session-end?session=SESSION", "key-end?key=KEY", "password",
      "role-revoke?role=manager&scope=workspace%20main",
    ])
  func withdrawals(_ path: String) throws {
    let company = try ConsoleCompany([
      "USER.CREATE ana EMAIL ana@acme.test STATUS active NOINVITE LICENCE payroll office"
    ])
    let gate = company.gate
    try gate.ok("ROLE.GRANT ana manager WORKSPACE main")
    try gate.ok("PASSWORD.SET", "ana", "the first password of hers")
    let session = try gate.fields("SESSION.CREATE ana payroll")
    let key = try gate.fields("APIKEY.CREATE ana NAME export")
    let ana = try company.id("ana")
    let browser = try company.signedIn()
    try browser.get("/console/people/\(ana)")
    let asked = path.replacing("SESSION", with: session["id"] ?? "").replacing("KEY", with: key["id"] ?? "")
    let name = asked.prefix { $0 != "?" }
    #expect(browser.page.body.contains("href=\"/console/people/\(ana)/\(name)"), "\(name)")
    #expect(!browser.page.body.contains("action=\"/console/people/\(ana)/\(name)\""))
    let before = try gate.fields("AUDIT.HEAD")["lsn"]
    let page = try browser.get("/console/people/\(ana)/\(asked)")
    #expect(page.status == 200 && page.has("What would change") && page.has("Reason"), "\(page.text)")
    #expect(try gate.fields("AUDIT.HEAD")["lsn"] == before)
    let hidden = ["session", "key", "role", "scope"].compactMap { name in page.field(name).map { (name, $0) } }
    try browser.post("/console/people/\(ana)/\(name)", hidden + [("reason", "left the company")])
    #expect(browser.page.status == 200 && browser.page.target == "/console/people/\(ana)", "\(browser.page.text)")
    let record = try #require(try gate.pages("AUDIT.LIST USER ana").first)
    #expect(record["reason"] == "left the company", "\(record)")
  }
}
