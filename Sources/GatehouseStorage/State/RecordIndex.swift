internal import GatehouseCore

/// What storage asks about the records of Gatehouse: by these keys the archive finds them again.
package enum RecordIndex {
  /// The users that a record is about, and when it was written. A record that cannot be decoded is about nobody and
  /// of the beginning of time; it is those who read records whole that must say so.
  package static let keys: RecordKeys = { bytes, ids in
    var reader = GatehouseCore.ByteReader(bytes)
    guard let record = try? Record(from: &reader) else { return 0 }
    for change in record.changes {
      if let user = change.user, !ids.contains(user.raw) { ids.append(user.raw) }
    }
    return UInt64(max(record.header.time, 0))
  }
}
