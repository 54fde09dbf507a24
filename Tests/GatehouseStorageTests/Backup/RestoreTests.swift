import Testing

@testable import GatehouseStorage

@Suite("Restore", .inClearAndEncrypted)
struct RestoreTests {
  /// A folder of 185 records; if compacted, the first part is in the archive.
  func prepared(compacted: Bool) throws -> SimulatedDisk {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    if compacted { _ = try store.compact() }
    store.stop()
    return disk
  }

  func restore(on disk: SimulatedDisk, until point: Restore.Point) throws -> CopyReport {
    try Restore.run(
      from: FolderFixture.path, to: BackupTests.target, until: point, disk: disk, key: Encrypted.key,
      keys: RecordFixture.keys)
  }

  @Test(arguments: [false, true])
  func bringsEverythingBack(compacted: Bool) throws {
    let disk = try prepared(compacted: compacted)
    #expect(try restore(on: disk, until: .end).lastLSN == 185)
    try BackupTests.check(disk, through: 185)
  }

  /// Snapshots start at records 120, 121, 180 and 181; the archive ends at 96 or 97.
  @Test(
    arguments: [false, true], [1, 2, 31, 32, 33, 64, 96, 97, 119, 120, 121, 122, 179, 180, 181, 184, 185] as [UInt64])
  func goesBackToARecord(compacted: Bool, lsn: UInt64) throws {
    let disk = try prepared(compacted: compacted)
    let report = try restore(on: disk, until: .lsn(lsn))
    #expect(report.lastLSN == lsn)
    #expect(report.snapshot == (lsn >= 180 ? 179 : lsn >= 120 ? 119 : nil))
    // If no snapshot is old enough, the archive is replayed from the first record, which causes a warning.
    let verified = try Verification.run(try DataFolder.look(at: BackupTests.target, disk: disk, key: Encrypted.key))
    #expect(verified.problems.isEmpty)
    let store = try StoreFixture(on: disk, at: BackupTests.target)
    #expect(store.recovered == lsn)
    #expect(try StoreFixture.hasWholeHistory(store.folder, through: lsn))
    try store.append(30)
    try store.snapshot()
    try store.append(30)
    try store.snapshot()
    _ = try store.compact()
    #expect(try StoreFixture.hasWholeHistory(store.folder, through: lsn + 60))
    store.stop()
    let again = try StoreFixture(on: disk, at: BackupTests.target)
    #expect(again.recovered == lsn + 60)
    #expect(try Verification.run(again.folder).problems.isEmpty)
  }

  @Test(arguments: [0, 999] as [UInt64])
  func goesBackToATime(more: UInt64) throws {
    let disk = try prepared(compacted: true)
    #expect(try restore(on: disk, until: .time(RecordFixture.time(140) + more)).lastLSN == 140)
    try BackupTests.check(disk, through: 140)
  }

  @Test func anImpossiblePointIsReported() throws {
    let disk = try prepared(compacted: true)
    let first = RecordMoment(lsn: 1, time: RecordFixture.time(1))
    let last = RecordMoment(lsn: 185, time: RecordFixture.time(185))
    let early = RecordFixture.time(1) - 1
    for point in [Restore.Point.lsn(186), .lsn(0), .time(early)] {
      let error = #expect(throws: CopyError.noSuchRecord(wanted: point, last: last, first)) {
        try restore(on: disk, until: point)
      }
      let text = try #require(error).description
      #expect(text.contains("the last one is record 185 of 2025-11-21T20:03:05.000Z"), "\(text)")
      #expect(text.contains("the earliest that can be had is record 1 of 2025-11-21T20:00:01.000Z"), "\(text)")
      #expect(!text.contains("\(early)"), "a time is written as people write it: \(text)")
    }
    #expect(!disk.exists(BackupTests.target))
  }

  @Test func deletedRecordsCannotBeRestored() throws {
    let disk = try prepared(compacted: true)
    let store = try StoreFixture(on: disk)
    let report = try store.compact(retention: 1)
    #expect(report.expired.count > 1)
    store.stop()
    let first = try #require(report.expired.last).records.upperBound + 1
    for lsn in [1, first - 1, first, 119] {
      // The snapshot through record 119 has a section as of record 120.
      let earliest = RecordMoment(lsn: 120, time: RecordFixture.time(120))
      #expect(
        throws: CopyError.unreachable(lsn: lsn, first: first, snapshots: [179, 119], earliest: earliest)
      ) {
        try restore(on: disk, until: .lsn(lsn))
      }
      #expect(!disk.exists(BackupTests.target) && !disk.exists(BackupTests.target + ".partial"))
    }
    #expect(try restore(on: disk, until: .lsn(120)).lastLSN == 120)
    try BackupTests.check(disk, through: 120, from: first)
  }

  /// After a crash during a compaction, archive and log share some records.
  @Test(arguments: [10, 40, 60, 80, 96, 100, 150] as [UInt64])
  func duplicateRecordsDoNoHarm(lsn: UInt64) throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    struct Stop: Error {}
    var removals = 0
    _ = try? StoreFixture.compactor(store.folder, archiveBytes: 1 << 20, through: 185).compact { step in
      if case .removing = step { removals += 1 }
      if removals == 2 { throw Stop() }
    }
    store.stop()
    #expect(try restore(on: disk, until: .lsn(lsn)).lastLSN == lsn)
    try BackupTests.check(disk, through: lsn)
  }

  @Test func overwritesNothing() throws {
    let disk = try prepared(compacted: false)
    _ = try restore(on: disk, until: .end)
    #expect(throws: CopyError.notEmpty(path: BackupTests.target)) { try restore(on: disk, until: .end) }
  }
}
