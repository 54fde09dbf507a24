/// The order of people in sorted lists.
extension People {
  /// Notes that texts by which a contact is found and sorted have changed, or that its login has.
  mutating func noteTexts(of contact: Int) {
    words.note(contact)
    orders.note(contact)
  }

  /// Takes people into an order that a list asks for, so few that the partition is not held for long.
  /// - Returns: whether it has all of them, and so few were taken in now that the list can be read in the same visit.
  mutating func enterOrder(_ order: PeopleOrder, most: Int) -> Bool {
    orders.noteUse(of: order)
    var left = most
    return enterOrder(order, &left) && left >= most / 2
  }

  /// - Parameter left: how many may be taken in; it is decreased by those who are.
  fileprivate mutating func enterOrder(_ order: PeopleOrder, _ left: inout Int) -> Bool {
    var taken = orders.take(order)
    taken.removeChanged()
    while left > 0, let contact = taken.next(through: contacts.last) {
      enter(contact, into: &taken, order)
      left -= 1
    }
    let isComplete = taken.isComplete(through: contacts.last)
    orders.put(taken, order)
    return isComplete
  }

  /// Whether an order that is in use lacks somebody.
  var lacksOrdered: Bool { orders.lacksAny(through: contacts.last) }

  private func enter(_ contact: Int, into taken: inout ListOrder, _ order: PeopleOrder) {
    guard contacts[contact].isUsed, !order.isOfUsers || contacts[contact].user != 0 else { return }
    let row = row(ofContact: contact, in: order)
    let (head, place) = withText(ofContact: contact, in: order) { (text) -> (UInt64, Int) in
      let head = WordIndex.key(text)
      return (head, taken.place(of: head) { isBefore($0, text, row: row, in: order) })
    }
    taken.insert(contact, head, at: place)
  }

  /// Calls `body` with the sort key of a contact in an order: its text in search form.
  private func withText<Result>(
    ofContact contact: Int, in order: PeopleOrder, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    func found(_ text: UnsafeRawBufferPointer?) -> Result {
      SearchText.with(text ?? UnsafeRawBufferPointer(start: nil, count: 0)) {
        let key = UnsafeRawBufferPointer(rebasing: $0.drop(while: SearchText.isSpace))
        return key.isEmpty ? ListPlace.unset.withUnsafeBytes(body) : body(key)
      }
    }
    guard let field = order.contactField else {
      return users.withDetails(of: Int(contacts[contact].user)) { found(Details.field(UserTag.username, in: $0)) }
    }
    return contacts.withDetails(of: contact) { found(Details.field(field.rawValue, in: $0)) }
  }

  func sortKey(ofContact contact: Int, in order: PeopleOrder) -> ContiguousArray<UInt8> {
    withText(ofContact: contact, in: order) { ContiguousArray($0) }
  }

  /// The row that a list in an order has of a contact.
  func row(ofContact contact: Int, in order: PeopleOrder) -> Int {
    order.isOfUsers ? Int(contacts[contact].user) : contact
  }

  /// Whether a contact comes before a text, or has the same and a row before another.
  func isBefore(_ contact: Int, _ text: UnsafeRawBufferPointer, row: Int, in order: PeopleOrder) -> Bool {
    withText(ofContact: contact, in: order) { own in
      sameBytes(own, text) ? self.row(ofContact: contact, in: order) < row : own.lexicographicallyPrecedes(text)
    }
  }
}

extension PartitionState {
  /// Takes some people into the orders that are in use: into all of them together as many as a list takes into one, since
  /// the partition is held no longer for the upkeep.
  public mutating func enterOrders() {
    var left = Limits.orderedOfSlice
    for order in people.orders.inUse where left > 0 { _ = people.enterOrder(order, &left) }
  }
}
