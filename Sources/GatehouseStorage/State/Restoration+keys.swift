package import GatehouseCore

/// Keys and ids. Whoever is forgotten keeps their id for ever, so no key is ever needed again. But a folder restored as
/// of an earlier moment, or one that got back an older log beside the keys of today, gives out again the ids of people
/// who came after that moment, and some of those may have been forgotten.
extension Restoration {
  /// Gives new keys to ids that are yet to be given out and whose keys were destroyed. Called once all records are
  /// replayed, and before any is written.
  ///
  /// - Returns: whether there were any.
  package func renewKeys() throws(DiskError) -> Bool {
    guard let seals else { return false }
    let last = partitions.flatMap { cell in
      cell.state.lastWithKeys.map { (kind: $0.kind, partition: cell.index, serial: $0.serial) }
    }
    return try seals.renew(after: last + [(kind: .webhook, partition: 0, serial: directory.view.webhookNumbers)])
  }

  /// People who are there although the keys were destroyed under which something is said of them: what is written of them
  /// is not sealed, and the next start from a snapshot forgets them.
  package var peopleWithoutKeys: [SealKey] {
    guard let seals else { return [] }
    return partitions.flatMap { $0.state.peopleWithoutKeys(seals) }
  }
}
