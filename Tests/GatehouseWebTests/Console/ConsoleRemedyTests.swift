import Foundation
import GatehouseTestSupport
import Testing

@testable import GatehouseWeb

/// WEB 4: what mends a rule that refuses a login is a button, and it does.
@Suite("The remedies of the why page")
struct ConsoleRemedyTests {
  @Test("access that begins later can begin now")
  func beginsLater() throws {
    let company = try ConsoleCompany([
      "PRODUCT.CREATE planner", "USER.CREATE ana NOINVITE",
      "PRODUCT.ENABLE ana planner FROM 2100-01-01T00:00:00Z UNTIL 2101-01-01T00:00:00Z",
    ])
    let browser = try company.signedIn()
    let page = try browser.get("/console/why?user=ana&product=planner")
    #expect(page.has("Let in from now on") && !page.has("Enable the product"), "\(page.text)")
    try browser.post(
      "/console/why/mend", [("remedy", "open"), ("user", "ana"), ("product", "planner"), ("type", "")])
    #expect(browser.page.has("Access has begun. ana may log in to planner now."), "\(browser.page.text)")
    #expect(try company.gate.text("LOGIN.CHECK ana planner") == "ALLOW")
  }

  @Test("of who is deleted, or not employed now, the page is opened that mends it")
  func people() throws {
    let company = try ConsoleCompany([
      "PRODUCT.CREATE planner", "USER.CREATE gone NOINVITE PRODUCT planner", "USER.DELETE gone REASON left",
      "USER.CREATE rel NOINVITE PRODUCT planner", "USER.SET rel released 2021-01-01",
      "WORKSPACE.SET main policy.login.within-employment on",
    ])
    // Sam is employed without limits.
    let browser = try company.signedIn()
    for (user, button) in [("gone", "Restore"), ("rel", "Edit")] {
      let id = try company.id(user)
      let page = try browser.get("/console/why?user=\(user)&product=planner")
      #expect(page.body.contains("href=\"/console/people/\(id)\""), "\(page.text)")
      #expect(try browser.get("/console/people/\(id)").has(button), "\(browser.page.text)")
    }
  }

  @Test("P7, P13: of a person without an e-mail address an administrator sets the password, and ends the second factor")
  func withoutAddress() throws {
    let company = try ConsoleCompany(["USER.CREATE ka NOINVITE PRODUCT console"])
    let browser = try company.signedIn()
    let id = try company.id("ka")
    let page = try browser.get("/console/people/\(id)")
    #expect(page.body.contains("href=\"/console/people/\(id)/set-password\""), "\(page.text)")
    #expect(!page.body.contains("href=\"/console/people/\(id)/password\""), "no mail can be sent")
    try browser.get("/console/people/\(id)/set-password")
    try browser.post(
      "/console/people/\(id)/set-password",
      [("password", "geese over a quiet pond"), ("again", "geese over a quiet pond")])
    #expect(browser.page.has("ka has another password"), "\(browser.page.text)")
    try company.gate.ok("USER.STATUS ka inactive")
    try company.gate.ok("USER.DELETE ka REASON left")
    #expect(!(try browser.get("/console/people/\(id)").has("Set a password")))
  }
}
