/// What an offline compaction would do (dry run).
package struct CompactionPlan: Sendable, Equatable {
  package var lastLSN: UInt64 = 0
  package var snapshots: [UInt64] = []
  /// The archives that would be made, with the bytes of log in each.
  package var archived: [CompactionFile] = []
  /// The segments that would be removed from the log.
  package var removed: [String] = []
  /// The segments that would be set aside, and what is wrong with each.
  package var setAside: [String] = []
  package var damage: [String] = []
  package var expired: [CompactionFile] = []
  package var warnings: [String] = []

  /// Only reads: it neither takes the lock nor touches the log's end.
  package init(_ folder: DataFolder, options: CompactionOptions) throws {
    lastLSN = try History(folder, dictionaries: options.dictionaries, keys: RecordIndex.keys(of: folder)).lastLSN()
    let sound = try Self.sound(folder)
    snapshots = try Self.snapshots(of: folder, after: sound.first, last: lastLSN)
    let all = snapshots.reversed() + sound.map(\.lsn)
    var latest: [UInt64: UInt64] = [:]
    if all.count >= Snapshot.kept {
      let covered = all[Snapshot.kept - 1]
      var bodies = FrameBodies(cipher: folder.cipher, dictionaries: options.dictionaries)
      let segments = try folder.sealedSegments().filter { $0.lastLSN <= covered }
      let plan = try CompactionSteps(segments, in: folder, archiveBytes: options.archiveBytes) { segment, frame in
        guard options.retention != nil else { return }
        let time = try bodies.latestTime(of: frame, RecordIndex.keys(of: folder))
        latest[segment.firstLSN] = max(latest[segment.firstLSN] ?? 0, time)
      }
      try add(plan, folder)
    }
    try expire(folder, options, latest)
    damage += try ArchiveCatalog(folder).setAside().map { "\($0.path) is damaged" }
  }

  private mutating func add(_ plan: CompactionSteps, _ folder: DataFolder) throws {
    warnings = plan.warnings
    if let obstacle = plan.obstacle { damage.append(obstacle) }
    for step in plan.steps {
      switch step {
      case .remove(let segments, _): removed += segments.map(\.name)
      case .archive(let segments):
        let records = segments[0].firstLSN...segments[segments.count - 1].lastLSN
        let bytes = try segments.reduce(0) { $0 + (try folder.bytes(of: $1)) }
        archived.append(CompactionFile(name: Archive.name(records), records: records, bytes: bytes))
        removed += segments.map(\.name)
      case .setAside(_, let why):
        setAside.append(why)
        damage.append(why)
      }
    }
  }

  /// Determines what would be deleted, of the existing archives and those that would be made.
  private mutating func expire(_ folder: DataFolder, _ options: CompactionOptions, _ latest: [UInt64: UInt64]) throws {
    guard options.retention != nil else { return }
    var files = try folder.agedFiles()
    for file in archived {
      let times = latest.filter { file.records.contains($0.key) }.values
      files.append(DataFolder.AgedFile(file: file, latest: times.max()))
    }
    files.sort { $0.file.records.lowerBound < $1.file.records.lowerBound }
    expired = files.prefix(Retention(options).expired(files.map(\.latest))).map(\.file)
  }

  /// The snapshots that can be opened, newest first.
  private static func sound(_ folder: DataFolder) throws -> [SnapshotInfo] {
    let catalog = SnapshotCatalog(folder)
    return try catalog.entries().compactMap { entry in
      guard let reader = try? catalog.open(entry) else { return nil }
      defer { reader.close() }
      return reader.info
    }
  }

  /// The records as of which snapshots should be taken, in order: the end of the last complete segment before the log's
  /// end, and the log's end.
  static func snapshots(of folder: DataFolder, after newest: SnapshotInfo?, last: UInt64) throws -> [UInt64] {
    var wanted: [UInt64] = []
    let sealed = try folder.sealedSegments().last { $0.lastLSN < last }?.lastLSN ?? 0
    // If the newest snapshot has a section ahead of this record, the state as of the record cannot be restored from it.
    if sealed > newest?.lsn ?? 0, sealed >= newest?.largestLSN ?? 0 { wanted.append(sealed) }
    if newest.map({ $0.lsn < last }) ?? true { wanted.append(last) }
    return wanted
  }
}
