import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// W3, W4, W5: people of two workspaces, whose administrators each see to their own.
@Suite struct SharedPeopleTests {
  let core = CoreHarness(partitions: 8)
  /// Super administrators of either workspace.
  let alfa: String
  let beta: String

  init() {
    core.decidesTwice = true
    for name in ["alfa", "beta"] {
      for line in [
        "WORKSPACE.CREATE \(name)", "PRODUCT.CREATE \(name)/pay", "ACCOUNT.CREATE Works CUSTOMER WORKSPACE \(name)",
        "USER.CREATE \(name)-boss WORKSPACE \(name) PRODUCT \(name)/pay NOINVITE",
        "ROLE.GRANT \(name)-boss super-administrator WORKSPACE \(name)",
        "USER.CREATE \(name)-one WORKSPACE \(name) PRODUCT \(name)/pay NOINVITE",
        "USER.CREATE \(name)-two WORKSPACE \(name) PRODUCT \(name)/pay NOINVITE",
      ] {
        let answer = core.run(line)
        precondition(!answer.isError, "\(line): \(answer)")
      }
    }
    for line in [
      "USER.CREATE shared WORKSPACE alfa FIRST Sha PRODUCT alfa/pay NOINVITE", "WORKSPACE.MEMBER beta shared",
      "PRODUCT.ENABLE shared beta/pay",
    ] {
      let answer = core.run(line)
      precondition(!answer.isError, "\(line): \(answer)")
    }
    alfa = core.logIn("alfa-boss", "alfa/pay")
    beta = core.logIn("beta-boss", "beta/pay")
  }

  private func made(_ line: String, as token: String? = nil) {
    let answer = token.map { core.run(line, as: $0) } ?? core.run(line)
    #expect(!answer.isError, "\(line): \(answer)")
  }

  // MARK: Approvals

  @Test("W4, W5, B13: the policy of a workspace where the caller holds nothing does not count, and is not told")
  func foreignPolicies() {
    made("WORKSPACE.SET beta policy.approval.needs role.grant,session.revoke,product.access,licence.assign")
    made("ROLE.GRANT alfa-one manager WORKSPACE alfa")
    for line in ["USER.COPYACCESS alfa-one shared", "SESSION.REVOKEALL shared", "PRODUCT.DISABLE shared alfa/pay"] {
      let answer = core.run(line, as: alfa)
      #expect(!answer.isError && !"\(answer)".contains("beta") && answer["approval"].isNull, "\(line): \(answer)")
    }
    #expect("\(core.run("APPROVAL.LIST"))" == "[]")
    // Where it holds, it counts, and is asked there.
    #expect(core.run("SESSION.REVOKEALL beta-one", as: beta)["approval"].isNull, "nothing to revoke")
    made("SESSION.CREATE shared beta/pay")
    #expect(core.run("SESSION.REVOKEALL shared", as: beta)["workspace"].text == "beta")
    core.expectReplicated()
  }

  // MARK: Roles

  @Test("W3: who gets a role in a workspace is a member there, whom its administrators know and govern")
  func rolesMakeMembers() {
    made("ROLE.GRANT alfa-two training-administrator WORKSPACE beta")
    made("ROLE.GRANT alfa-one manager PRODUCT beta/pay")
    made("USER.COPYACCESS alfa-two shared")
    for name in ["alfa-one", "alfa-two"] {
      #expect(!core.run("USER.GET \(name)", as: beta).isError)
      #expect("\(core.run("USER.LIST FIELDS 1 username", as: beta))".contains(name))
    }
    made("ROLE.REVOKE alfa-two training-administrator WORKSPACE beta", as: beta)
    made("WORKSPACE.MEMBER beta alfa-one REMOVE", as: beta)
    #expect("\(core.run("ROLE.LIST alfa-one"))" == "[]")
    core.run("USER.CREATE root ROLE super-administrator NOINVITE PRODUCT alfa/pay")
    made("USER.COPYACCESS beta-boss alfa-one", as: core.logIn("root", "alfa/pay"))
    #expect(core.run("USER.GET alfa-one", as: beta)["status"].text == "active")
    core.expectReplicated()
  }

  // MARK: Merges

  private func mergeShared() {
    for line in [
      "TIMER.START shared WORKSPACE beta NOTE theirs", "EMPLOY.ADD shared beta/Works", "EMPLOY.ADD shared alfa/Works",
      "LINK.ADD shared booking R1 WORKSPACE beta", "USER.CREATE kept WORKSPACE alfa FIRST Ked NOINVITE",
    ] { made(line) }
    core.now += 60_000
    made("TIMER.STOP shared WORKSPACE beta")
    made("USER.MERGE kept shared", as: alfa)
  }

  @Test("W3, S2, L13: what a workspace has recorded of somebody stays readable there after the home has merged them")
  func mergedElsewhere() {
    let contact = core.run("USER.GET shared")["contact"]
    mergeShared()
    #expect(core.run("USER.GET shared", as: beta)["status"].text == "deleted")
    #expect("\(core.run("ENTRY.LIST shared WORKSPACE beta", as: beta))".contains("theirs"))
    for person in ["shared", "#\(contact)"] {
      #expect("\(core.run("LINK.LIST \(person) WORKSPACE beta", as: beta))".contains("R1"), "\(person)")
    }
    #expect("\(core.run("CONTACT.GET #\(contact)", as: beta))".contains("Sha"))
    #expect("\(core.run("AUDIT.LIST USER shared", as: beta))".contains("link-added"))
    #expect("\(core.run("USER.LIST WHERE status = deleted FIELDS 1 username", as: beta))".contains("shared"))
    // Who knows both is led to the kept one, and nobody learns of whom they do not know (W4).
    #expect(core.run("USER.GET shared", as: alfa)["username"].text == "kept")
    #expect(core.run("USER.GET shared")["username"].text == "kept")
    #expect(core.run("USER.GET kept", as: beta).text == "NOTFOUND user kept")
    #expect(core.run("USER.DELETE shared REASON x", as: beta).isError)
    core.expectReplicated()
  }

  @Test("W3, L13: an employment stays in the workspace that the kept user does not join, for its administrators to end")
  func employmentsOfMerged() {
    mergeShared()
    #expect(core.run("EMPLOY.LIST kept").items.map { $0["account"].text } == ["alfa/Works"])
    #expect(core.run("EMPLOY.LIST shared", as: beta).items.map { $0["account"].text } == ["beta/Works"])
    #expect(
      core.run("ACCOUNT.DELETE beta/Works", as: beta).text
        == "REFUSED account: 1 (shared) is employed at Works; end that first with EMPLOY.END user account")
    made("EMPLOY.END shared beta/Works", as: beta)
    made("ACCOUNT.DELETE beta/Works", as: beta)
    core.expectReplicated()
  }

  @Test("W3, S2: an administrator takes out somebody who is deleted at home") func leavingWhenDeleted() {
    mergeShared()
    #expect(core.run("WORKSPACE.MEMBER beta shared REMOVE", as: beta).integer == 1)
    #expect(core.run("USER.GET shared", as: beta).text == "NOTFOUND user shared")
    made("ACCOUNT.DELETE beta/Works", as: beta)
    #expect(core.run("WORKSPACE.MEMBER alfa shared REMOVE", as: alfa).isError)
    core.expectReplicated()
  }

  @Test("W3, B9: what its administrators took away, no undo at home gives back") func undoAtHome() {
    made("ROLE.GRANT shared super-administrator WORKSPACE beta")
    core.run("USER.DELETE shared REASON x", as: alfa)
    let lsn = core.lsn
    made("WORKSPACE.MEMBER beta shared REMOVE", as: beta)
    made("UNDO \(lsn)", as: alfa)
    #expect("\(core.run("ROLE.LIST shared"))" == "[]")
    #expect(core.run("USER.GET shared")["status"].text == "active")
    core.expectReplicated()
  }

  @Test("B9, W3: who may see both is told why the role does not come back") func undoByTheOperator() {
    made("ROLE.GRANT shared super-administrator WORKSPACE beta")
    made("USER.DELETE shared REASON x")
    let lsn = core.lsn
    made("WORKSPACE.MEMBER beta shared REMOVE")
    #expect(
      core.run("UNDO \(lsn)").text?.hasPrefix(
        "REFUSED undo: shared had the role super-administrator workspace beta, and is no member there any more; ")
        == true)
  }

  @Test("W4: a mail about somebody who was merged does not tell of the kept one where nobody knows them") func mails() {
    made("WORKSPACE.SET beta policy.timer.notify-stopped on")
    made("USER.SET shared email sha@x.test")
    made("TIMER.START shared WORKSPACE beta")
    made("TIMER.STOP shared WORKSPACE beta", as: beta)
    made("USER.CREATE kept WORKSPACE alfa NOINVITE")
    let shared = core.run("USER.GET shared")["id"]
    made("USER.MERGE kept shared", as: alfa)
    let mail = core.run("MAIL.LIST", as: beta)[1][0]
    #expect("\(mail["user"])" == "\(shared)" && mail["username"].text == "shared", "\(mail)")
    let all = core.run("MAIL.LIST")[1][0]
    #expect("\(all["user"])" == "\(core.run("USER.GET kept")["id"])")
  }

  // MARK: Counts

  @Test("W4: what refers to somebody in another workspace is not counted") func references() {
    made("EMPLOY.ADD shared beta/Works")
    let (user, contact) = (core.run("USER.GET shared")["id"], core.run("USER.GET shared")["contact"])
    made("MANAGE.ADD beta-one USER shared WORKSPACE beta")
    made("USER.DELETE shared REASON x")
    #expect(
      core.run("USER.PURGE #\(user)", as: alfa).text?.hasPrefix(
        "REFUSED references: shared is referred to by records that you may not see; ") == true)
    #expect(core.run("USER.PURGE #\(user)").text?.contains("1 management link (MANAGE.REMOVE)") == true)
    made("MANAGE.REMOVE beta-one USER shared WORKSPACE beta")
    let refusal = core.run("CONTACT.DELETE #\(contact)", as: alfa).text ?? ""
    #expect(refusal.contains("records that you may not see") && !refusal.contains("employment"), "\(refusal)")
    #expect(core.run("CONTACT.DELETE #\(contact)").text?.contains("1 employment (EMPLOY.END)") == true)
    made("EMPLOY.END shared beta/Works", as: beta)
    core.expectReplicated()
  }

  @Test("L12, L13: who was merged is not purged, and the refusal names the right one") func purgingMerged() {
    let id = core.run("USER.GET shared")["id"]
    mergeShared()
    for name in ["shared", "#\(id)"] {
      #expect(
        core.run("USER.PURGE \(name)", as: alfa).text
          == "REFUSED purge: shared was merged into kept, to whom name and id lead; leave it, or take the merge back with"
          + " UNDO first")
    }
    #expect(core.run("USER.GET kept")["status"].text == "active")
  }
}
