/// Reads the rows of a partition in the order of a sorted list, so that a page costs about what it shows.
///
/// Texts have an index of their order (`ListOrder`). And rows are in the order of their ids anyway, and but for threads
/// that ran at once in that of their creation.
struct OrderedRows<Row: ListedPerson>: Sendable {
  private enum Source {
    case ids
    case creation
    case order(PeopleOrder)
  }

  let field: ListField
  private let isDescending: Bool
  private let source: Source

  /// How many rows are asked for before the first of them is read: they lie elsewhere in memory.
  private static var rowsOfLook: Int { 8 }

  /// - Returns: nil if no index has the order.
  init?(_ field: ListField, isDescending: Bool) {
    self.field = field
    self.isDescending = isDescending
    if let order = PeopleOrder(field, Row.self) {
      source = .order(order)
    } else if field == Row.identity {
      source = .ids
    } else if field == .created {
      source = .creation
    } else {
      return nil
    }
  }

  /// The index that it goes by, which must be complete; nil if it goes by the rows themselves.
  var order: PeopleOrder? { if case .order(let order) = source { order } else { nil } }

  /// Whether no row comes before one that was read earlier.
  var isExact: Bool { if case .creation = source { false } else { true } }

  // MARK: Keys

  /// Whether all rows from one on come after a place.
  ///
  /// - Parameter head: the first eight bytes of the row's sort key.
  func isBeyond(_ head: UInt64, _ sortKey: ContiguousArray<UInt8>, in cell: HeldPartition) -> Bool {
    let limit = Self.head(of: sortKey)
    let slack = slack(in: cell)
    return isDescending ? head < limit &- min(limit, slack) : head > limit &+ min(.max - limit, slack)
  }

  private static func head(of sortKey: ContiguousArray<UInt8>) -> UInt64 {
    sortKey.withUnsafeBytes { WordIndex.key($0) }
  }

  /// By how much keys can be out of order.
  private func slack(in cell: HeldPartition) -> UInt64 {
    switch source {
    case .creation: UInt64(clamping: Row.facets(in: cell).disorder)
    case .ids, .order: 0
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

  /// Calls `body` with each row behind a place, and the first eight bytes of its sort key.
  ///
  /// - Parameters:
  ///   - place: nil for the first row.
  ///   - last: that of the last row that was read before the partition was left.
  /// - Returns: the last row that was read, if the partition is to be left.
  func forEachRow(
    in cell: HeldPartition, behind place: ListPlace?, after last: ListPlace?, _ body: (Int, UInt64) -> Step
  ) -> Int? {
    switch source {
    case .order(let order):
      guard let index = cell.state.people.orders[order] else { return nil }
      var position = position(behind: last ?? place, in: index, order, cell)
      return read(in: cell, body) {
        guard position < index.count else { return nil }
        defer { position += 1 }
        return entry(at: position, of: index)
      }
    case .ids, .creation:
      var serial = start(in: cell, from: place?.key, after: last)
      let end = Row.last(in: cell)
      return read(in: cell, body) {
        while serial >= 1, serial <= end {
          defer { serial += isDescending ? -1 : 1 }
          if let key = key(ofRow: serial, in: cell) { return (key, serial) }
        }
        return nil
      }
    }
  }

  /// - Parameter next: the next row, or, of an index, contact.
  private func read(
    in cell: HeldPartition, _ body: (Int, UInt64) -> Step, next: () -> (head: UInt64, serial: Int)?
  ) -> Int? {
    var entries = ContiguousArray<(head: UInt64, serial: Int)>()
    entries.reserveCapacity(Self.rowsOfLook)
    while true {
      entries.removeAll(keepingCapacity: true)
      while entries.count < Self.rowsOfLook, let entry = next() { entries.append(entry) }
      if entries.isEmpty { return nil }
      if order != nil { cell.state.people.prefetch(entries.lazy.map { $0.serial }) }
      for entry in entries {
        guard let row = order == nil ? entry.serial : Row.row(ofContact: entry.serial, in: cell) else { continue }
        switch body(row, entry.head) {
        case .goesOn: continue
        case .isDone: return nil
        case .pauses: return row
        }
      }
    }
  }

  // MARK: By an index

  /// How many entries of an index come before a place or at it, in the order of the list.
  func position(behind place: ListPlace?, in index: ListOrder, _ order: PeopleOrder, _ cell: HeldPartition) -> Int {
    guard let place else { return 0 }
    let id = Identifier<Row>(raw: place.id)
    let partitioning = cell.state.partitioning
    let (serial, partition) = (partitioning.serial(of: id), partitioning.partition(of: id))
    // The first row whose id is beyond it; backwards, the first that is not before it.
    let row = (isDescending ? cell.index < partition : cell.index <= partition) ? serial &+ 1 : serial
    let count = place.key.withUnsafeBytes { text in
      index.place(of: WordIndex.key(text)) { cell.state.people.isBefore($0, text, row: row, in: order) }
    }
    return isDescending ? index.count - count : count
  }

  /// The entry at a position in the order of the list.
  func entry(at position: Int, of index: ListOrder) -> (head: UInt64, serial: Int) {
    let (head, contact) = index[isDescending ? index.count - 1 - position : position]
    return (head, contact)
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
  private func start(in cell: HeldPartition, from sortKey: ContiguousArray<UInt8>?, after row: ListPlace?) -> Int {
    if let row { return cell.state.partitioning.serial(of: Identifier<Row>(raw: row.id)) + (isDescending ? -1 : 1) }
    let last = Row.last(in: cell)
    guard let sortKey, !sortKey.isEmpty else { return isDescending ? last : 1 }
    let wanted = Self.head(of: sortKey)
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
