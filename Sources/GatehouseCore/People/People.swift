internal import HeapModule

/// The contacts of a partition, their logins, and the index of usernames.
///
/// Grants, memberships and product access are stored in the users' rows and details. `Authority`, `Workspaces` and
/// `Access` define what they mean, each in an extension of this type.
public struct People: ~Copyable, Sendable {
  // Cache locality: the fields that a look-up by name reads come first.
  /// Users whose name belongs to this partition and is theirs alone: nearly all.
  public internal(set) var names = NameIndex()
  public internal(set) var users = RowTable<UserRow>()
  /// Names of this partition that lead to a user of another partition or to several users, by folded name; and of names
  /// that were given again, those who had them before.
  public internal(set) var otherNames: [String: [NameHolder]] = [:]
  public internal(set) var contacts = RowTable<ContactRow>()
  /// Users that are not deleted.
  public internal(set) var liveUsers = 0
  /// The time of the change that is being applied.
  var moment: Milliseconds = 0
  /// Whether names are still indexed by another version's Unicode tables; see `SettlingNames`.
  public internal(set) var hasUnsettledNames = false
  /// Users with a reference, deleted ones included, by its hash.
  var references = NameIndex()
  /// Users with an identifier of a provisioning system, deleted ones included, by its hash. Derived.
  var externalIDs = NameIndex()
  /// Users with addresses that a provisioning system keeps, by the hash of each. Derived.
  var keptAddresses = NameIndex()
  /// Who refers to accounts and groups. Derived.
  var referrers = Referrers()
  /// When something of a user ends by itself: seconds in the upper half of a key, the serial number in the lower.
  /// Derived.
  var ends = Heap<UInt64>()
  /// The heap size at which stale keys are swept.
  var endsToSweep = 1024
  /// Finds contacts by words. Derived; a copy has none.
  var words = WordIndex()
  /// The order of sorted lists. Derived; a copy has none.
  var orders = ListOrders()
  /// Finds users and contacts by what they have in common. Derived; a copy has none.
  var userFacets = FacetIndex()
  var contactFacets = FacetIndex()

  public init() {}
}

extension People: Aggregate {
  mutating func copy() -> People {
    var copy = People()
    copy.names = names
    copy.users = users.copy()
    copy.otherNames = otherNames
    copy.contacts = contacts.copy()
    copy.liveUsers = liveUsers
    copy.hasUnsettledNames = hasUnsettledNames
    copy.references = references
    copy.externalIDs = externalIDs
    copy.keptAddresses = keptAddresses
    copy.referrers = referrers
    copy.ends = ends
    copy.endsToSweep = endsToSweep
    return copy
  }
}

// MARK: - Names

extension People {
  /// The user of this partition that a folded name leads to.
  @inline(__always)
  public func localUser(folded: UnsafeRawBufferPointer, hash: UInt32) -> Int? {
    names.find(hash) { serial in
      users.withDetails(of: serial) { Self.isName(in: $0, folded) }
    }
  }

  /// The users that a folded name leads to, unless it is one user of this partition alone.
  func otherHolders(folded: UnsafeRawBufferPointer) -> [NameHolder] { formerHolders(folded: folded).current }

  /// The same, with those who had the name before somebody else got it.
  fileprivate func formerHolders(folded: UnsafeRawBufferPointer) -> [NameHolder] {
    if otherNames.isEmpty { return [] }
    return otherNames[String(decoding: folded, as: UTF8.self)] ?? []
  }

  /// Whether the username in a user's details folds to a folded name.
  private static func isName(in details: UnsafeRawBufferPointer, _ folded: UnsafeRawBufferPointer) -> Bool {
    guard let stored = Details.field(UserTag.username, in: details) else { return false }
    return sameBytes(stored, folded) || foldsTo(folded, stored)
  }

  /// The slow path: the name was given in capital letters, or it is another one with the same hash.
  @inline(never)
  private static func foldsTo(_ folded: UnsafeRawBufferPointer, _ stored: UnsafeRawBufferPointer) -> Bool {
    FoldedName.withFolded(stored) { sameBytes($0, folded) }
  }

  public func username(_ serial: Int) -> String {
    users.withDetails(of: serial) { Details.text(UserTag.username, in: $0) }
  }
}

// MARK: - Fields

extension People {
  /// A contact's field as shown; empty if it is not set.
  public func text(_ field: ContactField, of contact: Int) -> String {
    let row = contacts[contact]
    switch field {
    case .hired: return row.hired == .min ? "" : TimeText.text(ofDay: row.hired)
    case .released: return row.released == .min ? "" : TimeText.text(ofDay: row.released)
    default: return contacts.withDetails(of: contact) { Details.text(field.rawValue, in: $0) }
    }
  }

  public func text(_ field: UserField, of user: Int) -> String {
    if let flag = field.flag { return users[user].flags.contains(flag) ? "1" : "0" }
    return users.withDetails(of: user) { Details.text(field.rawValue, in: $0) }
  }

  mutating func touch(contact serial: Int, _ lsn: LSN) {
    contacts[serial].version += 1
    contacts[serial].lsn = lsn
    // A login decision reads the user and the contact, but waits for one LSN: the user's.
    let user = Int(contacts[serial].user)
    if user != 0 { touch(user: user, lsn) }
  }

  mutating func touch(user serial: Int, _ lsn: LSN) {
    users[serial].version += 1
    users[serial].lsn = lsn
  }

  /// Keeps when what the home governs of somebody was changed. Changes elsewhere do not count, or they would be told of at
  /// home (W4).
  mutating func noteChange(of contact: Int) { contacts[contact].changed = moment }

  /// Keeps when something that a workspace says of somebody was changed, if that is the home.
  mutating func noteChange(of contact: Int, by workspace: WorkspaceID) {
    if home(ofContact: contact) == workspace { noteChange(of: contact) }
  }
}

// MARK: - In the partition

extension PartitionState {
  /// The serial number of a user of this partition; nil if the id was never given out.
  public func serial(of id: UserID) -> Int? {
    let serial = partitioning.serial(of: id)
    return people.users.contains(serial) && people.users[serial].isUsed ? serial : nil
  }

  public func serial(of id: ContactID) -> Int? {
    let serial = partitioning.serial(of: id)
    return people.contacts.contains(serial) && people.contacts[serial].isUsed ? serial : nil
  }

  /// The users that a folded name of this partition leads to: none, one, or several, of whom the spelling selects one.
  public func holders(folded: UnsafeRawBufferPointer, hash: UInt32) -> [NameHolder] {
    if let serial = people.localUser(folded: folded, hash: hash) {
      return [NameHolder(user: id(serial), name: people.username(serial))]
    }
    return people.otherHolders(folded: folded)
  }

  /// The same, and all who had the name before.
  func givenName(_ folded: UnsafeRawBufferPointer, _ key: NameKey) -> (holders: [NameHolder], former: [NameHolder]) {
    let former = people.formerHolders(folded: folded)
    guard let serial = people.localUser(folded: folded, hash: key.hash) else { return (former.current, former) }
    return ([NameHolder(user: id(serial), name: people.username(serial))], former)
  }
}

extension Turn {
  func newContact(in cell: HeldPartition) -> ContactID { newID(in: cell, after: cell.state.people.contacts.last) }

  func newUser(in cell: HeldPartition) -> UserID { newID(in: cell, after: cell.state.people.users.last) }
}
