import Testing

@testable import GatehouseCore

/// Users whose names were different before names were folded as they are now.
@Suite struct NamesakesTests {
  /// Both as in an old log: one contact in the name's partition, so that `seedUser` puts both next to it.
  private func twoOfOneName(_ first: String = "Straße", _ second: String = "STRASSE") -> (CoreHarness, UserID, UserID) {
    let core = CoreHarness()
    let payroll = core.seedProduct("payroll")
    let one = core.seedUser(first, products: [payroll])
    let other = core.seedUser(second, products: [payroll])
    return (core, one, other)
  }

  @Test(arguments: [("Straße", "STRASSE"), ("νίκος", "ΝΊΚΟΣ"), ("ﬁona", "fiona"), ("Maſſe", "maße")])
  func eachIsFoundByTheExactSpellingAndById(first: String, second: String) throws {
    let (core, one, other) = twoOfOneName(first, second)
    for _ in 0..<2 {
      #expect(core.run("LOGIN.CHECK \(first) payroll").text == "ALLOW")
      #expect(core.run("USER.GET \(first)")["id"].integer == Int64(one.raw))
      #expect(core.run("USER.GET \(second)")["id"].integer == Int64(other.raw))
      #expect(core.run("USER.GET #\(one.raw)")["username"].text == first)
      #expect(core.run("USER.GET #\(other.raw)")["username"].text == second)
      #expect(SettlingNames.namesakes(in: core.cells).map { $0.map(\.user) } == [[one, other].sorted()])
      try core.restart()
    }
    core.expectReplicated()
  }

  @Test func anAmbiguousSpellingSelectsNobody() {
    let (core, one, other) = twoOfOneName()
    #expect(core.run("USER.GET straße")["id"].integer == Int64(one.raw), "as it was in simple case")
    #expect(core.run("USER.GET strasse")["id"].integer == Int64(other.raw))
    #expect(core.run("LOGIN.CHECK straſſe payroll").text == "DENY unknown-user")
    #expect(core.run("USER.GET straſſe").isError)
  }

  @Test func nobodyGetsTheName() {
    let (core, one, _) = twoOfOneName()
    core.seedUser("ana")
    for name in ["Straße", "STRASSE", "strasse", "straſſe", "STRAẞE"] {
      #expect(core.run("USER.CREATE \(name)").text?.hasPrefix("CONFLICT username") == true, "\(name)")
      #expect(core.run("USER.RENAME ana \(name)").text?.hasPrefix("CONFLICT username") == true, "\(name)")
    }
    #expect(core.run("USER.RENAME #\(one.raw) strasse").text?.hasPrefix("CONFLICT username") == true)
    core.expectReplicated()
  }

  @Test func aRenamedOneLeavesTheNameToTheOther() throws {
    let (core, one, other) = twoOfOneName()
    #expect(core.run("USER.RENAME Straße weg").text == "OK")
    for name in ["Straße", "STRASSE", "straſſe"] { #expect(core.user(name)?.id == other) }
    #expect(core.user("weg")?.id == one)
    #expect(SettlingNames.namesakes(in: core.cells).isEmpty)
    #expect(core.cells.allSatisfy { cell in cell.state.people.otherNames.values.allSatisfy { $0.count == 1 } })
    try core.restart()
    core.expectReplicated()
  }

  @Test func aDeletedOneLeavesTheNameToTheOther() throws {
    let (core, _, other) = twoOfOneName()
    #expect(!core.run("USER.DELETE Straße REASON left").isError)
    for name in ["Straße", "STRASSE", "straſſe"] {
      #expect(core.run("USER.GET \(name)")["id"].integer == Int64(other.raw))
      #expect(core.run("LOGIN.CHECK \(name) payroll").text == "ALLOW")
    }
    #expect(core.run("USER.CREATE strasse").isError)
    #expect(!core.run("USER.DELETE STRASSE REASON left").isError)
    #expect(!core.run("USER.CREATE straSSe").isError)
    #expect(core.run("USER.GET Straße")["username"].text == "straSSe")
    try core.restart()
    #expect(core.run("USER.GET STRASSE")["username"].text == "straSSe")
    core.expectReplicated()
  }

  @Test func threeNamesakesAreReported() {
    let core = CoreHarness(partitions: 1)
    let all = ["Maße", "MASSE", "maſſe"].map { core.seedUser($0) }
    #expect(SettlingNames.namesakes(in: core.cells).map { $0.map(\.user) } == [all.sorted()])
    #expect(Invariants.check(core.cells, core.directory.state).isEmpty)
  }

  /// Names that are where another program's tables put them are all found again, under the present rules.
  @Test func theIndexOfNamesIsRebuilt() throws {
    let core = CoreHarness(partitions: 8)
    for name in ["ana", "νίκος", "Straße", "STRASSE", "µicro", "gone", "gone too", "Groß"] { core.seedUser(name) }
    core.run("USER.RENAME ana anna")
    core.run("USER.DELETE gone REASON left")
    core.run("USER.DELETE Groß REASON left")
    core.seedUser("gross")
    core.run("USER.DELETE STRASSE REASON left")
    core.seedUser("STRASSE")
    let reads = ["ana", "anna", "νίκος", "Straße", "STRASSE", "straſſe", "μicro", "gone", "Groß", "gross"].map {
      "USER.GET \($0)"
    }
    let before = reads.map { core.run($0).description }
    // Every name moves to the next partition, under another hash.
    let moved = core.cells.map { cell -> [(NameHolder, String)] in
      var found: [(NameHolder, String)] = []
      cell.state.people.names.forEach { serial in
        let name = cell.state.people.username(serial)
        found.append((NameHolder(user: cell.state.id(serial), name: name), FoldedName(name).text))
      }
      found += cell.state.people.otherNames.flatMap { folded, holders in holders.map { ($0, folded) } }
      cell.state.people.names = NameIndex()
      cell.state.people.otherNames = [:]
      return found
    }
    for (index, found) in moved.enumerated() {
      let cell = core.cells[(index + 1) % 8]
      cell.state.people.hasUnsettledNames = true
      for (holder, folded) in found { cell.state.people.otherNames["old " + folded, default: []].append(holder) }
    }
    #expect(!Invariants.check(core.cells, core.directory.state).isEmpty)
    SettlingNames.run(core.cells)
    #expect(Invariants.check(core.cells, core.directory.state) == [])
    #expect(reads.map { core.run($0).description } == before)
  }
}
