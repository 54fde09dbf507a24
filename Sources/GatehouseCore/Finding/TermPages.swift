/// Numbers with a contact each, in order: 12 bytes an entry, in pages, so that an insertion moves half a page.
struct TermPages: Sendable {
  /// A key and its contact.
  struct Entry: Comparable, Sendable {
    let key: UInt64
    let serial: UInt32

    static func < (one: Entry, other: Entry) -> Bool { (one.key, one.serial) < (other.key, other.serial) }
  }

  private struct Page {
    var keys: ContiguousArray<UInt64> = []
    var serials: ContiguousArray<UInt32> = []

    init(_ entry: Entry) {
      keys = [entry.key]
      serials = [entry.serial]
    }

    /// A part of another page, with room for `most` entries.
    init(_ other: Page, _ range: Range<Int>, most: Int) {
      keys.reserveCapacity(most)
      serials.reserveCapacity(most)
      keys.append(contentsOf: other.keys[range])
      serials.append(contentsOf: other.serials[range])
    }

    subscript(index: Int) -> Entry { Entry(key: keys[index], serial: serials[index]) }

    /// How many entries sort before one.
    ///
    /// - Parameter start: so many are known to.
    func rank(of entry: Entry, from start: Int = 0) -> Int {
      // No contact has the last number.
      if entry.serial == .max, entry.key < .max { return rank(of: entry.key + 1, from: start) }
      var low = rank(of: entry.key, from: start)
      if entry.serial == 0 { return low }
      var high = keys.count
      while low < high {
        let middle = (low + high) / 2
        if self[middle] < entry { low = middle + 1 } else { high = middle }
      }
      return low
    }

    /// How many keys are less than one.
    ///
    /// A search asks every partition, whose pages the processor does not have at hand, and halving would wait for memory
    /// nine times. So all keys of a step are compared without a branch: they are read at the same time. Where a run is
    /// known to begin, it mostly ends soon: one key tells whether within the next eight lines of the cache.
    private func rank(of key: UInt64, from start: Int) -> Int {
      keys.withUnsafeBufferPointer { keys in
        var (low, high) = (start, keys.count)
        let near = start + Self.keysOfStep * Self.keysOfStep
        if start > 0, near < high {
          if keys[near] < key { low = near + 1 } else { high = near }
        }
        while high - low > Self.keysOfStep {
          let stride = (high - low) / Self.keysOfStep
          var less = 0
          for step in 1..<Self.keysOfStep { less += keys[low + step * stride] < key ? 1 : 0 }
          if less < Self.keysOfStep - 1 { high = low + (less + 1) * stride }
          if less > 0 { low += less * stride + 1 }
        }
        while low < high, keys[low] < key { low += 1 }
        return low
      }
    }

    /// As many keys as a line of the cache has.
    private static let keysOfStep = 8
  }

  private static let pageEntries = 512
  private static let sequence = 8

  private var pages: ContiguousArray<Page> = []
  /// The first entry of each page.
  private var firsts: ContiguousArray<Entry> = []

  /// Each but the first takes the room of 512 entries, however many it has.
  var pageCount: Int { pages.count }

  // MARK: Adding

  mutating func insert(_ entry: Entry) {
    guard !pages.isEmpty else {
      pages.append(Page(entry))
      firsts.append(entry)
      return
    }
    var page = page(of: entry)
    var rank = pages[page].rank(of: entry)
    if rank < pages[page].keys.count, pages[page][rank] == entry { return }
    if pages[page].keys.count == Self.pageEntries {
      if isInSequence(entry, rank, pages[page]) {
        // More will follow here: the part before it is filled up instead of staying half a page.
        divide(page, at: rank, or: entry)
        if rank == Self.pageEntries { page += 1 }
      } else {
        makeRoom(in: page)
        if firsts[page + 1] < entry { page += 1 }
      }
      rank = pages[page].rank(of: entry)
    }
    pages[page].keys.insert(entry.key, at: rank)
    pages[page].serials.insert(entry.serial, at: rank)
    if rank == 0 { firsts[page] = entry }
  }

  /// Whether an entry follows those of the last contacts, as names with a number do. Fewer may be one household.
  private func isInSequence(_ entry: Entry, _ rank: Int, _ page: Page) -> Bool {
    rank >= Self.sequence && page.serials[rank - Self.sequence] &+ UInt32(Self.sequence) == entry.serial
  }

  /// Moves entries of a full page to the next one, or splits it where that one is nearly full as well. So pages are fuller
  /// than halves of full ones. An array that grew instead would take twice the memory from then on.
  private mutating func makeRoom(in page: Int) {
    if page + 1 < pages.count, pages[page + 1].keys.count <= Self.pageEntries * 3 / 4 {
      let kept = (pages[page].keys.count + pages[page + 1].keys.count) / 2
      pages[page + 1].keys.insert(contentsOf: pages[page].keys[kept...], at: 0)
      pages[page + 1].serials.insert(contentsOf: pages[page].serials[kept...], at: 0)
      pages[page].keys.removeSubrange(kept...)
      pages[page].serials.removeSubrange(kept...)
      firsts[page + 1] = pages[page + 1][0]
      return
    }
    divide(page, at: Self.pageEntries / 2, or: pages[page][0])
  }

  /// Moves the entries of a full page from a rank on to a new page.
  ///
  /// - Parameter first: the first of the new page if there are none.
  private mutating func divide(_ page: Int, at rank: Int, or first: Entry) {
    let full = pages[page]
    pages.insert(Page(full, rank..<full.keys.count, most: Self.pageEntries), at: page + 1)
    firsts.insert(rank < full.keys.count ? full[rank] : first, at: page + 1)
    if rank < full.keys.count { pages[page] = Page(full, 0..<rank, most: Self.pageEntries) }
  }

  /// The page to which an entry belongs: the last one that does not begin after it.
  private func page(of entry: Entry) -> Int {
    var (low, high) = (0, firsts.count)
    while low < high {
      let middle = (low + high) / 2
      if firsts[middle] <= entry { low = middle + 1 } else { high = middle }
    }
    return max(0, low - 1)
  }

  // MARK: Reading

  /// A range of entries.
  struct Run {
    /// The position of the first.
    fileprivate var page: Int
    fileprivate var rank: Int
    /// The number of entries.
    fileprivate(set) var count: Int

    static let empty = Run(page: 0, rank: 0, count: 0)
  }

  /// The entries of a range.
  func run(_ range: ClosedRange<Entry>) -> Run {
    guard !pages.isEmpty else { return .empty }
    let first = page(of: range.lowerBound)
    let isWithin = first + 1 == firsts.count || firsts[first + 1] > range.upperBound
    let last = isWithin ? first : page(of: range.upperBound)
    let rank = pages[first].rank(of: range.lowerBound)
    var endRank = pages[last].rank(of: range.upperBound, from: isWithin ? rank : 0)
    if endRank < pages[last].keys.count, pages[last][endRank] == range.upperBound { endRank += 1 }
    var count = endRank - rank
    for index in first..<last { count += pages[index].keys.count }
    return Run(page: first, rank: rank, count: count)
  }

  /// Takes the first entry of a run.
  func next(_ run: inout Run) -> Entry? {
    guard run.count > 0 else { return nil }
    if run.rank == pages[run.page].keys.count {
      run.page += 1
      run.rank = 0
    }
    run.count -= 1
    run.rank += 1
    return pages[run.page][run.rank - 1]
  }

  /// Takes the first entry of a run whose contact is among some.
  ///
  /// - Parameter left: is decreased by how many entries were read.
  func next(_ run: inout Run, among contacts: SerialBits, _ left: inout Int) -> Entry? {
    while run.count > 0, left > 0 {
      if run.rank == pages[run.page].serials.count {
        run.page += 1
        run.rank = 0
      }
      let end = min(pages[run.page].serials.count, run.rank + min(run.count, left))
      let found = pages[run.page].serials.withUnsafeBufferPointer { serials in
        var rank = run.rank
        while rank < end, !contacts.contains(Int(serials[rank])) { rank += 1 }
        return rank
      }
      let read = min(found + 1, end) - run.rank
      run.rank += read
      run.count -= read
      left -= read
      if found < end { return pages[run.page][found] }
    }
    return nil
  }

  /// The last entry that was taken from the beginning of a run.
  func last(_ run: Run) -> Entry? { run.rank > 0 ? pages[run.page][run.rank - 1] : nil }

  /// The contacts of a run.
  ///
  /// - Parameter last: the last contact of the partition.
  func contacts(of run: Run, through last: Int) -> SerialBits {
    var found = SerialBits(through: last)
    var (page, rank, left) = (run.page, run.rank, run.count)
    while left > 0 {
      let end = min(pages[page].serials.count, rank + left)
      found.insert(pages[page].serials[rank..<end])
      left -= end - rank
      page += 1
      rank = 0
    }
    return found
  }
}
