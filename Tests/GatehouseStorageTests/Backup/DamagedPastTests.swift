import Testing

@testable import GatehouseStorage

/// Folders with damaged old records, but valid snapshots and later records.
@Suite("A damaged past", .inClearAndEncrypted)
struct DamagedPastTests {
  /// Where one byte is damaged: in a segment or an archive that both snapshots cover, in a segment that was set aside,
  /// or in the part of a segment before the records after the older snapshot.
  enum Place: CaseIterable, Sendable {
    case segment, segmentHeader, archive, archiveTable, setAside, sameSegment
  }

  /// A folder of 185 records with snapshots through 119 and 179.
  func prepared(_ place: Place) throws -> (disk: SimulatedDisk, file: String) {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    let location = store.folder.logLocation
    switch place {
    case .segment, .segmentHeader:
      let path = location.path(try store.folder.sealedSegments()[1].name)
      store.stop()
      try FolderFixture.edit(path, on: disk) { $0[place == .segment ? 4200 : 20] ^= 1 }
      return (disk, path)
    case .archive, .archiveTable:
      _ = try store.compact()
      let path = try ArchiveCatalog(store.folder).entries()[0].path
      store.stop()
      try FolderFixture.edit(path, on: disk) { $0[place == .archive ? 100 : $0.count - 100] ^= 1 }
      return (disk, path)
    case .setAside:
      try FolderFixture.edit(location.path(try store.folder.sealedSegments()[0].name), on: disk) { $0[4200] ^= 1 }
      _ = try store.compact()
      let path = try ArchiveCatalog(store.folder).setAside()[0].path
      store.stop()
      return (disk, path)
    case .sameSegment:
      let segment = try #require(try store.folder.sealedSegments().last { $0.firstLSN <= 120 })
      try #require(segment.firstLSN < 116)
      store.stop()
      // The header of its first frame, so that nothing leads from there to the next frame.
      try FolderFixture.edit(location.path(segment.name), on: disk) { $0[4100] ^= 1 }
      return (disk, location.path(segment.name))
    }
  }

  @Test(arguments: Place.allCases)
  func isNamedAndBlamedOnTheSource(place: Place) throws {
    let (disk, file) = try prepared(place)
    for copies in [
      { try Backup.copy(from: FolderFixture.path, to: BackupTests.target, disk: disk, key: Encrypted.key) },
      {
        try Restore.run(
          from: FolderFixture.path, to: BackupTests.target, disk: disk, key: Encrypted.key, keys: RecordFixture.keys)
      },
    ] as [() throws -> CopyReport] {
      let error = #expect(throws: CopyError.self) { try copies() }
      guard case .damaged(let reason, 179)? = error else {
        Issue.record("\(place): \(String(describing: error))")
        continue
      }
      #expect(reason.contains(DiskPath.name(of: file)))
      let text = "\(CopyError.damaged(reason: reason, snapshot: 179))"
      #expect(text.contains("--without-history") && text.contains("--from-snapshot"))
      #expect(!disk.exists(BackupTests.target) && !disk.exists(BackupTests.target + ".partial"))
    }
  }

  @Test(arguments: Place.allCases)
  func isLeftOutOfABackup(place: Place) throws {
    let (disk, _) = try prepared(place)
    let report = try Backup.copy(
      from: FolderFixture.path, to: BackupTests.target, leavesOutHistory: true, disk: disk, key: Encrypted.key)
    #expect(report.lastLSN == 185 && report.snapshot == 179)
    #expect(report.firstLSN > 1 && report.firstLSN <= 120, "both snapshots lead to the end")
    #expect(report.warnings == ["the history is left out: the copy has no records before \(report.firstLSN)"])
    #expect(
      try SnapshotCatalog(DataFolder.look(at: BackupTests.target, disk: disk, key: Encrypted.key)).entries().count == 2)
    try BackupTests.check(disk, through: 185, from: report.firstLSN)
  }

  @Test(arguments: Place.allCases, [.end, .lsn(150), .lsn(180), .time(RecordFixture.time(150))] as [Restore.Point])
  func isLeftOutOfARestore(place: Place, point: Restore.Point) throws {
    let (disk, _) = try prepared(place)
    let report = try Restore.run(
      from: FolderFixture.path, to: BackupTests.target, until: point, leavesOutHistory: true, disk: disk,
      key: Encrypted.key,
      keys: RecordFixture.keys)
    let last: UInt64 = point == .end ? 185 : point == .lsn(180) ? 180 : 150
    #expect(report.lastLSN == last && report.firstLSN > 1)
    try BackupTests.check(disk, through: last, from: report.firstLSN)
  }

  /// Damage between the snapshots: the newer one is valid, and enough.
  @Test func damageBetweenTheSnapshotsCostsTheOlderOne() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    let segment = try #require(try store.folder.sealedSegments().first { $0.firstLSN > 124 && $0.lastLSN < 179 })
    store.stop()
    try FolderFixture.edit(store.folder.logLocation.path(segment.name), on: disk) { $0[4200] ^= 1 }
    let report = try Backup.copy(
      from: FolderFixture.path, to: BackupTests.target, leavesOutHistory: true, disk: disk, key: Encrypted.key)
    #expect(report.snapshot == 179 && report.warnings.count == 2 && report.warnings[0].contains(segment.name))
    #expect(
      try SnapshotCatalog(DataFolder.look(at: BackupTests.target, disk: disk, key: Encrypted.key)).entries().map(\.lsn)
        == [179])
    try BackupTests.check(disk, through: 185, from: report.firstLSN)
  }

  /// Damage after the snapshot is damage to the state, which may be lost.
  @Test func damageAfterTheSnapshotsIsNotIgnored() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    try store.append(100)
    let segment = try #require(try store.folder.sealedSegments().last)
    try #require(segment.firstLSN > 180)
    store.stop()
    try FolderFixture.edit(store.folder.logLocation.path(segment.name), on: disk) { $0[4200] ^= 1 }
    #expect(throws: LogError.self) {
      try Backup.copy(
        from: FolderFixture.path, to: BackupTests.target, leavesOutHistory: true, disk: disk, key: Encrypted.key)
    }
    let error = #expect(throws: CopyError.self) {
      try Backup.copy(from: FolderFixture.path, to: BackupTests.target, disk: disk, key: Encrypted.key)
    }
    guard case .damaged(_, nil)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func withoutAValidSnapshotThereIsNoStart() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    store.stop()
    #expect(throws: CopyError.noSnapshot(last: 100, snapshots: [179, 119])) {
      try Restore.run(
        from: FolderFixture.path, to: BackupTests.target, until: .lsn(100), leavesOutHistory: true, disk: disk,
        key: Encrypted.key,
        keys: RecordFixture.keys)
    }
    #expect(!disk.exists(BackupTests.target + ".partial"))
  }

  /// A folder whose newest snapshot contains everything: the log continues from it.
  @Test func aStateWithNothingAfterItIsCopied() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture(on: disk)
    try store.append(60)
    try SnapshotFixture.write(in: store.folder, lsn: 59)
    try store.append(1)
    try store.snapshot()
    let report = try Backup.copy(
      from: FolderFixture.path, to: BackupTests.target, leavesOutHistory: true, disk: disk, key: Encrypted.key)
    #expect(report.lastLSN == 61 && report.snapshot == 60)
    try BackupTests.check(disk, through: 61, from: report.firstLSN)
  }
}
