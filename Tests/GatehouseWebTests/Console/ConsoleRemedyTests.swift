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

  @Test("L12: a licence that is chosen lets in, and nobody is said to be let in who lacks one")
  func licences() throws {
    let company = try ConsoleCompany()
    let browser = try company.signedIn()
    try browser.get("/console/people/new")
    try browser.post(
      "/console/people/new", [("username", "eva"), ("status", "active"), ("licence:payroll", "office")])
    #expect(browser.page.has("eva was added.") && !browser.page.has("before they have a licence"))
    #expect(try company.gate.text("LOGIN.CHECK eva payroll") == "ALLOW")
    try browser.get("/console/people/new")
    try browser.post("/console/people/new", [("username", "otto"), ("status", "active"), ("product", "payroll")])
    #expect(browser.page.has("They cannot log in to payroll before they have a licence of it."), "\(browser.page.text)")
    #expect(browser.page.has("none, but needed"))
    try company.gate.ok("USER.CREATE kai NOINVITE STATUS active")
    let id = try company.id("kai")
    let form = try browser.get("/console/people/\(id)/access?product=payroll")
    #expect(!form.has("As it is"), "\(form.text)")
    let fields = [("product", "payroll"), ("kind", "regular"), ("from", ""), ("until", "")]
    try browser.post("/console/people/\(id)/access", fields + [("licence", "")])
    #expect(browser.page.has("kai is let in, but cannot log in to payroll"), "\(browser.page.text)")
    try browser.get("/console/people/\(id)/access?product=payroll")
    try browser.post("/console/people/\(id)/access", fields + [("licence", "office")])
    #expect(browser.page.has("kai may use payroll.") && !browser.page.has("none, but needed"), "\(browser.page.text)")
  }

  @Test("L5: whoever waits after wrong passwords is seen to, and the wait can be ended; so is who has no password")
  func waits() throws {
    let company = try ConsoleCompany([
      "USER.CREATE olga NOINVITE PRODUCT console STATUS active",
      "USER.CREATE ben NOINVITE PRODUCT console STATUS active",
    ])
    try company.gate.ok("PASSWORD.SET", "olga", ConsoleCompany.password)
    for _ in 0..<5 { _ = try company.gate.reply("LOGIN.PASSWORD", "olga", "console", "wrong") }
    let browser = try company.signedIn()
    let page = try browser.get("/console/why?user=olga&product=console")
    #expect(page.has("No password of olga is looked at for now") && page.has("5 wrong ones"), "\(page.text)")
    let id = try company.id("olga")
    let person = try browser.get("/console/people/\(id)")
    #expect(person.has("Wrong passwords") && person.has("End the wait"), "\(person.text)")
    try browser.get("/console/why?user=olga&product=console")
    try browser.post(
      "/console/why/mend", [("remedy", "unlock"), ("user", "olga"), ("product", "console"), ("type", "")])
    #expect(!browser.page.has("is looked at for now"), "\(browser.page.text)")
    #expect(try company.gate.fields("PASSWORD.GET olga")["failures"] == "0")
    #expect(try browser.get("/console/why?user=ben&product=console").has("ben has no password"))
  }

  @Test("whoever types a name or an address is led to those who have it")
  func namesakes() throws {
    let company = try ConsoleCompany(["USER.CREATE leo FIRST Leo LAST Novak EMAIL leo.n@acme.test NOINVITE"])
    let browser = try company.signedIn()
    for typed in ["leo.n%40acme.test", "Leo%20Novak", "Novak"] {
      let page = try browser.get("/console/why?user=\(typed)&product=console")
      #expect(page.body.contains("href=\"/console/why?user=leo&amp;product=console\""), "\(typed): \(page.text)")
    }
    #expect(!(try browser.get("/console/why?user=stranger&product=console").has("Do you mean")))
  }
}
