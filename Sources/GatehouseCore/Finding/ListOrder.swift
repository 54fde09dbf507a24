/// The contacts of a partition in the order of a list.
///
/// It follows from the rows, and neither log nor snapshot contains it. A change costs a write only a note. Before a list
/// reads the order, those who were noted leave it, and come back to their new places, a few at a time, as do new
/// contacts; the upkeep of the lanes does the same where nobody asks. From then on it is exact. So a list begins at a
/// cursor or at a position after a few comparisons, however many people have the same name, and however many names
/// begin alike.
///
/// An entry is the first eight bytes of the text, which sort like the texts, and the contact. Where these bytes are the
/// same, the rows are compared.
struct ListOrder: Sendable {
  private var heads: ContiguousArray<UInt64> = []
  private var contacts: ContiguousArray<UInt32> = []
  /// The contacts that are in it.
  private var entered = SerialBits()
  /// Contacts up to this one have been taken in, but for those that wait.
  private var last = 0
  /// Contacts whose texts, or whose logins, have changed. They may be out of order.
  private var changed: ContiguousArray<UInt32> = []
  /// Contacts that have left their places and are to come back.
  private var waiting: ContiguousArray<UInt32> = []
  private var isWaiting = SerialBits()

  /// Changed contacts that may be noted; beyond that the order is made anew.
  private static let mostChanged = 4096

  var count: Int { contacts.count }

  // MARK: Changing

  /// Notes that a contact may have another place, or none.
  mutating func note(_ contact: Int) {
    guard contact <= last else { return }
    if changed.count < Self.mostChanged { changed.append(UInt32(contact)) } else { self = ListOrder() }
  }

  /// Takes those who were noted out. Until then no row may be compared: one that is out of order misleads.
  mutating func removeChanged() {
    guard !changed.isEmpty else { return }
    var gone = SerialBits()
    var isAnyEntered = false
    for contact in changed where gone.insert(Int(contact)) {
      if entered.remove(Int(contact)) { isAnyEntered = true }
      if isWaiting.insert(Int(contact)) { waiting.append(contact) }
    }
    changed.removeAll()
    guard isAnyEntered else { return }
    var kept = 0
    for index in contacts.indices where !gone.contains(Int(contacts[index])) {
      contacts[kept] = contacts[index]
      heads[kept] = heads[index]
      kept += 1
    }
    contacts.removeLast(contacts.count - kept)
    heads.removeLast(heads.count - kept)
  }

  /// The next contact to take in; nil if there is none.
  /// - Parameter end: the last contact of the partition.
  mutating func next(through end: Int) -> Int? {
    if let contact = waiting.popLast() {
      isWaiting.remove(Int(contact))
      return Int(contact)
    }
    guard last < end else { return nil }
    last += 1
    return last
  }

  /// - Parameter place: where it belongs.
  mutating func insert(_ contact: Int, _ head: UInt64, at place: Int) {
    if contacts.count == contacts.capacity {
      // By an eighth instead of to the double: a million people are measured by memory.
      let capacity = contacts.count + contacts.count / 8 + 16
      contacts.reserveCapacity(capacity)
      heads.reserveCapacity(capacity)
    }
    contacts.insert(UInt32(contact), at: place)
    heads.insert(head, at: place)
    entered.insert(contact)
  }

  func isComplete(through end: Int) -> Bool { changed.isEmpty && waiting.isEmpty && last >= end }

  // MARK: Reading

  subscript(index: Int) -> (head: UInt64, contact: Int) { (heads[index], Int(contacts[index])) }

  /// The number of entries before a text.
  ///
  /// - Parameters:
  ///   - head: its first eight bytes.
  ///   - isBefore: whether a contact whose text begins with the same bytes comes before it.
  func place(of head: UInt64, _ isBefore: (Int) -> Bool) -> Int {
    var (low, high) = (0, contacts.count)
    while low < high {
      let middle = (low + high) / 2
      if heads[middle] == head ? isBefore(Int(contacts[middle])) : heads[middle] < head {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }
}

/// The orders that lists of a partition have asked for.
struct ListOrders: Sendable {
  private var orders = ContiguousArray<ListOrder?>(repeating: nil, count: PeopleOrder.allCases.count)
  /// For how many rounds of upkeep nobody has asked for each.
  private var idle = ContiguousArray<UInt16>(repeating: 0, count: PeopleOrder.allCases.count)

  /// The usual order of the console's list of people.
  private static let usual = PeopleOrder.usersByLast
  /// About an hour, as the upkeep comes twice a second.
  static let mostIdle: UInt16 = 7200

  /// The usual order is there before somebody asks, and stays.
  init() { orders[Self.usual.rawValue] = ListOrder() }

  subscript(order: PeopleOrder) -> ListOrder? { orders[order.rawValue] }

  var inUse: [PeopleOrder] { PeopleOrder.allCases.filter { orders[$0.rawValue] != nil } }

  /// - Parameter end: the last contact of the partition.
  func lacksAny(through end: Int) -> Bool { orders.contains { $0.map { !$0.isComplete(through: end) } ?? false } }

  mutating func note(_ contact: Int) {
    for index in orders.indices { orders[index]?.note(contact) }
  }

  /// Notes that a list asks for an order.
  mutating func noteUse(of order: PeopleOrder) { idle[order.rawValue] = 0 }

  /// Drops the orders that nobody has asked for in a long time, in a round of upkeep. Each has a dozen bytes for every
  /// person, and whoever once looked at a list in it may never do so again.
  mutating func dropUnused() {
    for index in orders.indices where orders[index] != nil && index != Self.usual.rawValue {
      idle[index] += 1
      guard idle[index] >= Self.mostIdle else { continue }
      orders[index] = nil
      idle[index] = 0
    }
  }

  /// Moves an order out while the rows are read, because both belong to the same value. One that nobody has asked for is
  /// begun.
  mutating func take(_ order: PeopleOrder) -> ListOrder {
    let taken = orders[order.rawValue] ?? ListOrder()
    orders[order.rawValue] = nil
    return taken
  }

  mutating func put(_ taken: ListOrder, _ order: PeopleOrder) { orders[order.rawValue] = taken }
}
