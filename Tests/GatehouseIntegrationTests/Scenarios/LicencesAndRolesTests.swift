import GatehouseTestSupport
import Testing

/// System P: user names, licences and roles managed by an administrator (Aptien).
@Suite("P: usernames, licences, roles", .blocking)
struct LicencesAndRolesTests {
  let server: TestServer
  let gate: Client
  /// The administrator, who has an intranet licence.
  let admin: Client

  init() throws {
    server = try TestServer()
    gate = try server.client()
    try gate.ok("WORKSPACE.CREATE corp PROFILE aptien")
    try gate.ok("PRODUCT.CREATE corp/portal")
    for (type, seats) in [("office", 1), ("intranet", 3), ("guest", 0)] {
      try gate.ok("POOL.SET corp/portal \(type) \(seats)")
    }
    try gate.ok(
      "USER.CREATE root WORKSPACE corp LICENCE corp/portal intranet ROLE super-administrator WITHIN NOINVITE")
    admin = try gate.loggedIn("root", to: "corp/portal")
  }

  @Test("P1: only administrators list and manage users")
  func administratorsOnly() throws {
    try admin.ok("USER.CREATE ana WORKSPACE corp LICENCE corp/portal intranet ROLE individual")
    let ana = try gate.loggedIn("ana", to: "corp/portal")
    for (line, permission) in [
      ("USER.LIST", "user.read"), ("USER.GET root", "user.read"), ("USER.CREATE friend WORKSPACE corp", "user.create"),
      ("USER.RENAME root me", "user.rename"), ("LICENCE.ASSIGN ana corp/portal office", "licence.assign"),
      ("ROLE.GRANT ana manager WORKSPACE corp", "role.grant"),
    ] {
      #expect(try ana.refused(line, with: "NOPERM") == "NOPERM the permission \(permission)", "\(line)")
    }
    #expect(try admin.pages("USER.LIST SORT username").map { $0["username"] } == ["ana", "root"])
  }

  @Test("P2: a user is linked to one contact, whose name heads it, and a contact need not be a user")
  func contactName() throws {
    let ana = try admin.fields("USER.CREATE ana@corp.test WORKSPACE corp FIRST Ana LAST Lima")
    let seen = try admin.fields("USER.GET ana@corp.test")
    #expect(seen["name"] == "Ana Lima" && seen["contact"] == ana["contact"])
    try admin.ok("CONTACT.CREATE NAME 'Otto Berg' WORKSPACE corp")
    #expect(
      try admin.pages("CONTACT.LIST WHERE user = '' FIELDS 2 name username").map { $0["name"] } == ["Otto Berg"])
    #expect(try admin.integer("USER.COUNT") == 2)
  }

  @Test("P3: while a name is typed, contacts whose names begin so are offered")
  func typeAhead() throws {
    let jana = try admin.fields("CONTACT.CREATE NAME 'Jana Nováková' WORKSPACE corp")
    try admin.ok("CONTACT.CREATE NAME 'Karel Novák' WORKSPACE corp")
    for words in ["nov", "NOV", "novak"] { #expect(try admin.list("CONTACT.SEARCH \(words)").count == 2, "\(words)") }
    let offered = try admin.list("CONTACT.SEARCH ja nov")
    #expect(offered.map { $0["contact"] } == [jana["contact"]])
    let user = try admin.fields("USER.CREATE jana WORKSPACE corp CONTACT #\(jana["contact"] ?? "")")
    #expect(user["contact"] == jana["contact"])
  }

  @Test("P4: a name that nobody has makes the contact with the user")
  func madeInline() throws {
    #expect(try admin.list("CONTACT.SEARCH karel").isEmpty)
    let karel = try admin.fields("USER.CREATE karel WORKSPACE corp NAME 'Karel Dvořák'")
    let card = try admin.fields("CONTACT.GET #\(karel["contact"] ?? "")")
    #expect(card["first"] == "Karel" && card["last"] == "Dvořák" && card["username"] == "karel")
  }

  @Test("P5: several users in one command and one record, all or none, and each is invited")
  func severalAtOnce() throws {
    try admin.ok("POOL.SET corp/portal office 2")
    let form = "USER.CREATEMANY WORKSPACE corp MESSAGE Welcome FIELDS 4 username first licence role ROWS"
    #expect(
      try admin.refused(
        "\(form) 8 ana@corp.test Ana corp/portal:office manager bo Bo corp/portal:gold x", with: "NOTFOUND")
        == "NOTFOUND row 2: licence type gold of the product corp/portal")
    try admin.refused(
      "\(form) 12 ana Ana corp/portal:office manager bo Bo corp/portal:office manager cy Cy corp/portal:office manager",
      with: "NOSEATS office bought 2, used 0")
    #expect(try admin.integer("USER.COUNT") == 1, "nobody was made")

    let before = try gate.fields("AUDIT.HEAD").integer("lsn")
    let made = try admin.list(
      "\(form) 8 ana@corp.test Ana corp/portal:office manager bo@corp.test Bo corp/portal:office individual")
    #expect(made.map { $0["username"] } == ["ana@corp.test", "bo@corp.test"])
    #expect(try gate.fields("AUDIT.HEAD").integer("lsn") == before.map { $0 + 1 })
    #expect(try gate.text("LOGIN.CHECK bo@corp.test corp/portal") == "ALLOW")
    #expect(try roles(of: "ana@corp.test") == ["manager"] && used("office") == 2)
    #expect(try Set(gate.list("MAIL.NEXT COUNT 9").compactMap { $0["to"] }) == ["ana@corp.test", "bo@corp.test"])
  }

  @Test("P6: type, login e-mail, roles and single permissions are set while adding")
  func setWhileAdding() throws {
    try admin.ok("ROLE.DEFINE helpdesk user.read user.status WORKSPACE corp")
    try admin.ok(
      "USER.CREATE ana@corp.test WORKSPACE corp EMAIL ana@corp.test LICENCE corp/portal office ROLE helpdesk")
    #expect(try gate.text("LOGIN.CHECK ana@corp.test corp/portal") == "ALLOW")
    #expect(try used("office") == 1)
    try admin.ok("USER.CREATE bo WORKSPACE corp")
    let ana = try gate.loggedIn("ana@corp.test", to: "corp/portal")
    try ana.ok("USER.STATUS bo locked")
    #expect(
      try ana.refused("USER.RENAME bo bob", with: "NOPERM") == "NOPERM the permission user.rename",
      "the single permissions and no others")
  }

  @Test("P7: an invitation with a message; suppressed, none waits, and it can be sent later")
  func invitation() throws {
    try admin.ok("USER.CREATE ana@corp.test WORKSPACE corp MESSAGE 'Vítejte'")
    try admin.ok("USER.CREATE bo@corp.test WORKSPACE corp NOINVITE")
    try admin.ok("USER.CREATE cy WORKSPACE corp")
    func recipients() throws -> [String?] { try admin.pages("MAIL.LIST KIND invitation").map { $0["to"] } }
    #expect(try recipients() == ["ana@corp.test"])
    try admin.ok("USER.INVITE bo@corp.test")
    #expect(try recipients().count == 2)
    #expect(
      try admin.refused("USER.INVITE cy", with: "REFUSED")
        == "REFUSED email: cy has no e-mail to send an invitation to; give one first with USER.SET user email address")
  }

  @Test("P8: a new username changes the contact's e-mail in the same record, and a notice waits")
  func renameChangesEmail() throws {
    try admin.ok("USER.CREATE ana@corp.test WORKSPACE corp FIRST Ana PRODUCT corp/portal NOINVITE")
    try admin.ok("USER.RENAME ana@corp.test ana.lima@corp.test")
    let ana = try admin.fields("USER.GET ana.lima@corp.test")
    #expect(ana["username"] == "ana.lima@corp.test" && ana["email"] == "ana.lima@corp.test")
    #expect(try admin.refused("USER.GET ana@corp.test", with: "NOTFOUND") == "NOTFOUND user ana@corp.test")
    let rename = try admin.record(of: "ana.lima@corp.test", by: "USER.RENAME").changes
    #expect(rename.contains("user-renamed username: ana@corp.test → ana.lima@corp.test"))
    #expect(rename.contains("contact-set email: ana@corp.test → ana.lima@corp.test"))
    let notices = try gate.list("MAIL.NEXT COUNT 5")
    #expect(Set(notices.map { $0["to"] }) == ["ana.lima@corp.test", "ana@corp.test"], "both are told")
    for notice in notices {
      #expect(notice["kind"] == "username-changed")
      #expect(
        notice["text"]?.contains("root has changed your username from ana@corp.test to ana.lima@corp.test") == true)
    }
    #expect(
      try admin.refused("USER.RENAME ana.lima@corp.test ROOT", with: "CONFLICT").hasPrefix(
        "CONFLICT username: ROOT belongs to user #"))
  }

  @Test("Usernames are unique in any case and any Unicode form", arguments: [("ANA", "ana"), ("JOSÉ", "jose\u{301}")])
  func uniqueNames(first: String, second: String) throws {
    try admin.ok("USER.CREATE", first, "WORKSPACE", "corp", "LICENCE", "corp/portal", "office")
    try admin.refused("USER.CREATE", second, "WORKSPACE", "corp", with: "CONFLICT")
    #expect(try gate.text("LOGIN.CHECK", second, "corp/portal") == "ALLOW")
    #expect(try admin.fields("USER.GET", second)["username"] == first)
  }

  @Test("P9: licences of each type up to the number bought; the refusal says how many, and who has them")
  func licenceTypes() throws {
    for user in ["ana", "bo", "cy"] { try admin.ok("USER.CREATE \(user) WORKSPACE corp PRODUCT corp/portal") }
    try admin.ok("LICENCE.ASSIGN ana corp/portal office")
    #expect(
      try admin.refused("LICENCE.ASSIGN bo corp/portal office", with: "NOSEATS")
        == "NOSEATS office bought 1, used 1 by ana; raise it with POOL.SET corp/portal office, or remove somebody's"
        + " licence first")
    #expect(try admin.pages("POOL.HOLDERS corp/portal office").map { $0["username"] } == ["ana"])
    try admin.refused("LICENCE.ASSIGN bo corp/portal guest", with: "NOSEATS guest bought 0, used 0;")
    #expect(
      try admin.refused("LICENCE.ASSIGN bo corp/portal platinum", with: "NOTFOUND")
        == "NOTFOUND licence type platinum of the product corp/portal")

    try admin.ok("LICENCE.ASSIGN bo corp/portal intranet")
    // Another type frees the old seat in the same step.
    try admin.ok("LICENCE.ASSIGN ana corp/portal intranet")
    try admin.ok("LICENCE.ASSIGN cy corp/portal office")
    #expect(try used("office") == 1 && used("intranet") == 3 && used("guest") == 0)
  }

  @Test("P10: without a licence the login is refused and everything else is kept")
  func noLicence() throws {
    try admin.ok("USER.CREATE ana WORKSPACE corp FIRST Ana LICENCE corp/portal office ROLE manager")
    let token = try gate.token(of: "ana", to: "corp/portal")
    try admin.ok("LICENCE.REMOVE ana corp/portal")
    #expect(try gate.text("LOGIN.CHECK ana corp/portal") == "DENY no-licence")
    #expect(try gate.isNull("SESSION.CHECK \(token)"))
    try gate.refused("SESSION.CREATE ana corp/portal", with: "REFUSED login: no-licence")
    let rule = try admin.list("LOGIN.EXPLAIN ana corp/portal").first { $0["rule"] == "no-licence" }
    #expect(rule?["passed"] == "0" && rule?["remedy"] == "assign one with LICENCE.ASSIGN")
    let ana = try admin.fields("USER.GET ana")
    #expect(ana["status"] == "active" && ana["first"] == "Ana" && ana["main-role"] == "manager")
    #expect(try used("office") == 0)
    try admin.ok("LICENCE.ASSIGN ana corp/portal office")
    #expect(try gate.text("LOGIN.CHECK ana corp/portal") == "ALLOW")
  }

  @Test("P11: one or more roles a user")
  func severalRoles() throws {
    try admin.ok("USER.CREATE ana WORKSPACE corp ROLE individual ROLE manager")
    #expect(try roles(of: "ana") == ["individual", "manager"])
    try admin.ok("ROLE.REVOKE ana manager WORKSPACE corp")
    try admin.ok("ROLE.GRANT ana training-administrator WORKSPACE corp")
    #expect(try roles(of: "ana") == ["individual", "training-administrator"])
    #expect(
      try admin.refused("ROLE.GRANT ana boss WORKSPACE corp", with: "NOTFOUND")
        == "NOTFOUND role boss; roles are individual, manager, training-administrator, super-administrator, and single"
        + " permissions as PERMISSION.LIST names them")
  }

  @Test("P12: administrators delete users")
  func deleting() throws {
    try admin.ok("USER.CREATE ana WORKSPACE corp LICENCE corp/portal office")
    let ana = try gate.loggedIn("ana", to: "corp/portal")
    #expect(try ana.refused("USER.DELETE root", with: "NOPERM") == "NOPERM the permission user.delete")
    try admin.ok("USER.DELETE ana")
    #expect(try gate.text("LOGIN.CHECK ana corp/portal") == "DENY status-deleted")
    #expect(try used("office") == 0)
  }

  @Test("P13: nobody reads a password; set by an administrator, or made and mailed, it is temporary")
  func passwords() throws {
    try admin.ok(
      "USER.CREATE ana WORKSPACE corp EMAIL ana@corp.test LICENCE corp/portal office NOINVITE"
        + " PASSWORD 'three grey geese landed'")
    var login = try gate.fields("LOGIN.PASSWORD", "ana", "corp/portal", "three grey geese landed")
    #expect(login["decision"] == "ALLOW" && login["must-change"] == "1")
    let ana = gate.acting(as: try #require(login["session"]))
    try ana.ok("PASSWORD.CHANGE", "three grey geese landed", "five brown hens brood")
    login = try gate.fields("LOGIN.PASSWORD", "ana", "corp/portal", "five brown hens brood")
    #expect(login["must-change"] == "0")

    try admin.ok("PASSWORD.GENERATE ana")
    let mail = try #require(try gate.list("MAIL.NEXT COUNT 20").first { $0["kind"] == "password-generated" })
    let generated = try #require(mail["secret"])
    #expect(mail["to"] == "ana@corp.test" && mail["text"]?.contains(generated) == true)
    login = try gate.fields("LOGIN.PASSWORD", "ana", "corp/portal", generated)
    #expect(login["decision"] == "ALLOW" && login["must-change"] == "1")

    try admin.ok("PASSWORD.SET", "ana", "seven white swans sing")
    #expect(try gate.fields("LOGIN.PASSWORD", "ana", "corp/portal", "seven white swans sing")["must-change"] == "1")
    try admin.ok("WORKSPACE.SET corp policy.password.admin-sets-final on")
    try admin.ok("PASSWORD.SET", "ana", "seven white swans sing")
    #expect(try gate.fields("LOGIN.PASSWORD", "ana", "corp/portal", "seven white swans sing")["must-change"] == "0")

    let shown = try admin.shown("USER.GET ana") + admin.shown("AUDIT.LIST USER ana") + gate.shown("MAIL.LIST")
    for secret in ["geese", "hens", "swans", generated, "argon2"] { #expect(!shown.contains(secret), "\(secret)") }
  }

  // MARK: -

  private func roles(of user: String) throws -> [String] {
    try admin.list("ROLE.LIST \(user)").compactMap { $0["role"] }
  }

  private func used(_ type: String) throws -> Int64? {
    try admin.list("POOL.LIST corp/portal").first { $0["type"] == type }?.integer("used")
  }
}
