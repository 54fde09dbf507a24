package import GatehouseCore

extension Restoration {
  /// The state of a folder as of its last record. Another process may own the folder.
  /// - Throws: `RecoveryError` if no snapshot leads to it, and errors of reading.
  package static func look(at folder: DataFolder, dictionaries: [ZstdDictionary] = ZstdDictionary.known) throws
    -> Restoration
  {
    let history = History(folder, dictionaries: dictionaries, keys: RecordIndex.keys(of: folder))
    let last = try history.lastLSN()
    var (state, covered) = try newest(of: folder, history, through: last)
    if covered < last {
      try history.forEach(History.Query(covered + 1...last)) { lsn, bytes in
        try state.replay(lsn, bytes)
        return true
      }
    }
    return state
  }

  /// What a follower starts with: the state as of the newest snapshot of a folder that another process owns, and the
  /// source of all records after it.
  /// - Throws: like `look`.
  package static func following(
    _ folder: DataFolder, dictionaries: [ZstdDictionary] = ZstdDictionary.known
  ) throws -> (state: Restoration, source: FolderTail) {
    let history = History(folder, dictionaries: dictionaries, keys: RecordIndex.keys(of: folder))
    let (state, covered) = try newest(of: folder, history, through: try history.lastLSN())
    return (state, FolderTail(folder, after: covered, dictionaries: dictionaries))
  }

  /// The newest sound snapshot that connects to the records up to `last`, and its LSN.
  private static func newest(of folder: DataFolder, _ history: History, through last: UInt64) throws -> (
    state: Restoration, covered: UInt64
  ) {
    var state = Restoration(folder)
    let first = try history.firstLSN() ?? 1
    let catalog = SnapshotCatalog(folder)
    var warnings: [String] = []
    for entry in try catalog.entries() {
      do {
        let reader = try catalog.openSound(entry)
        defer { reader.close() }
        guard reader.largestLSN <= last, reader.lsn + 1 >= first else { continue }
        try state.load(reader)
        return (state, entry.lsn)
      } catch {
        warnings.append("\(error)")
      }
    }
    guard first <= 1 else { throw RecoveryError.unreachable(from: 1, first: first, warnings: warnings) }
    return (state, 0)
  }

  /// The user with a name, in any case.
  package func user(named name: String) -> UserID? {
    let key = NameKey(name, partitioning)
    var folded = FoldedName(name).text
    let holders = folded.withUTF8 {
      partitions[key.partition].state.holders(folded: UnsafeRawBufferPointer($0), hash: key.hash)
    }
    return holders.meant(by: name) { user in
      let home = partitions[partitioning.partition(of: user)]
      return home.state.serial(of: user).map { home.state.people.users[$0].status != .deleted } ?? false
    }
  }

  /// The contact of a user; nil if there never was such a user.
  package func contact(of user: UserID) -> ContactID? {
    let cell = partitions[partitioning.partition(of: user)]
    return cell.state.serial(of: user).map { cell.state.id(Int(cell.state.people.users[$0].contact)) }
  }

  /// Names that several users share since names are folded as they are now. Each of these users is found by the exact
  /// spelling and by id.
  package var namesakes: [[NameHolder]] { SettlingNames.namesakes(in: partitions) }

  /// The name of a user; nil if there never was such a user.
  package func name(of user: UserID) -> String? {
    let cell = partitions[partitioning.partition(of: user)]
    return cell.state.serial(of: user).map { cell.state.people.username($0) }
  }
}
