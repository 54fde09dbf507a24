import Testing

@testable import GatehouseCore

/// `USER.CREATE` and `USER.GET`.
@Suite struct UserCreateTests {
  let core = CoreHarness(partitions: 16)

  private func mails(_ core: CoreHarness) -> [Mail] {
    core.cells.flatMap { $0.state.outbox.mails }.sorted { $0.id < $1.id }
  }

  @Test func aUserComesWithItsContactInOneRecord() {
    core.run("PRODUCT.CREATE payroll")
    let before = core.lsn
    let answer = core.run(
      "USER.CREATE ana@acme.test FIRST Ana MIDDLE M LAST Nova DEPARTMENT IT TIMEZONE Europe/Prague HIRED 2026-01-01"
        + " RELEASED 2026-12-31 INITIALS AN REFERENCE r1 DIVISION north PRODUCT payroll STATUS new")
    #expect(answer.keys == ["id", "contact", "username", "status"])
    #expect(answer["username"].text == "ana@acme.test")
    #expect(answer["status"].text == "new")
    #expect(core.lsn == before + 1)
    let user = core.run("USER.GET Ana@ACME.test")
    #expect(user["id"].integer == answer["id"].integer)
    #expect(user["contact"].integer == answer["contact"].integer)
    #expect(user["name"].text == "Ana M Nova")
    // The username becomes the contact's e-mail.
    #expect(user["email"].text == "ana@acme.test")
    #expect(user["department"].text == "IT")
    #expect(user["timezone"].text == "Europe/Prague")
    #expect(user["hired"].text == "2026-01-01")
    #expect(user["released"].text == "2026-12-31")
    #expect(user["initials"].text == "AN")
    #expect(user["reference"].text == "r1")
    #expect(user["division"].text == "north")
    #expect(user["phone"].isNull)
    #expect(user["last-login"].isNull)
    #expect(user["authority"].integer == 0)
    #expect("\(user["workspaces"])" == "[main]")
    #expect("\(user["products"])" == "[{product: payroll, enabled: 1, admin: 0, licence: nil, from: nil, until: nil}]")
    #expect(core.run("LOGIN.CHECK ana@acme.test payroll").text == "ALLOW")
    core.expectReplicated()
  }

  @Test func productsOfAUserAreLimited() {
    let core = CoreHarness(partitions: 1)
    for number in 0...Limits.productsOfUser { core.seedProduct("p\(number)") }
    let all = (0...Limits.productsOfUser).flatMap { ["PRODUCT", "p\($0)"] }
    #expect(core.run(["USER.CREATE", "ana"] + all).text?.hasPrefix("LIMIT products: ") == true)
    #expect(!core.run(["USER.CREATE", "ana"] + all.dropLast(2)).isError)
    #expect(core.run("PRODUCT.ENABLE ana p\(Limits.productsOfUser)").text?.hasPrefix("LIMIT products: ") == true)
  }

  @Test func workspacesOfAUserAreLimited() {
    let core = CoreHarness(partitions: 1)
    var workspaces: [WorkspaceID] = [mainWorkspace]
    while workspaces.count < Limits.membershipsOfUser { workspaces.append(core.seedWorkspace("w\(workspaces.count)")) }
    core.seedUser("ana", workspaces: workspaces)
    core.seedWorkspace("more")
    core.seedProduct("crm", workspace: WorkspaceID(Limits.membershipsOfUser + 1))
    for line in ["WORKSPACE.CREATE own OWNER ana", "WORKSPACE.MEMBER more ana", "PRODUCT.ENABLE ana more/crm"] {
      #expect(core.run(line).text?.hasPrefix("LIMIT workspaces: ") == true)
    }
  }

  @Test func aFreeNameAndItsSeatNeedOnlyTheNamesPartition() {
    core.run("USER.CREATE ana FIRST Ana LAST Nova EMAIL ana@acme.test ROLE individual ROLE manager")
    #expect(core.decisions == 1)
    core.run("PRODUCT.CREATE payroll")
    core.run("USER.CREATE bob PRODUCT payroll")
    #expect(core.decisions == 1)
  }

  @Test func namesAreUniqueInAnyCase() {
    let ana = core.run("USER.CREATE Žofie@acme.test")["id"].integer ?? 0
    #expect(
      core.run("USER.CREATE žOFIE@acme.test").text
        == "CONFLICT username: žOFIE@acme.test belongs to user #\(ana); choose another")
    // The same letters, composed and decomposed.
    #expect(core.run("USER.CREATE z\u{30c}ofie@acme.test").isError)
    #expect(core.run("USER.COUNT").integer == 1)
  }

  @Test(arguments: [
    "USER.CREATE #5", "USER.CREATE #five", "USER.CREATE ana SECRET word", "USER.CREATE ana STATUS deleted",
    "USER.CREATE ana STATUS asleep", "USER.CREATE ana EMAIL nobody", "USER.CREATE ana HIRED yesterday",
    "USER.CREATE ana HIRED 2026-02-01 RELEASED 2026-01-01", "USER.CREATE ana CONTACT five",
    "USER.CREATE ana ROLE manager ROLE manager", "USER.CREATE ana NOINVITE MESSAGE hello",
    "USER.CREATE ana TIMEZONE \"Central Europe\"", "USER.CREATE ana IFVERSION 1", "USER.CREATE \"ana nova\"",
    "USER.CREATE ana FIRST", "USER.CREATE",
  ])
  func whatIsMalformedIsASyntaxError(line: String) {
    let answer = core.run(line)
    #expect(answer.text?.hasPrefix("ERR ") == true, "\(answer)")
    #expect(core.lsn == 0)
  }

  @Test func unknownNamesAreNotFound() {
    core.run("PRODUCT.CREATE payroll")
    for line in ["PRODUCT wages", "WORKSPACE acme", "ROLE boss", "LICENCE payroll office", "CONTACT #512"] {
      let answer = core.run("USER.CREATE ana \(line)")
      #expect(answer.text?.hasPrefix("NOTFOUND ") == true, "\(answer)")
    }
  }

  @Test func existingContactsAreUsed() {
    let first = core.run("USER.CREATE ana@acme.test FIRST Ana LAST Nova")
    let contact = first["contact"].integer ?? 0
    #expect(
      core.run("USER.CREATE ana2 CONTACT #\(contact)").text
        == "CONFLICT contact: #\(contact) has the live user ana@acme.test; delete that one first")
    #expect(core.run("USER.DELETE ana@acme.test REASON left").text == "OK")
    // In the contact's partition, wherever the new name belongs.
    for name in ["n1", "n2", "n3", "n4", "n5"] {
      let again = core.run("USER.CREATE \(name) CONTACT #\(contact) LAST Novak")
      #expect(again["contact"].integer == contact)
      let id = UserID(raw: UInt64(again["id"].integer ?? 0))
      #expect(core.partitioning.partition(of: id) == core.partitioning.partition(of: ContactID(raw: UInt64(contact))))
      #expect(core.run("USER.GET \(name)")["name"].text == "Ana Novak")
      #expect(core.run("USER.GET \(name)")["email"].text == "ana@acme.test")
      #expect(core.run("USER.DELETE \(name) REASON left").text == "OK")
    }
    core.expectReplicated()
  }

  @Test func typedNamesAreSplitAsTheWorkspaceSays() {
    core.run("USER.CREATE ana NAME \"Ana Maria Nova\"")
    #expect(core.run("USER.GET ana")["last"].text == "Nova")
    core.run("WORKSPACE.SET main policy.contact.name-format last-first")
    core.run("USER.CREATE bob NAME \"Novak, Bob\"")
    #expect(core.run("USER.GET bob")["first"].text == "Bob")
    #expect(core.run("USER.GET bob")["name"].text == "Novak, Bob")
    #expect(core.run("USER.GET ana")["name"].text == "Nova, Ana Maria")
  }

  @Test func allMissingFieldsAreNamedAtOnce() {
    core.run("WORKSPACE.SET main policy.user.required-fields email,initials,reference,role,division")
    #expect(
      core.run("USER.CREATE ana INITIALS A").text
        == "REFUSED user.required-fields: missing email, reference, role, division; "
        + "give EMAIL, REFERENCE, ROLE, DIVISION")
    let line = "INITIALS A REFERENCE r ROLE individual DIVISION north"
    #expect(core.run("USER.CREATE ana \(line)").isError)
    // The e-mail is the contact's: given, or taken from the username.
    #expect(!core.run("USER.CREATE ana@acme.test \(line)").isError)
    let contact = core.run("USER.GET ana@acme.test")["contact"].integer ?? 0
    core.run("USER.DELETE ana@acme.test REASON left")
    #expect(!core.run("USER.CREATE ana CONTACT #\(contact) \(line)").isError)
    #expect(
      core.run("USER.SET ana division \"\"").text
        == "REFUSED user.required-fields: main requires division; give it another value")
  }

  /// S4, W5: only the home decides about the reference.
  @Test func requiredReferencesAreUniqueInTheirHome() {
    core.run("WORKSPACE.CREATE acme")
    core.run("PRODUCT.CREATE acme/desk")
    core.run("WORKSPACE.SET acme policy.user.required-fields reference")
    let taken = "REFUSED user.required-fields: reference A1 belongs to another user of acme; "
    func isTaken(_ line: String) -> Bool { core.run(line).text?.hasPrefix(taken) == true }

    // In other workspaces references need not be unique.
    for name in ["one", "two"] { #expect(!core.run("USER.CREATE \(name) REFERENCE A1").isError) }
    #expect(!core.run("USER.CREATE ana WORKSPACE acme REFERENCE A1").isError)
    #expect(isTaken("USER.CREATE bob WORKSPACE acme REFERENCE A1"))
    #expect(isTaken("USER.CREATE bob PRODUCT acme/desk REFERENCE A1"))
    #expect(!core.run("USER.CREATE bob WORKSPACE acme REFERENCE A2").isError)

    #expect(isTaken("USER.SET bob reference A1"))
    #expect(core.run("USER.SET ana reference A1 division north").integer == 1)
    // Users who join from elsewhere keep their reference.
    #expect(core.run("WORKSPACE.MEMBER acme one").integer == 1)
    #expect(core.run("PRODUCT.ENABLE two acme/desk").text == "OK")
    #expect(core.run("USER.SET one reference A1").integer == 0)

    core.run("USER.DELETE ana WORKSPACE acme REASON left")
    #expect(core.run("USER.SET bob reference A1").integer == 1)
  }

  @Test func invitationsWaitUnlessSuppressed() {
    core.run("USER.CREATE ana@acme.test MESSAGE \"Welcome aboard\"")
    core.run("USER.CREATE bob@acme.test NOINVITE")
    core.run("USER.CREATE cid")
    core.run("USER.CREATE dan EMAIL dan@acme.test STATUS inactive")
    core.run("USER.CREATE eva EMAIL eva@acme.test")
    let mails = mails(core)
    #expect(Set(mails.map(\.recipient)) == ["ana@acme.test", "eva@acme.test"])
    #expect(mails.allSatisfy { $0.kind == .invitation })
    #expect(mails.first { $0.recipient == "ana@acme.test" }?.message == "Welcome aboard")
  }

  @Test func billingMustBeAcceptedIfThePolicyAsksForIt() {
    core.run("WORKSPACE.CREATE acme")
    core.run("WORKSPACE.SET acme policy.user.needs-billing-acceptance on")
    #expect(
      core.run("USER.CREATE ana WORKSPACE acme").text?.hasPrefix("REFUSED user.needs-billing-acceptance: ") == true)
    let ana = core.run("USER.CREATE ana WORKSPACE acme ACCEPT-BILLING")["id"].integer ?? 0
    #expect(
      core.records.last?.changes(of: Noted.self).contains(Noted(UserID(raw: UInt64(ana)), .billingAccepted(2))) == true)
    #expect("\(core.run("USER.GET ana")["workspaces"])" == "[acme]")
    #expect(!core.run("USER.CREATE bob").isError)
    // L23, S6: who is there already costs nothing, and an import finds that out.
    #expect(
      core.run("USER.CREATE ana WORKSPACE acme").text
        == "CONFLICT username: ana belongs to user #\(ana); choose another")
    #expect(core.run("USER.DELETE ana REASON left").text?.hasPrefix("REFUSED user.needs-billing-acceptance: ") == true)
    #expect(core.run("USER.DELETE ana REASON left ACCEPT-BILLING").text == "OK")
  }

  @Test func theWorkspaceIsTheNamedOneOrTheFirstProducts() {
    for name in ["acme", "beta"] { core.run("WORKSPACE.CREATE \(name)") }
    for name in ["payroll", "acme/crm", "beta/crm"] { core.run("PRODUCT.CREATE \(name)") }
    func workspaces(_ user: String) -> String { "\(core.run("USER.GET \(user)")["workspaces"])" }
    core.run("USER.CREATE u1 PRODUCT acme/crm PRODUCT payroll")
    #expect(workspaces("u1") == "[acme, main]")
    core.run("USER.CREATE u2 WORKSPACE beta PRODUCT crm")
    #expect(workspaces("u2") == "[beta]")
    #expect(core.run("LOGIN.CHECK u2 beta/crm").text == "ALLOW")
    #expect(core.run("LOGIN.CHECK u2 acme/crm").text == "DENY product-disabled")
    core.run("USER.CREATE u3 WORKSPACE beta PRODUCT payroll")
    #expect(workspaces("u3") == "[beta, main]")
  }

  @Test func aKeyCreatesTheUserOnce() {
    let first = core.run("USER.CREATE ana IDEM k1")
    let lsn = core.lsn
    #expect(core.run("USER.CREATE ana IDEM k1") == first)
    #expect(core.lsn == lsn)
    #expect(core.run("USER.CREATE bob IDEM k1").text?.hasPrefix("CONFLICT idem") == true)
  }
}
