import Testing

@testable import GatehouseCore

/// W3, W4: what merges and their undoing leave alone where somebody belongs to two workspaces.
@Suite struct UndoAcrossWorkspacesTests {
  let core = CoreHarness(partitions: 8)

  private func contact(_ user: String) -> String { "#\(core.run("USER.GET \(user)")["contact"])" }

  private func managed(_ user: String) -> String {
    core.run("MANAGE.LIST \(user)").items.map { "\($0["kind"]) \($0["name"])" }.joined(separator: ", ")
  }

  @discardableResult
  private func made(_ line: String) -> LSN {
    let answer = core.run(line)
    #expect(!answer.isError, "\(line): \(answer)")
    return core.lsn
  }

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
        == "REFUSED references: contact \(contact) is referred to by records that you may not see; remove what can be"
        + " removed first, or clear the personal data with CONTACT.ANONYMISE \(contact)")
  }

  @Test("B9, L23: a bulk edit is taken back whole or not at all, also where a login was purged since")
  func purgedSince() {
    for name in ["a", "b"] { made("USER.CREATE \(name) NOINVITE") }
    let contact = contact("b")
    made("FIELD.DEFINE colour text")
    let records = [
      made("USER.BULK SET department Sales IDS 2 a b"), made("USER.BULK SET colour red IDS 2 a b"),
    ]
    made("USER.DELETE b REASON x")
    made("USER.PURGE b")
    for record in records {
      #expect(
        core.run("UNDO \(record)").text
          == "REFUSED undo: contact \(contact) has no login any more; change back by hand what is still to be;"
          + " AUDIT.LIST shows what was")
    }
    #expect(core.run("USER.GET a")["department"].text == "Sales")
    made("USER.CREATE c CONTACT \(contact) NOINVITE")
    #expect("\(core.run("UNDO \(records[0])")["users"])" == "[a, c]")
    core.expectReplicated()
  }

  @Test(
    "B9, L18: a super administrator who could not log in comes back as they were", arguments: ["locked", "inactive"])
  func lockedAdministrators(_ status: String) {
    for name in ["root", "sue"] { made("USER.CREATE \(name) ROLE super-administrator NOINVITE") }
    made("USER.CREATE kept NOINVITE")
    made("USER.STATUS sue \(status)")
    for line in ["USER.DELETE sue REASON x", "USER.MERGE kept sue"] {
      let record = made(line)
      #expect("\(core.run("UNDO \(record)")["users"])".contains("sue"), "\(line)")
      #expect(core.run("USER.GET sue")["status"].text == status)
      #expect("\(core.run("ROLE.LIST sue"))".contains("super-administrator"))
      // One who may not log in does not count.
      #expect(core.run("USER.DELETE root REASON x").text?.hasPrefix("REFUSED last-super-administrator: ") == true)
      core.expectReplicated()
    }
    made("USER.STATUS sue active")
    made("USER.DELETE root REASON x")
  }

  @Test("B9, W4: an undo takes back no membership where the caller manages none")
  func foreignMembership() {
    let (acme, _) = twoWorkspaces()
    made("USER.CREATE own WORKSPACE acme NOINVITE")
    let merged = made("USER.MERGE own s")
    #expect(core.run("UNDO \(merged)", as: acme).text?.hasPrefix("NOPERM the permission member.manage") == true)
  }

  @Test("B9, W4, L9: links of another workspace come back as they were, and an administrator gives back only his own")
  func managementElsewhere() {
    let (acme, _) = twoWorkspaces()
    made("ACCOUNT.CREATE Widgets CUSTOMER WORKSPACE acme")
    made("ACCOUNT.CREATE Gadgets CUSTOMER WORKSPACE beta")
    made("USER.CREATE y WORKSPACE acme NOINVITE")
    made("WORKSPACE.MEMBER beta y")
    made("MANAGE.ADD y ACCOUNT Widgets WORKSPACE acme")
    made("MANAGE.ADD y ACCOUNT Gadgets WORKSPACE beta")
    #expect(core.run("USER.DELETE y REASON x", as: acme).text == "OK")
    #expect(!core.run("UNDO \(core.lsn)", as: acme).isError)
    #expect(Set(managed("y").split(separator: ", ")) == ["account acme/Widgets", "account beta/Gadgets"])
    core.expectReplicated()
  }
}
