import GatehouseTestSupport
import Testing

@testable import GatehouseWeb

/// A form that is refused is shown again with what was typed, and the field that the refusal names is marked.
@Suite("Refused forms")
struct FormReplyTests {
  /// The field with a name, as the page has it.
  private func field(_ name: String, _ page: HTTPPage) -> String {
    let tags = page.body.matches(of: #/<(?:input|select|textarea)[^>]*>/#).map { String($0.output) }
    return tags.first { $0.contains("name=\"\(name)\"") && !$0.contains("hidden") } ?? ""
  }

  private func isMarked(_ name: String, _ page: HTTPPage) -> Bool {
    let tag = field(name, page)
    return tag.contains("aria-invalid=\"true\"") && tag.contains("autofocus") && tag.contains("aria-describedby=")
  }

  @Test("a field that the server names is marked, and the others keep what was typed")
  func named() throws {
    let company = try ConsoleCompany(["USER.CREATE ana FIRST Ana NOINVITE"])
    let browser = try company.signedIn()
    let id = try company.id("ana")
    try browser.get("/console/people/\(id)/edit")
    let page = try browser.post(
      "/console/people/\(id)/edit", [("first", "Anna"), ("email", "nobody"), ("timezone", "Europe/Prague")])
    #expect(page.status == 400 && isMarked("email", page) && !isMarked("first", page), "\(page.body)")
    #expect(field("first", page).contains("value=\"Anna\"") && field("email", page).contains("value=\"nobody\""))
    #expect(page.has("email is not an e-mail address"))
  }

  @Test(
    "the field that a refusal names itself is marked, not the first that its text may mean",
    arguments: [
      ("last", "last"), ("LAST", "last"), ("colour", "x:colour"), ("Family name", "last"), ("unheard-of", "first"),
      (nil, "first"),
    ])
  func structured(field: String?, marked: String) throws {
    let fields: [(name: String, label: String)] = [
      ("first", "Given name"), ("last", "Family name"), ("x:colour", "Colour"),
    ]
    let sent = try FormFields(parsing: "first=Ana&last=Ana&x%3Acolour=Ana")
    let failure = CommandFailure("ERR Ana is there already; choose another", field: field)
    #expect(failure.formField(among: fields, sent) == marked)
  }

  @Test(
    "of several that are missing the first of the form is marked, also one that a workspace has added",
    arguments: [("badge", "x:badge"), ("Badge, initials", "x:badge"), ("initials", "initials"), ("shoe", nil)])
  func missing(names: String, marked: String?) throws {
    let fields: [(name: String, label: String)] = [
      ("first", "Given name"), ("x:badge", "badge (mandatory)"), ("initials", "Initials"),
    ]
    let failure = CommandFailure("REFUSED user.required-fields: missing \(names); give them values")
    #expect(failure.formField(among: fields, try FormFields(parsing: "first=")) == marked)
  }

  @Test("a handler that only throws has its form shown again where it came from, and nothing is marked twice")
  func thrown() throws {
    let company = try ConsoleCompany(["USER.CREATE ana FIRST Ana NOINVITE"])
    let browser = try company.signedIn()
    let id = try company.id("ana")
    try browser.get("/console/people/\(id)/manage")
    let page = try browser.post(
      "/console/people/\(id)/manage",
      [("kind", "ACCOUNT"), ("managed", "No such account"), ("workspace", "main"), ("reason", "because <b>")])
    #expect(page.status == 404 && page.has("Whom Ana looks after"), "\(page.text)")
    #expect(field("managed", page).contains("value=\"No such account\""))
    #expect(field("reason", page).contains("value=\"because &lt;b&gt;\""))
    #expect(page.body.matches(of: #/aria-invalid/#).count <= 1)
    // And it can be sent once more from there.
    try company.gate.ok("ACCOUNT.CREATE", "No such account", "CUSTOMER")
    let again = try browser.post(
      "/console/people/\(id)/manage", [("kind", "ACCOUNT"), ("managed", "No such account"), ("workspace", "main")])
    #expect(again.has("ana looks after No such account now"), "\(again.text)")
  }

  @Test("a button's refusal is told on the page that has the button, in the words of pages")
  func button() throws {
    let company = try ConsoleCompany()
    let browser = try company.signedIn()
    let id = try company.id("sam")
    try browser.get("/console/people/\(id)")
    let page = try browser.post("/console/people/\(id)/invite", [("here", "/console/people/\(id)")])
    #expect(page.status == 409 && page.has("Okafor"), "\(page.text)")
    #expect(!page.text.prefix(2000).contains("USER.SET user email"))
  }

  @Test("two passwords that differ mark the second one, and neither is put into the page")
  func passwords() throws {
    let company = try ConsoleCompany()
    let browser = try company.signedIn()
    try browser.get("/console/me")
    let page = try browser.post(
      "/console/me/password", [("old", ConsoleCompany.password), ("new", "a new long phrase"), ("again", "another")])
    #expect(isMarked("again", page) && !isMarked("new", page))
    #expect(!page.body.contains("a new long phrase") && !page.body.contains(ConsoleCompany.password))
    let wrong = try browser.post(
      "/console/me/password", [("old", "wrong"), ("new", "a new long phrase"), ("again", "a new long phrase")])
    #expect(isMarked("old", wrong), "\(wrong.text)")
    let weak = try browser.post(
      "/console/me/password", [("old", ConsoleCompany.password), ("new", "abc"), ("again", "abc")])
    #expect(isMarked("new", weak), "\(weak.text)")
  }

  @Test("a page that a form names is one of ours, and only read")
  func elsewhere() throws {
    let company = try ConsoleCompany(["USER.CREATE ana FIRST Ana NOINVITE"])
    let browser = try company.signedIn()
    let id = try company.id("ana")
    for here in ["//evil.example/", "/console/../x", "/console/no/such/page", "/livez", ""] {
      try browser.get("/console/people/\(id)/manage")
      let page = try browser.post(
        "/console/people/\(id)/manage",
        [("kind", "ACCOUNT"), ("managed", "nothing"), ("workspace", "main"), ("here", here)])
      #expect(page.status == 404 && page.has("Not done"), "\(here): \(page.text)")
    }
  }
}
