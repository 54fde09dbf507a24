import Testing

@testable import GatehouseCore

/// B13: which commands wait for a second person.
@Suite struct ApprovalAskingTests {
  let core = CoreHarness(partitions: 8)
  let one: String
  let two: String

  init() {
    core.run("PRODUCT.CREATE crm")
    for name in ["one", "two"] { core.run("USER.CREATE \(name) ROLE super-administrator PRODUCT crm NOINVITE") }
    for name in ["ana", "tom", "eva"] { core.run("USER.CREATE \(name) PRODUCT crm NOINVITE") }
    one = core.run("SESSION.CREATE one crm")["session"].text ?? ""
    two = core.run("SESSION.CREATE two crm")["session"].text ?? ""
  }

  private func ask(_ permissions: String) { core.run("WORKSPACE.SET main policy.approval.needs \(permissions)") }

  /// Expects that a command is kept, and returns its request.
  @discardableResult
  private func expectKept(_ line: String, needs: String, as token: String? = nil) -> Int64 {
    let kept = core.run(line, as: token ?? one)
    let id = kept["approval"].integer ?? 0
    #expect("\(kept)" == "{approval: \(id), needs: \(needs), workspace: main}", "\(line)")
    return id
  }

  @Test("B13: whatever permission a command uses counts, wherever it is checked") func everyUse() {
    core.run("ACCOUNT.CREATE Widgets CUSTOMER")
    core.run("USER.BULK SET status inactive IDS 1 tom")
    let bulk = core.lsn
    ask("role.grant,employment.manage,user.set,user.status")
    expectKept("USER.CREATE new NOINVITE ROLE super-administrator", needs: "role.grant")
    expectKept("USER.CREATE new2 NOINVITE ACCOUNT Widgets", needs: "employment.manage")
    expectKept("USER.BULK SET status inactive IDS 1 ana", needs: "user.status")
    expectKept("UNDO \(bulk)", needs: "user.status")
    expectKept("USER.SET ana initials AB", needs: "user.set")
    #expect(core.run("USER.GET new").isError)
    #expect(core.run("USER.GET ana")["status"].text == "active")
    #expect(core.run("USER.GET tom")["status"].text == "inactive")
    // What needs none of them does not wait, although another field of the same command would.
    #expect(core.run("USER.SET ana phone 1", as: one).integer == 1)
    #expect(core.run("USER.CREATE plain NOINVITE", as: one)["username"].text == "plain")
  }

  @Test("B13, B7: what ends a right later waits as what ends it now")
  func later() throws {
    core.run("WORKSPACE.CREATE acme")
    core.run("PRODUCT.CREATE acme/pay")
    core.run("WORKSPACE.MEMBER acme ana")
    core.run("ROLE.GRANT ana training-administrator WORKSPACE acme")
    core.run("PRODUCT.ENABLE tom acme/pay ADMIN")
    core.run("WORKSPACE.SET acme policy.approval.needs role.grant")
    for line in [
      "WORKSPACE.MEMBER acme ana REMOVE", "WORKSPACE.MEMBER acme ana UNTIL 2026-04-01T00:00:00Z",
      "WORKSPACE.MEMBER acme ana FROM 2027-01-01T00:00:00Z", "WORKSPACE.MEMBER acme tom REMOVE",
      "WORKSPACE.MEMBER acme tom UNTIL 2026-04-01T00:00:00Z", "PRODUCT.DISABLE tom acme/pay",
      "PRODUCT.ENABLE tom acme/pay UNTIL 2026-04-01T00:00:00Z",
      "ROLE.GRANT ana training-administrator WORKSPACE acme UNTIL 2026-04-01T00:00:00Z",
    ] {
      let kept = core.run(line, as: one)
      #expect(kept["needs"].text == "role.grant" && kept["workspace"].text == "acme", "\(line): \(kept)")
    }
    // Who holds nothing there may be let go by one, and a longer membership takes nothing from anybody.
    core.run("WORKSPACE.MEMBER acme eva UNTIL 2026-04-01T00:00:00Z")
    #expect(core.run("WORKSPACE.MEMBER acme eva UNTIL 2026-03-20T00:00:00Z", as: one).integer == 1)
    #expect(core.run("WORKSPACE.MEMBER acme eva UNTIL none", as: one).integer == 1)
  }

  @Test("B7: nobody sets an end to a membership whose roles they could not take") func end() {
    core.run("WORKSPACE.CREATE acme")
    core.run("ROLE.DEFINE keeper WORKSPACE acme member.manage user.read")
    core.run("WORKSPACE.MEMBER acme ana")
    core.run("WORKSPACE.MEMBER acme tom")
    core.run("ROLE.GRANT ana training-administrator WORKSPACE acme")
    core.run("ROLE.GRANT eva keeper WORKSPACE acme")
    let eva = core.run("SESSION.CREATE eva crm")["session"].text ?? ""
    for end in ["REMOVE", "UNTIL 2026-04-01T00:00:00Z", "FROM 2027-01-01T00:00:00Z"] {
      #expect(core.run("WORKSPACE.MEMBER acme ana \(end)", as: eva).text?.hasPrefix("NOPERM") == true, "\(end)")
    }
    #expect(core.run("WORKSPACE.MEMBER acme tom UNTIL 2026-04-01T00:00:00Z", as: eva).integer == 1)
  }

  @Test("B13: what would be refused is refused at once, and what changes nothing is answered") func decidedFirst() {
    ask("user.status,user.delete")
    #expect(core.run("USER.STATUS ana bogus", as: one).isError)
    #expect(core.run("USER.DELETE ana", as: one).text?.hasPrefix("REFUSED delete.needs-reason") == true)
    #expect(core.run("USER.DELETE ana REASON x IFVERSION 99", as: one).text?.hasPrefix("STALE ") == true)
    #expect(core.run("USER.STATUS ana active", as: one).text == "OK")
    #expect(core.run("USER.STATUS two active", as: one).text == "OK")
    core.run("ROLE.REVOKE two super-administrator")
    #expect(core.run("USER.STATUS one inactive", as: one).isError)
    #expect("\(core.run("APPROVAL.LIST"))" == "[]")
  }

  @Test("B13: a trial says that the deed would wait") func dryRun() {
    ask("user.status")
    let trial = core.run("USER.STATUS ana inactive DRYRUN", as: one)
    #expect(trial.keys == ["approval", "changes", "logins", "logins-left-out", "seats", "names"])
    #expect("\(trial["approval"])" == "{needs: user.status, workspace: main}")
    #expect(
      core.run("USER.SET ana phone 1 DRYRUN", as: one).keys == [
        "changes", "logins", "logins-left-out", "seats", "names",
      ])
  }

  @Test("B13, B3: what nobody may do while impersonating is not asked for either") func impersonating() throws {
    core.run("USER.CREATE ta ROLE training-administrator PRODUCT crm NOINVITE")
    ask("role.grant,user.rename,user.status")
    let token = core.run("IMPERSONATE.START \(one) ta REASON help")["session"].text ?? ""
    #expect(
      core.run("ROLE.GRANT ana manager WORKSPACE main", as: token).text?.hasPrefix("REFUSED impersonation: roles")
        == true)
    #expect(core.run("USER.RENAME ana anna", as: token).text?.hasPrefix("REFUSED impersonation: a username") == true)
    #expect("\(core.run("APPROVAL.LIST"))" == "[]")
  }

  @Test("B13: impersonating itself cannot wait, and is refused") func impersonate() {
    ask("impersonate")
    #expect(core.run("IMPERSONATE.CAN one ana").text == "DENY approval")
    #expect(
      core.run("IMPERSONATE.START \(one) ana REASON help").text
        == "REFUSED impersonation: approval; two people would have to agree, and a session cannot wait; ask the person to act"
        + " themselves")
    #expect(
      core.run("WORKSPACE.SET main policy.approval.needs user.read").text
        == "ERR policy.approval.needs cannot have user.read, which changes nothing that could wait for a second person")
  }

  @Test("B13: one person alone takes the policy neither away nor around") func thePolicyItself() {
    ask("role.grant,user.delete")
    let id = expectKept("WORKSPACE.SET main policy.approval.needs \"\"", needs: "security.set")
    expectKept("WORKSPACE.SET main policy.approval.needs user.delete", needs: "security.set")
    expectKept("WORKSPACE.SET main profile clockify", needs: "security.set")
    #expect(
      core.run("WORKSPACE.SET main policy.approval.needs role.grant,user.delete,user.status", as: one).integer == 1)
    // An owner holds all roles, and a role that gives more gives it to all who have it.
    expectKept("WORKSPACE.TRANSFER main ana", needs: "role.grant")
    core.run("ROLE.DEFINE helper user.read")
    expectKept("ROLE.DEFINE helper user.read user.delete", needs: "role.grant")
    #expect(core.run("APPROVAL.GRANT \(id)", as: two).integer == 1)
    #expect(core.run("USER.DELETE ana REASON x", as: one).text == "OK")
    core.expectReplicated()
  }

  @Test("B13: taking the administration of a product away waits as giving it does, by whatever takes it")
  func administration() {
    core.run("WORKSPACE.CREATE acme")
    core.run("PRODUCT.CREATE acme/app")
    for user in ["ana", "tom"] { core.run("PRODUCT.ENABLE \(user) acme/app") }
    core.run("PRODUCT.ENABLE ana acme/app ADMIN")
    core.run("PRODUCT.ENABLE ana crm ADMIN")
    ask("role.grant")
    core.run("WORKSPACE.SET acme policy.approval.needs role.grant")
    expectKept("PRODUCT.ENABLE ana crm REGULAR", needs: "role.grant")
    expectKept("PRODUCT.DISABLE ana crm", needs: "role.grant")
    let kept = core.run("WORKSPACE.MEMBER acme ana REMOVE", as: one)
    #expect(kept["needs"].text == "role.grant" && kept["workspace"].text == "acme", "\(kept)")
    // Who administers nothing is kept out at once.
    #expect(core.run("PRODUCT.DISABLE tom crm", as: one).text == "OK")
    #expect(core.run("WORKSPACE.MEMBER acme tom REMOVE", as: one).integer == 1)
  }

  @Test("B13: a grant that holds everywhere holds in main, whose policy counts") func everywhere() {
    ask("role.grant")
    expectKept("ROLE.GRANT ana training-administrator", needs: "role.grant")
  }

  @Test("B13: equal requests are one, and each person and workspace has its own limit") func limits() {
    core.run("WORKSPACE.CREATE acme")
    core.run("PRODUCT.CREATE acme/app")
    core.run("USER.CREATE boss WORKSPACE acme PRODUCT acme/app NOINVITE")
    core.run("ROLE.GRANT boss super-administrator WORKSPACE acme")
    core.run("USER.CREATE own WORKSPACE acme NOINVITE")
    core.run("WORKSPACE.SET acme policy.approval.needs user.set")
    ask("user.set")
    let first = expectKept("USER.SET ana initials A", needs: "user.set")
    #expect(expectKept("USER.SET ana initials A IDEM k1", needs: "user.set") == first)
    for number in 1..<Limits.approvalsOfPerson { expectKept("USER.SET ana initials A\(number)", needs: "user.set") }
    #expect(
      core.run("USER.SET ana initials B", as: one).text
        == "LIMIT approvals: at most 100 of a person wait; have some granted or refused first")
    let boss = core.run("SESSION.CREATE boss acme/app")["session"].text ?? ""
    #expect(core.run("USER.SET own initials B", as: boss)["needs"].text == "user.set")
    expectKept("USER.SET ana initials B", needs: "user.set", as: two)
    core.expectReplicated()
  }

  @Test(
    "B13: what a command answers in secret is not for whoever approves it",
    arguments: [
      "APIKEY.CREATE ana", "APIKEY.ROTATE KEY", "TOTP.ENROL ana",
    ])
  func secretAnswers(_ line: String) {
    let key = core.run("APIKEY.CREATE ana")["id"].integer ?? 0
    ask("credential.set")
    let command = line.replacing(" KEY", with: " \(key)")
    #expect(
      core.run(command, as: one).text
        == "REFUSED approval: main asks for two people, and \(line.prefix { $0 != " " }) answers a secret, which would go"
        + " to whoever approves it; ask a service to do it")
    #expect("\(core.run("APPROVAL.LIST"))" == "[]")
    #expect(!core.run(command).isError)
  }

  @Test("B13: a command that takes no IDEM waits as any other") func withoutIdempotency() {
    core.run("USER.SET ana email ana@acme.test")
    ask("credential.set")
    let id = expectKept("PASSWORD.GENERATE ana", needs: "credential.set")
    #expect(core.run("APPROVAL.GRANT \(id)", as: two).text == "OK")
    #expect(core.run("MAIL.LIST KIND password-generated")[1].items.count == 1)
    core.expectReplicated()
  }

  @Test("B13: who asked has a name in the list, whichever partition knows them") func namesOfOthers() {
    ask("user.set")
    for number in 0..<8 {
      core.run("USER.CREATE adm\(number) ROLE training-administrator PRODUCT crm NOINVITE")
      let token = core.run("IMPERSONATE.START \(one) adm\(number) REASON x")["session"].text ?? ""
      #expect(core.run("USER.SET ana initials A\(number)", as: token)["approval"].integer != nil)
    }
    let listed = core.run("APPROVAL.LIST").items
    #expect(Set(listed.map { $0["requested-by"].text ?? "" }) == ["one"])
    #expect(Set(listed.map { $0["as"].text ?? "" }) == Set((0..<8).map { "adm\($0)" }))
  }
}
