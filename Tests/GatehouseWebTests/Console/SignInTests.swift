import Foundation
import GatehouseTestSupport
import Testing

@testable import GatehouseWeb

@Suite("The console's sign-in", .blocking)
struct SignInTests {
  @Test("a wrong password and an unknown name are answered alike, and nobody is signed in")
  func wrongPassword() throws {
    let company = try ConsoleCompany()
    let browser = Browser(company.server)
    try browser.get("/console/people")
    #expect(browser.page.target == "/console/sign-in?next=%2Fconsole%2Fpeople")
    var texts: [String] = []
    for name in ["sam", "nobody"] {
      try browser.get("/console/sign-in")
      let page = try browser.post("/console/sign-in", [("username", name), ("password", "wrong")])
      #expect(page.status == 403)
      texts.append(page.text)
    }
    #expect(texts[0] == texts[1])
    #expect(texts[0].contains("The name or the password is wrong."))
    #expect(browser.cookies["gatehouse-session"] == nil)
  }

  @Test("a session is always a new one: what the browser had before ends")
  func fixation() throws {
    let company = try ConsoleCompany()
    let fixed = try #require(company.signedIn().cookies["gatehouse-session"])
    let browser = Browser(company.server)
    browser.set(cookie: "gatehouse-session", fixed)
    try browser.get("/console/sign-in")
    let answer = try browser.post("/console/sign-in", [("username", "sam"), ("password", ConsoleCompany.password)])
    #expect(answer.status == 200)
    let token = try #require(browser.cookies["gatehouse-session"])
    #expect(token != fixed)
    #expect(try company.gate.isNull("SESSION.CHECK", fixed))
    #expect(try company.gate.fields("SESSION.CHECK", token)["username"] == "sam")
    let session = try company.gate.fields("SESSION.GET", company.gate.fields("SESSION.CHECK", token)["id"] ?? "")
    #expect(session["ip"] == "127.0.0.1")
  }

  @Test("a session that a service has opened signs nobody in, whatever the service may do")
  func lent() throws {
    let company = try ConsoleCompany()
    let gate = company.gate
    let own = try #require(company.signedIn().cookies["gatehouse-session"])
    let secret = try #require(try gate.fields("SERVICE.CREATE ops ADMIN SESSIONS READ")["secret"])
    let weak = try #require(try gate.fields("SERVICE.CREATE weak SESSIONS PRODUCT console")["secret"])
    for (name, secret, events) in [("ops", secret, 200), ("weak", weak, 403)] {
      let service = try company.server.client(.resp2)
      try service.ok("HELLO", "3", "AUTH", name, secret)
      let login = try service.fields("LOGIN.PASSWORD", "sam", "console", ConsoleCompany.password)
      for token in [try service.fields("SESSION.CREATE sam console")["session"], login["session"]].compactMap({ $0 }) {
        let browser = Browser(company.server)
        browser.set(cookie: "gatehouse-session", token)
        try browser.get("/console/services")
        #expect(browser.page.target.hasPrefix("/console/sign-in"), "\(name)")
        // Nor does it change the password there, after which the console would sign in.
        browser.set(cookie: "gatehouse-changing", token)
        try browser.get("/console/sign-in")
        let answer = try browser.post(
          "/console/sign-in/new-password",
          [
            ("username", "sam"), ("old", ConsoleCompany.password), ("new", "a quiet pond in march"),
            ("again", "a quiet pond in march"),
          ])
        #expect(answer.status != 200 && browser.cookies["gatehouse-session"] != own)
        #expect(
          try company.server.get("/events?until=now", secret: token).status == events, "the service's rights count")
      }
    }
    // An impersonation that a service has begun is none of the console's.
    let service = try company.server.client(.resp2)
    try service.ok("HELLO", "3", "AUTH", "ops", secret)
    try service.ok("USER.CREATE ana NOINVITE")
    let acting = try #require(try service.fields("IMPERSONATE.START", own, "ana", "REASON", "x")["session"])
    let browser = Browser(company.server)
    browser.set(cookie: "gatehouse-session", own)
    browser.set(cookie: "gatehouse-acting", acting)
    #expect(try !browser.get("/console/people").text.contains("acts as"))
  }

  @Test("signing out ends the session on the server, and only our own form does it")
  func signOut() throws {
    let company = try ConsoleCompany()
    let browser = try company.signedIn()
    let token = try #require(browser.cookies["gatehouse-session"])
    let forged = try browser.post("/console/sign-out", [("csrf", String(repeating: "0", count: 64))])
    #expect(forged.status == 403)
    #expect(try !company.gate.isNull("SESSION.CHECK", token))
    try browser.get("/console/people")
    try browser.post("/console/sign-out")
    #expect(browser.page.has("You are signed out"))
    #expect(try company.gate.isNull("SESSION.CHECK", token))
    browser.set(cookie: "gatehouse-session", token)
    #expect(try browser.get("/console/people").target.hasPrefix("/console/sign-in"))
  }

  @Test("a temporary password opens nothing but the page that asks for another")
  func temporary() throws {
    let company = try ConsoleCompany()
    try company.gate.ok("PASSWORD.SET", "sam", "for once only please", "TEMPORARY")
    let browser = Browser(company.server)
    try browser.get("/console/sign-in")
    try browser.post("/console/sign-in", [("username", "sam"), ("password", "for once only please")])
    #expect(browser.page.has("Your password is temporary"))
    #expect(browser.cookies["gatehouse-session"] == nil)
    let fields = [("username", "sam"), ("old", "for once only please"), ("new", "another long phrase")]
    try browser.post("/console/sign-in/new-password", fields + [("again", "a different phrase")])
    #expect(browser.page.has("the two new passwords differ"))
    try browser.post("/console/sign-in/new-password", fields + [("again", "another long phrase")])
    #expect(browser.page.target == "/console/people")
    #expect(try company.gate.fields("LOGIN.PASSWORD", "sam", "console", "another long phrase")["must-change"] == "0")
  }

  @Test("P13: nor does its session as a cookie, which leads to the sign-in and by it to that page")
  func temporaryCookie() throws {
    let company = try ConsoleCompany()
    try company.gate.ok("PASSWORD.SET", "sam", "for once only please", "TEMPORARY")
    let login = try company.gate.fields("LOGIN.PASSWORD", "sam", "console", "for once only please")
    let browser = Browser(company.server)
    for target in ["/console/people", "/console/trail", "/console"] {
      browser.set(cookie: "gatehouse-session", login["session"])
      #expect(try browser.get(target).target.hasPrefix("/console/sign-in"))
    }
    try browser.post("/console/sign-in", [("username", "sam"), ("password", "for once only please")])
    #expect(browser.page.has("Your password is temporary"))
  }

  @Test("P13, L5: a temporary password begins no second factor: it is changed first")
  func temporaryBeforeSecondFactor() throws {
    let company = try ConsoleCompany(["WORKSPACE.SET main policy.login.second-factor all"])
    try company.gate.ok("PASSWORD.SET", "sam", "for once only please", "TEMPORARY")
    let browser = Browser(company.server)
    try browser.get("/console/sign-in")
    try browser.post("/console/sign-in", [("username", "sam"), ("password", "for once only please")])
    #expect(browser.page.has("Your password is temporary"))
    try browser.post(
      "/console/sign-in/new-password",
      [
        ("username", "sam"), ("old", "for once only please"), ("new", "another long phrase"),
        ("again", "another long phrase"),
      ])
    #expect(browser.page.has("Your workspace asks for a second factor"))
  }

  @Test("where the workspace wants a second factor, the sign-in begins one and then asks for it")
  func secondFactor() throws {
    let company = try ConsoleCompany(["WORKSPACE.SET main policy.login.second-factor all"])
    let browser = Browser(company.server)
    try browser.get("/console/sign-in")
    try browser.post("/console/sign-in", [("username", "sam"), ("password", ConsoleCompany.password)])
    let address = try #require(browser.page.field("key")).replacing("&amp;", with: "&")
    let hidden = ["challenge", "username", "next", "key"].map { ($0, browser.page.field($0) ?? "") }
    let wrong = try browser.post("/console/sign-in/code", hidden + [("code", "000000")])
    #expect(wrong.status == 403)
    #expect(wrong.has("The code is wrong"))
    let authenticator = try #require(Authenticator(address))
    let code = try authenticator.code()
    try browser.post("/console/sign-in/code", hidden + [("code", code)])
    #expect(browser.page.has("Your recovery codes"))
    #expect(try browser.get("/console/people").status == 200)
    let again = Browser(company.server)
    try again.get("/console/sign-in")
    try again.post("/console/sign-in", [("username", "sam"), ("password", ConsoleCompany.password)])
    #expect(again.page.has("Code of your authenticator app"))
    #expect(again.cookies["gatehouse-session"] == nil)
  }

  @Test("P13: who has a second factor shows it before a temporary password is changed, and not twice")
  func secondFactorWithTemporaryPassword() throws {
    let company = try ConsoleCompany(["WORKSPACE.SET main policy.login.second-factor all"])
    let authenticator = try #require(Authenticator(try company.gate.text("TOTP.ENROL sam")))
    _ = try company.gate.ok("TOTP.CONFIRM sam \(try authenticator.code())")
    try company.gate.ok("PASSWORD.SET", "sam", "for once only please", "TEMPORARY")
    let browser = Browser(company.server)
    try browser.get("/console/sign-in")
    try browser.post(
      "/console/sign-in",
      [("username", "sam"), ("password", "for once only please"), ("next", "/console/people?status=active")])
    #expect(browser.page.has("Code of your authenticator app"), "\(browser.page.text)")
    let hidden = ["challenge", "username", "next", "key"].map { ($0, browser.page.field($0) ?? "") }
    // The code of the moment has confirmed the factor, and works once.
    let next = try authenticator.code(at: Int64(Date().timeIntervalSince1970 * 1000) + 30_000)
    try browser.post("/console/sign-in/code", hidden + [("code", next)])
    #expect(browser.page.has("Your password is temporary"), "\(browser.page.text)")
    #expect(browser.cookies["gatehouse-session"] == nil)
    let fields = ["username", "next"].map { ($0, browser.page.field($0) ?? "") }
    try browser.post(
      "/console/sign-in/new-password",
      fields + [("old", "for once only please"), ("new", "another long phrase"), ("again", "another long phrase")])
    #expect(browser.page.target == "/console/people?status=active", "\(browser.page.text)")
    #expect(browser.page.status == 200 && browser.cookies["gatehouse-changing"] == nil)
    let token = try #require(browser.cookies["gatehouse-session"])
    let id = try company.gate.fields("SESSION.CHECK", token)["id"] ?? ""
    #expect(try company.gate.fields("SESSION.GET", id)["ip"] == "127.0.0.1")
  }

  @Test("too many wrong codes: the challenge stays, and the password need not be typed again")
  func waitingForCode() throws {
    let company = try ConsoleCompany(["WORKSPACE.SET main policy.login.second-factor all"])
    let browser = Browser(company.server)
    try browser.get("/console/sign-in")
    try browser.post("/console/sign-in", [("username", "sam"), ("password", ConsoleCompany.password)])
    let hidden = ["challenge", "username", "next", "key"].map { ($0, browser.page.field($0) ?? "") }
    var page = browser.page
    for _ in 0..<60 where !page.has("too many wrong") {
      page = try browser.post("/console/sign-in/code", hidden + [("code", "000000")])
    }
    #expect(page.has("There were too many wrong codes. Try again in"), "\(page.text)")
    #expect(page.has("Code of your authenticator app") && page.field("challenge") == hidden[0].1)
  }

  @Test("User-Agents of any kind sign in")
  func userAgents() throws {
    let company = try ConsoleCompany()
    for agent in ["a\u{85}b", "a\u{2028}b", "\u{202e}x", String(repeating: "é", count: 400)] {
      let browser = Browser(company.server)
      try browser.get("/console/sign-in")
      let page = try browser.post(
        "/console/sign-in", [("username", "sam"), ("password", ConsoleCompany.password)],
        headers: [("user-agent", agent)])
      #expect(page.target == "/console/people", "\(agent.debugDescription): \(page.text)")
    }
  }

  @Test("who has no access to the console's product is told so, once the password is right")
  func noAccess() throws {
    let company = try ConsoleCompany(["USER.CREATE leo STATUS active NOINVITE"])
    try company.gate.ok("PASSWORD.SET", "leo", ConsoleCompany.password)
    let browser = Browser(company.server)
    try browser.get("/console/sign-in")
    try browser.post("/console/sign-in", [("username", "leo"), ("password", ConsoleCompany.password)])
    #expect(browser.page.status == 403)
    #expect(browser.page.has("you have no access to console"))
  }

  @Test("the very first administrator is made in the browser, once")
  func firstStart() throws {
    var options = TestServer.Options()
    options.servesHTTP = true
    let server = try TestServer(options)
    let browser = Browser(server)
    try browser.get("/console")
    #expect(browser.page.has("Welcome to Gatehouse"))
    let fields = [("name", "Sam Okafor"), ("username", "sam"), ("password", ConsoleCompany.password)]
    try browser.post(
      "/console/first-start", [("name", "S"), ("username", "sam"), ("password", "abc"), ("again", "abc")])
    #expect(try server.client().integer("USER.COUNT") == 0)
    try browser.post("/console/first-start", fields + [("again", ConsoleCompany.password)])
    #expect(browser.page.target == "/console/people")
    let gate = try server.client()
    #expect(try gate.fields("USER.GET sam")["main-role"] == "super-administrator")
    let again = Browser(server)
    try again.get("/console/sign-in")
    #expect(again.page.has("Sign in"))
    try again.post("/console/first-start", [("name", "Eve"), ("username", "eve"), ("password", "x"), ("again", "x")])
    #expect(try gate.integer("USER.COUNT") == 1)
  }

  @Test("of several who would be the first, one is")
  func firstStartAtOnce() async throws {
    var options = TestServer.Options()
    options.servesHTTP = true
    let server = try TestServer(options)
    let pages = try await withThrowingTaskGroup(of: String.self) { group in
      for number in 1...4 {
        group.addTask {
          let browser = Browser(server)
          try browser.get("/console")
          let fields = [("name", "N\(number)"), ("username", "first\(number)"), ("password", ConsoleCompany.password)]
          return try browser.post("/console/first-start", fields + [("again", ConsoleCompany.password)]).text
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(try server.client().integer("USER.COUNT") == 1, "\(pages)")
  }

  @Test("a first start that is refused leaves nothing behind")
  func firstStartRefused() throws {
    var options = TestServer.Options()
    options.servesHTTP = true
    let server = try TestServer(options)
    let browser = Browser(server)
    try browser.get("/console")
    let page = try browser.post(
      "/console/first-start", [("name", "S"), ("username", "sam"), ("password", "abc"), ("again", "abc")])
    #expect(page.status != 200 && page.has("password"), "\(page.text)")
    let gate = try server.client()
    #expect(try gate.list("PRODUCT.LIST").isEmpty)
    #expect(try gate.integer("USER.COUNT") == 0)
  }

  @Test("without the console's product the page says which command makes it")
  func missingProduct() throws {
    var options = TestServer.Options(arguments: ["--console-product", "office/desk"])
    options.servesHTTP = true
    let server = try TestServer(options)
    try server.client().ok("USER.CREATE sam STATUS active NOINVITE")
    let page = try Browser(server).get("/console/sign-in")
    #expect(page.has("gatehouse cli PRODUCT.CREATE office/desk"))
    withExtendedLifetime(server) {}
  }

  @Test(
    "after the sign-in one comes to pages of the console only",
    arguments: [
      "//evil.example", "/\\evil.example", "https://evil.example/console", "/console/../evil", "/consoleevil",
      "/console//evil.example", "/console/%2e%2e/evil", "javascript:alert(1)", "/console/\r\nset-cookie: a=b",
    ])
  func openRedirect(target: String) throws {
    #expect(!Address.isLocal(target))
  }

  @Test func pagesOfTheConsoleAreLocal() {
    for target in ["/console", "/console/people?status=locked&sort=last", "/console?x=1"] {
      #expect(Address.isLocal(target), "\(target)")
    }
  }

  @Test("a next that leads elsewhere goes to the first page")
  func nextElsewhere() throws {
    let company = try ConsoleCompany()
    let browser = Browser(company.server)
    try browser.get("/console/sign-in?next=//evil.example")
    let answer = try browser.post(
      "/console/sign-in", [("username", "sam"), ("password", ConsoleCompany.password), ("next", "//evil.example")])
    #expect(answer.target == "/console/people")
  }

  @Test("cookies are for our own requests alone, over TLS for TLS alone, and for one server of a machine")
  func cookies() {
    let plain = ConsoleCookie.Scope(isSealed: false, port: 7421)
    #expect(ConsoleCookie.session.field("t", plain) == "gatehouse-session=t; Path=/console; HttpOnly; SameSite=Strict")
    #expect(
      ConsoleCookie.session.field("t", .init(isSealed: true, port: 7630))
        == "__Secure-gatehouse-session-7630=t; Path=/console; HttpOnly; SameSite=Strict; Secure")
    #expect(ConsoleCookie.session.field(nil, plain).hasSuffix("; Max-Age=0"))
  }

  @Test("the first start is for addresses that always lead to this machine")
  func rebinding() {
    for host in ["127.0.0.1:7421", "localhost", "[::1]:7421", "LOCALHOST:1"] {
      #expect(Authentication.isThisMachine(host))
    }
    for host in ["evil.example:7421", "127.0.0.1.evil.example", "localhost.evil.example", ""] {
      #expect(!Authentication.isThisMachine(host), "\(host)")
    }
  }
}
