import Testing

@testable import GatehouseStorage

/// The crash tests of folder, snapshots, compaction and backup would all pass on a disk that never loses anything.
/// These tests prove that they depend on the syncs: each sync is left out once, and the loss is detected.
@Suite("Planted bugs", .inClearAndEncrypted)
struct PlantedBugTests {
  private static let seeds: Range<UInt64> = 0..<12

  /// How many of the possible outcomes of a crash right after `work`, one for each seed, are losses.
  private func losses(
    _ lie: LyingDisk.Lie, prepare: (SimulatedDisk) throws -> Void, work: (any Disk) throws -> Void,
    isLost: (SimulatedDisk) throws -> Bool
  ) throws -> Int {
    let disk = SimulatedDisk()
    try prepare(disk)
    try work(LyingDisk(disk, lie))
    disk.powerOff()
    return Self.seeds.count { seed in (try? isLost(disk.survivor(seed: seed))) ?? true }
  }

  @Test(
    arguments: [(.none, false), (.files, true), (.directories, true), (.folderDirectory, true)]
      as [(LyingDisk.Lie, Bool)])
  func aNewFolder(lie: LyingDisk.Lie, isFound: Bool) throws {
    let losses = try losses(lie) { _ in
    } work: { disk in
      try FolderFixture.make(on: disk).close()
    } isLost: { survivor in
      _ = try DataFolder.open(FolderFixture.path, disk: survivor, key: Encrypted.key)
      return false
    }
    #expect((losses > 0) == isFound)
  }

  @Test(arguments: [(.none, false), (.files, true), (.snapshotsDirectory, true)] as [(LyingDisk.Lie, Bool)])
  func aSnapshot(lie: LyingDisk.Lie, isFound: Bool) throws {
    let losses = try losses(lie) { disk in
      let folder = try FolderFixture.make(on: disk)
      for lsn in [10, 20] as [UInt64] { try SnapshotFixture.write(in: folder, lsn: lsn) }
      folder.close()
    } work: { disk in
      let folder = try FolderFixture.make(on: disk)
      try SnapshotFixture.write(in: folder, lsn: 30)
    } isLost: { survivor in
      let catalog = SnapshotCatalog(try FolderFixture.make(on: survivor))
      let sound = try catalog.entries().filter { (try? catalog.openSound($0)) != nil }
      return sound.first?.lsn != 30 || sound.count < 2
    }
    #expect((losses > 0) == isFound)
  }

  @Test(
    arguments: [(.none, false), (.files, true), (.archiveDirectory, true), (.logDirectory, true)]
      as [(LyingDisk.Lie, Bool)])
  func aCompaction(lie: LyingDisk.Lie, isFound: Bool) throws {
    let losses = try losses(lie) { disk in
      try StoreFixture.prepare(on: disk).stop()
    } work: { disk in
      let folder = try FolderFixture.make(on: disk)
      let report = try StoreFixture.compactor(folder, through: 185).compact()
      #expect(report.removed.count > 2)
    } isLost: { survivor in
      let store = try StoreFixture(on: survivor)
      // A gap between two segments loses no record yet, because the archive has them, but the next compaction fails.
      _ = try store.compact()
      return try store.recovered != 185 || !StoreFixture.hasWholeHistory(store.folder, through: 185)
    }
    #expect((losses > 0) == isFound)
  }

  @Test(arguments: [(.none, false), (.files, true), (.directories, true)] as [(LyingDisk.Lie, Bool)])
  func aBackup(lie: LyingDisk.Lie, isFound: Bool) throws {
    let losses = try losses(lie) { disk in
      try StoreFixture.prepare(on: disk, records: 20).stop()
    } work: { disk in
      _ = try Backup.copy(from: FolderFixture.path, to: BackupTests.target, disk: disk, key: Encrypted.key)
    } isLost: { survivor in
      try StoreFixture(on: survivor, at: BackupTests.target).recovered != 65
    }
    #expect((losses > 0) == isFound)
  }
}
