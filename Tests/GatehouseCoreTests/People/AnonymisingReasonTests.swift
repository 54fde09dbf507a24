import Testing

@testable import GatehouseCore

/// L6: a reason may be given for clearing somebody's data, of whoever has a login and of whoever has none. It is history, and
/// stays in the trail when what it was about is gone.
@Suite struct AnonymisingReasonTests {
  let core = CoreHarness(partitions: 4)

  private func newest(_ who: String) -> (command: String?, reason: Answer) {
    let event = core.run("AUDIT.LIST ENTITY \(who) COUNT 1")[1][0]
    return (event["command"].text, event["reason"])
  }

  @Test func ofAUser() {
    let id = core.run("USER.CREATE ana FIRST Ana NOINVITE")["id"].integer ?? 0
    #expect(!core.run("USER.ANONYMISE ana REASON \"asked in writing\"").isError)
    let told = newest("user #\(id)")
    #expect(told.command == "USER.ANONYMISE" && told.reason == .text("asked in writing"))
    let other = core.run("USER.CREATE bo FIRST Bo NOINVITE")["id"].integer ?? 0
    #expect(!core.run("USER.ANONYMISE bo").isError, "nothing asks for one")
    #expect(newest("user #\(other)").command == "USER.ANONYMISE")
  }

  @Test func ofAContact() {
    let id = core.run("CONTACT.CREATE FIRST Eva")["contact"].integer ?? 0
    #expect(!core.run("CONTACT.ANONYMISE #\(id) REASON \"asked by phone\"").isError)
    let told = newest("contact #\(id)")
    #expect(told.command == "CONTACT.ANONYMISE" && told.reason == .text("asked by phone"))
    let other = core.run("CONTACT.CREATE FIRST Ida")["contact"].integer ?? 0
    #expect(!core.run("CONTACT.ANONYMISE #\(other)").isError)
  }
}
