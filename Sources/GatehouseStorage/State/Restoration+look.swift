package import GatehouseCore

extension Restoration {
  /// The state of a folder as of its last record, read beside whoever owns the folder.
  /// - Throws: `RecoveryError` where no snapshot leads to it, and what reading throws.
  package static func look(at folder: DataFolder, dictionaries: [ZstdDictionary] = ZstdDictionary.known) throws
    -> Restoration
  {
    var state = Restoration(folder)
    let history = History(folder, dictionaries: dictionaries, keys: RecordIndex.keys)
    let last = try history.lastLSN()
    let first = try history.firstLSN() ?? 1
    let catalog = SnapshotCatalog(folder)
    var from: UInt64 = 1
    var warnings: [String] = []
    for entry in try catalog.entries() {
      do {
        let reader = try catalog.openSound(entry)
        defer { reader.close() }
        guard reader.largestLSN <= last, reader.lsn + 1 >= first else { continue }
        try state.load(reader)
        from = entry.lsn + 1
        break
      } catch {
        warnings.append("\(error)")
      }
    }
    guard from >= first else { throw RecoveryError.unreachable(from: from, first: first, warnings: warnings) }
    if from <= last {
      try history.forEach(History.Query(from...last)) { lsn, bytes in
        try state.replay(lsn, bytes)
        return true
      }
    }
    return state
  }

  /// The user of a name, in any case.
  package func user(named name: String) -> UserID? {
    let key = NameKey(name, partitioning)
    var folded = FoldedName(name).text
    let holders = folded.withUTF8 {
      partitions[key.partition].state.holders(folded: UnsafeRawBufferPointer($0), hash: key.hash)
    }
    return holders.meant(by: name) { user in
      let home = partitions[partitioning.partition(of: user)]
      return home.state.serial(of: user).map { home.state.users[$0].status != .deleted } ?? false
    }
  }

  /// The contact of a user; nil where the id was never given out.
  package func contact(of user: UserID) -> ContactID? {
    let cell = partitions[partitioning.partition(of: user)]
    return cell.state.serial(of: user).map { cell.state.id(Int(cell.state.users[$0].contact)) }
  }

  /// The names that several users have since names are folded as they are now; each user is reached by the exact
  /// spelling and by id.
  package var namesakes: [[NameHolder]] { SettlingNames.namesakes(in: partitions) }

  /// The name of a user; nil where the id was never given out.
  package func name(of user: UserID) -> String? {
    let cell = partitions[partitioning.partition(of: user)]
    return cell.state.serial(of: user).map { cell.state.username($0) }
  }
}
