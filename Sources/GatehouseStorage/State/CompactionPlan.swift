/// What an offline compaction would do.
package struct CompactionPlan: Sendable, Equatable {
  package struct File: Sendable, Equatable {
    package var name: String
    package var records: ClosedRange<UInt64>
    package var bytes: UInt64
  }

  package var lastLSN: UInt64 = 0
  package var snapshots: [UInt64] = []
  package var archived: [File] = []
  package var expired: [File] = []

  /// Looks, and changes nothing: neither the lock nor the log's end is touched.
  package init(_ folder: DataFolder, options: CompactionOptions) throws {
    lastLSN = try History(folder, dictionaries: options.dictionaries, keys: RecordIndex.keys).lastLSN()
    let sound = try Self.sound(folder)
    snapshots = try Self.snapshots(of: folder, after: sound.first, last: lastLSN)
    let all = snapshots.reversed() + sound.map(\.lsn)
    if all.count >= Snapshot.kept {
      let covered = all[Snapshot.kept - 1]
      for segment in try folder.sealedSegments() where segment.lastLSN <= covered {
        let file = try folder.disk.openFile(folder.logLocation.path(segment.name), .read)
        defer { file.close() }
        archived.append(
          File(name: segment.name, records: segment.firstLSN...segment.lastLSN, bytes: try file.size()))
      }
    }
    guard let retention = options.retention, options.now > retention else { return }
    for entry in try ArchiveCatalog(folder).entries() {
      let reader = try ArchiveCatalog(folder).open(entry)
      defer { reader.close() }
      guard let times = reader.info.times, times.upperBound < options.now - retention else { break }
      expired.append(
        File(name: DiskPath.name(of: entry.path), records: entry.records, bytes: reader.info.fileBytes))
    }
  }

  /// The snapshots that can be opened, the newest first.
  private static func sound(_ folder: DataFolder) throws -> [SnapshotInfo] {
    let catalog = SnapshotCatalog(folder)
    return try catalog.entries().compactMap { entry in
      guard let reader = try? catalog.open(entry) else { return nil }
      defer { reader.close() }
      return reader.info
    }
  }

  /// The records as of which snapshots are worth taking, in order: the end of the last complete segment before the
  /// log's end, and the log's end.
  static func snapshots(of folder: DataFolder, after newest: SnapshotInfo?, last: UInt64) throws -> [UInt64] {
    var wanted: [UInt64] = []
    let sealed = try folder.sealedSegments().last { $0.lastLSN < last }?.lastLSN ?? 0
    // A section that is ahead of the record is not of the state as of it.
    if sealed > newest?.lsn ?? 0, sealed >= newest?.largestLSN ?? 0 { wanted.append(sealed) }
    if newest.map({ $0.lsn < last }) ?? true { wanted.append(last) }
    return wanted
  }
}
