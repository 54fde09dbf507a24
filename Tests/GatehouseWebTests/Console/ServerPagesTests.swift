import GatehouseTestSupport
import Testing

@testable import GatehouseWeb

/// Mails, their texts, and webhooks.
@Suite("The console: mails and webhooks")
struct ServerPagesTests {
  @Test("mails that wait are shown, sent now or given up; those that have waited too long are told")
  func mails() throws {
    let company = try ConsoleCompany(["USER.CREATE ana EMAIL ana@acme.example STATUS active"])
    let browser = try company.signedIn()
    let page = try browser.get("/console/mails")
    #expect(page.has("invitation"))
    #expect(page.has("ana@acme.example"))
    #expect(!page.has("Does the courier run?"))
    let id = try #require(try company.gate.pages("MAIL.LIST").first?["id"])
    #expect(try browser.post("/console/mails/retry", [("id", id)]).has("as soon as the courier"))
    #expect(try browser.get("/console/mails/drop?id=\(id)").has("Give up this mail?"))
    try browser.post("/console/mails/drop", [("id", id), ("reason", "wrong address")])
    #expect(try browser.get("/console/mails").has("No mail waits"))
  }

  @Test("a workspace's own text is tried, saved and put back, in a language")
  func texts() throws {
    let company = try ConsoleCompany()
    let browser = try company.signedIn()
    #expect(try browser.get("/console/mails/texts").has("password-reset"))
    try browser.get("/console/mails/text?kind=invitation&language=en")
    let text = [
      ("kind", "invitation"), ("language", "en"), ("workspace", "main"), ("subject", "Welcome, {{name}}"),
      ("text", "Hello\r\n{{username}}"),
    ]
    let tried = try browser.post("/console/mails/text", text + [("try", "1")])
    #expect(tried.has("What it looks like"))
    #expect(tried.has("Welcome, Ana"))
    #expect(try company.gate.fields("MAIL.TEMPLATE.GET invitation LANGUAGE en")["own"] == "0")
    let wrong = text.map { $0.0 == "text" ? ("text", "{{nam}}") : $0 }
    #expect(try browser.post("/console/mails/text", wrong).has("no placeholder {{nam}}"))
    try browser.post("/console/mails/text", text)
    #expect(try company.gate.fields("MAIL.TEMPLATE.GET invitation LANGUAGE en")["text"] == "Hello\n{{username}}")
    try browser.get("/console/mails/text?kind=invitation&language=en")
    try browser.post(
      "/console/mails/text/reset", [("kind", "invitation"), ("language", "en"), ("workspace", "main")])
    #expect(try company.gate.fields("MAIL.TEMPLATE.GET invitation LANGUAGE en")["own"] == "0")
  }

  @Test("a webhook shows its secret once, is paused, resumed, and deleted after a trial")
  func webhooks() throws {
    let company = try ConsoleCompany()
    let browser = try company.signedIn()
    try browser.get("/console/webhooks")
    let hook = [("name", "hr"), ("url", "https://hr.example/"), ("workspace", "main")]
    #expect(
      try browser.post("/console/webhooks", [("name", "hr"), ("url", "ftp://x"), ("workspace", "main")]).status == 400)
    let made = try browser.post("/console/webhooks", hook + [("types", "user-created, status-set")])
    #expect(made.body.contains("whsec_"))
    #expect(try browser.get("/console/webhooks").has("user-created"))
    #expect(!browser.page.body.contains("whsec_"))
    let one = [("name", "hr"), ("workspace", "main")]
    #expect(try browser.post("/console/webhooks/pause", one).has("hr is paused"))
    #expect(try browser.post("/console/webhooks/resume", one).has("hr goes on"))
    #expect(try browser.post("/console/webhooks/rotate", one).body.contains("whsec_"))
    #expect(try browser.get("/console/webhooks/delete?name=hr&workspace=main").has("Delete the webhook hr?"))
    try browser.post("/console/webhooks/delete", one + [("reason", "unused")])
    #expect(try company.gate.list("WEBHOOK.LIST WORKSPACE main").isEmpty)
  }

  @Test("who reads the whole server sees its webhooks, makes and ends them; others do not")
  func webhooksOfTheServer() throws {
    let company = try ConsoleCompany([
      "USER.CREATE ana STATUS active", "PASSWORD.SET ana '\(ConsoleCompany.password)' FINAL",
      "PRODUCT.ENABLE ana console", "ROLE.GRANT ana training-administrator WORKSPACE main",
    ])
    let browser = try company.signedIn()
    try browser.get("/console/webhooks")
    try browser.post("/console/webhooks", [("name", "siem"), ("url", "https://siem.example/"), ("workspace", "")])
    #expect(try company.gate.list("WEBHOOK.LIST").count == 1)
    #expect(try company.gate.list("WEBHOOK.LIST WORKSPACE main").isEmpty)
    #expect(try browser.get("/console/webhooks").has("Of the whole server"))
    #expect(browser.page.has("siem"))
    let one = [("name", "siem"), ("workspace", "")]
    #expect(try browser.post("/console/webhooks/pause", one).has("siem is paused"))
    #expect(try browser.get("/console/webhooks/delete?name=siem&workspace=").has("Delete the webhook siem?"))
    let other = try company.signedIn("ana")
    #expect(try !other.get("/console/webhooks").has("siem"))
    try browser.post("/console/webhooks/delete", one + [("reason", "unused")])
    #expect(try company.gate.list("WEBHOOK.LIST").isEmpty)
  }

  @Test("the trail is filtered by command and service, and a command in the search leads there")
  func trail() throws {
    let company = try ConsoleCompany(["USER.CREATE ana STATUS active", "USER.STATUS ana inactive REASON holiday"])
    let browser = try company.signedIn()
    #expect(try browser.get("/console/trail?command=user.status").has("holiday"))
    #expect(!browser.page.has("USER.CREATE"))
    #expect(try browser.get("/console/trail?service=local").has("USER.CREATE"))
    #expect(try browser.get("/console/trail?service=nobody").has("service nobody"))
    #expect(try browser.get("/console/search?q=user.status").has("holiday"))
    #expect(browser.page.body.contains("/console/trail?command=USER.STATUS"))
  }

  @Test("whoever opens the host alone comes to the console")
  func host() throws {
    let company = try ConsoleCompany()
    #expect(try company.server.get("/")["location"] == "/console")
  }
}
