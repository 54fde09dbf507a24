import Testing

@testable import GatehouseCore

/// L14, B13: what somebody asks for while impersonating is not done once the impersonation has ended.
@Suite struct ImpersonatedRequestTests {
  private let core = CoreHarness(partitions: 8)
  private let login: String
  private let approver: String

  init() {
    for line in [
      "PRODUCT.CREATE crm", "USER.CREATE tess ROLE training-administrator PRODUCT crm NOINVITE",
      "USER.CREATE root ROLE super-administrator PRODUCT crm NOINVITE",
      "ACCOUNT.CREATE Jot CUSTOMER", "USER.CREATE mia PRODUCT crm NOINVITE", "ROLE.GRANT mia manager ACCOUNT Jot",
      "USER.CREATE ivy PRODUCT crm ACCOUNT Jot NOINVITE", "WORKSPACE.SET main policy.approval.needs contact.set",
    ] {
      let answer = core.run(line)
      precondition(!answer.isError, "\(line): \(answer)")
    }
    login = core.logIn("tess", "crm")
    approver = core.logIn("root", "crm")
  }

  private func impersonate() -> Answer { core.run("IMPERSONATE.START \(login) mia REASON help") }

  private func ask(_ session: Answer) -> Int64 {
    core.run("USER.SET ivy phone 77", as: session["session"].text ?? "")["approval"].integer ?? 0
  }

  @Test(
    "L14: the request ends in the record that ends the impersonation",
    arguments: [
      "IMPERSONATE.END ID", "SESSION.REVOKEALL tess", "USER.STATUS tess locked",
      "ROLE.REVOKE tess training-administrator",
    ])
  func ends(by line: String) {
    let session = impersonate()
    let request = ask(session)
    #expect(request > 0)
    core.run(line.replacing("ID", with: "\(session["id"])"))
    #expect(core.changes.contains { $0.as(ApprovalDecided.self)?.isGranted == false })
    #expect(core.run("APPROVAL.GRANT \(request)", as: approver).text?.hasPrefix("NOTFOUND approval") == true)
    #expect(core.run("APPROVAL.LIST").items.isEmpty)
    core.expectReplicated()
  }

  @Test("L14: it is approved while the impersonation goes on, and when it is over by time it is not") func inForce() {
    let first = ask(impersonate())
    #expect(core.run("APPROVAL.GRANT \(first)", as: approver).integer == 1)
    let session = impersonate()
    core.run("USER.SET ivy phone 1")
    let second = ask(session)
    core.now += 61 * 60_000
    #expect(
      core.run("APPROVAL.GRANT \(second)", as: core.logIn("root", "crm")).text
        == "REFUSED approval: the impersonation in which it was asked for has ended; refuse it with APPROVAL.REFUSE")
    // What one asks for as oneself waits on.
    core.run("USER.SET ivy phone 78", as: core.logIn("mia", "crm"))
    core.run("IMPERSONATE.END \(session["id"])")
    #expect(core.run("APPROVAL.LIST").items.count == 1)
    core.expectReplicated()
  }
}
