import Foundation
import GatehouseTestSupport
import Testing

@testable import GatehouseWeb

@Suite("What cookies may do", .blocking)
struct CookieTrustTests {
  private static let people = [
    "USER.CREATE kai FIRST Kai STATUS active NOINVITE PRODUCT console", "USER.CREATE ana STATUS active NOINVITE",
    "ROLE.GRANT kai training-administrator WORKSPACE main",
  ]

  private func secret(_ cookie: String) -> String { FormToken.of(cookie) }

  @Test("the id of somebody's session in place of a token ends nothing")
  func ids() throws {
    let company = try ConsoleCompany(Self.people)
    let sam = try company.signedIn()
    let token = try #require(sam.cookies["gatehouse-session"])
    let id = try #require(company.gate.fields("SESSION.CHECK", token)["id"])
    try company.gate.ok("PASSWORD.SET", "kai", ConsoleCompany.password)
    // At the sign-in, where the session that the browser had before ends.
    let kai = Browser(company.server)
    kai.set(cookie: "gatehouse-session", id)
    try kai.get("/console/sign-in")
    try kai.post("/console/sign-in", [("username", "kai"), ("password", ConsoleCompany.password)])
    #expect(kai.page.status == 200 && kai.cookies["gatehouse-session"] != id)
    #expect(try !company.gate.isNull("SESSION.CHECK", token))
    // At the sign-out, with a made-up session and the id of an impersonation.
    let acting = try company.gate.fields("IMPERSONATE.START", token, "ana", "REASON", "support")
    let stranger = Browser(company.server)
    stranger.set(cookie: "gatehouse-session", "x")
    stranger.set(cookie: "gatehouse-acting", acting["id"])
    try stranger.post("/console/sign-out", [("csrf", secret("x"))])
    #expect(try !company.gate.isNull("SESSION.CHECK", acting["session"] ?? ""))
    stranger.set(cookie: "gatehouse-session", "gs_x")
    stranger.set(cookie: "gatehouse-acting", acting["session"])
    try stranger.post("/console/sign-out", [("csrf", secret("gs_x"))])
    #expect(try !company.gate.isNull("SESSION.CHECK", acting["session"] ?? ""))
  }

  @Test("a link from another site neither signs out nor asks to sign in: our own page leads to the same address")
  func crossSite() throws {
    let company = try ConsoleCompany()
    let elsewhere = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]
    let page = try Browser(company.server).get("/console/people?status=locked&x=%22", headers: elsewhere)
    #expect(page.status == 200)
    #expect(page.body.contains("content=\"0;url=/console/people?status=locked&amp;x=%22\""))
    #expect(!page.headers.contains { $0.name == "set-cookie" })
    // Nobody without a cookie is told to throw one away, and who has a dead one is.
    let typed = try company.server.get("/console/people")
    #expect(typed.status == 303 && typed["set-cookie"] == nil)
    let browser = Browser(company.server)
    browser.set(cookie: "gatehouse-session", "gs_dead")
    try browser.get("/console/people")
    #expect(browser.cookies["gatehouse-session"] == nil)
    // An address that leads elsewhere is none.
    let hostile = try Browser(company.server).get("/console//evil.example", headers: elsewhere)
    #expect(hostile.status != 200 || hostile.body.contains("content=\"0;url=/console\""))
  }

  @Test("two servers of one machine do not sign each other's people out")
  func twoServers() throws {
    let (one, other) = (try ConsoleCompany(), try ConsoleCompany())
    let browser = try one.signedIn()
    let token = try #require(browser.cookies["gatehouse-session"])
    let sent = [("cookie", "gatehouse-session-\(one.server.httpPort)=\(token)")]
    let answer = try other.server.get("/console/people", headers: sent)
    #expect(answer.status == 303 && !answer.headers.contains { $0.name == "set-cookie" })
    #expect(try one.server.get("/console/people", headers: sent).status == 200)
  }
}
