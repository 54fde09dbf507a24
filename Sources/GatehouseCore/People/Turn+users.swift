/// The users that words name.
extension Turn {
  /// The user that a word names, by username in any case or as `#id`.
  public func user(_ index: Int) throws(Halt) -> UserReference {
    guard let found = try userIfAny(index) else { throw .refused(noUser(index)) }
    return found
  }

  /// Says that there is nobody of whom a word is the name or the id.
  func noUser(_ index: Int) -> Refusal { .notFound("user\(repeated(index))", of: argumentName(index)) }

  /// Like `user`, but nil if there is none, or none that the caller knows.
  @inline(__always)
  public func userIfAny(_ index: Int) throws(Halt) -> UserReference? {
    var found = try anyUser(index)
    if let user = found, user.row.status == .deleted { found = try lead(from: user) }
    if isLimited || named != nil, let found {
      guard !isLimited || knows(found) else { return nil }
      noteNamed(found)
    }
    return found
  }

  /// Whether a word names somebody by the id.
  func isID(_ index: Int) -> Bool { arguments[index].first == UInt8(ascii: "#") }

  /// The same, whether or not somebody merged leads elsewhere, or the caller knows them.
  func anyUser(_ index: Int) throws(Halt) -> UserReference? {
    if isID(index) {
      guard let raw = Self.identifier(arguments[index]) else {
        throw .refused(.syntax("user is not an id; ids are positive whole numbers", of: argumentName(index)))
      }
      return try user(UserID(raw: raw))
    }
    let key = nameKey(index)
    let cell = try cell(key.partition)
    let folded = UnsafeRawBufferPointer(rebasing: foldedName[..<foldedCount])
    if let serial = cell.state.people.localUser(folded: folded, hash: key.hash) {
      read(cell.state.people.users[serial].lsn)
      return UserReference(id: cell.state.id(serial), cell: cell, serial: serial)
    }
    read(cell.state.lsn)
    if cell.state.people.otherNames.isEmpty { return nil }
    return try otherUser(index, folded, cell)
  }

  /// The slow path: the name leads to a user of another partition, or to several.
  @inline(never)
  private func otherUser(
    _ index: Int, _ folded: UnsafeRawBufferPointer, _ cell: HeldPartition
  ) throws(Halt) -> UserReference? {
    let holders = cell.state.people.otherHolders(folded: folded)
    if holders.isEmpty { return nil }
    let meant = try holders.meant(by: arguments.string(index)) { (id) throws(Halt) in try isLive(id) }
    return try meant.flatMap { (id) throws(Halt) in try user(id) }
  }

  /// The live user who has the new username at word `index`, in any spelling.
  /// - Parameter own: the user who is to get it.
  public func holder(ofNewName index: Int, besides own: UserID? = nil) throws(Halt) -> UserReference? {
    let key = nameKey(index)
    let cell = try cell(key.partition)
    let folded = UnsafeRawBufferPointer(rebasing: foldedName[..<foldedCount])
    return try holder(among: cell.state.givenName(folded, key), in: cell, besides: own)
  }

  /// The same for a name that no word says.
  func holder(ofNewName name: String, besides own: UserID? = nil) throws(Halt) -> UserReference? {
    let key = NameKey(name, partitioning)
    let cell = try cell(key.partition)
    var folded = FoldedName(name).text
    let given = folded.withUTF8 { cell.state.givenName(UnsafeRawBufferPointer($0), key) }
    return try holder(among: given, in: cell, besides: own)
  }

  private func holder(
    among given: (holders: [NameHolder], former: [NameHolder]), in cell: HeldPartition, besides own: UserID? = nil
  ) throws(Halt) -> UserReference? {
    read(cell.state.lsn)
    for holder in given.holders where holder.user != own {
      guard let found = try user(holder.user), found.holdsName else { continue }
      // Whoever the name leads to may have it.
      if let own, found.row.status == .deleted, try lead(from: found).id == own { continue }
      return found
    }
    guard given.former.count < Limits.holdersOfName || given.former.contains(where: { $0.user == own }) else {
      throw .refused(
        .limit(
          "usernames: one is given to at most \(Limits.holdersOfName) users in turn; choose another, or remove some of"
            + " the deleted ones for good with USER.PURGE"))
    }
    return nil
  }

  /// Whether a user is the last one who got their username. Whoever got it since has taken their place.
  func isLed(to user: UserReference) throws(Halt) -> Bool {
    let key = NameKey(user.username, partitioning)
    let cell = try cell(key.partition)
    var folded = FoldedName(user.username).text
    let holders = folded.withUTF8 { cell.state.holders(folded: UnsafeRawBufferPointer($0), hash: key.hash) }
    return holders.last?.user == user.id
  }

  private func isLive(_ id: UserID) throws(Halt) -> Bool {
    try user(id).map { $0.row.status != .deleted } ?? false
  }

  /// The user with this id; nil if the id was never given out.
  public func user(_ id: UserID) throws(Halt) -> UserReference? {
    let cell = try cell(partitioning.partition(of: id))
    guard let serial = cell.state.serial(of: id) else {
      read(cell.state.lsn)
      return nil
    }
    read(cell.state.people.users[serial].lsn)
    return UserReference(id: id, cell: cell, serial: serial)
  }

  /// The key of the name in a word; leaves the folded form in `foldedName`.
  @inline(__always)
  func nameKey(_ index: Int) -> NameKey {
    if foldedWord == index, let foldedKey { return foldedKey }
    foldedCount = FoldedName.fold(arguments[index], into: foldedName)
    let key =
      lookahead.nameWord == index
      ? lookahead.key : NameKey(folded: UnsafeRawBufferPointer(rebasing: foldedName[..<foldedCount]), partitioning)
    foldedWord = index
    foldedKey = key
    return key
  }
}
