/// Finds the contacts of a partition by prefixes of their names, usernames and e-mails.
///
/// It is only a hint, derived from the rows: a search compares the words with the row. So a change costs a write only a
/// note, entries may be out of date, and neither log nor snapshot contains the index. Contacts are added later, a few
/// at a time, by the lanes' upkeep or by the next search.
///
/// Each term takes 12 bytes: the first 10 letters of its search form, as a sortable number, and the contact's serial
/// number. They are stored in pages, so that an insertion moves half a page.
struct WordIndex: Sendable {
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
  /// The initials of each contact's terms, a bit for each letter. They tell nearly all contacts without a second word
  /// apart before their rows are looked at.
  private var initials: ContiguousArray<UInt32> = []
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
      pages.append(Page(entry))
      firsts.append(entry)
      count = 1
      return
    }
    var page = page(of: entry)
    var rank = pages[page].rank(of: entry)
    if rank < pages[page].keys.count, pages[page][rank] == entry { return }
    if pages[page].keys.count == Self.pageEntries {
      makeRoom(in: page)
      if firsts[page + 1] < entry { page += 1 }
      rank = pages[page].rank(of: entry)
    }
    pages[page].keys.insert(entry.key, at: rank)
    pages[page].serials.insert(entry.serial, at: rank)
    if rank == 0 { firsts[page] = entry }
    count += 1
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
    let full = pages[page]
    let half = full.keys.count / 2
    pages[page] = Page(full, 0..<half, most: Self.pageEntries)
    pages.insert(Page(full, half..<full.keys.count, most: Self.pageEntries), at: page + 1)
    firsts.insert(pages[page + 1][0], at: page + 1)
  }

  /// Takes note of the initials of all terms of a contact.
  mutating func setInitials(_ bits: UInt32, of contact: Int) {
    while initials.count <= contact {
      if initials.count == initials.capacity { initials.reserveCapacity(initials.count + initials.count / 8 + 8) }
      initials.append(0)
    }
    initials[contact] = bits
  }

  /// Whether its initial alone tells whether a contact has the word.
  static func isInitial(_ word: ContiguousArray<UInt8>) -> Bool { word.count == 1 && word[0] &- 0x61 < 26 }

  /// The bit of a term's initial; one for all that are no letters of ASCII.
  static func initial(_ term: UnsafeRawBufferPointer) -> UInt32 {
    guard let first = term.first else { return 0 }
    return first &- 0x61 < 26 ? 1 << UInt32(first &- 0x61) : 1 << 26
  }

  /// Whether a contact has a term with each of the initials.
  @inline(__always)
  func mayHave(_ bits: UInt32, _ contact: Int) -> Bool { initials[contact] & bits == bits }

  /// The page to which an entry belongs: the last one that does not begin after it.
  private func page(of entry: Entry) -> Int {
    var (low, high) = (0, firsts.count)
    while low < high {
      let middle = (low + high) / 2
      if firsts[middle] <= entry { low = middle + 1 } else { high = middle }
    }
    return max(0, low - 1)
  }

  /// The first 10 letters, most significant first, so that keys sort like the terms.
  static func key(_ term: UnsafeRawBufferPointer) -> UInt64 {
    var key: UInt64 = 0
    for index in 0..<lettersOfKey { key = key << bitsOfLetter | (index < term.count ? code(term[index]) : 0) }
    return key << (64 - bitsOfLetter * UInt64(lettersOfKey))
  }

  private static let lettersOfKey = 10
  private static let bitsOfLetter: UInt64 = 6

  /// A byte of a term as 6 bits that sort like the bytes. Bytes that terms rarely have share a code, and so do eight at
  /// a time of those beyond ASCII: their keys are found together, and the rows tell them apart.
  @inline(__always)
  private static func code(_ byte: UInt8) -> UInt64 {
    switch byte {
    case 0x61...0x7a: 22 + UInt64(byte - 0x61)
    case 0x30...0x39: 7 + UInt64(byte - 0x30)
    case ..<0x27: 1
    case 0x27: 2
    case ..<0x2d: 3
    case 0x2d...0x2f: 4 + UInt64(byte - 0x2d)
    case ..<0x40: 17
    case 0x40: 18
    case ..<0x5f: 19
    case 0x5f...0x60: 20 + UInt64(byte - 0x5f)
    case ..<0x80: 48
    // UTF-8 has no bytes from 0xf8 on.
    default: min(63, 49 + UInt64((byte - 0x80) >> 3))
    }
  }

  /// The greatest key of the terms that begin with a word.
  private static func lastKey(_ word: UnsafeRawBufferPointer) -> UInt64 {
    key(word) | (word.count < lettersOfKey ? UInt64.max >> (bitsOfLetter * UInt64(word.count)) : 0)
  }
}

// MARK: - Finding

extension WordIndex {
  /// A range of entries, given by the position of its first.
  struct Run {
    fileprivate var page: Int
    fileprivate var rank: Int
    /// The number of entries.
    fileprivate(set) var count: Int
  }

  /// The entries whose terms can start with a word.
  ///
  /// - Parameters:
  ///   - entry: only those after it.
  ///   - last: only those with a key up to it.
  func run(of word: UnsafeRawBufferPointer, after entry: Entry? = nil, through last: UInt64 = .max) -> Run {
    let low = Self.key(word)
    let high = min(last, Self.lastKey(word))
    // No contact has the number 0.
    let first = max(
      entry.map { Entry(key: $0.key, serial: $0.serial + 1) } ?? Entry(key: low, serial: 0), Entry(key: low, serial: 0))
    guard !pages.isEmpty, first.key <= high else { return Run(page: 0, rank: 0, count: 0) }
    let after = Entry(key: high, serial: .max)
    let (page, lastPage) = (page(of: first), page(of: after))
    let (rank, lastRank) = (pages[page].rank(of: first), pages[lastPage].rank(of: after))
    var count = lastRank - rank
    for index in page..<lastPage { count += pages[index].keys.count }
    return Run(page: page, rank: rank, count: count)
  }

  /// The next entry of a run.
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

  /// The next entry of a run whose contact is among some.
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

  /// The last entry that was read of a run.
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
