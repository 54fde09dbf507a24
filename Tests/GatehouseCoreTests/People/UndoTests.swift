import Testing

@testable import GatehouseCore

/// B9, L13: what merges and their undoing must not do, each found by somebody who tried.
@Suite struct UndoTests {
  let core = CoreHarness(partitions: 8)

  private func contact(_ user: String) -> String { "#\(core.run("USER.GET \(user)")["contact"])" }

  @discardableResult
  private func made(_ line: String) -> LSN {
    let answer = core.run(line)
    #expect(!answer.isError, "\(line): \(answer)")
    return core.lsn
  }

  @Test("L13: nobody is merged twice, as an earlier login, or into themselves")
  func noRings() {
    made("USER.CREATE d0 NOINVITE")
    let contact = contact("d0")
    made("USER.DELETE d0 REASON r")
    made("USER.RESTORE \(contact) d1 NOINVITE")
    made("USER.CREATE e NOINVITE")
    made("USER.CREATE c NOINVITE")
    #expect(
      core.run("USER.MERGE c d0").text
        == "CONFLICT user: d0 is an earlier login of contact \(contact); merge d1 instead")
    made("USER.MERGE e d1")
    #expect(core.run("USER.MERGE c d0").text?.hasPrefix("CONFLICT user: the contact of d0 was merged into ") == true)
    #expect(core.run("USER.RESTORE \(contact) d2").text?.hasPrefix("CONFLICT contact: ") == true)
    core.expectReplicated()
  }

  @Test("B9: a delete is not undone once the contact has another login, or was merged")
  func olderDeletes() {
    made("USER.CREATE a0 NOINVITE")
    let contact = contact("a0")
    let deleted = made("USER.DELETE a0 REASON x")
    made("USER.RESTORE \(contact) a1 NOINVITE")
    #expect(
      core.run("UNDO \(deleted)").text?.hasPrefix("REFUSED undo: contact \(contact) got another login since, a1; ")
        == true)
    made("USER.DELETE a1 REASON x")
    #expect(core.run("UNDO \(deleted)").text?.hasPrefix("REFUSED undo: contact \(contact) got another login") == true)
    made("USER.PURGE a1")
    made("UNDO \(deleted)")
    #expect(core.run("CONTACT.GET \(contact)")["username"].text == "a0")
    core.expectReplicated()
  }

  @Test("B9: an undo takes back one that was undone, and is no obstacle itself")
  func severalLevels() {
    for name in ["f", "g", "h"] { made("USER.CREATE \(name) NOINVITE") }
    let first = made("USER.MERGE g f")
    let second = made("USER.MERGE h g")
    #expect(core.run("UNDO \(first)").text?.hasPrefix("REFUSED undo: contact ") == true)
    made("UNDO \(second)")
    made("UNDO \(first)")
    for name in ["f", "g", "h"] { #expect(core.run("USER.GET \(name)")["username"].text == name) }
    core.expectReplicated()
  }

  @Test("B9: timers stop where the membership goes again")
  func timersOfAMembership() {
    made("WORKSPACE.CREATE beta")
    for name in ["k", "d"] { made("USER.CREATE \(name) NOINVITE") }
    made("WORKSPACE.MEMBER beta d")
    let merged = made("USER.MERGE k d")
    made("TIMER.START k WORKSPACE beta")
    made("UNDO \(merged)")
    #expect("\(core.run("TIMER.RUNNING WORKSPACE beta")[1])" == "[]")
    core.expectReplicated()
  }

  @Test("B9, S4: what must be unique or present stays so")
  func requirements() {
    made("WORKSPACE.SET main policy.user.required-fields reference")
    made("USER.CREATE x1 REFERENCE R9 NOINVITE")
    let deleted = made("USER.DELETE x1 REASON x")
    made("USER.CREATE x2 REFERENCE R9 NOINVITE")
    #expect(
      core.run("UNDO \(deleted)").text?
        .hasPrefix("REFUSED user.required-fields: reference R9 belongs to another user of main; ") == true)
    made("WORKSPACE.SET main policy.user.required-fields \"\"")
    let edited = made("USER.BULK SET division d2 IDS 1 x2")
    made("WORKSPACE.SET main policy.user.required-fields division")
    #expect(core.run("UNDO \(edited)").text?.hasPrefix("REFUSED undo: main requires division by now; ") == true)
  }

  @Test("B9: an undo is refused where the value was changed since, not where another was")
  func values() {
    made("USER.CREATE j NOINVITE")
    let edited = made("USER.BULK SET department x IDS 1 j")
    made("USER.SET j phone 1")
    made("USER.SET j department y")
    #expect(core.run("UNDO \(edited)").text?.hasPrefix("REFUSED undo: department of j was changed since; ") == true)
    made("USER.SET j department x")
    made("UNDO \(edited)")
    #expect(core.run("USER.GET j")["phone"].text == "1")
    #expect(core.run("UNDO \(edited)").text?.hasPrefix("REFUSED undo: department of j was changed since; ") == true)
  }

  @Test("B9, W4: an undo is refused while impersonating")
  func impersonating() {
    made("PRODUCT.CREATE crm")
    made("USER.CREATE boss ROLE super-administrator PRODUCT crm NOINVITE")
    made("USER.CREATE tr ROLE training-administrator PRODUCT crm NOINVITE")
    made("USER.CREATE z NOINVITE")
    let edited = made("USER.BULK SET email new@x.test IDS 1 z")
    let actor = core.logIn("boss", "crm")
    let token = core.run("IMPERSONATE.START \(actor) tr REASON help")["session"].text ?? ""
    #expect(core.run("UNDO \(edited)", as: token).text?.hasPrefix("REFUSED impersonation: ") == true)
  }

  @Test("L6: nobody gives new data to who was anonymised")
  func anonymised() {
    made("USER.CREATE g FIRST G NOINVITE")
    made("USER.CREATE h LAST H NOINVITE")
    let contact = contact("g")
    made("USER.ANONYMISE g")
    let expected =
      "REFUSED anonymised: contact \(contact) was anonymised and stays so; make a new contact with"
      + " CONTACT.CREATE or USER.CREATE"
    for line in ["USER.SET \(contact) first X", "CONTACT.SET \(contact) first X", "USER.MERGE \(contact) h"] {
      #expect(core.run(line).text == expected, "\(line)")
    }
    made("USER.DELETE \(contact) REASON x")
    #expect(core.run("USER.RESTORE \(contact)").text == expected)
  }

  @Test("L13, S12: dropped names lead to the login that the person has now")
  func namesAfterARestore() {
    for name in ["a", "b"] { made("USER.CREATE \(name) NOINVITE") }
    made("USER.MERGE b a")
    let contact = contact("b")
    made("USER.DELETE b REASON r")
    made("USER.RESTORE \(contact) bnew NOINVITE")
    #expect(core.run("USER.GET a")["username"].text == "bnew")
    core.expectReplicated()
  }

  @Test("L12: who took somebody in is not purged")
  func purging() {
    for name in ["m", "n"] { made("USER.CREATE \(name) NOINVITE") }
    let contact = contact("m")
    made("USER.MERGE n m")
    made("USER.DELETE n REASON x")
    #expect(
      core.run("USER.PURGE n").text?
        .contains("n is referred to by contact \(contact), which was merged into this one") == true)
  }

  // MARK: Two workspaces

  /// `s` is at home in acme and a member of beta; the administrators are of one each.
  private func twoWorkspaces() -> (acme: String, beta: String) {
    for name in ["acme", "beta"] {
      made("WORKSPACE.CREATE \(name)")
      made("PRODUCT.CREATE \(name)/app")
      made("USER.CREATE \(name)boss WORKSPACE \(name) PRODUCT \(name)/app NOINVITE")
      made("ROLE.GRANT \(name)boss super-administrator WORKSPACE \(name)")
    }
    made("USER.CREATE s WORKSPACE acme NOINVITE")
    made("WORKSPACE.MEMBER beta s UNTIL \(core.now + 86_400_000)")
    made("PRODUCT.ENABLE s beta/app ADMIN")
    return (core.logIn("acmeboss", "acme/app"), core.logIn("betaboss", "beta/app"))
  }

  @Test("W3: a merge gives away nothing of another workspace, and makes nobody administrator of a product")
  func mergingShared() {
    let (acme, beta) = twoWorkspaces()
    made("FIELD.DEFINE secret text WORKSPACE beta")
    #expect(core.run("USER.SET s secret hush", as: beta).integer == 1)
    made("USER.CREATE own WORKSPACE acme NOINVITE")
    let answer = core.run("USER.MERGE own s", as: acme)
    #expect("\(answer["workspaces"]) \(answer["products"]) \(answer["fields"])" == "[] [] []")
    #expect("\(core.run("USER.GET own")["workspaces"])" == "[acme]")
    #expect(core.run("LOGIN.CHECK own beta/app").text == "DENY product-disabled")
    core.expectReplicated()
  }

  @Test("B7: with it the operator carries over a membership for as long as it lasts")
  func mergingLimits() {
    _ = twoWorkspaces()
    made("USER.CREATE own WORKSPACE acme NOINVITE")
    let answer = core.run("USER.MERGE own s")
    #expect("\(answer["workspaces"]) \(answer["products"])" == "[beta] [beta/app]")
    #expect(core.run("LOGIN.CHECK own beta/app").text == "ALLOW")
    #expect("\(core.run("USER.GET own")["products"])".contains("product: beta/app, enabled: 1, admin: 0"))
    core.now += 90_000_000
    #expect(core.run("LOGIN.CHECK own beta/app").text == "DENY product-disabled")
  }

  @Test("W4: of records that the trail does not show an undo says nothing")
  func oracles() {
    let (acme, beta) = twoWorkspaces()
    made("FIELD.DEFINE secret text WORKSPACE beta")
    for line in ["PRODUCT.DISABLE s beta/app", "USER.SET s secret hush", "USER.BULK SET secret other IDS 1 s"] {
      #expect(!core.run(line, as: beta).isError, "\(line)")
      #expect(core.run("UNDO \(core.lsn)", as: acme).text == "NOTFOUND record \(core.lsn); AUDIT.LIST names them")
      #expect(core.run("AUDIT.LIST USER s", as: acme)[1].items.allSatisfy { $0["lsn"].integer != Int64(core.lsn) })
    }
    // What beta did meanwhile is no obstacle, and is not told.
    #expect(core.run("USER.BULK SET department d IDS 1 s", as: acme)["changed"].integer == 1)
    let edited = core.lsn
    #expect(core.run("USER.SET s secret third", as: beta).integer == 1)
    #expect(core.run("UNDO \(edited)", as: acme)["command"].text == "USER.BULK")
  }

  @Test("B9, W4: the home takes a delete back, and what was elsewhere comes back for its people to see to")
  func deletingShared() {
    let (acme, _) = twoWorkspaces()
    made("ROLE.GRANT s manager WORKSPACE beta")
    made("POOL.SET beta/app * 2")
    #expect(core.run("USER.DELETE s REASON bye", as: acme).text == "OK")
    let deleted = core.lsn
    made("USER.CREATE other PRODUCT beta/app NOINVITE")
    #expect(core.run("UNDO \(deleted)", as: acme)["command"].text == "USER.DELETE")
    #expect(core.run("LOGIN.CHECK s beta/app").text == "DENY product-disabled")
    #expect("\(core.run("ROLE.LIST s"))".contains("manager"))
    core.expectReplicated()
  }

  @Test("W4: what refers to somebody in another workspace is not counted")
  func foreignReferences() {
    let (acme, beta) = twoWorkspaces()
    let contact = contact("s")
    #expect(!core.run("LINK.ADD s task hidden WORKSPACE beta", as: beta).isError)
    #expect(core.run("USER.DELETE s REASON x", as: acme).text == "OK")
    #expect(core.run("LINK.LIST \(contact)", as: beta)[1].items.count == 1)
    #expect(core.run("USER.PURGE s", as: acme).text == "OK")
    #expect(
      core.run("CONTACT.DELETE \(contact)", as: acme).text
        == "REFUSED references: contact \(contact) is referred to by records of another workspace; remove what can be"
        + " removed first, or clear the personal data with USER.ANONYMISE")
  }
}
