/// The index from names to users.
extension PartitionState {
  /// Makes a name of this partition lead to a user instead of its earlier holder.
  mutating func enter(_ name: String, _ key: NameKey, leadingTo user: UserID) {
    let folded = FoldedName(name).text
    var holders = takeHolders(folded, key)
    holders.add(NameHolder(user: user, name: name)) { isDeleted($0) }
    put(holders, folded, key)
  }

  /// Removes a user from the holders of a name of this partition.
  mutating func leave(_ name: String, _ key: NameKey, by user: UserID) {
    let folded = FoldedName(name).text
    var holders = takeHolders(folded, key)
    holders.removeAll { $0.user == user }
    put(holders, folded, key)
  }

  /// Removes and returns the holders of a name.
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

  /// Whether a user is known to be deleted; false for users of other partitions.
  private func isDeleted(_ user: UserID) -> Bool {
    partitioning.partition(of: user) == index && people.users[partitioning.serial(of: user)].status == .deleted
  }
}
