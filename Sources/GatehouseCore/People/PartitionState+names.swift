/// The index from names to users.
extension PartitionState {
  /// Makes a name of this partition lead to a user instead of its earlier holder.
  mutating func enter(_ name: String, _ key: NameKey, leadingTo user: UserID) {
    let folded = FoldedName(name).text
    var holders = takeHolders(folded, key)
    holders.add(NameHolder(user: user, name: name))
    put(holders, folded, key)
  }

  /// Removes a user from the holders of a name of this partition.
  mutating func leave(_ name: String, _ key: NameKey, by user: UserID) {
    let folded = FoldedName(name).text
    var holders = takeHolders(folded, key)
    holders.removeAll { $0.user == user }
    put(holders, folded, key)
  }

  /// Removes and returns the holders of a name, the last one to get it last.
  mutating func takeHolders(_ folded: String, _ key: NameKey) -> [NameHolder] {
    let others = people.otherNames.removeValue(forKey: folded) ?? []
    var folded = folded
    guard let serial = folded.withUTF8({ people.localUser(folded: UnsafeRawBufferPointer($0), hash: key.hash) }) else {
      return others
    }
    people.names.remove(serial, hash: key.hash)
    return others + [NameHolder(user: id(serial), name: people.username(serial))]
  }

  mutating func put(_ holders: [NameHolder], _ folded: String, _ key: NameKey) {
    var others = holders
    if let last = holders.last, partitioning.partition(of: last.user) == index,
      holders.leadToLast(whereGone: { isDeleted($0) })
    {
      people.names.insert(partitioning.serial(of: last.user), hash: key.hash)
      others.removeLast()
    }
    if !others.isEmpty { people.otherNames[folded] = others }
  }

  /// Whether a user is known to be deleted; false for users of other partitions.
  private func isDeleted(_ user: UserID) -> Bool {
    partitioning.partition(of: user) == index && people.users[partitioning.serial(of: user)].status == .deleted
  }
}
