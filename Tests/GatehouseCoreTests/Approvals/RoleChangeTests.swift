import Testing

@testable import GatehouseCore

/// B13: what two people granted in a workspace, one does not change alone where the role was defined.
@Suite struct RoleChangeTests {
  let core = CoreHarness(partitions: 8)
  let one: String
  let two: String

  init() {
    core.run("PRODUCT.CREATE crm")
    core.run("WORKSPACE.CREATE acme")
    core.run("PRODUCT.CREATE acme/app")
    core.run("ACCOUNT.CREATE Widgets CUSTOMER WORKSPACE acme")
    for name in ["one", "two"] { core.run("USER.CREATE \(name) ROLE super-administrator PRODUCT crm NOINVITE") }
    for name in ["ana", "tom"] { core.run("USER.CREATE \(name) PRODUCT acme/app NOINVITE") }
    one = core.run("SESSION.CREATE one crm")["session"].text ?? ""
    two = core.run("SESSION.CREATE two crm")["session"].text ?? ""
    core.run("ROLE.DEFINE helper user.read")
    core.run("ROLE.DEFINE idle user.read")
  }

  private func keptInAcme(_ line: String) -> Int64? {
    let kept = core.run(line, as: one)
    let id = kept["approval"].integer
    #expect("\(kept)" == "{approval: \(id ?? 0), needs: role.grant, workspace: acme}", "\(line)")
    return id
  }

  @Test(
    "a role of the whole server is widened by two where a workspace that asks for them has somebody with it",
    arguments: ["WORKSPACE acme", "PRODUCT acme/app", "ACCOUNT acme/Widgets"])
  func widened(scope: String) throws {
    core.run("WORKSPACE.SET acme policy.approval.needs role.grant")
    let granted = try #require(keptInAcme("ROLE.GRANT ana helper \(scope)"))
    core.run("APPROVAL.GRANT \(granted)", as: two)
    #expect(core.run("ROLE.LIST ana").items.contains { $0["role"].text == "helper" })
    let id = try #require(keptInAcme("ROLE.DEFINE helper user.read user.set"))
    #expect(!core.run("APPROVAL.GRANT \(id)", as: two).isError)
    let helper = try #require(core.run("ROLE.LIST").items.first { $0["role"].text == "helper" })
    #expect("\(helper["permissions"])".contains("user.set"))
    // Nobody there has this one, and a service acts for the operator.
    #expect(core.run("ROLE.DEFINE idle user.read user.set", as: one).text == "OK")
    #expect(core.run("ROLE.DEFINE helper user.read user.set link.write").text == "OK")
    core.expectReplicated()
  }

  @Test("narrowed and dropped it is by two, too, as it is revoked there", arguments: ["ROLE.DEFINE", "ROLE.DROP"])
  func narrowed(command: String) throws {
    core.run("ROLE.DEFINE helper user.read user.set")
    core.run("ROLE.GRANT ana helper WORKSPACE acme")
    let line = command == "ROLE.DROP" ? "ROLE.DROP helper" : "ROLE.DEFINE helper user.read"
    core.run("WORKSPACE.SET acme policy.approval.needs user.delete")
    #expect(core.run("\(line) DRYRUN", as: one)["approval"].isNull, "the policy says nothing of roles")
    core.run("WORKSPACE.SET acme policy.approval.needs role.grant")
    let id = try #require(keptInAcme(line))
    #expect(!core.run("APPROVAL.GRANT \(id)", as: two).isError)
    core.expectReplicated()
  }

  @Test("the policy of a workspace is no matter for a role that is held elsewhere alone")
  func elsewhere() {
    core.run("ROLE.GRANT tom helper WORKSPACE acme")
    core.run("WORKSPACE.CREATE bolt")
    core.run("WORKSPACE.SET bolt policy.approval.needs role.grant")
    #expect(core.run("ROLE.DEFINE helper user.read user.set", as: one).text == "OK")
    #expect(core.run("ROLE.DEFINE helper user.read", as: one).text == "OK")
    // In main it counts as granting it everywhere, as before.
    core.run("WORKSPACE.SET main policy.approval.needs role.grant")
    #expect(
      core.run("ROLE.DEFINE helper user.read user.set", as: one)["workspace"].text == "main")
  }

  @Test("B13: the requests of somebody who loses only the right end in that record, and do not come back with it")
  func lostRight() throws {
    core.run("WORKSPACE.SET main policy.approval.needs user.status")
    core.run("ROLE.DEFINE clerk user.read user.status")
    core.run("USER.CREATE cleo PRODUCT crm NOINVITE")
    core.run("ROLE.GRANT cleo clerk")
    let cleo = core.logIn("cleo", "crm")
    core.run("USER.CREATE kim PRODUCT crm NOINVITE")
    let id = try #require(core.run("USER.STATUS kim inactive", as: cleo)["approval"].integer)
    #expect(core.run("APPROVAL.LIST", as: two).items.count == 1)
    let before = core.lsn
    core.run("ROLE.REVOKE cleo clerk")
    #expect(core.lsn == before + 1 && core.run("APPROVAL.LIST", as: two).items.isEmpty)
    #expect(core.run("LOGIN.CHECK cleo crm").text == "ALLOW", "nothing else was lost")
    core.run("ROLE.GRANT cleo clerk")
    #expect(core.run("APPROVAL.GRANT \(id)", as: two).text?.hasPrefix("NOTFOUND approval #\(id)") == true)
  }
}
