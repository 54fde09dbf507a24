import Testing

@testable import GatehouseCore

/// What somebody mistypes or leaves out is refused, or does what was meant: found by administrators who followed the guides.
@Suite struct SlipTests {
  private let core = CoreHarness(partitions: 8)

  init() {
    core.run("PRODUCT.CREATE payroll")
    core.run("ACCOUNT.CREATE Widgets CUSTOMER")
    core.run("USER.CREATE ana PRODUCT payroll ACCOUNT Widgets NOINVITE")
  }

  @Test(
    "a day without its hyphens is not taken for a time in 1970",
    arguments: [
      "USER.SET ana hired 20260301", "USER.SET ana hired 2026", "USER.SET ana released 0",
      "USER.CREATE dd HIRED 20240115",
      "PRODUCT.ENABLE ana payroll FROM 20260301", "EMPLOY.SET ana Widgets FROM 20240101",
      "EMPLOY.SET ana Widgets TO 2024",
      "ENTRY.ADD ana START 20261101 END 20261102", "ROLE.GRANT ana manager UNTIL 20300101",
      "USER.CREATE dd EMPLOYED Widgets 2024 none NOINVITE", "LOGIN.EXPLAIN ana payroll AT 20260301",
    ])
  func daysWithoutHyphens(line: String) {
    let reply = core.run(line)
    #expect(reply.isError && reply.text?.contains("2026-03-01") == true, "\(line): \(reply)")
  }

  @Test("L2: days of birth lie before 1970, and are sorted and compared")
  func birthdays() {
    core.run("FIELD.DEFINE born day")
    for (name, day) in [("bo", "1965-05-05"), ("cy", "1971-01-01"), ("di", "1899-12-31")] {
      core.run("USER.CREATE \(name) FIELD born \(day) HIRED \(day) NOINVITE")
    }
    let list = core.run("USER.LIST SORT born WHERE born < 1970-06-01 FIELDS 3 username born hired")[1]
    #expect(
      "\(list)"
        == "[{username: di, born: 1899-12-31, hired: 1899-12-31}, {username: bo, born: 1965-05-05, hired: 1965-05-05}]")
    #expect(core.run("USER.COUNT WHERE hired < 1965-05-06").integer == 2)
    core.expectReplicated()
  }

  @Test("B7: an end on the last day there is, and a beginning on the first, are times that every command takes")
  func ends() {
    for zone in ["America/New_York", "UTC", "Europe/Prague"] {
      core.run("WORKSPACE.SET main policy.timezone \(zone)")
      core.run("PRODUCT.ENABLE ana payroll FROM 1970-01-01 UNTIL 9999-12-31")
      let access = core.run("USER.GET ana")["products"][0]
      for name in ["from", "until"] {
        let time = access[name].integer ?? -1
        #expect((0...Limits.latestTime).contains(time), "\(name) \(time) in \(zone)")
      }
    }
  }

  @Test("W1, S5: a login for a contact is made in the workspace that governs the contact, unless another is named")
  func homeOfContact() {
    core.run("WORKSPACE.CREATE law")
    let contact = core.run("CONTACT.CREATE FIRST Ola WORKSPACE law")["contact"]
    core.run("WORKSPACE.SET law policy.user.needs-billing-acceptance on")
    let line = "USER.CREATE ola CONTACT #\(contact) NOINVITE"
    #expect(core.run(line).text?.hasPrefix("REFUSED user.needs-billing-acceptance: ") == true)
    core.run(line + " ACCEPT-BILLING")
    #expect(core.run("USER.GET ola")["home"].text == "law")
    let other = core.run("CONTACT.CREATE FIRST Ula WORKSPACE law")["contact"]
    core.run("USER.CREATE ula CONTACT #\(other) WORKSPACE main NOINVITE")
    #expect(core.run("USER.GET ula")["home"].text == "main")
  }

  @Test("S4, L2: any field of people can be required")
  func requiredFields() {
    core.run("WORKSPACE.SET main policy.user.required-fields first,phone,hired,reference")
    #expect(
      core.run("USER.CREATE bo FIRST Bo NOINVITE").text
        == "REFUSED user.required-fields: missing phone, hired, reference; give PHONE, HIRED, REFERENCE")
    let made = core.run("USER.CREATE bo FIRST Bo PHONE 1 HIRED 2026-03-01 REFERENCE r NOINVITE")
    #expect(!made.isError, "\(made)")
    #expect(
      core.run(["USER.SET", "bo", "phone", ""]).text
        == "REFUSED user.required-fields: main requires phone; give it another value")
    #expect(core.run("WORKSPACE.SET main policy.user.required-fields authority").isError, "a flag is never missing")
  }

  @Test("W4: who names a workspace that there is not is told so, also where the rest is their own")
  func misspeltWorkspace() {
    let token = core.logIn("ana", "payroll")
    #expect(core.run("TIMER.START ana WORKSPACE mian", as: token).text == "NOTFOUND workspace mian")
    core.run("WORKSPACE.CREATE secret")
    #expect(core.run("TIMER.START ana WORKSPACE secret", as: token).text == "NOTFOUND workspace secret")
    #expect(!core.run("TIMER.START ana WORKSPACE main", as: token).isError)
  }

  @Test("a text for an invitation that nobody gets is refused")
  func messages() {
    #expect(
      core.run("USER.CREATE im STATUS inactive MESSAGE hello").text
        == "ERR MESSAGE is the text of the invitation, and who is inactive is not invited; leave it out")
  }
}
