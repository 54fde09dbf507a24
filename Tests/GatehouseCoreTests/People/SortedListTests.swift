import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// Sorted lists, page by page, through the indexes that have their order.
@Suite struct SortedListTests {
  private static let fields = ["id", "created", "username", "first", "last", "email", "department"]
  private static let names = [
    "Ana", "ana", "Čapek", "Capek", "O'Brien", "Obrien", "van Dijk", "Van", "Vanek", "Żuk", "山田", "Яна", "Алла", "",
    "Fernandez",
    "Fernandes", "Fernande",
  ]

  /// What the indexes say must be what a look at everybody says, whatever was changed, with and without conditions.
  @Test(arguments: 1...3) func theyAreWhatALookAtEverybodySays(seed: UInt64) {
    let core = CoreHarness(partitions: 2)
    core.run("WORKSPACE.CREATE acme")
    var random = SeededRandom(seed: seed)
    for number in 0..<700 {
      var words = ["USER.CREATE", "user\(Int.random(in: 0...99, using: &random)).\(number)", "NOINVITE"]
      for field in ["FIRST", "LAST"] {
        let name = Self.names.randomElement(using: &random) ?? ""
        if !name.isEmpty { words += [field, name] }
      }
      if number % 3 == 0 { words += ["EMAIL", "e\(number % 7)@acme.test"] }
      if number % 2 == 0 { words += ["DEPARTMENT", "D\(number % 5)"] }
      if number % 9 == 0 { words += ["STATUS", "inactive"] }
      if number % 50 == 0 { words += ["WORKSPACE", "acme"] }
      #expect(!core.run(words).isError)
      if number % 4 == 0 { core.advance(Int64.random(in: 0...2, using: &random)) }
    }
    expectSorted(core, seed)
    for step in 0..<120 {
      let ids = core.run("USER.LIST COUNT 10000 FIELDS 1 id")[1].items.compactMap { $0["id"].integer }
      let id = ids.randomElement(using: &random) ?? 0
      switch step % 5 {
      case 0: core.run("USER.RENAME #\(id) renamed\(step)")
      case 1: core.run("USER.DELETE #\(id) REASON x")
      case 2: core.run(["USER.SET", "#\(id)", "last", Self.names.randomElement(using: &random) ?? ""])
      case 3: core.run(["USER.SET", "#\(id)", "email", step % 2 == 0 ? "" : "z\(step)@acme.test"])
      default: core.run("USER.CREATE new\(step) FIRST Nora LAST \(step % 2 == 0 ? "Ábel" : "Zet") NOINVITE")
      }
    }
    expectSorted(core, seed)
  }

  private func expectSorted(_ core: CoreHarness, _ seed: UInt64) {
    for field in Self.fields {
      for order in [[], ["DESC"]] as [[String]] {
        for conditions in [
          "", "WHERE status != inactive", "WHERE last ^= va", "WHERE workspace = acme", "WHERE department = d2",
        ] {
          let words = CoreHarness.words(conditions)
          let wanted = expected(core, words, field, isDescending: !order.isEmpty)
          let found = all(core, words + ["SORT", field] + order, count: 37)
          #expect(found == wanted, "seed \(seed): \(conditions) SORT \(field) \(order)")
        }
      }
    }
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  /// The ids in the order of the fields' values, sorted here.
  private func expected(
    _ core: CoreHarness, _ conditions: [String], _ field: String, isDescending: Bool
  ) -> [Int64] {
    let fields = field == "id" ? ["FIELDS", "1", "id"] : ["FIELDS", "2", "id", field]
    let items = core.run(["USER.LIST"] + conditions + ["COUNT", "10000"] + fields)[1].items
    let keyed = items.map { item -> (key: [UInt8], id: Int64) in
      let id = item["id"].integer ?? 0
      if let number = item[field].integer { return (withUnsafeBytes(of: number.bigEndian) { Array($0) }, id) }
      var text = item[field].text ?? ""
      // Who has none comes last.
      if text.isEmpty { return ([UInt8](repeating: .max, count: 9), id) }
      return (text.withUTF8 { SearchText.with(UnsafeRawBufferPointer($0)) { Array($0) } }, id)
    }
    let sorted = keyed.sorted {
      $0.key == $1.key ? $0.id < $1.id : $0.key.lexicographicallyPrecedes($1.key)
    }
    return (isDescending ? sorted.reversed() : sorted).map(\.id)
  }

  private func all(_ core: CoreHarness, _ words: [String], count: Int) -> [Int64] {
    var found: [Int64] = []
    var cursor = "0"
    repeat {
      let page = core.run(["USER.LIST"] + words + ["COUNT", "\(count)", "CURSOR", cursor, "FIELDS", "1", "id"])
      found += page[1].items.compactMap { $0["id"].integer }
      cursor = page[0].text ?? "0"
    } while cursor != "0"
    return found
  }

  @Test func contactsAreSortedToo() {
    let core = CoreHarness(partitions: 2)
    for number in 0..<600 {
      core.run("CONTACT.CREATE FIRST F\(number % 13) LAST \(number % 2 == 0 ? "Å" : "B")\(number)")
    }
    core.run("USER.CREATE ana FIRST Ana NOINVITE")
    core.run("USER.DELETE ana REASON x")
    let page = core.run("CONTACT.LIST SORT last COUNT 5 FIELDS 1 last")
    #expect(page[1].items.map { $0["last"].text } == ["Å0", "Å10", "Å100", "Å102", "Å104"])
    let reversed = core.run("CONTACT.LIST SORT last DESC COUNT 2 FIELDS 1 last")
    #expect(reversed[1].items.map { $0["last"].text } == [nil, "B99"])
    let last = core.run("CONTACT.LIST SORT contact DESC COUNT 1 FIELDS 2 contact last")[1][0]
    #expect(
      last["contact"].integer
        == core.run("CONTACT.LIST COUNT 10000 FIELDS 1 contact")[1].items.compactMap { $0["contact"].integer }.max())
  }

  @Test func whoHasNoNumberComesAfterTheLargest() {
    let core = CoreHarness()
    core.run("FIELD.DEFINE shoes number")
    for (name, shoes) in [("ana", "0"), ("ben", "\(Int64.max)"), ("cleo", "\(Int64.min)")] {
      core.run("USER.CREATE \(name) FIELD shoes \(shoes) NOINVITE")
    }
    core.run("USER.CREATE dan NOINVITE")
    func names(_ order: String) -> [String?] {
      core.run("USER.LIST SORT shoes \(order) COUNT 9")[1].items.map { $0["username"].text }
    }
    #expect(names("") == ["cleo", "ana", "ben", "dan"])
    #expect(names("DESC") == ["dan", "ben", "ana", "cleo"])
  }

  /// A page of a long list looks at about what it shows.
  @Test(arguments: ["username", "last", "email", "created", "id"]) func aPageLooksAtFew(field: String) {
    let core = CoreHarness(partitions: 1)
    for number in 0..<1500 {
      core.run(
        "USER.CREATE u\(number)@acme.test FIRST F LAST L\(number * 7 % 1500) EMAIL m\(number)@acme.test NOINVITE")
      core.advance(1)
    }
    // Everybody is indexed first.
    var page = core.run("USER.LIST SORT \(field) COUNT 20 FIELDS 1 id")
    for order in ["", "DESC"] {
      for _ in 0..<3 {
        page = core.run("USER.LIST SORT \(field) \(order) COUNT 20 CURSOR \(page[0].text ?? "0") FIELDS 1 id")
        #expect(page[1].items.count == 20)
        #expect(core.slices <= 2, "\(core.slices) slices of \(Limits.rowsOfSlice) rows at most")
      }
      page = core.run("USER.LIST SORT \(field) DESC COUNT 20 FIELDS 1 id")
    }
  }
}
