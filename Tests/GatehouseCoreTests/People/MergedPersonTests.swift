import Testing

@testable import GatehouseCore

/// L13, S12: what named one login of a person means the person under the others, too; and nobody loses by a merge.
@Suite struct MergedPersonTests {
  private let core = CoreHarness(partitions: 8)

  init() {
    for line in [
      "WORKSPACE.SET main policy.manager.notices status,deleted policy.delete.keep-tracked off",
      "PRODUCT.CREATE crm", "PRODUCT.CREATE pro",
      "USER.CREATE keep FIRST Kay PRODUCT crm NOINVITE", "USER.CREATE drop FIRST Kay PRODUCT crm NOINVITE",
      "USER.CREATE mia EMAIL mia@x.test PRODUCT crm NOINVITE", "MANAGE.ADD mia USER drop",
    ] {
      let answer = core.run(line)
      precondition(!answer.isError, "\(line): \(answer)")
    }
  }

  private var kinds: [String] { core.run("MAIL.NEXT COUNT 20").items.map { $0["kind"].text ?? "" } }

  @Test("L13: the kept user has the better of both: access, licence and time") func theBetterOfBoth() {
    core.run("POOL.SET pro std 1")
    core.run("PRODUCT.ENABLE keep pro")
    core.run("PRODUCT.ENABLE drop pro LICENCE std")
    core.run("PRODUCT.DISABLE keep crm")
    for product in ["crm", "pro"] { #expect(core.run("LOGIN.CHECK keep \(product)").text?.hasPrefix("DENY ") == true) }
    let merge = core.run("USER.MERGE keep drop")
    let record = core.lsn
    #expect("\(merge["products"])" == "[crm, pro]")
    for product in ["crm", "pro"] { #expect(core.run("LOGIN.CHECK drop \(product)").text == "ALLOW") }
    #expect("\(core.run("POOL.LIST pro")[0]["used"])" == "1")
    #expect(core.run("UNDO \(record)")["command"].text == "USER.MERGE")
    #expect(core.run("LOGIN.CHECK keep crm").text == "DENY product-disabled")
    #expect(core.run("LOGIN.CHECK keep pro").text == "DENY no-licence")
    #expect(core.run("LOGIN.CHECK drop pro").text == "ALLOW")
    core.expectReplicated()
  }

  @Test("L13, B7: access lasts as long as either would have, and administration no longer") func time() {
    let (soon, late) = (core.now + TimeText.day, core.now + 9 * TimeText.day)
    core.run("PRODUCT.ENABLE keep crm UNTIL \(soon)")
    core.run("PRODUCT.ENABLE drop crm UNTIL \(late)")
    core.run("PRODUCT.ENABLE keep pro ADMIN UNTIL \(soon)")
    core.run("PRODUCT.ENABLE drop pro ADMIN")
    core.run("USER.MERGE keep drop")
    #expect(core.run("LOGIN.EXPLAIN keep crm AT \(late - 1)").items.allSatisfy { $0["passed"].integer == 1 })
    #expect(core.run("LOGIN.EXPLAIN keep pro AT \(soon)").items.contains { $0["passed"].integer == 0 })
    core.expectReplicated()
  }

  @Test("L9: who looks after somebody does so after a merge, and can cease to") func managersOfTheMerged() {
    core.run("USER.MERGE keep drop")
    // Nobody is gone by it.
    #expect(kinds == [])
    let listed = core.run("MANAGE.LIST mia")
    #expect(listed.items.count == 1 && listed[0]["name"].text == "keep")
    #expect(listed[0]["id"] == core.run("USER.GET keep")["id"])
    core.run("USER.STATUS keep locked")
    #expect(kinds == ["managed-status"])
    #expect(core.run("MANAGE.ADD mia USER keep").integer == 0)
    #expect(core.run("MANAGE.REMOVE mia USER drop").integer == 1)
    #expect(core.run("MANAGE.LIST mia").items.isEmpty)
    core.expectReplicated()
  }

  @Test("L9: a link to each of two who become one is one link") func linksToBoth() {
    core.run("MANAGE.ADD mia USER keep")
    core.run("USER.MERGE keep drop")
    #expect(core.run("MANAGE.LIST mia").items.count == 1)
    #expect(core.run("MANAGE.REMOVE mia USER keep").integer == 1)
    #expect(core.run("MANAGE.LIST mia").items.isEmpty)
  }

  @Test("S12: who looks after somebody does so under a new login") func managersOfTheRestored() {
    let contact = core.run("USER.GET drop")["contact"]
    core.run("USER.DELETE drop REASON x")
    #expect(kinds == ["managed-deleted"])
    core.run("USER.RESTORE #\(contact) back NOINVITE")
    #expect(core.run("MANAGE.LIST mia")[0]["name"].text == "back")
    core.run("USER.STATUS back locked")
    #expect(kinds == ["managed-status"])
    #expect(core.run("MANAGE.REMOVE mia USER back").integer == 1)
    #expect(core.run("MANAGE.LIST mia").items.isEmpty)
  }

  @Test("L13: who searches for the dropped username finds the kept user") func searching() {
    core.run("USER.MERGE keep drop")
    for command in ["USER.SEARCH", "CONTACT.SEARCH"] {
      #expect(core.run("\(command) drop").items.map { $0["username"].text } == ["keep"], "\(command)")
    }
  }

  private func deeds(_ user: String) -> [String] {
    core.run("AUDIT.LIST ACTOR \(user)")[1].items.compactMap { $0["command"].text }
  }

  @Test("L13, S12: what somebody did is found by the actor, under whichever login") func deeds() {
    let token = core.logIn("drop", "crm")
    core.run("USER.SET drop phone 7", as: token)
    #expect(deeds("drop") == ["USER.SET"])
    core.run("USER.MERGE keep drop")
    for name in ["drop", "keep"] { #expect(deeds(name) == ["USER.SET"]) }
    let contact = core.run("USER.GET keep")["contact"]
    core.run("USER.DELETE keep REASON x")
    core.run("USER.RESTORE #\(contact) back NOINVITE")
    core.run("PRODUCT.ENABLE back crm")
    core.run("USER.SET back phone 8", as: core.logIn("back", "crm"))
    #expect(deeds("back") == ["USER.SET", "USER.SET"])
    #expect(deeds("mia") == [])
  }
}
