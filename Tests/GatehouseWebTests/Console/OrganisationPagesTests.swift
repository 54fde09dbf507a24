import GatehouseTestSupport
import Testing

@testable import GatehouseWeb

/// Contacts, fields, groups, members and owners.
@Suite("The console: the organisation")
struct OrganisationPagesTests {
  @Test("the role of another workspace is changed there, and nowhere else")
  func roleElsewhere() throws {
    let company = try ConsoleCompany(["WORKSPACE.CREATE acme", "ROLE.DEFINE clerk user.read WORKSPACE acme"])
    let browser = try company.signedIn()
    let form = try browser.get("/console/roles/define?name=clerk&scope=acme")
    #expect(form.has("In acme") && !form.has("In main"), "\(form.text)")
    try browser.post(
      "/console/roles/define",
      [
        ("name", "clerk"), ("scope", "acme"), ("change", form.field("change") ?? ""), ("permission", "user.read"),
        ("permission", "pool.read"),
      ])
    let roles = try company.gate.list("ROLE.LIST").filter { $0["role"] == "clerk" }
    #expect(roles.count == 1 && roles.first?.texts("permissions").count == 2)
    // A new one does not take the place of one that is there.
    #expect(try browser.get("/console/roles/define?scope=acme").field("change") == nil)
    let again = try browser.post(
      "/console/roles/define", [("name", "clerk"), ("scope", "acme"), ("permission", "user.read")])
    #expect(again.status == 409 && again.has("is there already"), "\(again.text)")
  }

  @Test("a contact gets a login, so that nobody is there twice")
  func contacts() throws {
    let company = try ConsoleCompany()
    let browser = try company.signedIn()
    try browser.get("/console/contacts/new")
    try browser.post("/console/contacts/new", [("first", "Zoe"), ("last", "Berg"), ("email", "zoe@acme.example")])
    let contact = try #require(browser.page.target.split(separator: "/").last)
    #expect(try browser.get("/console/contacts?q=zoe").has("Zoe Berg"))
    #expect(try browser.get("/console/contacts?without=1").has("Give a login"))
    try browser.get("/console/contacts/\(contact)")
    try browser.post("/console/contacts/\(contact)", [("first", "Zoe"), ("department", "Sales")])
    try browser.get("/console/people/new?contact=\(contact)")
    #expect(browser.page.has("Give Zoe Berg a login"))
    try browser.post("/console/people/new", [("contact", String(contact)), ("username", "zoe"), ("status", "active")])
    let user = try company.gate.fields("USER.GET zoe")
    #expect(user["contact"] == String(contact))
    #expect(user["department"] == "Sales")
    #expect(try !browser.get("/console/contacts?without=1").has("Zoe Berg"))
    #expect(try browser.post("/console/contacts/\(contact)/delete", [("reason", "x")]).status == 409)
  }

  @Test("W4: a contact of another workspace is not there for who sees only their own")
  func otherContacts() throws {
    let company = try ConsoleCompany([
      "WORKSPACE.CREATE acme", "WORKSPACE.SET acme policy.password.admin-sets-final on",
      "CONTACT.CREATE NAME 'Secret Person' WORKSPACE main",
      "USER.CREATE tara STATUS active NOINVITE WORKSPACE acme ROLE training-administrator WITHIN",
      "PRODUCT.ENABLE tara console",
    ])
    try company.gate.ok("PASSWORD.SET", "tara", ConsoleCompany.password)
    let id = try #require(try company.gate.list("CONTACT.SEARCH secret").first?["contact"])
    let browser = try company.signedIn("tara")
    for target in ["/console/contacts?q=secret", "/console/contacts", "/console/contacts/\(id)"] {
      #expect(try !browser.get(target).has("Secret"), "\(target)")
    }
    #expect(try browser.get("/console/contacts/\(id)").status == 404)
  }

  @Test("a role given with a new person holds in the workspace, unless everywhere is chosen")
  func scope() throws {
    let company = try ConsoleCompany(["WORKSPACE.CREATE acme"])
    let browser = try company.signedIn()
    try browser.get("/console/people/new")
    for (name, place) in [("one", ""), ("two", "workspace"), ("three", "everywhere")] {
      let fields = [("username", name), ("role", "training-administrator"), ("where", place)]
      try browser.post("/console/people/new", fields)
      try browser.get("/console/people/new")
    }
    let scopes = try ["one", "two", "three"].map { try company.gate.list("ROLE.LIST \($0)").first?["scope"] }
    #expect(scopes == ["workspace main", "workspace main", "everywhere"])
  }

  @Test("a field is defined, changed and dropped after a trial")
  func fields() throws {
    let company = try ConsoleCompany()
    let browser = try company.signedIn()
    try browser.get("/console/fields")
    let shirt = [("name", "shirt"), ("type", "choice"), ("workspace", "main")]
    #expect(try browser.post("/console/fields", shirt).status == 400)
    try browser.post("/console/fields", shirt + [("choices", "S, M,\nL"), ("mandatory", "1")])
    let field = try #require(try company.gate.list("FIELD.LIST").first)
    #expect(field.shown("choices").contains("M"))
    #expect(field["mandatory"] == "1")
    #expect(try browser.get("/console/fields/drop?name=shirt").has("Drop the field shirt?"))
    try browser.post("/console/fields/drop", [("name", "shirt"), ("workspace", "main"), ("reason", "unused")])
    #expect(try company.gate.list("FIELD.LIST").isEmpty)
  }

  @Test("a group is renamed and deleted")
  func groups() throws {
    let company = try ConsoleCompany(["GROUP.CREATE north", "ACCOUNT.CREATE Acme CUSTOMER"])
    let browser = try company.signedIn()
    try browser.get("/console/accounts/group?name=north&group=main/north")
    try browser.post("/console/accounts/group/rename", [("group", "main/north"), ("to", "south")])
    #expect(browser.page.has("Group south"))
    try browser.get("/console/accounts/group/delete?group=main/south&name=south")
    try browser.post("/console/accounts/group/delete", [("group", "main/south"), ("name", "south"), ("reason", "x")])
    #expect(try company.gate.pages("GROUP.LIST").isEmpty)
  }

  @Test("somebody becomes a member for a time, owner after a trial, and is taken out again")
  func members() throws {
    let company = try ConsoleCompany([
      "WORKSPACE.CREATE acme", "USER.CREATE ana STATUS active NOINVITE", "USER.CREATE leo STATUS active NOINVITE",
    ])
    let browser = try company.signedIn()
    let ana = try company.id("ana")
    try browser.get("/console/workspaces/acme")
    #expect(try browser.post("/console/workspaces/acme/members", [("user", "nobody")]).status == 404)
    try browser.post("/console/workspaces/acme/members", [("user", "leo"), ("until", "2099-01-01T00:00")])
    #expect(browser.page.has("leo is a member of acme."))
    try browser.post("/console/workspaces/acme/members", [("user", "ana")])
    #expect(try company.gate.fields("USER.GET ana").shown("workspaces").contains("acme"))
    #expect(try browser.get("/console/workspaces/acme/owner?user=ana").has("What would change"))
    try browser.post("/console/workspaces/acme/owner", [("user", "ana"), ("reason", "hers")])
    #expect(try company.gate.fields("WORKSPACE.GET acme")["owner"] == "ana")
    #expect(try browser.get("/console/people/\(ana)").has("Member of"))
    #expect(try browser.get("/console/people/\(ana)/leave?workspace=acme").status == 409)
    try browser.post("/console/workspaces/acme/members", [("user", "sam")])
    try browser.post("/console/workspaces/acme/owner", [("user", "sam"), ("reason", "back")])
    try browser.post("/console/people/\(ana)/leave", [("workspace", "acme"), ("reason", "done")])
    #expect(try !company.gate.fields("USER.GET ana").shown("workspaces").contains("acme"))
  }
}
