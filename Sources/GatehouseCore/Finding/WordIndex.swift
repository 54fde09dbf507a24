/// Finds the contacts of a partition by prefixes of their names, usernames and e-mails.
///
/// It is only a hint, derived from the rows: a search compares the words with the row. So a change costs a write only a
/// note, entries may be out of date, and neither log nor snapshot contains the index. Contacts are added later, a few
/// at a time, by the lanes' upkeep or by the next search.
///
/// A term's key is its first eight bytes in search form, so that keys sort like the terms. What comes after the eighth byte
/// is in a second index: of a thousand usernames that begin alike, a search for one of them looks at that one alone.
struct WordIndex: Sendable {
  typealias Entry = TermPages.Entry
  typealias Run = TermPages.Run

  /// Changed contacts that may wait to be added again; beyond that the index is rebuilt.
  private static let mostChanged = 4096

  private var terms = TermPages()
  /// Terms of more than eight bytes: 16 bits of a hash of those, and the next six bytes.
  private var tails = TermPages()
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

  /// Adds a term of a contact.
  ///
  /// - Parameter longest: a term of the same contact whose tail was added; the tail of another that it begins with need not
  ///   be, such as that of the username in most e-mails.
  mutating func insert(
    _ term: UnsafeRawBufferPointer, of contact: Int, afterLongest longest: inout ContiguousArray<UInt8>
  ) {
    let key = Self.key(term)
    terms.insert(Entry(key: key, serial: UInt32(contact)))
    guard term.count > Self.keyBytes else { return }
    let isCovered = longest.withUnsafeBytes {
      $0.count >= term.count && sameBytes(UnsafeRawBufferPointer(rebasing: $0[..<term.count]), term)
    }
    if isCovered { return }
    tails.insert(Entry(key: Self.tail(term, key), serial: UInt32(contact)))
    if term.count > longest.count {
      longest.removeAll(keepingCapacity: true)
      longest.append(contentsOf: term)
    }
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

  /// Whether a word is longer than a key, so that the second index has it.
  static func isLong(_ word: ContiguousArray<UInt8>) -> Bool { word.count > keyBytes }

  /// The bit of a term's initial; one for all that are no letters of ASCII.
  static func initial(_ term: UnsafeRawBufferPointer) -> UInt32 {
    guard let first = term.first else { return 0 }
    return first &- 0x61 < 26 ? 1 << UInt32(first &- 0x61) : 1 << 26
  }

  /// Whether a contact has a term with each of the initials.
  @inline(__always)
  func mayHave(_ bits: UInt32, _ contact: Int) -> Bool { initials[contact] & bits == bits }
}

// MARK: - Keys

extension WordIndex {
  private static let keyBytes = 8
  private static let tailBytes = 6

  /// The first eight bytes, most significant first.
  @inline(__always)
  static func key(_ term: UnsafeRawBufferPointer) -> UInt64 { Words.load(term, at: 0).byteSwapped }

  /// The key of a term of more than eight bytes in the second index.
  private static func tail(_ term: UnsafeRawBufferPointer, _ key: UInt64) -> UInt64 {
    let hash = (key &* 0x9e37_79b9_7f4a_7c15) & ~UInt64(0) << 48
    return hash | Words.load(term, at: keyBytes).byteSwapped >> 16
  }

  /// The bits of a key that a term has beyond so many bytes.
  private static func rest(_ count: Int) -> UInt64 { count < 8 ? UInt64.max >> UInt64(8 * count) : 0 }
}

// MARK: - Finding

extension WordIndex {
  /// The entries whose terms can start with a word.
  ///
  /// - Parameters:
  ///   - entry: only those after it.
  ///   - last: only those with a key up to it.
  func run(of word: UnsafeRawBufferPointer, after entry: Entry? = nil, through last: UInt64 = .max) -> Run {
    let low = Self.key(word)
    let high = min(last, low | Self.rest(word.count))
    var first = Entry(key: low, serial: 0)
    if let entry { first = max(first, Entry(key: entry.key, serial: entry.serial + 1)) }
    let end = Entry(key: high, serial: .max)
    return first <= end ? terms.run(first...end) : .empty
  }

  /// The contacts that have a term of more than eight bytes that begins with a word of more than eight; nil where the word
  /// is shorter, or they are more than `most`.
  ///
  /// - Parameter last: the last contact of the partition.
  func contacts(withLong word: UnsafeRawBufferPointer, most: Int, through last: Int) -> SerialBits? {
    guard word.count > Self.keyBytes else { return nil }
    let low = Self.tail(word, Self.key(word))
    let rest = Self.rest(2 + min(Self.tailBytes, word.count - Self.keyBytes))
    let run = tails.run(Entry(key: low, serial: 0)...Entry(key: low | rest, serial: .max))
    return run.count <= most ? tails.contacts(of: run, through: last) : nil
  }

  /// The next entry of a run.
  func next(_ run: inout Run) -> Entry? { terms.next(&run) }

  /// The next entry of a run whose contact is among some.
  ///
  /// - Parameter left: is decreased by how many entries were read.
  func next(_ run: inout Run, among contacts: SerialBits, _ left: inout Int) -> Entry? {
    terms.next(&run, among: contacts, &left)
  }

  /// The last entry that was read of a run.
  func last(_ run: Run) -> Entry? { terms.last(run) }

  /// The contacts of a run.
  ///
  /// - Parameter last: the last contact of the partition.
  func contacts(of run: Run, through last: Int) -> SerialBits { terms.contacts(of: run, through: last) }
}
