import Testing

@testable import GatehouseCore

/// B13: what two people are asked for is not done by one who takes the person to where nobody asks.
@Suite("Approvals where a person leaves the reach of a policy")
struct HandingOverTests {
  private let core = CoreHarness(partitions: 8)
  private let one: String
  private let two: String

  init() {
    core.run("PRODUCT.CREATE crm")
    core.run("WORKSPACE.CREATE side")
    for name in ["one", "two"] { core.run("USER.CREATE \(name) ROLE super-administrator PRODUCT crm NOINVITE") }
    for name in ["ana", "tom"] { core.run("USER.CREATE \(name) EMAIL \(name)@acme.test PRODUCT crm NOINVITE") }
    core.run("USER.CREATE eva WORKSPACE side EMAIL eva@side.test NOINVITE")
    core.run("WORKSPACE.MEMBER side ana")
    one = core.logIn("one", "crm")
    two = core.logIn("two", "crm")
    core.run("WORKSPACE.SET main policy.approval.needs user.anonymise,user.purge")
  }

  private func expectKept(_ line: String, needs: String, in workspace: String = "main") -> Int64 {
    let kept = core.run(line, as: one)
    let id = kept["approval"].integer ?? 0
    #expect("\(kept)" == "{approval: \(id), needs: \(needs), workspace: \(workspace)}", "\(line)")
    return id
  }

  @Test(
    "B13: handing over the home gives up all that two people are asked for there",
    arguments: [
      "user.anonymise", "user.purge", "user.delete", "user.rename", "user.status", "user.merge", "contact.set",
      "user.set", "credential.set", "authority.set",
    ])
  func movingHome(_ permission: String) {
    core.run("WORKSPACE.SET main policy.approval.needs \(permission),role.grant")
    let id = expectKept("USER.MOVEHOME ana side", needs: permission)
    #expect(core.run("USER.GET ana")["home"].text == "main")
    #expect(core.run("APPROVAL.GRANT \(id)", as: two).text == "OK")
    #expect(core.run("USER.GET ana")["home"].text == "side")
    #expect(core.run("USER.RENAME ana anna", as: one).text == "OK", "there nobody asks")
    core.expectReplicated()
  }

  @Test("B13: what is not about who somebody is stays with the workspace, and needs nobody else")
  func memberPermissions() {
    core.run("WORKSPACE.SET main policy.approval.needs role.grant,product.access,workspace.set")
    #expect(core.run("USER.MOVEHOME ana side", as: one).text == "OK")
    core.run("WORKSPACE.SET side policy.approval.needs user.anonymise")
    #expect(core.run("USER.MOVEHOME ana main").text == "OK", "a service by itself acts for the operator")
    core.expectReplicated()
  }

  @Test("B13: a merge into a person of another home hands over, too, and one within a home does not")
  func merging() {
    let id = expectKept("USER.MERGE eva tom", needs: "user.purge")
    #expect(core.run("APPROVAL.REFUSE \(id)", as: two).text == "OK")
    #expect(core.run("USER.MERGE ana tom", as: one)["username"].text == "ana")
    #expect(core.run("USER.MERGE ana eva", as: one)["username"].text == "ana", "what comes home is not given up")
    core.expectReplicated()
  }

  @Test("B13: so does a new login elsewhere for a contact that was there before")
  func newLogin() {
    let contact = core.run("USER.GET tom")["contact"].integer ?? 0
    core.run("USER.DELETE tom REASON gone")
    _ = expectKept("USER.CREATE tim WORKSPACE side CONTACT #\(contact) NOINVITE", needs: "user.purge")
    #expect(core.run("USER.CREATE tim CONTACT #\(contact) NOINVITE", as: one)["username"].text == "tim")
    let loose = core.run("CONTACT.CREATE FIRST Una")["contact"].integer ?? 0
    _ = expectKept("USER.CREATE una WORKSPACE side CONTACT #\(loose) NOINVITE", needs: "user.purge")
    core.expectReplicated()
  }

  @Test("B13: a user is not made in a workspace that wants two people for it by moving one there")
  func movingIn() {
    core.run("WORKSPACE.SET main policy.approval.needs \"\"")
    core.run("WORKSPACE.SET side policy.approval.needs user.create")
    _ = expectKept("USER.MOVEHOME ana side", needs: "user.create", in: "side")
  }

  @Test("B13: a policy of another workspace is no way to choose who approves")
  func approverOfAnother() {
    // The first demand is of `side`; whoever approves it must be one of those whom main asks, too.
    core.run("WORKSPACE.SET side policy.approval.needs user.move")
    core.run("PRODUCT.CREATE side/app")
    core.run("USER.CREATE puppet WORKSPACE side PRODUCT side/app NOINVITE")
    core.run("ROLE.DEFINE mover user.move user.read")
    core.run("ROLE.GRANT puppet mover")
    let id = expectKept("USER.MOVEHOME ana side", needs: "user.move", in: "side")
    #expect(
      core.run("APPROVAL.GRANT \(id)", as: core.logIn("puppet", "side/app")).text
        == "NOPERM the permission user.purge in the workspace main, to approve it")
    #expect(core.run("APPROVAL.GRANT \(id)", as: two).text == "OK")
    core.expectReplicated()
  }

  @Test("S5, S6: what the homes ask of whoever adds and removes users, they ask of whoever moves one")
  func policies() {
    core.run("WORKSPACE.SET main policy.approval.needs \"\" policy.user.needs-authority on")
    #expect(core.run("USER.MOVEHOME ana side", as: one).text?.hasPrefix("REFUSED user.needs-authority: ") == true)
    core.run("WORKSPACE.SET main policy.user.needs-authority off policy.user.needs-billing-acceptance on")
    #expect(
      core.run("USER.MOVEHOME ana side", as: one).text
        == "REFUSED user.needs-billing-acceptance: main adds and removes users only if the bill is accepted; add"
        + " ACCEPT-BILLING")
    core.run("WORKSPACE.SET main policy.user.needs-billing-acceptance off")
    core.run("WORKSPACE.SET side policy.user.needs-billing-acceptance on")
    #expect(core.run("USER.MOVEHOME ana side", as: one).text?.hasPrefix("REFUSED user.needs-billing") == true)
    #expect(core.run("USER.MOVEHOME ana side ACCEPT-BILLING", as: one).text == "OK")
    core.expectReplicated()
  }

  @Test("B13: roles are not taken by dropping or narrowing them, nor access by ending the membership")
  func takingInOtherWays() {
    core.run("ROLE.DEFINE helper user.read link.write")
    core.run("ROLE.DEFINE idle user.read")
    core.run("ROLE.GRANT tom helper")
    core.run("PRODUCT.CREATE side/app")
    core.run("PRODUCT.ENABLE ana side/app")
    core.run("WORKSPACE.SET main policy.approval.needs role.grant")
    core.run("WORKSPACE.SET side policy.approval.needs product.access")
    _ = expectKept("ROLE.DROP helper", needs: "role.grant")
    _ = expectKept("ROLE.DEFINE helper user.read", needs: "role.grant")
    #expect(core.run("ROLE.DROP idle", as: one).text == "OK", "nobody has it")
    _ = expectKept("WORKSPACE.MEMBER side ana REMOVE", needs: "product.access", in: "side")
    core.run("ACCOUNT.CREATE Widgets CUSTOMER WORKSPACE side")
    core.run("EMPLOY.ADD ana side/Widgets")
    core.run("WORKSPACE.SET side policy.approval.needs employment.manage")
    _ = expectKept("WORKSPACE.MEMBER side ana REMOVE", needs: "employment.manage", in: "side")
    core.expectReplicated()
  }
}
