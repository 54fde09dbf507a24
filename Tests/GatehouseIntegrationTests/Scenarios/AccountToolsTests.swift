import GatehouseTestSupport
import Testing

/// System K: a workspace owner's tools for the accounts of members (Clockify).
@Suite("K: the owner's account tools")
struct AccountToolsTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    gate = try server.client()
    try gate.ok("WORKSPACE.CREATE studio PROFILE clockify")
    try gate.ok("PRODUCT.CREATE studio/clock")
    for user in ["olga", "mia", "max"] {
      try gate.ok("USER.CREATE \(user) WORKSPACE studio PRODUCT studio/clock")
    }
    try gate.ok("WORKSPACE.SET studio owner olga plan enterprise")
  }

  @Test("K1: account tools need the owner and the enterprise plan")
  func ownerAndEnterprise() throws {
    #expect(try gate.text("IMPERSONATE.CAN olga mia WORKSPACE studio") == "ALLOW")
    let max = try token(of: "max")
    try gate.refused("IMPERSONATE.START \(max) mia WORKSPACE studio REASON curious", with: "REFUSED impersonation:")

    let olga = try token(of: "olga")
    try gate.ok("WORKSPACE.SET studio plan pro")
    try gate.refused("IMPERSONATE.START \(olga) mia WORKSPACE studio REASON help", with: "REFUSED impersonation:")
    try gate.ok("TIMER.START mia WORKSPACE studio")
    try gate.acting(as: olga).refused("TIMER.STOP mia WORKSPACE studio", with: "NOPERM")

    try gate.ok("WORKSPACE.SET studio policy.accounts.needs-enterprise off")
    try gate.ok("IMPERSONATE.START \(olga) mia WORKSPACE studio REASON help")
    try gate.acting(as: olga).ok("TIMER.STOP mia WORKSPACE studio")
  }

  @Test("K2, K3: the owner logs in as a member, stops the forgotten timer and corrects the entry")
  func loginAsMember() throws {
    let mia = gate.acting(as: try token(of: "mia"))
    try mia.ok("TIMER.START mia WORKSPACE studio PROJECT logo NOTE 'first draft' AT \(nowMilliseconds() - 36_000_000)")

    let start = try gate.fields(
      "IMPERSONATE.START \(try token(of: "olga")) mia WORKSPACE studio REASON 'forgot the timer'")
    #expect(start["subject"] == "mia" && start["actor"] == "olga" && start["workspace"] == "studio")
    let asMia = gate.acting(as: try #require(start["session"]))
    let stopped = try asMia.fields("TIMER.STOP mia WORKSPACE studio")
    #expect(stopped["project"] == "logo" && stopped["note"] == "first draft")
    #expect(stopped["stopped-by"] == "olga", "who really did it")

    let entry = try #require(stopped["entry"])
    let began = try #require(stopped.integer("start"))
    let corrected = try asMia.fields("ENTRY.CORRECT \(entry) END \(began + 7_200_000)")
    #expect(corrected.integer("end") == began + 7_200_000)
    #expect(corrected.integer("version") == 2)
    let history = try gate.list("ENTRY.HISTORY \(entry)")
    #expect(history.count == 2)
    #expect(try gate.isNull("TIMER.CURRENT mia WORKSPACE studio"))
  }

  @Test("K4: on a workspace with a subdomain an impersonation is bound to it")
  func subdomain() throws {
    try gate.ok("WORKSPACE.CREATE other")
    try gate.ok("PRODUCT.CREATE other/clock")
    try gate.ok("WORKSPACE.MEMBER other mia")
    try gate.ok("PRODUCT.ENABLE mia other/clock")
    try gate.ok("TIMER.START mia WORKSPACE other")
    try gate.ok("WORKSPACE.SET studio subdomain studio")

    let start = try gate.fields("IMPERSONATE.START \(try token(of: "olga")) mia WORKSPACE studio REASON help")
    let session = try #require(start["session"])
    #expect(try gate.fields("SESSION.CHECK \(session) PRODUCT studio/clock")["username"] == "mia")
    #expect(try gate.isNull("SESSION.CHECK \(session) PRODUCT other/clock"))
    try gate.acting(as: session).refused("TIMER.STOP mia WORKSPACE other", with: "NOPERM")
    #expect(try gate.fields("TIMER.CURRENT mia WORKSPACE other")["username"] == "mia")
  }

  @Test("K7, K8: the owner stops a member's timer directly, and it stops at once")
  func stopDirectly() throws {
    let started = try gate.fields("TIMER.START mia WORKSPACE studio NOTE layout AT \(nowMilliseconds() - 3_600_000)")
    #expect(started["note"] == "layout")
    let max = gate.acting(as: try token(of: "max"))
    try max.refused("TIMER.STOP mia WORKSPACE studio", with: "NOPERM")

    let olga = gate.acting(as: try token(of: "olga"))
    #expect(try olga.pages("TIMER.RUNNING WORKSPACE studio LONGER 30m").map { $0["username"] } == ["mia"])
    let entry = try olga.fields("TIMER.STOP mia WORKSPACE studio")
    #expect(entry["username"] == "mia" && entry["stopped-by"] == "olga")
    #expect(try gate.isNull("TIMER.CURRENT mia WORKSPACE studio"))
    #expect(try olga.pages("TIMER.RUNNING WORKSPACE studio").isEmpty)

    let id = try #require(entry["entry"])
    try max.refused("ENTRY.CORRECT \(id) NOTE stolen", with: "NOPERM")
    try olga.ok("ENTRY.CORRECT \(id) NOTE 'layout, corrected' REASON 'wrong note'")
    let versions = try gate.list("ENTRY.HISTORY \(id)")
    #expect(versions.map { $0["note"] }.contains("layout") && versions.map { $0["note"] }.contains("layout, corrected"))
  }

  @Test("The owner is one, and does not leave the workspace without an owner")
  func oneOwner() throws {
    #expect(try gate.fields("WORKSPACE.GET studio")["owner"] == "olga")
    try gate.refused("USER.DELETE olga WORKSPACE studio REASON leaving", with: "REFUSED")
  }

  private func token(of user: String) throws -> String {
    try #require(try gate.fields("SESSION.CREATE \(user) studio/clock")["session"])
  }
}
