import GatehouseTestSupport
import Testing

/// System S: contacts that outlive their logins (Actionstep).
@Suite("S: contacts and logins")
struct ContactsAndLoginsTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    gate = try server.client()
    try gate.ok("PRODUCT.CREATE matters")
  }

  @Test("S1: a user always has a contact, made with it in one record")
  func contactWithUser() throws {
    let ana = try gate.fields("USER.CREATE ana@firm.test FIRST Ana LAST Lima EMAIL ana@firm.test")
    let contact = try #require(ana.integer("contact"))
    #expect(contact > 0)
    #expect(try gate.fields("USER.GET ana@firm.test")["contact"] == String(contact))
    // The contact is in use: it has a live login.
    try gate.refused("USER.CREATE second@firm.test CONTACT #\(contact)", with: "CONFLICT")

    let events = try gate.pages("AUDIT.LIST USER ana@firm.test")
    #expect(events.filter { $0["command"] == "USER.CREATE" }.count == 1)
  }

  @Test("S2, S8, S12: the login goes, the contact and its entries stay, and a new login finds them again")
  func loginGoesContactStays() throws {
    try gate.ok("WORKSPACE.SET main policy.delete.keep-tracked off")
    let ana = try gate.fields("USER.CREATE ana@firm.test FIRST Ana LAST Lima PRODUCT matters")
    let contact = try #require(ana["contact"])
    let token = try #require(try gate.fields("SESSION.CREATE ana@firm.test matters")["session"])
    try gate.ok("TIMER.START ana@firm.test NOTE 'draft of the lease'")
    let entry = try #require(try gate.fields("TIMER.STOP ana@firm.test")["entry"])

    try gate.ok("USER.DELETE ana@firm.test REASON 'on leave for a year'")
    #expect(try gate.isNull("SESSION.CHECK \(token)"))
    #expect(try gate.fields("ENTRY.GET \(entry)")["note"] == "draft of the lease")

    let again = try gate.fields("USER.CREATE ana.lima@firm.test CONTACT #\(contact) PRODUCT matters")
    #expect(again["contact"] == contact)
    #expect(again["id"] != ana["id"])
    let person = try gate.fields("USER.GET ana.lima@firm.test")
    #expect(person["first"] == "Ana" && person["last"] == "Lima")
    let entries = try gate.pages("ENTRY.LIST ana.lima@firm.test")
    #expect(entries.map { $0["entry"] } == [entry])
    #expect(try gate.isNull("SESSION.CHECK \(token)"), "old sessions do not come back")
    #expect(try gate.text("LOGIN.CHECK ana.lima@firm.test matters") == "ALLOW")
  }

  @Test("S4: what a workspace requires of a user, and all that is missing named at once")
  func requiredFields() throws {
    try gate.ok("WORKSPACE.SET main policy.user.required-fields email,initials,reference,role,division")
    let refusal = try gate.refused("USER.CREATE ana FIRST Ana", with: "REFUSED user.required-fields:")
    for field in ["email", "initials", "reference", "role", "division"] { #expect(refusal.contains(field)) }

    let partial = try gate.refused(
      "USER.CREATE ana@firm.test EMAIL ana@firm.test INITIALS AL DIVISION Property",
      with: "REFUSED user.required-fields:")
    #expect(partial.contains("reference") && partial.contains("role"))
    #expect(!partial.contains("initials") && !partial.contains("division"))

    try gate.ok(
      "USER.CREATE ana@firm.test EMAIL ana@firm.test INITIALS AL REFERENCE ana DIVISION Property ROLE individual")
    let ana = try gate.fields("USER.GET ana@firm.test")
    #expect(ana["initials"] == "AL" && ana["reference"] == "ana" && ana["division"] == "Property")
  }

  @Test("S5: with the policy on, only an administrator with authority adds and removes users")
  func subscriptionAuthority() throws {
    try gate.ok("USER.CREATE plain PRODUCT matters ROLE super-administrator")
    try gate.ok("USER.CREATE trusted PRODUCT matters ROLE super-administrator")
    try gate.ok("USER.SET trusted authority 1")
    try gate.ok("WORKSPACE.SET main policy.user.needs-authority on")
    let plain = try session(of: "plain")
    let trusted = try session(of: "trusted")

    try plain.refused("USER.CREATE new@firm.test", with: "REFUSED user.needs-authority:")
    try trusted.ok("USER.CREATE new@firm.test")
    try plain.refused("USER.DELETE new@firm.test REASON left", with: "REFUSED user.needs-authority:")
    try trusted.ok("USER.DELETE new@firm.test REASON left")
  }

  @Test("S6, S10: adding and removing needs the billing changes accepted, and the acceptance is recorded")
  func billingAcceptance() throws {
    try gate.ok("WORKSPACE.SET main policy.user.needs-billing-acceptance on")
    let refusal = try gate.refused("USER.CREATE ana", with: "REFUSED user.needs-billing-acceptance:")
    #expect(refusal.contains("ACCEPT-BILLING"))
    try gate.ok("USER.CREATE ana ACCEPT-BILLING")
    try gate.refused("USER.DELETE ana REASON left", with: "REFUSED user.needs-billing-acceptance:")
    try gate.ok("USER.DELETE ana REASON left ACCEPT-BILLING")

    let creation = try #require(try gate.pages("AUDIT.LIST").first { $0["command"] == "USER.CREATE" })
    #expect(creation.shown("changes").contains("billing"))
  }

  @Test("S9: removing needs a reason, which is recorded")
  func reason() throws {
    let ana = try gate.fields("USER.CREATE ana")
    try gate.refused("USER.DELETE ana", with: "REFUSED delete.needs-reason:")
    try gate.ok("USER.DELETE ana REASON 'moved to the Porto office'")
    let events = try gate.pages("AUDIT.LIST USER #\(try #require(ana["id"]))")
    let removal = try #require(events.first { $0["command"] == "USER.DELETE" })
    #expect(removal["reason"] == "moved to the Porto office")

    try gate.ok("WORKSPACE.SET main policy.delete.needs-reason off")
    try gate.ok("USER.CREATE bo")
    try gate.ok("USER.DELETE bo")
  }

  @Test("S11: the login e-mail is changed by changing the contact, removing the login and making a new one")
  func newLoginEmail() throws {
    let ana = try gate.fields("USER.CREATE ana@old.test FIRST Ana EMAIL ana@old.test PRODUCT matters")
    let contact = try #require(ana["contact"])
    try gate.ok("USER.SET ana@old.test email ana@new.test")
    try gate.ok("USER.DELETE ana@old.test REASON 'new e-mail'")
    try gate.ok("USER.CREATE ana@new.test CONTACT #\(contact) PRODUCT matters")

    let now = try gate.fields("USER.GET ana@new.test")
    #expect(now["contact"] == contact && now["first"] == "Ana" && now["email"] == "ana@new.test")
    #expect(try gate.text("LOGIN.CHECK ana@new.test matters") == "ALLOW")
    #expect(try gate.text("LOGIN.CHECK ana@old.test matters")?.hasPrefix("DENY ") == true)
  }

  private func session(of user: String) throws -> Client {
    gate.acting(as: try #require(try gate.fields("SESSION.CREATE \(user) matters")["session"]))
  }
}
