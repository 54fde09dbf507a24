import GatehouseTestSupport
import Testing

/// System K: a workspace owner's tools for the accounts of members (Clockify).
@Suite("K: the owner's account tools", .blocking)
struct AccountToolsTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    gate = try server.client()
    try gate.ok("WORKSPACE.CREATE studio PROFILE clockify")
    try gate.ok("PRODUCT.CREATE studio/clock")
    for user in ["olga", "mia", "max"] {
      try gate.ok("USER.CREATE \(user) WORKSPACE studio EMAIL \(user)@studio.test PRODUCT studio/clock NOINVITE")
    }
    try gate.ok("ROLE.GRANT max super-administrator WORKSPACE studio")
    try gate.ok("WORKSPACE.SET studio owner olga plan enterprise")
  }

  @Test("K1: account tools need the owner and the enterprise plan")
  func ownerAndEnterprise() throws {
    #expect(try gate.text("IMPERSONATE.CAN olga mia WORKSPACE studio") == "ALLOW")
    #expect(try gate.text("IMPERSONATE.CAN max mia WORKSPACE studio") == "DENY needs-owner", "whatever the role")
    let (max, olga) = (try token(of: "max"), try token(of: "olga"))
    #expect(
      try gate.refused("IMPERSONATE.START \(max) mia WORKSPACE studio REASON curious", with: "REFUSED")
        == "REFUSED impersonation: needs-owner; ask the owner of the workspace, as its policy accounts.needs-owner wants"
        + " it")
    try gate.ok("TIMER.START mia WORKSPACE studio")
    #expect(
      try gate.acting(as: max).refused("TIMER.STOP mia WORKSPACE studio", with: "NOPERM")
        == "NOPERM the ownership of workspace studio (policy accounts.needs-owner); ask its owner to do it")

    try gate.ok("WORKSPACE.SET studio plan pro")
    #expect(
      try gate.refused("IMPERSONATE.START \(olga) mia WORKSPACE studio REASON help", with: "REFUSED")
        == "REFUSED impersonation: needs-enterprise; the policy accounts.needs-enterprise wants the enterprise plan:"
        + " ask the operator of the server for it")
    #expect(
      try gate.acting(as: olga).refused("TIMER.STOP mia WORKSPACE studio", with: "NOPERM")
        == "NOPERM the enterprise plan of workspace studio (policy accounts.needs-enterprise); ask the operator of the"
        + " server for it")

    try gate.ok("WORKSPACE.SET studio policy.accounts.needs-enterprise off")
    try gate.ok("IMPERSONATE.START \(olga) mia WORKSPACE studio REASON help")
    try gate.acting(as: olga).ok("TIMER.STOP mia WORKSPACE studio")
  }

  @Test("K2: the owner logs in as a member, with a reason, and is seen in what is done")
  func loginAsMember() throws {
    let olga = try token(of: "olga")
    try gate.refused("IMPERSONATE.START \(olga) mia WORKSPACE studio", with: "ERR REASON is missing; usage: ")
    let start = try gate.fields("IMPERSONATE.START \(olga) mia WORKSPACE studio REASON 'forgot the timer'")
    #expect(start["subject"] == "mia" && start["actor"] == "olga" && start["workspace"] == "studio")
    let session = try #require(start["session"])
    #expect(try gate.fields("SESSION.CHECK \(session)")["kind"] == "impersonation")
    try gate.acting(as: session).ok("USER.SET mia first Mia")
    let edit = try gate.record(of: "mia", by: "USER.SET")
    #expect(edit["actor"] == "olga" && edit["subject"] == "mia")
  }

  @Test("K3: as the member, the owner stops the forgotten timer and corrects the entry")
  func asMember() throws {
    let mia = gate.acting(as: try token(of: "mia"))
    try mia.ok("TIMER.START mia WORKSPACE studio PROJECT logo NOTE 'first draft' AT \(nowMilliseconds() - 36_000_000)")
    let asMia = gate.acting(as: try impersonation())
    #expect(
      try asMia.refused("TIMER.STOP mia", with: "NOPERM")
        == "NOPERM the permission timer.stop in main; WORKSPACE w names another workspace")
    let stopped = try asMia.fields("TIMER.STOP mia WORKSPACE studio")
    #expect(stopped["project"] == "logo" && stopped["note"] == "first draft")
    #expect(stopped["started-by"] == "mia" && stopped["stopped-by"] == "olga", "who really did it")

    let entry = try #require(stopped["entry"])
    let began = try #require(stopped.integer("start"))
    let corrected = try asMia.fields("ENTRY.CORRECT \(entry) END \(began + 7_200_000)")
    #expect(corrected.integer("end") == began + 7_200_000 && corrected["version"] == "2")
    try mia.ok("ENTRY.CORRECT \(entry) NOTE 'second draft'")
    let versions = try gate.list("ENTRY.HISTORY \(entry)")
    #expect(versions.map { $0["by"] } == ["olga", "olga", "mia"])
    #expect(versions.map { $0["as"] } == ["mia", "mia", nil], "B3, B11: both identities")
  }

  @Test("K4: on a workspace with a subdomain an impersonation reaches that workspace only")
  func subdomain() throws {
    try gate.ok("WORKSPACE.CREATE other")
    try gate.ok("PRODUCT.CREATE other/clock")
    try gate.ok("WORKSPACE.MEMBER other mia")
    try gate.ok("PRODUCT.ENABLE mia other/clock")
    try gate.ok("TIMER.START mia WORKSPACE other")
    try gate.ok("WORKSPACE.SET studio subdomain studio")
    let session = try impersonation()
    #expect(try gate.fields("SESSION.CHECK \(session) PRODUCT studio/clock")["username"] == "mia")
    #expect(try gate.isNull("SESSION.CHECK \(session) PRODUCT other/clock"))
    let asMia = gate.acting(as: session)
    try asMia.refused("TIMER.STOP mia WORKSPACE other", with: "NOTFOUND workspace other")
    #expect(try asMia.list("PRODUCT.LIST").map { $0["product"] } == ["studio/clock"])
    #expect(try gate.fields("TIMER.CURRENT mia WORKSPACE other")["username"] == "mia")
  }

  @Test("K5: deactivating an API key takes effect on its next use and shows in the owner's list")
  func deactivatedKey() throws {
    let (mia, max, olga) = (try token(of: "mia"), try token(of: "max"), try token(of: "olga"))
    let made = try gate.acting(as: mia).fields("APIKEY.CREATE mia NAME 'time export'")
    let (key, id) = (try #require(made["key"]), try #require(made["id"]))
    #expect(try gate.fields("APIKEY.CHECK \(key) PRODUCT studio/clock")["username"] == "mia")
    #expect(
      try gate.acting(as: max).refused("APIKEY.DEACTIVATE \(id)", with: "NOPERM")
        == "NOPERM the ownership of workspace studio (policy accounts.needs-owner); ask its owner to do it")
    #expect(try gate.acting(as: olga).integer("APIKEY.DEACTIVATE \(id)") == 1)
    #expect(try gate.isNull("APIKEY.CHECK \(key) PRODUCT studio/clock"))
    let listed = try gate.acting(as: olga).list("APIKEY.LIST mia")
    #expect(
      listed.map { "\($0["name"] ?? "") \($0["active"] ?? "") \($0["ended-by"] ?? "")" } == ["time export 0 olga"])
  }

  @Test("K6: others see how many keys are active, and nobody their characters")
  func countedKeys() throws {
    let mia = gate.acting(as: try token(of: "mia"))
    let keys = try (0..<3).map { _ in try #require(try mia.fields("APIKEY.CREATE mia NAME secret-plan")["key"]) }
    try mia.ok("APIKEY.DEACTIVATE \(keys[0])")
    let max = gate.acting(as: try token(of: "max"))
    #expect(try max.integer("APIKEY.COUNT mia") == 2)
    try max.refused("APIKEY.LIST mia", with: "NOPERM")
    let olga = gate.acting(as: try token(of: "olga"))
    let shown = try olga.shown("APIKEY.LIST mia") + mia.shown("APIKEY.LIST mia") + gate.shown("AUDIT.LIST USER mia")
    #expect(shown.contains("secret-plan"))
    for key in keys { #expect(!shown.contains(key.suffix(22))) }
  }

  @Test("K7: the owner finds a member's forgotten timer, stops it directly, and corrects and saves the entry")
  func stopDirectly() throws {
    try gate.ok("TIMER.START mia WORKSPACE studio NOTE layout AT \(nowMilliseconds() - 3_600_000)")
    let olga = gate.acting(as: try token(of: "olga"))
    #expect(try olga.pages("TIMER.RUNNING WORKSPACE studio LONGER 30m").map { $0["username"] } == ["mia"])
    let entry = try olga.fields("TIMER.STOP mia WORKSPACE studio")
    #expect(entry["username"] == "mia" && entry["stopped-by"] == "olga")

    let id = try #require(entry["entry"])
    try gate.acting(as: try token(of: "max")).refused("ENTRY.CORRECT \(id) NOTE stolen", with: "NOPERM")
    try olga.ok("ENTRY.CORRECT \(id) NOTE 'layout, corrected' REASON 'wrong note'")
    let versions = try gate.list("ENTRY.HISTORY \(id)")
    #expect(versions.map { $0["note"] } == ["layout", "layout, corrected"])
    #expect(versions.map { $0["reason"] } == [nil, "wrong note"])
  }

  @Test("K8: the timer stops at once, and the user gets a notice only where the policy says so")
  func notices() throws {
    let olga = gate.acting(as: try token(of: "olga"))
    let mia = gate.acting(as: try token(of: "mia"))
    try mia.ok("TIMER.START mia WORKSPACE studio")
    try olga.ok("TIMER.STOP mia WORKSPACE studio")
    #expect(try mia.isNull("TIMER.CURRENT mia WORKSPACE studio"))
    #expect(try gate.pages("MAIL.LIST").isEmpty)

    try gate.ok("WORKSPACE.SET studio policy.timer.notify-stopped on")
    try mia.ok("TIMER.START mia WORKSPACE studio")
    try olga.ok("TIMER.STOP mia WORKSPACE studio")
    let mails = try gate.pages("MAIL.LIST")
    #expect(mails.map { "\($0["kind"] ?? "") \($0["to"] ?? "")" } == ["timer-stopped mia@studio.test"])
  }

  @Test("The owner is one, and does not leave the workspace without an owner")
  func oneOwner() throws {
    #expect(try gate.fields("WORKSPACE.GET studio")["owner"] == "olga")
    #expect(
      try gate.refused("USER.DELETE olga REASON leaving", with: "REFUSED")
        == "REFUSED owner: olga owns the workspace studio; hand it on first with WORKSPACE.TRANSFER studio user")
    try gate.ok("WORKSPACE.TRANSFER studio max")
    try gate.ok("USER.DELETE olga REASON leaving")
  }

  private func token(of user: String) throws -> String { try gate.token(of: user, to: "studio/clock") }

  private func impersonation() throws -> String {
    let olga = try token(of: "olga")
    let start = try gate.fields("IMPERSONATE.START \(olga) mia WORKSPACE studio REASON 'forgot the timer'")
    return try #require(start["session"])
  }
}
