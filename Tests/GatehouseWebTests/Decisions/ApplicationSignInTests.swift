import Foundation
import GatehouseTestSupport
import Testing

@testable import GatehouseWeb

/// The sign-in for users of applications behind a proxy, which passes `/gatehouse/` on.
@Suite("The sign-in at applications", .blocking)
struct ApplicationSignInTests {
  private static let password = "correct horse battery"

  private let server: TestServer
  private let gate: Client

  init() throws {
    var options = TestServer.Options()
    options.servesHTTP = true
    server = try TestServer(options)
    gate = try server.client()
    try gate.ok("WORKSPACE.SET main policy.password.admin-sets-final on")
    for product in ["payroll", "crm"] { try gate.ok("PRODUCT.CREATE \(product)") }
    try gate.ok("USER.CREATE ana EMAIL ana@acme.example STATUS active NOINVITE PRODUCT payroll")
    try gate.ok("PASSWORD.SET", "ana", Self.password)
  }

  /// A browser at the sign-in, with the fields that its form has.
  private func begin(_ query: String = "product=payroll&next=%2Fpage") throws -> (Browser, [(String, String)]) {
    let browser = Browser(server)
    try browser.get("/gatehouse/sign-in?\(query)")
    let fields = ["product", "next"].compactMap { name in browser.page.field(name).map { (name, $0) } }
    return (browser, fields)
  }

  /// What a form is answered with, without following where it leads.
  private func answer(to path: String, _ fields: [(String, String)], _ browser: Browser) throws -> HTTPAnswer {
    let body = (fields + [("csrf", browser.page.field("csrf") ?? "")])
      .map { Browser.encoded($0.0) + "=" + Browser.encoded($0.1) }.joined(separator: "&")
    let cookies = browser.cookies.map { "\($0.key)-\(server.httpPort)=\($0.value)" }.joined(separator: "; ")
    return try server.request(
      "POST", path, headers: [("content-type", "application/x-www-form-urlencoded"), ("cookie", cookies)], body: body)
  }

  @Test("the session is a cookie for the whole host that scripts cannot read, and one comes back to the page")
  func password() throws {
    let (browser, fields) = try begin()
    let login = try answer(
      to: "/gatehouse/sign-in", fields + [("username", "ana"), ("password", Self.password)], browser)
    #expect(login.status == 303 && login["location"] == "/page")
    let cookie = try #require(login.headers.first { $0.value.hasPrefix("gatehouse_session=gs_") }?.value)
    #expect(cookie.hasSuffix("; Path=/; HttpOnly; SameSite=Lax"), "\(cookie)")
    let pair = String(cookie.prefix { $0 != ";" })
    let entry = try server.get("/auth?product=payroll", headers: [("cookie", pair)])
    #expect(entry.status == 200 && entry["x-gatehouse-user"] == "ana")
    let id = try #require(entry["x-gatehouse-session"])
    #expect(try gate.fields("SESSION.GET", id)["product"] == "payroll")
    #expect(try gate.fields("SESSION.GET", id)["ip"] == "127.0.0.1")
  }

  @Test("the cookie is Secure where the proxy speaks TLS, and for a domain where one is set and the host is in it")
  func cookie() throws {
    func field(_ host: String, _ domain: String?, isSealed: Bool = true) -> String {
      ApplicationCookie.field("gs_x", isSealed: isSealed, host: host, domain: domain)
    }
    #expect(field("pay.acme.example", nil).hasSuffix("; SameSite=Lax; Secure"))
    #expect(field("pay.acme.example:8443", "acme.example").contains("; Domain=acme.example; Secure"))
    #expect(field("ACME.example", "acme.example").contains("; Domain=acme.example"))
    for host in ["evilacme.example", "acme.example.evil", "127.0.0.1:80", ""] {
      #expect(!field(host, "acme.example").contains("Domain"), "\(host)")
    }
    let (browser, fields) = try begin()
    _ = browser
    let answer = try server.request(
      "GET", "/gatehouse/sign-in?product=payroll", headers: [("x-forwarded-proto", "https")])
    #expect(answer["set-cookie"]?.hasSuffix("Path=/gatehouse; HttpOnly; SameSite=Strict; Secure") == true)
    #expect(fields.map(\.0) == ["product", "next"])
    for wrong in ["acme", ".acme.example", "acme..example", "a b.example", "acme.example;x", "-a.example"] {
      #expect(throws: (any Error).self, "\(wrong)") { try gate.ok("CONFIG", "SET", "sign-in-domain", wrong) }
    }
    try gate.ok("CONFIG SET sign-in-domain Acme.Example")
    #expect(try gate.fields("CONFIG GET sign-in-domain")["sign-in-domain"] == "acme.example")
  }

  @Test(
    "one comes back to pages of the same host only",
    arguments: [
      "//evil.example", "/\\evil.example", "https://evil.example/", "javascript:alert(1)", "evil", "", "/a\r\nx: y",
      "/gatehouse/sign-out", "/gatehouse", "/\t/evil.example", "/é",
    ])
  func openRedirect(_ next: String) throws {
    #expect(!SignInSite.application.mayReturn(to: next))
    let (browser, _) = try begin()
    let fields = [("product", "payroll"), ("next", next), ("username", "ana"), ("password", Self.password)]
    #expect(try answer(to: "/gatehouse/sign-in", fields, browser)["location"] == "/")
  }

  @Test("pages of applications are local", arguments: ["/", "/page?next=https://x.example//y", "/a//b", "/gatehousex"])
  func local(_ next: String) throws {
    #expect(SignInSite.application.mayReturn(to: next))
  }

  @Test("a session is always a new one, and the one that the browser had ends")
  func fixation() throws {
    let fixed = try gate.token(of: "ana", to: "payroll")
    let browser = Browser(server)
    browser.set(cookie: Token.cookie, fixed)
    try browser.get("/gatehouse/sign-in?product=payroll&next=%2Fgone")
    #expect(browser.page.has("You are signed in as ana"))
    try browser.post(
      "/gatehouse/sign-in", [("product", "payroll"), ("username", "ana"), ("password", Self.password)])
    let token = try #require(browser.cookies[Token.cookie])
    #expect(token != fixed)
    #expect(try gate.isNull("SESSION.CHECK", fixed))
  }

  @Test(
    "the sign-in begins a second factor where the workspace wants one, and takes a recovery code in place of the app's")
  func secondFactor() throws {
    try gate.ok("WORKSPACE.SET main policy.login.second-factor all")
    let (browser, fields) = try begin()
    try browser.post("/gatehouse/sign-in", fields + [("username", "ana"), ("password", Self.password)])
    let key = try #require(browser.page.field("key")).replacing("&amp;", with: "&")
    var hidden = ["challenge", "username", "next", "product", "key"].map { ($0, browser.page.field($0) ?? "") }
    #expect(try browser.post("/gatehouse/sign-in/code", hidden + [("code", "000000")]).has("The code is wrong"))
    let code = try #require(Authenticator(key)).code()
    try browser.post("/gatehouse/sign-in/code", hidden + [("code", code)])
    #expect(browser.page.has("Your recovery codes") && browser.page.body.contains("href=\"/page\""))
    let recovery = try #require(browser.page.body.firstMatch(of: #/<pre[^>]*>([^\s<]+)/#)?.1)
    let (other, again) = try begin()
    try other.post("/gatehouse/sign-in", again + [("username", "ana"), ("password", Self.password)])
    #expect(other.page.has("Or one of your recovery codes.") && other.cookies[Token.cookie] == nil)
    hidden = ["challenge", "username", "next", "product", "key"].map { ($0, other.page.field($0) ?? "") }
    let login = try answer(to: "/gatehouse/sign-in/code", hidden + [("code", String(recovery))], other)
    #expect(login.status == 303 && login["location"] == "/page", "\(login.body)")
  }

  @Test("P13: a temporary password is changed first, and the way back is kept")
  func temporary() throws {
    try gate.ok("PASSWORD.SET", "ana", "for once only please", "TEMPORARY")
    let (browser, fields) = try begin()
    try browser.post("/gatehouse/sign-in", fields + [("username", "ana"), ("password", "for once only please")])
    #expect(browser.page.has("Your password is temporary") && browser.cookies[Token.cookie] == nil)
    let hidden = ["username", "next", "product"].map { ($0, browser.page.field($0) ?? "") }
    let change = [("old", "for once only please"), ("new", "another long phrase")]
    try browser.post("/gatehouse/sign-in/new-password", hidden + change + [("again", "different")])
    #expect(browser.page.has("the two new passwords differ"))
    let done = try answer(
      to: "/gatehouse/sign-in/new-password", hidden + change + [("again", "another long phrase")], browser)
    #expect(done.status == 303 && done["location"] == "/page", "\(done.body)")
  }

  @Test("who has forgotten the password gets a token, sets another, and comes back to the sign-in for the same page")
  func forgotten() throws {
    let (browser, fields) = try begin()
    try browser.get("/gatehouse/forgotten?product=payroll&next=%2Fpage")
    try browser.post("/gatehouse/forgotten", fields + [("username", "ana")])
    #expect(browser.page.has("A mail is on its way"))
    let page = try browser.post(
      "/gatehouse/forgotten/new-password",
      fields + [("token", "no"), ("new", "a long new phrase"), ("again", "a long new phrase")])
    #expect(page.has("the token is wrong, used or too old"), "\(page.text)")
    #expect(page.body.contains("/gatehouse/sign-in?product=payroll&amp;next=%2Fpage"))
  }

  @Test("only our own form signs somebody out, and then it does so on the server")
  func signOut() throws {
    let token = try gate.token(of: "ana", to: "payroll")
    let browser = Browser(server)
    browser.set(cookie: Token.cookie, token)
    try browser.get("/gatehouse/sign-out")
    #expect(try !gate.isNull("SESSION.CHECK", token))
    #expect(try browser.post("/gatehouse/sign-out", [("csrf", String(repeating: "0", count: 64))]).status == 403)
    try browser.get("/gatehouse/sign-out")
    #expect(try browser.post("/gatehouse/sign-out").has("You are signed out"))
    #expect(try gate.isNull("SESSION.CHECK", token))
    #expect(browser.cookies[Token.cookie] == nil)
    #expect(try browser.get("/gatehouse/sign-out").has("You are signed out"))
  }

  @Test("the first administrator is not made here, and nothing of the console is reached")
  func nothingElse() throws {
    let browser = Browser(server)
    try browser.get("/gatehouse/sign-in?product=payroll")
    #expect(try browser.post("/gatehouse/first-start", [("username", "eve")]).status == 404)
    #expect(try browser.get("/gatehouse/people").status == 404)
    let page = try browser.get("/gatehouse/sign-in")
    #expect(page.status == 400 && page.has("Open the application itself"))
  }

  @Test("a product that may not be entered, or is none, is told only to who knows the password")
  func products() throws {
    for product in ["crm", "nothing", "west/desk"] {
      let (browser, fields) = try begin("product=\(product)&next=%2Fpage")
      try browser.post("/gatehouse/sign-in", fields + [("username", "ana"), ("password", "wrong")])
      #expect(browser.page.has("The name or the password is wrong.") && !browser.page.has(product))
      try browser.post("/gatehouse/sign-in", fields + [("username", "ana"), ("password", Self.password)])
      #expect(browser.page.status != 200 && browser.cookies[Token.cookie] == nil, "\(browser.page.text)")
    }
  }

  @Test("a refusal says where a browser signs in, and to a script that it is refused")
  func direction() throws {
    func auth(_ query: String, _ headers: [(String, String)]) throws -> HTTPAnswer {
      try server.get("/auth" + query, headers: headers)
    }
    let page = [("accept", "text/html,*/*;q=0.8"), ("x-forwarded-uri", "/a?b=c&d=e")]
    let goal = "/gatehouse/sign-in?product=payroll&next=%2Fa%3Fb%3Dc%26d%3De"
    let told = try auth("?product=payroll", page)
    #expect(told.status == 401 && told["x-gatehouse-sign-in"] == goal && told["location"] == nil)
    let led = try auth("?product=payroll&redirect=1", page)
    #expect(led.status == 303 && led["location"] == goal && led["x-gatehouse-reason"] == "no-session")
    #expect(try auth("?redirect=1", page).status == 401)
    #expect(try auth("?product=payroll&redirect=1", [("accept", "*/*")]).status == 401)
    let script = [("accept", "text/html"), ("sec-fetch-mode", "cors")]
    #expect(try auth("?product=payroll&redirect=1", script)["x-gatehouse-sign-in"] == nil)
    let form = try auth("?product=payroll", page + [("x-forwarded-method", "POST")])
    #expect(form["x-gatehouse-sign-in"] == "/gatehouse/sign-in?product=payroll&lost=1")
    let elsewhere = try auth("?product=payroll", [("accept", "text/html"), ("x-original-uri", "//evil.example/")])
    #expect(elsewhere["x-gatehouse-sign-in"] == "/gatehouse/sign-in?product=payroll")
    let envoy = try auth("/page/x?product=payroll", [("accept", "text/html")])
    #expect(envoy["x-gatehouse-sign-in"]?.hasPrefix("/gatehouse/sign-in?product=payroll&next=%2Fpage%2Fx") == true)
    let token = try gate.token(of: "ana", to: "payroll")
    let refused = try auth("?product=crm&redirect=1", page + [("cookie", "gatehouse_session=\(token)")])
    #expect(refused.status == 303 && refused["x-gatehouse-reason"] == "product-disabled")
    #expect(try auth("?product=payroll", page + [("cookie", "gatehouse_session=\(token)")]).status == 200)
  }
}
