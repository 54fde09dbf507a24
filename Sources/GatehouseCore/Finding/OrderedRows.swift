/// Reads the rows of a partition in the order of a sorted list, so that a page costs about what it shows.
///
/// Two orders are there anyway. Rows are in the order of their ids, and but for threads that ran at once in that of their
/// creation. And the index of words has the beginnings of names, addresses and usernames. Both are a little coarse: rows
/// whose keys are the same come together, and the list sorts those itself.
struct OrderedRows<Row: ListedPerson>: Sendable {
  typealias Entry = WordIndex.Entry

  private enum Source {
    case ids
    case creation
    case words(SortedField)
  }

  let field: ListField
  private let isDescending: Bool
  private let source: Source

  /// How many rows are asked for before the first of them is read.
  private static var rowsOfLook: Int { 8 }

  /// - Returns: nil if no index has the order.
  init?(_ field: ListField, isDescending: Bool) {
    self.field = field
    self.isDescending = isDescending
    if let words = SortedField(field, Row.self) {
      source = .words(words)
    } else if field == Row.identity {
      source = .ids
    } else if field == .created {
      source = .creation
    } else {
      return nil
    }
  }

  /// Whether the order is that of the index of words, which must be complete.
  var isOfWords: Bool { if case .words = source { true } else { false } }

  // MARK: Keys

  /// The key of a row in this order.
  private func key(of sortKey: ContiguousArray<UInt8>) -> UInt64 {
    switch source {
    case .words(let words): words.key(of: sortKey)
    case .ids, .creation: sortKey.withUnsafeBytes { WordIndex.key($0) }
    }
  }

  /// Whether an entry of the index says what the row says.
  func isCurrent(_ entry: Entry, _ sortKey: ContiguousArray<UInt8>) -> Bool { entry.key == key(of: sortKey) }

  /// Whether all rows from this entry on come after one that has a sort key.
  func isBeyond(_ entry: Entry, _ sortKey: ContiguousArray<UInt8>, in cell: HeldPartition) -> Bool {
    let limit = key(of: sortKey)
    let slack = slack(in: cell)
    return isDescending ? entry.key < limit &- min(limit, slack) : entry.key > limit &+ min(.max - limit, slack)
  }

  /// By how much keys can be out of order.
  private func slack(in cell: HeldPartition) -> UInt64 {
    switch source {
    case .creation: UInt64(clamping: Row.facets(in: cell).disorder)
    case .ids, .words: 0
    }
  }

  // MARK: Reading

  /// What is to be done after a row.
  enum Step {
    case goesOn
    /// The next ones come after the last that are wanted.
    case isDone
    /// The partition was held long enough.
    case pauses
  }

  /// Calls `body` with each row from a place on.
  ///
  /// - Parameters:
  ///   - sortKey: that of the place; nil for the first.
  ///   - entry: the last entry that was read before the partition was left.
  /// - Returns: the last entry that was read, if the partition is to be left.
  func forEachRow(
    in cell: HeldPartition, from sortKey: ContiguousArray<UInt8>?, after entry: Entry?, _ body: (Int, Entry) -> Step
  ) -> Entry? {
    switch source {
    case .words(let words):
      for range in ranges(of: words, from: sortKey) {
        var run =
          isDescending
          ? cell.state.people.words.run(from: range.lowerBound, through: range.upperBound, before: entry)
          : cell.state.people.words.run(from: range.lowerBound, through: range.upperBound, after: entry)
        switch read(in: cell, body, next: { next(&run, in: cell) }) {
        case .isDone: return nil
        case .pausedAfter(let entry): return entry
        case .hasEnded: continue
        }
      }
    case .ids, .creation:
      var serial = start(in: cell, from: sortKey, after: entry)
      let last = Row.last(in: cell)
      let reading = read(in: cell, body) {
        while serial >= 1, serial <= last {
          defer { serial += isDescending ? -1 : 1 }
          if let key = key(ofRow: serial, in: cell) { return Entry(key: key, serial: UInt32(serial)) }
        }
        return nil
      }
      if case .pausedAfter(let entry) = reading { return entry }
    }
    return nil
  }

  private enum Reading {
    case isDone
    case pausedAfter(Entry)
    case hasEnded
  }

  private func read(in cell: HeldPartition, _ body: (Int, Entry) -> Step, next: () -> Entry?) -> Reading {
    var entries = ContiguousArray<Entry>()
    entries.reserveCapacity(Self.rowsOfLook)
    while true {
      entries.removeAll(keepingCapacity: true)
      while entries.count < Self.rowsOfLook, let entry = next() { entries.append(entry) }
      if entries.isEmpty { return .hasEnded }
      if isOfWords { cell.state.people.prefetch(entries.lazy.map { Int($0.serial) }) }
      for entry in entries {
        let row = isOfWords ? Row.row(ofContact: Int(entry.serial), in: cell) : Int(entry.serial)
        guard let row, Row.created(row, in: cell) != nil else { continue }
        switch body(row, entry) {
        case .goesOn: continue
        case .isDone: return .isDone
        case .pauses: return .pausedAfter(entry)
        }
      }
    }
  }

  // MARK: By words

  private func next(_ run: inout WordIndex.Run, in cell: HeldPartition) -> Entry? {
    isDescending ? cell.state.people.words.previous(&run) : cell.state.people.words.next(&run)
  }

  /// The keys that follow in the order of the list: those with an empty text are before all others.
  private func ranges(of words: SortedField, from sortKey: ContiguousArray<UInt8>?) -> [ClosedRange<UInt64>] {
    let empty = words.keyOfEmpty...words.keyOfEmpty
    let texts: ClosedRange<UInt64> = 1 << 56 ... .max
    guard let sortKey else { return isDescending ? [texts, empty] : [empty, texts] }
    if sortKey.isEmpty { return isDescending ? [empty] : [empty, texts] }
    // A cursor may come from anywhere.
    let key = max(texts.lowerBound, words.key(of: sortKey))
    return isDescending ? [texts.lowerBound...key, empty] : [key...texts.upperBound]
  }

  // MARK: By rows

  /// - Returns: nil if the row is not in use.
  private func key(ofRow serial: Int, in cell: HeldPartition) -> UInt64? {
    guard let created = Row.created(serial, in: cell) else { return nil }
    if case .ids = source { return Self.key(of: Int64((cell.state.id(serial) as Identifier<Row>).raw)) }
    return Self.key(of: created)
  }

  /// The key of a number's sort key.
  private static func key(of number: Int64) -> UInt64 { UInt64(bitPattern: number) ^ 1 << 63 }

  /// The first row that can follow a place.
  private func start(in cell: HeldPartition, from sortKey: ContiguousArray<UInt8>?, after entry: Entry?) -> Int {
    if let entry { return Int(entry.serial) + (isDescending ? -1 : 1) }
    let last = Row.last(in: cell)
    guard let sortKey, !sortKey.isEmpty else { return isDescending ? last : 1 }
    let wanted = key(of: sortKey)
    let slack = slack(in: cell)
    // All rows before `low` are before the place, and all from `high` on behind it.
    var (low, high) = (1, last + 1)
    while low < high {
      let middle = (low + high) / 2
      // A row that is not in use has no time: the next one tells.
      var probe = middle
      var found = key(ofRow: probe, in: cell)
      while found == nil, probe + 1 < high {
        probe += 1
        found = key(ofRow: probe, in: cell)
      }
      guard let found else {
        high = middle
        continue
      }
      if isDescending {
        // Behind it all are greater than wanted.
        if found > wanted &+ min(.max - wanted, slack) { high = middle } else { low = probe + 1 }
      } else if found < wanted &- min(wanted, slack) {
        low = probe + 1
      } else {
        high = middle
      }
    }
    return isDescending ? high - 1 : low
  }
}
