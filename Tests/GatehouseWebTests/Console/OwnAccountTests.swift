import GatehouseTestSupport
import Testing

@testable import GatehouseWeb

@Suite("The console: one's own account", .blocking)
struct OwnAccountTests {
  @Test("everybody changes their own password, which ends all sessions")
  func password() throws {
    let company = try ConsoleCompany()
    let browser = try company.signedIn()
    let ids = try browser.get("/console/me").body.matches(of: /\sid="([^"]+)"/).map(\.output.1)
    #expect(Set(ids).count == ids.count, "what JavaScript and links look for is there once: \(ids)")
    let fields = [("new", "another long phrase"), ("again", "another long phrase")]
    #expect(try browser.post("/console/me/password", fields + [("old", "wrong")]).status == 409)
    try browser.post("/console/me/password", fields + [("old", ConsoleCompany.password)])
    #expect(browser.page.has("Sign in"))
    #expect(try company.signedIn("sam", "another long phrase").page.status == 200)
  }

  @Test("a second factor is set up with a picture to scan, and taken away with a code")
  func secondFactor() throws {
    let company = try ConsoleCompany()
    let browser = try company.signedIn()
    try browser.get("/console/me")
    let page = try browser.post("/console/me/factor")
    #expect(page.body.contains("<svg class=\"qr\""))
    let address = try #require(page.field("key")).replacing("&amp;", with: "&")
    #expect(try browser.post("/console/me/factor/confirm", [("key", address), ("code", "000000")]).status != 200)
    let authenticator = try #require(Authenticator(address))
    let code = try authenticator.code()
    let codes = try browser.post("/console/me/factor/confirm", [("key", address), ("code", code)])
    #expect(codes.has("Your recovery codes"))
    let recovery = try #require(codes.body.firstMatch(of: #/<pre[^>]*>([^\n<]+)/#)).1
    #expect(try company.gate.fields("TOTP.GET sam")["enrolled"] == "1")
    try browser.get("/console/sign-in")
    try browser.post("/console/sign-in", [("username", "sam"), ("password", ConsoleCompany.password)])
    let hidden = ["challenge", "username", "next", "key"].map { ($0, browser.page.field($0) ?? "") }
    try browser.post("/console/sign-in/code", hidden + [("code", String(recovery))])
    try browser.get("/console/me")
    #expect(try browser.post("/console/me/factor/end", [("code", "000000")]).status != 200)
    let other = try #require(codes.body.firstMatch(of: #/<pre[^>]*>[^\n<]+\n([^\n<]+)/#)).1
    try browser.post("/console/me/factor/end", [("code", String(other))])
    #expect(try company.gate.fields("TOTP.GET sam")["enrolled"] == "0")
  }

  @Test("a key of one's own is shown once, rotated and ended")
  func keys() throws {
    let company = try ConsoleCompany()
    let browser = try company.signedIn()
    try browser.get("/console/me")
    let made = try browser.post("/console/me/key", [("name", "ci"), ("ttl", "30d")])
    let key = try #require(made.body.firstMatch(of: #/ga_[A-Za-z0-9_-]+/#)).0
    #expect(try company.gate.fields("APIKEY.CHECK \(key)")["username"] == "sam")
    try browser.get("/console/me")
    #expect(!browser.page.body.contains(key))
    #expect(try browser.post("/console/me/key", [("name", "x"), ("ttl", "soon")]).status == 400)
    let id = try #require(try company.gate.list("APIKEY.LIST sam").first?["id"])
    let next = try browser.post("/console/me/key-rotate", [("key", id)])
    #expect(next.body.contains("ga_"))
    #expect(try company.gate.integer("APIKEY.COUNT sam") == 2)
  }

  @Test("nothing of it is there while acting as somebody else")
  func acting() throws {
    let company = try ConsoleCompany(["USER.CREATE ana STATUS active NOINVITE PRODUCT console"])
    let browser = try company.signedIn()
    let ana = try company.id("ana")
    try browser.get("/console/people/\(ana)/log-in-as")
    try browser.post("/console/people/\(ana)/log-in-as", [("why", "asked me to"), ("product", "console")])
    #expect(browser.page.body.contains("acts as"))
    let page = try browser.get("/console/me")
    #expect(page.has("You act as somebody else"))
    #expect(!page.body.contains("name=\"old\""))
    let fields = [("old", "x"), ("new", "another long phrase"), ("again", "another long phrase")]
    #expect(try browser.post("/console/me/password", fields).status >= 400)
  }

  @Test("a forgotten password is set with the token of a mail, and nobody learns who exists")
  func forgotten() throws {
    let company = try ConsoleCompany(["USER.CREATE ana EMAIL ana@acme.example STATUS active NOINVITE PRODUCT console"])
    let browser = Browser(company.server)
    #expect(try browser.get("/console/sign-in").has("Forgotten your password?"))
    try browser.get("/console/forgotten")
    let nobody = try browser.post("/console/forgotten", [("username", "nobody")])
    try browser.get("/console/forgotten")
    try browser.post("/console/forgotten", [("username", "#\(company.id("ana"))")])
    #expect(try company.gate.list("MAIL.NEXT").isEmpty)
    try browser.get("/console/forgotten")
    let ana = try browser.post("/console/forgotten", [("username", "ana")])
    #expect(nobody.text == ana.text)
    let mail = try #require(try company.gate.list("MAIL.NEXT").first)
    let token = try #require(mail.shown("text").firstMatch(of: #/gr_[A-Za-z0-9_-]+/#)).0
    let fields = [("new", "quiet pond in march"), ("again", "quiet pond in march")]
    #expect(try browser.post("/console/forgotten/new-password", fields + [("token", "gr_wrong")]).status >= 400)
    try browser.post("/console/forgotten/new-password", fields + [("token", String(token))])
    #expect(browser.page.has("The password is set"))
    let login = try company.gate.fields("LOGIN.PASSWORD", "ana", "console", "quiet pond in march")
    #expect(login["decision"] == "ALLOW")
  }
}
