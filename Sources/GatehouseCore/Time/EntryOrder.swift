/// A login's entries in a workspace that are not deleted, sorted by start. A page of a list costs only its items, and
/// whether any time is recorded costs one look-up (T11).
///
/// Each workspace has its own, so that a list never scans entries that its reader may not see (W4). New entries nearly
/// always go to the end; others are inserted. Derived from the rows, so snapshots do not contain it.
///
/// It takes 4 bytes an entry (at most 8 while it grows), and about 110 bytes a person with entries. The linked list
/// that it replaced took 8 bytes of every person, with entries or without.
public struct EntryOrder: Sendable {
  /// Serial number of the user.
  let user: UInt32
  let workspace: WorkspaceID
  /// Serial numbers of entries; entries with the same start are in creation order.
  fileprivate(set) var serials: ContiguousArray<UInt32> = []
  /// The start of the last entry, so that appending needs no look at a row.
  fileprivate var latestStart = Milliseconds.min
  /// The longest duration any entry of it ever had, in milliseconds. Entries that overlap a time start at most that
  /// long before it.
  fileprivate(set) var longest: Milliseconds = 0
  /// The last record that changed or deleted an entry of it.
  fileprivate(set) var lsn: LSN = 0
}

/// The sort key of an entry.
struct EntrySortKey: Comparable {
  let start: Milliseconds
  let serial: UInt32

  static func < (one: EntrySortKey, other: EntrySortKey) -> Bool {
    (one.start, one.serial) < (other.start, other.serial)
  }
}

extension RecordedTime {
  func sortKey(of serial: UInt32) -> EntrySortKey { EntrySortKey(start: entries[Int(serial)].start, serial: serial) }

  /// How many entries of an order sort before a key.
  private func rank(of key: EntrySortKey, in serials: ContiguousArray<UInt32>) -> Int {
    if let last = serials.last, self.sortKey(of: last) < key { return serials.count }
    var (low, high) = (0, serials.count)
    while low < high {
      let middle = (low + high) / 2
      if self.sortKey(of: serials[middle]) < key { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Inserts an entry.
  mutating func enter(_ serial: Int) {
    let row = entries[serial]
    let at = order(for: row)
    if row.start > self[at].latestStart {
      self[at].serials.append(UInt32(serial))
      self[at].latestStart = row.start
    } else {
      let rank = rank(of: sortKey(of: UInt32(serial)), in: self[at].serials)
      self[at].serials.insert(UInt32(serial), at: rank)
    }
    self[at].note(row)
  }

  /// Removes an entry, by the start in its row.
  mutating func leave(_ serial: Int, _ lsn: LSN) {
    let row = entries[serial]
    let at = order(for: row)
    let rank = rank(of: sortKey(of: UInt32(serial)), in: self[at].serials)
    let gone = self[at].serials.remove(at: rank)
    precondition(gone == UInt32(serial), "an entry is missing in its order")
    self[at].latestStart = latestStart(of: self[at].serials)
    self[at].lsn = lsn
  }

  private func latestStart(of serials: ContiguousArray<UInt32>) -> Milliseconds {
    serials.last.map { entries[Int($0)].start } ?? .min
  }

  /// Sorts the entries that were read from a snapshot.
  mutating func orderEntries() {
    for serial in 1..<(entries.last + 1) where entries[serial].isUsed {
      let row = entries[serial]
      let at = order(for: row)
      if !row.isDeleted { self[at].serials.append(UInt32(serial)) }
      self[at].note(row)
    }
    for contact in orders.indices {
      for index in orders.values[contact].indices {
        let at = (contact, index)
        var serials = self[at].serials
        serials.sort { sortKey(of: $0) < sortKey(of: $1) }
        self[at].serials = serials
        self[at].latestStart = latestStart(of: serials)
      }
    }
  }

  /// Where the order is to which an entry belongs, so that it is looked up once.
  private mutating func order(for row: EntryRow) -> (Dictionary<UInt32, ContiguousArray<EntryOrder>>.Index, Int) {
    let contact = orders.index(forKey: row.contact) ?? addContact(row.contact)
    let at = orders.values[contact].firstIndex { $0.user == row.user && $0.workspace == row.workspace }
    if let at { return (contact, at) }
    orders.values[contact].append(EntryOrder(user: row.user, workspace: row.workspace))
    return (contact, orders.values[contact].count - 1)
  }

  private mutating func addContact(_ contact: UInt32) -> Dictionary<UInt32, ContiguousArray<EntryOrder>>.Index {
    orders[contact] = []
    return orders.index(forKey: contact)!
  }

  private subscript(at: (contact: Dictionary<UInt32, ContiguousArray<EntryOrder>>.Index, index: Int)) -> EntryOrder {
    get { orders.values[at.contact][at.index] }
    _modify { yield &orders.values[at.contact][at.index] }
  }
}

extension EntryOrder {
  fileprivate mutating func note(_ row: EntryRow) {
    longest = max(longest, row.end - row.start)
    lsn = max(lsn, row.lsn)
  }
}

// MARK: - Reading

extension RecordedTime {
  /// The entries of a contact that overlap `[from, to)`, latest start first.
  /// - Parameters:
  ///   - key: where the previous page ended.
  ///   - limit: the largest number to return.
  /// - Returns: their serial numbers, and the last record that changed anything of what was read.
  func entries(
    of contact: Int, in reach: Reach, from: Milliseconds, to: Milliseconds, before key: EntrySortKey?, limit: Int
  ) -> (serials: [Int], lsn: LSN) {
    let end = min(key ?? EntrySortKey(start: .max, serial: .max), EntrySortKey(start: to, serial: 0))
    let orders = (orders[UInt32(contact)] ?? []).filter { reach.contains($0.workspace) }
    var heads = orders.map { (order: $0, rank: rank(of: end, in: $0.serials)) }
    var found: [Int] = []
    while found.count < limit {
      heads.removeAll { $0.rank == 0 }
      func next(_ at: Int) -> UInt32 { heads[at].order.serials[heads[at].rank - 1] }
      guard let at = heads.indices.max(by: { self.sortKey(of: next($0)) < self.sortKey(of: next($1)) }) else { break }
      let serial = Int(next(at))
      let row = entries[serial]
      heads[at].rank -= 1
      if row.start >= from || row.end > from {
        found.append(serial)
      } else if row.start + heads[at].order.longest <= from {
        heads[at].rank = 0
      }
    }
    return (found, orders.map(\.lsn).max() ?? 0)
  }
}
