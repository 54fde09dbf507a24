import Testing

@testable import GatehouseCore

/// B13: acts that need two people.
@Suite struct ApprovalTests {
  let core = CoreHarness(partitions: 8)
  let one: String
  let two: String

  init() {
    core.run("PRODUCT.CREATE crm")
    for name in ["one", "two"] { core.run("USER.CREATE \(name) ROLE super-administrator PRODUCT crm NOINVITE") }
    for name in ["ana", "tom"] { core.run("USER.CREATE \(name) PRODUCT crm NOINVITE") }
    core.run("WORKSPACE.SET main policy.approval.needs user.delete,role.grant")
    one = core.run("SESSION.CREATE one crm")["session"].text ?? ""
    two = core.run("SESSION.CREATE two crm")["session"].text ?? ""
  }

  private func status(_ user: String) -> String? { core.run("USER.GET \(user)")["status"].text }

  @Test("B13: the command waits, another holder approves it, both are recorded") func twoPeople() throws {
    let kept = core.run("USER.DELETE ana REASON \"gone for good\"", as: one)
    let id = try #require(kept["approval"].integer)
    #expect("\(kept)" == "{approval: \(id), needs: user.delete, workspace: main}")
    #expect(status("ana") == "active")
    let listed = core.run("APPROVAL.LIST", as: two)[0]
    #expect(listed["command"].text == "USER.DELETE ana REASON gone for good")
    #expect(listed["requested-by"].text == "one")
    #expect(core.run("APPROVAL.GRANT \(id)", as: two).text == "OK")
    #expect(status("ana") == "deleted")
    let event = core.run("AUDIT.LIST COUNT 1")[1][0]
    #expect(event["actor"].text == "one" && event["command"].text == "USER.DELETE")
    #expect("\(event["changes"])".contains("requested-by"))
    #expect(core.run("APPROVAL.GRANT \(id)", as: two).text?.hasPrefix("NOTFOUND approval #\(id)") == true)
    core.expectReplicated()
  }

  @Test("B9, B13: what somebody only asked for is not taken back by UNDO") func undoingRequest() {
    let id = core.run("USER.DELETE ana REASON x", as: one)["approval"]
    for token in [nil, one] as [String?] {
      let line = "UNDO \(core.lsn)"
      #expect(
        (token.map { core.run(line, as: $0) } ?? core.run(line)).text
          == "REFUSED undo: by record \(core.lsn) somebody only asked for USER.DELETE; APPROVAL.REFUSE \(id) takes that"
          + " back while it waits")
    }
  }

  @Test("B13: what could not be done is refused at once, and what changes nothing does not wait") func impossible() {
    core.run("WORKSPACE.SET main policy.approval.needs workspace.set,security.set,user.status")
    core.run("WORKSPACE.CREATE acme")
    core.run("USER.CREATE own WORKSPACE acme NOINVITE")
    core.run("WORKSPACE.TRANSFER acme own")
    core.run("WORKSPACE.SET acme policy.approval.needs workspace.set,security.set")
    core.run("USER.SET own released 2026-01-01")
    let line = "WORKSPACE.SET acme policy.login.within-employment on"
    let tried = core.run("\(line) DRYRUN", as: one).text ?? ""
    #expect(tried.hasPrefix("REFUSED owner: "), "\(tried)")
    #expect(core.run(line, as: one).text == tried)
    let nothing = core.run("USER.STATUS ana active REASON x DRYRUN", as: one)
    #expect(nothing["approval"] == .null && nothing["changes"].items.isEmpty, "\(nothing)")
  }

  /// Many at once is no way around it.
  @Test(
    "B13, L23: a bulk edit waits where one of those it concerns would",
    arguments: ["IDS 2 ana tom", "WHERE username != two WHERE username != one"])
  func bulk(users: String) throws {
    core.run("WORKSPACE.SET main policy.approval.needs user.status")
    let kept = core.run("USER.BULK SET status locked phone 1 \(users)", as: one)
    #expect(kept["needs"].text == "user.status" && status("ana") == "active")
    #expect(core.run("APPROVAL.GRANT \(kept["approval"])", as: two)["changed"].integer == 2)
    #expect(status("ana") == "locked" && status("tom") == "locked")
    // By a service it does not wait, nor in a workspace that does not ask.
    #expect(core.run("USER.BULK SET status active IDS 1 ana")["changed"].integer == 1)
    core.run("WORKSPACE.SET main policy.approval.needs user.delete")
    #expect(core.run("USER.BULK SET status active IDS 1 tom", as: one)["changed"].integer == 1)
    core.expectReplicated()
  }

  @Test("B13: a command that waits is bounded") func bounds() {
    core.run("WORKSPACE.SET main policy.approval.needs user.create")
    let names = (0..<900).map { "user\($0)-" + String(repeating: "x", count: 80) }
    let words = ["AS", one, "USER.CREATEMANY", "NOINVITE", "FIELDS", "1", "username", "ROWS"]
    #expect(
      core.run(words + ["900"] + names).text
        == "LIMIT approvals: a command that waits has at most 65536 bytes; give it in parts")
    #expect(core.run(words + ["500"] + names.prefix(500))["needs"].text == "user.create")
    #expect(core.run("APPROVAL.LIST", as: two).items.count == 1)
  }

  @Test("B9, B13: what two people did is taken back as what one did, and its reason stays in the trail")
  func takenBack() throws {
    let id = core.run("user.delete ana REASON mistaken", as: one)["approval"]
    core.run("APPROVAL.GRANT \(id)", as: two)
    let event = core.run("AUDIT.LIST USER ana COUNT 1")[1][0]
    let changes = "\(event["changes"])"
    #expect(changes.contains("USER.DELETE") && changes.contains("mistaken"))
    let undone = core.run("UNDO \(event["lsn"])")
    #expect(undone["command"].text == "USER.DELETE" && "\(undone["users"])" == "[ana]")
    #expect(status("ana") == "active")
    core.run("USER.SET tom first Tom", as: one)
    let granted = core.run("ROLE.GRANT tom individual", as: one)["approval"]
    core.run("APPROVAL.GRANT \(granted)", as: two)
    #expect(
      core.run("UNDO \(core.lsn)").text?.contains("its command is ROLE.GRANT; only USER.DELETE, USER.MERGE and") == true
    )
    core.expectReplicated()
  }

  @Test("B13: nobody approves alone, nobody without the permission, and no service") func whoMayApprove() {
    let id = core.run("USER.DELETE ana REASON x", as: one)["approval"]
    #expect(
      core.run("APPROVAL.GRANT \(id)", as: one).text
        == "REFUSED approval: whoever asked for it cannot approve it; let another holder of user.delete do so")
    #expect(
      core.run("APPROVAL.GRANT \(id)").text
        == "REFUSED approval: a person approves, not a service; give AS and the session of who approves")
    let tom = core.run("SESSION.CREATE tom crm")["session"].text ?? ""
    #expect(
      core.run("APPROVAL.GRANT \(id)", as: tom).text
        == "NOTFOUND approval #\(id); APPROVAL.LIST names those that wait")
    #expect("\(core.run("APPROVAL.LIST", as: tom))" == "[]")
    let token = core.run("IMPERSONATE.START \(two) tom REASON help")["session"].text ?? ""
    #expect(core.run("APPROVAL.GRANT \(id)", as: token).isError)
    #expect(status("ana") == "active")
  }

  @Test("B13: what is approved is decided then, on the rights of both") func decidedThen() {
    let id = core.run("USER.DELETE ana REASON x", as: one)["approval"]
    core.run("ROLE.REVOKE one super-administrator")
    core.run("ROLE.REVOKE one training-administrator")
    #expect(core.run("APPROVAL.GRANT \(id)", as: two).text?.hasPrefix("NOTFOUND approval #\(id)") == true)
    #expect(status("ana") == "active")
    // Whoever gets the right back asks again.
    core.run("ROLE.GRANT one super-administrator")
    #expect(core.run("APPROVAL.GRANT \(id)", as: two).text?.hasPrefix("NOTFOUND approval #\(id)") == true)
    let again = core.logIn("one", "crm")
    let second = core.run("USER.DELETE ana REASON x", as: again)["approval"]
    #expect(core.run("APPROVAL.GRANT \(second)", as: two).text == "OK")
    core.expectReplicated()
  }

  @Test("B13: refused, withdrawn, or too late") func theEnd() {
    let first = core.run("USER.DELETE ana REASON x", as: one)["approval"]
    #expect(core.run("APPROVAL.REFUSE \(first)", as: two).text == "OK")
    let second = core.run("USER.DELETE ana REASON x", as: one)["approval"]
    #expect(core.run("APPROVAL.REFUSE \(second)", as: one).text == "OK")
    let third = core.run("USER.DELETE ana REASON x", as: one)["approval"]
    core.now += ApprovalRequest.life
    let again = core.run("SESSION.CREATE two crm")["session"].text ?? ""
    for id in [first, second, third] {
      #expect(core.run("APPROVAL.GRANT \(id)", as: again).text?.hasPrefix("NOTFOUND approval #\(id)") == true)
    }
    #expect("\(core.run("APPROVAL.LIST"))" == "[]")
    core.expectReplicated()
  }

  @Test("B13: other acts, dry runs and services by themselves do not wait") func whatDoesNotWait() {
    #expect(core.run("USER.SET ana phone 1", as: one).integer == 1)
    #expect(
      core.run("USER.DELETE ana REASON x DRYRUN", as: one).keys == [
        "approval", "changes", "logins", "logins-left-out", "seats", "names",
      ])
    #expect("\(core.run("APPROVAL.LIST"))" == "[]")
    #expect(core.run("USER.DELETE ana REASON x").text == "OK")
  }

  @Test("B13, W5: the policy of the workspace concerned counts, and its people approve") func twoWorkspaces() {
    core.run("WORKSPACE.CREATE acme")
    core.run("PRODUCT.CREATE acme/app")
    for name in ["a1", "a2"] {
      core.run("USER.CREATE \(name) WORKSPACE acme PRODUCT acme/app NOINVITE")
      core.run("ROLE.GRANT \(name) super-administrator WORKSPACE acme")
    }
    core.run("USER.CREATE own WORKSPACE acme NOINVITE")
    let a1 = core.run("SESSION.CREATE a1 acme/app")["session"].text ?? ""
    #expect(core.run("USER.DELETE own REASON x", as: a1).text == "OK")
    core.run("WORKSPACE.SET acme policy.approval.needs user.delete")
    core.run("USER.CREATE own2 WORKSPACE acme NOINVITE")
    let id = core.run("USER.DELETE own2 REASON x", as: a1)["approval"]
    let a2 = core.run("SESSION.CREATE a2 acme/app")["session"].text ?? ""
    core.run("ROLE.REVOKE two super-administrator")
    core.run("ROLE.REVOKE two training-administrator")
    core.run("ROLE.GRANT two super-administrator WORKSPACE main")
    let main = core.run("SESSION.CREATE two crm")["session"].text ?? ""
    #expect("\(core.run("APPROVAL.LIST", as: main))" == "[]")
    #expect(core.run("APPROVAL.GRANT \(id)", as: main).text?.hasPrefix("NOTFOUND ") == true)
    #expect(core.run("APPROVAL.GRANT \(id)", as: a2).text == "OK")
  }
}
