import Testing

@testable import GatehouseCore

/// B13: what a request rests on, and what it says to whom.
@Suite struct ApprovalRightsTests {
  let core = CoreHarness(partitions: 16)
  let one: String
  let two: String

  init() {
    core.run("PRODUCT.CREATE crm")
    for name in ["one", "two"] { core.run("USER.CREATE \(name) ROLE super-administrator PRODUCT crm NOINVITE") }
    for name in ["ana", "tom", "ta"] { core.run("USER.CREATE \(name) PRODUCT crm NOINVITE") }
    core.run("ROLE.GRANT ta training-administrator")
    core.run("WORKSPACE.SET main policy.approval.needs user.status")
    one = core.run("SESSION.CREATE one crm")["session"].text ?? ""
    two = core.run("SESSION.CREATE two crm")["session"].text ?? ""
  }

  private func open() -> [Int64] { core.run("APPROVAL.LIST").items.compactMap { $0["approval"].integer } }

  private func granted(_ id: Int64) -> Answer { core.run("APPROVAL.GRANT \(id)", as: two) }

  /// The users of some names, each in another partition.
  private func apart(_ names: [String]) -> Bool {
    Set(names.compactMap { core.user($0)?.cell.index }).count == names.count
  }

  @Test(
    "B13, B3: a request rests on the rights of the actor too, wherever it is kept, and does not come back",
    arguments: [
      ["USER.STATUS one inactive", "USER.STATUS one active"],
      ["USER.DELETE one REASON x", "UNDO"],
      [
        "ROLE.REVOKE one super-administrator", "ROLE.REVOKE one training-administrator",
        "ROLE.GRANT one super-administrator",
      ],
    ])
  func actorLosesRights(lines: [String]) throws {
    // Several people, because those of one partition would be found anyway.
    var asked: [Int64] = []
    for number in 0..<6 {
      core.run("USER.CREATE ta\(number) ROLE training-administrator PRODUCT crm NOINVITE")
      let token = core.run("IMPERSONATE.START \(one) ta\(number) REASON help")["session"].text ?? ""
      asked.append(try #require(core.run("USER.STATUS tom inactive", as: token)["approval"].integer))
    }
    asked.append(try #require(core.run("USER.STATUS tom locked", as: one)["approval"].integer))
    #expect(open().count == 7 && (0..<6).contains { apart(["one", "ta\($0)"]) })
    try core.restart()
    for line in lines { #expect(!core.run(line == "UNDO" ? "UNDO \(core.lsn)" : line).isError, "\(line)") }
    #expect(open() == [])
    for id in asked { #expect(granted(id).text?.hasPrefix("NOTFOUND approval #\(id)") == true) }
    #expect(core.run("USER.GET tom")["status"].text == "active")
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
    core.expectReplicated()
  }

  @Test("B13: it ends in the record that takes the right, with who took it")
  func sameRecord() throws {
    let token = core.run("IMPERSONATE.START \(one) ta REASON help")["session"].text ?? ""
    let id = try #require(core.run("USER.STATUS tom inactive", as: token)["approval"].integer)
    core.run("USER.STATUS one inactive")
    let decided = core.records.last?.first.changes.compactMap { $0.as(ApprovalDecided.self) } ?? []
    #expect(decided.map { Int64($0.approval.raw) } == [id] && decided.allSatisfy { !$0.isGranted })
  }

  @Test("B13, B7: a right that ends by itself takes the request with it")
  func endsByTime() throws {
    core.run("ROLE.REVOKE one super-administrator")
    core.run("ROLE.GRANT one training-administrator UNTIL \(core.now + 60_000)")
    let again = core.logIn("one", "crm")
    let id = try #require(core.run("USER.STATUS tom inactive", as: again)["approval"].integer)
    core.advance(60_000)
    core.endRights()
    core.run("ROLE.GRANT one training-administrator")
    #expect(granted(id).text?.hasPrefix("NOTFOUND ") == true)
    core.expectReplicated()
  }

  @Test("B13: a role that comes to give less, and another right that is lost, each end only what rested on it")
  func onlyWhatRested() throws {
    core.run("ROLE.DEFINE helper user.status user.read")
    core.run("ROLE.GRANT ana helper WORKSPACE main")
    let ana = core.logIn("ana", "crm")
    let id = try #require(core.run("USER.STATUS tom inactive", as: ana)["approval"].integer)
    core.run("ROLE.GRANT ana manager WORKSPACE main")
    core.run("ROLE.REVOKE ana manager WORKSPACE main")
    #expect(open() == [id])
    core.run("ROLE.DEFINE helper user.read")
    #expect(open() == [])
    core.expectReplicated()
  }

  @Test("B13: the requests of a person are counted wherever they are")
  func limitOfActor() {
    for number in 0..<4 {
      core.run("USER.CREATE ta\(number) ROLE training-administrator PRODUCT crm NOINVITE")
      let token = core.run("IMPERSONATE.START \(one) ta\(number) REASON help")["session"].text ?? ""
      for reason in 0..<25 { core.run("USER.STATUS tom inactive REASON r\(number)-\(reason)", as: token) }
    }
    #expect(core.run("APPROVAL.LIST COUNT 500").items.count == Limits.approvalsOfPerson)
    #expect(core.run("USER.STATUS tom locked", as: one).text?.hasPrefix("LIMIT approvals: at most 100") == true)
  }

  // MARK: Two tenants

  /// Two workspaces, and an administrator of both.
  private func tenants() -> (both: String, w1: String, training: String) {
    for name in ["w1", "w2"] {
      core.run("WORKSPACE.CREATE \(name)")
      core.run("PRODUCT.CREATE \(name)/app")
    }
    core.run("USER.CREATE both PRODUCT w1/app PRODUCT w2/app NOINVITE")
    for name in ["w1", "w2"] { core.run("ROLE.GRANT both super-administrator WORKSPACE \(name)") }
    for (name, role) in [("b1", "super-administrator"), ("t1", "training-administrator")] {
      core.run("USER.CREATE \(name) WORKSPACE w1 PRODUCT w1/app NOINVITE")
      core.run("ROLE.GRANT \(name) \(role) WORKSPACE w1")
    }
    core.run("USER.CREATE u1 WORKSPACE w1 NOINVITE")
    core.run("USER.CREATE u2 WORKSPACE w2 NOINVITE")
    core.run("USER.CREATE shared WORKSPACE w2 PRODUCT w1/app NOINVITE")
    core.run("WORKSPACE.SET w1 policy.approval.needs contact.set,product.access,role.grant")
    return (core.logIn("both", "w1/app"), core.logIn("b1", "w1/app"), core.logIn("t1", "w1/app"))
  }

  @Test(
    "B13, W4: a request that tells of another workspace is shown to those who see people there",
    arguments: [
      "USER.BULK SET department Dx IDS 2 u1 u2 REASON w2secret",
      "USER.CREATE nn WORKSPACE w1 PRODUCT w1/app PRODUCT w2/app NOINVITE REASON w2secret",
    ])
  func foreignNames(line: String) throws {
    let (both, w1, training) = tenants()
    let id = try #require(core.run(line, as: both)["approval"].integer, "\(core.run(line, as: both))")
    for token in [w1, training] {
      #expect("\(core.run("APPROVAL.LIST", as: token))" == "[]")
      #expect(core.run("APPROVAL.GRANT \(id)", as: token).text?.hasPrefix("NOTFOUND approval #\(id)") == true)
      #expect(core.run("APPROVAL.REFUSE \(id)", as: token).text?.hasPrefix("NOTFOUND approval #\(id)") == true)
      #expect(!"\(core.run("AUDIT.LIST WORKSPACE w1", as: token))".contains("w2secret"))
      #expect(!"\(core.run("FEED.READ 0 COUNT 500", as: token))".contains("w2secret"))
    }
    #expect(core.run("APPROVAL.LIST", as: both)[0]["reason"].text == "w2secret")
    // Refusing it tells no more.
    core.run("APPROVAL.REFUSE \(id)", as: both)
    #expect(!"\(core.run("AUDIT.LIST WORKSPACE w1", as: w1))".contains("w2secret"))
    #expect("\(core.run("AUDIT.LIST"))".contains("w2secret"))
  }

  @Test("B13, W4: somebody of another workspace who is named, and not changed, counts too")
  func namedOnly() throws {
    let (both, w1, _) = tenants()
    core.run("USER.SET u2 department Dx")
    let id = try #require(core.run("USER.BULK SET department Dx IDS 2 u1 u2", as: both)["approval"].integer)
    #expect("\(core.run("APPROVAL.LIST", as: w1))" == "[]")
    #expect(core.run("APPROVAL.REFUSE \(id)", as: both).text == "OK")
  }

  @Test("B13, W4: whoever is a member is no secret, wherever they are at home")
  func sharedPerson() throws {
    let (both, w1, _) = tenants()
    let id = try #require(core.run("PRODUCT.DISABLE shared w1/app REASON open", as: both)["approval"].integer)
    #expect(core.run("APPROVAL.LIST", as: w1)[0]["command"].text == "PRODUCT.DISABLE shared w1/app REASON open")
    #expect(core.run("APPROVAL.GRANT \(id)", as: w1).text == "OK")
    #expect("\(core.run("AUDIT.LIST WORKSPACE w1", as: w1))".contains("open"))
    core.expectReplicated()
  }

  // MARK: What is approved

  @Test("B13, B7: a right that would last longer than was asked for is another change")
  func longer() throws {
    core.run("WORKSPACE.SET main policy.approval.needs role.grant,product.access,member.manage")
    core.run("ROLE.GRANT ana manager UNTIL \(core.now + 86_400_000)")
    let id = try #require(core.run("USER.COPYACCESS ana tom", as: one)["approval"].integer)
    core.run("ROLE.GRANT ana manager UNTIL none")
    #expect(granted(id).text?.hasPrefix("STALE approval #\(id): ") == true)
    core.run("ROLE.GRANT ana manager UNTIL \(core.now + 86_400_000)")
    core.advance(3_600_000)
    let again = core.logIn("two", "crm")
    #expect(!core.run("APPROVAL.GRANT \(id)", as: again).isError)
    #expect(core.run("ROLE.LIST tom")[0]["until"].integer == core.run("ROLE.LIST ana")[0]["until"].integer)
    core.expectReplicated()
  }

  @Test("B13, T10: taking the access to one product is not taking that to another")
  func otherProduct() throws {
    core.run("PRODUCT.CREATE erp")
    core.run("PRODUCT.ENABLE ana crm")
    core.run("WORKSPACE.SET main policy.approval.needs user.delete")
    let id = try #require(core.run("USER.DELETE ana REASON x", as: one)["approval"].integer)
    core.run("PRODUCT.ENABLE ana erp")
    #expect(granted(id).text?.hasPrefix("STALE approval #\(id): ") == true)
  }

  @Test("B13: what the approver has said is recorded, and so is what the other had")
  func bothReasons() throws {
    let id = try #require(core.run("USER.STATUS tom inactive REASON asked", as: one)["approval"].integer)
    core.run("APPROVAL.GRANT \(id) REASON \"I saw to it\"", as: two)
    let event = core.run("AUDIT.LIST COUNT 1")[1][0]
    #expect(event["reason"].text == "asked")
    #expect("\(event["changes"])".contains("{name: approval-reason, old: nil, new: I saw to it}"))
  }

  @Test("B13: a session that is named by its id can wait, one that is named by its token cannot")
  func sessionByID() throws {
    core.run("WORKSPACE.SET main policy.approval.needs session.revoke")
    let session = core.run("SESSION.CREATE tom crm")
    #expect(
      core.run("SESSION.REVOKE \(session["session"])", as: one).text?.contains("a secret cannot wait") == true)
    let id = try #require(core.run("SESSION.REVOKE \(session["id"])", as: one)["approval"].integer)
    #expect(granted(id).integer == 1)
    #expect(core.run("SESSION.CHECK \(session["session"])").isNull)
  }

  @Test("B13, L6: a reason stays as part of the history, of a request as of any record")
  func reasonStays() {
    core.run("USER.STATUS tom inactive REASON history", as: one)
    core.run("USER.ANONYMISE tom")
    let trail = "\(core.run("AUDIT.LIST"))"
    #expect(trail.contains("{name: reason, old: nil, new: history}"))
    #expect(trail.contains("{name: words, old: nil, new: (anonymised)}"))
  }

  @Test(
    "B13: a repeat under an idempotency key says when the request it names waits no longer",
    arguments: ["GRANT", "REFUSE"])
  func repeated(verb: String) throws {
    let line = "USER.STATUS tom inactive IDEM k"
    let first = core.run(line, as: one)
    let id = try #require(first["approval"].integer)
    #expect(core.run(line, as: one) == first)
    core.run("APPROVAL.\(verb) \(id)", as: two)
    try core.restart()
    let lsn = core.lsn
    #expect(
      core.run(line, as: one).text
        == "CONFLICT idem: the command waited as approval #\(id), which was granted, refused or is too old by now; see"
        + " AUDIT.LIST, and take a new key to ask again")
    #expect(core.lsn == lsn)
    core.expectReplicated()
  }

  // MARK: Ways around

  @Test(
    "B13: what a command does in passing is asked for as if it were done by itself",
    arguments: [
      ("role.grant", "PRODUCT.ENABLE ana crm ADMIN"), ("role.grant", "MANAGE.ADD ana ACCOUNT Widgets"),
      ("contact.set", "USER.RENAME ana ana@new.test"), ("user.delete", "USER.MERGE tom ana"),
      ("user.status", "USER.ANONYMISE ana"), ("user.rename", "USER.ANONYMISE ana"),
      ("contact.set", "USER.CREATE ana2 CONTACT #FORMER EMAIL x@x.test NOINVITE"),
      ("member.manage", "PRODUCT.ENABLE ana beta/app"),
      ("member.manage", "USER.CREATE new WORKSPACE main PRODUCT beta/app NOINVITE"),
    ])
  func inPassing(permission: String, line: String) {
    core.run("WORKSPACE.CREATE beta")
    core.run("PRODUCT.CREATE beta/app")
    core.run("ACCOUNT.CREATE Widgets CUSTOMER")
    let former = core.run("CONTACT.CREATE NAME \"Former One\" EMAIL old@x.test")["contact"]
    for workspace in ["main", "beta"] { core.run("WORKSPACE.SET \(workspace) policy.approval.needs \(permission)") }
    let words = line.replacing("#FORMER", with: "#\(former)")
    #expect(core.run(words, as: one)["needs"].text == permission, "\(core.run(words, as: one))")
    #expect(core.run("APPROVAL.LIST").items.count == 1)
    core.run("WORKSPACE.SET main policy.approval.needs \"\"")
    core.run("WORKSPACE.SET beta policy.approval.needs \"\"")
    #expect(!core.run(words, as: one).keys.contains("needs"))
  }
}
