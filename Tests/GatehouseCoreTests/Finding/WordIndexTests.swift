import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// The index of words: which contacts a word leads to.
@Suite struct WordIndexTests {
  private func index(_ terms: [(String, Int)]) -> WordIndex {
    var index = WordIndex()
    for contact in 1...(terms.map(\.1).max() ?? 1) {
      _ = index.next(through: contact)
      var longest: ContiguousArray<UInt8> = []
      for (term, of) in terms where of == contact {
        Array(term.utf8).withUnsafeBytes { index.insert($0, of: contact, afterLongest: &longest) }
      }
    }
    return index
  }

  private func contacts(_ index: WordIndex, long word: String, most: Int = .max) -> [Int]? {
    Array(word.utf8).withUnsafeBytes { word in
      index.contacts(withLong: word, most: most, through: 2000)?.filter { _ in true }
    }
  }

  /// Of a thousand names that begin alike, a whole one leads to one.
  @Test func aLongWordLeadsToFew() {
    let index = index((1...1000).map { ("james.smith\($0)@company.test", $0) })
    #expect(
      "james.sm".utf8.withContiguousStorageIfAvailable { index.run(of: UnsafeRawBufferPointer($0)).count } == 1000)
    #expect(contacts(index, long: "james.smith77") == [77, 770, 771, 772, 773, 774, 775, 776, 777, 778, 779])
    #expect(contacts(index, long: "james.smith777@company.test") == [777])
    #expect(contacts(index, long: "james.smi") == Array(1...1000))
    #expect(contacts(index, long: "james.smi", most: 999) == nil, "too many are no help")
    #expect(contacts(index, long: "james.smythe") == [])
    #expect(contacts(index, long: "james.sm") == nil, "a short word is in the first index")
  }

  /// A username that an e-mail begins with needs no entry of its own.
  @Test func aTermWithinAnotherIsFoundByIt() {
    let index = index([("ana.novakova@acme.test", 1), ("ana.novakova", 1), ("ana.novakova-x", 2), ("ana.novakova", 3)])
    #expect(contacts(index, long: "ana.novak") == [1, 2, 3])
    #expect(contacts(index, long: "ana.novakova") == [1, 2, 3])
    #expect(contacts(index, long: "ana.novakova@") == [1])
    #expect(contacts(index, long: "ana.novakova-") == [2])
  }

  @Test func keysSortLikeTerms() {
    let terms = ["a", "a b", "ab", "abcdefgh", "b", "łuk", "žižka", "ж", "я", "山田", "山"].sorted {
      $0.utf8.lexicographicallyPrecedes($1.utf8)
    }
    let keys = terms.map { Array($0.utf8).withUnsafeBytes { WordIndex.key($0) } }
    #expect(keys == keys.sorted())
  }

  /// Equal keys, ranges that begin and end within them or beside them, pages of any size.
  @Test(arguments: [1, 2, 7, 8, 9, 65, 511, 512, 513, 3000]) func runsHaveWhatIsInTheirRange(count: Int) {
    var random = SeededRandom(seed: UInt64(count))
    var pages = TermPages()
    var entries: Set<UInt64> = []
    func entry(_ code: UInt64) -> TermPages.Entry {
      TermPages.Entry(key: (code >> 12) << 40, serial: UInt32(code & 0xfff))
    }
    while entries.count < count {
      let code = UInt64.random(in: 0..<40, using: &random) << 12 | UInt64.random(in: 1..<0xfff, using: &random)
      if entries.insert(code).inserted { pages.insert(entry(code)) }
    }
    for _ in 0..<300 {
      let ends = [0, 0].map { _ in
        UInt64.random(in: 0...41, using: &random) << 12 | [0, 0xfff, .random(in: 0...0xfff, using: &random)]
          .randomElement(using: &random)!
      }.sorted()
      var last = entry(ends[1])
      if ends[1] & 0xfff == 0xfff { last = TermPages.Entry(key: last.key, serial: .max) }
      var run = pages.run(entry(ends[0])...last)
      var found: [TermPages.Entry] = []
      while let next = pages.next(&run) { found.append(next) }
      #expect(found == entries.filter { (ends[0]...ends[1]).contains($0) }.sorted().map(entry), "\(ends)")
    }
  }

  /// Names with a number come in order; halves of split pages would take twice the memory. Others come in between.
  @Test func entriesInOrderFillTheirPages() {
    var pages = TermPages()
    func entry(_ key: UInt64, _ serial: Int) -> TermPages.Entry { TermPages.Entry(key: key, serial: UInt32(serial)) }
    for key in [1, 9] as [UInt64] { for serial in 1...100 { pages.insert(entry(key, serial)) } }
    for serial in 1...5000 { pages.insert(entry(5, serial)) }
    #expect(pages.pageCount <= 5200 / 512 + 2)
    var all = pages.run(entry(0, 0)...entry(10, 0))
    var found: [TermPages.Entry] = []
    while let next = pages.next(&all) { found.append(next) }
    #expect(found.count == 5200 && found == found.sorted())
  }

  @Test func runsGoOnAfterAnEntry() {
    let index = index((1...2000).map { ("t\($0 % 50)", $0) })
    Array("t".utf8).withUnsafeBytes { word in
      var all = index.run(of: word)
      var found: [WordIndex.Entry] = []
      while let entry = index.next(&all) { found.append(entry) }
      #expect(found.count == 2000 && found == found.sorted())
      var rest = index.run(of: word, after: found[699])
      #expect(index.next(&rest) == found[700] && rest.count == 1299)
    }
  }
}
