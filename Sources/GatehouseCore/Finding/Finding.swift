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
  /// The word by whose terms the answer is sorted.
  private let ordering: Int
  /// The initials of all words.
  private let initials: UInt32
  private let run: WordIndex.Run
  /// All who match are among these; nil if they may be any.
  private let among: SerialBits?

  /// What a look at a row costs, in entries of the index.
  private static let entriesOfRow = 256
  /// How many times as many entries of other words are read to be spared the looks at rows with the right initials.
  private static let othersOfEntry = 128
  /// What is read at most before the partition is left for a moment: entries, and rows with their answers.
  private static let entriesOfSlice = 16_384
  private static let rowsOfSlice = 64
  /// How many rows are asked for before the first of them is read: a row lies elsewhere in memory, and the processor can
  /// wait for several at once.
  private static let rowsOfLook = 16
  /// What it costs to move an item that comes after another.
  private static let entriesOfItem = 4

  /// - Parameters:
  ///   - ordering: the word by whose terms the answer is sorted; chosen by the first partition.
  ///   - entry: the last one that was read before the partition was left.
  ///   - worst: the last item of an answer that is full.
  /// - Returns: nil if nobody in the partition is wanted.
  init?(
    _ query: SearchQuery, _ viewer: ListViewer, _ cell: HeldPartition, by ordering: inout Int?,
    after entry: WordIndex.Entry?, _ worst: SearchOrder?
  ) {
    self.query = query
    self.cell = cell
    let chosen = ordering ?? query.longestWord
    ordering = chosen
    self.ordering = chosen
    // Whom the caller may see first: of a small workspace most partitions have nobody.
    var among = viewer.rows(ListedContact.self, in: cell)
    if let workspace = query.workspace {
      Self.narrow(&among, to: SerialBits(cell.state.people.contactFacets[.workspace(workspace)]))
    }
    if let among, among.isEmpty { return nil }
    // The partitions come in ascending order, and so do equal terms of several.
    let last = worst.map { $0.partition < cell.index ? $0.term &- 1 : $0.term } ?? .max
    var runs: [WordIndex.Run] = []
    for (number, word) in query.words.enumerated() {
      let run = word.withUnsafeBytes {
        number == chosen
          ? cell.state.people.words.run(of: $0, after: entry, through: last) : cell.state.people.words.run(of: $0)
      }
      guard run.count > 0 else { return nil }
      runs.append(run)
    }
    run = runs[chosen]
    initials = query.words.reduce(0) { bits, word in bits | word.withUnsafeBytes { WordIndex.initial($0) } }
    var others: [Int] = []
    for (number, word) in query.words.enumerated() {
      let long = word.withUnsafeBytes {
        cell.state.people.words.contacts(
          withLong: $0, most: Self.entriesOfSlice, through: cell.state.people.contacts.last)
      }
      if let long {
        Self.narrow(&among, to: long)
      } else if number != chosen, !WordIndex.isInitial(word) {
        others.append(number)
      }
    }
    let othersCount = others.reduce(0) { $0 + runs[$1].count }
    if othersCount > 0, othersCount < run.count * Self.othersOfEntry, othersCount <= Self.entriesOfSlice {
      for other in others {
        Self.narrow(
          &among, to: cell.state.people.words.contacts(of: runs[other], through: cell.state.people.contacts.last))
      }
    }
    if let among, among.isEmpty { return nil }
    self.among = among
  }

  private static func narrow(_ among: inout SerialBits?, to others: SerialBits) {
    if among == nil { among = others } else { among?.formIntersection(others) }
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
    if let among, among.count <= min(Self.entriesOfSlice, run.count) {
      let few = among.filter { cell.state.people.words.mayHave(initials, $0) }
      if few.count <= Self.rowsOfSlice, few.count * Self.entriesOfRow < run.count {
        forEachMatch(among: few, body)
        return nil
      }
    }
    var run = run
    var left = Self.entriesOfSlice
    var candidates = ContiguousArray<WordIndex.Entry>()
    candidates.reserveCapacity(Self.rowsOfLook)
    repeat {
      candidates.removeAll(keepingCapacity: true)
      while left > 0, candidates.count < Self.rowsOfLook, let entry = next(&run, &left) {
        guard cell.state.people.words.mayHave(initials, Int(entry.serial)) else { continue }
        candidates.append(entry)
        left -= Self.entriesOfSlice / Self.rowsOfSlice
      }
      cell.state.people.prefetch(candidates.lazy.map { Int($0.serial) })
      for entry in candidates {
        // Several terms of a contact can begin with the word, and the row may have others by now: its first one counts.
        let contact = Int(entry.serial)
        guard cell.state.people.match(contact, query.words, ordering: ordering) == entry.key else { continue }
        let place = SearchOrder(term: entry.key, partition: cell.index, contact: entry.serial)
        guard case .goesOn(let items) = body(contact, place) else { return nil }
        left -= Self.entriesOfItem * items
      }
    } while left > 0 && run.count > 0
    return run.count > 0 ? cell.state.people.words.last(run) : nil
  }

  private func next(_ run: inout WordIndex.Run, _ left: inout Int) -> WordIndex.Entry? {
    if let among { return cell.state.people.words.next(&run, among: among, &left) }
    left -= 1
    return cell.state.people.words.next(&run)
  }

  /// Where they are few, each row tells whether it matches, and the terms need not be read.
  private func forEachMatch(among few: [Int], _ body: (_ contact: Int, _ place: SearchOrder) -> Step) {
    var found: [SearchOrder] = []
    cell.state.people.prefetch(few)
    for contact in few {
      if let key = cell.state.people.match(contact, query.words, ordering: ordering) {
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
