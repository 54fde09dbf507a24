import GatehouseTestSupport
import Testing

/// The sample company, loaded as a newcomer does it: what each of its chapters leaves behind can be looked at.
@Suite("The sample company", .blocking)
struct SampleCompanyTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    let run = try runProgram(
      GatehouseProgram.path(), ["sample", "--port", String(server.port)], limit: .seconds(120) * Patience.factor)
    guard run.succeeded else { throw TestFailure("gatehouse sample: \(run.errors)") }
    gate = try server.client()
  }

  @Test("everything that the README shows of it is there")
  func story() throws {
    // Departures: a grant and an access that ended, and a delete that was taken back.
    try eventually("Otto's time is over") { try gate.text("LOGIN.CHECK otto planner") == "DENY product-disabled" }
    try eventually("the trail has the end") {
      try gate.pages("AUDIT.LIST USER otto").first?.changes.contains { $0.hasPrefix("role-revoked role: manager → -") }
        == true
    }
    #expect(try gate.text("LOGIN.CHECK pia planner") == "ALLOW")
    #expect(try gate.pages("AUDIT.LIST USER pia").prefix(2).map { $0["command"] } == ["UNDO", "USER.DELETE"])

    // Duplicates.
    #expect(try gate.fields("USER.GET jo.dahl")["username"] == "johan")
    #expect(try gate.pages("ENTRY.LIST johan").map { $0["project"] } == ["Refit"])

    // Mails: an invitation, a new username, an impersonation, what a manager is told.
    let mails = Set(try gate.pages("MAIL.LIST").map { "\($0["kind"] ?? "") \($0["to"] ?? "")" })
    for mail in [
      "invitation nia@acme.example", "username-changed maria.costa@acme.example",
      "impersonated lotte@academy.example", "managed-booked bea@academy.example",
    ] { #expect(mails.contains(mail), "\(mails)") }

    // Licences.
    let guest = try #require(try gate.list("POOL.LIST payroll").first { $0["type"] == "guest" })
    #expect(guest["bought"] == "10" && guest["used"] == "9")
    let low = try gate.ok("FEED.READ 0 COUNT 1000 TYPE seats-low").items[1].items.compactMap { Fields($0) }
    #expect(low.contains { $0.shown("changes").contains("guest") })

    // Kai's timer.
    let entry = try #require(try gate.pages("ENTRY.LIST kai").first)
    #expect(entry["project"] == "Migration" && entry["started-by"] == "kai" && entry["stopped-by"] == "tara")
    let phone = try gate.record(of: "kai", by: "USER.SET")
    #expect(try gate.pages("AUDIT.LIST USER kai").contains { $0["actor"] == "tara" && $0["subject"] == "kai" })
    #expect(phone["lsn"] != nil)

    // Kai's key.
    #expect(
      try gate.list("APIKEY.LIST kai").map { "\($0["name"] ?? "") \($0["created-by"] ?? "")" } == ["time export kai"])

    // Fields.
    #expect(try gate.pages("USER.LIST WHERE shirt = M FIELDS 2 username shirt").map { $0["username"] } == ["ana"])
    #expect(try gate.integer("USER.COUNT WHERE division = north") == 2)
  }

  @Test("the academy is a workspace of its own, which shares people with the company")
  func academy() throws {
    let bea = try gate.loggedIn("bea", to: "academy/courses")
    #expect(try bea.pages("USER.LIST SORT username").map { $0["username"] } == ["bea", "finn", "lotte"])
    let mo = try gate.loggedIn("mo", to: "academy/courses")
    #expect(
      try mo.pages("USER.LIST WHERE account = academy/Acme SORT username").map { $0["username"] } == [
        "ana", "kai", "mo",
      ])
    let ingrid = try gate.loggedIn("ingrid", to: "academy/courses")
    #expect(try ingrid.pages("USER.LIST WHERE group = academy/Nordic").count == 6)
    #expect(try ingrid.list("EMPLOY.LIST ulf").map { $0["current"] } == ["1", "0"])
    #expect(try ingrid.pages("LINK.LIST finn").map { $0["kind"] } == ["booking", "award", "delegate"])
    let booking = try #require(try ingrid.pages("LINK.LIST lotte").first { $0["ref"] == "welding" })
    #expect(booking["created-by"] == "ingrid" && booking["created-as"] == "lotte")
    #expect(try ingrid.fields("USER.GET ana")["home"] == nil)
    try gate.loggedIn("ulf", to: "academy/courses")
      .refused("LINK.ADD ulf booking welding WORKSPACE academy", with: "REFUSED restrict-bookings: ulf ")
  }

  @Test("an approval waits, refused logins are kept, and loading again changes nothing")
  func waiting() throws {
    let sam = try gate.loggedIn("sam", to: "payroll")
    // Before somebody is anonymised: that the keys are destroyed is recorded some time later.
    let head = try gate.fields("AUDIT.HEAD")["lsn"]
    let again = try runProgram(GatehouseProgram.path(), ["sample", "--port", String(server.port)])
    #expect(again.errors.hasPrefix("The sample company already exists; nothing was changed.\n"))
    #expect(again.errors.contains("PASSWORD.SET sam "))
    #expect(try gate.fields("AUDIT.HEAD")["lsn"] == head)

    let waiting = try #require(try sam.list("APPROVAL.LIST").first)
    #expect(waiting["command"] == "USER.ANONYMISE hugo REASON asked for it in writing")
    try sam.ok("APPROVAL.GRANT \(waiting["approval"] ?? "")")
    #expect(try gate.list("CONTACT.SEARCH hugo moreau").isEmpty)
    #expect(
      Set(try gate.list("REFUSALS.LIST").compactMap { $0["reason"] })
        == ["no-licence", "product-disabled", "status-deleted", "unknown-user"])
  }
}
