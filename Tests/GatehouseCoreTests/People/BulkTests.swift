import Testing

@testable import GatehouseCore

/// L23: fields of many users at once.
@Suite struct BulkTests {
  let core = CoreHarness(partitions: 8)

  init() {
    for number in 1...6 {
      core.run("USER.CREATE u\(number) DEPARTMENT d\(number % 2) NOINVITE")
    }
  }

  private func departments() -> [String] {
    core.run("USER.LIST SORT username FIELDS 1 department")[1].items.compactMap { $0["department"].text }
  }

  @Test("L23: by ids, in one record") func byIDs() {
    let before = core.lsn
    let id = core.run("USER.GET u3")["id"]
    #expect("\(core.run("USER.BULK SET department x IDS 3 u1 U2 #\(id)"))" == "{users: 3, changed: 3}")
    #expect(core.lsn == before + 1)
    #expect(departments() == ["x", "x", "x", "d0", "d1", "d0"])
    // Whoever is named twice counts once, and who has the value already is not changed.
    #expect("\(core.run("USER.BULK SET department x IDS 3 u1 u1 u4"))" == "{users: 2, changed: 1}")
    core.expectReplicated()
  }

  @Test("L23: by conditions, several fields and the status") func byConditions() {
    #expect(
      "\(core.run("USER.BULK SET department sales status inactive WHERE department = d1 WHERE username != u5"))"
        == "{users: 2, changed: 2}")
    #expect(core.run("USER.COUNT WHERE status = inactive").integer == 2)
    #expect(departments() == ["sales", "d0", "sales", "d0", "d1", "d0"])
    #expect("\(core.run("USER.BULK SET department y WHERE username = nobody"))" == "{users: 0, changed: 0}")
  }

  @Test("L23: all or none, and the refusal names the user") func allOrNone() {
    core.run("ROLE.GRANT u2 super-administrator")
    let before = core.lsn
    #expect(
      core.run("USER.BULK SET status locked IDS 2 u1 u2").text?.hasPrefix("REFUSED last-super-administrator: ") == true)
    #expect(
      core.run("USER.BULK SET reference r IDS 2 u1 u2").text
        == "ERR reference differs from user to user; set it with USER.SET user reference value (user u1; nobody was changed)"
    )
    #expect(core.run("USER.BULK SET department x IDS 2 u1 nobody").text == "NOTFOUND user nobody")
    #expect(core.lsn == before)
  }

  @Test func whoIsMeantMustBeSaid() {
    #expect(
      core.run("USER.BULK SET department x").text == "ERR say who is meant: IDS n user…, or WHERE field op value")
    #expect(core.run("USER.BULK department x u1 IDS 1 u1").text == "ERR USER.BULK begins with SET field value")
    // A field without its value is nobody's fault.
    for line in ["USER.BULK SET department x status IDS 2 u1 u2", "USER.BULK SET department x IDS 1 u1 status"] {
      #expect(core.run(line).text == "ERR every field needs a value: field value [field value …]", "\(line)")
    }
    #expect(core.run("USER.BULK SET foo x IDS 1 u1").text?.hasPrefix("ERR no field 'foo'; ") == true)
  }

  @Test("W2: an administrator changes the people of the own workspace only") func twoWorkspaces() {
    core.run("WORKSPACE.CREATE acme")
    core.run("PRODUCT.CREATE acme/app")
    core.run("USER.CREATE boss WORKSPACE acme PRODUCT acme/app NOINVITE")
    core.run("ROLE.GRANT boss training-administrator WORKSPACE acme")
    core.run("USER.CREATE own WORKSPACE acme DEPARTMENT d1 NOINVITE")
    core.run("WORKSPACE.MEMBER acme u1")
    let token = core.run("SESSION.CREATE boss acme/app")["session"].text ?? ""
    #expect(core.run("USER.BULK SET department x IDS 2 own u2", as: token).text == "NOTFOUND user u2")
    #expect(
      core.run("USER.BULK SET department x WHERE department = d1", as: token).text?
        .hasPrefix("NOPERM the permission contact.set in the home workspace of u1") == true)
    core.run("WORKSPACE.MEMBER acme u1 REMOVE")
    #expect(
      "\(core.run("USER.BULK SET department x WHERE department = d1", as: token))" == "{users: 1, changed: 1}")
    #expect(
      departments() == ["x", "d1", "d0", "d1", "d0", "d1", "d0"] || core.run("USER.GET u1")["department"].text == "d1")
  }

  @Test("B9: a bulk edit is taken back") func takingBack() {
    core.run("USER.BULK SET department sales status locked WHERE department = d1")
    let record = core.lsn
    #expect(core.run("UNDO \(record)")["users"].items.count == 3)
    #expect(departments() == ["d1", "d0", "d1", "d0", "d1", "d0"])
    #expect(core.run("USER.COUNT WHERE status = active").integer == 6)
    core.expectReplicated()
  }
}
