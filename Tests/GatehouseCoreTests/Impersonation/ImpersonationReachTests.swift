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
}
