internal import GatehouseCore

/// A record and, if known, its time.
package struct RecordMoment: Sendable, Equatable, CustomStringConvertible {
  package var lsn: UInt64
  /// Unix milliseconds.
  package var time: UInt64?

  /// `record 12 of 2026-03-01T09:30:00.000Z`.
  package var description: String { "record \(lsn)" + (time.map { " of \(Self.text(of: $0))" } ?? "") }

  static func text(of time: UInt64) -> String { TimeText.text(of: Milliseconds(clamping: time)) }
}

/// Finds the record at a point in time, and the earliest point that a folder can be restored to.
struct PointSearch {
  let source: DataFolder
  let dictionaries: [ZstdDictionary]
  let keys: RecordKeys
  let progress: (CopyProgress) throws -> Void

  private var history: History { History(source, dictionaries: dictionaries, keys: keys) }

  /// - Returns: nil for the end of the log.
  func lastRecord(of point: Restore.Point, leavesOutHistory: Bool) throws -> UInt64? {
    switch point {
    case .end: return nil
    case .lsn(0): throw absence(of: point)
    case .lsn(let lsn): return lsn
    case .time(let time):
      guard leavesOutHistory else {
        do {
          guard let found = try lastRecord(before: time, from: 1) else { throw absence(of: point) }
          return found
        } catch  where isDamage(error) {
          throw CopyError.damaged(reason: "\(error)", snapshot: try SnapshotCatalog(source).entries().first?.lsn)
        }
      }
      guard let found = try lastRecordOfSnapshots(before: time) else { throw absence(of: point) }
      return found
    }
  }

  private func absence(of point: Restore.Point) -> CopyError {
    .noSuchRecord(wanted: point, last: (try? history.lastLSN()).flatMap { moment(of: $0) }, earliest())
  }

  /// Like `lastRecord`, but reads nothing older than the snapshots. If the records between the two snapshots are
  /// damaged, it reads only those after the newer one.
  private func lastRecordOfSnapshots(before time: UInt64) throws -> UInt64? {
    let catalog = SnapshotCatalog(source)
    var damage: (any Error)?
    for entry in try catalog.entries().reversed() {
      guard let reader = try? catalog.openSound(entry) else { continue }
      reader.close()
      do {
        if let found = try lastRecord(before: time, from: entry.lsn + 1) { return found }
        return moment(of: entry.lsn).flatMap { $0.time ?? .max <= time ? entry.lsn : nil }
      } catch  where isDamage(error) {
        damage = error
      }
    }
    if let damage { throw damage }
    throw CopyError.noSnapshot(last: nil, snapshots: [])
  }

  /// The last record from `first` on before the first one later than `time`; nil if there is none.
  private func lastRecord(before time: UInt64, from first: UInt64) throws -> UInt64? {
    let last = try history.lastLSN()
    var found: UInt64?
    var ids: [UInt64] = []
    if first <= last {
      try history.forEach(History.Query(first...last)) { lsn, record in
        if lsn.isMultiple(of: Verification.progressRecords) { try progress(CopyProgress(part: .search, done: lsn)) }
        ids.removeAll(keepingCapacity: true)
        guard keys(record, &ids) <= time else { return false }
        found = lsn
        return true
      }
    }
    return found
  }

  /// The earliest record that the folder can be restored to, with its time; nil if it cannot be determined.
  func earliest() -> RecordMoment? {
    guard let first = try? history.firstLSN() else { return nil }
    if first == 1 { return moment(of: 1) }
    let catalog = SnapshotCatalog(source)
    let reached = ((try? catalog.entries()) ?? []).compactMap { entry -> UInt64? in
      guard entry.lsn + 1 >= first, let reader = try? catalog.openSound(entry) else { return nil }
      defer { reader.close() }
      return max(reader.largestLSN, first)
    }
    return reached.min().flatMap { moment(of: $0) }
  }

  func moment(of lsn: UInt64) -> RecordMoment? {
    var found: RecordMoment?
    guard lsn > 0 else { return nil }
    try? history.forEach(History.Query(lsn...lsn)) { lsn, record in
      var ids: [UInt64] = []
      found = RecordMoment(lsn: lsn, time: keys(record, &ids))
      return false
    }
    return found
  }
}
