import Testing

@testable import GatehouseCore

/// L19: the trail of who is gone for good stays with the workspace that governed them.
@Suite struct GoneInTrailTests {
  private let core = CoreHarness(partitions: 8)
  private let boss: String
  private let other: String

  init() {
    for line in [
      "WORKSPACE.CREATE a", "WORKSPACE.CREATE b", "PRODUCT.CREATE a/app", "PRODUCT.CREATE b/app",
      "USER.CREATE boss WORKSPACE a PRODUCT a/app NOINVITE", "ROLE.GRANT boss super-administrator WORKSPACE a",
      "USER.CREATE other WORKSPACE b PRODUCT b/app NOINVITE", "ROLE.GRANT other super-administrator WORKSPACE b",
    ] {
      let answer = core.run(line)
      precondition(!answer.isError, "\(line): \(answer)")
    }
    boss = core.logIn("boss", "a/app")
    other = core.logIn("other", "b/app")
  }

  private func commands(as token: String) -> [String] {
    core.run("AUDIT.LIST COUNT 1000", as: token)[1].items.compactMap { $0["command"].text }
  }

  @Test("L19, W4: a purge, and what happened to the login before") func purged() throws {
    core.run("USER.CREATE pu FIRST Pu WORKSPACE a NOINVITE")
    core.run("USER.STATUS pu locked")
    core.run("USER.DELETE pu REASON gone")
    #expect("\(core.run("USER.PURGE pu DRYRUN", as: boss))".contains("user-purged"))
    #expect(core.run("USER.PURGE pu", as: boss).text == "OK")
    func expectTold() {
      let told = commands(as: boss)
      for command in ["USER.PURGE", "USER.DELETE", "USER.STATUS"] { #expect(told.contains(command), "\(command)") }
      #expect(Set(commands(as: other)).isDisjoint(with: ["USER.PURGE", "USER.DELETE", "USER.STATUS"]))
      #expect("\(core.run("FEED.READ 0 COUNT 1000", as: boss))".contains("user-purged"))
    }
    expectTold()
    core.expectReplicated()
    try core.restart()
    expectTold()
  }

  @Test("L19, W1: each home has what happened while it was that") func purgedElsewhere() {
    core.run("USER.CREATE pu FIRST Pu WORKSPACE a NOINVITE")
    core.run("USER.STATUS pu locked")
    core.run("WORKSPACE.MEMBER b pu")
    core.run("USER.MOVEHOME pu b")
    core.run("WORKSPACE.MEMBER a pu REMOVE")
    core.run("USER.DELETE pu REASON gone")
    core.run("USER.PURGE pu")
    #expect(commands(as: boss).contains("USER.STATUS") && !commands(as: boss).contains("USER.PURGE"))
    #expect(commands(as: other).contains("USER.PURGE") && !commands(as: other).contains("USER.STATUS"))
  }

  /// Each workspace that governed a contact has what was changed then, however the next came to govern it.
  @Test("L19, W1: a contact's trail stays with the home that it had", arguments: ["PURGE", "CREATE", "DELETE"])
  func contactsOfHomes(way: String) throws {
    core.run("USER.CREATE pu FIRST Pu WORKSPACE a NOINVITE")
    let contact = core.run("USER.GET pu")["contact"]
    core.run("USER.SET pu phone 0600-77")
    let first = Int64(core.lsn)
    if way == "CREATE" {
      core.run("USER.DELETE pu REASON gone")
      core.run("USER.CREATE pu CONTACT #\(contact) WORKSPACE b NOINVITE")
    } else {
      core.run("WORKSPACE.MEMBER b pu")
      core.run("USER.MOVEHOME pu b")
      core.run("WORKSPACE.MEMBER a pu REMOVE")
    }
    core.run("USER.SET pu phone 0600-88")
    let second = Int64(core.lsn)
    if way != "CREATE" {
      core.run("USER.DELETE pu REASON gone")
      #expect(core.run("USER.PURGE pu").text == "OK")
    }
    if way == "DELETE" { #expect(!core.run("CONTACT.DELETE #\(contact)").isError) }
    func expectTold() {
      #expect(records(as: boss).contains(first) && !records(as: boss).contains(second))
      #expect(records(as: other).contains(second) && !records(as: other).contains(first))
    }
    expectTold()
    core.expectReplicated()
    try core.restart()
    expectTold()
  }

  private func records(as token: String) -> [Int64] {
    core.run("AUDIT.LIST COUNT 1000", as: token)[1].items.compactMap { $0["lsn"].integer }
  }

  @Test("L19: a contact that was deleted, and what was changed of it before") func deletedContact() throws {
    let contact = core.run("CONTACT.CREATE NAME Con WORKSPACE a")["contact"]
    core.run("CONTACT.SET #\(contact) phone 0600-11")
    #expect(!core.run("CONTACT.DELETE #\(contact)", as: boss).isError)
    #expect(commands(as: boss).contains("CONTACT.SET") && commands(as: boss).contains("CONTACT.DELETE"))
    #expect(!commands(as: other).contains("CONTACT.SET"))
    try core.restart()
    #expect(commands(as: boss).contains("CONTACT.SET"))
  }
}
