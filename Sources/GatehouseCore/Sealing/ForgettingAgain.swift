/// Forgets, in a state that was read from a snapshot, those whose keys were destroyed since the snapshot was taken.
///
/// A snapshot is not sealed, but the records after it are: with the keys gone, they do not say which name a user gives up,
/// and replay would leave it behind. So everybody without keys gets the data of an anonymised person first, as replay
/// gives them. The record that anonymised them comes later in the log, unless the state is restored as of before it.
public enum ForgettingAgain {
  /// - Parameters:
  ///   - partitions: all of them.
  ///   - covered: the record as of which the snapshot has each of them; they differ.
  public static func run(_ partitions: [PartitionCell], asOf covered: [LSN], _ seals: any SealKeeper) {
    guard let partitioning = partitions.first?.state.partitioning else { return }
    let forgotten = partitions.flatMap { cell in
      seals.destroyed(.user, of: cell.index, through: cell.state.people.users.last)
        .map { (user: cell.state.id($0) as UserID, isKnown: cell.state.isForgotten(login: $0)) }
    }
    for cell in partitions {
      let holders = cell.state.people.otherNames.values.flatMap { $0 }
      cell.state.leave(holders.filter { isGone($0, partitions, partitioning, seals) })
    }
    for cell in partitions {
      for serial in seals.destroyed(.contact, of: cell.index, through: cell.state.people.contacts.last)
      where cell.state.people.contacts[serial].isUsed && !cell.state.people.isAnonymised(contact: serial) {
        cell.state.people.anonymise(contact: serial)
      }
    }
    for (user, isKnown) in forgotten where !isKnown {
      // Mails to the person, and of what the person did, are about others.
      for cell in partitions { cell.state.outbox.forgetMails(tellingOf: user) }
      let home = partitions[partitioning.partition(of: user)]
      guard let serial = home.state.serial(of: user) else { continue }
      home.state.forget(login: serial, user)
      let key = NameKey(user.anonymousName, partitioning)
      // A later section of the name's partition has what followed, and the records that are replayed after it enter the
      // rest.
      if covered[key.partition] <= covered[home.index] {
        partitions[key.partition].state.enter(user.anonymousName, key, leadingTo: user)
      }
    }
  }

  /// Whether a name that leads to a user of another partition is given up.
  private static func isGone(
    _ holder: NameHolder, _ partitions: [PartitionCell], _ partitioning: Partitioning, _ seals: any SealKeeper
  ) -> Bool {
    // The name that anonymising gives was entered by the record that anonymised.
    guard holder.name != holder.user.anonymousName, seals.isDestroyed(.user(holder.user)) else { return false }
    let home = partitions[partitioning.partition(of: holder.user)]
    // One that is known as forgotten has the name that it has.
    guard let serial = home.state.serial(of: holder.user), home.state.isForgotten(login: serial) else { return true }
    return home.state.people.username(serial) != holder.name
  }
}

extension PartitionState {
  /// Removes holders of names of this partition.
  fileprivate mutating func leave(_ holders: [NameHolder]) {
    for holder in holders { leave(holder.name, NameKey(holder.name, partitioning), by: holder.user) }
  }

  /// Clears what is known of the person of a login, and the name of this partition that leads to it.
  fileprivate mutating func forget(login serial: Int, _ user: UserID) {
    let name = people.username(serial)
    let key = NameKey(name, partitioning)
    if key.partition == index { leave(name, key, by: user) }
    anonymise(login: serial)
    var details = people.users.details(of: serial)
    details[text: UserTag.username] = user.anonymousName
    people.users.setDetails(of: serial, details.bytes)
    people.users[serial].nameHash = NameKey(user.anonymousName, partitioning).hash
    people.noteTexts(of: Int(people.users[serial].contact))
    var slot = Int(people.users[serial].sessions)
    while slot != 0 {
      sessions.forgetOrigin(ofSlot: slot)
      slot = Int(sessions[slot].next)
    }
  }
}
