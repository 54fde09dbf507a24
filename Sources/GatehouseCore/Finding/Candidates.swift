/// Some contacts of a partition, among whom all are who can be in an answer.
///
/// Of a workspace of ten thousand people each of 256 partitions has forty, in a list of its index of facets. A search that
/// reads a few terms there looks for their contacts in that list. Bits are made of it, with memory of their own, only where
/// many are looked for or other contacts are to be intersected with these.
enum Candidates {
  /// As the index of facets has them.
  case listed(SerialSet)
  case collected(SerialBits)

  var isEmpty: Bool {
    switch self {
    case .listed(let contacts): contacts.isEmpty
    case .collected(let contacts): contacts.isEmpty
    }
  }

  var count: Int {
    switch self {
    case .listed(let contacts): contacts.count
    case .collected(let contacts): contacts.count
    }
  }

  /// The same as bits.
  var collected: Candidates {
    switch self {
    case .listed(let contacts): .collected(SerialBits(contacts))
    case .collected: self
    }
  }

  /// Those for whom a condition holds, in ascending order.
  func filter(_ isIncluded: (Int) -> Bool) -> [Int] {
    switch self {
    case .listed(let contacts):
      var found: [Int] = []
      contacts.forEach { if isIncluded($0) { found.append($0) } }
      return found
    case .collected(let contacts): return contacts.filter(isIncluded)
    }
  }

  /// Keeps those who are among others, too.
  mutating func narrow(to others: SerialBits) {
    var kept =
      switch self {
      case .listed(let contacts): SerialBits(contacts)
      case .collected(let contacts): contacts
      }
    // Nobody else refers to the bits while they change, or they would be copied.
    self = .listed(.empty)
    kept.formIntersection(others)
    self = .collected(kept)
  }
}

extension ListViewer {
  /// The contacts of a partition among whom all are that the viewer may see; nil if that may be anybody.
  func contacts(in cell: HeldPartition) -> Candidates? {
    if isFree { return nil }
    // A service that is bound to a workspace, and has no person whose own row it would see elsewhere.
    if people(in: cell) == nil, let members, members.count == 1, let only = members.first,
      sides.allSatisfy({ $0.person == nil })
    {
      return .listed(cell.state.people.contactFacets[.workspace(only)] ?? .empty)
    }
    return rows(ListedContact.self, in: cell).map { .collected($0) }
  }
}
