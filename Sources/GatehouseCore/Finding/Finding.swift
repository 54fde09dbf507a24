/// Finds those in one partition who match the words of a search, best first.
///
/// The terms of the longest word, mostly the rarest, are read in their order. Which is the rarest depends on people whom the
/// caller may not see, and so would the order of the answer and what a limit cuts off (W4).
///
/// To look at a contact's row costs as much as to read some hundred terms, because it lies elsewhere in memory. So the
/// initials of the other words tell most contacts apart; and where many rows would still be looked at in vain, the
/// contacts that have the other words are collected from the index first, as are those that the caller may see: of two
/// names that are common and rarely meet, only the people who have both are looked at.
struct Finding {
  private let query: SearchQuery
  private let cell: HeldPartition
  /// The entries of the word by whose terms the answer is sorted.
  private let run: WordIndex.Run
  /// All who match are among these; nil if they may be any.
  private let among: Candidates?
  /// Whether the entries were begun before the partition was left. Then they are read to their end, in that order.
  private let isBegun: Bool

  /// What a look at a row costs, in entries of the index.
  private static let entriesOfRow = 256
  /// How many times as many entries of other words are read to be spared the looks at rows with the right initials.
  private static let othersOfEntry = 128
  /// What is read at most before the partition is left for a moment: entries, and rows with their answers.
  private static let entriesOfSlice = 16_384
  private static let rowsOfSlice = 64
  /// So few entries are looked up in a list of contacts, rather than in bits that are made of it first.
  private static let entriesOfList = 64
  /// How many rows are asked for before the first of them is read: a row lies elsewhere in memory, and the processor can
  /// wait for several at once.
  private static let rowsOfLook = 16
  /// What it costs to move an item that comes after another.
  private static let entriesOfItem = 4

  /// - Parameters:
  ///   - entry: the last one that was read before the partition was left.
  ///   - worst: the last item of an answer that is full.
  /// - Returns: nil if nobody in the partition is wanted.
  init?(
    _ query: SearchQuery, _ viewer: ListViewer, _ cell: HeldPartition, after entry: WordIndex.Entry?,
    _ worst: SearchOrder?
  ) {
    self.query = query
    self.cell = cell
    isBegun = entry != nil
    // Whom the caller may see first: of a small workspace most partitions have nobody.
    var among = viewer.contacts(in: cell)
    if let workspace = query.workspace {
      let members = cell.state.people.contactFacets[.workspace(workspace)] ?? .empty
      if among == nil { among = .listed(members) } else { among?.narrow(to: SerialBits(members)) }
    }
    if let among, among.isEmpty { return nil }
    // The partitions come in ascending order, and so do equal terms of several. Once the answer is full, few entries come
    // before its last item, and in most partitions none.
    let last = worst.map { $0.partition < cell.index ? $0.term &- 1 : $0.term } ?? .max
    run = query.words[query.ordering].withUnsafeBytes {
      cell.state.people.words.run(of: $0, after: entry, through: last)
    }
    guard run.count > 0, Self.narrow(&among, to: query, cell, entries: run.count) else { return nil }
    self.among = among
  }

  /// Narrows the candidates to those who have the words, as far as the index tells it for less than looks at their rows
  /// would cost. The rarest word comes first: where it leaves few, the others are not read.
  ///
  /// - Parameter entries: how many of the ordering word there are to read.
  /// - Returns: whether anybody is left.
  private static func narrow(
    _ among: inout Candidates?, to query: SearchQuery, _ cell: HeldPartition, entries: Int
  ) -> Bool {
    let last = cell.state.people.contacts.last
    var others: [WordIndex.Run] = []
    for number in query.selective {
      let long = query.words[number].withUnsafeBytes {
        cell.state.people.words.contacts(withLong: $0, most: entriesOfSlice, through: last)
      }
      if let long {
        narrow(&among, to: long)
      } else if number != query.ordering {
        let run = query.words[number].withUnsafeBytes { cell.state.people.words.run(of: $0) }
        guard run.count > 0 else { return false }
        others.append(run)
      }
    }
    if others.count > 1 { others.sort { $0.count < $1.count } }
    var left = entriesOfSlice
    for other in others {
      let rows = min(entries, among?.count ?? entries)
      guard other.count <= left, other.count < rows * othersOfEntry else { break }
      narrow(&among, to: cell.state.people.words.contacts(of: other, through: last))
      left -= other.count
    }
    return among.map { !$0.isEmpty } ?? true
  }

  private static func narrow(_ among: inout Candidates?, to others: SerialBits) {
    if among == nil { among = .collected(others) } else { among?.narrow(to: others) }
  }

  /// What is to be done after a match.
  enum Step {
    /// The next ones come after the last that are wanted.
    case isDone
    /// The match was put among so many items.
    case goesOn(after: Int)
  }

  /// Calls `body` with each match and its place in the answer, best first.
  ///
  /// - Returns: the last entry that was read, if there are more and the partition was held long enough.
  func forEachMatch(_ body: (_ contact: Int, _ place: SearchOrder) -> Step) -> WordIndex.Entry? {
    // Where the entries cost no more than one row, they are read.
    if !isBegun, let among, run.count > Self.entriesOfRow, among.count <= min(Self.entriesOfSlice, run.count) {
      let few = among.filter { cell.state.people.words.mayHave(query.initials, $0) }
      if few.count <= Self.rowsOfSlice, few.count * Self.entriesOfRow < run.count {
        forEachMatch(among: few, body)
        return nil
      }
    }
    let among = run.count > Self.entriesOfList ? self.among?.collected : self.among
    var run = run
    var left = Self.entriesOfSlice
    var candidates = ContiguousArray<WordIndex.Entry>()
    candidates.reserveCapacity(Self.rowsOfLook)
    repeat {
      candidates.removeAll(keepingCapacity: true)
      while left > 0, candidates.count < Self.rowsOfLook, let entry = next(&run, among, &left) {
        guard cell.state.people.words.mayHave(query.initials, Int(entry.serial)) else { continue }
        candidates.append(entry)
        left -= Self.entriesOfSlice / Self.rowsOfSlice
      }
      cell.state.people.prefetch(candidates.lazy.map { Int($0.serial) })
      for entry in candidates {
        // Several terms of a contact can begin with the word, and the row may have others by now: its first one counts.
        let contact = Int(entry.serial)
        guard cell.state.people.match(contact, query.words, ordering: query.ordering) == entry.key else { continue }
        let place = SearchOrder(term: entry.key, partition: cell.index, contact: entry.serial)
        guard case .goesOn(let items) = body(contact, place) else { return nil }
        left -= Self.entriesOfItem * items
      }
    } while left > 0 && run.count > 0
    return run.count > 0 ? cell.state.people.words.last(run) : nil
  }

  private func next(_ run: inout WordIndex.Run, _ among: Candidates?, _ left: inout Int) -> WordIndex.Entry? {
    switch among {
    case .collected(let contacts): return cell.state.people.words.next(&run, among: contacts, &left)
    case .listed(let contacts):
      while left > 0, let entry = cell.state.people.words.next(&run) {
        left -= 1
        // One look tells nearly all apart, a search in the list takes several.
        let contact = Int(entry.serial)
        if cell.state.people.words.mayHave(query.initials, contact), contacts.contains(contact) { return entry }
      }
      return nil
    case nil:
      left -= 1
      return cell.state.people.words.next(&run)
    }
  }

  /// Where they are few, each row tells whether it matches, and the terms need not be read.
  private func forEachMatch(among few: [Int], _ body: (_ contact: Int, _ place: SearchOrder) -> Step) {
    var found: [SearchOrder] = []
    cell.state.people.prefetch(few)
    for contact in few {
      if let key = cell.state.people.match(contact, query.words, ordering: query.ordering) {
        found.append(SearchOrder(term: key, partition: cell.index, contact: UInt32(contact)))
      }
    }
    found.sort()
    for place in found {
      guard case .goesOn = body(Int(place.contact), place) else { return }
    }
  }
}

/// The place of a person in the answer of a search: by the term that matches, then by the contact.
struct SearchOrder: Comparable {
  let term: UInt64
  private let rest: UInt64

  var partition: Int { Int(rest >> 32) }
  var contact: UInt32 { UInt32(truncatingIfNeeded: rest) }

  init(term: UInt64, partition: Int, contact: UInt32) {
    self.term = term
    rest = UInt64(partition) << 32 | UInt64(contact)
  }

  /// From the key of an item.
  init(_ bytes: ContiguousArray<UInt8>) {
    (term, rest) = bytes.withUnsafeBytes {
      (
        UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)),
        UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      )
    }
  }

  var bytes: ContiguousArray<UInt8> {
    var bytes = ContiguousArray<UInt8>()
    bytes.reserveCapacity(16)
    for number in [term, rest] { withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) } }
    return bytes
  }

  static func < (one: SearchOrder, other: SearchOrder) -> Bool { (one.term, one.rest) < (other.term, other.rest) }
}
