import GatehouseTestSupport
import Testing

@testable import GatehouseWeb

/// A server that is killed while somebody fills in a form.
@Suite("Forms, and a server that is killed", .blocking)
struct KilledServerTests {
  @Test("a form works after the restart, is carried out once, and what was answered is there")
  func form() throws {
    let company = try ConsoleCompany()
    let server = company.server
    let browser = try company.signedIn()
    let form = try browser.get("/console/people/new")
    let fields = [("username", "mia"), ("first", "Mia"), ("status", "active")]
    server.kill()
    #expect(throws: (any Error).self) { try browser.post("/console/people/new", fields, from: form) }
    try server.start()
    // Nobody has to sign in again, and what was typed is as good as before.
    #expect(try browser.post("/console/people/new", fields, from: form).has("mia was added."), "\(browser.page.text)")
    server.kill()
    try server.start()
    // Sent once more, the form says the same, and nothing is done twice.
    #expect(try browser.post("/console/people/new", fields, from: form).has("mia was added."), "\(browser.page.text)")
    #expect(try records(server, of: "mia") == 1)
    #expect(try server.client().fields("USER.GET mia")["first"] == "Mia")
  }

  @Test("whether a form was carried out before the server was killed or not, sending it again does it once")
  func underWay() throws {
    let company = try ConsoleCompany()
    let server = company.server
    let browser = try company.signedIn()
    for (number, time) in [0, 1, 3, 10].enumerated() {
      let form = try browser.get("/console/people/new")
      let fields = [("username", "mia\(number)"), ("status", "active")]
      let connection = try browser.begin("/console/people/new", fields, from: form)
      pause(.milliseconds(time))
      server.kill()
      let isAnswered = (try? connection.receiveLine()) == "HTTP/1.1 303 See Other"
      try server.start()
      if isAnswered { #expect(try records(server, of: "mia\(number)") == 1, "what was answered is lost") }
      let again = try browser.post("/console/people/new", fields, from: form)
      #expect(again.has("mia\(number) was added."), "\(again.text)")
      #expect(try records(server, of: "mia\(number)") == 1)
    }
  }

  /// How many records have made somebody.
  private func records(_ server: TestServer, of username: String) throws -> Int {
    try server.client().pages("AUDIT.LIST", "USER", username).count { $0["command"] == "USER.CREATE" }
  }
}
