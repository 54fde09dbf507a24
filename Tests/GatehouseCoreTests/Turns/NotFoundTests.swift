import Testing

@testable import GatehouseCore

/// An error says what was not found, and never what may be a secret.
@Suite("What was not found") struct NotFoundTests {
  private let core = CoreHarness()

  init() {
    core.seedProduct("payroll")
    core.seedUser("ana")
  }

  @Test(
    "of two people, products and ids it is told which",
    arguments: [
      ("USER.GET nosuch", "user nosuch"), ("USER.MERGE ana nosuch", "user nosuch"), ("USER.MERGE #99 ana", "user #99"),
      ("IMPERSONATE.CAN ana nosuch", "user nosuch"), ("USER.COPYACCESS nosuch ana", "user nosuch"),
      ("POOL.LIST acme/none", "product acme/none"), ("ENTRY.GET 99", "entry #99"), ("SESSION.GET 99", "session #99"),
      ("MAIL.RETRY 99", "mail #99"), ("APIKEY.ROTATE 99", "active key #99"),
      ("TIMER.STOP ana WORKSPACE main", "timer of ana in main"),
    ])
  func named(_ line: String, _ what: String) {
    #expect(core.run(line).text == "NOTFOUND \(what)")
  }

  @Test("words that may be passwords or tokens are not repeated")
  func secrets() {
    let token = "gs_AAAAAAAAAAAABBBBBBBBBBBBBBBBBBBBBBBB"
    for line in ["PASSWORD.SET \"lange worte 44 zeilen\" ana", "USER.GET \(token)"] {
      #expect(core.run(line).text == "NOTFOUND user", "\(line)")
    }
    #expect(core.run("SESSION.GET \(token)").text == "NOTFOUND session")
  }

  @Test("what stands in the way of a login names the way out")
  func remedies() {
    core.run("USER.CREATE bob NOINVITE")
    let contact = core.run("USER.GET bob")["contact"]
    #expect(
      core.run("USER.RESTORE #\(contact)").text
        == "CONFLICT contact: #\(contact) has the live user bob; who is there need not be restored, and another login takes"
        + " USER.DELETE user first")
    core.run("USER.DELETE bob REASON left")
    core.run("USER.PURGE bob")
    #expect(
      core.run("USER.RESTORE #\(contact)").text
        == "NOTFOUND login: contact #\(contact) has none that could be restored, because it never had one or its last was"
        + " purged; make one with USER.CREATE username CONTACT #\(contact)")
  }

  @Test("of the permissions of a command, those are named that the caller has, and not over the person")
  func permissions() throws {
    core.run("USER.CREATE tom PRODUCT payroll NOINVITE")
    core.run("PRODUCT.ENABLE tom payroll ADMIN")
    core.run("USER.CREATE boss PRODUCT payroll NOINVITE")
    core.run("ROLE.GRANT boss training-administrator WORKSPACE main")
    #expect(
      core.run("USER.SET boss email x@acme.test", as: core.logIn("tom", "payroll")).text
        == "NOPERM the permission contact.set over an administrator with more power")
  }
}
