import GatehouseCore
import GatehouseServer
import GatehouseTestSupport
import Testing

@testable import GatehouseWeb

@Suite("HTTP: from whom a request is, behind proxies", .blocking)
struct ClientAddressTests {
  private static let proxies = NetworkList("loopback,10.0.0.0/8")!

  private func told(_ fields: [(String, String)], by peer: String = "10.0.0.1") -> String? {
    let values = { name in fields.filter { $0.0 == name }.map(\.1) }
    return ClientAddress.told(values("X-Forwarded-For"), values("Forwarded"), by: peer, Self.proxies)?.text
  }

  @Test("the last address counts that is none of the proxies'; what stands before is anybody's invention")
  func chain() {
    #expect(told([("X-Forwarded-For", "203.0.113.9")]) == "203.0.113.9")
    #expect(told([("X-Forwarded-For", "1.2.3.4, 203.0.113.9")]) == "203.0.113.9")
    #expect(told([("X-Forwarded-For", "1.2.3.4, 203.0.113.9, 10.0.0.7")]) == "203.0.113.9")
    #expect(told([("X-Forwarded-For", "1.2.3.4"), ("X-Forwarded-For", "203.0.113.9,127.0.0.1")]) == "203.0.113.9")
    #expect(told([("X-Forwarded-For", "10.0.0.8, 10.0.0.7")]) == "10.0.0.8")
    #expect(told([("X-Forwarded-For", "203.0.113.9:4711")]) == "203.0.113.9")
    #expect(told([("X-Forwarded-For", "[2001:DB8::1]:4711")]) == "2001:db8::1")
    #expect(told([("X-Forwarded-For", "2001:db8::1")]) == "2001:db8::1")
    #expect(told([("Forwarded", "for=1.2.3.4, For=\"[2001:db8::1]:80\";proto=https")]) == "2001:db8::1")
    #expect(told([("Forwarded", "by=10.0.0.1;for=203.0.113.9")]) == "203.0.113.9")
  }

  @Test("who is no proxy is not believed, nor what is not understood, nor two headers that differ")
  func distrust() {
    #expect(told([("X-Forwarded-For", "203.0.113.9")], by: "192.0.2.1") == nil)
    #expect(told([]) == nil)
    for text in ["unknown", "", "203.0.113.9, _hidden", "203.0.113.999", "203.0.113.9, ,", "a\u{301}"] {
      #expect(told([("X-Forwarded-For", text)]) == nil, "\(text)")
    }
    // Of what was understood behind it, the first.
    #expect(told([("X-Forwarded-For", "rubbish, 10.0.0.7")]) == "10.0.0.7")
    let both = [("X-Forwarded-For", "203.0.113.9"), ("Forwarded", "for=1.2.3.4")]
    #expect(told(both) == nil)
    #expect(told([both[0], ("Forwarded", "for=203.0.113.9")]) == "203.0.113.9")
  }

  @Test("sessions have the client's address, and clients do not wait for each other's wrong passwords")
  func guesses() throws {
    let company = try ConsoleCompany()
    try company.gate.ok("CONFIG SET guesses-per-address 3")
    func signIn(_ password: String, from address: String) throws -> Browser {
      let browser = Browser(company.server)
      try browser.get("/console/sign-in")
      try browser.post(
        "/console/sign-in", [("username", "sam"), ("password", password)], headers: [("x-forwarded-for", address)])
      return browser
    }
    func address(_ browser: Browser) throws -> String? {
      let token = try #require(browser.cookies["gatehouse-session"], "\(browser.page.text)")
      let id = try company.gate.fields("SESSION.CHECK", token)["id"] ?? ""
      return try company.gate.fields("SESSION.GET", id)["ip"]
    }
    // Nobody is believed unless the setting says so.
    #expect(try address(signIn(ConsoleCompany.password, from: "203.0.113.9")) == "127.0.0.1")
    try company.gate.refused("CONFIG SET http-proxies public", with: "ERR")
    try company.gate.ok("CONFIG SET http-proxies loopback")
    #expect(try address(signIn(ConsoleCompany.password, from: "203.0.113.9")) == "203.0.113.9")
    var last = ""
    for number in 0..<20 where !last.contains("too many wrong passwords") {
      let browser = Browser(company.server)
      try browser.get("/console/sign-in")
      last = try browser.post(
        "/console/sign-in", [("username", "nobody\(number)"), ("password", "wrong")],
        headers: [("x-forwarded-for", "198.51.100.7")]
      ).text
    }
    #expect(last.contains("too many wrong passwords"), "\(last)")
    #expect(try signIn(ConsoleCompany.password, from: "198.51.100.7").cookies["gatehouse-session"] == nil)
    #expect(try address(signIn(ConsoleCompany.password, from: "203.0.113.9")) == "203.0.113.9")
  }

  @Test(
    "what was passed on is not from this machine, where the settings know of no proxy",
    arguments: ["X-Forwarded-For", "Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto", "Via", "X-Real-IP"])
  func unknownProxy(field: String) throws {
    let server = try TestServer.serving()
    let headers = [(field, field == "Forwarded" ? "for=203.0.113.9" : "203.0.113.9")]
    let console = try server.get("/console/sign-in", headers: headers)
    #expect(!console.body.contains("Welcome to Gatehouse"))
    #expect(try server.get("/metrics", headers: headers).status == 401)
    #expect(try server.get("/console/sign-in").body.contains("Welcome to Gatehouse"))
  }

  @Test("who comes through a proxy from elsewhere is not this machine")
  func local() throws {
    let server = try TestServer.serving("--http-proxies", "loopback")
    #expect(try server.get("/metrics").status == 200)
    #expect(try server.get("/metrics", headers: [("x-forwarded-for", "203.0.113.9")]).status == 401)
    #expect(try server.get("/metrics", headers: [("x-forwarded-for", "127.0.0.1")]).status == 200)
    let both = [("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=127.0.0.1")]
    #expect(try server.get("/metrics", headers: both).status == 401, "whoever is not known is not this machine")
    #expect(try server.get("/metrics", headers: [("forwarded", "for=unknown")]).status == 401)
    let console = try server.get("/console/sign-in", headers: [("x-forwarded-for", "203.0.113.9")])
    #expect(!console.body.contains("Welcome to Gatehouse"))
    #expect(try server.get("/console/sign-in").body.contains("Welcome to Gatehouse"))
  }
}
