import Testing

@testable import GatehouseCore

/// Every command of the table, by a service that is bound to one of two products: what it does, what it is refused, and
/// that nothing of the other product is in any answer.
@Suite struct ProductServiceMatrixTests {
  /// What is carried out.
  private static let works = [
    "LOGIN.CHECK ana acme/payroll", "LOGIN.CHECK bob acme/payroll", "LOGIN.EXPLAIN ana acme/payroll",
    "LOGIN.EXPLAIN bob acme/payroll", "LOGIN.PASSWORD ana acme/payroll wrong-words", "LOGIN.TOTP gc_none 123456",
    "SESSION.CREATE ana acme/payroll", "SESSION.CHECK OWNTOKEN", "SESSION.CHECK OWNTOKEN PRODUCT acme/payroll",
    "SESSION.GET OWNSESSION", "SESSION.LIST ana", "SESSION.LIST bob", "SESSION.REVOKE OWNTOKEN",
    "SESSION.REVOKE OWNSESSION", "SESSION.REVOKEALL ana", "SESSION.REVOKEALL bob", "IMPERSONATE.END OWNSESSION",
    "IMPERSONATE.LIST", "APIKEY.CHECK KEY PRODUCT acme/payroll", "USER.GET ana", "USER.GET bob", "USER.LIST",
    "USER.LIST FIELDS 9 username name role product licence workspace sessions version last-login",
    "USER.LIST SORT last-login FIELDS 2 username initials", "USER.LIST COUNT 1", "USER.COUNT",
    "USER.LIST FIELDS 4 account employer group reference", "CONTACT.LIST", "USER.SEARCH a", "CONTACT.SEARCH a",
    "USER.SEARCH a PRODUCT acme/payroll", "CONTACT.GET ANA", "CONTACT.GET BOB", "LINK.LIST ana", "EMPLOY.LIST ana",
    "LINK.PEOPLE delegate c1",
    "MANAGE.LIST ana", "ROLE.LIST", "ROLE.LIST ana", "ROLE.LIST bob", "PERMISSION.LIST", "PERMISSION.LIST ana",
    "PERMISSION.LIST bob", "PERMISSION.CHECK ana PRODUCT acme/payroll product.access",
    "PERMISSION.CHECK bob OVER ana user.read user.set", "PERMISSION.CHECK bob user.read", "PRODUCT.LIST",
    "PRODUCT.ENABLE eva acme/payroll", "PRODUCT.ENABLE eva acme/payroll LICENCE office DRYRUN",
    "PRODUCT.DISABLE ana acme/payroll", "PRODUCT.DISABLE ana acme/payroll DRYRUN",
    "LICENCE.ASSIGN eva acme/payroll office", "LICENCE.REMOVE ana acme/payroll", "POOL.LIST", "POOL.LIST acme/payroll",
    "POOL.HOLDERS acme/payroll office", "ACCOUNT.LIST", "GROUP.LIST", "WORKSPACE.LIST", "PASSWORD.RESET ana",
    "APPROVAL.LIST", "MAIL.NEXT", "MAIL.ACK 4", "MAIL.FAIL 4 why", "MAIL.RETURN 4",
  ]

  /// What it has no right to, whatever it names.
  private static let refused = [
    "LOGIN.UNLOCK ana", "TOTP.ENROL ana", "TOTP.CONFIRM ana 123456", "TOTP.DISABLE ana", "TOTP.GET ana",
    "PASSWORD.GET ana",
    "IMPERSONATE.CAN ana bob WORKSPACE acme", "IMPERSONATE.START OWNTOKEN bob REASON x PRODUCT acme/payroll",
    "IMPERSONATE.START OWNTOKEN bob REASON x WORKSPACE acme", "APIKEY.CREATE ana", "APIKEY.COUNT ana",
    "APIKEY.LIST ana", "APIKEY.ROTATE KEYID", "APIKEY.DEACTIVATE KEYID", "APIKEY.DEACTIVATEALL ana",
    "TIMER.START eva WORKSPACE acme", "TIMER.STOP ana WORKSPACE acme", "TIMER.CURRENT ana WORKSPACE acme",
    "TIMER.RUNNING", "TIMER.RUNNING WORKSPACE acme", "ENTRY.ADD ana START 1 END 2 WORKSPACE acme",
    "ENTRY.CORRECT ENTRY NOTE x", "ENTRY.DELETE ENTRY", "ENTRY.GET ENTRY", "ENTRY.HISTORY ENTRY", "ENTRY.LIST ana",
    "USER.CREATE new WORKSPACE acme", "USER.CREATE new PRODUCT acme/payroll", "USER.SET ana first X",
    "USER.SET ana initials X", "USER.RENAME ana anna", "USER.STATUS ana locked", "USER.MOVEHOME ana main",
    "USER.DELETE ana REASON x", "USER.PROVISION ana title x WORKSPACE acme", "USER.EXTERNAL x WORKSPACE acme",
    "USER.ADDRESSED ana@acme.test WORKSPACE acme",
    "CONTACT.CREATE FIRST X WORKSPACE acme", "CONTACT.SET ANA first X", "CONTACT.DELETE ANA",
    "FIELD.DEFINE x text WORKSPACE acme", "FIELD.LIST WORKSPACE acme", "FIELD.DROP zetafield WORKSPACE acme",
    "USER.COUNT WHERE workspace = acme", "USER.SEARCH a WORKSPACE acme", "USER.PURGE ana", "USER.RESTORE ANA",
    "USER.ANONYMISE ana", "CONTACT.ANONYMISE ANA", "LINK.PEOPLE delegate c1 WORKSPACE acme",
    "USER.BULK SET department x IDS 1 ana", "USER.MERGE ana bob", "UNDO 12",
    "APPROVAL.LIST WORKSPACE acme", "LINK.ADD ana booking b1 WORKSPACE acme", "LINK.SET LINK STATUS x",
    "LINK.REMOVE LINK", "LINK.LIST ana WORKSPACE acme", "USER.INVITE ana",
    "USER.CREATEMANY WORKSPACE acme FIELDS 1 username ROWS 1 x", "PASSWORD.SET ana long-enough-words",
    "PASSWORD.GENERATE ana", "PASSWORD.IMPORT ana $2b$x", "WORKSPACE.CREATE gamma", "WORKSPACE.GET acme",
    "WORKSPACE.SET acme policy.session.ttl 1h", "WORKSPACE.MEMBER acme ana", "WORKSPACE.TRANSFER acme ana",
    "PRODUCT.CREATE acme/more", "PRODUCT.LIST WORKSPACE acme", "PRODUCT.ENABLE eva acme/payroll ADMIN",
    "PRODUCT.DISABLE root acme/payroll", "POOL.SET acme/payroll office 9", "USER.COPYACCESS ana bob",
    "ROLE.GRANT ana manager WORKSPACE acme", "ROLE.GRANT ana manager PRODUCT acme/payroll",
    "ROLE.REVOKE ana zetarole WORKSPACE acme", "ROLE.DEFINE x WORKSPACE acme user.read",
    "ROLE.DROP zetarole WORKSPACE acme", "PERMISSION.LIST ana WORKSPACE acme",
    "PERMISSION.CHECK ana WORKSPACE acme user.read", "ACCOUNT.CREATE x CUSTOMER WORKSPACE acme",
    "ACCOUNT.SET zetaaccount name x WORKSPACE acme", "ACCOUNT.GET zetaaccount WORKSPACE acme",
    "ACCOUNT.LIST WORKSPACE acme", "ACCOUNT.DELETE zetaaccount WORKSPACE acme", "GROUP.CREATE x WORKSPACE acme",
    "GROUP.GET zetagroup WORKSPACE acme", "GROUP.RENAME zetagroup x WORKSPACE acme",
    "GROUP.ADD zetagroup zetaaccount WORKSPACE acme", "GROUP.REMOVE zetagroup zetaaccount WORKSPACE acme",
    "GROUP.LIST WORKSPACE acme", "GROUP.DELETE zetagroup WORKSPACE acme", "GROUP.EXTERNAL zetagroup x WORKSPACE acme",
    "EMPLOY.ADD bob zetaaccount WORKSPACE acme",
    "EMPLOY.SET ana zetaaccount TO 2030-01-01 WORKSPACE acme", "EMPLOY.END ana zetaaccount WORKSPACE acme",
    "EMPLOY.LIST ana WORKSPACE acme", "MANAGE.ADD ana ACCOUNT zetaaccount WORKSPACE acme",
    "MANAGE.REMOVE ana GROUP zetagroup WORKSPACE acme", "MANAGE.LIST ana WORKSPACE acme", "MAIL.RETRY 4", "MAIL.DROP 4",
    "MAIL.LIST", "MAIL.TEMPLATE.SET invitation a b WORKSPACE acme", "MAIL.TEMPLATE.RESET invitation WORKSPACE acme",
    "MAIL.TEMPLATE.GET invitation WORKSPACE acme", "MAIL.TEMPLATE.LIST WORKSPACE acme",
    "MAIL.TEMPLATE.PREVIEW invitation WORKSPACE acme", "AUDIT.LIST", "AUDIT.LIST USER ana", "AUDIT.HEAD",
    "AUDIT.VERIFY", "REFUSALS.LIST", "REFUSALS.LIST PRODUCT acme/payroll", "FEED.READ 0", "FEED.READ 0 WORKSPACE acme",
    "WEBHOOK.CREATE x https://example.com/ WORKSPACE acme", "WEBHOOK.SET zetahook ANYTYPE WORKSPACE acme",
    "WEBHOOK.ROTATE zetahook WORKSPACE acme", "WEBHOOK.PAUSE zetahook WORKSPACE acme",
    "WEBHOOK.RESUME zetahook WORKSPACE acme", "WEBHOOK.RETRY zetahook WORKSPACE acme",
    "WEBHOOK.DELETE zetahook WORKSPACE acme", "WEBHOOK.NOTE 1 1 1 1", "WEBHOOK.LIST",
    "WEBHOOK.GET zetahook WORKSPACE acme", "SERVICE.CREATE x", "SERVICE.LIST", "SERVICE.SET portal READ",
    "SERVICE.ROTATE portal", "SERVICE.DELETE portal",
  ]

  /// What is answered as for something that does not exist. Names with `zeta`, and words in capitals, are replaced by such.
  private static let unknown = [
    "LOGIN.CHECK ana acme/zeta", "LOGIN.EXPLAIN ana acme/zeta", "LOGIN.PASSWORD ana acme/zeta wrong-words",
    "SESSION.CREATE ana acme/zeta", "SESSION.CHECK TOKEN", "SESSION.CHECK OWNTOKEN PRODUCT acme/zeta",
    "SESSION.GET SESSION", "SESSION.GET TOKEN", "SESSION.REVOKE SESSION", "SESSION.REVOKE TOKEN",
    "IMPERSONATE.END IMPERSONATION", "IMPERSONATE.END IMPERSONATIONTOKEN",
    "IMPERSONATE.START TOKEN eva REASON x PRODUCT acme/payroll",
    "IMPERSONATE.START OWNTOKEN eva REASON x PRODUCT acme/zeta", "APIKEY.CHECK KEY PRODUCT acme/zeta",
    "APIKEY.CHECK BOBKEY PRODUCT acme/payroll", "AS TOKEN USER.GET ana", "AS IMPERSONATIONTOKEN USER.GET ana",
    "AS BOBKEY USER.GET ana", "USER.COUNT WHERE product = acme/zeta", "USER.COUNT WHERE product ~= zeta",
    "USER.COUNT WHERE licence = zetatype", "USER.COUNT WHERE role = zetarole", "USER.COUNT WHERE role ~= zeta",
    "USER.COUNT WHERE account = acme/zetaaccount", "USER.COUNT WHERE employer = acme/zetaaccount",
    "USER.COUNT WHERE group = acme/zetagroup", "USER.COUNT WHERE zetafield = zetavalue",
    "USER.COUNT WHERE reference = zetaref", "USER.LIST SORT zetafield", "USER.LIST FIELDS 1 zetafield",
    "USER.SEARCH a PRODUCT acme/zeta", "PERMISSION.CHECK bob PRODUCT acme/zeta product.access",
    "PERMISSION.CHECK bob ACCOUNT acme/zetaaccount user.read", "PRODUCT.ENABLE eva acme/zeta",
    "PRODUCT.ENABLE eva acme/zeta DRYRUN", "PRODUCT.DISABLE ana acme/zeta", "POOL.LIST acme/zeta",
    "POOL.HOLDERS acme/zeta zetatype", "POOL.HOLDERS acme/payroll zetatype", "LICENCE.ASSIGN ana acme/zeta zetatype",
    "LICENCE.ASSIGN ana acme/payroll zetatype", "LICENCE.REMOVE ana acme/zeta",
    "PRODUCT.ENABLE ana acme/payroll LICENCE zetatype", "ACCOUNT.GET acme/zetaaccount",
    "ACCOUNT.LIST GROUP acme/zetagroup",
    "GROUP.GET acme/zetagroup", "APPROVAL.GRANT APPROVAL", "APPROVAL.REFUSE APPROVAL", "PASSWORD.CHANGE old new",
    "PASSWORD.REDEEM gr_none long-enough-words", "PASSWORD.RESET outsider", "SESSION.REVOKEALL ana EXCEPT SESSION",
  ]

  /// What the words in capitals stand for, and things of that kind that do not exist.
  private struct Names {
    var there: [String: String] = [:]
    var nowhere: [String: String] = [:]

    init(_ core: CoreHarness) {
      func id(_ answer: Answer, _ key: String = "id") -> Int64 { answer[key].integer ?? 0 }
      let other = core.run("SESSION.CREATE bob acme/zeta AGENT zetaagent")
      let own = core.run("SESSION.CREATE ana acme/payroll")
      let acting = core.run(
        "IMPERSONATE.START \(core.logIn("root", "acme/zeta")) ana REASON zetareason PRODUCT acme/zeta")
      let (key, bobs) = (core.run("APIKEY.CREATE ana NAME zetakey"), core.run("APIKEY.CREATE bob NAME zetakey"))
      let entry = id(core.run("ENTRY.LIST ana")[1][0], "entry")
      let link = id(core.run("LINK.LIST ana")[1][0], "link")
      func both(_ name: String, _ value: String) { (there[name], nowhere[name]) = (value, value) }
      both("OWNTOKEN", own["session"].text ?? "")
      both("OWNSESSION", "\(id(own))")
      both("KEY", key["key"].text ?? "")
      both("KEYID", "\(id(key))")
      both("ANA", "#\(id(core.run("USER.GET ana"), "contact"))")
      both("BOB", "#\(id(core.run("USER.GET bob"), "contact"))")
      both("ENTRY", "\(entry)")
      both("LINK", "\(link)")
      func pair(_ name: String, _ real: String, _ none: String) { (there[name], nowhere[name]) = (real, none) }
      let token = other["session"].text ?? ""
      pair("TOKEN", token, Self.wrong(token))
      pair("SESSION", "\(id(other))", "\(id(other) + 4_000)")
      pair("IMPERSONATION", "\(id(acting))", "\(id(acting) + 4_000)")
      pair("IMPERSONATIONTOKEN", acting["session"].text ?? "", Self.wrong(acting["session"].text ?? ""))
      pair("BOBKEY", bobs["key"].text ?? "", Self.wrong(bobs["key"].text ?? ""))
      // One of root's own workspace, kept for a second person.
      core.run("WORKSPACE.SET acme policy.approval.needs user.status")
      let approval = core.run("USER.STATUS bob inactive", as: core.logIn("root", "acme/zeta"))
      pair("APPROVAL", "\(id(approval, "approval"))", "\(id(approval, "approval") + 4_000)")
      #expect(!there.values.contains { $0.isEmpty || $0 == "0" }, "\(there)")
    }

    /// A secret of the same form that nobody has.
    private static func wrong(_ secret: String) -> String {
      String(secret.dropLast()) + (secret.last == "a" ? "b" : "a")
    }

    func words(_ line: String, _ names: [String: String]) -> [String] {
      CoreHarness.words(line).map { names[$0] ?? $0 }
    }
  }

  private static func world() -> (core: CoreHarness, names: Names) {
    let core = ProductWorld.make()
    let names = Names(core)
    core.connection = ConnectionFacts(id: 2, service: 2, rights: .all, isBound: true)
    return (core, names)
  }

  private static func isRefused(_ answer: Answer) -> Bool {
    answer.isError && answer.text?.hasPrefix("NOPERM ") == true
  }

  /// None is missing: a new command must be put in one of the lists.
  @Test func allCommandsAreThere() {
    let tried = Set((Self.works + Self.refused + Self.unknown).map { $0.split(separator: " ")[0] })
    for spec in CommandTable.all {
      switch spec.body {
      case .decide, .gather: #expect(tried.contains(Substring(spec.name)), "\(spec.name) is in none of the lists")
      case .server, .prefix, .minimum: break
      }
    }
  }

  @Test func whatWorks() {
    for line in Self.works {
      let (core, names) = Self.world()
      let answer = core.run(names.words(line, names.there))
      #expect(!answer.isError, "\(line): \(answer)")
      #expect(!"\(answer)".contains("zeta"), "\(line): \(answer)")
    }
  }

  @Test func whatIsRefused() {
    let (core, names) = Self.world()
    let before = core.lsn
    for line in Self.refused {
      let answer = core.run(names.words(line, names.there))
      #expect(Self.isRefused(answer), "\(line): \(answer)")
      #expect(!"\(answer)".contains("zeta"), "\(line): \(answer)")
    }
    #expect(core.lsn == before)
  }

  @Test func whatDoesNotExist() {
    let (with, names) = Self.world()
    let without = Self.world().core
    for line in Self.unknown { expectAlike(line, names, with, without) }
  }

  /// The same through a session of somebody who may do everything in the workspace.
  @Test func nothingMoreThroughAnAdministrator() {
    let (with, without) = (Self.world(), Self.world())
    let token = with.core.run("SESSION.CREATE root acme/payroll")["session"].text ?? ""
    let other = without.core.run("SESSION.CREATE root acme/payroll")["session"].text ?? ""
    #expect(token == other)
    for line in Self.works + Self.refused + Self.unknown where !line.hasPrefix("AS ") && !line.contains("REVOKE") {
      let spec = CommandTable.all.first { $0.name == line.split(separator: " ")[0] }
      guard spec?.need.isForUsers == true else { continue }
      expectAlike("AS \(token) \(line)", with.names, with.core, without.core)
    }
  }

  /// Compares the answer about something that is there with the answer about something that is not.
  private func expectAlike(_ line: String, _ names: Names, _ with: CoreHarness, _ without: CoreHarness) {
    func plain(_ answer: Answer) -> String {
      var text = "\(answer)"
      for (name, value) in names.there where names.nowhere[name] != value && CoreHarness.words(line).contains(name) {
        text = text.replacing(value, with: names.nowhere[name] ?? "")
      }
      return text.replacing("zeta", with: "nowt")
    }
    let seen = with.run(names.words(line, names.there))
    let expected = without.run(names.words(line.replacing("zeta", with: "nowt"), names.nowhere))
    #expect(plain(seen) == "\(expected)", "\(line)")
    // A name that the caller gave may be repeated.
    if !line.contains("zeta") { #expect(!"\(seen)".contains("zeta"), "\(line): \(seen)") }
  }
}
