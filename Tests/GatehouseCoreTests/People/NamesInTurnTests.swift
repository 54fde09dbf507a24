import Testing

@testable import GatehouseCore

/// W7, L13: a username that several had, one after the other.
@Suite struct NamesInTurnTests {
  private let core = CoreHarness(partitions: 8)

  /// Creates and deletes a login of the name; the users' ids.
  private func give(_ name: String, _ times: Int) -> [Answer] {
    (0..<times).map { _ in
      let user = core.run("USER.CREATE \(name) NOINVITE")
      core.run("USER.DELETE \(name) REASON x")
      return user["id"]
    }
  }

  @Test("a name leads to the last one who had it, and once that one is gone to the one before") func fallingBack() {
    let users = give("gus", 3)
    for user in users.reversed() {
      #expect(core.run("USER.GET gus")["id"] == user)
      #expect(core.run("USER.PURGE gus").text == "OK")
    }
    #expect(core.run("USER.GET gus").text == "NOTFOUND user gus")
    core.expectReplicated()
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test("L13: who was merged has the name again once a later one is purged", arguments: ["PURGE gus", "ANONYMISE gus"])
  func merged(command: String) throws {
    core.run("PRODUCT.CREATE pay")
    core.run("USER.CREATE max PRODUCT pay NOINVITE")
    let users = give("gus", 2)
    #expect(!core.run("USER.MERGE max #\(users[0])").isError)
    #expect(core.run("LOGIN.CHECK gus pay").text?.hasPrefix("DENY") == true)
    #expect(!core.run("USER.\(command)").isError)
    #expect(core.run("LOGIN.CHECK gus pay").text == "ALLOW")
    #expect(core.run("USER.CREATE gus NOINVITE").text?.hasPrefix("CONFLICT username: gus leads to whom user") == true)
    core.expectReplicated()
    try core.restart()
    #expect(core.run("LOGIN.CHECK gus pay").text == "ALLOW")
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test("a live user has the name alone, whoever had it before, in this partition or another") func live() throws {
    core.run("PRODUCT.CREATE pay")
    _ = give("Gus", 2)
    let user = core.run("USER.CREATE gus PRODUCT pay NOINVITE")["id"]
    for name in ["gus", "GUS"] { #expect(core.run("USER.GET \(name)")["id"] == user) }
    core.run("USER.RENAME gus gustav")
    #expect(core.run("USER.GET gus")["status"].text == "deleted")
    core.run("USER.RENAME gustav gus")
    #expect(core.run("LOGIN.CHECK gus pay").text == "ALLOW")
    try core.restart()
    #expect(core.run("LOGIN.CHECK gus pay").text == "ALLOW")
    core.expectReplicated()
  }

  @Test("B9: an undo gives back a name that was spelled differently since") func spelledDifferently() {
    let first = give("Äda", 1)[0]
    let deletion = core.lsn
    let second = give("äda", 1)[0]
    #expect(core.run("USER.GET äda")["id"] == second)
    #expect(!core.run("UNDO \(deletion)").isError)
    #expect(core.run("USER.GET äda")["id"] == first)
    core.run("USER.DELETE Äda REASON x")
    for name in ["Äda", "äda"] { #expect(core.run("USER.GET \(name)")["id"] == first) }
    core.expectReplicated()
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test("a name that was had in turn leads to the same one after the tables of Unicode have changed")
  func settling() {
    core.run("PRODUCT.CREATE pay")
    core.run("USER.CREATE max PRODUCT pay NOINVITE")
    let users = give("gus", 3)
    // The first one's row is the last to change.
    #expect(!core.run("USER.MERGE max #\(users[0])").isError)
    SettlingNames.run(core.cells)
    #expect(core.run("USER.GET gus")["id"] == users[2])
    #expect(core.run("LOGIN.CHECK gus pay").text?.hasPrefix("DENY") == true)
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test("a name is given only so often, and says what to do then") func limit() {
    let key = NameKey("gus", core.partitioning)
    core.cells[key.partition].state.people.otherNames["gus"] = (1...Limits.holdersOfName).map {
      NameHolder(user: UserID(raw: UInt64($0 + 100_000)), name: "gus")
    }
    let answer = core.run("USER.CREATE gus NOINVITE").text ?? ""
    #expect(answer.hasPrefix("LIMIT usernames: one is given to at most 1000 users in turn; choose"), "\(answer)")
  }
}
