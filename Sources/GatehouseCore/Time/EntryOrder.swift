/// A login's entries in a workspace that are not deleted, sorted by start. A page of a list costs only its items, and
/// whether any time is recorded costs one look-up (T11).
///
/// Each workspace has its own, so that a list never scans entries that its reader may not see (W4). New entries nearly
/// always go to the end; others are inserted. Derived from the rows, so snapshots do not contain it.
///
/// It takes 4 bytes an entry (at most 8 while it grows), and about 100 bytes a person with entries. The linked list
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
  /// The index of the contact's next order in `EntryOrders`; -1 for none.
  fileprivate var next: Int32 = -1
}

/// All orders of a partition, found by the contact's serial number. With a dictionary of arrays, finding an order took
/// several cache misses one after another.
struct EntryOrders: Sendable {
  /// For each contact, by serial number, the index of its first order in `all`; -1 for none.
  private var heads: ContiguousArray<Int32> = []
  fileprivate var all: ContiguousArray<EntryOrder> = []

  /// The orders of a contact.
  func of(_ contact: UInt32) -> [EntryOrder] {
    var found: [EntryOrder] = []
    var index = head(of: contact)
    while index >= 0 {
      found.append(all[Int(index)])
      index = all[Int(index)].next
    }
    return found
  }

  /// Calls `body` with each contact that has orders, and with the orders.
  func forEach(_ body: (_ contact: UInt32, [EntryOrder]) -> Void) {
    for contact in heads.indices where heads[contact] >= 0 { body(UInt32(contact), of(UInt32(contact))) }
  }

  /// The address at which the search for a contact's orders begins. Only for prefetching, as `NameIndex.start` is.
  @inline(__always)
  func address(ofHead contact: UInt32) -> UnsafeRawPointer? {
    guard Int(contact) < heads.count else { return nil }
    return heads.withUnsafeBufferPointer { UnsafeRawPointer($0.baseAddress! + Int(contact)) }
  }

  @inline(__always)
  private func head(of contact: UInt32) -> Int32 { Int(contact) < heads.count ? heads[Int(contact)] : -1 }

  /// The index in `all` of the order that an entry belongs to, which is added if it is not there yet.
  fileprivate mutating func index(for row: EntryRow) -> Int {
    var index = head(of: row.contact)
    while index >= 0 {
      if all[Int(index)].user == row.user, all[Int(index)].workspace == row.workspace { return Int(index) }
      index = all[Int(index)].next
    }
    while heads.count <= Int(row.contact) { heads.append(-1) }
    var order = EntryOrder(user: row.user, workspace: row.workspace)
    order.next = heads[Int(row.contact)]
    heads[Int(row.contact)] = Int32(all.count)
    all.append(order)
    return all.count - 1
  }
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
    let at = orders.index(for: row)
    if row.start > orders.all[at].latestStart {
      orders.all[at].serials.append(UInt32(serial))
      orders.all[at].latestStart = row.start
    } else {
      let rank = rank(of: sortKey(of: UInt32(serial)), in: orders.all[at].serials)
      orders.all[at].serials.insert(UInt32(serial), at: rank)
    }
    orders.all[at].note(row)
  }

  /// Removes an entry, by the start in its row.
  mutating func leave(_ serial: Int, _ lsn: LSN) {
    let row = entries[serial]
    let at = orders.index(for: row)
    let rank = rank(of: sortKey(of: UInt32(serial)), in: orders.all[at].serials)
    let gone = orders.all[at].serials.remove(at: rank)
    precondition(gone == UInt32(serial), "an entry is missing in its order")
    orders.all[at].latestStart = latestStart(of: orders.all[at].serials)
    orders.all[at].lsn = lsn
  }

  private func latestStart(of serials: ContiguousArray<UInt32>) -> Milliseconds {
    serials.last.map { entries[Int($0)].start } ?? .min
  }

  /// Sorts the entries that were read from a snapshot.
  mutating func orderEntries() {
    for serial in 1..<(entries.last + 1) where entries[serial].isUsed {
      let row = entries[serial]
      let at = orders.index(for: row)
      if !row.isDeleted { orders.all[at].serials.append(UInt32(serial)) }
      orders.all[at].note(row)
    }
    for at in orders.all.indices {
      var serials = orders.all[at].serials
      serials.sort { sortKey(of: $0) < sortKey(of: $1) }
      orders.all[at].serials = serials
      orders.all[at].latestStart = latestStart(of: serials)
    }
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
    let orders = orders.of(UInt32(contact)).filter { reach.contains($0.workspace) }
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
