import Testing

@testable import GatehouseCore

/// Purging, restoring, anonymising, and copying access.
@Suite struct LifeOfUserTests {
  let core = CoreHarness(partitions: 8)

  init() { core.run("PRODUCT.CREATE crm") }

  // MARK: Purging

  @Test("L12: a purge comes after the delete, and not while anything refers to the login") func purging() {
    let user = core.run("USER.CREATE eva FIRST Eva NOINVITE")
    #expect(
      core.run("USER.PURGE eva").text
        == "REFUSED purge: eva is not deleted; delete the user first with USER.DELETE eva REASON text")
    let entry = core.run("ENTRY.ADD eva START 1 END 2")["entry"]
    core.run("WORKSPACE.SET main policy.delete.keep-tracked off")
    core.run("USER.DELETE eva REASON x")
    #expect(
      core.run("USER.PURGE eva").text
        == "REFUSED references: eva is referred to by 1 time entry (ENTRY.DELETE); remove what can be removed first,"
        + " or clear the personal data with USER.ANONYMISE #\(user["id"])")
    core.run("ENTRY.DELETE \(entry)")
    #expect(core.run("USER.PURGE eva").text == "OK")
    #expect(core.run("USER.GET #\(user["id"])").text == "NOTFOUND user #\(user["id"])")
    #expect(core.run("USER.GET eva").text == "NOTFOUND user eva")
    // The contact stays (S8), without a login.
    #expect("\(core.run("CONTACT.GET #\(user["contact"])")["logins"])" == "[]")
    core.run("USER.CREATE eva NOINVITE")
    #expect(core.run("USER.GET eva")["id"] != user["id"])
    core.expectReplicated()
  }

  @Test("L12: of several logins any can be purged") func purgingOneOfSeveral() {
    let contact = core.run("USER.CREATE one FIRST Eva NOINVITE")["contact"]
    for (old, new) in [("one", "two"), ("two", "three")] {
      core.run("USER.DELETE \(old) REASON x")
      core.run("USER.CREATE \(new) CONTACT #\(contact) NOINVITE")
    }
    core.run("USER.DELETE three REASON x")
    func logins() -> [String] {
      core.run("CONTACT.GET #\(contact)")["logins"].items.compactMap { $0["username"].text }
    }
    #expect(core.run("USER.PURGE two").text == "OK")
    #expect(logins() == ["three", "one"])
    #expect(core.run("USER.PURGE three").text == "OK")
    #expect(logins() == ["one"])
    core.run("USER.PURGE one")
    #expect(logins() == [])
    #expect(core.run("CONTACT.DELETE #\(contact)").text == "OK")
    core.expectReplicated()
  }

  // MARK: Restoring

  @Test("S12: a login comes back on its contact, without access, roles and sessions") func restoring() {
    let user = core.run("USER.CREATE eva FIRST Eva INITIALS EV PRODUCT crm ROLE manager NOINVITE")
    let token = core.run("SESSION.CREATE eva crm")["session"].text ?? ""
    core.run("USER.DELETE eva REASON x")
    let restored = core.run("USER.RESTORE #\(user["contact"]) NOINVITE")
    #expect(restored["username"].text == "eva")
    #expect(restored["contact"] == user["contact"])
    #expect(restored["id"] != user["id"])
    let shown = core.run("USER.GET eva")
    #expect(shown["initials"].text == "EV")
    #expect("\(shown["roles"])" == "[]")
    #expect(core.run("LOGIN.CHECK eva crm").text == "DENY product-disabled")
    #expect(core.run("SESSION.CHECK \(token)").isNull)
    #expect(
      core.run("USER.RESTORE #\(user["contact"])").text
        == "CONFLICT contact: #\(user["contact"]) has the live user eva; who is there need not be restored, and another"
        + " login takes USER.DELETE user first")
    core.expectReplicated()
  }

  /// Deleting and restoring is no way around a lock, nor around another status that may not log in.
  @Test(
    "S12, L17: a login comes back with the status it had",
    arguments: [("locked", "DENY status-locked", 0), ("pending", "DENY status-pending", 1), ("temporary", "ALLOW", 1)])
  func restoringALock(status: String, check: String, mails: Int) {
    let user = core.run("USER.CREATE eva FIRST Eva EMAIL eva@acme.test PRODUCT crm NOINVITE")
    core.run("USER.STATUS eva \(status)")
    core.run("USER.DELETE eva REASON x")
    core.expectReplicated()
    let restored = core.run("USER.RESTORE #\(user["contact"])")
    #expect(restored["status"].text == status)
    core.run("PRODUCT.ENABLE eva crm")
    #expect(core.run("LOGIN.CHECK eva crm").text == check)
    #expect(core.run("MAIL.LIST")[1].items.count == mails)
    // What was unlocked meanwhile, and a delete that was taken back, leave nothing of it.
    core.run("USER.STATUS eva active")
    core.run("USER.DELETE eva REASON x")
    #expect(core.run("USER.RESTORE #\(user["contact"]) NOINVITE")["status"].text == "active")
    core.expectReplicated()
  }

  @Test("S12: under another name if the old one is taken") func restoringUnderAnotherName() {
    let contact = core.run("USER.CREATE eva FIRST Eva NOINVITE")["contact"]
    core.run("USER.DELETE eva REASON x")
    let other = core.run("USER.CREATE eva NOINVITE")["id"]
    #expect(
      core.run("USER.RESTORE #\(contact)").text
        == "CONFLICT username: eva belongs to user #\(other); choose another")
    #expect(core.run("USER.RESTORE #\(contact) eva2 NOINVITE")["username"].text == "eva2")
    let free = core.run("CONTACT.CREATE FIRST Una")["contact"]
    #expect(
      core.run("USER.RESTORE #\(free)").text
        == "NOTFOUND login: contact #\(free) has none that could be restored, because it never had one or its last was"
        + " purged; make one with USER.CREATE username CONTACT #\(free)")
  }

  // MARK: Anonymising

  @Test("L6: personal data goes from all answers, the record and its history stay") func anonymising() {
    core.run("FIELD.DEFINE shoe number")
    let user = core.run(
      "USER.CREATE eva FIRST Eva LAST Lind EMAIL eva@acme.test PHONE 555 INITIALS EL FIELD shoe 40 PRODUCT crm NOINVITE"
    )
    core.run("USER.RENAME eva eva.lind")
    let entry = core.run("ENTRY.ADD eva.lind START 1 END 2")["entry"]
    let token = core.run("SESSION.CREATE eva.lind crm")["session"].text ?? ""
    let answer = core.run("USER.ANONYMISE eva.lind")
    #expect(answer["username"].text == "anonymous-\(user["id"])")
    #expect(core.run("SESSION.CHECK \(token)").isNull)
    #expect(core.run("USER.GET eva.lind").text == "NOTFOUND user eva.lind")
    let shown = core.run("USER.GET #\(user["id"])")
    #expect(shown["status"].text == "inactive")
    for field in ["name", "first", "last", "email", "phone", "initials"] {
      #expect(shown[field].text ?? "" == "", "\(field)")
    }
    #expect(shown["fields"]["shoe"].isNull)
    #expect(core.run("ENTRY.GET \(entry)")["username"].text == "anonymous-\(user["id"])")
    #expect("\(core.run("CONTACT.SEARCH eva"))" == "[]")
    // Not even the trail says who it was.
    let trail = "\(core.run("AUDIT.LIST USER #\(user["id"])"))"
    for secret in ["Eva", "Lind", "eva", "555", "EL", "40"] { #expect(!trail.contains(": \(secret)"), "\(secret)") }
    #expect(trail.contains("new: (anonymised)"))
    #expect(trail.contains("status-set"))
    core.expectReplicated()
  }

  @Test("L18: nobody anonymises the last super administrator") func anonymisingTheLast() {
    core.run("USER.CREATE root ROLE super-administrator NOINVITE")
    #expect(core.run("USER.ANONYMISE root").text?.hasPrefix("REFUSED last-super-administrator: ") == true)
  }

  // MARK: Copying

  @Test("L21: the roles of another, in their scopes, and the same main one") func copying() {
    core.run("WORKSPACE.CREATE acme")
    core.run("USER.CREATE one NOINVITE")
    core.run("ROLE.GRANT one manager")
    core.run("ROLE.GRANT one training-administrator WORKSPACE main MAIN")
    core.run("USER.CREATE two ROLE individual NOINVITE")
    #expect(
      "\(core.run("USER.COPYACCESS one two"))"
        == "{granted: [manager everywhere, training-administrator workspace main], revoked: []}")
    func roles(_ user: String) -> [String] {
      core.run("ROLE.LIST \(user)").items.map { "\($0["role"]) \($0["scope"]) \($0["main"])" }.sorted()
    }
    #expect(
      roles("two") == ["individual everywhere 0", "manager everywhere 0", "training-administrator workspace main 1"])
    #expect("\(core.run("USER.COPYACCESS one two REPLACE"))" == "{granted: [], revoked: [individual everywhere]}")
    #expect(roles("two") == roles("one"))
    #expect("\(core.run("USER.COPYACCESS one two REPLACE"))" == "{granted: [], revoked: []}")
    core.expectReplicated()
  }

  @Test("L21: nobody copies what they could not grant, and then nothing is copied") func copyingTooMuch() {
    core.run("USER.CREATE root ROLE super-administrator NOINVITE")
    core.run("USER.CREATE boss ROLE training-administrator PRODUCT crm NOINVITE")
    core.run("USER.CREATE two NOINVITE")
    core.run("ROLE.GRANT root manager WORKSPACE main")
    let token = core.run("SESSION.CREATE boss crm")["session"].text ?? ""
    let before = core.lsn
    #expect(core.run("USER.COPYACCESS root two", as: token).text?.hasPrefix("NOPERM ") == true)
    #expect(core.lsn == before)
    #expect("\(core.run("ROLE.LIST two"))" == "[]")
  }

  // MARK: What a new login of a contact keeps

  @Test("L4, S12: who may not be booked may not either after the login came back") func restrictedBookings() {
    let contact = core.run("USER.CREATE eva FIRST Eva RESTRICT-BOOKINGS NOINVITE")["contact"]
    core.run("USER.DELETE eva REASON x")
    core.run("USER.RESTORE #\(contact) NOINVITE")
    #expect(core.run("USER.GET eva")["restrict-bookings"].integer == 1)
    core.expectReplicated()
  }

  @Test(
    "W3, L8: a contact with a new login is employed only where that is a member",
    arguments: ["USER.RESTORE #c NOINVITE", "USER.CREATE eva2 CONTACT #c WORKSPACE acme NOINVITE"])
  func employmentsOfNewLogin(line: String) {
    for line in [
      "WORKSPACE.CREATE acme", "ACCOUNT.CREATE Gadgets CUSTOMER", "ACCOUNT.CREATE Own CUSTOMER WORKSPACE acme",
      "USER.CREATE eva FIRST Eva WORKSPACE acme NOINVITE", "WORKSPACE.MEMBER main eva", "EMPLOY.ADD eva main/Gadgets",
      "EMPLOY.ADD eva acme/Own",
    ] { #expect(!core.run(line).isError, "\(line)") }
    let contact = core.run("USER.GET eva")["contact"]
    core.run("USER.DELETE eva REASON x")
    #expect(core.run("ACCOUNT.DELETE Gadgets").isError, "who is deleted is employed until somebody ends it")
    let made = core.run(line.replacing("#c", with: "#\(contact)"))
    #expect(!made.isError, "\(made)")
    #expect(core.run("EMPLOY.LIST #\(made["id"])").items.map { $0["account"].text } == ["acme/Own"])
    #expect(core.run("ACCOUNT.DELETE Gadgets").text == "OK")
    core.expectReplicated()
  }

  @Test("L7: who moves to another time zone is not employed again by an account that was deleted") func deletedAccount()
  {
    core.run("ACCOUNT.CREATE Gone CUSTOMER")
    core.run("USER.CREATE eva FIRST Eva NOINVITE")
    // The clock begins on 2026-03-01.
    core.run("EMPLOY.ADD eva Gone FROM 2026-01-01 TO 2026-02-28")
    #expect(core.run("ACCOUNT.DELETE Gone").text == "OK")
    core.run("USER.SET eva timezone Pacific/Pago_Pago")
    #expect(core.run("EMPLOY.LIST eva")[0]["current"].integer == 0)
    #expect(core.run("USER.GET eva")["account"].text != "Gone")
  }
}
