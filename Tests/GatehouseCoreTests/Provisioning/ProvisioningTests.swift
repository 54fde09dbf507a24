import Testing

@testable import GatehouseCore

/// What provisioning systems keep of users: `USER.PROVISION`, `USER.EXTERNAL`.
@Suite struct ProvisioningTests {
  let core = CoreHarness(partitions: 8)

  init() {
    for line in [
      "WORKSPACE.CREATE acme", "WORKSPACE.CREATE beta", "USER.CREATE ana WORKSPACE acme NOINVITE",
      "USER.CREATE bo WORKSPACE acme NOINVITE", "USER.CREATE cy WORKSPACE beta NOINVITE",
    ] { core.run(line) }
  }

  @Test func valuesAreKeptAsTheyAreGiven() {
    #expect(core.run("USER.PROVISION ana externalId 00u1 title \" Dr. \" WORKSPACE acme").integer == 2)
    #expect(core.run("USER.PROVISION ana externalId 00u1 title Boss WORKSPACE acme").integer == 1)
    #expect("\(core.run("USER.GET ana")["provisioned"])" == "{acme/externalId: 00u1, acme/title: Boss}")
    #expect(core.run("USER.PROVISION ana title \"\" WORKSPACE acme").integer == 1)
    #expect("\(core.run("USER.GET ana")["provisioned"])" == "{acme/externalId: 00u1}")
    core.expectReplicated()
  }

  @Test("an external id is one user's in a workspace, and case matters") func uniqueness() {
    core.run("USER.PROVISION ana externalId 00u1 WORKSPACE acme")
    #expect(
      core.run("USER.PROVISION bo externalId 00u1 WORKSPACE acme").text
        == "CONFLICT externalId: 00u1 belongs to another user of acme; each has one of their own")
    #expect(
      core.run("USER.CREATE di WORKSPACE acme PROVISION externalId 00u1").text
        == "CONFLICT externalId: 00u1 belongs to another user of acme; each has one of their own")
    #expect(core.run("USER.PROVISION bo externalId 00U1 WORKSPACE acme").integer == 1)
    #expect(core.run("USER.PROVISION cy externalId 00u1 WORKSPACE beta").integer == 1)
    #expect("\(core.run("USER.EXTERNAL 00u1 WORKSPACE acme")["username"])" == "ana")
    #expect("\(core.run("USER.EXTERNAL 00u1 WORKSPACE beta")["username"])" == "cy")
    #expect(core.run("USER.EXTERNAL 00u2 WORKSPACE acme").text == "NOTFOUND user with the external id 00u2")
  }

  @Test(
    "it is free again when its user is deleted, leaves the workspace or is anonymised",
    arguments: [
      "USER.DELETE ana REASON x", "USER.ANONYMISE ana",
    ]) func release(line: String)
  {
    core.run("USER.PROVISION ana externalId 00u1 WORKSPACE acme")
    core.run(line)
    #expect(core.run("USER.EXTERNAL 00u1 WORKSPACE acme").isError)
    #expect(core.run("USER.PROVISION bo externalId 00u1 WORKSPACE acme").integer == 1)
    core.expectReplicated()
  }

  @Test("whoever was deleted is not taken back once somebody else has the identifier") func takenBack() {
    core.run("USER.PROVISION ana externalId 00u1 WORKSPACE acme")
    core.run("USER.DELETE ana REASON x")
    let lsn = core.lsn
    core.run("USER.PROVISION bo externalId 00u1 WORKSPACE acme")
    let before = core.lsn
    #expect(
      core.run("UNDO \(lsn)").text?.hasPrefix(
        "REFUSED undo: an externalId of ana was given to somebody else since; ") == true)
    #expect(core.lsn == before && core.run("USER.EXTERNAL 00u1 WORKSPACE acme")["username"].text == "bo")
    core.run("USER.PROVISION bo externalId \"\" WORKSPACE acme")
    #expect(!core.run("UNDO \(lsn)").isError)
    #expect(core.run("USER.EXTERNAL 00u1 WORKSPACE acme")["username"].text == "ana")
    core.expectReplicated()
  }

  @Test func whoLeavesAWorkspaceTakesNothingAlong() {
    core.run("WORKSPACE.MEMBER beta ana")
    core.run("USER.PROVISION ana externalId b1 title Guest WORKSPACE beta")
    core.run("WORKSPACE.MEMBER beta ana REMOVE")
    #expect("\(core.run("USER.GET ana")["provisioned"])" == "{}")
    core.run("USER.PROVISION cy externalId b1 WORKSPACE beta")
    core.run("WORKSPACE.MEMBER beta ana")
    #expect("\(core.run("USER.EXTERNAL b1 WORKSPACE beta")["username"])" == "cy")
    core.expectReplicated()
  }

  @Test("they are found after a restart from a snapshot") func restart() throws {
    core.run("USER.CREATE di WORKSPACE acme PROVISION externalId 00u9 PROVISION title Boss")
    core.run("ROLE.DEFINE sales-1 WORKSPACE acme LABEL Sales EXTERNAL g1")
    try core.restart()
    #expect("\(core.run("USER.EXTERNAL 00u9 WORKSPACE acme")["username"])" == "di")
    #expect("\(core.run("USER.GET di")["provisioned"])" == "{acme/externalId: 00u9, acme/title: Boss}")
    #expect("\(core.run("ROLE.LIST"))".contains("label: Sales, external-id: g1"))
    core.run("USER.PURGE di")
  }

  @Test func whatCannotBe() {
    #expect(
      core.run("USER.PROVISION cy externalId 1 WORKSPACE acme").text
        == "REFUSED member: cy is not a member of acme; make the user one first with WORKSPACE.MEMBER acme user")
    #expect(
      core.run("USER.PROVISION ana title a title b WORKSPACE acme").text == "ERR attribute title is given twice")
    let names = (1...51).map { "a\($0) x" }.joined(separator: " ")
    #expect(
      core.run("USER.PROVISION ana \(names) WORKSPACE acme").text
        == "LIMIT attributes: a user has at most 50 of a workspace")
  }

  // MARK: Labels of roles

  @Test("a role by a label alone gives nothing, and another keeps what it gives") func labels() {
    core.run("ROLE.DEFINE clerk WORKSPACE acme user.read")
    #expect(!core.run("ROLE.DEFINE clerk WORKSPACE acme LABEL Clerks").isError)
    #expect(!core.run("ROLE.DEFINE sales-1 WORKSPACE acme LABEL \"Sales EU\" EXTERNAL g1").isError)
    let roles = "\(core.run("ROLE.LIST"))"
    #expect(roles.contains("role: clerk, rank: nil, scope: workspace acme, permissions: [user.read], label: Clerks"))
    #expect(
      roles.contains(
        "role: sales-1, rank: nil, scope: workspace acme, permissions: [], label: Sales EU, external-id: g1"))
    #expect(
      core.run("ROLE.DEFINE sales-2 WORKSPACE acme LABEL \"sales eu\"").text
        == "CONFLICT label: sales eu is that of the role sales-1")
    #expect(core.run("ROLE.DEFINE sales-2 WORKSPACE beta LABEL \"Sales EU\"").isError == false)
    #expect(
      core.run("ROLE.DEFINE sales-3 WORKSPACE acme").text
        == "ERR name the permissions that the role gives, or a LABEL; PERMISSION.LIST names them")
    core.expectReplicated()
  }

  // MARK: Lists

  @Test("OFFSET passes over users from the cursor on") func offset() {
    for index in 1...40 { core.run("USER.CREATE u\(index) WORKSPACE acme NOINVITE") }
    func ids(_ line: String) -> [String] {
      "\(core.run("USER.LIST WHERE workspace = acme FIELDS 1 id \(line)"))".split { !$0.isNumber }.map(String.init)
    }
    let all = Array(ids("COUNT 100").dropFirst())
    #expect(all.count == 42)
    for offset in [0, 1, 17, 41] {
      #expect(Array(ids("COUNT 100 OFFSET \(offset)").dropFirst()) == Array(all.dropFirst(offset)))
    }
    #expect(ids("OFFSET 42") == ["0"])
    // A membership that has limits is in doubt, and counts only while it holds.
    core.run("WORKSPACE.CREATE other")
    core.run("USER.CREATE guest WORKSPACE other NOINVITE")
    core.run("WORKSPACE.MEMBER acme guest UNTIL 2026-03-02T00:00:00Z")
    for _ in 0..<2 {
      let now = Array(ids("COUNT 100").dropFirst())
      for offset in [10, 30, 41] {
        #expect(Array(ids("COUNT 100 OFFSET \(offset)").dropFirst()) == Array(now.dropFirst(offset)))
      }
      core.advance(86_400_000)
    }
    let page = ids("COUNT 3 OFFSET 5")
    #expect(Array(page.dropFirst()) == Array(all[5..<8]))
    #expect(Array(ids("CURSOR \(page[0]) COUNT 2 OFFSET 4").dropFirst()) == Array(all[12..<14]))
  }

  @Test("by each address that a provisioning system keeps, its users are found, in whatever case and form")
  func keptAddresses() throws {
    func found(_ address: String, _ workspace: String = "acme") -> [String] {
      core.run("USER.ADDRESSED \(address) WORKSPACE \(workspace)").items.map { "\($0["username"])" }
    }
    let list = #"[{"value":"a@x.test","type":"work"},{"value":"B@x.test"}]"#
    #expect(core.reply(to: ["USER.PROVISION", "ana", "emails", list, "WORKSPACE", "acme"]).isError == false)
    #expect(
      core.reply(to: ["USER.PROVISION", "bo", "emails", "b@X.test, c@x.test", "WORKSPACE", "acme"]).isError == false)
    #expect(core.reply(to: ["USER.PROVISION", "cy", "emails", "b@x.test", "WORKSPACE", "beta"]).isError == false)
    #expect(found("b@x.test").sorted() == ["ana", "bo"] && found("A@X.TEST") == ["ana"] && found("x.test").isEmpty)
    #expect(found("b@x.test", "beta") == ["cy"], "W4")
    try core.restart()
    #expect(found("c@x.test") == ["bo"])
    core.run("USER.PROVISION bo emails d@x.test WORKSPACE acme")
    #expect(found("b@x.test") == ["ana"] && found("c@x.test").isEmpty && found("d@x.test") == ["bo"])
    core.run("USER.ANONYMISE ana")
    core.run("USER.DELETE bo REASON x")
    #expect(found("b@x.test").isEmpty && found("d@x.test").isEmpty)
    #expect(Invariants.check(core.cells, core.wholeDirectory).isEmpty)
    core.expectReplicated()
  }
}
