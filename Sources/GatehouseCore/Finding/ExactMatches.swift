/// Who has exactly the username or the e-mail that is searched for: they come first, before all whose terms only begin so.
///
/// They are looked up and not looked for: a name by the index of names, and an address by its whole text in the index of
/// words. So a search for `ana` finds her at once among ten thousand who are called Ana.
extension SearchOrder {
  /// The place of somebody with exactly the username.
  static func named(_ partition: Int, _ contact: Int) -> SearchOrder {
    SearchOrder(term: 0, partition: partition, contact: UInt32(contact))
  }

  /// The place of somebody with exactly the e-mail. No term begins with a zero.
  static func addressed(_ partition: Int, _ contact: Int) -> SearchOrder {
    SearchOrder(term: 1, partition: partition, contact: UInt32(contact))
  }

  /// Whether it is the place of an exact match.
  var isExact: Bool { term <= 1 }
}

extension SearchQuery {
  /// Addresses that begin with a word are looked at as long as they are few.
  static let mostAddresses = 256
}

extension Turn {
  /// The contacts of a partition who have exactly what is searched for. Users of other partitions whose name leads here are
  /// noted in `gathered`, and looked up at the end.
  func exactMatches(_ query: SearchQuery, in cell: HeldPartition, _ gathered: inout Gathered) -> [SearchOrder] {
    guard let word = query.onlyWord else { return [] }
    var found: [SearchOrder] = []
    let key = nameKey(word)
    if key.partition == cell.index {
      let folded = UnsafeRawBufferPointer(rebasing: foldedName[..<foldedCount])
      for holder in cell.state.holders(folded: folded, hash: key.hash) {
        if let kept = cell.state.successor(of: holder.user) {
          // L13: a dropped name leads to the kept user.
          gathered.namesakes.insert(kept)
        } else if partitioning.partition(of: holder.user) == cell.index {
          found += exactMatch(holder.user, in: cell).map { [$0] } ?? []
        } else {
          gathered.namesakes.insert(holder.user)
        }
      }
    }
    // L13: the name of who was merged leads to another, who may live elsewhere.
    if let kept = namedPeople[arguments.string(word)], kept.isByOtherName,
      partitioning.partition(of: kept.id) == cell.index, let place = exactMatch(kept.id, in: cell)
    {
      found.append(place)
    }
    let address = query.words[0]
    guard address.contains(UInt8(ascii: "@")) else { return found }
    for contact in cell.state.people.contacts(addressed: address, most: SearchQuery.mostAddresses)
    where !found.contains(where: { Int($0.contact) == contact }) {
      found.append(.addressed(cell.index, contact))
    }
    return found
  }

  /// The place of a user with exactly the username; nil if the login has ended.
  func exactMatch(_ id: UserID, in cell: HeldPartition) -> SearchOrder? {
    guard let serial = cell.state.serial(of: id) else { return nil }
    let user = UserReference(id: id, cell: cell, serial: serial)
    return user.row.status == .deleted ? nil : .named(cell.index, user.contact)
  }
}

extension People {
  /// The contacts whose e-mail is exactly this text in search form; none where more than `most` begin with it.
  func contacts(addressed form: ContiguousArray<UInt8>, most: Int) -> [Int] {
    form.withUnsafeBytes { form -> [Int] in
      let last = contacts.last
      let run = words.run(of: form)
      guard run.count > 0 else { return [] }
      let candidates =
        words.contacts(withLong: form, most: most, through: last)
        ?? (run.count <= most ? words.contacts(of: run, through: last) : SerialBits())
      return candidates.filter { contact in
        contacts[contact].isUsed
          && contacts.withDetails(of: contact) { details in
            guard let text = Details.field(ContactField.email.rawValue, in: details) else { return false }
            return SearchText.with(text) { $0.count == form.count && sameBytes($0, form) }
          }
      }
    }
  }
}

extension PartitionState {
  /// To whom a user of the partition leads who was merged into another; nil if that is nobody.
  fileprivate func successor(of user: UserID) -> UserID? {
    guard isMine(user), let serial = serial(of: user), people.users[serial].status == .deleted else { return nil }
    return people.successor(ofUser: serial)
  }
}
