extension PartitionState {
  /// The last id that was given out of each kind that has keys, by serial number.
  public var lastWithKeys: [(kind: SealKey.Kind, serial: Int)] {
    [(.contact, people.contacts.last), (.user, people.users.last), (.approval, approvals.last)]
  }

  /// Those who were not forgotten, and whose keys were destroyed all the same.
  public func peopleWithoutKeys(_ seals: any SealKeeper) -> [SealKey] {
    let contacts = seals.destroyed(.contact, of: index, through: people.contacts.last)
      .filter { people.contacts[$0].isUsed && !people.isAnonymised(contact: $0) }
    let users = seals.destroyed(.user, of: index, through: people.users.last)
      .filter { people.users[$0].isUsed && !isForgotten(login: $0) }
    return contacts.map { .contact(id($0)) } + users.map { .user(id($0)) }
  }

  /// Whether somebody was anonymised or purged, so that the key is destroyed or about to be. Somebody who is yet to be
  /// made was not.
  func isForgotten(_ person: SealKey) -> Bool {
    switch person.kind {
    case .contact:
      let serial = partitioning.serial(of: ContactID(raw: person.raw))
      return people.contacts.contains(serial) && people.contacts[serial].isUsed && people.isAnonymised(contact: serial)
    case .user:
      let serial = partitioning.serial(of: UserID(raw: person.raw))
      return people.users.contains(serial) && (!people.users[serial].isUsed || isForgotten(login: serial))
    case .answers, .approval, .webhook: return false
    }
  }

  /// Whether the person of a login is known to be anonymised.
  func isForgotten(login serial: Int) -> Bool {
    people.users[serial].isUsed && people.isAnonymised(contact: Int(people.users[serial].contact))
  }
}
