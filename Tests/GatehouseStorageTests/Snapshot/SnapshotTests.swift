import Testing

@testable import GatehouseStorage

@Suite("Snapshot", .inClearAndEncrypted)
struct SnapshotTests {
  @Test(arguments: [0, 1, 40, 1 << 20, (1 << 20) + 1, 3_000_000])
  func isReadAsItWasWritten(sectionBytes: Int) throws {
    let temporary = TemporaryFolder()
    let folder = try FolderFixture.make(on: PosixDisk(), at: temporary.path + "/data", partitionCount: 2)
    let info = try SnapshotFixture.write(in: folder, lsn: 10, sectionBytes: sectionBytes)
    #expect(info.lsn == 10)
    #expect(info.largestLSN == 12)
    #expect(info.sectionCount == 3)
    #expect(info.rawBytes == UInt64(sectionBytes * 3))
    #expect(info.path.hasSuffix("/data/snapshots/00000000000000000010.snapshot"))
    let entry = try #require(try SnapshotCatalog(folder).entries().first)
    let reader = try SnapshotCatalog(folder).openSound(entry)
    #expect(try SnapshotFixture.holds(reader, sectionBytes: sectionBytes))
    #expect(reader.info == info)
  }

  @Test func severalThreadsReadAtOnce() async throws {
    let disk = SimulatedDisk()
    let folder = try FolderFixture.make(on: disk, partitionCount: 16)
    try SnapshotFixture.write(in: folder, lsn: 1, sectionBytes: 5000)
    let reader = try SnapshotCatalog(folder).open(try SnapshotCatalog(folder).entries()[0])
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for section in reader.sections {
        group.addTask {
          try Array(reader.read(section))
            == SnapshotFixture.bytes(owner: section.owner, lsn: section.lsn, count: 5000)
        }
      }
      for try await isSame in group { #expect(isSame) }
    }
  }

  @Test func needsEverySectionOnce() throws {
    let folder = try FolderFixture.make(on: SimulatedDisk(), partitionCount: 2)
    let writer = try SnapshotWriter(in: folder, createdAt: 0)
    try [1, 2].withUnsafeBytes { try writer.add(owner: 1, lsn: 5, bytes: $0) }
    #expect(throws: SnapshotError.repeated(owner: 1)) {
      try [1].withUnsafeBytes { try writer.add(owner: 1, lsn: 6, bytes: $0) }
    }
    #expect(throws: SnapshotError.incomplete(missing: [0, Snapshot.directoryOwner])) { try writer.finish(durable: 9) }
    #expect(try SnapshotCatalog(folder).entries().isEmpty)
  }

  @Test func waitsForTheLog() throws {
    let folder = try FolderFixture.make(on: SimulatedDisk())
    let writer = try SnapshotWriter(in: folder, createdAt: 0)
    for (owner, lsn) in [(UInt16(0), UInt64(7)), (Snapshot.directoryOwner, 9)] {
      try [owner].withUnsafeBytes { try writer.add(owner: owner, lsn: lsn, bytes: $0) }
    }
    #expect(throws: SnapshotError.ahead(largest: 9, durable: 8)) { try writer.finish(durable: 8) }
    #expect(try writer.finish(durable: 9).lsn == 7)
  }

  @Test func twoValidSnapshotsAreKept() throws {
    let disk = SimulatedDisk()
    let folder = try FolderFixture.make(on: disk)
    let catalog = SnapshotCatalog(folder)
    #expect(try catalog.coveredThrough() == nil)
    for lsn in [10, 20, 30] as [UInt64] { try SnapshotFixture.write(in: folder, lsn: lsn) }
    #expect(try catalog.entries().map(\.lsn) == [30, 20])
    #expect(try catalog.coveredThrough() == 20)
    // With the snapshot of 30 damaged, that of 20 must stay: it is the only other valid one.
    try FolderFixture.edit(catalog.entries()[0].path, on: disk) { $0[70] ^= 4 }
    #expect(try catalog.coveredThrough() == nil)
    try SnapshotFixture.write(in: folder, lsn: 40)
    #expect(try catalog.entries().map(\.lsn) == [40, 30, 20])
    try SnapshotFixture.write(in: folder, lsn: 50)
    #expect(try catalog.entries().map(\.lsn) == [50, 40])
  }

  @Test func aSnapshotOfTheSameRecordReplacesTheOldOne() throws {
    let folder = try FolderFixture.make(on: SimulatedDisk())
    for _ in 0..<2 { try SnapshotFixture.write(in: folder, lsn: 10) }
    #expect(try SnapshotCatalog(folder).entries().map(\.lsn) == [10])
  }

  @Test func anotherFoldersSnapshotIsRefused() throws {
    let disk = SimulatedDisk()
    let one = try FolderFixture.make(on: disk, at: "/one", seed: 1)
    let two = try FolderFixture.make(on: disk, at: "/two", seed: 2)
    let info = try SnapshotFixture.write(in: one, lsn: 10)
    try disk.rename(info.path, to: two.snapshotsPath + "/00000000000000000010.snapshot")
    let entry = try SnapshotCatalog(two).entries()[0]
    #expect(throws: BlockFileError.otherFolder(path: entry.path)) { try SnapshotCatalog(two).open(entry) }
  }

  @Test func aSnapshotUnderAnotherNameIsRefused() throws {
    let disk = SimulatedDisk()
    let folder = try FolderFixture.make(on: disk)
    let info = try SnapshotFixture.write(in: folder, lsn: 10)
    try disk.rename(info.path, to: folder.snapshotsPath + "/00000000000000000011.snapshot")
    let entry = try SnapshotCatalog(folder).entries()[0]
    #expect(throws: BlockFileError.self) { try SnapshotCatalog(folder).open(entry) }
  }
}
