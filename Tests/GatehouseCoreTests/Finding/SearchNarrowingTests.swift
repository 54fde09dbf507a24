import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// What spares a search looks at rows changes nothing of what it finds.
@Suite struct SearchNarrowingTests {
  /// The words that are searched for, the number of the one that orders the answer, and of which the index is asked.
  private func plan(_ words: String...) -> String {
    let plan = SearchQuery.plan(words.map { ContiguousArray($0.utf8) })
    return "\(plan.words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")): \(plan.ordering)"
      + " \(plan.selective)"
  }

  @Test("a word that another begins with asks for nothing more, and the first of the longest orders the answer")
  func planOfWords() {
    #expect(plan("jo", "smi", "john.") == "smi john.: 1 [0]")
    #expect(plan("ana", "ana") == "ana: 0 []")
    #expect(plan("a", "an", "ana", "b") == "ana b: 0 []")
    #expect(plan("abc", "xyz", "b") == "abc xyz b: 0 [1]")
    #expect(plan("b", "a") == "b a: 0 []", "initials tell of both")
    #expect(plan("1", "ana") == "1 ana: 1 [0]", "only letters have an initial of their own")
    #expect(plan("ana", "ana.novakova") == "ana.novakova: 0 [0]", "of a long word the second index tells more")
  }

  /// Names that begin alike, so that several words leave few of many, in more partitions than one.
  private func fill(_ core: CoreHarness, _ random: inout SeededRandom) -> [(name: [String], isOurs: Bool)] {
    let first = ["Johan", "John", "Joan", "Ana", "Anna", "Smita", "Sam", "Ben"]
    let last = ["Smith", "Smit", "Small", "Jones", "Johnson", "Annan", "Bell", "Smithson"]
    core.run("WORKSPACE.CREATE acme")
    return (0..<600).map { number in
      let name = [first.randomElement(using: &random) ?? "", last.randomElement(using: &random) ?? ""]
      let isOurs = number % 5 == 0
      core.run(
        [
          "USER.CREATE", "u\(number)", "FIRST", name[0], "LAST", name[1], "NOINVITE", "WORKSPACE",
          isOurs ? "acme" : "main",
        ])
      return (name, isOurs)
    }
  }

  @Test("what is found is what a look at everybody finds, and a limit keeps the first of it", arguments: 1...3)
  func whatALookFinds(seed: UInt64) {
    let core = CoreHarness(partitions: 4)
    var random = SeededRandom(seed: seed)
    let people = fill(core, &random)
    core.run("SERVICE.CREATE all ADMIN")
    let service = core.run("SERVICE.CREATE web ADMIN WORKSPACE acme")["id"].integer ?? 0
    let free = core.connection
    let bound = ConnectionFacts(id: 2, service: ServiceID(service), rights: .all, isBound: true)
    let beginnings = ["j", "jo", "joh", "john", "s", "sm", "smi", "smith", "a", "an", "anna", "b", "be", "bell", "x"]
    for _ in 0..<60 {
      let words = (0..<Int.random(in: 1...4, using: &random)).compactMap { _ in
        beginnings.randomElement(using: &random)
      }
      for (connection, isBound) in [(free, false), (bound, true)] {
        core.connection = connection
        let all = found(core, words, limit: 1000)
        let expected = people.indices.filter { index in
          (!isBound || people[index].isOurs)
            && words.allSatisfy { word in people[index].name.contains { $0.lowercased().hasPrefix(word) } }
        }
        #expect(all.sorted() == expected.map { "u\($0)" }.sorted(), "\(words) \(isBound)")
        for limit in [1, 3, 20] { #expect(found(core, words, limit: limit) == Array(all.prefix(limit)), "\(words)") }
        if !isBound {
          let ours = found(core, words + ["WORKSPACE", "acme"], limit: 1000)
          #expect(ours == all.filter { people[Int($0.dropFirst()) ?? 0].isOurs }, "\(words)")
        }
      }
    }
  }

  private func found(_ core: CoreHarness, _ words: [String], limit: Int) -> [String] {
    core.run(["USER.SEARCH"] + words + ["LIMIT", String(limit)]).items.compactMap { $0["username"].text }
  }

  @Test("candidates are the same as a list and as bits")
  func candidates() {
    var set = SerialSet.empty
    for serial in [3, 70, 200, 900] { set.insert(serial) }
    var others = SerialBits(through: 900)
    for serial in [1, 70, 900] { others.insert(serial) }
    for given in [Candidates.listed(set), Candidates.listed(set).collected] {
      var narrowed = given
      #expect(given.count == 4 && !given.isEmpty && given.filter { $0 > 100 } == [200, 900])
      narrowed.narrow(to: others)
      #expect(narrowed.filter { _ in true } == [70, 900])
      narrowed.narrow(to: SerialBits())
      #expect(narrowed.isEmpty && narrowed.count == 0)
    }
    #expect(set.contains(3), "the set that it was made of is as it was")
  }
}
