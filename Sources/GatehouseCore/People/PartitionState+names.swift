/// Which names of a partition lead to whom.
extension PartitionState {
  /// Makes a name of this partition lead to a user, instead of whom it led to before.
  mutating func enter(_ name: String, _ key: NameKey, leadingTo user: UserID) {
    let folded = FoldedName(name).text
    var holders = takeHolders(folded, key)
    holders.add(NameHolder(user: user, name: name)) { isDeleted($0) }
    put(holders, folded, key)
  }

  /// Ends that a name of this partition leads to a user.
  mutating func leave(_ name: String, _ key: NameKey, by user: UserID) {
    let folded = FoldedName(name).text
    var holders = takeHolders(folded, key)
    holders.removeAll { $0.user == user }
    put(holders, folded, key)
  }

  /// Takes out whomever a name leads to.
  mutating func takeHolders(_ folded: String, _ key: NameKey) -> [NameHolder] {
    if let others = people.otherNames.removeValue(forKey: folded) { return others }
    var folded = folded
    guard let serial = folded.withUTF8({ people.localUser(folded: UnsafeRawBufferPointer($0), hash: key.hash) }) else {
      return []
    }
    people.names.remove(serial, hash: key.hash)
    return [NameHolder(user: id(serial), name: people.username(serial))]
  }

  mutating func put(_ holders: [NameHolder], _ folded: String, _ key: NameKey) {
    if holders.count == 1, partitioning.partition(of: holders[0].user) == index {
      people.names.insert(partitioning.serial(of: holders[0].user), hash: key.hash)
    } else if !holders.isEmpty {
      people.otherNames[folded] = holders
    }
  }

  /// Whether a user is deleted, as far as this partition knows: of users of others it does not.
  private func isDeleted(_ user: UserID) -> Bool {
    partitioning.partition(of: user) == index && people.users[partitioning.serial(of: user)].status == .deleted
  }
}
