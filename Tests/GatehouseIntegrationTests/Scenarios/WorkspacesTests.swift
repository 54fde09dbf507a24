import GatehouseTestSupport
import GatehouseWire
import Testing

/// Workspaces, their members and policies.
@Suite("Workspaces and policies", .blocking)
struct WorkspacesTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    gate = try server.client()
  }

  @Test("the workspace main exists from the start; others are created, listed and shown")
  func makeAndList() throws {
    #expect(try names() == ["main"])
    try gate.ok("WORKSPACE.CREATE acme")
    #expect(try names() == ["main", "acme"])
    #expect(try gate.fields("WORKSPACE.GET acme")["name"] == "acme")
    try gate.refused("WORKSPACE.CREATE acme", with: "CONFLICT")
    try gate.refused("WORKSPACE.CREATE 'two words'", with: "ERR")

    // A product belongs to one workspace, and two workspaces may have products of the same name.
    try gate.ok("PRODUCT.CREATE time")
    try gate.ok("PRODUCT.CREATE acme/time")
    try gate.ok("USER.CREATE ana PRODUCT acme/time")
    #expect(try gate.text("LOGIN.CHECK ana acme/time") == "ALLOW")
    #expect(try gate.text("LOGIN.CHECK ana time") == "DENY product-disabled")
    #expect(try gate.text("LOGIN.CHECK ana main/time") == "DENY product-disabled")
  }

  @Test("members are added to a workspace, and a user's timers are per workspace")
  func members() throws {
    try gate.ok("WORKSPACE.CREATE acme")
    try gate.ok("USER.CREATE ana")
    try gate.refused("TIMER.START ana WORKSPACE acme", with: "")
    try gate.ok("WORKSPACE.MEMBER acme ana")
    try gate.ok("TIMER.START ana WORKSPACE acme")
    #expect(try gate.isNull("TIMER.CURRENT ana"))
  }

  @Test("a policy is set by its name; unknown names and values are refused by name")
  func policies() throws {
    try gate.ok("WORKSPACE.SET main policy.delete.needs-reason off")
    try gate.refused("WORKSPACE.SET main policy.delete.needs-reason perhaps", with: "ERR")
    try gate.refused("WORKSPACE.SET main policy.nonsense on", with: "ERR")
    try gate.refused("WORKSPACE.SET main policy.impersonation.ttl 2h", with: "ERR")
    try gate.ok("USER.CREATE ana")
    try gate.ok("USER.DELETE ana")
  }

  @Test(
    "a profile sets the policies of that system",
    arguments: ["actitime", "actionstep", "aptien", "accessplanit", "clockify"])
  func profiles(name: String) throws {
    try gate.ok("WORKSPACE.CREATE \(name) PROFILE \(name)")
    try gate.ok("USER.CREATE ana")
    #expect(try gate.fields("WORKSPACE.GET \(name)").has("policy.delete.keep-tracked"), "policies are shown")
    switch name {
    case "actionstep":
      let refusal = try gate.refused("USER.CREATE bo WORKSPACE \(name)", with: "REFUSED")
      #expect(refusal.contains("user.") && refusal.contains(";"))
    case "actitime":
      try gate.ok("USER.CREATE bo WORKSPACE \(name)")
      try gate.ok("TIMER.START bo WORKSPACE \(name)")
      try gate.refused("USER.DELETE bo", with: "REFUSED delete.keep-tracked:")
    default:
      try gate.ok("USER.CREATE bo WORKSPACE \(name)")
      try gate.ok("USER.DELETE bo WORKSPACE \(name)")
    }
  }

  @Test("policy login.within-employment: no login before the hire and after the release date")
  func employment() throws {
    try gate.ok("PRODUCT.CREATE time")
    try gate.ok("USER.CREATE early PRODUCT time HIRED 2999-01-01")
    try gate.ok("USER.CREATE late PRODUCT time HIRED 2020-01-01 RELEASED 2021-01-01")
    try gate.ok("USER.CREATE now PRODUCT time HIRED 2020-01-01 RELEASED 2999-01-01")
    for user in ["early", "late", "now"] { #expect(try gate.text("LOGIN.CHECK \(user) time") == "ALLOW") }
    try gate.ok("WORKSPACE.SET main policy.login.within-employment on")
    #expect(try gate.text("LOGIN.CHECK early time") == "DENY outside-employment")
    #expect(try gate.text("LOGIN.CHECK late time") == "DENY outside-employment")
    #expect(try gate.text("LOGIN.CHECK now time") == "ALLOW")
    try gate.refused("SESSION.CREATE late time", with: "REFUSED login: outside-employment")
  }

  @Test("policy session.ttl: sessions last no longer than the workspace says")
  func sessionLimits() throws {
    try gate.ok("PRODUCT.CREATE time")
    try gate.ok("USER.CREATE ana PRODUCT time")
    try gate.ok("WORKSPACE.SET main policy.session.ttl 1h")
    let session = try gate.fields("SESSION.CREATE ana time TTL 8h")
    #expect(try #require(session.integer("expires")) <= nowMilliseconds() + 3_600_000)
  }

  private func names() throws -> [String] {
    let list = try gate.ok("WORKSPACE.LIST").items
    return list.compactMap { $0.string ?? Fields($0)?["name"] }
  }
}
