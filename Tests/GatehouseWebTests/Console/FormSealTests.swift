import Foundation
import GatehouseTestSupport
import Testing

@testable import GatehouseWeb

@Suite("Forms and for whom they were made", .blocking)
struct FormSealTests {
  private static let setUp = [
    "WORKSPACE.CREATE academy", "USER.CREATE kai FIRST Kai STATUS active NOINVITE",
    "USER.CREATE ana STATUS active NOINVITE", "ROLE.GRANT kai training-administrator WORKSPACE main",
  ]

  private func acting(_ company: ConsoleCompany, as username: String) throws -> Browser {
    let browser = try company.signedIn()
    let id = try company.id(username)
    try browser.get("/console/people/\(id)/log-in-as")
    try browser.post("/console/people/\(id)/log-in-as", [("why", "support")])
    #expect(browser.page.has("acts as") || browser.page.has("You act as \(username) now."), "\(browser.page.text)")
    return browser
  }

  private func impersonations(_ company: ConsoleCompany) throws -> [Fields] {
    try company.gate.list("IMPERSONATE.LIST")
  }

  @Test("a form is for the workspace that it was shown for, though the browser looks at another one now")
  func workspace() throws {
    let company = try ConsoleCompany(Self.setUp)
    let browser = try company.signedIn()
    try browser.get("/console/workspace")
    try browser.post("/console/workspace", [("workspace", "academy")])
    let form = try browser.get("/console/people/new")
    #expect(form.has("To the workspace academy"))
    try browser.get("/console/workspace")
    try browser.post("/console/workspace", [("workspace", "main")])
    try browser.post("/console/people/new", [("username", "new.one")], from: form)
    #expect(browser.page.has("This was in the workspace academy."), "\(browser.page.text)")
    #expect(try company.gate.fields("USER.GET new.one")["home"] == "academy")
  }

  @Test("a form that was made while acting as somebody is not carried out as oneself, nor the other way round")
  func identity() throws {
    let company = try ConsoleCompany(Self.setUp)
    let browser = try acting(company, as: "kai")
    let kai = try company.id("kai")
    let made = try browser.get("/console/people/\(kai)/edit")
    #expect(made.status == 200)
    let id = try #require(impersonations(company).first?["id"])
    try company.gate.ok("IMPERSONATE.END", id)
    let late = try browser.post("/console/people/\(kai)/edit", [("phone", "777")], from: made)
    #expect(late.status == 409)
    #expect(late.has("this form was made as kai, and you are sam now, so nothing was carried out"), "\(late.text)")
    #expect(late.has("You act as somebody else no longer"))
    #expect(try company.gate.fields("USER.GET kai")["phone"] != "777")
    // The other way round.
    let own = try browser.get("/console/people/\(kai)/edit")
    try browser.get("/console/people/\(kai)/log-in-as")
    try browser.post("/console/people/\(kai)/log-in-as", [("why", "support")])
    #expect(try browser.post("/console/people/\(kai)/edit", [("phone", "777")], from: own).status == 409)
    // Without saying for whom.
    let bare = try browser.post("/console/people/\(kai)/edit", [("phone", "777"), ("as", "")])
    #expect(bare.status == 403 && bare.has("does not say for whom it was made"))
    #expect(try company.gate.fields("USER.GET kai")["phone"] != "777")
  }

  @Test("that an impersonation has ended is said once")
  func ended() throws {
    let company = try ConsoleCompany(Self.setUp)
    let browser = try acting(company, as: "kai")
    try company.gate.ok("IMPERSONATE.END", try #require(impersonations(company).first?["id"]))
    #expect(try browser.get("/console/people").has("You act as somebody else no longer"))
    #expect(!(try browser.get("/console/people").has("You act as somebody else no longer")))
  }

  @Test("log in as: a form that is sent twice begins one, and there is one at a time")
  func startedOnce() throws {
    let company = try ConsoleCompany(Self.setUp)
    let (kai, ana) = (try company.id("kai"), try company.id("ana"))
    let browser = try company.signedIn()
    let form = try browser.get("/console/people/\(kai)/log-in-as")
    // As before the first answer, without the cookie that it sets.
    let double = Browser(company.server)
    double.set(cookie: "gatehouse-session", browser.cookies["gatehouse-session"])
    try browser.post("/console/people/\(kai)/log-in-as", [("why", "support")], from: form)
    try double.post("/console/people/\(kai)/log-in-as", [("why", "support")], from: form)
    #expect(try impersonations(company).count == 1)
    #expect(browser.cookies["gatehouse-acting"] == double.cookies["gatehouse-acting"])
    try browser.get("/console/people/\(ana)")
    let second = try browser.post("/console/people/\(ana)/log-in-as", [("why", "support")])
    #expect(second.status == 409)
    #expect(try impersonations(company).count == 1)
    try browser.get("/console/people")
    try browser.post("/console/impersonation/end")
    #expect(try impersonations(company).isEmpty)
  }

  @Test("L19, B12: the trail says who ended an impersonation, and from where it was begun")
  func ending() throws {
    let company = try ConsoleCompany(Self.setUp)
    let browser = try acting(company, as: "kai")
    let token = try #require(browser.cookies["gatehouse-acting"])
    let id = try company.gate.fields("SESSION.CHECK", token)["id"] ?? ""
    #expect(try company.gate.fields("SESSION.GET", id)["ip"] == "127.0.0.1")
    try browser.get("/console/people")
    try browser.post("/console/impersonation/end")
    #expect(browser.page.has("You act as kai no longer."), "\(browser.page.text)")
    #expect(try company.gate.isNull("SESSION.CHECK", token))
    let record = try #require(
      try company.gate.pages("AUDIT.LIST USER kai").first { $0["command"] == "IMPERSONATE.END" })
    #expect(record["actor"]?.isEmpty == false, "\(record)")
    // Signing out while acting is the person's own, too.
    try browser.get("/console/people/\(try company.id("kai"))/log-in-as")
    try browser.post("/console/people/\(try company.id("kai"))/log-in-as", [("why", "again")])
    try browser.get("/console/people")
    try browser.post("/console/sign-out")
    #expect(try impersonations(company).isEmpty)
    let ends = try company.gate.pages("AUDIT.LIST USER kai").filter { $0["command"] == "IMPERSONATE.END" }
    #expect(ends.count == 2 && ends.allSatisfy { $0["actor"]?.isEmpty == false })
  }

  @Test("the banner counts from what is left, not by the clock of the browser")
  func banner() throws {
    let company = try ConsoleCompany(Self.setUp)
    let browser = try acting(company, as: "kai")
    let page = try browser.get("/console/people?status=active")
    let left = try #require(page.value(after: "data-left=\"").flatMap { Int($0) })
    #expect((1...900).contains(left))
    #expect(page.value(after: "data-onward=\"") == "/console/people?status=active")
  }
}
