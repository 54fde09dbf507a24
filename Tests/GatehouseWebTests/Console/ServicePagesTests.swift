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

  @Test("what a service may do is changed by a form that has what it may now")
  func change() throws {
    let company = try ConsoleCompany(["SERVICE.CREATE ops ADMIN", "SERVICE.CREATE web READ WORKSPACE main"])
    let browser = try company.signedIn()
    #expect(try browser.get("/console/services").body.contains("/console/services/change?name=web"))
    try browser.get("/console/services/change?name=web")
    #expect(browser.page.field("workspaces") == "main")
    let fields = [
      ("name", "web"), ("READ", "1"), ("TIMERS", "1"), ("workspaces", "main"), ("products", ""),
      ("certificate", "web.test"),
      ("connections", "20"), ("commands", "0"), ("bytes", "0"),
    ]
    #expect(try browser.post("/console/services/change", fields).has("web is changed"))
    let service = try #require(try company.gate.list("SERVICE.LIST").last)
    #expect(service.texts("rights") == ["READ", "TIMERS"] && service.texts("workspaces") == ["main"])
    #expect(service["certificate"] == "web.test" && service["connections"] == "20")
    try browser.get("/console/services/change?name=web")
    let wrong = fields.map { $0.0 == "workspaces" ? ("workspaces", "mars") : $0 }
    #expect(try browser.post("/console/services/change", wrong).has("mars"))
  }
}
