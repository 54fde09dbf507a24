/// Finds the contacts of a partition by prefixes of their names, usernames and e-mails.
///
/// It is only a hint, derived from the rows: a search compares the words with the row. So a change costs a write only a
/// note, entries may be out of date, and neither log nor snapshot contains the index. Contacts are added later, a few
/// at a time, by the lanes' upkeep or by the next search.
///
/// Each term takes 12 bytes: the first 8 bytes of its search form, as a sortable number, and the contact's serial
/// number. They are stored in pages, so that an insertion moves half a page.
struct WordIndex: Sendable {
  /// A key and its contact.
  struct Entry: Comparable {
    let key: UInt64
    let serial: UInt32

    static func < (one: Entry, other: Entry) -> Bool { (one.key, one.serial) < (other.key, other.serial) }
  }

  private struct Page {
    var keys: ContiguousArray<UInt64> = []
    var serials: ContiguousArray<UInt32> = []

    subscript(index: Int) -> Entry { Entry(key: keys[index], serial: serials[index]) }

    /// How many entries sort before one.
    func rank(of entry: Entry) -> Int {
      var (low, high) = (0, keys.count)
      while low < high {
        let middle = (low + high) / 2
        if self[middle] < entry { low = middle + 1 } else { high = middle }
      }
      return low
    }
  }

  private static let pageEntries = 512
  /// Changed contacts that may wait to be added again; beyond that the index is rebuilt.
  private static let mostChanged = 4096

  private var pages: ContiguousArray<Page> = []
  /// The first entry of each page.
  private var firsts: ContiguousArray<Entry> = []
  private(set) var count = 0
  /// Contacts up to this one were added.
  private(set) var last = 0
  private var changed: ContiguousArray<UInt32> = []
  /// How many contacts were added again; each may leave stale entries behind.
  private var reentered = 0
}

// MARK: - Adding

extension WordIndex {
  /// Notes that the texts by which a contact is found have changed.
  mutating func note(_ contact: Int) {
    guard contact <= last else { return }
    if changed.count < Self.mostChanged { changed.append(UInt32(contact)) } else { self = WordIndex() }
  }

  /// The next contact to add; nil if there is none.
  /// - Parameter end: the last contact of the partition.
  mutating func next(through end: Int) -> Int? {
    if let contact = changed.popLast() {
      reentered += 1
      if reentered > Self.mostChanged, reentered > last / 2 { self = WordIndex() } else { return Int(contact) }
    }
    guard last < end else { return nil }
    last += 1
    return last
  }

  func isComplete(through end: Int) -> Bool { changed.isEmpty && last >= end }

  mutating func insert(_ term: UnsafeRawBufferPointer, of contact: Int) {
    let entry = Entry(key: Self.key(term), serial: UInt32(contact))
    guard !pages.isEmpty else {
      pages.append(Page(keys: [entry.key], serials: [entry.serial]))
      firsts.append(entry)
      count = 1
      return
    }
    let page = page(of: entry)
    let rank = pages[page].rank(of: entry)
    if rank < pages[page].keys.count, pages[page][rank] == entry { return }
    pages[page].keys.insert(entry.key, at: rank)
    pages[page].serials.insert(entry.serial, at: rank)
    if rank == 0 { firsts[page] = entry }
    count += 1
    if pages[page].keys.count > Self.pageEntries { split(page) }
  }

  private mutating func split(_ page: Int) {
    let half = pages[page].keys.count / 2
    let rest = Page(
      keys: ContiguousArray(pages[page].keys[half...]), serials: ContiguousArray(pages[page].serials[half...]))
    pages[page].keys.removeSubrange(half...)
    pages[page].serials.removeSubrange(half...)
    pages.insert(rest, at: page + 1)
    firsts.insert(rest[0], at: page + 1)
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

  /// The first 8 bytes, most significant first, so that keys sort like the bytes.
  private static func key(_ term: UnsafeRawBufferPointer) -> UInt64 {
    var key: UInt64 = 0
    for index in 0..<8 { key = key << 8 | (index < term.count ? UInt64(term[index]) : 0) }
    return key
  }
}

// MARK: - Finding

extension WordIndex {
  /// A range of entries, given by the position of its first.
  struct Run {
    fileprivate var page: Int
    fileprivate var rank: Int
    fileprivate let end: UInt64
    /// The number of entries.
    let count: Int
  }

  /// The entries whose terms can start with a word.
  func run(of word: UnsafeRawBufferPointer) -> Run {
    let low = Self.key(word)
    let high = word.count >= 8 ? low : low | (UInt64.max >> UInt64(8 * word.count))
    guard !pages.isEmpty else { return Run(page: 0, rank: 0, end: high, count: 0) }
    let first = Entry(key: low, serial: 0)
    let after = Entry(key: high, serial: .max)
    let (page, lastPage) = (page(of: first), page(of: after))
    let (rank, lastRank) = (pages[page].rank(of: first), pages[lastPage].rank(of: after))
    var count = lastRank - rank
    for index in page..<lastPage { count += pages[index].keys.count }
    return Run(page: page, rank: rank, end: high, count: count)
  }

  /// The next entry of a run.
  func next(_ run: inout Run) -> Entry? {
    while run.page < pages.count {
      if run.rank < pages[run.page].keys.count {
        let entry = pages[run.page][run.rank]
        guard entry.key <= run.end else { return nil }
        run.rank += 1
        return entry
      }
      run.page += 1
      run.rank = 0
    }
    return nil
  }

  /// Skips entries that were read before.
  func skip(_ count: Int, of run: inout Run) {
    var left = count
    while left > 0, run.page < pages.count {
      let step = min(left, pages[run.page].keys.count - run.rank)
      run.rank += step
      left -= step
      if run.rank == pages[run.page].keys.count {
        run.page += 1
        run.rank = 0
      }
    }
  }
}
