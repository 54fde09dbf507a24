package import GatehouseCore

/// Keys and ids. Whoever is forgotten keeps their id for ever, so no key is ever needed again. But a folder restored as
/// of an earlier moment, or one that got back an older log beside the keys of today, gives out again the ids of people
/// who came after that moment, and some of those may have been forgotten. Days come again, too: those of answers.
extension Restoration {
  /// Gives new keys to ids that are yet to be given out and to days that are yet to come, where theirs were destroyed.
  /// Called once all records are replayed, and before any is written.
  ///
  /// - Parameter now: what time the machine's clock says it is.
  /// - Returns: whether there were any.
  package func renewKeys(at now: Milliseconds) throws(DiskError) -> Bool {
    guard let seals else { return false }
    let last = partitions.flatMap { cell in
      cell.state.lastWithKeys.map { (kind: $0.kind, partition: cell.index, serial: $0.serial) }
    }
    return try seals.renew(
      after: last + [
        (kind: .webhook, partition: 0, serial: directory.view.webhookNumbers),
        (kind: .answers, partition: 0, serial: lastDayOfAnswers(at: now)),
      ])
  }

  /// The number of the last key of answers that may be in use, or destroyed for its age. Later ones are destroyed only if
  /// the store is of a later time, or of a clock that was ahead or since set back; under them nothing could be sealed.
  private func lastDayOfAnswers(at now: Milliseconds) -> Int {
    let era = partitions.map { $0.state.answers.era }.max() ?? 0
    let kept = SealKey.answers(until: (newestTime ?? 0) + Limits.idempotencyLife, era: era)
    return Int(max(kept, KeyStore.oldAnswers(at: now, era: era)).raw)
  }

  /// People who are there although the keys were destroyed under which something is said of them: what is written of them
  /// is not sealed, and the next start from a snapshot forgets them.
  package var peopleWithoutKeys: [SealKey] {
    guard let seals else { return [] }
    return partitions.flatMap { $0.state.peopleWithoutKeys(seals) }
  }
}
