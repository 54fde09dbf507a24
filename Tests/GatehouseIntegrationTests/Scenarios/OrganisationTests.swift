import GatehouseTestSupport
import Testing

/// System L: people, accounts, roles and statuses of a training organisation (accessplanit). The rows from L13 on are in
/// `OrganisationTests+administration.swift`.
///
/// The workspace `plan` has a provider with a super administrator and a training administrator, and two customers, of
/// which one has a manager and two individuals.
@Suite("L: organisations, roles, statuses", .blocking)
struct OrganisationTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    gate = try server.client()
    for line in [
      "WORKSPACE.CREATE plan PROFILE accessplanit", "PRODUCT.CREATE plan/training",
      "ACCOUNT.CREATE Academy PROVIDER WORKSPACE plan", "ACCOUNT.CREATE Widgets CUSTOMER WORKSPACE plan",
      "ACCOUNT.CREATE Gadgets CUSTOMER WORKSPACE plan", "GROUP.CREATE Europe WORKSPACE plan",
      "GROUP.ADD Europe Widgets WORKSPACE plan",
    ] { try gate.ok(line) }
    for (user, account, role) in [
      ("sue", "Academy", "super-administrator"), ("tina", "Academy", "training-administrator"),
      ("mara", "Widgets", "manager"), ("indy", "Widgets", "individual"), ("ivan", "Widgets", "individual"),
    ] {
      try gate.ok(
        "USER.CREATE \(user) WORKSPACE plan ACCOUNT \(account) ROLE \(role) WITHIN PRODUCT plan/training NOINVITE")
    }
  }

  func session(of user: String) throws -> Client { try gate.loggedIn(user, to: "plan/training") }

  @Test("L1: one list of all people, current at once")
  func oneList() throws {
    let tina = try session(of: "tina")
    func names() throws -> [String] {
      try tina.pages("USER.LIST SORT username FIELDS 1 username").compactMap { $0["username"] }
    }
    #expect(try names() == ["indy", "ivan", "mara", "tina"], "and not the super administrator (L10)")
    try session(of: "sue").ok("USER.CREATE otto WORKSPACE plan FIRST Otto")
    #expect(try names() == ["indy", "ivan", "mara", "otto", "tina"])
    try gate.ok("USER.SET otto first Ottokar")
    #expect(try tina.list("USER.SEARCH ottok").map { $0["username"] } == ["otto"])
  }

  @Test("L2: custom fields have a type and may be mandatory; only super administrators define them")
  func customFields() throws {
    let (sue, tina) = (try session(of: "sue"), try session(of: "tina"))
    #expect(
      try tina.refused("FIELD.DEFINE shirt choice WORKSPACE plan CHOICES 3 S M L", with: "NOPERM")
        == "NOPERM the permission field.define")
    try sue.ok("FIELD.DEFINE shirt choice MANDATORY WORKSPACE plan CHOICES 3 S M L")
    try sue.ok("FIELD.DEFINE shoe number WORKSPACE plan")
    #expect(
      try tina.refused("USER.CREATE otto WORKSPACE plan", with: "REFUSED")
        == "REFUSED user.required-fields: missing shirt; give FIELD shirt value")
    #expect(
      try tina.refused("USER.CREATE otto WORKSPACE plan FIELD shirt XXL", with: "ERR")
        == "ERR shirt must be one of S, M, L")
    try tina.ok("USER.CREATE otto WORKSPACE plan FIELD shirt m")
    #expect(
      try tina.refused("USER.SET otto shoe big", with: "ERR") == "ERR shoe is not a whole number, such as 40")
    #expect(try tina.pages("USER.LIST WHERE shirt = M FIELDS 2 username shirt").map { $0["username"] } == ["otto"])
  }

  @Test("L3: delegate, booking, invoice and award records of a person, in one list")
  func linkedRecords() throws {
    let tina = try session(of: "tina")
    for (kind, ref) in [("delegate", "course-17"), ("booking", "b-1"), ("invoice", "2026-9"), ("award", "gold")] {
      try tina.ok("LINK.ADD indy \(kind) \(ref) WORKSPACE plan STATUS open ATTR seat 4")
    }
    let links = try tina.pages("LINK.LIST indy WORKSPACE plan")
    #expect(links.map { $0["kind"] } == ["award", "invoice", "booking", "delegate"], "the newest first")
    #expect(links[0]["status"] == "open" && links[0].shown("attributes").contains("seat"))
    #expect(try tina.pages("LINK.LIST indy KIND booking").map { $0["ref"] } == ["b-1"])
  }

  @Test("L4: restricted bookings: none are made as that user")
  func restrictedBookings() throws {
    let (tina, mara) = (try session(of: "tina"), try session(of: "mara"))
    let indy = try session(of: "indy")
    try indy.ok("LINK.ADD indy booking b-1 WORKSPACE plan")
    for user in ["indy", "mara"] { try tina.ok("USER.SET \(user) restrict-bookings 1") }
    #expect(
      try indy.refused("LINK.ADD indy booking b-2 WORKSPACE plan", with: "REFUSED")
        == "REFUSED restrict-bookings: indy may not make bookings; let an administrator make it, or allow it with USER.SET"
        + " indy restrict-bookings 0")
    try mara.refused("LINK.ADD ivan booking b-2 WORKSPACE plan", with: "REFUSED restrict-bookings: mara ")
    let start = try gate.fields(
      "IMPERSONATE.START \(try gate.token(of: "tina", to: "plan/training")) indy WORKSPACE plan REASON 'to book'")
    try gate.acting(as: try #require(start["session"]))
      .refused("LINK.ADD indy booking b-2 WORKSPACE plan", with: "REFUSED restrict-bookings: indy ")
    // Both remedies.
    try tina.ok("LINK.ADD indy booking b-2 WORKSPACE plan")
    try tina.ok("USER.SET indy restrict-bookings 0")
    try indy.ok("LINK.ADD indy booking b-3 WORKSPACE plan")
  }

  @Test("L5: a second factor at login: an app, codes that work once, and recovery codes")
  func secondFactor() throws {
    try gate.ok("WORKSPACE.SET plan policy.password.admin-sets-final on policy.login.second-factor administrators")
    for user in ["indy", "tina"] { try gate.ok("PASSWORD.SET \(user) five-quiet-rivers") }
    let login = "LOGIN.PASSWORD indy plan/training five-quiet-rivers"
    let own = try gate.token(of: "indy", to: "plan/training")
    let app = try #require(Authenticator(try gate.acting(as: own).text("TOTP.ENROL indy")))
    #expect(try gate.fields(login)["decision"] == "ALLOW", "an individual may do without")
    let codes = try app.codes(at: [nowMilliseconds() - 30_000, nowMilliseconds(), nowMilliseconds() + 30_000])
    let recovery = try gate.acting(as: own).reply("TOTP.CONFIRM indy \(codes[0])").items.compactMap(\.scalarText)
    #expect(recovery.count == 10)
    #expect(try gate.isNull("SESSION.CHECK \(own)"), "it was opened without a second factor")

    let challenge = try #require(try gate.fields(login)["challenge"])
    let session = try #require(try gate.fields("LOGIN.TOTP \(challenge) \(codes[1])")["session"])
    #expect(try gate.fields("SESSION.CHECK \(session)")["username"] == "indy")
    #expect(try gate.fields("\(login) TOTP \(codes[1])")["reason"] == "credentials", "no code works twice")
    #expect(try gate.fields("\(login) TOTP \(recovery[0])")["decision"] == "ALLOW")
    #expect(try gate.fields("\(login) TOTP \(recovery[0])")["reason"] == "credentials")

    // The policy: an administrator begins one at the next login.
    let begun = try gate.fields("LOGIN.PASSWORD tina plan/training five-quiet-rivers")
    let phone = try #require(Authenticator(begun["enrol"]))
    let admitted = try gate.fields(
      "LOGIN.TOTP \(try #require(begun["challenge"])) \(try phone.code(at: nowMilliseconds()))")
    #expect(admitted["decision"] == "ALLOW" && admitted.texts("recovery-codes").count == 10)
    let tina = gate.acting(as: try #require(admitted["session"]))
    try tina.ok("TOTP.DISABLE indy")
    #expect(try gate.isNull("SESSION.CHECK \(session)"))
    #expect(try gate.fields(login)["decision"] == "ALLOW")
  }

  @Test("L6: anonymising clears personal data and keeps the record and its history")
  func anonymising() throws {
    let tina = try session(of: "tina")
    let eva = try tina.fields(
      "USER.CREATE eva WORKSPACE plan FIRST Eva LAST Lind EMAIL eva@w.test ACCOUNT Widgets NOINVITE")
    let id = try #require(eva["id"])
    try tina.ok("LINK.ADD eva delegate course-17 WORKSPACE plan")
    try tina.ok("USER.ANONYMISE eva")
    let seen = try tina.fields("USER.GET #\(id)")
    #expect(seen["username"] == "anonymous-\(id)" && seen["status"] == "inactive")
    #expect(seen["first"] == nil && seen["last"] == nil && seen["email"] == nil)
    #expect(try tina.list("CONTACT.SEARCH eva").isEmpty)
    #expect(try tina.pages("LINK.LIST anonymous-\(id)").map { $0["ref"] } == ["course-17"])
    let trail = try tina.pages("AUDIT.LIST USER #\(id)").flatMap(\.changes).joined(separator: "\n")
    #expect(trail.contains("user-created") && !trail.contains("Lind") && !trail.contains("eva@w.test"))
  }

  @Test("L7: accounts are providers or customers, and who has no employer is in the Guest Account")
  func accounts() throws {
    let tina = try session(of: "tina")
    #expect(
      try tina.pages("ACCOUNT.LIST WORKSPACE plan").map { "\($0["name"] ?? "") \($0["type"] ?? "")" } == [
        "Academy provider", "Widgets customer", "Gadgets customer", "Guest Account customer",
      ])
    try tina.ok("USER.CREATE guest WORKSPACE plan")
    #expect(try tina.fields("USER.GET guest")["account"] == "plan/Guest Account")
    #expect(
      try tina.pages("USER.LIST WHERE account = 'plan/Guest Account'").map { $0["username"] } == ["guest"])
    #expect(
      try tina.refused("ACCOUNT.CREATE Widgets CUSTOMER WORKSPACE plan", with: "CONFLICT")
        == "CONFLICT account: Widgets is there already; choose another name")
    #expect(
      try tina.refused("ACCOUNT.DELETE Widgets WORKSPACE plan", with: "REFUSED account: 3 (").hasSuffix(
        ") are employed at Widgets; end that first with EMPLOY.END user account"))
  }

  @Test("L8: employments have a start, an end and a main one, which drives filters")
  func employments() throws {
    let tina = try session(of: "tina")
    try tina.ok("EMPLOY.ADD indy Gadgets FROM 2020-01-01 TO 2999-12-31 MAIN WORKSPACE plan")
    let held = try tina.list("EMPLOY.LIST indy")
    #expect(held.map { $0["account"] } == ["plan/Widgets", "plan/Gadgets"])
    #expect(held.map { $0["main"] } == ["0", "1"])
    #expect(held[1]["from"] == "2020-01-01" && held[1]["to"] == "2999-12-31")
    #expect(try tina.pages("USER.LIST WHERE account = plan/Gadgets").map { $0["username"] } == ["indy"])
    #expect(try tina.integer("USER.COUNT WHERE employer = plan/Widgets") == 3)
    #expect(
      try tina.refused("EMPLOY.ADD indy Gadgets WORKSPACE plan", with: "CONFLICT")
        == "CONFLICT employment: indy is employed at Gadgets already; EMPLOY.SET changes how")
    try tina.ok("EMPLOY.END indy Gadgets WORKSPACE plan")
    #expect(try tina.fields("USER.GET indy")["account"] == "plan/Widgets", "another takes the mark")
  }

  @Test("L9: management links to users, accounts and groups are something else than the manager role")
  func managementLinks() throws {
    let tina = try session(of: "tina")
    for (kind, name) in [("USER", "indy"), ("ACCOUNT", "Gadgets"), ("GROUP", "Europe")] {
      #expect(try tina.integer("MANAGE.ADD ivan \(kind) \(name) WORKSPACE plan") == 1)
    }
    #expect(
      try tina.list("MANAGE.LIST ivan").map { "\($0["kind"] ?? "") \($0["name"] ?? "")" } == [
        "user indy", "account plan/Gadgets", "group plan/Europe",
      ])
    try tina.ok("USER.SET ivan email ivan@w.test")
    try tina.ok("USER.STATUS indy pending")
    #expect(
      try tina.pages("MAIL.LIST KIND managed-status").map { $0["to"] } == ["ivan@w.test"], "managers get the notices")
    // The links alone give no right.
    #expect(try session(of: "ivan").refused("USER.GET indy", with: "NOPERM") == "NOPERM the permission user.read")
    try tina.ok("ROLE.GRANT ivan manager WORKSPACE plan")
    #expect(try session(of: "ivan").fields("USER.GET indy")["username"] == "indy", "of the group Europe")
    #expect(try tina.integer("MANAGE.REMOVE ivan GROUP Europe WORKSPACE plan") == 1)
    try session(of: "ivan").refused("USER.GET indy", with: "NOTFOUND user indy")
  }

  @Test("L10: own data; those employed today by managed accounts; all but super administrators; everything")
  func whoSeesWhom() throws {
    try gate.ok("USER.CREATE gus WORKSPACE plan ACCOUNT Gadgets PRODUCT plan/training ROLE individual WITHIN NOINVITE")
    func seen(by user: String) throws -> [String] {
      try session(of: user).pages("USER.LIST SORT username FIELDS 1 username").compactMap { $0["username"] }
    }
    let indy = try session(of: "indy")
    try indy.ok("USER.SET indy first Indy phone 123")
    for line in ["USER.GET ivan", "USER.SET ivan first Ivo", "USER.LIST", "USER.STATUS indy inactive"] {
      try indy.refused(line, with: "NOPERM the permission ")
    }
    let mara = try session(of: "mara")
    #expect(try seen(by: "mara") == ["indy", "ivan", "mara"])
    try mara.ok("USER.SET indy phone 456")
    try mara.ok("LINK.ADD indy booking b-1 WORKSPACE plan")
    #expect(try mara.refused("USER.GET gus", with: "NOTFOUND") == "NOTFOUND user gus")
    try mara.refused("USER.STATUS indy inactive", with: "NOPERM the permission user.status")

    let tina = try session(of: "tina")
    #expect(try seen(by: "tina") == ["gus", "indy", "ivan", "mara", "tina"])
    #expect(try seen(by: "sue") == ["gus", "indy", "ivan", "mara", "sue", "tina"])
    try tina.ok("USER.STATUS gus inactive")
    #expect(
      try tina.refused("USER.STATUS sue inactive", with: "NOPERM")
        == "NOPERM the role super-administrator, to manage a super administrator")
    try tina.refused("WORKSPACE.SET plan policy.session.ttl 1h", with: "NOPERM the permission security.set")
    let sue = try session(of: "sue")
    try sue.ok("USER.STATUS tina inactive")
    try sue.ok("WORKSPACE.SET plan policy.session.ttl 1h")

    // Not employed there any more, not seen any more.
    try gate.ok("EMPLOY.END indy Widgets WORKSPACE plan")
    #expect(try seen(by: "mara") == ["ivan", "mara"])
  }

  @Test("L11: one of several roles is the main role")
  func mainRole() throws {
    func main() throws -> [String?] {
      try gate.list("ROLE.LIST indy").filter { $0["main"] == "1" }.map { $0["role"] }
    }
    #expect(try main() == ["individual"], "the first role given")
    try gate.ok("ROLE.GRANT indy manager WORKSPACE plan MAIN")
    #expect(try main() == ["manager"])
    try gate.ok("ROLE.GRANT indy training-administrator WORKSPACE plan")
    #expect(try main() == ["manager"])
    try gate.ok("ROLE.REVOKE indy manager WORKSPACE plan")
    #expect(try main().count == 1, "there is a main role as long as there is a role")
  }

  @Test("L12: deleting marks first, purging removes for good, and is refused while anything refers to the user")
  func twoSteps() throws {
    let tina = try session(of: "tina")
    let eva = try tina.fields("USER.CREATE eva WORKSPACE plan EMAIL eva@w.test")
    let (id, contact) = (try #require(eva["id"]), try #require(eva["contact"]))
    try tina.ok("ENTRY.ADD eva START 2026-03-02T09:00:00Z END 2026-03-02T10:00:00Z WORKSPACE plan")
    #expect(
      try tina.refused("USER.PURGE eva", with: "REFUSED")
        == "REFUSED purge: eva is not deleted; delete the user first with USER.DELETE eva REASON text")
    try tina.ok("USER.DELETE eva")
    #expect(try tina.fields("USER.GET #\(id)")["status"] == "deleted")
    #expect(
      try tina.refused("USER.DELETE eva", with: "REFUSED")
        == "REFUSED status: the user is deleted; remove what is left for good with USER.PURGE #\(id), or give the contact"
        + " a new login: USER.CREATE username CONTACT #\(contact)")
    #expect(
      try tina.refused("USER.PURGE #\(id)", with: "REFUSED")
        == "REFUSED references: eva is referred to by 1 time entry (ENTRY.DELETE); remove what can be removed first,"
        + " or clear the personal data with USER.ANONYMISE #\(id)")
    try tina.ok("ENTRY.DELETE \(try #require(try tina.pages("ENTRY.LIST eva").first?["entry"]))")
    // The invitation to a login that is gone keeps nothing.
    #expect(try tina.pages("MAIL.LIST USER eva").count == 1)
    try tina.ok("USER.PURGE #\(id)")
    #expect(try tina.pages("MAIL.LIST USER #\(id)").isEmpty)
    #expect(try tina.refused("USER.GET #\(id)", with: "NOTFOUND") == "NOTFOUND user #\(id)")
    #expect(try tina.fields("CONTACT.GET #\(contact)").value("logins")?.items.count == 0, "the contact stays")
  }
}
