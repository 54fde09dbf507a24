import Foundation
import GatehouseTestSupport
import Testing

@testable import GatehouseWeb

@Suite("The console against hostile input", .blocking)
struct ConsoleSecurityTests {
  @Test("pages run and show nothing but what comes from here, and are not kept")
  func headers() throws {
    let company = try ConsoleCompany()
    let browser = try company.signedIn()
    for target in ["/console/people", "/console/sign-in", "/console/people/999999999", "/console/search?q=sam"] {
      try browser.get(target)
      let headers = Dictionary(browser.page.headers.map { ($0.name, $0.value) }) { first, _ in first }
      let policy = try #require(headers["content-security-policy"], "\(target)")
      #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"))
      #expect(!policy.contains("unsafe"))
      #expect(headers["x-frame-options"] == "DENY")
      #expect(headers["x-content-type-options"] == "nosniff")
      #expect(headers["referrer-policy"] == "same-origin")
      #expect(headers["cache-control"] == "no-store")
      // What the policy would block is not there either.
      #expect(!browser.page.body.contains("style=") && !browser.page.body.contains("<style"))
      #expect(!browser.page.body.contains(" onclick=") && !browser.page.body.contains("javascript:"))
    }
  }

  @Test("style and script are in the binary, of the right type, and kept for good")
  func assets() throws {
    let company = try ConsoleCompany()
    let page = try Browser(company.server).get("/console/sign-in")
    for (mark, type) in [("stylesheet\" href=\"", "text/css"), ("<script src=\"", "text/javascript")] {
      let address = try #require(page.value(after: mark))
      #expect(address.hasPrefix("/console/assets/"))
      let asset = try company.server.get(address)
      #expect(asset.status == 200)
      #expect(asset["content-type"]?.hasPrefix(type) == true)
      #expect(asset["cache-control"] == "public, max-age=31536000, immutable")
      #expect(!asset.body.contains("http://") && !asset.body.contains("https://"))
    }
  }

  @Test("no template shows anything unescaped")
  func templates() {
    for (name, source) in Templates.sources {
      let text = String(decoding: source, as: UTF8.self)
      #expect(!text.contains("{{{") && !text.contains("{{&"), "\(name)")
    }
  }

  @Test("a form without our token, with another session's, or from another site changes nothing")
  func forgery() throws {
    let company = try ConsoleCompany(["USER.CREATE leo STATUS active NOINVITE"])
    let leo = try company.id("leo")
    let browser = try company.signedIn()
    let other = try company.signedIn()
    try other.get("/console/people/\(leo)/status?to=inactive")
    try browser.get("/console/people/\(leo)/status?to=inactive")
    let fields = [("status", "inactive"), ("reason", "forged")]
    let page = browser.page
    let target = "/console/people/\(leo)/status"
    let forged: [HTTPPage] = [
      try browser.post(target, fields + [("csrf", "")], from: page),
      try browser.post(target, fields + [("csrf", other.page.field("csrf") ?? "")], from: page),
      try browser.post(target, fields, headers: [("sec-fetch-site", "cross-site")], from: page),
      try browser.post(target, fields, headers: [("sec-fetch-site", "same-site")], from: page),
      try browser.post(target, fields, headers: [("origin", "https://evil.example")], from: page),
      try browser.post(target, fields, headers: [("origin", "null")], from: page),
    ]
    #expect(forged.map(\.status) == Array(repeating: 403, count: 6))
    #expect(try company.gate.fields("USER.GET leo")["status"] == "active")
    let own = [("origin", "http://127.0.0.1:\(company.server.httpPort)"), ("sec-fetch-site", "same-origin")]
    try browser.post(target, fields, headers: own, from: page)
    #expect(try company.gate.fields("USER.GET leo")["status"] == "inactive")
  }

  @Test("the sign-in's forms are bound to the browser too")
  func forgedSignIn() throws {
    let company = try ConsoleCompany()
    let browser = Browser(company.server)
    try browser.get("/console/sign-in")
    let page = browser.page
    browser.set(cookie: "gatehouse-visitor", nil)
    let answer = try browser.post(
      "/console/sign-in", [("username", "sam"), ("password", ConsoleCompany.password)], from: page)
    #expect(answer.status == 403)
    #expect(browser.cookies["gatehouse-session"] == nil)
  }

  @Test("a form that is too large or is none is refused, and the server goes on")
  func bodies() throws {
    let company = try ConsoleCompany()
    let browser = try company.signedIn()
    try browser.get("/console/people/new")
    let large = try browser.post("/console/people/new", [("username", String(repeating: "x", count: 300_000))])
    #expect(large.status == 413)
    try browser.get("/console/people/new")
    let broken = try browser.post("/console/people/new", [("username", "a")], headers: [("content-type", "text/plain")])
    #expect([403, 415].contains(broken.status))
    #expect(try browser.get("/console/people").status == 200)
    #expect(try company.gate.integer("USER.COUNT") == 1)
  }

  private static let attack = #""><script>alert(1)</script><img src=x onerror=alert(1)>'{{csrf}}"#
  /// The same with letters that join with what follows them: to Swift `\u{d4e}<` is one character and no `<`.
  private static let joined = "\u{d4e}\"\u{d4e}>\u{600}<script>alert(1)\u{d4e}</script><\u{301}img \u{d4e}<img src=x>"

  @Test("what people type is shown as they typed it, wherever it is shown", arguments: [attack, joined])
  func scripting(_ attack: String) throws {
    let company = try ConsoleCompany([
      "USER.CREATE ana STATUS active NOINVITE PRODUCT payroll LICENCE payroll office",
      "FIELD.DEFINE motto text", "ACCOUNT.CREATE Acme CUSTOMER",
    ])
    let gate = company.gate
    for field in [
      "first", "middle", "last", "department", "phone", "division", "initials", "reference", "schedule", "motto",
    ] {
      try gate.ok("USER.SET", "ana", field, attack, "REASON", attack)
    }
    let token = try #require(gate.fields("SESSION.CREATE", "ana", "payroll", "AGENT", attack)["session"])
    try gate.ok("AS", token, "TIMER.START", "ana", "PROJECT", attack, "NOTE", attack)
    try gate.ok("AS", token, "TIMER.STOP", "ana")
    try gate.ok("AS", token, "TIMER.START", "ana", "PROJECT", attack)
    try gate.ok("APIKEY.CREATE", "ana", "NAME", attack)
    try gate.ok("LINK.ADD", "ana", "booking", attack, "STATUS", attack, "ATTR", "k", attack)
    let browser = try company.signedIn()
    let ana = try company.id("ana")
    let typed = Browser.encoded(attack)
    let targets = [
      "/console/people", "/console/people?department=\(typed)&value=\(typed)&field=last&sort=\(typed)",
      "/console/people?column=\(typed)", "/console/people?column=department&column=division&column=initials",
      "/console/people/\(ana)", "/console/people/\(ana)/edit", "/console/people/\(ana)/rename",
      "/console/people/\(ana)/status?to=\(typed)", "/console/people/\(ana)/access?product=\(typed)",
      "/console/people/\(ana)/access-end?product=\(typed)", "/console/people/\(ana)/trail?actor=\(typed)",
      "/console/people/\(ana)/trail", "/console/people/\(ana)/merge?drop=\(typed)", "/console/people/\(typed)",
      "/console/search?q=\(typed)", "/console/search?q=ana", "/console/sign-in?next=\(typed)",
    ]
    for target in targets {
      let page = try browser.get(target)
      #expect(!page.hasBytes("<script>alert") && !page.hasBytes("<img src=x"), "\(target)")
    }
    // Shown, and not merely left out.
    try browser.get("/console/people/\(ana)")
    #expect(browser.page.body.components(separatedBy: "lt;script&gt;alert(1)").count > 10)
    // In what the pages themselves say back.
    for (target, fields) in [
      ("/console/people/new", [("username", attack), ("first", attack), ("reason", attack), ("message", attack)]),
      ("/console/people/\(ana)/edit", [("email", attack), ("reason", attack)]),
      ("/console/people/\(ana)/rename", [("username", attack)]),
      ("/console/people/\(ana)/role", [("role", attack), ("kind", "workspace"), ("of", attack)]),
      ("/console/people/bulk", [("field", attack), ("value", attack), ("id", ana)]),
      ("/console/people/bulk", [("field", "department"), ("value", attack), ("id", ana)]),
      ("/console/people/views", [("name", attack), ("query", attack)]),
      ("/console/workspace", [("workspace", attack)]),
      ("/console/undo", [("lsn", attack), ("here", attack)]),
    ] {
      try browser.get("/console/people/\(ana)/edit")
      let page = try browser.post(target, fields)
      #expect(!page.hasBytes("<script>alert") && !page.hasBytes("<img src=x"), "\(target)")
    }
    try browser.get("/console/people")
    #expect(!browser.page.hasBytes("<script>alert"))
  }

  @Test("a flash that somebody makes up is text, and no more")
  func flash() throws {
    let company = try ConsoleCompany()
    let browser = try company.signedIn()
    browser.set(cookie: "gatehouse-flash", Flash(Self.attack, undo: 1).cookie)
    #expect(!(try browser.get("/console/people").body.contains("<script>alert")))
    #expect(browser.page.has(#""><script>alert(1)"#))
    for cookie in ["%%%", "AAAA", String(repeating: "A", count: 5000), "e30"] {
      browser.set(cookie: "gatehouse-flash", cookie)
      #expect(try browser.get("/console/people").status == 200)
    }
  }

  @Test("secrets stand in no page's commands")
  func secrets() throws {
    let company = try ConsoleCompany()
    let browser = try company.signedIn()
    let token = try #require(browser.cookies["gatehouse-session"])
    for target in ["/console/people", "/console/people/\(try company.id("sam"))", "/console/search?q=sam"] {
      #expect(!(try browser.get(target).body.contains(token)))
    }
  }

  @Test("an administrator of another workspace sees and does nothing here")
  func tenants() throws {
    let company = try ConsoleCompany([
      "WORKSPACE.CREATE academy", "USER.CREATE leo STATUS active NOINVITE",
      "USER.CREATE ingrid WORKSPACE academy STATUS active NOINVITE",
      "WORKSPACE.SET academy policy.password.admin-sets-final on",
      "PRODUCT.ENABLE ingrid console", "ROLE.GRANT ingrid training-administrator WORKSPACE academy",
    ])
    try company.gate.ok("PASSWORD.SET", "ingrid", ConsoleCompany.password)
    let leo = try company.id("leo")
    let browser = try company.signedIn("ingrid")
    try browser.get("/console/people?everywhere=1")
    #expect(browser.page.has("ingrid") && !browser.page.has("leo"))
    #expect(try browser.get("/console/people/\(leo)").status == 404)
    #expect(!(try browser.get("/console/search?q=leo").has("leo@")))
    #expect(browser.page.has("Nobody is called so"))
    try browser.get("/console/people/\(try company.id("ingrid"))/edit")
    let answer = try browser.post("/console/people/\(leo)/status", [("status", "inactive"), ("reason", "x")])
    #expect(answer.status == 404)
    #expect(try company.gate.fields("USER.GET leo")["status"] == "active")
  }

  @Test("forms are read strictly")
  func formFields() throws {
    let form = try FormFields(parsing: "a=1+2&b=%C3%A4&a=3&c&d=x%3Dy")
    #expect(form.all("a") == ["1 2", "3"])
    #expect(form["b"] == "ä" && form["c"] == "" && form["d"] == "x=y")
    // Separators are bytes, whatever joins with them.
    let joined = try FormFields(parsing: "a=1&\u{301}b=\u{301}2")
    #expect(joined["a"] == "1" && joined["\u{301}b"] == "\u{301}2")
    for text in ["a=%", "a=%ff", "a=%zz", "a=%00", "a=%+1", "a=%-1", "a=%1", "a=% 1"] {
      #expect(throws: Problem.self, "\(text)") { try FormFields(parsing: text) }
    }
    #expect(throws: Problem.self) { try FormFields(parsing: String(repeating: "a=1&", count: 6000)) }
  }
}
