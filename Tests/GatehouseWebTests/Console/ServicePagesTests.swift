import GatehouseTestSupport
import Testing

@Suite("The console's page of services")
struct ServicePagesTests {
  @Test("a service is bound to products by a form, and listed with them")
  func products() throws {
    let company = try ConsoleCompany(["SERVICE.CREATE ops ADMIN"])
    let browser = try company.signedIn()
    try browser.get("/console/services")
    #expect(browser.page.has("everything"), "\(browser.page.text)")
    try browser.post(
      "/console/services/new", [("name", "payroll-app"), ("SESSIONS", "1"), ("products", "payroll console")])
    #expect(browser.page.has("The secret of payroll-app"), "\(browser.page.text)")
    let listed = try #require(try company.gate.list("SERVICE.LIST").last)
    #expect(listed.texts("products") == ["payroll", "console"])
    try browser.get("/console/services")
    #expect(browser.page.has("payroll, console"), "\(browser.page.text)")
    // What cannot be is said.
    try browser.post("/console/services/new", [("name", "more"), ("products", "nothing")])
    #expect(browser.page.has("nothing"), "\(browser.page.text)")
    #expect(try company.gate.list("SERVICE.LIST").count == 2)
  }
}
