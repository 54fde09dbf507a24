import GatehouseTestSupport
import Testing

/// System S: contacts that outlive their logins (Actionstep).
@Suite("S: contacts and logins", .blocking)
struct ContactsAndLoginsTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    gate = try server.client()
    try gate.ok("WORKSPACE.CREATE firm PROFILE actionstep")
    try gate.ok("PRODUCT.CREATE firm/matters")
  }

  /// What this workspace asks of every new user.
  private func required(_ reference: String) -> String {
    "EMAIL \(reference)@firm.test INITIALS XY REFERENCE \(reference) DIVISION Property ROLE individual WITHIN"
      + " ACCEPT-BILLING"
  }

  @Test("S1: a user has a contact: an existing one, or one made with it in the same record")
  func contactWithUser() throws {
    let ana = try gate.fields("USER.CREATE ana WORKSPACE firm FIRST Ana LAST Lima \(required("ana"))")
    let contact = try #require(ana["contact"])
    #expect(try gate.fields("CONTACT.GET #\(contact)")["name"] == "Ana Lima")
    let made = try gate.record(of: "ana", by: "USER.CREATE").changes.map { $0.prefix { $0 != " " } }
    #expect(made.prefix(2) == ["contact-created", "user-created"])
    #expect(
      try gate.refused("USER.CREATE second WORKSPACE firm CONTACT #\(contact) \(required("second"))", with: "CONFLICT")
        == "CONFLICT contact: #\(contact) has the live user ana; delete that one first")

    let eva = try #require(try gate.fields("CONTACT.CREATE NAME 'Eva Lind' WORKSPACE firm")["contact"])
    try gate.ok("USER.CREATE eva WORKSPACE firm CONTACT #\(eva) \(required("eva"))")
    #expect(try gate.fields("USER.GET eva")["contact"] == eva)
  }

  @Test("S2: what a contact did stays readable through the contact after the login is gone")
  func historyOfContact() throws {
    let contact = try #require(
      try gate.fields("USER.CREATE ana WORKSPACE firm FIRST Ana LAST Lima \(required("ana"))")["contact"])
    try gate.ok("LINK.ADD ana matter m-17 WORKSPACE firm STATUS open")
    try gate.ok("LINK.ADD ana task t-4 WORKSPACE firm")
    try gate.ok("TIMER.START ana WORKSPACE firm NOTE 'draft of the lease'")
    try gate.ok("TIMER.STOP ana WORKSPACE firm")
    try gate.ok("USER.DELETE ana REASON 'on leave' ACCEPT-BILLING")
    #expect(try gate.pages("LINK.LIST #\(contact)").map { $0["ref"] } == ["t-4", "m-17"])
    #expect(try gate.pages("ENTRY.LIST #\(contact)").map { $0["note"] } == ["draft of the lease"])
    let card = try gate.fields("CONTACT.GET #\(contact)")
    #expect(card["name"] == "Ana Lima" && card["user"] == nil)
    #expect(card.shown("logins").contains("ana") && card.shown("logins").contains("deleted"))
  }

  @Test("S3: contacts are found by name while adding, and a typed name is split in the order of the policy")
  func typedNames() throws {
    try gate.ok("CONTACT.CREATE NAME 'Žofie Anna Nováková' WORKSPACE firm")
    let found = try gate.list("CONTACT.SEARCH zof nov")
    #expect(found.map { $0["name"] } == ["Žofie Anna Nováková"])
    let card = try gate.fields("CONTACT.GET #\(found[0]["contact"] ?? "")")
    #expect(card["first"] == "Žofie" && card["middle"] == "Anna" && card["last"] == "Nováková")

    try gate.ok("WORKSPACE.SET firm policy.contact.name-format last-first")
    try gate.ok("USER.CREATE otto WORKSPACE firm NAME 'Berg, Otto' \(required("otto"))")
    let otto = try gate.fields("USER.GET otto")
    #expect(otto["first"] == "Otto" && otto["last"] == "Berg" && otto["name"] == "Berg, Otto")
    #expect(try gate.list("CONTACT.SEARCH nov").first?["name"] == "Nováková, Žofie Anna")
  }

  @Test("S4: what a workspace requires of a user, and all that is missing named in one refusal")
  func requiredFields() throws {
    #expect(
      try gate.refused("USER.CREATE ana WORKSPACE firm FIRST Ana ACCEPT-BILLING", with: "REFUSED")
        == "REFUSED user.required-fields: missing email, initials, reference, role, division; give EMAIL, INITIALS,"
        + " REFERENCE, ROLE, DIVISION")
    // The e-mail is taken from the contact.
    let eva = try gate.fields("CONTACT.CREATE NAME 'Eva Lind' EMAIL eva@firm.test WORKSPACE firm")
    let words = "USER.CREATE eva WORKSPACE firm CONTACT #\(eva["contact"] ?? "") INITIALS EL DIVISION Property"
    #expect(
      try gate.refused("\(words) ACCEPT-BILLING", with: "REFUSED")
        == "REFUSED user.required-fields: missing reference, role; give REFERENCE, ROLE")
    try gate.ok("\(words) REFERENCE el ROLE individual WITHIN ACCEPT-BILLING")
    let user = try gate.fields("USER.GET eva")
    #expect(user["email"] == "eva@firm.test" && user["initials"] == "EL" && user["reference"] == "el")
    #expect(user["division"] == "Property" && user["main-role"] == "individual")
    #expect(
      try gate.refused("USER.CREATE elsa WORKSPACE firm \(required("el"))", with: "REFUSED")
        == "REFUSED user.required-fields: reference el belongs to another user of firm; choose another reference")
  }

  @Test("S5: only an administrator with authority adds and removes users")
  func subscriptionAuthority() throws {
    for name in ["plain", "trusted"] {
      try gate.ok("USER.CREATE \(name) WORKSPACE firm PRODUCT firm/matters \(required(name))")
      try gate.ok("ROLE.GRANT \(name) training-administrator WORKSPACE firm")
    }
    try gate.ok("USER.SET trusted authority 1")
    let plain = try gate.loggedIn("plain", to: "firm/matters")
    let trusted = try gate.loggedIn("trusted", to: "firm/matters")
    let refusal =
      "REFUSED user.needs-authority: only administrators with authority over the subscription add and remove users;"
      + " ask one of them, or a super administrator for USER.SET user authority 1"
    let new = "USER.CREATE new WORKSPACE firm \(required("new"))"
    #expect(try plain.refused(new, with: "REFUSED") == refusal)
    try trusted.ok(new)
    #expect(try plain.refused("USER.DELETE new REASON left ACCEPT-BILLING", with: "REFUSED") == refusal)
    try trusted.ok("USER.DELETE new REASON left ACCEPT-BILLING")
    try plain.refused("USER.SET plain authority 1", with: "NOPERM the permission authority.set")
  }

  @Test("S6: adding needs the billing changes accepted, and the acceptance is recorded")
  func billingOfAdding() throws {
    let words = required("ana").replacing(" ACCEPT-BILLING", with: "")
    #expect(try gate.refused("USER.CREATE ana WORKSPACE firm \(words)", with: "REFUSED") == billing)
    try gate.ok("USER.CREATE ana WORKSPACE firm \(words) ACCEPT-BILLING")
    #expect(try gate.record(of: "ana", by: "USER.CREATE").changes.contains("noted billing-accepted: firm"))
  }

  @Test("S7: adding queues an invitation with the message, unless it is suppressed")
  func invitation() throws {
    try gate.ok("USER.CREATE ana WORKSPACE firm \(required("ana")) MESSAGE 'See you on Monday'")
    try gate.ok("USER.CREATE bo WORKSPACE firm \(required("bo")) NOINVITE")
    let mails = try gate.pages("MAIL.LIST WORKSPACE firm")
    #expect(mails.map { "\($0["kind"] ?? "") \($0["to"] ?? "")" } == ["invitation ana@firm.test"])
    let mail = try #require(try gate.list("MAIL.NEXT").first)
    #expect(mail["subject"] == "Your login for firm")
    #expect(
      mail["text"] == "Hello ana,\n\nthere is a login for you in firm. Your username is ana.\n\nSee you on Monday")
  }

  @Test("S8: removing takes the login away, never the contact")
  func loginGoesContactStays() throws {
    let ana = try gate.fields("USER.CREATE ana WORKSPACE firm FIRST Ana PRODUCT firm/matters \(required("ana"))")
    let token = try gate.token(of: "ana", to: "firm/matters")
    try gate.ok("USER.DELETE ana REASON left ACCEPT-BILLING")
    #expect(try gate.isNull("SESSION.CHECK \(token)"))
    #expect(try gate.text("LOGIN.CHECK ana firm/matters") == "DENY status-deleted")
    #expect(try gate.list("CONTACT.SEARCH ana").map { $0["contact"] } == [ana["contact"]])
  }

  @Test("S9: removing needs a reason, which is recorded")
  func reason() throws {
    try gate.ok("USER.CREATE ana WORKSPACE firm \(required("ana"))")
    #expect(
      try gate.refused("USER.DELETE ana ACCEPT-BILLING", with: "REFUSED")
        == "REFUSED delete.needs-reason: deleting a user is recorded with a reason; add REASON text")
    try gate.ok("USER.DELETE ana REASON 'moved to the Porto office' ACCEPT-BILLING")
    #expect(try gate.record(of: "ana", by: "USER.DELETE")["reason"] == "moved to the Porto office")

    try gate.ok("WORKSPACE.SET firm policy.delete.needs-reason off")
    try gate.ok("USER.CREATE bo WORKSPACE firm \(required("bo"))")
    try gate.ok("USER.DELETE bo ACCEPT-BILLING")
  }

  @Test("S10: removing needs the billing changes accepted, and the acceptance is recorded")
  func billingOfRemoving() throws {
    try gate.ok("USER.CREATE ana WORKSPACE firm \(required("ana"))")
    #expect(try gate.refused("USER.DELETE ana REASON left", with: "REFUSED") == billing)
    try gate.ok("USER.DELETE ana REASON left ACCEPT-BILLING")
    #expect(try gate.record(of: "ana", by: "USER.DELETE").changes.contains("noted billing-accepted: firm"))
  }

  @Test("S11: the login e-mail is changed by changing the contact, deleting the login and making a new one")
  func newLoginEmail() throws {
    let contact = try #require(
      try gate.fields("USER.CREATE ana@firm.test WORKSPACE firm FIRST Ana LAST Lima \(required("ana"))")["contact"])
    try gate.ok("ENTRY.ADD ana@firm.test START 2026-03-02T09:00:00Z END 2026-03-02T10:00:00Z WORKSPACE firm NOTE deed")
    try gate.ok("CONTACT.SET #\(contact) email ana@new.test")
    try gate.ok("USER.DELETE ana@firm.test REASON 'new e-mail' ACCEPT-BILLING")
    try gate.ok(
      "USER.CREATE ana@new.test WORKSPACE firm CONTACT #\(contact) PRODUCT firm/matters INITIALS AL REFERENCE ana"
        + " DIVISION Property ROLE individual WITHIN ACCEPT-BILLING")
    let now = try gate.fields("USER.GET ana@new.test")
    #expect(now["contact"] == contact && now["name"] == "Ana Lima" && now["email"] == "ana@new.test")
    #expect(now["reference"] == "ana", "the deleted login does not keep the reference")
    #expect(try gate.pages("ENTRY.LIST ana@new.test").map { $0["note"] } == ["deed"])
    #expect(try gate.text("LOGIN.CHECK ana@new.test firm/matters") == "ALLOW")
    #expect(try gate.text("LOGIN.CHECK ana@firm.test firm/matters") == "DENY status-deleted")
  }

  @Test("S12: a new login on the same contact restores a user: the history reappears, old sessions do not")
  func restored() throws {
    let ana = try gate.fields("USER.CREATE ana WORKSPACE firm PRODUCT firm/matters \(required("ana"))")
    let contact = try #require(ana["contact"])
    let token = try gate.token(of: "ana", to: "firm/matters")
    try gate.ok("LINK.ADD ana matter m-1 WORKSPACE firm")
    try gate.ok("USER.DELETE ana REASON 'on leave for a year' ACCEPT-BILLING")
    #expect(
      try gate.refused("USER.DELETE ana REASON again ACCEPT-BILLING", with: "REFUSED")
        == "REFUSED status: the user is deleted; remove what is left for good with USER.PURGE #\(ana["id"] ?? ""), or"
        + " give the contact a new login: USER.CREATE username CONTACT #\(contact)")

    #expect(
      try gate.refused("USER.RESTORE #\(contact) ACCEPT-BILLING", with: "REFUSED")
        == "REFUSED user.required-fields: missing role; give ROLE role")
    let again = try gate.fields("USER.CREATE ana WORKSPACE firm CONTACT #\(contact) \(required("ana"))")
    #expect(again["username"] == "ana" && again["contact"] == contact && again["id"] != ana["id"])
    #expect(try gate.pages("LINK.LIST ana").map { $0["ref"] } == ["m-1"])
    #expect(try gate.text("LOGIN.CHECK ana firm/matters") == "DENY product-disabled", "without its old access")
    try gate.ok("PRODUCT.ENABLE ana firm/matters")
    #expect(try gate.isNull("SESSION.CHECK \(token)"), "old sessions do not come back")
  }

  private let billing =
    "REFUSED user.needs-billing-acceptance: firm adds and removes users only if the bill is accepted; add"
    + " ACCEPT-BILLING"
}
