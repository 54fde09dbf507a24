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

  /// What can be built on the membership that a merge gives.
  static let built: [(line: String, what: String, undone: String)] = [
    ("TIMER.START k WORKSPACE beta", "has a timer running there", ""),
    ("PRODUCT.ENABLE k beta/two", "has access to beta/two", "PRODUCT.DISABLE k beta/two"),
    (
      "ROLE.GRANT k manager WORKSPACE beta", "has the role manager there",
      "ROLE.REVOKE k manager WORKSPACE beta"
    ),
    ("WORKSPACE.TRANSFER beta k", "owns it", "WORKSPACE.TRANSFER beta o"),
    (
      "ENTRY.ADD k START 1 END 2 WORKSPACE beta", "has time recorded there since", ""
    ),
    ("LINK.ADD k task T-1 WORKSPACE beta", "has linked records there since", ""),
    ("EMPLOY.ADD k Widgets WORKSPACE beta", "is employed at beta/Widgets", ""),
    (
      "MANAGE.ADD k ACCOUNT Widgets WORKSPACE beta", "manages somebody there",
      "MANAGE.REMOVE k ACCOUNT Widgets WORKSPACE beta"
    ),
    ("USER.MOVEHOME k beta", "is at home there", ""),
  ]

  @Test("B9: what was built on a merge keeps it from being taken back, and is named", arguments: built.indices)
  func builtOnAMembership(index: Int) {
    let (line, what, undone) = Self.built[index]
    made("WORKSPACE.CREATE beta")
    for product in ["one", "two"] { made("PRODUCT.CREATE beta/\(product)") }
    made("ACCOUNT.CREATE Widgets customer WORKSPACE beta")
    for name in ["k", "d", "o"] { made("USER.CREATE \(name) NOINVITE") }
    for name in ["d", "o"] { made("PRODUCT.ENABLE \(name) beta/one") }
    let merged = made("USER.MERGE k d")
    made(line)
    #expect(
      core.run("UNDO \(merged)").text
        == "REFUSED undo: k, who would not be a member of beta any more, \(what); change back by hand what is still to be;"
        + " AUDIT.LIST shows what was")
    if undone.isEmpty { return }
    made(undone)
    made("UNDO \(merged)")
    #expect("\(core.run("USER.GET k")["workspaces"])" == "[main]")
    #expect("\(core.run("USER.GET d")["products"])".contains("product: beta/one, enabled: 1"))
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
    core.expectReplicated()
  }

  /// What can be done to a merged person that a part of the two could not be told from, or would escape.
  static let doneToBoth: [(line: String, what: String, undone: String)] = [
    ("TIMER.START d", "k, who was one with d, has time recorded since", ""),
    ("ENTRY.ADD d START 1 END 2", "k, who was one with d, has time recorded since", ""),
    ("LINK.ADD d booking b1", "k, who was one with d, has linked records since", "LINK.REMOVE LINK"),
    ("USER.STATUS d locked", "k is locked since, and d would be active", "USER.STATUS k active"),
    ("USER.DELETE k REASON x", "k was deleted since", ""),
  ]

  @Test(
    "B9: two people are not parted whose time or records are not told apart, or of whom one would come back",
    arguments: doneToBoth.indices)
  func parted(index: Int) {
    let (line, what, undone) = Self.doneToBoth[index]
    made("WORKSPACE.SET main policy.delete.keep-tracked off")
    for name in ["k", "d"] { made("USER.CREATE \(name) NOINVITE") }
    made("ENTRY.ADD d START 1 END 2")
    made("LINK.ADD d task before")
    let merged = made("USER.MERGE k d")
    let done = core.run(line)
    #expect(!done.isError, "\(done)")
    let reply = core.run("UNDO \(merged)").text ?? ""
    #expect(reply.hasPrefix("REFUSED undo: \(what); "), "\(reply)")
    if undone.isEmpty { return }
    made(undone.replacing(" LINK", with: " \(done["link"])"))
    made("UNDO \(merged)")
    #expect(core.run("USER.GET d")["status"].text == "active")
    core.expectReplicated()
  }

  @Test(
    "B9: a merge is taken back at once, whatever the statuses were", arguments: ["new", "import", "inactive", "locked"])
  func partedAtOnce(status: String) {
    made("USER.CREATE k STATUS \(status) NOINVITE")
    made("USER.CREATE d NOINVITE")
    let merged = made("USER.MERGE k d")
    made("UNDO \(merged)")
    #expect(core.run("USER.GET d")["status"].text == "active")
    // Who is locked as both stays so as the other.
    made("USER.STATUS d temporary")
    made("USER.STATUS k active")
    let again = made("USER.MERGE k d")
    made("USER.STATUS d locked")
    #expect(
      core.run("UNDO \(again)").text?.hasPrefix("REFUSED undo: k is locked since, and d would be temporary; ") == true)
  }

  @Test("B9: a record is taken back once, whatever happened since")
  func once() throws {
    made("USER.CREATE e1 NOINVITE")
    let deleted = made("USER.DELETE e1 REASON first")
    let undone = made("UNDO \(deleted)")
    made("USER.DELETE e1 REASON second")
    let again =
      "REFUSED undo: record \(deleted) was taken back already, by record \(undone); what was done since has a record of"
      + " its own; AUDIT.LIST names it"
    #expect(core.run("UNDO \(deleted)").text == again)
    try core.restart()
    #expect(core.run("UNDO \(deleted)").text == again)
    made("UNDO \(core.lsn)")
    made("USER.CREATE f1 DEPARTMENT a NOINVITE")
    let edited = made("USER.BULK SET department b IDS 1 f1")
    let restored = made("UNDO \(edited)")
    made("USER.SET f1 department b")
    #expect(
      core.run("UNDO \(edited)").text?.hasPrefix(
        "REFUSED undo: record \(edited) was taken back already, by record \(restored)") == true)
    core.expectReplicated()
  }

  @Test("L18: an undo does not take the login of the last super administrator")
  func lastSuperAdministrator() {
    made("USER.CREATE su1 ROLE super-administrator NOINVITE")
    made("USER.CREATE su2 STATUS locked NOINVITE")
    let edited = made("USER.BULK SET status active IDS 1 su2")
    made("ROLE.GRANT su2 super-administrator")
    made("USER.DELETE su1 REASON x")
    #expect(core.run("UNDO \(edited)").text?.hasPrefix("REFUSED last-super-administrator: ") == true)
    #expect(core.run("USER.GET su2")["status"].text == "active")
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test("B9: an undo gives back a status as USER.STATUS would set it: an owner is locked, and not made inactive")
  func owners() {
    made("WORKSPACE.CREATE acme")
    for (name, status) in [("o1", "inactive"), ("o2", "locked")] {
      made("USER.CREATE \(name) WORKSPACE acme STATUS \(status) NOINVITE")
      let edited = made("USER.BULK SET status active IDS 1 \(name)")
      made("WORKSPACE.TRANSFER acme \(name)")
      let answer = core.run("UNDO \(edited)")
      if status == "locked" {
        #expect(!answer.isError)
      } else {
        #expect(
          answer.text
            == "REFUSED owner: o1 owns the workspace acme; hand it on first with WORKSPACE.TRANSFER acme user (user o1;"
            + " nothing was taken back)")
      }
    }
  }

  @Test("B9: a role that was dropped does not come back")
  func droppedRole() {
    made("WORKSPACE.CREATE acme")
    made("USER.CREATE s4 WORKSPACE acme NOINVITE")
    made("ROLE.DEFINE helpd WORKSPACE acme user.read")
    made("ROLE.GRANT s4 helpd WORKSPACE acme")
    let deleted = made("USER.DELETE s4 REASON x")
    made("ROLE.DROP helpd WORKSPACE acme")
    #expect(
      core.run("UNDO \(deleted)").text == "NOTFOUND role helpd: it was dropped (user s4; nothing was taken back)")
    made("ROLE.DEFINE helpd WORKSPACE acme user.read")
    made("UNDO \(deleted)")
    #expect("\(core.run("ROLE.LIST s4"))".contains("helpd"))
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test("B9: days that do not fit any more, and choices that are gone, do not come back")
  func staleValues() {
    made("USER.CREATE f1 HIRED 2020-01-01 NOINVITE")
    let hired = made(#"USER.BULK SET hired "" IDS 1 f1"#)
    made("USER.SET f1 released 2019-01-01")
    #expect(
      core.run("UNDO \(hired)").text
        == "ERR released 2019-01-01 is before hired 2020-01-01 (user f1; nothing was taken back)")
    made("FIELD.DEFINE sz choice CHOICES 2 S M")
    made("USER.SET f1 sz S")
    let sized = made("USER.BULK SET sz M IDS 1 f1")
    made("FIELD.DEFINE sz choice CHOICES 1 M")
    #expect(core.run("UNDO \(sized)").text?.hasPrefix("REFUSED undo: sz cannot be S any more") == true)
    #expect("\(core.run("USER.GET f1")["fields"])" == "{sz: M}")
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test("L13: a merge does not have somebody released before being hired")
  func mergedDays() {
    made("USER.CREATE k RELEASED 2019-01-01 NOINVITE")
    made("USER.CREATE d HIRED 2020-01-01 RELEASED 2021-01-01 NOINVITE")
    made("USER.MERGE k d")
    #expect(core.run("USER.GET k")["hired"].text ?? "" == "")
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test("S5, S6, S10: whatever adds or removes users needs the authority, and the acceptance")
  func authority() {
    core.run("WORKSPACE.CREATE firm")
    core.run("WORKSPACE.CREATE oth")
    core.run("PRODUCT.CREATE firm/m")
    core.run("USER.CREATE boss WORKSPACE firm PRODUCT firm/m NOINVITE")
    core.run("ROLE.GRANT boss super-administrator WORKSPACE firm")
    core.run("WORKSPACE.MEMBER oth boss")
    core.run("ROLE.GRANT boss super-administrator WORKSPACE oth")
    for name in ["gone", "keep", "drop", "inner", "clear"] { core.run("USER.CREATE \(name) WORKSPACE firm NOINVITE") }
    core.run("USER.CREATE outer WORKSPACE oth NOINVITE")
    core.run("USER.CREATE guest WORKSPACE oth NOINVITE")
    core.run("WORKSPACE.MEMBER firm guest")
    let contact = core.run("USER.GET gone")["contact"]
    let deleted = made("USER.DELETE gone REASON x")
    let token = core.logIn("boss", "firm/m")
    let lines = [
      "USER.CREATE new WORKSPACE firm NOINVITE", "USER.CREATE other PRODUCT firm/m WORKSPACE oth NOINVITE",
      "USER.DELETE inner REASON x", "USER.RESTORE #\(contact) gone NOINVITE", "UNDO \(deleted)", "USER.MERGE keep drop",
      "USER.ANONYMISE clear", "WORKSPACE.MEMBER firm outer", "WORKSPACE.MEMBER firm guest REMOVE",
    ]
    made("WORKSPACE.SET firm policy.user.needs-authority on policy.user.needs-billing-acceptance on")
    let joining = ["PRODUCT.ENABLE outer firm/m", "ROLE.GRANT outer manager WORKSPACE firm"]
    for line in lines + joining + ["USER.PURGE gone"] {
      let reply = core.run(
        line + (joining.contains(line) || line.contains("PURGE") ? "" : " ACCEPT-BILLING"), as: token)
      #expect(reply.text?.hasPrefix("REFUSED user.needs-authority: ") == true, "\(line): \(reply)")
    }
    made("USER.SET boss authority 1")
    for line in lines + joining {
      let reply = core.run(line, as: token)
      #expect(reply.text?.hasPrefix("REFUSED user.needs-billing-acceptance: ") == true, "\(line): \(reply)")
    }
    #expect(
      core.run(joining[0], as: token).text?.hasSuffix(
        "add the user first with WORKSPACE.MEMBER firm user ACCEPT-BILLING")
        == true)
    let reply = core.run("WORKSPACE.MEMBER firm outer ACCEPT-BILLING", as: token)
    #expect(!reply.isError, "\(reply)")
    let firm = core.run("WORKSPACE.GET firm")["id"].integer ?? 0
    #expect(
      core.records.last?.first.changes.contains {
        $0.as(Noted.self)?.note == .billingAccepted(WorkspaceID(firm))
      } == true)
    #expect(!core.run(joining[0], as: token).isError, "a member is let in without another acceptance")
  }

  @Test("S5, S6: taking back a delete adds a user, and needs what adding needs")
  func billing() {
    made("USER.CREATE b NOINVITE")
    let deleted = made("USER.DELETE b REASON x")
    made("WORKSPACE.SET main policy.user.needs-billing-acceptance on")
    #expect(core.run("UNDO \(deleted)").text?.hasPrefix("REFUSED user.needs-billing-acceptance: ") == true)
    made("UNDO \(deleted) ACCEPT-BILLING")
    #expect(
      core.records.last?.first.changes.contains {
        $0.as(Noted.self)?.note == .billingAccepted(mainWorkspace)
      } == true)
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
    #expect(
      core.run("UNDO \(edited)").text
        == "REFUSED user.required-fields: main requires division; give it another value (user x2; nothing was taken back)"
    )
  }

  @Test("B9, S4: a login comes back as USER.RESTORE would have it: with what its home requires by now")
  func requiredByNow() {
    made("USER.CREATE v ROLE individual NOINVITE")
    let contact = contact("v")
    let deleted = made("USER.DELETE v REASON x")
    made("WORKSPACE.SET main policy.user.required-fields division")
    #expect(
      core.run("UNDO \(deleted)").text
        == "REFUSED user.required-fields: missing division; make another login with USER.CREATE username CONTACT"
        + " \(contact) and give them (user v; nothing was taken back)")
    made("WORKSPACE.SET main policy.user.required-fields email,role")
    #expect(core.run("UNDO \(deleted)").text?.hasPrefix("REFUSED user.required-fields: missing email; ") == true)
    made("CONTACT.SET \(contact) email v@x.test")
    made("FIELD.DEFINE shoe text MANDATORY")
    #expect(core.run("UNDO \(deleted)").text?.hasPrefix("REFUSED user.required-fields: missing shoe; ") == true)
    made("CONTACT.SET \(contact) shoe 40")
    made("UNDO \(deleted)")
    core.expectReplicated()
  }

  private func managed(_ user: String) -> String {
    core.run("MANAGE.LIST \(user)").items.map { "\($0["kind"]) \($0["name"])" }.joined(separator: ", ")
  }

  @Test(
    "B9, L9: whom a person looked after comes back with the login",
    arguments: ["USER.DELETE y REASON x", "USER.MERGE m y"])
  func management(line: String) {
    made("USER.CREATE m NOINVITE")
    made("USER.CREATE x NOINVITE")
    made("USER.CREATE y ROLE manager NOINVITE")
    made("ACCOUNT.CREATE Widgets CUSTOMER")
    made("GROUP.CREATE North")
    for what in ["USER x", "ACCOUNT Widgets", "GROUP North"] { made("MANAGE.ADD y \(what)") }
    let done = made(line)
    made("UNDO \(done)")
    #expect(managed("y") == "user x, account Widgets, group North")
    #expect(managed("m") == "")
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
    core.expectReplicated()
  }

  @Test("B9, L9: whom nobody can look after any more is named")
  func nobodyToManage() {
    made("USER.CREATE y NOINVITE")
    made("ACCOUNT.CREATE Widgets CUSTOMER")
    made("MANAGE.ADD y ACCOUNT Widgets")
    let deleted = made("USER.DELETE y REASON x")
    made("ACCOUNT.DELETE Widgets")
    #expect(
      core.run("UNDO \(deleted)").text?.hasPrefix("REFUSED undo: y looked after account Widgets, which is not there")
        == true)
    made("ACCOUNT.CREATE Gadgets CUSTOMER")
    made("USER.CREATE z NOINVITE")
    made("USER.CREATE w NOINVITE")
    made("MANAGE.ADD z USER w")
    let second = made("USER.DELETE z REASON x")
    made("USER.DELETE w REASON x")
    made("USER.PURGE w")
    #expect(core.run("UNDO \(second)").text?.hasPrefix("REFUSED undo: z looked after ") == true)
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
    #expect(core.run("UNDO \(edited)").text?.hasPrefix("REFUSED undo: record \(edited) was taken back already") == true)
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
}
