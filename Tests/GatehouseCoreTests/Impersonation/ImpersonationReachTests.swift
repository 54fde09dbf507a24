import Testing

@testable import GatehouseCore

/// L14, W4: where an impersonation counts.
@Suite("Reach of impersonations")
struct ImpersonationReachTests {
  private let core = CoreHarness(partitions: 4)

  init() {
    for (workspace, product) in [("red", "rp"), ("blue", "bp")] {
      core.run("WORKSPACE.CREATE \(workspace)")
      core.run("PRODUCT.CREATE \(workspace)/\(product)")
    }
    core.run("USER.CREATE rtra PRODUCT red/rp NOINVITE")
    core.run("ROLE.GRANT rtra training-administrator WORKSPACE red")
    core.run("USER.CREATE shared PRODUCT red/rp NOINVITE")
    core.run("PRODUCT.ENABLE shared blue/bp")
  }

  private func start(_ options: String) -> String {
    let login = core.logIn("rtra", "red/rp")
    return core.run("IMPERSONATE.START \(login) shared REASON look \(options)")["session"].text ?? ""
  }

  private func isLetIn(_ token: String, to product: String) -> Bool {
    !core.run("SESSION.CHECK \(token) PRODUCT \(product)").isNull
  }

  @Test("L14, W4: it counts for no product of a workspace in which its actor could not have begun it")
  func otherWorkspaces() {
    for options in ["WORKSPACE red", "PRODUCT red/rp"] {
      let token = start(options)
      #expect(isLetIn(token, to: "red/rp"), "\(options)")
      #expect(!isLetIn(token, to: "blue/bp"), "\(options)")
      // Asking ends nothing.
      #expect(!core.run("SESSION.CHECK \(token)").isNull, "\(options)")
    }
    core.run("ROLE.GRANT shared training-administrator WORKSPACE blue")
    #expect(!isLetIn(start("WORKSPACE red"), to: "blue/bp"))
    core.expectReplicated()
  }

  @Test("L14: with the right in both workspaces it counts in both, as long as the right lasts")
  func bothWorkspaces() {
    core.run("WORKSPACE.MEMBER blue rtra")
    core.run("ROLE.GRANT rtra training-administrator WORKSPACE blue")
    let token = start("WORKSPACE red")
    #expect(isLetIn(token, to: "red/rp") && isLetIn(token, to: "blue/bp"))
    core.run("ROLE.GRANT shared training-administrator WORKSPACE blue")
    #expect(isLetIn(token, to: "red/rp") && !isLetIn(token, to: "blue/bp"))
    core.run("ROLE.REVOKE shared training-administrator WORKSPACE blue")
    #expect(isLetIn(token, to: "blue/bp"))
    // K1, B13: what the other workspace asks for counts there.
    for policy in ["accounts.needs-owner on", "accounts.needs-enterprise on", "approval.needs impersonate"] {
      core.run("WORKSPACE.SET blue policy.\(policy)")
      let other = start("WORKSPACE red")
      #expect(isLetIn(other, to: "red/rp") && !isLetIn(other, to: "blue/bp"), "\(policy)")
      core.run("WORKSPACE.SET blue profile actitime")
    }
  }

  // MARK: The person's own workspaces decide

  /// Somebody who may everywhere, and is in neither of the workspaces.
  private func startAsOperator(_ options: String = "", _ target: String = "shared") -> Answer {
    if core.run("USER.GET root").isError {
      core.run("PRODUCT.CREATE office")
      core.run("USER.CREATE root PRODUCT office NOINVITE")
      core.run("ROLE.GRANT root super-administrator")
    }
    return core.run("IMPERSONATE.START \(core.logIn("root", "office")) \(target) REASON look \(options)")
  }

  @Test(
    "W5, K1, B13: nobody is impersonated through a workspace that they are not in, and its policies are not got around")
  func homeDecides() {
    core.run("USER.CREATE own WORKSPACE red PRODUCT red/rp NOINVITE")
    #expect(startAsOperator("", "own")["workspace"].text == "red", "the home, where none is named")
    #expect(startAsOperator("WORKSPACE main", "own").text?.hasPrefix("REFUSED impersonation: not-a-member;") == true)
    #expect(core.run("IMPERSONATE.CAN root own WORKSPACE main").text == "DENY not-a-member")
    for (policy, rule) in [
      ("accounts.needs-owner on", "needs-owner"), ("accounts.needs-enterprise on", "needs-enterprise"),
      ("approval.needs impersonate", "approval"),
    ] {
      core.run("WORKSPACE.SET red policy.\(policy)")
      #expect(core.run("IMPERSONATE.CAN root own").text == "DENY \(rule)")
      #expect(startAsOperator("", "own").text?.hasPrefix("REFUSED impersonation: \(rule);") == true, "\(policy)")
      core.run("WORKSPACE.SET red profile actitime")
    }
    core.expectReplicated()
  }

  @Test("W5: without a workspace it is one of the other's in which the actor may")
  func firstThatAllows() {
    core.run("USER.CREATE btra PRODUCT blue/bp NOINVITE")
    core.run("ROLE.GRANT btra training-administrator WORKSPACE blue")
    #expect(core.run("IMPERSONATE.CAN btra shared").text == "ALLOW")
    let login = core.logIn("btra", "blue/bp")
    let started = core.run("IMPERSONATE.START \(login) shared REASON look")
    #expect(started["workspace"].text == "blue")
    // W3: bound, because the home is elsewhere.
    #expect(!isLetIn(started["session"].text ?? "", to: "red/rp"))
  }

  @Test("W5, B12: where it counts in several workspaces, the strictest of their policies apply")
  func strictest() {
    core.run("USER.SET shared email shared@acme.test")
    core.run("WORKSPACE.SET blue policy.impersonation.ttl 1m policy.impersonation.mailbox box@blue.test")
    core.run("WORKSPACE.SET blue policy.impersonation.notify both")
    let started = startAsOperator()
    #expect(started["workspace"].text == "red" && started["expires"].integer == core.now + 60_000)
    func mails() -> [Answer] {
      core.run("MAIL.LIST USER shared")[1].items.filter { $0["kind"].text?.hasPrefix("impersonat") ?? false }
    }
    #expect(
      mails().map { "\($0["kind"]) \($0["to"]) \($0["workspace"])" }.sorted() == [
        "impersonated shared@acme.test blue", "impersonation-reported box@blue.test blue",
      ])
    // Whom blue is no business of has blue's time neither.
    let login = core.logIn("rtra", "red/rp")
    let other = core.run("IMPERSONATE.START \(login) shared REASON look")
    #expect(other["expires"].integer == core.now + 15 * 60_000)
    #expect(mails().count == 2)
    core.expectReplicated()
  }

  @Test(
    "W5, K1, K4, B13: it stays in its workspace where another of the person's does not allow it beside others",
    arguments: ["policy.accounts.needs-owner on", "subdomain blue", "policy.approval.needs impersonate"])
  func staysInItsOwn(setting: String) {
    let before = startAsOperator()["session"].text ?? ""
    #expect(!core.run("TIMER.START shared WORKSPACE blue", as: before).isError)
    core.run("TIMER.STOP shared WORKSPACE blue", as: before)
    core.run("WORKSPACE.SET blue \(setting)")
    let token = startAsOperator()["session"].text ?? ""
    #expect(
      core.run("TIMER.START shared WORKSPACE blue", as: token).text == "NOPERM an impersonation outside its workspace")
    #expect(!isLetIn(token, to: "blue/bp") && isLetIn(token, to: "red/rp"))
    // One that reached too far has ended, and does not come back. Two people are asked for where it begins.
    if setting.contains("approval") { return }
    #expect(core.run("SESSION.CHECK \(before)").isNull)
    core.run(
      "WORKSPACE.SET blue \(setting.replacing("on", with: "off").replacing("subdomain blue", with: "subdomain \"\""))")
    #expect(core.run("SESSION.CHECK \(before)").isNull)
    core.expectReplicated()
  }

  @Test("W5: it ends where the person joins a workspace that does not allow it")
  func joining() {
    core.run("USER.CREATE own WORKSPACE red PRODUCT red/rp NOINVITE")
    core.run("WORKSPACE.SET blue policy.accounts.needs-owner on")
    let token = startAsOperator("", "own")["session"].text ?? ""
    #expect(isLetIn(token, to: "red/rp"))
    core.run("WORKSPACE.MEMBER blue own")
    #expect(core.run("SESSION.CHECK \(token)").isNull)
    core.run("WORKSPACE.MEMBER blue own REMOVE")
    #expect(core.run("SESSION.CHECK \(token)").isNull)
    core.expectReplicated()
  }
}
