import GatehouseTestSupport
import Testing

@testable import GatehouseWeb

@Suite("The console's seats and refused logins", .blocking)
struct SeatsAndRefusalsTests {
  private static let people = [
    "USER.CREATE ana STATUS active NOINVITE PRODUCT payroll LICENCE payroll office",
    "USER.CREATE leo STATUS active NOINVITE", "USER.CREATE kai STATUS active NOINVITE PRODUCT console",
    "ROLE.DEFINE clerk pool.read user.read", "ROLE.GRANT kai clerk WORKSPACE main",
  ]

  @Test("holders of seats stand with their last login, and a seat is freed in place by who may")
  func seats() throws {
    let company = try ConsoleCompany(Self.people)
    let browser = try company.signedIn()
    _ = try company.gate.token(of: "ana", to: "payroll")
    let holders = try browser.get("/console/product?name=payroll&type=office")
    #expect(holders.has("Who holds office") && holders.has("Last login") && holders.has("ana"), "\(holders.text)")
    let id = try company.id("ana")
    let address = "/console/product/free?product=payroll&amp;type=office&amp;user=%23\(id)&amp;name=ana"
    #expect(holders.body.contains(address), "\(holders.body)")
    let trial = try browser.get(address.replacing("&amp;", with: "&"))
    #expect(trial.has("Free the seat of ana?") && trial.has("What would change"), "\(trial.text)")
    let fields = [("product", "payroll"), ("type", "office"), ("user", "#" + id), ("name", "ana"), ("reason", "left")]
    let freed = try browser.post("/console/product/free", fields)
    #expect(freed.has("The seat of ana is free.") && freed.has("Nobody holds one"), "\(freed.text)")
    #expect(try company.gate.text("LOGIN.CHECK ana payroll") == "DENY no-licence")
    #expect(try company.gate.record(of: "ana", by: "LICENCE.REMOVE")["reason"] == "left")
    // Who may read the seats and not give them has no button.
    try company.gate.ok("LICENCE.ASSIGN ana payroll office")
    try company.gate.ok("PASSWORD.SET", "kai", ConsoleCompany.password)
    let kai = try company.signedIn("kai")
    let seen = try kai.get("/console/product?name=payroll&type=office")
    #expect(seen.has("ana") && !seen.has("Free the seat"), "\(seen.text)")
  }

  @Test("a first licence type that would lock people out is set only after a trial and with a reason")
  func firstType() throws {
    let company = try ConsoleCompany([
      "PRODUCT.CREATE crm", "USER.CREATE ana STATUS active NOINVITE PRODUCT crm",
      "WORKSPACE.CREATE acme", "PRODUCT.CREATE acme/app",
    ])
    let browser = try company.signedIn()
    try browser.get("/console/product?name=crm")
    let seats = [("product", "crm"), ("type", "office"), ("seats", "5")]
    let asked = try browser.post("/console/product/seats", seats)
    #expect(asked.has("Set the seats of crm?") && asked.has("ALLOW → DENY no-licence"), "\(asked.text)")
    #expect(try company.gate.text("LOGIN.CHECK ana crm") == "ALLOW")
    try browser.post("/console/product/seats", seats + [("confirmed", "1"), ("reason", "licences were bought")])
    #expect(try company.gate.text("LOGIN.CHECK ana crm") == "DENY no-licence")
    // Nobody loses anything by more seats.
    try browser.get("/console/product?name=crm")
    let more = try browser.post("/console/product/seats", [("product", "crm"), ("type", "office"), ("seats", "9")])
    #expect(more.has("office has 9 seats now."), "\(more.text)")
  }

  @Test("refused logins are counted by reason and product, narrowed down, and each leads to its explanation")
  func refusals() throws {
    let company = try ConsoleCompany(Self.people)
    let browser = try company.signedIn()
    #expect(try browser.get("/console/refusals").has("No login was refused"))
    for line in ["leo payroll", "leo payroll", "stranger payroll", "ana console"] {
      #expect(try company.gate.text("LOGIN.CHECK \(line)")?.hasPrefix("DENY ") == true)
    }
    let all = try browser.get("/console/refusals")
    for words in ["By reason", "product-disabled 3", "unknown-user 1", "By product", "payroll 3", "console 1"] {
      #expect(all.has(words), "\(words): \(all.text)")
    }
    #expect(all.body.contains("href=\"/console/why?user=leo&amp;product=payroll\""))
    let narrow = try browser.get("/console/refusals?span=1h&reason=unknown-user")
    #expect(narrow.has("stranger") && !narrow.has(" leo ") && narrow.has("Show all of them"), "\(narrow.text)")
    #expect(try browser.get("/console/why?user=leo&product=payroll").has("leo may not log in to payroll"))
  }
}
