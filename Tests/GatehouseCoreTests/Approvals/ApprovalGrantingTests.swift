import Testing

@testable import GatehouseCore

/// B13: what is approved is what was asked for, and is recorded as the deed of the one who asked.
@Suite struct ApprovalGrantingTests {
  let core = CoreHarness(partitions: 8)
  let one: String
  let two: String

  init() {
    core.run("PRODUCT.CREATE crm")
    for name in ["one", "two"] { core.run("USER.CREATE \(name) ROLE super-administrator PRODUCT crm NOINVITE") }
    for name in ["ana", "tom"] { core.run("USER.CREATE \(name) PRODUCT crm NOINVITE") }
    core.run(
      "WORKSPACE.SET main policy.approval.needs user.delete,role.grant,user.status,contact.set,timer.stop,user.create")
    one = core.run("SESSION.CREATE one crm")["session"].text ?? ""
    two = core.run("SESSION.CREATE two crm")["session"].text ?? ""
  }

  private func kept(_ line: String) -> Int64 { core.run(line, as: one)["approval"].integer ?? 0 }

  @Test("B13: a name that has come to mean somebody else is refused") func otherPerson() throws {
    let id = kept("USER.DELETE ana REASON bad")
    let stop = kept("TIMER.START ana")
    let tom = try #require(core.run("USER.GET tom")["id"].integer)
    core.run("USER.RENAME ana anna")
    core.run("USER.RENAME tom ana")
    #expect(
      core.run("APPROVAL.GRANT \(id)", as: two).text
        == "STALE approval #\(id): it would now make a change that was not asked for, access-set of user #\(tom);"
        + " refuse it, and have it asked for again")
    #expect(core.run("APPROVAL.GRANT \(stop)", as: two).text?.hasPrefix("STALE approval #\(stop): ") == true)
    #expect(core.run("USER.GET ana")["status"].text == "active")
    #expect(core.run("APPROVAL.REFUSE \(id)", as: two).text == "OK")
    core.expectReplicated()
  }

  @Test("B13: a role that has come to give more is refused") func otherRole() {
    core.run("ROLE.DEFINE helper user.read")
    let id = kept("ROLE.GRANT ana helper")
    core.run("ROLE.DEFINE helper user.read user.delete role.grant")
    #expect(core.run("APPROVAL.GRANT \(id)", as: two).text?.hasPrefix("STALE approval #\(id): ") == true)
    core.run("ROLE.DEFINE helper user.read")
    #expect(core.run("APPROVAL.GRANT \(id)", as: two).text == "OK")
    core.expectReplicated()
  }

  @Test("B13: what the person concerned does meanwhile is not in the way") func concernedPerson() {
    let deletion = kept("USER.DELETE ana REASON bad")
    let phone = kept("USER.SET tom phone 1")
    core.run("SESSION.CREATE ana crm")
    core.run("USER.SET tom phone 7")
    core.now += 1000
    #expect(core.run("APPROVAL.GRANT \(deletion)", as: two).text == "OK")
    #expect(core.run("APPROVAL.GRANT \(phone)", as: two).integer == 1)
    #expect(core.run("USER.GET tom")["phone"].text == "1")
    core.expectReplicated()
  }

  @Test("B13: a new person is made as asked, whatever number comes next") func newPerson() {
    let id = kept("USER.CREATE eva EMAIL eva@acme.test NOINVITE")
    core.run("USER.CREATE other NOINVITE")
    #expect(core.run("APPROVAL.GRANT \(id)", as: two)["username"].text == "eva")
    #expect(core.run("USER.GET eva")["email"].text == "eva@acme.test")
    core.expectReplicated()
  }

  @Test("B13: who approves has logged in, and is no program with a key") func approvedByKey() {
    let id = kept("USER.DELETE ana REASON bad")
    let key = core.run("APIKEY.CREATE two")["key"].text ?? ""
    #expect(
      core.run("APPROVAL.GRANT \(id)", as: key).text
        == "REFUSED apikey: an approval cannot be changed with an API key; use a session, by logging in")
    #expect(core.run("APPROVAL.GRANT \(id)", as: two).text == "OK")
  }

  @Test("B13: the requests of somebody who may not log in end", arguments: ["inactive", "locked"])
  func requesterGone(_ status: String) {
    let id = kept("USER.STATUS ana inactive")
    core.run("USER.STATUS one \(status)")
    #expect("\(core.run("APPROVAL.LIST"))" == "[]")
    #expect(core.run("APPROVAL.GRANT \(id)", as: two).text?.hasPrefix("NOTFOUND approval #\(id)") == true)
    core.run("USER.STATUS one active")
    #expect(core.run("APPROVAL.GRANT \(id)", as: two).text?.hasPrefix("NOTFOUND approval #\(id)") == true)
    #expect(core.run("USER.GET ana")["status"].text == "active")
    core.expectReplicated()
  }

  @Test("B13, S9, L19: the record is the deed of who asked, with its reason; who approved stands beside") func record()
  {
    let id = kept("USER.DELETE ana REASON \"gone for good\"")
    core.run("APPROVAL.GRANT \(id)", as: two)
    let event = core.run("AUDIT.LIST COUNT 1")[1][0]
    #expect(event["command"].text == "USER.DELETE")
    #expect(event["actor"].text == "one" && event["reason"].text == "gone for good")
    let approver = core.run("USER.GET two")["id"].integer ?? 0
    #expect("\(event["changes"])".contains("{name: approved-by, old: nil, new: #\(approver)}"))
    for actor in ["one", "two"] {
      let found = core.run("AUDIT.LIST ACTOR \(actor) COUNT 1")[1][0]
      #expect(found["lsn"].integer == event["lsn"].integer, "\(actor)")
    }
  }

  @Test("B13, B9: what was approved can be taken back") func undone() {
    let id = kept("USER.DELETE ana REASON bad")
    core.run("APPROVAL.GRANT \(id)", as: two)
    let lsn = core.lsn
    let back = kept("UNDO \(lsn)")
    #expect(core.run("APPROVAL.GRANT \(back)", as: two)["command"].text == "USER.DELETE")
    #expect(core.run("USER.GET ana")["status"].text == "active")
    core.expectReplicated()
  }

  @Test("B13, B3: asked for while impersonating, it is recorded of both") func impersonated() {
    core.run("ROLE.GRANT tom training-administrator")
    let token = core.run("IMPERSONATE.START \(one) tom REASON help")["session"].text ?? ""
    let id = core.run("USER.STATUS ana inactive", as: token)["approval"].integer ?? 0
    #expect(core.run("APPROVAL.GRANT \(id)", as: one).text?.contains("whoever asked for it cannot approve it") == true)
    #expect(core.run("APPROVAL.GRANT \(id)", as: two).text == "OK")
    let event = core.run("AUDIT.LIST COUNT 1")[1][0]
    #expect(event["actor"].text == "one" && event["subject"].text == "tom")
    core.expectReplicated()
  }

  @Test("B13, L14: one asked for while impersonating ends with the impersonation, and no other does")
  func endOfImpersonation() throws {
    var tokens: [String] = []
    for name in ["tom", "ana"] {
      core.run("ROLE.GRANT \(name) training-administrator")
      tokens.append(core.run("IMPERSONATE.START \(one) \(name) REASON help")["session"].text ?? "")
    }
    core.run("USER.CREATE eva NOINVITE")
    let asked = try (tokens + [one, core.logIn("tom", "crm")]).map { token in
      try #require(core.run("USER.STATUS eva inactive", as: token)["approval"].integer)
    }
    #expect(Set(asked).count == 4)
    core.run("IMPERSONATE.END \(tokens[0])")
    let decided = core.changes.compactMap { $0.as(ApprovalDecided.self) }
    #expect(decided.map { Int64($0.approval.raw) } == [asked[0]] && decided.allSatisfy { !$0.isGranted })
    #expect(core.run("APPROVAL.GRANT \(asked[0])", as: two).text?.hasPrefix("NOTFOUND approval #\(asked[0])") == true)
    let left = core.run("APPROVAL.LIST").items.compactMap { $0["approval"].integer }
    #expect(Set(left) == Set(asked.dropFirst()))
    core.expectReplicated()
  }

  @Test("B13, B3: a ban on impersonating holds when it is approved, too, also of requests that were kept without it")
  func banAtGrant() throws {
    core.run("ROLE.GRANT tom training-administrator")
    #expect(!core.run("IMPERSONATE.START \(one) tom REASON help").isError)
    var request = ApprovalRequest()
    let ids = ["one", "tom"].map { UserID(raw: UInt64(core.run("USER.GET \($0)")["id"].integer ?? 0)) }
    (request.actor, request.subject) = (ids[0], ids[1])
    (request.permission, request.workspace, request.requested) = ("role.grant", mainWorkspace, core.now)
    request.words = ["ROLE.GRANT", "ana", "manager", "WORKSPACE", "main"]
    let partition = core.partitioning.partition(of: ids[1])
    request.id = core.partitioning.id(serial: 1, partition: partition)
    _ = core.cells[partition].state.approvals.add(request, serial: 1)
    #expect(
      core.run("APPROVAL.GRANT \(request.id.raw)", as: two).text?.hasPrefix("REFUSED impersonation: roles") == true)
  }

  @Test("B13, L6: nothing is told of somebody who was anonymised, and what was to be done of them ends") func personal()
  {
    core.run("USER.SET tom email tom@secret.test", as: one)
    let done = kept("USER.SET ana email ana@secret.test REASON because")
    core.run("APPROVAL.GRANT \(done)", as: two)
    core.run("USER.CREATE eva EMAIL eva@secret.test NOINVITE", as: one)
    #expect("\(core.run("AUDIT.LIST"))".contains("{name: words, old: nil, new: (not shown)}"))
    #expect("\(core.run("AUDIT.LIST"))".contains("USER.SET ana email ana@secret.test REASON because"))
    core.run("USER.ANONYMISE ana")
    core.run("USER.ANONYMISE tom")
    let trail = "\(core.run("AUDIT.LIST"))"
    for text in ["ana@secret.test", "tom@secret.test", "eva@secret.test"] {
      #expect(!trail.contains(text), "\(text)")
    }
    let open = core.run("APPROVAL.LIST")
    #expect(open.items.count == 1 && open[0]["command"].text == "USER.CREATE eva EMAIL eva@secret.test NOINVITE")
    core.expectReplicated()
  }

  @Test("B13, L6: clearing somebody's data can itself need two, and ends the other requests about the person")
  func approvedAnonymising() {
    core.run("WORKSPACE.SET main policy.approval.needs user.anonymise,contact.set")
    let id = kept("USER.ANONYMISE ana")
    let other = kept("USER.SET ana phone 1")
    let untouched = kept("USER.SET tom phone 1")
    #expect(core.run("APPROVAL.GRANT \(id)", as: two)["contact"].integer != nil)
    #expect(core.run("APPROVAL.LIST").items.compactMap { $0["approval"].integer } == [untouched])
    #expect(core.run("APPROVAL.GRANT \(other)", as: two).text?.hasPrefix("NOTFOUND ") == true)
    core.expectReplicated()
  }

  @Test("B13: an employment is ended on the day on which that is approved") func anotherDay() {
    core.run("ACCOUNT.CREATE Widgets CUSTOMER")
    core.run("EMPLOY.ADD ana Widgets")
    core.run("WORKSPACE.SET main policy.approval.needs employment.manage")
    let id = kept("EMPLOY.END ana Widgets")
    core.now += 3_600_000 * 11
    core.now += 3_600_000 * 13
    let again = core.run("SESSION.CREATE two crm")["session"].text ?? ""
    #expect(!core.run("APPROVAL.GRANT \(id)", as: again).isError)
    core.expectReplicated()
  }

  @Test("B13: a request of the former form is read, and approved as before") func formerForm() throws {
    let bytes: [UInt8] = [
      0x1c, 0x79, 0x83, 0x04, 0x83, 0x06, 0x86, 0x08, 0x0b, 0x75, 0x73, 0x65, 0x72, 0x2e, 0x64, 0x65, 0x6c, 0x65, 0x74,
      0x65, 0xac, 0x02, 0x80, 0xfa, 0x81, 0x8a, 0x95, 0x67, 0x04, 0x6c, 0x65, 0x66, 0x74, 0x04, 0x0b, 0x55, 0x53, 0x45,
      0x52, 0x2e, 0x44, 0x45, 0x4c, 0x45, 0x54, 0x45, 0x03, 0x61, 0x6e, 0x61, 0x06, 0x52, 0x45, 0x41, 0x53, 0x4f, 0x4e,
      0x04, 0x6c, 0x65, 0x66, 0x74,
    ]
    let change = try bytes.withUnsafeBytes { raw throws(CodingError) in
      var reader = ByteReader(raw)
      return try AnyChange(from: &reader)
    }
    let request = try #require(change.as(ApprovalRequested.self)).request
    #expect(request.words == ["USER.DELETE", "ana", "REASON", "left"] && request.changes.isEmpty)
  }
}
