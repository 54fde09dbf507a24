/// Rebuilds the name index with this program's version of the Unicode tables.
///
/// A snapshot stores names by hash, and so by partition, as the tables of the program that wrote it folded them.
/// Nothing else in the state depends on case folding.
public enum SettlingNames {
  /// Rebuilds the whole index.
  /// - Parameter partitions: all of them, as of one record.
  public static func run(_ partitions: [PartitionCell]) {
    // A deleted user's name may have been given to another user, or to nobody. So note what deleted users still hold,
    // and in which order they got each name.
    let gone = partitions.flatMap { deletedHolders(in: $0, partitions) }.sorted { $0.lsn < $1.lsn }
    for cell in partitions { cell.state.forgetNames() }
    for (users, _) in gone { for user in users { enter(user, partitions) } }
    for cell in partitions {
      for serial in 1..<(cell.state.people.users.last + 1)
      where cell.state.people.users[serial].isUsed && cell.state.people.users[serial].status != .deleted {
        enter(cell.state.id(serial), partitions)
      }
    }
  }

  /// The names that several live users share. Each is reached by the exact spelling and by id.
  public static func namesakes(in partitions: [PartitionCell]) -> [[NameHolder]] {
    partitions.flatMap { cell in
      cell.state.people.otherNames.sorted { $0.key < $1.key }
        .map { $0.value.filter { isLive($0.user, partitions) }.sorted { $0.user < $1.user } }
        .filter { $0.count > 1 }
    }
  }

  private static func deletedHolders(
    in cell: PartitionCell, _ partitions: [PartitionCell]
  ) -> [(users: [UserID], lsn: LSN)] {
    var names: [String: [UserID]] = [:]
    for holder in cell.state.people.otherNames.values.joined() {
      names[FoldedName(holder.name).text, default: []].append(holder.user)
    }
    // The last one of a name that others had before is in the index of names.
    cell.state.people.names.forEach { serial in
      names[FoldedName(cell.state.people.username(serial)).text, default: []].append(cell.state.id(serial))
    }
    return names.values.compactMap { users in
      let gone = users.compactMap { user in row(of: user, partitions).map { (user, $0) } }
        .filter { $0.1.status == .deleted }
      return gone.map(\.1.lsn).max().map { (gone.map(\.0), $0) }
    }
  }

  private static func enter(_ user: UserID, _ partitions: [PartitionCell]) {
    guard let partitioning = partitions.first?.state.partitioning else { return }
    let home = partitions[partitioning.partition(of: user)]
    let name = home.state.people.username(partitioning.serial(of: user))
    let folded = FoldedName(name).text
    let key = NameKey(name, partitioning)
    let keeper = partitions[key.partition]
    var holders = keeper.state.takeHolders(folded, key)
    // Live users come last, and get the name from those who are deleted.
    holders.add(NameHolder(user: user, name: name))
    keeper.state.put(holders, folded, key)
  }

  private static func isLive(_ user: UserID, _ partitions: [PartitionCell]) -> Bool {
    row(of: user, partitions).map { $0.status != .deleted } ?? false
  }

  /// A user's row; nil if the id was never given out.
  private static func row(of user: UserID, _ partitions: [PartitionCell]) -> UserRow? {
    guard let partitioning = partitions.first?.state.partitioning else { return nil }
    let home = partitions[partitioning.partition(of: user)]
    return home.state.serial(of: user).map { home.state.people.users[$0] }
  }
}

extension PartitionState {
  /// Clears the index and recomputes the hash in each user's row.
  fileprivate mutating func forgetNames() {
    people.hasUnsettledNames = false
    people.names = NameIndex()
    people.otherNames = [:]
    for serial in 1..<(people.users.last + 1) where people.users[serial].isUsed {
      let hash = NameKey(people.username(serial), partitioning).hash
      if people.users[serial].nameHash != hash { people.users[serial].nameHash = hash }
    }
  }
}
